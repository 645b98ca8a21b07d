"""Turns plain TOML values into typed ones, strictly: a wrong type is refused, never guessed."""

import difflib
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, StrEnum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from cattrs import Converter
from cattrs.errors import BaseValidationError, CattrsError, StructureHandlerNotFoundError

from actors.domain.contract import Leg


class ValueRefused(ValueError):
    """A value of the wrong type; the text says what is accepted."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint such as ``did you mean 'port'?``, or the list of valid names where none is near."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"accepted are {', '.join(names)}" if names else "nothing is accepted here"


def convert(value: object, kind: Any) -> Any:  # noqa: ANN401 - the type is given as a value
    """``value`` as ``kind``.

    Raises:
        ValueRefused: says what is accepted.
    """
    if get_origin(kind) in _LISTS and not isinstance(value, list | tuple):
        raise ValueRefused(f"it must be {describe(kind)}")
    try:
        return _CONVERTER.structure(value, kind)
    except StructureHandlerNotFoundError:
        raise ValueRefused(f"values of type {kind} cannot be configured") from None
    except (BaseValidationError, CattrsError, ValueError, TypeError, ArithmeticError, AttributeError):
        raise ValueRefused(f"it must be {describe(kind)}") from None


def describe(kind: Any) -> str:  # noqa: ANN401 - the type is given as a value
    """What a type accepts, in words."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join(describe(member) for member in get_args(kind) if member is not type(None))
    if origin is Literal:
        return "one of " + ", ".join(repr(member) for member in get_args(kind))
    if origin in _LISTS:
        return f"a list, each item {describe(get_args(kind)[0])}"
    if origin is dict:
        return f"a table, each value {describe(get_args(kind)[1])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(repr(member.value) for member in kind)
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


_LISTS = (tuple, list, frozenset)

_WORDS: dict[Any, str] = {
    Leg: 'a table such as { con_id = 700000001, ratio = 1, side = "BUY" }',
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    str: "text in quotes",
    time: 'a time of day without a zone, such as "15:50"',
    date: 'a date such as "2023-08-03"',
    datetime: 'a time with a zone such as "2023-08-03T09:30:00-04:00"',
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _refuse_unless(condition: bool) -> None:  # noqa: FBT001 - a guard reads best this way
    if not condition:
        raise TypeError


def _to_bool(value: object, _: object) -> bool:
    _refuse_unless(isinstance(value, bool))
    return bool(value)


def _to_int(value: Any, _: object) -> int:  # noqa: ANN401 - whatever the file holds
    _refuse_unless(isinstance(value, int) and not isinstance(value, bool))
    return int(value)


def _to_float(value: Any, _: object) -> float:  # noqa: ANN401 - whatever the file holds
    _refuse_unless(_is_number(value) and Decimal(str(value)).is_finite())
    return float(value)


def _to_decimal(value: Any, _: object) -> Decimal:  # noqa: ANN401 - whatever the file holds
    _refuse_unless(_is_number(value) or isinstance(value, str))
    number = Decimal(str(value))
    _refuse_unless(number.is_finite())
    return number


def _to_str(value: object, kind: object) -> str:
    _refuse_unless(isinstance(value, str))
    if isinstance(kind, type) and issubclass(kind, StrEnum):  # cattrs brings text enums here too
        return kind(str(value))
    return str(value)


def _to_time(value: object, _: object) -> time:
    of_day = value if isinstance(value, time) else time.fromisoformat(_to_str(value, None))
    _refuse_unless(of_day.tzinfo is None)  # whose zone it is says the key
    return of_day


def _to_date(value: object, _: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    _refuse_unless(isinstance(value, str))
    return date.fromisoformat(str(value))


def _to_datetime(value: object, _: object) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(_to_str(value, None))
    _refuse_unless(moment.tzinfo is not None)
    return moment


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    hooks: tuple[tuple[Any, Callable[[Any, Any], Any]], ...] = (
        (int, _to_int),
        (float, _to_float),
        (bool, _to_bool),
        (Decimal, _to_decimal),
        (str, _to_str),
        (time, _to_time),
        (date, _to_date),
        (datetime, _to_datetime),
    )
    for kind, hook in hooks:
        converter.register_structure_hook(kind, hook)
    return converter


_CONVERTER = _make_converter()
