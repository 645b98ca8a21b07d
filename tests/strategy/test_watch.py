import errno
import io
from datetime import timedelta
from decimal import Decimal

import attrs
import pytest

from actors.messages.schedule import MarketClosed
from actors.messages.system import StopReason
from strategy.watch import SessionWatch
from tests.strategy.support import OPEN, filled, later, snapshot, state

ENDS = OPEN + timedelta(hours=6.5)


def test_a_session_is_shown_ended_and_reported() -> None:
    stream, reasons = io.StringIO(), list[StopReason]()
    watch = SessionWatch(starts=OPEN, ends=ENDS, ends_with_session=True, stream=stream)
    watch.on_end(reasons.append)
    watch.see(filled(state(), 100, "450", "e1"))
    watch.see(attrs.evolve(snapshot(3 * 3600), realized_pnl={"USD": Decimal(5)}))
    watch.show_line("a line of the log")
    watch.see(MarketClosed(at=ENDS))
    report = watch.finish(reasons[0])
    assert reasons == [StopReason(text="the session ended")]
    lines = stream.getvalue().splitlines()
    assert lines[0].endswith("1 orders  1 fills  P&L 5.00 USD")
    assert lines[1:4] == ["a line of the log", "stopped: the session ended", "session report"]
    assert (report.orders, report.fills) == (1, 1)


def test_a_run_without_an_end_goes_on_after_the_close() -> None:
    stream, reasons = io.StringIO(), list[StopReason]()
    watch = SessionWatch(starts=None, ends=None, ends_with_session=False, stream=stream)
    watch.on_end(reasons.append)
    watch.see(MarketClosed(at=later(5)))
    watch.show_line("a line")
    assert reasons == []
    assert stream.getvalue() == "a line\n"


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_output_that_refuses_stops_nothing_and_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    watch = SessionWatch(starts=OPEN, ends=later(3600), ends_with_session=True, stream=Full())
    stopped: list[StopReason] = []
    watch.on_end(stopped.append)
    watch.see(snapshot(1800))
    watch.show_line("a line")
    watch.see(MarketClosed(at=later(3600)))
    watch.finish(stopped[0])
    said = "callboard: standard output: No space left on device; the run goes on without it\n"
    assert capsys.readouterr().err == said
