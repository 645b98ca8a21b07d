"""Every transcript of this folder, replayed as ``run.py replay --json`` does, as it is and in four disguises.

A pair ``NAME.jsonl`` and ``NAME.expected.json`` is a test: dropping one in adds it. In expected objects ``text`` and
``reason`` need only be contained in what is said; an expected empty ``reason`` means that none is given.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from ibapi_bridge.replay_driver import Replay
from ibapi_bridge.replay_report import report
from ibapi_bridge.transcript import Direction, Line, read_transcript
from run import main

Row = dict[str, Any]

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
STATUSES = ("orderStatus", "openOrder", "completedOrder")


def expected_of(name: str) -> Row:
    expected: Row = json.loads((FOLDER / f"{name}.expected.json").read_text())
    return expected


def lines_of(name: str) -> tuple[Line, ...]:
    return read_transcript(FOLDER / f"{name}.jsonl").lines


def renumbered(lines: Iterator[Line]) -> tuple[Line, ...]:
    return tuple(attrs.evolve(line, number=number) for number, line in enumerate(lines, start=1))


def outcome(name: str, lines: tuple[Line, ...], *, resumed: bool = False) -> Row:
    replay = Replay(lines)
    for line in lines:
        replay.hear(line)
        if resumed:
            replay.books.resume()
    replay.finish()
    return report(f"{name}.jsonl", replay)


def without_words(found: Row) -> Row:
    """What must be equal to the letter."""
    orders = [{key: value for key, value in order.items() if key != "reason"} for order in found["orders"]]
    discrepancies = [(discrepancy["kind"], discrepancy["subject"]) for discrepancy in found["discrepancies"]]
    return {**found, "orders": orders, "discrepancies": discrepancies}


def books(found: Row) -> Row:
    """Fills and positions: what no disguise may change."""
    fills = {order["oms_id"]: order["fills"] for order in found["orders"] if order["fills"]}
    positions = sorted(
        found["positions"], key=lambda position: (position["account"], position["symbol"], str(position))
    )
    return {"fills": fills, "positions": positions}


def statuses(found: Row) -> dict[str, str]:
    return {order["oms_id"]: order["status"] for order in found["orders"]}


def test_there_is_a_library_of_transcripts() -> None:
    assert len(NAMES) > 100
    assert {path.name.removesuffix(".expected.json") for path in FOLDER.glob("*.expected.json")} == set(NAMES)


def test_the_command_line_prints_one_object_a_file_in_the_order_given(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["replay", "--json", *(str(FOLDER / f"{name}.jsonl") for name in NAMES)])

    printed = capsys.readouterr()
    found = [json.loads(row) for row in printed.out.splitlines()]
    assert code == 0
    assert printed.err == ""
    assert [Path(row["file"]).stem for row in found] == NAMES
    assert found == [{**outcome(name, lines_of(name)), "file": str(FOLDER / f"{name}.jsonl")} for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_the_transcript_leads_to_what_is_expected(name: str) -> None:
    expected = expected_of(name)

    found = outcome(name, lines_of(name))

    assert without_words(found) == without_words(expected)
    for said, wanted in zip(found["orders"], expected["orders"], strict=True):
        assert wanted["reason"] in said["reason"]
        assert bool(wanted["reason"]) == bool(said["reason"])
    for said, wanted in zip(found["discrepancies"], expected["discrepancies"], strict=True):
        assert wanted["text"] in said["text"]


@pytest.mark.parametrize("name", NAMES)
def test_cut_and_resumed_at_every_line_it_leads_to_the_same(name: str) -> None:
    lines = lines_of(name)

    assert outcome(name, lines, resumed=True) == outcome(name, lines)


@pytest.mark.parametrize("name", NAMES)
def test_doubled_callbacks_change_no_fill_no_position_and_no_status(name: str) -> None:
    lines = lines_of(name)
    doubled = renumbered(line for line in lines for _ in range(2 if line.direction is Direction.IN else 1))

    found, plain = outcome(name, doubled), outcome(name, lines)

    assert books(found) == books(plain)
    assert statuses(found) == statuses(plain)


def swapped(lines: tuple[Line, ...]) -> Iterator[Line]:
    """Each execution changes place with the status or echo next to it."""
    rest = list(lines)
    while rest:
        pair = rest[:2]
        names = {line.name for line in pair if line.direction is Direction.IN}
        if len(pair) == 2 and "execDetails" in names and names & {"orderStatus", "openOrder"}:
            times = [line.at for line in pair]
            pair = [attrs.evolve(line, at=at) for line, at in zip(reversed(pair), times, strict=True)]
            yield from pair
            del rest[:2]
        else:
            yield rest.pop(0)


@pytest.mark.parametrize("name", NAMES)
def test_executions_and_statuses_may_change_places(name: str) -> None:
    lines = lines_of(name)

    found, plain = outcome(name, renumbered(swapped(lines))), outcome(name, lines)

    assert books(found) == books(plain)
    assert statuses(found) == statuses(plain)


@pytest.mark.parametrize("name", NAMES)
def test_executions_alone_lead_to_the_same_fills_and_positions(name: str) -> None:
    lines = lines_of(name)
    without = renumbered(line for line in lines if line.name not in STATUSES)

    found, plain = outcome(name, without), outcome(name, lines)

    assert books(found) == books(plain)
    known = statuses(found)
    for order in plain["orders"]:
        if is_told_without_statuses(order, lines):
            assert known[order["oms_id"]] == order["status"]


def is_told_without_statuses(order: Row, lines: tuple[Line, ...]) -> bool:
    """Whether executions and notices alone prove the final status.

    They do for FILLED and PARTIALLY_FILLED when no echo had to tell the quantity in force, for REJECTED and CANCELED
    when a notice says so. What statuses alone told (working, held, cancelled in silence) is lost with them.
    """
    if order["external"]:
        return False
    placed = [line for line in lines if line.name == "placeOrder" and line.args["orderId"] == order["order_id"]]
    quantities = {str(getattr(line.args["order"], "totalQuantity", "")) for line in placed}
    codes = {
        int(str(line.args["errorCode"]))
        for line in lines
        if line.name == "error" and line.args.get("reqId") == order["order_id"]
    }
    match order["status"]:
        case "FILLED":
            return quantities == {order["quantity"]} and len(placed) == 1 and order["quantity"] != "0"
        case "PARTIALLY_FILLED":
            return quantities == {order["quantity"]}
        case "CANCELED":
            return 202 in codes
        case "REJECTED":
            return bool(codes & {110, 201, 321})
        case _:
            return False
