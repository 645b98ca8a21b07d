"""Market time: how fast it runs against real time, and when it stands still."""

import time
from datetime import UTC, datetime, timedelta


def real_seconds() -> float:
    """Monotonic seconds of the real world."""
    return time.monotonic()


def real_now() -> datetime:
    """The real time, aware UTC: for stamps in logs."""
    return datetime.now(UTC)


class MarketClock:
    """Maps monotonic seconds to market time.

    `speed` is market seconds per real second; None means as fast as the machine allows, and then `target` is
    always `end` (or a far future) and the caller advances in steps.
    """

    def __init__(self, *, start: datetime, speed: float | None, end: datetime | None) -> None:
        self.speed = speed
        self.end = end
        self.paused = False
        self._anchor = start
        self._anchor_real = 0.0

    def rebase(self, market: datetime, real: float) -> None:
        """From now on market time runs on from `market`, so that time lost in between is not caught up."""
        self._anchor = market
        self._anchor_real = real

    def target(self, now: datetime, real: float, step: timedelta) -> datetime:
        """How far market time should have come; never before `now`, never beyond the end."""
        if self.paused:
            return now
        if self.speed is None:
            wanted = now + step
        else:
            wanted = self._anchor + timedelta(seconds=(real - self._anchor_real) * self.speed)
        if self.end is not None:
            wanted = min(wanted, self.end)
        return max(wanted, now)

    def real_seconds_until(self, at: datetime, real: float) -> float:
        """Real seconds from `real` until market time should reach `at`; 0 when it should have, or is not scaled."""
        if self.speed is None:
            return 0.0
        return max(0.0, (at - self._anchor).total_seconds() / self.speed - (real - self._anchor_real))
