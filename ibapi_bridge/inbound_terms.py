"""Contracts and orders as the broker describes them, in our words; official objects and protobuf messages alike."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from operator import attrgetter
from typing import Final

from google.protobuf.message import Message

from actors.domain.contract import Contract, Leg
from actors.domain.terms import Order, OrderType
from ibapi_bridge import vocabulary
from ibapi_bridge.figures import IDENTITY_LIMIT, figure, identity, integer, quantity, read, read_number, text
from ibapi_bridge.times import moment

_LIMITED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPPED = (OrderType.STOP, OrderType.STOP_LIMIT)
_MOST_LEGS: Final = 32
_MOST_CONTRACTS: Final = 4096
_CONTRACTS: Final[dict[bytes, Contract]] = {}
"""Contracts already read: the same few arrive with every order and execution. Reading is pure, so sharing is safe."""

_MOST_ORDERS: Final = 1024
_ORDERS: Final[dict[tuple[object, ...], Order]] = {}
"""Terms already read: each order is echoed several times, and many orders differ in nothing but their number."""
_MAYBE_ABSENT: Final = ("lmtPrice", "auxPrice")
_TERMS: Final = (
    "action",
    "totalQuantity",
    "orderType",
    "lmtPrice",
    "auxPrice",
    "tif",
    "goodTillDate",
    "outsideRth",
    "cashQty",
)
"""What ``_order`` reads."""
_terms_of: Final = attrgetter(*_TERMS)


def contract_of(source: object) -> Contract:
    """A contract as the broker names it; what it leaves out stays empty."""
    if not isinstance(source, Message):
        return _contract(source)
    key = source.SerializeToString(deterministic=True)
    known = _CONTRACTS.get(key)
    if known is None:
        if len(_CONTRACTS) >= _MOST_CONTRACTS:
            _CONTRACTS.clear()
        known = _CONTRACTS[key] = _contract(source)
    return known


def _contract(source: object) -> Contract:
    return Contract(
        symbol=identity(read(source, "symbol")),
        sec_type=vocabulary.sec_type(text(read(source, "secType"))),
        currency=identity(read(source, "currency")),
        exchange=identity(read(source, "exchange")),
        primary_exchange=identity(read(source, "primaryExchange") or read(source, "primaryExch")),
        local_symbol=text(read(source, "localSymbol"), IDENTITY_LIMIT),
        trading_class=identity(read(source, "tradingClass")),
        expiry=identity(read(source, "lastTradeDateOrContractMonth")),
        strike=_strike(read(source, "strike")),
        right=_right(read(source, "right")),
        multiplier=_multiplier(read(source, "multiplier")),
        con_id=integer(read(source, "conId")),
        legs=_legs(read(source, "comboLegs")),
    )


def _legs(rows: object) -> tuple[Leg, ...]:
    if not isinstance(rows, Iterable):
        return ()
    return tuple(
        Leg(
            con_id=integer(read(row, "conId")),
            ratio=integer(read(row, "ratio")) or 1,
            side=identity(read(row, "action")).upper() or "BUY",
            exchange=identity(read(row, "exchange")),
        )
        for row in islice(rows, _MOST_LEGS)
    )


def _strike(raw: object) -> Decimal | None:
    strike = figure(raw)
    return strike if strike else None


def _right(raw: object) -> str:
    word = text(raw, 8).strip().upper()
    return word[:1] if word in {"C", "CALL", "P", "PUT"} else ""


def _multiplier(raw: object) -> Decimal:
    multiplier = figure(raw)
    if multiplier is None or multiplier <= 0:
        return Decimal(1)
    return multiplier.to_integral_value() if multiplier == multiplier.to_integral_value() else multiplier


def order_of(contract: Contract, source: object) -> Order:
    """The terms of an order as the broker echoes them.

    Prices count only where the type has them: the echo of a stop carries a made-up limit price (IBKR).
    """
    if not isinstance(source, Message):
        return _order(contract, source)
    key = (id(contract), *_terms_of(source), *[source.HasField(name) for name in _MAYBE_ABSENT])
    known = _ORDERS.get(key)
    if known is None or known.contract is not contract:
        if len(_ORDERS) >= _MOST_ORDERS:
            _ORDERS.clear()
        known = _ORDERS[key] = _order(contract, source)
    return known


def _order(contract: Contract, source: object) -> Order:
    word = text(read(source, "orderType"), 64)
    kind = vocabulary.order_type(word)
    until = text(read(source, "goodTillDate"), 64)
    return Order(
        side=vocabulary.side(text(read(source, "action"))),
        quantity=quantity(read(source, "totalQuantity")) or Decimal(0),
        symbol=contract.symbol,
        contract=contract,
        order_type=kind,
        limit_price=figure(read_number(source, "lmtPrice")) if kind in _LIMITED else None,
        stop_price=figure(read_number(source, "auxPrice")) if kind in _STOPPED else None,
        time_in_force=vocabulary.time_in_force(text(read(source, "tif"))),
        good_till=moment(until) if until else None,
        outside_rth=bool(read(source, "outsideRth")),
        cash_quantity=quantity(read(source, "cashQty")) or None,
        broker_type=word if kind is OrderType.OTHER else "",
    )
