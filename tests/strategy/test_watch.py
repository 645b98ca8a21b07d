import io
from datetime import timedelta
from decimal import Decimal

import attrs

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
