"""The one canonical order: what is wanted. What became of it is ``order.OrderState``."""

import re
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import attrs

from actors.domain.contract import Contract, SecType
from actors.domain.frozen import frozen

_Member = TypeVar("_Member", bound=StrEnum)

OMS_ID_PATTERN = re.compile(r"[A-Za-z0-9_.\-]{1,32}")


class Side(StrEnum):
    """Direction of an order or a fill."""

    BUY = "BUY"
    SELL = "SELL"

    sign: int
    """+1 for a buy, -1 for a sell."""

    def __init__(self, name: str) -> None:
        self.sign = 1 if name == "BUY" else -1


class OrderType(StrEnum):
    """Order types; OTHER stands for types only seen on orders that are not ours."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    OTHER = "OTHER"


class TimeInForce(StrEnum):
    """How long an order lives."""

    DAY = "DAY"
    GTC = "GTC"
    GTD = "GTD"
    IOC = "IOC"
    FOK = "FOK"
    OPG = "OPG"


class InvalidOrder(ValueError):
    """An order a user wrote that cannot be meant; one sentence: field, value, what is accepted."""


def to_decimal(field: str, value: object) -> Decimal:
    """A Decimal from an int, a Decimal, a decimal string or a float's shortest text.

    Raises:
        InvalidOrder: the value is no number.
    """
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str | float):
        raise InvalidOrder(f"{field} is {value!r}: it must be a number")
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise InvalidOrder(f"{field} is {value!r}: it must be a number") from None


def to_optional_decimal(field: str, value: object) -> Decimal | None:
    """As ``to_decimal``, with None kept."""
    return None if value is None else to_decimal(field, value)


def to_side(value: object) -> Side:
    """A Side from itself or its name."""
    return _to_member("side", Side, value)


def to_order_type(value: object) -> OrderType:
    """An OrderType from itself or its name."""
    return _to_member("order_type", OrderType, value)


def to_time_in_force(value: object) -> TimeInForce:
    """A TimeInForce from itself or its name."""
    return _to_member("time_in_force", TimeInForce, value)


def _to_member(field: str, kind: type[_Member], value: object) -> _Member:
    if isinstance(value, kind):
        return value
    try:
        return kind(str(value))
    except ValueError:
        accepted = ", ".join(member.value for member in kind if member.value != "OTHER")
        raise InvalidOrder(f"{field} is {value!r}: accepted are {accepted}") from None


def _to_quantity(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else to_decimal("quantity", value)


def _to_cash(value: object) -> Decimal | None:
    return to_optional_decimal("cash_quantity", value)


def _to_limit_price(value: object) -> Decimal | None:
    return to_optional_decimal("limit_price", value)


def _to_stop_price(value: object) -> Decimal | None:
    return to_optional_decimal("stop_price", value)


@frozen(kw_only=True)
class Order:
    """What is wanted: one instrument, one side, one quantity.

    Prices are in the instrument's currency; quantities in shares, contracts or units; both Decimal
    (ints and decimal strings are converted, floats through their shortest text).
    """

    side: Side = attrs.field(converter=to_side)
    quantity: Decimal = attrs.field(converter=_to_quantity)
    symbol: str = ""
    contract: Contract | None = None
    order_type: OrderType = attrs.field(default=OrderType.MARKET, converter=to_order_type)
    limit_price: Decimal | None = attrs.field(default=None, converter=_to_limit_price)
    stop_price: Decimal | None = attrs.field(default=None, converter=_to_stop_price)
    time_in_force: TimeInForce = attrs.field(default=TimeInForce.DAY, converter=to_time_in_force)
    good_till: datetime | None = None
    outside_rth: bool = False
    cash_quantity: Decimal | None = attrs.field(default=None, converter=_to_cash)
    tag: str = ""
    broker_type: str = ""
    """The broker's own name of the type where ``order_type`` is OTHER."""

    @property
    def name(self) -> str:
        """What a trader calls the instrument."""
        return self.contract.name if self.contract is not None else self.symbol

    @property
    def wanted_contract(self) -> Contract:
        """The contract as far as the user named it."""
        return self.contract if self.contract is not None else Contract(symbol=self.symbol)

    @property
    def is_untold(self) -> bool:
        """Whether these stand for terms that nobody told: an order that is known by its executions only."""
        return self.order_type is OrderType.OTHER and not self.broker_type

    def describe(self) -> str:
        """One line such as ``BUY 100 SPY LIMIT @ 495.00``."""
        size = format_quantity(self.quantity)
        if self.cash_quantity is not None and not self.quantity:
            size = f"{format_quantity(self.cash_quantity)} worth of"
        words = [self.side, size, self.name or "?", self.order_type]
        prices = [price for price in (self.stop_price, self.limit_price) if price is not None]
        if prices:
            words += ["@", " / ".join(format_price(price) for price in prices)]
        return " ".join(words)


