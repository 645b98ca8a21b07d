"""How single values look in text fields, by the letter of their kind.

Unset values have several spellings: nothing, the largest int, long or double, and the largest Decimal.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

UNSET_INTS = frozenset({"", "2147483647", "9223372036854775807", "-2147483648"})
UNSET_DECIMALS = frozenset({"", "2147483647", "9223372036854775807", "170141183460469231731687303715884105727"})
UNSET_DOUBLE_TEXT = "1.7976931348623157E308"
UNSET_LIMIT = 1.7e308
INFINITE = frozenset({"Infinity", "Infinite"})

Value: TypeAlias = Any


@attrs.frozen(kw_only=True)
class Kind:
    """Reads a field (None is unset), writes a value, and knows what stands for an absent one."""

    read: Callable[[str], Value]
    write: Callable[[Value], str]
    absent: str


def _read_int(text: str) -> int | None:
    if text in UNSET_INTS:
        return None
    return int(float(text)) if "." in text else int(text)


def _read_double(text: str) -> float | None:
    if text == "":
        return None
    value = float("inf") if text in INFINITE else float(text)
    return None if UNSET_LIMIT < value < float("inf") else value


def _write_double(value: float) -> str:
    return "Infinity" if value == float("inf") else repr(value)


def _read_bool(text: str) -> bool | None:
    return True if text in {"1", "true", "True"} else None


def _read_multiplier(text: str) -> float | None:
    return float(text) if text else None


def _write_multiplier(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.encode("unicode-escape").decode("ascii")


def _decimal(text: str) -> str | None:
    return None if text in UNSET_DECIMALS else text


KINDS: Mapping[str, Kind] = {
    "s": Kind(read=lambda text: text or None, write=str, absent=""),
    "x": Kind(read=lambda text: text or None, write=_escaped, absent=""),
    "i": Kind(read=_read_int, write=str, absent="0"),
    "u": Kind(read=_read_int, write=str, absent=""),
    "w": Kind(read=_read_int, write=lambda value: str(int(value)), absent="0"),
    "d": Kind(read=_read_double, write=_write_double, absent="0.0"),
    "n": Kind(read=_read_double, write=_write_double, absent=""),
    "m": Kind(read=_read_double, write=_write_double, absent=UNSET_DOUBLE_TEXT),
    "b": Kind(read=_read_bool, write=lambda value: str(int(value)), absent="0"),
    "q": Kind(read=_decimal, write=str, absent=""),
    "r": Kind(read=_read_multiplier, write=_write_multiplier, absent=""),
}
