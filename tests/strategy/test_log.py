import inspect
import json
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import Contract, SecType
from actors.domain.identity import Account, Epoch, ExecId
from actors.domain.order_state import ExecStatus
from actors.domain.terms import Order, OrderType, Side
from actors.messages import events
from actors.messages.commands import FlattenAll, LockNewExposure
from actors.messages.system import SessionChanged, SessionState
from actors.urgency import begin_urgent, end_urgent, step_aside
from strategy import log as log_module
from strategy.config import LoggingConfig
from strategy.log import (
    MAX_WAITING,
    MOST_LOOKS_LATE,
    QUIET_LOOKS,
    RUSH,
    ExecutionLog,
    LogNote,
    Patience,
    render_line,
    verb_line,
)
from strategy.log_files import RotatingFile
from strategy.log_json import json_line
from strategy.masking import clean
from tests.strategy.support import ACCOUNT, OPEN, SPY, filled, state

NEW_YORK = ZoneInfo("America/New_York")
ORDER = Order(side=Side.BUY, quantity=Decimal(100), symbol="SPY", order_type=OrderType.LIMIT, limit_price=Decimal(495))
NEW = state(order=ORDER, account=ACCOUNT)
WORKING = attrs.evolve(NEW, status=ExecStatus.WORKING)
PARTIAL = filled(WORKING, 40, "495", "e1.01")
REASONED = attrs.evolve(WORKING, reason="because")
TEXT = "BUY 100 SPY LIMIT @ 495.00"

