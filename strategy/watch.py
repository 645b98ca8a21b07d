"""What a person at the terminal sees of a run: log lines, how far the session is, and the report at its end."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TextIO, cast
from zoneinfo import ZoneInfo

from actors.messages.portfolio import PortfolioSnapshot
from actors.messages.schedule import MarketClosed
from actors.messages.system import SessionChanged, SessionState, StopReason
from strategy.masking import clean
from strategy.money import total
from strategy.progress import SessionProgress, Standing, progress_on
from strategy.report import SessionLedger, SessionReport, print_report
from strategy.screen import Screen


class SessionWatch:
    """Hears everything on the main thread; ``show_line`` alone may be called from any thread.

    Args:
        starts: begin of the session for the progress display; None shows none.
        ends: its end.
        ends_with_session: whether the run stops when the market closes.
        on_ready: called once, when the session first takes orders.
        zone: exchange time, in which the clock is shown.
        stream: where everything is shown; standard output by default.
    """

    def __init__(
        self,
        *,
        starts: datetime | None,
        ends: datetime | None,
        ends_with_session: bool,
        on_ready: Callable[[], None] | None = None,
        zone: ZoneInfo | None = None,
        stream: TextIO | None = None,
    ) -> None:
        self._starts, self._ends = starts, ends
        self._ends_with_session = ends_with_session
        self._zone = zone or ZoneInfo("America/New_York")
        self._stream = cast("TextIO", Screen(stream or sys.stdout))
        self._ledger = SessionLedger()
        self._progress: SessionProgress | None = None
        self._stop: Callable[[StopReason], None] | None = None
        self._on_ready = on_ready

    def on_end(self, stop: Callable[[StopReason], None]) -> None:
        """Begin to show; ``stop`` is called when the session is over."""
        self._stop = stop
        if self._starts is not None and self._ends is not None:
            self._progress = progress_on(self._stream, starts=self._starts, ends=self._ends, zone=self._zone)

    def see(self, message: object) -> None:
        """Hear one message."""
        self._ledger.hear(message)
        if isinstance(message, PortfolioSnapshot) and self._progress is not None:
            self._progress.show(self._standing(message))
        if isinstance(message, SessionChanged) and message.state is SessionState.READY and self._on_ready is not None:
            on_ready, self._on_ready = self._on_ready, None
            on_ready()
        if isinstance(message, MarketClosed) and self._ends_with_session and self._stop is not None:
            self._stop(StopReason(text="the session ended"))

    def show_line(self, text: str) -> None:
        """Print a line above the display."""
        if self._progress is not None:
            self._progress.line(text)
        else:
            self._stream.write(f"{text}\n")
            self._stream.flush()

    def finish(self, reason: StopReason) -> SessionReport:
        """Take the display away, say why the run ended and print the report; a start that failed has none."""
        if self._progress is not None:
            self._progress.close()
            self._progress = None
        report = self._ledger.report()
        if reason.exit_code:
            sys.stderr.write(f"callboard: {clean(reason.text)}\n")
        if reason.exit_code == 0 or report.orders:
            self.show_line(f"stopped: {clean(reason.text)}")
            print_report(report, self._stream)
        return report

    def _standing(self, view: PortfolioSnapshot) -> Standing:
        orders, fills = self._ledger.order_count, self._ledger.fill_count
        pnl = total(view.realized_pnl, view.unrealized_pnl)
        return Standing(at=view.at, orders=orders, fills=fills, pnl=pnl, currency=view.currency)
