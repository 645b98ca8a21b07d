"""Scenarios: faults written down beforehand, each at a market time or at a number of requests.

A scenario that is computed is a Python file with a function `steps(seed)` that returns such tables as dictionaries.

A scenario file is TOML with one `[[step]]` table for each fault: `fault` names it, `at` (a market time of day such
as "10:15:00", or seconds after the start) or `on` (a request's name, with `count`, default 1) says when, and every
other key is a parameter of the fault.
"""

import runpy
import tomllib
from collections import Counter
from datetime import datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any

import attrs

from ibapi_bridge.gateway_simulator.catalogue import REQUESTS
from ibapi_bridge.gateway_simulator.errors import ConfigError

REQUEST_NAMES = frozenset(kind.name for kind in REQUESTS.values())


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


def load_scenario(path: Path, *, seed: int = 1) -> tuple[Step, ...]:
    """The steps of a scenario file; `seed` is for those that are computed.

    Raises:
        ConfigError: the file cannot be read or run, or a step is not one.
    """
    rows = _computed(path, seed) if path.suffix == ".py" else _written(path)
    return tuple(parse_step(row, number) for number, row in enumerate(rows, 1))


def _computed(path: Path, seed: int) -> list[Any]:
    try:
        return list(runpy.run_path(str(path))["steps"](seed))
    except KeyError:
        raise ConfigError(f"scenario {path} must define a function steps(seed)") from None
    except Exception as error:  # whatever the user's own code does wrong
        raise ConfigError(f"scenario {path} cannot be run: {error!r}") from error


def _written(path: Path) -> list[Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"scenario {path} cannot be read: {error}") from error
    rows = content.get("step", [])
    if set(content) - {"step"} or not isinstance(rows, list):
        raise ConfigError(f"scenario {path} must hold [[step]] tables only")
    return rows


def parse_step(row: object, number: int) -> Step:
    """One step from its table.

    Raises:
        ConfigError: no table, no fault, no moment or more than one, or a moment that is none.
    """
    if not isinstance(row, dict):
        raise ConfigError(f"step {number} is {row!r}, not a table of a fault and its moment")
    rest = dict(row)
    fault = rest.pop("fault", None)
    if not isinstance(fault, str):
        raise ConfigError(f"step {number} needs a 'fault'")
    given = [name for name in ("at", "on") if name in rest]
    if len(given) != 1:
        raise ConfigError(f"step {number} needs exactly one of 'at' and 'on', it has {given or 'neither'}")
    if "on" in rest:
        if rest["on"] not in REQUEST_NAMES:
            raise ConfigError(f"step {number} has on = {rest['on']!r}, accepted are {', '.join(sorted(REQUEST_NAMES))}")
        return Step(fault=fault, on=str(rest.pop("on")), count=_count(rest.pop("count", 1), number), parameters=rest)
    at = rest.pop("at")
    if isinstance(at, int | float):
        return Step(fault=fault, after=timedelta(seconds=at), parameters=rest)
    try:
        return Step(fault=fault, at=at if isinstance(at, time) else time.fromisoformat(at), parameters=rest)
    except (TypeError, ValueError):
        text = f"step {number} has at = {at!r}, accepted are a time of day such as '10:15:00' or seconds"
        raise ConfigError(text) from None


def _count(value: object, number: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise ConfigError(f"step {number} has count = {value!r}, accepted is a whole number from 1")
    return value


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