CASES: list[tuple[Any, tuple[str, str, str, str]]] = [
    (events.OrderSubmitted(at=OPEN, order=NEW), ("INFO", "execution.engine", "SUBMIT", TEXT)),
    (events.OrderAccepted(at=OPEN, order=WORKING), ("INFO", "execution.engine", "STATUS", f"WORKING {TEXT}")),
    (
        events.OrderHeld(at=OPEN, order=attrs.evolve(WORKING, held="locate")),
        ("INFO", "execution.engine", "STATUS", f"HELD {TEXT}: locate"),
    ),
    (PARTIAL, ("INFO", "execution.engine", "FILL", "BUY 40 SPY @ 495.00, 40 of 100 filled")),
    (
        attrs.evolve(PARTIAL, recovered=True),
        ("INFO", "execution.engine", "FILL", "BUY 40 SPY @ 495.00, 40 of 100 filled (while away)"),
    ),
    (
        events.FillCorrected(
            at=OPEN, order=PARTIAL.order, previous=PARTIAL.fill, fill=attrs.evolve(PARTIAL.fill, price=Decimal(494))
        ),
        ("WARNING", "execution.engine", "FILL", "BUY 40 SPY @ 495.00 was corrected to BUY 40 SPY @ 494.00"),
    ),
    (
        events.FillCorrected(
            at=OPEN, order=PARTIAL.order, previous=PARTIAL.fill, fill=attrs.evolve(PARTIAL.fill, quantity=Decimal(0))
        ),
        ("WARNING", "execution.engine", "FILL", "BUY 40 SPY @ 495.00 was busted"),
    ),
    (
        events.CommissionCharged(
            at=OPEN,
            order=PARTIAL.order,
            fill=attrs.evolve(PARTIAL.fill, commission=Decimal(1), commission_currency="USD"),
        ),
        ("INFO", "execution.engine", "STATUS", "commission 1.00 USD for BUY 40 SPY"),
    ),
    (
        events.OrderCompleted(at=OPEN, order=filled(WORKING, 100, "495.5", "e").order),
        ("INFO", "execution.engine", "STATUS", f"FILLED {TEXT}, average 495.50"),
    ),
    (
        events.OrderCanceled(at=OPEN, order=attrs.evolve(PARTIAL.order, reason="by hand")),
        ("INFO", "execution.engine", "CANCEL", f"{TEXT}, 40 of 100 filled: by hand"),
    ),
    (
        events.OrderRejected(at=OPEN, order=REASONED),
        ("WARNING", "execution.engine", "REJECT", f"{TEXT}: because"),
    ),
    (
        events.CancelRefused(at=OPEN, order=WORKING, text="too late"),
        ("WARNING", "execution.engine", "REJECT", f"cancel of {TEXT}: too late"),
    ),
    (
        events.OrderReplaced(at=OPEN, order=WORKING, previous=attrs.evolve(ORDER, quantity=Decimal(50))),
        ("INFO", "execution.engine", "STATUS", f"REPLACED BUY 50 SPY LIMIT @ 495.00 by {TEXT}"),
    ),
    (
        events.ReplaceRefused(at=OPEN, order=WORKING, text="no"),
        ("WARNING", "execution.engine", "REJECT", f"replace of {TEXT}: no"),
    ),
    (
        events.OrderInDoubt(at=OPEN, order=WORKING, text="no answer"),
        ("ERROR", "execution.engine", "STATUS", f"IN DOUBT {TEXT}: no answer"),
    ),
    (
        events.OrderResolved(at=OPEN, order=WORKING, text="seen"),
        ("INFO", "execution.engine", "STATUS", f"RESOLVED as WORKING {TEXT}: seen"),
    ),
    (
        events.OrderWarned(at=OPEN, order=WORKING, code=399, text="held"),
        ("WARNING", "execution.engine", "STATUS", f"{TEXT}: notice 399: held"),
    ),
    (
        events.SignalRecorded(at=OPEN, order=ORDER),
        ("INFO", "execution.engine", "SIGNAL", f"{TEXT} (trading is disabled: not sent)"),
    ),
    (
        events.Discrepancy(at=OPEN, kind="OVERFILL", subject="x-1", text="101 of 100"),
        ("WARNING", "execution.engine", "RECONCILE", "OVERFILL x-1: 101 of 100"),
    ),
    (
        events.Reconciled(at=OPEN, open_orders=1, executions=2, in_doubt=0),
        ("INFO", "execution.engine", "RECONCILE", "1 open orders, 2 executions, 0 in doubt"),
    ),
    (
        events.Reconciled(at=OPEN, open_orders=1, executions=2, in_doubt=1, text="after 1101"),
        ("WARNING", "execution.engine", "RECONCILE", "1 open orders, 2 executions, 1 in doubt: after 1101"),
    ),
    (events.TradingHalted(at=OPEN, reason="disk"), ("CRITICAL", "execution.engine", "HALT", "disk")),
    (
        events.PositionMismatched(at=OPEN, account=ACCOUNT, contract=SPY, ours=Decimal(100), broker=Decimal("0.5")),
        ("ERROR", "execution.portfolio", "RECONCILE", "SPY: ours 100, broker's 0.5; new exposure is blocked"),
    ),
    (
        events.ExecutionUnmatched(at=OPEN, exec_id=ExecId("e9")),
        ("WARNING", "execution.engine", "RECONCILE", "execution e9 belongs to no order of ours"),
    ),
    (
        events.OrderInvalid(at=OPEN, strategy_id="s", text="quantity is 0"),
        ("WARNING", "strategy.s", "REJECT", "quantity is 0"),
    ),
    (
        events.StrategyFailed(at=OPEN, strategy_id="s", hook="on_bar", error="KeyError: 1"),
        ("ERROR", "strategy.s", "HALT", "on_bar raised KeyError: 1"),
    ),
    (events.StrategyNoted(at=OPEN, strategy_id="s", text="hello"), ("INFO", "strategy.s", "SIGNAL", "hello")),
    (
        SessionChanged(at=OPEN, epoch=Epoch(1), state=SessionState.READY),
        ("INFO", "execution.session", "CONNECT", "READY"),
    ),
    (
        SessionChanged(at=OPEN, epoch=Epoch(1), state=SessionState.DEGRADED, reason="1100"),
        ("WARNING", "execution.session", "DISCONNECT", "DEGRADED: 1100"),
    ),
    (FlattenAll(at=OPEN, reason="end of session"), ("WARNING", "execution.engine", "FLATTEN", "end of session")),
    (
        LockNewExposure(at=OPEN, locked=True, reason="late"),
        ("INFO", "execution.scheduler", "STATUS", "LOCKED: late"),
    ),
    (LogNote(at=OPEN, verb="CONNECT", text="hi"), ("INFO", "execution.engine", "CONNECT", "hi")),
]


