"""The conditions in a client's order, as the venue understands them."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from ibapi_bridge.gateway_simulator import times
from ibapi_bridge.gateway_simulator.exchange.types import Condition, ConditionKind
from ibapi_bridge.gateway_simulator.protos import Message

KINDS: Mapping[int, ConditionKind] = {
    1: "price",
    3: "time",
    4: "margin",
    5: "execution",
    6: "volume",
    7: "change",
}
_NUMBERS: Mapping[ConditionKind, Callable[[Message], float]] = {
    "price": lambda condition: condition.price,
    "margin": lambda condition: condition.percent,
    "volume": lambda condition: condition.volume,
    "change": lambda condition: condition.changePercent,
}


def conditions_of(order: Message, default_zone: str) -> tuple[Condition, ...]:
    """The conditions of an order, first to last.

    Raises:
        ValueError: a kind, a number or a time is not one.
    """
    return tuple(_condition(condition, default_zone) for condition in order.conditions)


def _condition(message: Message, default_zone: str) -> Condition:
    kind = KINDS.get(message.type)
    if kind is None:
        raise ValueError(f"{message.type} is not a type of condition")
    return Condition(
        kind=kind,
        conjunction=message.isConjunctionConnection,
        is_more=message.isMore,
        con_id=message.conId,
        number=_number(kind, message),
        at=_time(message.time, default_zone) if kind == "time" else None,
        trigger_method=message.triggerMethod if kind == "price" else 0,
        symbol=message.symbol,
        sec_type=message.secType,
        exchange=message.exchange,
    )


def _number(kind: ConditionKind, message: Message) -> Decimal:
    number = _NUMBERS[kind](message) if kind in _NUMBERS else 0
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a number for a condition")
    return Decimal(repr(number))


def _time(text: str, default_zone: str) -> datetime:
    return times.parse(text, default_zone)
