"""How a key of the configuration is declared: its default and what it accepts."""

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from strategy.values import ValueRefused


@attrs.frozen(kw_only=True)
class Accepted:
    """The values a key takes; None and empty mean no rule."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    pattern: str = ""
    check: Callable[[Any], bool] | None = None
    words: str = ""


def key(  # noqa: PLR0913 - an attrs field passes for a value of any type; one argument for each rule
    default: Any,  # noqa: ANN401 - as the key's own type
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    pattern: str = "",
    check: Callable[[Any], bool] | None = None,
    accepted: str = "",
    at_least_one_character: bool = False,
    name: str = "",
) -> Any:  # noqa: ANN401
    """An attrs field with its rule; ``name`` is the TOML key where it differs from the attribute."""
    if at_least_one_character:
        pattern, accepted = r"[^\0]+", "text that is not empty"
    rule = Accepted(low=low, high=high, above=above, pattern=pattern, check=check, words=accepted)
    return attrs.field(default=default, metadata={"accepted": rule, "name": name})


def toml_name(field: "attrs.Attribute[Any]") -> str:
    """The key's name in the file."""
    return field.metadata.get("name") or field.name


def check_range(value: Any, field: "attrs.Attribute[Any]") -> None:  # noqa: ANN401 - typed by the field
    """Refuse a value outside the rule of its key.

    Raises:
        ValueRefused: says what is accepted.
    """
    rule = field.metadata.get("accepted")
    if rule is not None and value is not None and not _fits(value, rule):
        raise ValueRefused(f"it must be {_words(rule)}")


def time_zone_or_empty(name: str) -> bool:
    """Whether a text names a time zone, or nothing."""
    return not name or time_zone_exists(name)


def time_zone_exists(name: str) -> bool:
    """Whether the system (or tzdata) knows a zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _fits(value: Any, rule: Accepted) -> bool:  # noqa: ANN401 - typed by the field
    return (
        (rule.low is None or value >= rule.low)
        and (rule.high is None or value <= rule.high)
        and (rule.above is None or value > rule.above)
        and (not rule.pattern or re.fullmatch(rule.pattern, value) is not None)
        and (rule.check is None or rule.check(value))
    )


def _words(rule: Accepted) -> str:
    if rule.words:
        return rule.words
    if rule.above is not None:
        return f"greater than {rule.above:g}"
    if rule.high is not None:
        return f"from {rule.low or 0} to {rule.high}"
    return f"at least {rule.low:g}"
