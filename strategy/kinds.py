"""What the fields of an order must be made of.

A wrong kind, such as an expiry that is a number, would pass through the journal and could not be read back at the next
start; text that is no Unicode, or a strike that is no number, would end the order manager.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import NoneType
from typing import Final

from actors.domain.contract import Contract, Leg, SecType
from actors.domain.terms import InvalidOrder, Order

_Kinds = tuple[tuple[type, ...], str]
_TEXT: Final[_Kinds] = ((str,), "text")
_WHOLE: Final[_Kinds] = ((int,), "a whole number")
_NUMBERS: Final = (Decimal, int, float)

_ORDER: Final[Mapping[str, _Kinds]] = {
    "symbol": _TEXT,
    "contract": ((Contract, NoneType), "a Contract"),
    "good_till": ((datetime, NoneType), "a datetime with a time zone"),
    "outside_rth": ((bool,), "True or False"),
    "tag": _TEXT,
    "broker_type": _TEXT,
}
_CONTRACT: Final[Mapping[str, _Kinds]] = {
    "sec_type": ((SecType,), "a SecType such as SecType.FUTURE"),
    **dict.fromkeys(("symbol", "currency", "exchange", "primary_exchange", "local_symbol"), _TEXT),
    **dict.fromkeys(("trading_class", "expiry", "right"), _TEXT),
    "strike": ((*_NUMBERS, NoneType), "a number"),
    "multiplier": (_NUMBERS, "a number"),
    "con_id": _WHOLE,
    "legs": ((tuple,), "a tuple of Leg"),
}
_LEG: Final[Mapping[str, _Kinds]] = {"con_id": _WHOLE, "ratio": _WHOLE, "side": _TEXT, "exchange": _TEXT}


def check_kinds(order: object) -> None:
    """Refuse an order with a field of the wrong kind.

    Raises:
        InvalidOrder: names the field, the value and what is accepted.
    """
    check_kind("order", order, ((Order,), "an Order"))
    _check_fields("", order, _ORDER)
    contract = getattr(order, "contract", None)
    if contract is None:
        return
    _check_fields("contract.", contract, _CONTRACT)
    for name in ("strike", "multiplier"):
        _check_finite(f"contract.{name}", getattr(contract, name))
    for leg in contract.legs:
        check_kind("contract.legs", leg, ((Leg,), "a Leg"))
        _check_fields("contract.legs.", leg, _LEG)


def check_kind(field: str, value: object, kinds: _Kinds) -> None:
    """Refuse a value of the wrong kind; True and False are no numbers.

    Raises:
        InvalidOrder: names the field, the value and what is accepted.
    """
    accepted, said = kinds
    if not _is_one_of(value, accepted):
        raise InvalidOrder(f"{field} is {repr(value)[:64]}: it must be {said}")
    if isinstance(value, str) and not is_writable(value):
        raise InvalidOrder(f"{field} is {repr(value)[:64]}: it must be text that can be written as UTF-8")


def is_writable(text: str) -> bool:
    """Whether a text can go into the journal and to the broker; half a surrogate pair cannot."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _check_finite(field: str, value: Decimal | float | None) -> None:
    if value is not None and not Decimal(value).is_finite():
        raise InvalidOrder(f"{field} is {value}: it must be a finite number")


def _is_one_of(value: object, accepted: tuple[type, ...]) -> bool:
    return isinstance(value, accepted) and (not isinstance(value, bool) or bool in accepted)


def check_name(field: str, value: object) -> None:
    """Refuse a name that is no text.

    Raises:
        InvalidOrder: it is none.
    """
    check_kind(field, value, _TEXT)


def _check_fields(prefix: str, holder: object, fields: Mapping[str, _Kinds]) -> None:
    for name, kinds in fields.items():
        value = getattr(holder, name)
        if type(value) not in kinds[0] or (type(value) is str and not value.isascii()):
            check_kind(f"{prefix}{name}", value, kinds)
