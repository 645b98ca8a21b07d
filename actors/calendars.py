"""Trading days where the broker reported none: exchange_calendars where installed, else weekdays at regular hours."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from zoneinfo import ZoneInfo

from actors.domain.contract import Session

PLAIN = "XNYS"
"""The calendar that plain weekdays stand in for."""


class UnknownCalendar(ValueError):
    """No trading calendar has this name; one sentence for the user."""


def calendar_for(
    name: str, *, time_zone: str, opens: time = time(9, 30), closes: time = time(16, 0)
) -> Callable[[date], Session | None]:
    """The regular session of a date, None on a day without one.

    Args:
        name: a name of exchange_calendars; without that package (extra ``calendars``) only ``XNYS`` is accepted and
            plain weekdays are used, which know no holidays: the broker's own hours then decide.
        time_zone: IANA zone of ``opens`` and ``closes``.
        opens: regular opening time of plain weekdays.
        closes: regular closing time of plain weekdays.

    Raises:
        UnknownCalendar: no calendar of this name is known here.
    """
    if find_spec("exchange_calendars") is not None:
        return _from_package(name)
    if name != PLAIN:
        raise UnknownCalendar(
            f"{name!r} is no trading calendar without the extra 'calendars', which is missing; accepted is {PLAIN!r}"
        )
    zone = ZoneInfo(time_zone)

    def weekday_session(day: date) -> Session | None:
        if day.weekday() >= 5:
            return None
        return Session(
            opens=datetime.combine(day, opens, tzinfo=zone).astimezone(UTC),
            closes=datetime.combine(day, closes, tzinfo=zone).astimezone(UTC),
        )

    return weekday_session


def _from_package(name: str) -> Callable[[date], Session | None]:
    package = import_module("exchange_calendars")
    try:
        known = package.get_calendar(name)
    except package.errors.CalendarError as error:
        raise UnknownCalendar(f"{name!r} is no trading calendar: {error}") from None

    @lru_cache(maxsize=16)
    def session(day: date) -> Session | None:
        """Remembered, because the schedule asks on every tick and the package takes its time."""
        label = day.isoformat()
        if not known.first_session.date() <= day <= known.last_session.date() or not known.is_session(label):
            return None
        opened, closed = known.session_open(label), known.session_close(label)
        return Session(opens=opened.to_pydatetime().astimezone(UTC), closes=closed.to_pydatetime().astimezone(UTC))

    return session
