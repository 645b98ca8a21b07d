"""Protobuf messages read without the official objects between: message id -> callback name and arguments.

The arguments carry the official parameter names, absent fields are absent, so ``inbound.translate`` reads them as it
reads official objects. This halves the work per message and keeps *absent* apart from *zero*. Those of orders, fills
and quotes go a shorter way still: ``hot_reports``.
"""

from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.message import Message

Args = dict[str, object]
Row = tuple[str, type[Message], Callable[[Any], Args]]


def message_class(name: str) -> Any:  # noqa: ANN401 - generated, untyped
    """A protobuf class of the installed official client."""
    return getattr(import_module(f"ibapi.protobuf.{name}_pb2"), name)


def _fields(message: Message) -> Args:
    return {field.name: value for field, value in message.ListFields()}


def _renamed(**names: str) -> Callable[[Message], Args]:
    def fields(message: Message) -> Args:
        return {names.get(field.name, field.name): value for field, value in message.ListFields()}

    return fields


ROWS: Final = MappingProxyType[int, Row](
    {
        4: ("error", message_class("ErrorMessage"), _renamed(id="reqId", errorMsg="errorString")),
        6: ("updateAccountValue", message_class("AccountValue"), _renamed(value="val")),
        9: ("nextValidId", message_class("NextValidId"), _fields),
        10: ("contractDetails", message_class("ContractData"), _fields),
        15: ("managedAccounts", message_class("ManagedAccounts"), _fields),
        18: ("bondContractDetails", message_class("ContractData"), _fields),
        45: ("tickGeneric", message_class("TickGeneric"), _fields),
        49: ("currentTime", message_class("CurrentTime"), _renamed(currentTime="time")),
        52: ("contractDetailsEnd", message_class("ContractDataEnd"), _fields),
        53: ("openOrderEnd", message_class("OpenOrdersEnd"), _fields),
        54: ("accountDownloadEnd", message_class("AccountDataEnd"), _fields),
        55: ("execDetailsEnd", message_class("ExecutionDetailsEnd"), _fields),
        62: ("positionEnd", message_class("PositionEnd"), _fields),
        63: ("accountSummary", message_class("AccountSummary"), _fields),
        64: ("accountSummaryEnd", message_class("AccountSummaryEnd"), _fields),
        91: ("rerouteMktDataReq", message_class("RerouteMarketDataRequest"), _fields),
        93: ("marketRule", message_class("MarketRule"), _fields),
        100: ("orderBound", message_class("OrderBound"), _fields),
        101: ("completedOrder", message_class("CompletedOrder"), _fields),
        102: ("completedOrdersEnd", message_class("CompletedOrdersEnd"), _fields),
        109: (
            "currentTimeInMillis",
            message_class("CurrentTimeInMillis"),
            _renamed(currentTimeInMillis="timeInMillis"),
        ),
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
