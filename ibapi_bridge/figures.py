"""Figures and texts of the broker made safe: every sentinel, every oddity of the wire ends here.

Source: ibapi ``const.py`` (unset markers) and what gateways were seen to send
(``1.7976931348623157E308``, ``Infinity``).
"""

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from google.protobuf.message import Message

UNSET_INTEGER: Final = 2**31 - 1
UNSET_LONG: Final = 2**63 - 1

_ABSURD: Final = Decimal(10) ** 18
_INT_SENTINEL: Final = Decimal(UNSET_INTEGER)
_LONGEST_FIGURE: Final = 64
_WRITTEN: Final = (float, str, int)
_ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"

IDENTITY_LIMIT: Final = 256
TEXT_LIMIT: Final = 4096


class Untranslatable(ValueError):
    """A statement of the broker lacks what makes it meaningful; the text names the field and its value."""


def read(source: object, name: str) -> object:
    """An attribute of an official object or a field of a protobuf message; None where there is no such thing.

    A protobuf field that is absent reads as its empty value; where that could be mistaken for a zero: ``read_number``.
    """
    return getattr(source, name, None)


def read_number(source: object, name: str) -> object:
    """As ``read``, but None for a protobuf field that is absent."""
    if isinstance(source, Message) and not source.HasField(name):
        return None
    return getattr(source, name, None)


def figure(value: object) -> Decimal | None:
    """A finite number of plausible size, exactly as written; None for unset, absent, absurd or unreadable ones."""
    if isinstance(value, _WRITTEN):
        return _figure(value)
    return _plausible(value) if isinstance(value, Decimal) else None


@lru_cache(maxsize=8192, typed=True)
def _figure(value: str | float) -> Decimal | None:
    if isinstance(value, bool):
        return None
    text = repr(value) if isinstance(value, float) else str(value).strip()
    if not text or len(text) > _LONGEST_FIGURE:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return _plausible(number)


def _plausible(number: Decimal) -> Decimal | None:
    return number if number.is_finite() and abs(number) < _ABSURD else None


def quantity(value: object) -> Decimal | None:
    """A quantity that cannot be negative; the largest 32-bit integer means unset, as in the official decoder."""
    return _text_quantity(value) if isinstance(value, str) else _not_negative(figure(value))


@lru_cache(maxsize=8192)
def _text_quantity(value: str) -> Decimal | None:
    return _not_negative(_figure(value))


def _not_negative(number: Decimal | None) -> Decimal | None:
    return None if number is None or number < 0 or number == _INT_SENTINEL else number


def needed(name: str, number: Decimal | None, raw: object) -> Decimal:
    """A figure without which the statement means nothing.

    Raises:
        Untranslatable: it is absent or unreadable.
    """
    if number is None:
        raise Untranslatable(f"{name} is {str(raw)[:_LONGEST_FIGURE]!r}: it must be a number")
    return number


def integer(value: object) -> int:
    """A whole number; 0 for unset, absent or unreadable ones."""
    if type(value) is not int:
        return _as_integer(value)
    return 0 if value == UNSET_INTEGER or not -UNSET_LONG < value < UNSET_LONG else value


def _as_integer(value: object) -> int:
    if isinstance(value, bool):
        return int(value)
    number = figure(value)
    return 0 if number is None or number != number.to_integral_value() else integer(int(number))


def text(value: object, limit: int = TEXT_LIMIT) -> str:
    """Printable text of bounded length: line breaks become blanks, other control characters a replacement mark."""
    plain = value if isinstance(value, str) else "" if value is None else str(value)
    if plain.isprintable() and len(plain) <= limit:
        return plain
    shown = "".join(_printable(character) for character in plain[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + _ELLIPSIS


def identity(value: object) -> str:
    """The text of a name (execution id, order reference, account), blanks around it removed."""
    return text(value, IDENTITY_LIMIT).strip()


@lru_cache(maxsize=4096)
def name(value: str) -> str:
    """As ``identity``, for names that come again and again: accounts, venues, currencies."""
    return identity(value)


def remark(value: str, limit: int = TEXT_LIMIT) -> str:
    """As ``text``, for what is empty nearly always."""
    return text(value, limit) if value else ""


def whole(value: int) -> int:
    """As ``integer``, for a field that holds nothing but 32-bit whole numbers."""
    return 0 if value == UNSET_INTEGER else value


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\r\n\t" else "\N{REPLACEMENT CHARACTER}"