@pytest.mark.parametrize(("event", "line"), CASES, ids=lambda value: type(value).__name__)
def test_each_event_has_its_line(event: object, line: tuple[str, str, str, str]) -> None:
    assert verb_line(event) == line


def test_no_event_class_is_without_a_case() -> None:
    concrete = {
        member
        for member in vars(events).values()
        if inspect.isclass(member) and issubclass(member, events.Event) and member.__module__ == events.__name__
    } - {events.Event, events.OrderEvent}
    assert {type(event) for event, _ in CASES} >= concrete


def test_the_line_has_exactly_the_documented_form() -> None:
    at = datetime(2025, 1, 11, 14, 10, 54, tzinfo=UTC)
    order = attrs.evolve(ORDER, quantity=Decimal(1))
    line = verb_line(events.OrderSubmitted(at=at, order=state(order=order)))
    expected = "2025-01-11 09:10:54 | INFO     | execution.engine | SUBMIT | BUY 1 SPY LIMIT @ 495.00"
    assert render_line(at, line, NEW_YORK) == expected


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("账户U1234567的订单", "账户U1****67的订单"),
        ("счётDU1234567é", "счётDU*****67é"),
        ("DI1234567", "DI*****67"),
        ("U1234567x", "U1234567x"),
    ],
)
def test_an_account_is_masked_beside_words_of_a_localised_gateway(said: str, shown: str) -> None:
    assert clean(said) == shown


def test_account_numbers_and_control_characters_never_reach_the_log() -> None:
    text = verb_line(events.TradingHalted(at=OPEN, reason="DU1234567 and U7654321\n\x1b[31m\u202e")).text
    assert text == "DU*****67 and U7****21\\n\\x1b[31m\\u202e"
    change = SessionChanged(at=OPEN, epoch=Epoch(1), state=SessionState.READY, accounts=(Account("ABC12345"),))
    assert json.loads(json_line(change, {}))["fields"]["accounts"] == ["AB****45"]
    noisy = events.TradingHalted(at=OPEN, reason="DU1234567\u202e and U7654321")
    assert json.loads(json_line(noisy, {}))["fields"]["reason"] == "DU*****67\\u202e and U7****21"


@given(st.text())
def test_cleaned_text_is_one_printable_line_of_bounded_length(text: str) -> None:
    shown = clean(text)
    assert len(shown) <= 2_003
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


def log_to(directory: Path, **arguments: Any) -> ExecutionLog:
    return ExecutionLog(LoggingConfig(directory=str(directory), **arguments), zone=NEW_YORK)


def test_both_files_get_every_event_told_before_the_stop(tmp_path: Path) -> None:
    log = log_to(tmp_path)
    log.start()
    for _ in range(100):
        log.tell(PARTIAL)
    assert log.stop()
    lines = (tmp_path / "execution.log").read_text().splitlines()
    entries = [json.loads(line) for line in (tmp_path / "execution.jsonl").read_text().splitlines()]
    assert (
        lines
        == ["2023-08-03 09:30:02 | INFO     | execution.engine | FILL | BUY 40 SPY @ 495.00, 40 of 100 filled"] * 100
    )
    assert len(entries) == 100
    assert (entries[0]["event"], entries[0]["oms_id"], entries[0]["verb"]) == ("OrderFilled", "test-s1-1", "FILL")
    assert (entries[0]["filled"], entries[0]["remaining"], entries[0]["status"]) == ("40", "60", "PARTIALLY_FILLED")
    fill = entries[0]["fields"]["fill"]
    assert (fill["exec_id"], fill["quantity"], fill["price"], fill["account"]) == ("e1.01", "40", "495", "DU*****67")
    assert fill["at"] == "2023-08-03T13:30:02Z"


