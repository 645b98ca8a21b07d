"""Market time against the gateway's clock, and the minute in which the gateway restarts every day.

The gateway tells its time in whole seconds. One answer proves nothing: it may have waited in a queue, or come from a
gateway whose clock stands still or runs fast (a replay). Two that differ from market time by the same amount are a
clock that keeps time, and it is the broker's: market time follows it.
"""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import attrs

_TOLERANCE: Final = timedelta(seconds=3)
"""Whole seconds and an answer that waited a little look like this; no schedule is as fine."""
_STEADY: Final = timedelta(seconds=1.5)
_PATIENCE: Final = 3


@attrs.frozen(kw_only=True)
class ClockDiffers:
    """Market time is not the gateway's; ``correction`` is to be added to it, None when the gateway keeps no time."""

    at: datetime
    text: str
    correction: timedelta | None


class Timekeeping:
    """What the answers of one connection say about market time."""

    def __init__(self) -> None:
        self._before: timedelta | None = None
        self._unsteady = 0

    @property
    def is_unsure(self) -> bool:
        """Whether the last answer differed and another one should be asked for soon."""
        return self._before is not None and self._unsteady < _PATIENCE

    def compare(self, at: datetime, server_time: datetime) -> ClockDiffers | None:
        """Judge one answer: received at market time ``at``; told once what is wrong, or None."""
        difference = server_time - at
        before, self._before = self._before, None
        if abs(difference) <= _TOLERANCE:
            self._unsteady = 0
            return None
        if before is not None and abs(difference - before) <= _STEADY:
            self._unsteady = 0
            return ClockDiffers(at=at, text=_followed(difference), correction=difference)
        self._before = difference
        self._unsteady += 1
        if self._unsteady != _PATIENCE:
            return None
        text = f"the gateway's clock ({server_time:%Y-%m-%d %H:%M:%S} UTC) does not keep time: it is not followed"
        return ClockDiffers(at=at, text=text, correction=None)


def _followed(difference: timedelta) -> str:
    seconds = difference.total_seconds()
    direction = "behind" if seconds > 0 else "ahead of"
    return f"the system clock is {abs(seconds):,.0f} s {direction} the gateway's: market time follows the gateway"


@attrs.frozen(kw_only=True)
class RestartWindow:
    """The minute of the gateway's daily restart, in the time zone of the host it runs on, with some room around it."""

    at: time
    time_zone: str
    before: timedelta = timedelta(seconds=30)
    after: timedelta = timedelta(seconds=60)

    def contains(self, moment: datetime) -> bool:
        """Whether nothing new should be sent at this moment (aware)."""
        local = moment.astimezone(ZoneInfo(self.time_zone))
        restart = datetime.combine(local.date(), self.at, tzinfo=local.tzinfo)
        day = timedelta(days=1)
        return any(at - self.before <= local < at + self.after for at in (restart - day, restart, restart + day))
