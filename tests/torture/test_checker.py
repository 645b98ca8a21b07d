"""The checker sees what it is there to see: a clean history passes, and every kind of wrong one is named."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.torture.checker import check

CONTRACT = {"symbol": "SPY"}


def placed(name: str, order_id: int) -> dict[str, Any]:
    return line(1, "in", "placeOrder", {"orderId": order_id, "order": {"orderRef": name, "totalQuantity": "5"}})


def opened(name: str, perm_id: int, connection: int = 1) -> dict[str, Any]:
    return line(connection, "out", "openOrder", {"order": {"orderRef": name, "permId": str(perm_id)}})


def execution(exec_id: str, name: str, connection: int = 2) -> dict[str, Any]:
    fields = {
        "contract": CONTRACT,
        "execution": {"execId": exec_id, "orderRef": name, "side": "BOT", "shares": "5", "price": 1},
    }
    return line(connection, "out", "execDetails", fields)


def line(connection: int, direction: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"at": "", "connection": connection, "dir": direction, "name": name, "fields": fields}


def clean_wire() -> list[dict[str, Any]]:
    return [
        placed("a", 1),
        opened("a", 77),
        execution("x.1.01", "a", connection=1),
        placed("b", 2),
        execution("x.1.01", "a"),
        line(2, "out", "position", {"contract": CONTRACT, "position": "5"}),
    ]


def clean_records() -> list[tuple[str, dict[str, Any]]]:
    fill = {"exec_id": "x.1.01", "side": "BUY", "quantity": "5", "contract": CONTRACT}
    return [
        ("SubmitOrder", {"oms_id": "a"}),
        ("ExecutionReported", fill),
        ("SubmitOrder", {"oms_id": "b"}),
        ("ExecutionReported", fill),
    ]


def clean_conclusions() -> dict[str, Any]:
    return {"orders": ["a", "b"], "fills": [["x.1", "5"]], "positions": {"SPY": "5"}, "open": [], "in_doubt": []}


def judged(folder: Path, wire: Any, records: Any, conclusions: Any) -> dict[str, list[str]]:
    log, journal = folder / "wire.jsonl", folder / "a.journal"
    log.write_text("".join(json.dumps(entry) + "\n" for entry in wire), encoding="utf-8")
    with closing(sqlite3.connect(journal, isolation_level=None)) as database:
        database.execute("CREATE TABLE records (sequence INTEGER PRIMARY KEY, kind TEXT, body BLOB)")
        for number, (kind, body) in enumerate(records, 1):
            if kind:
                database.execute("INSERT INTO records VALUES (?, ?, ?)", (number, kind, json.dumps(body)))
    return check(log, journal, conclusions).problems


def test_a_clean_history_passes(tmp_path: Path) -> None:
    assert judged(tmp_path, clean_wire(), clean_records(), clean_conclusions()) == {}


def sent_twice(wire: list[Any], _records: list[Any], _conclusions: Any) -> None:
    wire.insert(4, placed("b", 3))


def sent_again_without_a_replace(wire: list[Any], _records: list[Any], _conclusions: Any) -> None:
    wire.insert(4, placed("b", 2))


def lives_twice(wire: list[Any], _records: list[Any], _conclusions: Any) -> None:
    wire.insert(2, opened("a", 78))


def not_in_the_journal(_wire: list[Any], records: list[Any], _conclusions: Any) -> None:
    records.pop(2)


def number_used_again(wire: list[Any], _records: list[Any], _conclusions: Any) -> None:
    wire[3] = placed("b", 1)


def fill_lost(wire: list[Any], _records: list[Any], _conclusions: Any) -> None:
    wire.append(execution("x.2.01", "b"))


def fill_booked_twice(_wire: list[Any], _records: list[Any], conclusions: Any) -> None:
    conclusions["fills"].append(["x.1", "5"])


def fill_made_up(_wire: list[Any], records: list[Any], _conclusions: Any) -> None:
    records[3] = (records[3][0], {**records[3][1], "exec_id": "x.9.01"})


def orphan(wire: list[Any], _records: list[Any], _conclusions: Any) -> None:
    wire.append(opened("b", 79, connection=2))


def position_differs(wire: list[Any], _records: list[Any], _conclusions: Any) -> None:
    wire[-1]["fields"]["position"] = "10"


def record_missing(_wire: list[Any], records: list[Any], _conclusions: Any) -> None:
    records.insert(1, ("", {}))


def order_forgotten(_wire: list[Any], _records: list[Any], conclusions: Any) -> None:
    conclusions["orders"].remove("b")


def left_in_doubt(_wire: list[Any], _records: list[Any], conclusions: Any) -> None:
    conclusions["in_doubt"].append("b")


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (sent_twice, "duplicate_orders"),
        (sent_again_without_a_replace, "duplicate_orders"),
        (lives_twice, "duplicate_orders"),
        (not_in_the_journal, "unjournalled_orders"),
        (number_used_again, "reused_ids"),
        (fill_lost, "lost_fills"),
        (fill_booked_twice, "double_fills"),
        (fill_made_up, "invented_fills"),
        (orphan, "orphans"),
        (position_differs, "wrong_positions"),
        (record_missing, "journal_gaps"),
        (order_forgotten, "lost_orders"),
        (left_in_doubt, "doubts"),
    ],
)
def test_a_wrong_history_is_named(tmp_path: Path, wrong: Callable[[Any, Any, Any], None], name: str) -> None:
    wire, records, conclusions = clean_wire(), clean_records(), clean_conclusions()
    wrong(wire, records, conclusions)
    assert name in judged(tmp_path, wire, records, conclusions)
