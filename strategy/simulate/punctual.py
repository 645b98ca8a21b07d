"""A schedule that looks at the clock only when something may be due."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from actors.domain.contract import Session
from actors.domain.schedule import Schedule, ScheduleConfig, ScheduleInput
from actors.messages.reports import InstrumentReported
from actors.messages.schedule import ScheduleTimer
from actors.messages.system import Tick

_DAY = timedelta(days=1)


class PunctualSchedule:
    """The engine's schedule, spared the ticks at which it has nothing to decide.

    Between two moments at which a session, a rule or a timer is due, a tick decides nothing and changes nothing: only
    the first one at or after such a moment is passed on, and the first one after anything else was heard. Hours that
    the broker reports, and what a clock that is set back makes of timers, are not foreseen: from then on every tick is
    passed on.
    """

    def __init__(self, config: ScheduleConfig, *, calendar: Callable[[date], Session | None]) -> None:
        self._schedule = Schedule(config, calendar=calendar)
        self._config, self._calendar = config, calendar
        self._zone = ZoneInfo(config.time_zone)
        self._daily: dict[str, time] = {}
        self._every: dict[str, tuple[datetime, timedelta]] = {}
        """Since when, and how often."""
        self._new: list[ScheduleTimer] = []
        self._passed_on = datetime.min.replace(tzinfo=UTC)
        """The last tick that the schedule heard."""
        self._next: datetime | None = None
        """When a tick may decide something; None while each may."""
        self._next_of_day: datetime | None = None
        """When the day, a session, a rule or a daily timer may be due next; None while that is not known."""
        self._is_foreseen = True

    def decide(self, message: ScheduleInput) -> tuple[Any, ...]:
        """As the schedule decides."""
        if not isinstance(message, Tick):
            return self._learn(message)
        at = message.at
        if self._next is not None and self._passed_on <= at < self._next:
            return ()
        if at < self._passed_on:
            self._next, self._is_foreseen = None, False
        self._passed_on = at
        self._start_timers(at)
        if self._is_foreseen:
            if self._next_of_day is None or at >= self._next_of_day:
                self._next_of_day = min(self._moments_after(at))
            self._next = min([self._next_of_day, *(_next_of(timer, at) for timer in self._every.values())])
        return self._schedule.decide(message)

    def _learn(self, message: InstrumentReported | ScheduleTimer) -> tuple[Any, ...]:
        self._next = self._next_of_day = None
        if isinstance(message, ScheduleTimer):
            self._new.append(message)
        elif message.instrument.liquid_sessions:
            self._is_foreseen = False
        return self._schedule.decide(message)

    def _start_timers(self, at: datetime) -> None:
        """A timer runs from the first tick after it was wished for."""
        for wish in self._new:
            self._daily.pop(wish.name, None)
            self._every.pop(wish.name, None)
            if wish.every_seconds is None:
                self._daily[wish.name] = wish.at_time or time(0, 0)
            else:
                self._every[wish.name] = at, timedelta(seconds=wish.every_seconds)
        self._new.clear()

    def _moments_after(self, at: datetime) -> Iterator[datetime]:
        """Whenever something may be due later on this exchange date, and its end."""
        today = at.astimezone(self._zone).date()
        yield self._instant(today + _DAY, time(0, 0))
        yield from (moment for moment in self._moments_of(today) if moment > at)

    def _moments_of(self, today: date) -> Iterator[datetime]:
        """Those of yesterday's session too: one that ends after midnight goes on until then."""
        for moment in self._daily.values():
            yield self._instant(today, moment)
        for session in (self._calendar(today - _DAY), self._calendar(today)):
            if session is not None:
                yield from self._moments_in(session)

    def _moments_in(self, session: Session) -> Iterator[datetime]:
        yield from (session.opens, session.closes)
        regular = datetime.combine(date.min, self._config.regular_close)
        for rule in (self._config.lock_at, self._config.flatten_at):
            if rule is not None:
                yield session.closes - (regular - datetime.combine(date.min, rule))

    def _instant(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, tzinfo=self._zone).astimezone(UTC)


def _next_of(timer: tuple[datetime, timedelta], at: datetime) -> datetime:
    since, step = timer
    return since + step * ((at - since) // step + 1)
