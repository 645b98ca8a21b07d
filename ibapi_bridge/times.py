"""Times as gateways write them: a wall clock and a zone label of many fashions, turned into aware UTC."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_MOMENT: Final = re.compile(
    r"(?P<day>\d{8})(?:[-T ]+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?(?:\.\d+)?\s*(?P<zone>.*)",
    re.ASCII | re.DOTALL,
)
_OFFSET: Final = re.compile(r"(?:GMT|UTC)?([+-])(\d{1,2}):?(\d{2})?", re.ASCII)
_LABELLED: Final = re.compile(r"([^()]*?)\s*\(([^()]+)\)")

_FUTURE_TOLERANCE: Final = timedelta(minutes=10)
"""A fill cannot come from the future; beyond clock drift its zone label must be wrong."""

_ZONES: Final = {
    "est": "America/New_York",
    "edt": "America/New_York",
    "et": "America/New_York",
    "eastern standard time": "America/New_York",
    "eastern daylight time": "America/New_York",
    "us eastern standard time": "America/Indiana/Indianapolis",
    "cst": "America/Chicago",
    "cdt": "America/Chicago",
    "ct": "America/Chicago",
    "central standard time": "America/Chicago",
    "central daylight time": "America/Chicago",
    "mst": "America/Denver",
    "mdt": "America/Denver",
    "mountain standard time": "America/Denver",
    "mountain daylight time": "America/Denver",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "pacific standard time": "America/Los_Angeles",
    "pacific daylight time": "America/Los_Angeles",
    "gmt": "UTC",
    "utc": "UTC",
    "z": "UTC",
    "coordinated universal time": "UTC",
    "greenwich mean time": "Europe/London",
    "gmt standard time": "Europe/London",
    "bst": "Europe/London",
    "gb": "Europe/London",
    "gb-eire": "Europe/London",
    "british summer time": "Europe/London",
    "wet": "Europe/Lisbon",
    "met": "Europe/Paris",
    "mez": "Europe/Berlin",
    "mesz": "Europe/Berlin",
    "cet": "Europe/Paris",
    "cest": "Europe/Paris",
    "central european standard time": "Europe/Warsaw",
    "central european time": "Europe/Paris",
    "central european summer time": "Europe/Paris",
    "central europe standard time": "Europe/Budapest",
    "middle europe time": "Europe/Paris",
    "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris",
    "eet": "Europe/Helsinki",
    "eest": "Europe/Helsinki",
    "fle standard time": "Europe/Helsinki",
    "msk": "Europe/Moscow",
    "russian standard time": "Europe/Moscow",
    "ist": "Asia/Kolkata",
    "india standard time": "Asia/Kolkata",
    "jst": "Asia/Tokyo",
    "japan standard time": "Asia/Tokyo",
    "tokyo standard time": "Asia/Tokyo",
    "hkt": "Asia/Hong_Kong",
    "hong kong time": "Asia/Hong_Kong",
    "china standard time": "Asia/Shanghai",
    "singapore standard time": "Asia/Singapore",
    "sgt": "Asia/Singapore",
    "korea standard time": "Asia/Seoul",
    "kst": "Asia/Seoul",
    "aest": "Australia/Sydney",
    "aedt": "Australia/Sydney",
    "aus eastern standard time": "Australia/Sydney",
    "e. australia standard time": "Australia/Brisbane",
    "israel standard time": "Asia/Jerusalem",
}
"""Short, Windows and Java names of zones; what is not listed is tried as an IANA name."""


@lru_cache(maxsize=256)
def zone_of(label: str) -> tzinfo | None:
    """The zone behind a label such as ``US/Eastern``, ``EST (Eastern Standard Time)`` or ``GMT+02:00``."""
    name = label.strip()
    labelled = _LABELLED.fullmatch(name)
    if labelled:
        return zone_of(labelled[1]) or zone_of(labelled[2])
    offset = _OFFSET.fullmatch(name)
    if offset:
        return _fixed(offset)
    return _named(_ZONES.get(name.casefold(), name))


def _fixed(offset: re.Match[str]) -> tzinfo | None:
    shift = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
    if shift >= timedelta(hours=24):
        return None
    return timezone(-shift if offset[1] == "-" else shift)


def _named(name: str) -> tzinfo | None:
    if not name or not name.isascii():
        return None
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def moment(text: str, *, near: datetime | None = None) -> datetime | None:
    """A written time as UTC, or None when the time or its zone cannot be understood.

    Accepted: ``yyyymmdd hh:mm:ss zone`` with one blank or more, ``yyyymmdd-hh:mm:ss`` (UTC) and a trailing ``Z``.

    Args:
        text: as the gateway wrote it.
        near: decides between the two readings of an hour that a change to winter time repeats.
    """
    readings = _readings(text.strip())
    if readings is None:
        return None
    first, second = readings
    return second if near is not None and first < second <= near else first


@lru_cache(maxsize=512)
def _readings(text: str) -> tuple[datetime, datetime] | None:
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        return None
    zone = _zone(text, parts["zone"])
    local = _local(parts)
    if zone is None or local is None:
        return None
    before, after = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return before, after


def _zone(text: str, label: str) -> tzinfo | None:
    if not label and text[8:9] == "-":
        return UTC
    return zone_of(label)


def _local(parts: re.Match[str]) -> datetime | None:
    day, second = parts["day"], int(parts["second"] or 0)
    try:
        found = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        return datetime(found.year, found.month, found.day, int(parts["hour"]), int(parts["minute"]), second)  # noqa: DTZ001 - the caller adds the zone
    except ValueError:
        return None


def execution_time(text: str, received_at: datetime) -> datetime | None:
    """When an execution happened, aware UTC; None when the text cannot be trusted and the receive time must do.

    A time more than ten minutes after ``received_at`` is not trusted: gateways were seen to label a live execution
    with the wrong zone.
    """
    executed = moment(text, near=received_at)
    if executed is None or executed > received_at + _FUTURE_TOLERANCE:
        return None
    return executed


def from_epoch(value: float) -> datetime | None:
    """Seconds since 1970 as UTC; None when out of the calendar's range."""
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def wire_time(at: datetime) -> str:
    """An instant as requests carry it: ``yyyymmdd-hh:mm:ss``, UTC (IBKR, accepted since API 10.18)."""
    return at.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S")
