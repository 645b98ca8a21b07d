"""When markets are open: sessions by day, computed from rules, in the exchange's own zone, daylight saving included."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from attrs import frozen

DAY = timedelta(days=1)
DAYS = "from 1900 to 2199"
"""The years that can be traded: further ones would end in no time of day at all."""
NEW_YORK = "America/New_York"
CHICAGO = "America/Chicago"


@frozen(kw_only=True)
class Session:
    """One trading day: extended hours from `start` to `end`, regular (liquid) hours inside them. All UTC."""

    day: date
    start: datetime
    end: datetime
    liquid_start: datetime
    liquid_end: datetime

    def is_liquid(self, at: datetime) -> bool:
        """Whether `at` is within regular hours."""
        return self.liquid_start <= at < self.liquid_end


def checked_day(day: date) -> date:
    """The day, if it can be traded.

    Raises:
        ValueError: it is too long ago or too far away.
    """
    if not 1900 <= day.year < 2200:
        raise ValueError(f"{day} is not {DAYS}")
    return day


@frozen(kw_only=True)
class Timetable:
    """A market's hours. `hours(day)` gives the session of a trading day or None when it is closed."""

    name: str
    zone: str
    hours: Callable[[date], Session | None]

    def session_at(self, at: datetime) -> Session | None:
        """The session that covers `at`."""
        upcoming = self.next_session(at)
        return upcoming if upcoming is not None and upcoming.start <= at else None

    def next_session(self, at: datetime) -> Session | None:
        """The session that covers `at` or, failing that, the first one after it."""
        day = at.astimezone(ZoneInfo(self.zone)).date() - DAY
        for _ in range(16):
            session = self.hours(day)
            if session is not None and session.end > at:
                return session
            day += DAY
        return None

    def session_after(self, session: Session) -> Session | None:
        """The session that follows `session`."""
        return self.next_session(session.end)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the anonymous computus."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _observed(day: date) -> date:
    """A Saturday holiday is kept on Friday, a Sunday one on Monday."""
    return day - DAY if day.weekday() == 5 else day + DAY if day.weekday() == 6 else day


@lru_cache(maxsize=64)
def nyse_holidays(year: int) -> frozenset[date]:
    """Days on which the New York Stock Exchange is closed all day (regular holidays only)."""
    new_year = date(year, 1, 1)
    last_may_monday = max(date(year, 5, d) for d in range(25, 32) if date(year, 5, d).weekday() == 0)
    days = {
        # Exchange rule: a New Year's Day on a Saturday is not moved into the old year.
        new_year if new_year.weekday() == 5 else _observed(new_year),
        _nth_weekday(year, 1, 0, 3),
        _nth_weekday(year, 2, 0, 3),
        easter(year) - 2 * DAY,
        last_may_monday,
        _observed(date(year, 7, 4)),
        _nth_weekday(year, 9, 0, 1),
        _nth_weekday(year, 11, 3, 4),
        _observed(date(year, 12, 25)),
    }
    if year >= 2022:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days)


@lru_cache(maxsize=64)
def nyse_early_closes(year: int) -> frozenset[date]:
    """Days on which the New York Stock Exchange closes at 13:00."""
    candidates = [
        date(year, 7, 3),
        _nth_weekday(year, 11, 3, 4) + DAY,
        date(year, 12, 24),
    ]
    holidays = nyse_holidays(year)
    return frozenset(d for d in candidates if d.weekday() < 5 and d not in holidays)


def _moment(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def _is_nyse_day(day: date) -> bool:
    return day.weekday() < 5 and day not in nyse_holidays(day.year)


@lru_cache(maxsize=4096)
def _us_equity(day: date) -> Session | None:
    if not _is_nyse_day(day):
        return None
    early = day in nyse_early_closes(day.year)
    return Session(
        day=day,
        start=_moment(day, time(4), NEW_YORK),
        liquid_start=_moment(day, time(9, 30), NEW_YORK),
        liquid_end=_moment(day, time(13 if early else 16), NEW_YORK),
        end=_moment(day, time(17 if early else 20), NEW_YORK),
    )


@lru_cache(maxsize=4096)
def _us_option(day: date) -> Session | None:
    stock = _us_equity(day)
    if stock is None:
        return None
    return Session(
        day=day,
        start=stock.liquid_start,
        liquid_start=stock.liquid_start,
        liquid_end=stock.liquid_end,
        end=stock.liquid_end,
    )


def _cme_close(day: date) -> time | None:
    full_holidays = {date(day.year, 1, 1), date(day.year, 12, 25), easter(day.year) - 2 * DAY}
    if day.weekday() >= 5 or day in full_holidays or day in {_observed(d) for d in full_holidays}:
        return None
    if day in nyse_holidays(day.year):
        return time(12)
    return time(12, 15) if day in nyse_early_closes(day.year) else time(16)


@lru_cache(maxsize=4096)
def _cme_globex(day: date) -> Session | None:
    close = _cme_close(day)
    if close is None:
        return None
    end = _moment(day, close, CHICAGO)
    return Session(
        day=day,
        start=_moment(day - DAY, time(17), CHICAGO),
        liquid_start=_moment(day, time(8, 30), CHICAGO),
        liquid_end=end,
        end=end,
    )


@lru_cache(maxsize=4096)
def _forex(day: date) -> Session | None:
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (12, 25)}:
        return None
    start, end = _moment(day - DAY, time(17, 15), NEW_YORK), _moment(day, time(17), NEW_YORK)
    return Session(day=day, start=start, liquid_start=start, liquid_end=end, end=end)


@lru_cache(maxsize=4096)
def _always(day: date) -> Session:
    start = datetime.combine(day, time(0), UTC)
    return Session(day=day, start=start, liquid_start=start, liquid_end=start + DAY, end=start + DAY)


TIMETABLES = {
    table.name: table
    for table in (
        Timetable(name="us_equity", zone=NEW_YORK, hours=_us_equity),
        Timetable(name="us_option", zone=NEW_YORK, hours=_us_option),
        Timetable(name="cme_globex", zone=CHICAGO, hours=_cme_globex),
        Timetable(name="forex", zone=NEW_YORK, hours=_forex),
        Timetable(name="always", zone="UTC", hours=_always),
    )
}


def hours_text(timetable: Timetable, first: date, days: int, *, liquid: bool) -> str:
    """The hours of `days` days from `first` as IBKR writes them: `20231103:0400-20231103:2000;20231104:CLOSED`."""
    return ";".join(_day_text(timetable, first + DAY * n, liquid=liquid) for n in range(days))


def _day_text(timetable: Timetable, day: date, *, liquid: bool) -> str:
    session = timetable.hours(day)
    if session is None:
        return f"{day:%Y%m%d}:CLOSED"
    zone = ZoneInfo(timetable.zone)
    start = (session.liquid_start if liquid else session.start).astimezone(zone)
    end = (session.liquid_end if liquid else session.end).astimezone(zone)
    return f"{start:%Y%m%d:%H%M}-{end:%Y%m%d:%H%M}"