def check_order(order: Order) -> None:
    """Refuse an order that cannot be meant.

    Raises:
        InvalidOrder: names the field, the value and what is accepted.
    """
    if not order.symbol and order.contract is None:
        raise InvalidOrder("symbol is empty: give a symbol such as 'SPY' or a contract")
    if order.symbol and order.contract is not None and order.contract.symbol != order.symbol:
        raise InvalidOrder(f"symbol is {order.symbol!r} but the contract says {order.contract.symbol!r}: give one")
    if order.contract is not None:
        check_legs(order.contract)
        if order.contract.sec_type is SecType.INDEX:
            raise InvalidOrder(f"contract is the index {order.contract.name}: indices have quotes and cannot be traded")
    if order.order_type is OTHER:
        raise InvalidOrder("order_type is OTHER: accepted are MARKET, LIMIT, STOP and STOP_LIMIT")
    _check_quantity(order)
    _check_price("limit_price", order.limit_price, needed=order.order_type in _LIMITED, order=order)
    _check_price("stop_price", order.stop_price, needed=order.order_type in _STOPPED, order=order)
    if (order.time_in_force is GTD) != (order.good_till is not None):
        raise InvalidOrder(f"good_till is {order.good_till}: it is given with time_in_force GTD and only then")
    if order.good_till is not None and order.good_till.tzinfo is None:
        raise InvalidOrder(f"good_till is {order.good_till}: it needs a time zone")


def check_legs(contract: Contract) -> None:
    """Refuse a combo without usable legs, and legs of what is no combo.

    Raises:
        InvalidOrder: names the contract and what is accepted.
    """
    is_combo = contract.sec_type is SecType.COMBO
    if is_combo and len(contract.legs) < 2:
        raise InvalidOrder(f"legs of {contract.name} are {len(contract.legs)}: a combo needs at least two")
    if not is_combo and contract.legs:
        raise InvalidOrder(f"sec_type is {contract.sec_type} but {contract.name} has legs: only a BAG has")
    for leg in contract.legs:
        if leg.con_id <= 0 or leg.ratio <= 0 or leg.side not in ("BUY", "SELL"):
            raise InvalidOrder(
                f"a leg of {contract.name} is {leg.side!r} {leg.ratio} of con_id {leg.con_id}: "
                "it needs a con_id and a ratio greater than 0, and the side BUY or SELL"
            )


OTHER, GTD = OrderType.OTHER, TimeInForce.GTD
_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT)


_TOO_MUCH = Decimal("1e12")


def _check_quantity(order: Order) -> None:
    if not order.quantity.is_finite() or order.quantity < 0 or (order.quantity == 0 and not order.cash_quantity):
        raise InvalidOrder(f"quantity is {order.quantity}: it must be greater than 0")
    if order.quantity >= _TOO_MUCH:
        raise InvalidOrder(f"quantity is {order.quantity}: it must be less than 1e12")
    if order.cash_quantity is not None and not (order.cash_quantity.is_finite() and order.cash_quantity > 0):
        raise InvalidOrder(f"cash_quantity is {order.cash_quantity}: it must be greater than 0")


def _check_price(field: str, price: Decimal | None, *, needed: bool, order: Order) -> None:
    if needed and price is None:
        raise InvalidOrder(f"{field} is missing: an order of type {order.order_type} needs one")
    if not needed and price is not None:
        raise InvalidOrder(f"{field} is {price}: an order of type {order.order_type} takes none")
    if price is not None and not price.is_finite():
        raise InvalidOrder(f"{field} is {price}: it must be a finite number")


def plain_digits(number: Decimal) -> str:
    """Without an exponent; the format that says so takes five times as long, and is rarely needed."""
    text = str(number)
    return f"{number:f}" if "E" in text else text


def format_quantity(quantity: Decimal) -> str:
    """Plain digits without trailing zeros: 100, 0.5."""
    text = plain_digits(quantity)
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_price(price: Decimal) -> str:
    """Plain digits with at least two decimals: 495.00, 0.00005."""
    if not price.is_finite():
        return f"{price:f}"
    whole, _, places = plain_digits(price).partition(".")
    return f"{whole}.{places.rstrip('0'):0<2}"
