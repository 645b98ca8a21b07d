"""The one place where clocks are read: market time for schedules and strategies, monotonic time for deadlines."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Two clocks in one object."""

    def now(self) -> datetime:
        """Market time, aware UTC; runs faster than real time against a fast simulator."""

    def elapsed(self) -> float:
        """Monotonic seconds since an arbitrary start; never speeds up with the market."""


class SystemClock:
    """Live trading: the system's time at the start, carried on by the monotonic clock, corrected to the gateway's.

    A step of the system clock (by NTP, by hand, a virtual machine that resumes) moves nothing here; what the gateway's
    clock says does.

    Args:
        read: the system clock, aware UTC.
        monotonic: seconds since an arbitrary start.
    """

    def __init__(
        self,
        *,
        read: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._start = read()

    def now(self) -> datetime:
        """Market time, aware UTC."""
        return self._start + timedelta(seconds=self._monotonic() - self._began)

    def elapsed(self) -> float:
        """``time.monotonic``."""
        return self._monotonic()

    def correct(self, correction: timedelta) -> None:
        """Follow the gateway's clock: add to market time from now on."""
        self._start += correction


class SimulatedClock:
    """Against a simulator in the same process: its market time, and real monotonic time."""

    def __init__(self, market_now: Callable[[], datetime]) -> None:
        self._market_now = market_now

    def now(self) -> datetime:
        """The simulator's market time."""
        return self._market_now()

    def elapsed(self) -> float:
        """``time.monotonic``."""
        return time.monotonic()


def wall_clock() -> datetime:
    """Real time, aware UTC: for file names and receive stamps only."""
    return datetime.now(UTC)
