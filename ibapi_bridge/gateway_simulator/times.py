"""Time strings as the gateway writes them, and the ones it accepts."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ALIASES = {"EST": "America/New_York", "EST5EDT": "America/New_York", "US/Eastern": "America/New_York"}
_STAMP = re.compile(r"^(\d{8})(?:[ -]+(\d{1,2}:\d{2}(?::\d{2})?))?(?: +(.+))?$")


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IBKR label.

    Raises:
        ValueError: unknown label.
    """
    try:
        return ZoneInfo(ALIASES.get(name, name))
    except (ZoneInfoNotFoundError, OSError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone") from error


def stamp(at: datetime, zone_name: str, version: int) -> str:
    """`yyyymmdd hh:mm:ss ZONE`; in UTC mode `yyyymmdd-hh:mm:ss`, with a Z from server version 214 on."""
    return _stamp(at.replace(microsecond=0), zone_name, version)


@lru_cache(maxsize=256)
def _stamp(at: datetime, zone_name: str, version: int) -> str:
    if zone_name == "UTC":
        return at.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S") + ("Z" if version >= 214 else "")
    return at.astimezone(zone(zone_name)).strftime("%Y%m%d %H:%M:%S ") + zone_name


def parse(text: str, default_zone: str) -> datetime:
    """A time in any of the accepted forms, as aware UTC.

    Raises:
        ValueError: not `yyyymmdd[ -hh:mm[:ss]][ zone]`.
    """
    match = _STAMP.match(text.strip().removesuffix("Z"))
    if match is None:
        raise ValueError(f"{text!r} is not a time such as 20260413 15:27:04 US/Eastern")
    clock = match[2] or "00:00:00"
    if clock.count(":") == 1:
        clock += ":00"
    in_utc = match[3] in {"UTC", "GMT"} or (match[3] is None and "-" in text)
    local = datetime.strptime(f"{match[1]} {clock}", "%Y%m%d %H:%M:%S").replace(
        tzinfo=UTC if in_utc else zone(match[3] or default_zone)
    )
    return local.astimezone(UTC)
