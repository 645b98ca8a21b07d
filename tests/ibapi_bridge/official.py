"""Official objects with a few attributes set, and one call that translates."""

from datetime import UTC, datetime
from typing import Any

from ibapi.commission_and_fees_report import CommissionAndFeesReport
from ibapi.contract import Contract
from ibapi.execution import Execution
from ibapi.order import Order
from ibapi.order_state import OrderState

from actors.domain.identity import Epoch
from actors.messages.reports import Report
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.inbound import translate

AT = datetime(2026, 4, 13, 19, 30, tzinfo=UTC)
EPOCH = Epoch(3)


def put(target: Any, **attributes: object) -> Any:
    for name, value in attributes.items():
        assert hasattr(target, name), name
        setattr(target, name, value)
    return target


def contract(**attributes: object) -> Any:
    return put(Contract(), **{"symbol": "SPY", "secType": "STK", "exchange": "SMART", "currency": "USD", **attributes})


def order(**attributes: object) -> Any:
    return put(Order(), **{"action": "BUY", "orderType": "LMT", "tif": "DAY", **attributes})


def state(**attributes: object) -> Any:
    return put(OrderState(), **attributes)


def execution(**attributes: object) -> Any:
    return put(Execution(), **attributes)


def commission(**attributes: object) -> Any:
    return put(CommissionAndFeesReport(), **attributes)


def said(name: str, context: Conversation | None = None, /, **args: object) -> tuple[Report, ...]:
    return translate(name, args, at=AT, epoch=EPOCH, context=context or Conversation())
