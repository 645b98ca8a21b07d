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
    """Live trading: the system clock corrected by the offset measured against the gateway."""

    def __init__(self) -> None:
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """System time plus the measured offset."""
        return datetime.now(UTC) + self._offset

    def elapsed(self) -> float:
        """``time.monotonic``."""
        return time.monotonic()

    def measured(self, server_time: datetime) -> timedelta:
        """How far the broker's clock is ahead of the system's; the caller decides whether to ``adjust``."""
        return server_time - datetime.now(UTC)

    def adjust(self, offset: timedelta) -> None:
        """Follow the broker's clock."""
        self._offset = offset


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
