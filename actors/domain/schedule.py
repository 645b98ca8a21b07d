"""Market sessions and timers: what is due at a moment of market time.

Times of day are exchange time. On a day that closes early, everything that was set relative to the regular close keeps
its distance to the close: with a regular close of 16:00, ``flatten_at`` 15:50 means 12:50 on a 13:00 day.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

import attrs

from actors.domain.contract import Contract, Session
from actors.domain.frozen import frozen
from actors.messages.commands import FlattenAll, LockNewExposure
from actors.messages.reports import InstrumentReported
from actors.messages.schedule import MarketClosed, MarketOpened, ScheduleTimer, TimerFired
from actors.messages.system import Tick

_KEPT = timedelta(days=14)
_A_DAY_AT_MOST = timedelta(hours=26)
"""Longer than the day on which summer time ends."""
ScheduleInput = Tick | InstrumentReported | ScheduleTimer
ScheduleOutput = FlattenAll | LockNewExposure | MarketOpened | MarketClosed | TimerFired


@frozen(kw_only=True)
class ScheduleConfig:
    """Times of day in exchange time; None switches a rule off."""

    time_zone: str = "America/New_York"
    flatten_at: time | None = None
    lock_at: time | None = None
    regular_close: time = time(16, 0)


@attrs.define(kw_only=True)
class _Day:
    """What already happened in one session."""

    session: Session
    opened: bool = False
    locked: bool = False
    flattened: bool = False
    closed: bool = False


@attrs.define(kw_only=True)
class _Timer:
    wish: ScheduleTimer
    due: datetime


class ReportedHours:
    """The sessions the broker reported, by exchange date; a date between two sessions of one report is closed.

    The instrument that was first to report a date rules it (IBKR: liquidHours of the contract details, some days
    ahead); what it says anew replaces what it said before.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._days: dict[date, tuple[Contract, Session | None]] = {}

    def learn(self, report: InstrumentReported) -> None:
        """Take in the hours of one instrument and forget dates long past."""
        told = self._by_date(report.instrument.liquid_sessions)
        if not told:
            return
        for day in _dates(min(told), max(told)):
            ruler, _ = self._days.get(day, (report.wanted, None))
            if ruler == report.wanted:
                self._days[day] = (ruler, told.get(day))
        oldest = report.at.astimezone(self._zone).date() - _KEPT
        self._days = {day: row for day, row in self._days.items() if day >= oldest}

    def knows(self, day: date) -> bool:
        """Whether the broker said anything about a date."""
        return day in self._days

    def session(self, day: date) -> Session | None:
        """The session of a date it knows; None when the market is closed."""
        return self._days[day][1]

    def _by_date(self, sessions: tuple[Session, ...]) -> dict[date, Session]:
        """The parts of one date count as one session, from the first open to the last close."""
        told: dict[date, Session] = {}
        for part in sessions:
            day = part.opens.astimezone(self._zone).date()
            known = told.get(day, part)
            told[day] = Session(opens=min(known.opens, part.opens), closes=max(known.closes, part.closes))
        return told


def _dates(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


class Schedule:
    """Owned by the scheduler; ``decide`` is deterministic and reads no clock."""

    def __init__(self, config: ScheduleConfig, *, calendar: Callable[[date], Session | None]) -> None:
        self._config = config
        self._zone = ZoneInfo(config.time_zone)
        self._calendar = calendar
        self._reported = ReportedHours(self._zone)
        self._day: _Day | None = None
        self._timers: dict[str, _Timer] = {}
        self._wishes: list[ScheduleTimer] = []

    def decide(self, message: ScheduleInput) -> tuple[ScheduleOutput, ...]:
        """What is due; instruments and timer wishes only change what will be."""
        match message:
            case Tick():
                return self._session_events(message.at) + self._timer_events(message.at)
            case InstrumentReported():
                self._reported.learn(message)
            case ScheduleTimer():
                self._wishes.append(message)
            case _:
                assert_never(message)
        return ()

    def _session_events(self, at: datetime) -> tuple[ScheduleOutput, ...]:
        out: list[ScheduleOutput] = []
        if self._day is not None and self._day.opened and not self._day.closed and at >= self._day.session.closes:
            self._day.closed = True
            out.append(MarketClosed(at=at))
        day = self._today(at)
        if day is None or not day.session.opens <= at < day.session.closes:
            return tuple(out)
        if not day.opened:
            day.opened = True
            out.append(LockNewExposure(at=at, locked=False, reason="session opened"))
            out.append(MarketOpened(at=at, closes=day.session.closes))
        if not day.locked and self._reached(self._config.lock_at, day, at):
            day.locked = True
            out.append(LockNewExposure(at=at, locked=True, reason="no new exposure this late in the session"))
        if not day.flattened and self._reached(self._config.flatten_at, day, at):
            day.flattened = True
            out.append(FlattenAll(at=at, reason="end of session"))
        return tuple(out)

    def _today(self, at: datetime) -> _Day | None:
        """The session of this date; the one before stays until it ended, a later one until the clock is set back."""
        today = at.astimezone(self._zone).date()
        session = self._reported.session(today) if self._reported.knows(today) else self._calendar(today)
        if session is not None and self._may_replace(session, at):
            self._day = _Day(session=session)
        return self._day

    def _may_replace(self, session: Session, at: datetime) -> bool:
        day = self._day
        if day is None or not day.opened:
            return True
        was_set_back = session.closes <= day.session.opens
        return was_set_back or day.session.closes <= session.opens <= at

    def _reached(self, moment: time | None, day: _Day, at: datetime) -> bool:
        if moment is None:
            return False
        regular = datetime.combine(date.min, self._config.regular_close) - datetime.combine(date.min, moment)
        return at >= day.session.closes - regular

    def _timer_events(self, at: datetime) -> tuple[TimerFired, ...]:
        for wish in self._wishes:
            self._timers[wish.name] = _Timer(wish=wish, due=self._first_due(wish, at))
        self._wishes.clear()
        fired = []
        for timer in self._timers.values():
            if timer.due - at > self._longest(timer.wish):
                timer.due = self._first_due(timer.wish, at)
            if at >= timer.due:
                fired.append(TimerFired(at=at, name=timer.wish.name))
                timer.due = self._next_due(timer, at)
        return tuple(fired)

    def _longest(self, wish: ScheduleTimer) -> timedelta:
        """How far ahead a timer can be due, unless the clock was set back."""
        return _A_DAY_AT_MOST if wish.every_seconds is None else timedelta(seconds=wish.every_seconds)

    def _first_due(self, wish: ScheduleTimer, at: datetime) -> datetime:
        if wish.every_seconds is not None:
            return at + timedelta(seconds=wish.every_seconds)
        return self._daily(wish, at, not_before=at)

    def _next_due(self, timer: _Timer, at: datetime) -> datetime:
        """The next due moment after ``at``: missed ones are not made up for."""
        if timer.wish.every_seconds is None:
            return self._daily(timer.wish, at, not_before=at + timedelta(seconds=1))
        step = timedelta(seconds=timer.wish.every_seconds)
        return timer.due + step * ((at - timer.due) // step + 1)

    def _daily(self, wish: ScheduleTimer, at: datetime, *, not_before: datetime) -> datetime:
        moment = wish.at_time if wish.at_time is not None else time(0, 0)
        day = at.astimezone(self._zone).date()
        while True:
            due = datetime.combine(day, moment, tzinfo=self._zone)
            if due >= not_before:
                return due
            day += timedelta(days=1)
