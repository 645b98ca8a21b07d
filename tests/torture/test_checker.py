"""The checker sees what it is there to see: a clean history passes, and every kind of wrong one is named."""

import json
import subprocess
import sys
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from tests.torture.checker import check, main

CONTRACT = {"symbol": "SPY"}
TRADER, AUDITOR = 1, 2
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def history() -> "History":
    """Two orders, one of them filled, and the gateway's books at the end."""
    return History()


class History:
    """A wire log in the simulator's form, the inputs that a journal remembers, and what the engine made of them."""

    def __init__(self) -> None:
        self.wire = [
            greeted(TRADER),
            placed("a", 1),
            opened("a", 77),
            execution("x.1.01", "a"),
            placed("b", 2),
            greeted(AUDITOR),
            execution("x.1.01", "a", connection=AUDITOR),
            line(AUDITOR, "out", "execDetailsEnd", {}),
            line(AUDITOR, "out", "openOrderEnd", {}),
            line(AUDITOR, "out", "position", {"contract": CONTRACT, "position": "5"}),
            line(AUDITOR, "out", "positionEnd", {}),
        ]
        fill = {"exec_id": "x.1.01", "side": "BUY", "quantity": "5", "contract": CONTRACT, "order_ref": "a"}
        self.records: list[tuple[str, dict[str, Any]]] = [
            ("SubmitOrder", {"oms_id": "a", "at": at(1)}),
            ("ExecutionReported", fill),
            ("SubmitOrder", {"oms_id": "b", "at": at(1)}),
            ("ExecutionReported", fill),
        ]
        self.conclusions: dict[str, Any] = {
            "orders": ["a", "b"], "filled": {"a": "5", "b": "0"}, "fills": [["x.1", "5"]], "positions": {"SPY": "5"},
            "open": [], "in_doubt": [],
        }  # fmt: skip

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The two files."""
        log, journal = folder / "wire.jsonl", folder / "a.journal"
        log.write_text("".join(json.dumps(entry) + "\n" for entry in self.wire), encoding="utf-8")
        text, chain = b'callboard journal 2 {"sequence": 0, "chain": "%b"}\n' % (b"00" * 16), b"\0" * 16
        for number, (kind, fields) in enumerate(self.records, 1):
            record = f"{kind} {json.dumps(fields)}\n".encode()
            chain = blake2b(chain + record, digest_size=16).digest()
            text += record + f"= {number} {chain.hex()}\n".encode()
        journal.write_bytes(text)
        return log, journal


def at(second: int) -> str:
    return f"2026-04-13T14:00:{second:02}+00:00"


def greeted(connection: int) -> dict[str, Any]:
    return {"at": at(0), "connection": connection, "dir": "in", "form": "handshake", "text": "v100..225"}


def placed(name: str, order_id: int) -> dict[str, Any]:
    fields = {"orderId": order_id, "order": {"orderRef": name, "totalQuantity": "5"}}
    return line(TRADER, "in", "placeOrder", fields)


def opened(name: str, perm_id: int, connection: int = TRADER) -> dict[str, Any]:
    return line(connection, "out", "openOrder", {"order": {"orderRef": name, "permId": str(perm_id)}})


def execution(exec_id: str, name: str, connection: int = TRADER, shares: str = "5") -> dict[str, Any]:
    fields = {
        "contract": CONTRACT,
        "execution": {"execId": exec_id, "orderRef": name, "side": "BOT", "shares": shares, "price": 1},
    }
    return line(connection, "out", "execDetails", fields)


def line(connection: int, direction: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
    form = "protobuf"
    return {"at": at(3), "connection": connection, "dir": direction, "form": form, "name": name, "fields": fields}


def test_a_clean_history_passes(tmp_path: Path, history: History) -> None:
    assert check(*history.write(tmp_path), history.conclusions).problems == {}


def test_a_gateway_that_started_again_counts_its_connections_from_one(tmp_path: Path, history: History) -> None:
    history.wire[4:4] = [greeted(TRADER)]  # killed and started again on the same log
    assert check(*history.write(tmp_path), history.conclusions).problems == {}


def sent_twice_under_two_ids(history: History) -> None:
    history.wire.insert(5, placed("b", 3))


def sent_again_under_its_id(history: History) -> None:
    history.wire.insert(5, placed("b", 2))


def sent_again_after_the_gateway_started_anew(history: History) -> None:
    history.wire[5:5] = [greeted(TRADER), placed("b", 2)]


def lives_twice(history: History) -> None:
    history.wire.insert(3, opened("a", 78))


def not_in_the_journal(history: History) -> None:
    history.records.pop(2)


def journalled_after_the_broker_spoke_of_it(history: History) -> None:
    history.records.insert(0, history.records.pop(1))


def id_used_again(history: History) -> None:
    history.wire[4] = placed("b", 1)


def id_went_back(history: History) -> None:
    history.wire[1], history.wire[4] = placed("a", 9), placed("b", 2)


def fill_not_journalled(history: History) -> None:
    history.wire.insert(7, execution("x.2.01", "b", connection=AUDITOR))


def fill_told_while_trading_and_not_journalled(history: History) -> None:
    history.wire.insert(5, execution("x.2.01", "b"))


def fill_not_booked(history: History) -> None:
    history.conclusions["fills"].clear()


def fill_booked_twice(history: History) -> None:
    history.conclusions["fills"].append(["x.1", "5"])


def order_filled_by_twice_as_much(history: History) -> None:
    history.conclusions["filled"]["a"] = "10"


def order_filled_by_less(history: History) -> None:
    history.conclusions["filled"]["a"] = "0"


def fill_of_another_quantity(history: History) -> None:
    history.records[3] = (history.records[3][0], {**history.records[3][1], "quantity": "10"})


def fill_made_up(history: History) -> None:
    history.records[3] = (history.records[3][0], {**history.records[3][1], "exec_id": "x.9.01"})


def open_at_the_gateway_only(history: History) -> None:
    history.wire.insert(8, opened("b", 79, connection=AUDITOR))


def name_that_was_never_submitted(history: History) -> None:
    history.wire.insert(3, opened("c", 79))


def open_here_only(history: History) -> None:
    history.conclusions["open"].append("b")


def position_differs(history: History) -> None:
    history.wire[9]["fields"]["position"] = "10"


def position_counted_twice(history: History) -> None:
    history.conclusions["positions"]["SPY"] = "10"


def books_not_asked_for(history: History) -> None:
    del history.wire[5:]


def books_incomplete(history: History) -> None:
    del history.wire[10]


def order_forgotten(history: History) -> None:
    history.conclusions["orders"].remove("b")


def left_in_doubt(history: History) -> None:
    history.conclusions["in_doubt"].append("b")


@pytest.mark.parametrize(
    ("plant", "name"),
    [
        (sent_twice_under_two_ids, "duplicate_orders"),
        (sent_again_under_its_id, "duplicate_orders"),
        (sent_again_after_the_gateway_started_anew, "duplicate_orders"),
        (lives_twice, "duplicate_orders"),
        (not_in_the_journal, "unjournalled_orders"),
        (journalled_after_the_broker_spoke_of_it, "early_orders"),
        (id_used_again, "reused_ids"),
        (id_went_back, "reused_ids"),
        (fill_not_journalled, "lost_fills"),
        (fill_told_while_trading_and_not_journalled, "lost_fills"),
        (fill_not_booked, "lost_fills"),
        (order_filled_by_less, "lost_fills"),
        (fill_booked_twice, "double_fills"),
        (order_filled_by_twice_as_much, "double_fills"),
        (fill_of_another_quantity, "double_fills"),
        (fill_made_up, "invented_fills"),
        (open_at_the_gateway_only, "orphans"),
        (name_that_was_never_submitted, "orphans"),
        (open_here_only, "lost_orders"),
        (order_forgotten, "lost_orders"),
        (position_differs, "wrong_positions"),
        (position_counted_twice, "wrong_positions"),
        (books_not_asked_for, "gaps"),
        (books_incomplete, "gaps"),
        (left_in_doubt, "doubts"),
    ],
)
def test_a_planted_mistake_is_named(
    tmp_path: Path, history: History, plant: Callable[[History], None], name: str
) -> None:
    plant(history)
    assert name in check(*history.write(tmp_path), history.conclusions).problems


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b'SubmitOrder {"oms_id": "b"', b'SubmitOrder {"oms_id": "c"', "record 3 is not what was written"),
        (b"\n= 2 ", b"\n= 3 ", "record 2 is missing"),
        (b"\n= 2 ", b"\n= 2 00", "record 2 is not what was written"),
    ],
)
def test_a_changed_journal_is_named(tmp_path: Path, history: History, old: bytes, new: bytes, sentence: str) -> None:
    log, journal = history.write(tmp_path)
    text = journal.read_bytes()
    assert old in text
    journal.write_bytes(text.replace(old, new))
    assert any(sentence in gap for gap in check(log, journal).gaps)


def test_on_the_command_line_the_exit_code_is_the_verdict(
    tmp_path: Path, history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    log, journal = history.write(tmp_path)
    conclusions = tmp_path / "conclusions.json"
    conclusions.write_text(json.dumps(history.conclusions), encoding="utf-8")
    words = ["--wire-log", str(log), "--journal", str(journal)]
    assert main(words) == 0
    assert main([*words, "--conclusions", str(conclusions)]) == 0
    assert "2 orders sent, 1 executions: 0 lost orders, 0 duplicate orders" in capsys.readouterr().out
    history.wire.insert(5, placed("b", 3))
    journal.unlink()
    history.write(tmp_path)
    assert main(words) == 1
    assert "duplicate_orders:\n  b under [2, 3]" in capsys.readouterr().out


def test_the_checker_shares_no_code_with_what_it_judges() -> None:
    judged = {"actors", "ibapi_bridge", "strategy", "run", "ibapi"}
    loaded = "import sys, tests.torture.checker; print(*{name.partition('.')[0] for name in sys.modules})"
    words = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert judged & set(words.stdout.split()) == set()
