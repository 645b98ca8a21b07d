"""How far a session is: a live bar with clock, orders and P&L on a terminal, a plain line every tenth elsewhere."""

from datetime import datetime
from typing import Protocol, TextIO
from zoneinfo import ZoneInfo

import attrs
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.text import Text

from actors.messages.portfolio import NOTHING, Amounts
from strategy.money import in_words

STEP = 10


@attrs.frozen(kw_only=True)
class Standing:
    """What a progress shows: market time, orders so far, fills so far, P&L so far."""

    at: datetime
    orders: int = 0
    fills: int = 0
    pnl: Amounts = NOTHING
    currency: str = "USD"

    def words(self, zone: ZoneInfo) -> str:
        """One line such as ``10:31:00  12 orders  31 fills  P&L -12.50 USD``."""
        return (
            f"{self.at.astimezone(zone):%H:%M:%S}  {self.orders} orders  {self.fills} fills  "
            f"P&L {in_words(self.pnl, self.currency)}"
        )


class SessionProgress(Protocol):
    """Shows where a session stands."""

    def show(self, standing: Standing) -> None:
        """The session moved on."""

    def line(self, text: str) -> None:
        """Print a line without disturbing the display."""

    def close(self) -> None:
        """Take the display away."""


def progress_on(stream: TextIO, *, starts: datetime, ends: datetime, zone: ZoneInfo) -> SessionProgress:
    """The progress that fits the stream: a bar on a terminal, plain lines elsewhere."""
    if stream.isatty():
        return BarProgress(stream, starts=starts, ends=ends, zone=zone)
    return LineProgress(stream, starts=starts, ends=ends, zone=zone)


def share_done(at: datetime, *, starts: datetime, ends: datetime) -> float:
    """How much of the session is over, from 0 to 1."""
    whole = (ends - starts).total_seconds()
    return min(1.0, max(0.0, (at - starts).total_seconds() / whole)) if whole > 0 else 1.0


class LineProgress:
    """A line whenever another tenth of the session is over."""

    def __init__(self, stream: TextIO, *, starts: datetime, ends: datetime, zone: ZoneInfo) -> None:
        self._stream = stream
        self._starts, self._ends, self._zone = starts, ends, zone
        self._next_percent = STEP

    def show(self, standing: Standing) -> None:
        """Print when a tenth was passed."""
        percent = int(share_done(standing.at, starts=self._starts, ends=self._ends) * 100)
        if percent >= self._next_percent:
            self._next_percent = percent - percent % STEP + STEP
            self.line(f"{percent:>3} %  {standing.words(self._zone)}")

    def line(self, text: str) -> None:
        """Print a line."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing to take away."""


class BarProgress:
    """A bar that stays at the bottom of the terminal."""

    def __init__(self, stream: TextIO, *, starts: datetime, ends: datetime, zone: ZoneInfo) -> None:
        self._starts, self._ends, self._zone = starts, ends, zone
        self._console = Console(file=stream)
        self._progress = Progress(
            BarColumn(bar_width=30), TaskProgressColumn(), TextColumn("{task.description}"), console=self._console
        )
        self._task: TaskID = self._progress.add_task("", total=1.0)
        self._progress.start()

    def show(self, standing: Standing) -> None:
        """Move the bar."""
        done = share_done(standing.at, starts=self._starts, ends=self._ends)
        self._progress.update(self._task, completed=done, description=standing.words(self._zone))

    def line(self, text: str) -> None:
        """Print above the bar, as it is: no markup, no highlighting."""
        self._console.print(Text(text), soft_wrap=True)

    def close(self) -> None:
        """Leave the bar where it stands and free the terminal."""
        self._progress.stop()