def test_lines_below_the_level_are_left_out_of_both_files(tmp_path: Path) -> None:
    log = log_to(tmp_path, level="WARNING")
    log.start()
    log.tell(PARTIAL)
    log.tell(events.TradingHalted(at=OPEN, reason="x"))
    log.stop()
    assert len((tmp_path / "execution.log").read_text().splitlines()) == 1
    assert len((tmp_path / "execution.jsonl").read_text().splitlines()) == 1


def test_files_are_set_aside_when_full_and_only_so_many_kept(tmp_path: Path) -> None:
    log = log_to(tmp_path, max_megabytes=1, keep_files=2)
    log.start()
    note = LogNote(at=OPEN, verb="STATUS", text="x" * 2_000)
    for _ in range(2_500):
        log.tell(note)
    assert log.stop(30)
    names = sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("execution.log"))
    assert names == ["execution.log", "execution.log.1", "execution.log.2"]
    assert all(path.stat().st_size <= 2_100_000 for path in tmp_path.iterdir())


def test_a_log_that_cannot_be_written_is_reported_once_and_nothing_raises(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    shown: list[str] = []
    log = ExecutionLog(LoggingConfig(directory=str(tmp_path / "file")), zone=NEW_YORK, console=shown.append)
    log.start()
    for _ in range(1_500):
        log.tell(PARTIAL)
    assert log.stop(30)
    complaints = capsys.readouterr().err.splitlines()
    assert len(complaints) == 2
    assert all(complaint.endswith("trading goes on without it") for complaint in complaints)
    assert len(shown) == 1_500


def test_a_console_that_is_gone_does_not_stop_the_files(tmp_path: Path) -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError(line)

    log = ExecutionLog(LoggingConfig(directory=str(tmp_path)), zone=NEW_YORK, console=gone)
    log.start()
    log.tell(PARTIAL)
    log.tell(PARTIAL)
    assert log.stop()
    assert len((tmp_path / "execution.log").read_text().splitlines()) == 2


def test_an_event_that_cannot_be_rendered_does_not_end_the_log(tmp_path: Path) -> None:
    class Odd:
        at = OPEN

        def __repr__(self) -> str:
            raise RuntimeError

    log = log_to(tmp_path)
    log.start()
    log.tell(Odd())
    log.tell(PARTIAL)
    assert log.stop()
    assert len((tmp_path / "execution.log").read_text().splitlines()) == 2


def test_a_combo_leg_is_named_by_its_own_contract() -> None:
    leg = Contract(symbol="IBM", sec_type=SecType.STOCK)
    event = attrs.evolve(PARTIAL, fill=attrs.evolve(PARTIAL.fill, contract=leg))
    assert verb_line(event).text == "BUY 40 IBM @ 495.00, 40 of 100 filled"


@pytest.mark.skipif(sys.gettrace() is not None, reason="tracing slows the call")
def test_telling_the_log_never_waits_for_the_disk(tmp_path: Path) -> None:
    released = threading.Event()

    def slow(line: str) -> None:
        released.wait(10)

    log = ExecutionLog(LoggingConfig(directory=str(tmp_path)), zone=NEW_YORK, console=slow)
    log.start()
    for _ in range(10_000):
        log.tell(PARTIAL)
    assert not released.is_set()
    released.set()
    assert log.stop(30)


def test_events_beyond_what_may_wait_are_counted_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MAX_WAITING", 3)
    log = log_to(tmp_path)
    for _ in range(10):
        log.tell(PARTIAL)
    log.start()
    assert log.stop()
    lines = (tmp_path / "execution.log").read_text().splitlines()
    assert len(lines) == 4
    assert lines[1].endswith(
        "ERROR    | execution.engine | STATUS | 7 events were left out of the log: the disk was too slow"
    )


def test_a_rush_is_waited_out_but_not_for_ever() -> None:
    patience = Patience()
    assert patience.has_ended(RUSH - 1)
    assert [patience.has_ended(RUSH * look) for look in range(1, 4)] == [False, False, False]
    breath = [RUSH * 3, RUSH * 4 - 1, RUSH * 4, RUSH * 5]
    assert [patience.has_ended(waiting) for waiting in breath] == [False] * 4
    assert [patience.has_ended(RUSH * 5 + look) for look in range(QUIET_LOOKS)] == [False] * (QUIET_LOOKS - 1) + [True]
    assert patience.has_ended(RUSH - 1)
    assert [patience.has_ended(RUSH * look) for look in range(1, MOST_LOOKS_LATE + 2)] == [False] * MOST_LOOKS_LATE + [
        True
    ]
    assert patience.has_ended(MAX_WAITING // 2 + 1)


def test_lines_wait_while_anybody_works_on_an_orders_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Event()

    def aside(*, seconds: float) -> float:
        looked.set()
        return step_aside(seconds=seconds)

    monkeypatch.setattr(log_module, "step_aside", aside)
    monkeypatch.setattr(log_module, "MOST_ASIDE_SECONDS", 1e9)
    written = threading.Event()
    log = ExecutionLog(LoggingConfig(directory=str(tmp_path)), zone=NEW_YORK, console=lambda _: written.set())
    begin_urgent(log)
    log.start()
    log.tell(PARTIAL)
    assert looked.wait(10)
    assert not written.wait(0.05)
    end_urgent(log)
    assert written.wait(10)
    assert log.stop()


def test_what_never_ends_holds_the_log_up_for_so_long_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MOST_ASIDE_SECONDS", 0.001)
    written = threading.Event()
    log = ExecutionLog(LoggingConfig(directory=str(tmp_path)), zone=NEW_YORK, console=lambda _: written.set())
    begin_urgent(log)
    try:
        log.start()
        log.tell(PARTIAL)
        assert written.wait(10)
    finally:
        end_urgent(log)
        assert log.stop()


def test_a_log_that_was_never_started_stops_at_once(tmp_path: Path) -> None:
    assert log_to(tmp_path).stop()


def test_a_file_is_opened_again_after_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "logs"
    directory.write_text("in the way")
    file = RotatingFile(directory / "a.log", max_bytes=100, keep=1)
    file.write("lost\n")
    directory.unlink()
    file.write("kept\n")
    file.close()
    assert (directory / "a.log").read_text() == "kept\n"
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    file = RotatingFile(Path("/dev/full"), max_bytes=10**9, keep=1)
    for _ in range(3):
        file.write("line\n")
    file.close()
    assert capsys.readouterr().err == "log /dev/full: No space left on device; trading goes on without it\n"


def test_a_line_does_not_grow_with_the_fills_that_an_order_has() -> None:
    """An order that fills in thousands of parts would write gigabytes."""
    parts = {f"e{number}": attrs.evolve(PARTIAL.fill, exec_id=ExecId(f"e{number}.01")) for number in range(1000)}
    many = attrs.evolve(PARTIAL, order=attrs.evolve(PARTIAL.order, fills=parts))
    entry = json.loads(json_line(many, {}))
    assert (entry["fills"], entry["filled"], entry["average_price"]) == (1000, "40000", "495")
    assert entry["fields"]["fill"]["exec_id"] == "e1.01"
    assert len(json_line(many, {})) < len(json_line(PARTIAL, {})) + 30  # digits


def test_any_value_is_one_json_object() -> None:
    note = attrs.evolve(PARTIAL, order=attrs.evolve(PARTIAL.order, order=attrs.evolve(ORDER, good_till=OPEN)))
    fields = json.loads(json_line(note, {}))["fields"]
    assert fields["order"]["order"]["good_till"] == "2023-08-03T13:30:00Z"
    assert json.loads(json_line("text", {"verb": "STATUS"})) == {"verb": "STATUS", "event": "str", "fields": "'text'"}
