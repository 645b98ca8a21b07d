"""What the scheduler hears and says: timers and market sessions."""

from datetime import datetime, time

from actors.domain.frozen import frozen


@frozen(kw_only=True)
class ScheduleTimer:
    """Fire a named timer of the strategy every so many seconds of market time, or once a day at an exchange time."""

    name: str
    every_seconds: float | None = None
    at_time: time | None = None


@frozen(kw_only=True)
class TimerFired:
    """A timer of the strategy is due."""

    at: datetime
    name: str


@frozen(kw_only=True)
class MarketOpened:
    """The regular session of the strategy's market began."""

    at: datetime
    closes: datetime


@frozen(kw_only=True)
class MarketClosed:
    """The regular session of the strategy's market ended."""

    at: datetime


@frozen(kw_only=True)
class StartStrategy:
    """The strategy may begin."""

    at: datetime


@frozen(kw_only=True)
class StopStrategy:
    """The strategy ends; it may still cancel and flatten in its last hook."""

    at: datetime
    reason: str = ""
