"""Scenarios: faults written down beforehand, each at a market time or at a number of requests.

A scenario file is TOML with one `[[step]]` table for each fault: `fault` names it, `at` (a market time of day such
as "10:15:00", or seconds after the start) or `on` (a request's name, with `count`, default 1) says when, and every
other key is a parameter of the fault.
"""

import tomllib
from collections import Counter
from datetime import datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

import attrs

from ibapi_bridge.gateway_simulator.errors import ConfigError


@attrs.frozen(kw_only=True)
class Step:
    """One fault of a scenario; exactly one of `at`, `after` and `on` is set."""

    fault: str
    parameters: dict[str, Any] = attrs.field(factory=dict)
    at: time | None = None
    after: timedelta | None = None
    on: str | None = None
    count: int = 1

    def due(self, start: datetime, zone: tzinfo) -> datetime | None:
        """The market time it happens at, None when it waits for a request."""
        if self.after is not None:
            return start + self.after
        if self.at is None:
            return None
        local = start.astimezone(zone)
        due = datetime.combine(local.date(), self.at, tzinfo=zone)
        return due if due >= start else due + timedelta(days=1)


def load_scenario(path: Path) -> tuple[Step, ...]:
    """The steps of a scenario file.

    Raises:
        ConfigError: the file cannot be read, or a step is not one.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"scenario {path} cannot be read: {error}") from error
    rows = content.get("step", [])
    if set(content) - {"step"} or not isinstance(rows, list):
        raise ConfigError(f"scenario {path} must hold [[step]] tables only")
    return tuple(parse_step(row, number) for number, row in enumerate(rows, 1))


def parse_step(row: dict[str, Any], number: int) -> Step:
    """One step from its table.

    Raises:
        ConfigError: no fault, no moment or more than one, or a moment that is none.
    """
    rest = dict(row)
    fault = rest.pop("fault", None)
    if not isinstance(fault, str):
        raise ConfigError(f"step {number} needs a 'fault'")
    given = [name for name in ("at", "on") if name in rest]
    if len(given) != 1:
        raise ConfigError(f"step {number} needs exactly one of 'at' and 'on', it has {given or 'neither'}")
    if "on" in rest:
        return Step(fault=fault, on=str(rest.pop("on")), count=int(rest.pop("count", 1)), parameters=rest)
    at = rest.pop("at")
    if isinstance(at, int | float):
        return Step(fault=fault, after=timedelta(seconds=at), parameters=rest)
    try:
        return Step(fault=fault, at=at if isinstance(at, time) else time.fromisoformat(at), parameters=rest)
    except (TypeError, ValueError):
        text = f"step {number} has at = {at!r}, accepted are a time of day such as '10:15:00' or seconds"
        raise ConfigError(text) from None


class RequestCounter:
    """Counts requests by name and says which steps are due with each."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._waiting = [step for step in steps if step.on is not None]
        self._seen: Counter[str] = Counter()

    def saw(self, name: str) -> list[Step]:
        """The steps that happen with this request, before it is answered."""
        if not self._waiting:
            return []
        self._seen[name] += 1
        due = [step for step in self._waiting if step.on == name and step.count == self._seen[name]]
        self._waiting = [step for step in self._waiting if step not in due]
        return due
