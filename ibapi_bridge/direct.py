"""Protobuf messages read without the official objects between: message id -> callback name and arguments.

The arguments carry the official parameter names, absent fields are absent, so ``inbound.translate`` reads them as it
reads official objects. This halves the work per message and keeps *absent* apart from *zero*.
"""

from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from google.protobuf.message import Message

Args = dict[str, object]
_Fields: TypeAlias = Any  # the generated classes carry no type information
Row = tuple[str, type[Message], Callable[[Any], Args]]


def _message(name: str) -> type[Message]:
    kind: type[Message] = getattr(import_module(f"ibapi.protobuf.{name}_pb2"), name)
    return kind


def _fields(message: Message) -> Args:
    return {field.name: value for field, value in message.ListFields()}


def _renamed(**names: str) -> Callable[[Message], Args]:
    def fields(message: Message) -> Args:
        return {names.get(field.name, field.name): value for field, value in message.ListFields()}

    return fields


def _order_status(message: _Fields) -> Args:
    has = message.HasField
    return {
        "orderId": message.orderId,
        "status": message.status,
        "filled": message.filled,
        "remaining": message.remaining,
        "avgFillPrice": message.avgFillPrice if has("avgFillPrice") else None,
        "permId": message.permId,
        "parentId": message.parentId,
        "lastFillPrice": message.lastFillPrice if has("lastFillPrice") else None,
        "clientId": message.clientId,
        "whyHeld": message.whyHeld,
        "mktCapPrice": message.mktCapPrice,
    }


def _open_order(message: _Fields) -> Args:
    return {
        "orderId": message.orderId,
        "contract": message.contract,
        "order": message.order,
        "orderState": message.orderState,
    }


def _execution(message: _Fields) -> Args:
    return {"reqId": message.reqId, "contract": message.contract, "execution": message.execution}


def _tick_price(message: _Fields) -> Args:
    return {
        "reqId": message.reqId,
        "tickType": message.tickType,
        "price": message.price,
        "size": message.size if message.HasField("size") else None,
    }


def _tick_size(message: _Fields) -> Args:
    return {"reqId": message.reqId, "tickType": message.tickType, "size": message.size}


def _commission(message: Message) -> Args:
    return {"commissionAndFeesReport": message}


ROWS: Final = MappingProxyType[int, Row](
    {
        1: ("tickPrice", _message("TickPrice"), _tick_price),
        2: ("tickSize", _message("TickSize"), _tick_size),
        3: ("orderStatus", _message("OrderStatus"), _order_status),
        4: ("error", _message("ErrorMessage"), _renamed(id="reqId", errorMsg="errorString")),
        5: ("openOrder", _message("OpenOrder"), _open_order),
        6: ("updateAccountValue", _message("AccountValue"), _renamed(value="val")),
        9: ("nextValidId", _message("NextValidId"), _fields),
        10: ("contractDetails", _message("ContractData"), _fields),
        11: ("execDetails", _message("ExecutionDetails"), _execution),
        15: ("managedAccounts", _message("ManagedAccounts"), _fields),
        18: ("bondContractDetails", _message("ContractData"), _fields),
        45: ("tickGeneric", _message("TickGeneric"), _fields),
        49: ("currentTime", _message("CurrentTime"), _renamed(currentTime="time")),
        52: ("contractDetailsEnd", _message("ContractDataEnd"), _fields),
        53: ("openOrderEnd", _message("OpenOrdersEnd"), _fields),
        54: ("accountDownloadEnd", _message("AccountDataEnd"), _fields),
        55: ("execDetailsEnd", _message("ExecutionDetailsEnd"), _fields),
        59: ("commissionAndFeesReport", _message("CommissionAndFeesReport"), _commission),
        61: ("position", _message("Position"), _fields),
        62: ("positionEnd", _message("PositionEnd"), _fields),
        63: ("accountSummary", _message("AccountSummary"), _fields),
        64: ("accountSummaryEnd", _message("AccountSummaryEnd"), _fields),
        91: ("rerouteMktDataReq", _message("RerouteMarketDataRequest"), _fields),
        93: ("marketRule", _message("MarketRule"), _fields),
        100: ("orderBound", _message("OrderBound"), _fields),
        101: ("completedOrder", _message("CompletedOrder"), _fields),
        102: ("completedOrdersEnd", _message("CompletedOrdersEnd"), _fields),
        109: ("currentTimeInMillis", _message("CurrentTimeInMillis"), _renamed(currentTimeInMillis="timeInMillis")),
    }
)
"""Message id (without the protobuf offset) -> callback, message class, how its arguments are read."""

UNHEARD: Final = frozenset({7, 8, 46, 57, 58, 81})
"""Known ids that say nothing we need (portfolio rows, account time, string ticks, ...): not even decoded."""


def read_message(message_id: int, content: bytes) -> tuple[str, Args] | None:
    """Callback name and arguments of a protobuf message; None when only the official decoder knows it.

    Raises:
        google.protobuf.message.DecodeError: the content is no such message.
    """
    row = ROWS.get(message_id)
    if row is None:
        return None
    name, kind, arguments = row
    message = kind()
    message.ParseFromString(content)
    return name, arguments(message)
