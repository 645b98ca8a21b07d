"""What a campaign throws at a strategy, from a TOML file; every key has the default of ``Profile``."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import attrs

from strategy.errors import ConfigError
from strategy.simulate.generate import Profile
from strategy.simulate.plan import Disturbance, MarketMood, OrderFate
from strategy.values import nearest

_KINDS: Final[Mapping[str, type[StrEnum]]] = MappingProxyType(
    {"moods": MarketMood, "fates": OrderFate, "disturbances": Disturbance}
)
_RANGES: Final = MappingProxyType(
    {
        "minutes": (1, 390),
        "quote_seconds": (1, 3_600),
        "most_regimes": (0, 20),
        "most_events": (0, 50),
        "fate_chance": (0, 100),
        "fated_orders": (0, 1_000),
        "longest_seconds": (1, 3_600),
        "quiet_minutes": (0, 390),
    }
)


def load_profile(path: Path) -> Profile:
    """The profile in a file.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or names something that does not exist or is out of range.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return attrs.evolve(Profile(), **{key: _value(key, value) for key, value in tables.items()})
    except OSError as error:
        raise ConfigError(f"profile {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"profile {path}: it is not valid TOML: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"profile {path}: {error}") from None


def _value(key: str, value: object) -> Any:  # noqa: ANN401 - as the key's own type
    if key in _RANGES:
        low, high = _RANGES[key]
        return _whole(key, value, low, high)
    if key not in _KINDS:
        raise ConfigError(f"{key} is unknown: {nearest(key, [*_RANGES, *_KINDS])}")
    return _weights(key, value)


def _weights(key: str, value: object) -> dict[StrEnum, int]:
    """A table takes the place of the default weights: kinds that it does not name do not occur."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{key} is {value!r}: it must be a table, written [{key}]")
    kinds = {kind.value: kind for kind in _KINDS[key]}
    for name in value:
        if name not in kinds:
            raise ConfigError(f"{key}.{name} is unknown: {nearest(name, kinds)}")
    weights = {kinds[name]: _whole(f"{key}.{name}", weight, 0, 1_000_000) for name, weight in value.items()}
    if not any(weights.values()):
        raise ConfigError(f"{key} has no weight above 0: at least one kind must be allowed")
    return weights


def _whole(key: str, value: object, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(f"{key} is {value!r}: it must be a whole number from {low:,} to {high:,}")
    return value
