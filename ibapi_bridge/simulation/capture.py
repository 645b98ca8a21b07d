"""A simulated session's conversation as a capture: the broker's own callbacks and requests (``docs/captures.md``)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final

from ibapi.order_cancel import OrderCancel

from actors.domain.contract import Contract
from actors.domain.terms import Order, OrderType
from actors.link import SendError
from actors.messages import reports
from actors.messages.reports import BrokerStatus, LinkCondition, SnapshotKind
from actors.messages.wire import (
    CancelPlacedOrder,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
)
from ibapi_bridge.capture import Recorder
from ibapi_bridge.outbound import official_contract, place_order
from ibapi_bridge.vocabulary import CONDITIONS, ORDER_TYPES, sec_type_word

Said = tuple[str, dict[str, Any]]
Spoken = tuple[datetime, str, Any]

_CLIENT: Final = 1
_SERVER_VERSION: Final = 200
_REQUEST: Final = 10_000_000
_STATUS_WORDS: Final = MappingProxyType(
    {
        BrokerStatus.PENDING: "PendingSubmit",
        BrokerStatus.HELD: "PreSubmitted",
        BrokerStatus.WORKING: "Submitted",
        BrokerStatus.CANCEL_PENDING: "PendingCancel",
        BrokerStatus.CANCELED: "Cancelled",
        BrokerStatus.FILLED: "Filled",
        BrokerStatus.INACTIVE: "Inactive",
        BrokerStatus.UNKNOWN: "Unknown",
    }
)
_CODES: Final = MappingProxyType({condition: code for code, condition in reversed(list(CONDITIONS.items()))})
_QUESTIONS: Final[Mapping[SnapshotKind, Said]] = MappingProxyType(
    {
        SnapshotKind.OPEN_ORDERS: ("reqAllOpenOrders", {}),
        SnapshotKind.EXECUTIONS: ("reqExecutions", {"reqId": _REQUEST}),
        SnapshotKind.COMPLETED_ORDERS: ("reqCompletedOrders", {"apiOnly": False}),
        SnapshotKind.POSITIONS: ("reqPositions", {}),
        SnapshotKind.ACCOUNT: ("reqAccountSummary", {"reqId": _REQUEST + 1, "groupName": "All"}),
    }
)
_ENDS: Final[Mapping[SnapshotKind, Said]] = MappingProxyType(
    {
        SnapshotKind.OPEN_ORDERS: ("openOrderEnd", {}),
        SnapshotKind.EXECUTIONS: ("execDetailsEnd", {"reqId": _REQUEST}),
        SnapshotKind.COMPLETED_ORDERS: ("completedOrdersEnd", {}),
        SnapshotKind.POSITIONS: ("positionEnd", {}),
        SnapshotKind.ACCOUNT: ("accountSummaryEnd", {"reqId": _REQUEST + 1}),
    }
)


def save_capture(path: Path, spoken: Sequence[Spoken]) -> None:
    """Write a conversation, each line at its market time; a file of that name is replaced.

    Raises:
        CaptureError: the file cannot be written.
    """
    path.unlink(missing_ok=True)
    recorder = Recorder(path)
    for at, direction, message in spoken:
        match direction:
            case "connected":
                recorder.connected(_SERVER_VERSION, _CLIENT, at=at)
            case "disconnected":
                recorder.disconnected("simulated", at=at)
            case "in":
                for name, args in said(message):
                    recorder.told(name, args, at=at)
            case _:
                for name, args in asked(message):
                    recorder.asked(name, args, at=at)
    recorder.close()


def asked(command: object) -> Iterator[Said]:
    """A command as the request it becomes; none for our own heartbeat."""
    match command:
        case PlaceOrder() | ReplacePlacedOrder():
            try:
                yield place_order(command, _CLIENT)
            except SendError:
                return
        case CancelPlacedOrder():
            yield "cancelOrder", {"orderId": command.order_id, "orderCancel": OrderCancel()}
        case QuerySnapshot():
            yield _QUESTIONS[command.kind]
        case QualifyContract():
            yield "reqContractDetails", {"reqId": _REQUEST + 2, "contract": official_contract(command.wanted)}
        case _:
            return


def said(report: object) -> Iterator[Said]:
    """A report as the callback it came from; none for what a capture does not need (server time, contract details)."""
    speak = _CALLBACKS.get(type(report))
    if speak is not None:
        yield speak(report)


def _status(report: reports.OrderStatusReported) -> Said:
    return "orderStatus", {
        "orderId": report.order_id,
        "status": _STATUS_WORDS[report.status],
        "filled": report.filled,
        "remaining": report.remaining,
        "avgFillPrice": 0.0,
        "permId": report.perm_id,
        "parentId": 0,
        "lastFillPrice": 0.0,
        "clientId": report.client_id,
        "whyHeld": report.why_held,
        "mktCapPrice": 0.0,
    }


def _open_order(report: reports.OpenOrderReported) -> Said:
    order = _order(report.order, report.account, report.order_ref, report.perm_id)
    order.orderId, order.clientId = report.order_id, report.client_id
    state = SimpleNamespace(status=_STATUS_WORDS[report.status], rejectReason=report.reject_reason)
    return "openOrder", {
        "orderId": report.order_id,
        "contract": _contract(report.contract),
        "order": order,
        "orderState": state,
    }


def _completed(report: reports.CompletedOrderReported) -> Said:
    order = _order(report.order, report.account, report.order_ref, report.perm_id)
    state = SimpleNamespace(
        status=_STATUS_WORDS[report.status],
        completedStatus=report.completed_status,
        rejectReason=report.reject_reason,
    )
    return "completedOrder", {"contract": _contract(report.contract), "order": order, "orderState": state}


def _execution(report: reports.ExecutionReported) -> Said:
    execution = SimpleNamespace(
        execId=report.exec_id,
        time=f"{report.executed_at:%Y%m%d-%H:%M:%S}" if report.executed_at is not None else "",
        acctNumber=report.account,
        exchange=report.venue,
        side="BOT" if report.side.sign > 0 else "SLD",
        shares=report.quantity,
        price=float(report.price),
        permId=report.perm_id,
        clientId=report.client_id,
        orderId=report.order_id,
        cumQty=report.cumulative_quantity,
        avgPrice=float(report.average_price or Decimal(0)),
        orderRef=report.order_ref,
    )
    request = -1 if report.request_id is None else _REQUEST
    return "execDetails", {"reqId": request, "contract": _contract(report.contract), "execution": execution}


def _commission(report: reports.CommissionReported) -> Said:
    costs = SimpleNamespace(
        execId=report.exec_id, commissionAndFees=float(report.commission or 0), currency=report.currency
    )
    return "commissionAndFeesReport", {"commissionAndFeesReport": costs}


def _notice(report: reports.NoticeReported) -> Said:
    return "error", {
        "reqId": -1 if report.subject is None else report.subject,
        "errorTime": int(report.at.timestamp() * 1000),
        "errorCode": report.code,
        "errorString": report.text,
        "advancedOrderRejectJson": report.advanced_reject,
    }


def _condition(report: reports.LinkConditionReported) -> Said:
    return "error", {
        "reqId": -1,
        "errorTime": int(report.at.timestamp() * 1000),
        "errorCode": _CODES.get(report.condition, _CODES[LinkCondition.BACKEND_LOST]),
        "errorString": report.text,
        "advancedOrderRejectJson": "",
    }


def _position(report: reports.PositionReported) -> Said:
    return "position", {
        "account": report.account,
        "contract": _contract(report.contract),
        "position": report.quantity,
        "avgCost": float(report.average_cost or 0),
    }


def _account_value(report: reports.AccountValueReported) -> Said:
    return "accountSummary", {
        "reqId": _REQUEST + 1,
        "account": report.account,
        "tag": report.key,
        "value": report.value,
        "currency": report.currency,
    }


def _contract(contract: Contract) -> SimpleNamespace:
    return SimpleNamespace(
        conId=contract.con_id,
        symbol=contract.symbol,
        secType=sec_type_word(contract.sec_type),
        currency=contract.currency,
        exchange=contract.exchange,
        localSymbol=contract.local_symbol or contract.symbol,
    )


def _order(order: Order, account: str, order_ref: str, perm_id: int) -> SimpleNamespace:
    return SimpleNamespace(
        action=order.side.value,
        totalQuantity=order.quantity,
        orderType=ORDER_TYPES.get(order.order_type, ORDER_TYPES[OrderType.MARKET]),
        lmtPrice=float(order.limit_price or 0),
        auxPrice=float(order.stop_price or 0),
        tif=order.time_in_force.value,
        account=account,
        orderRef=order_ref,
        permId=perm_id,
        outsideRth=order.outside_rth,
    )


_CALLBACKS: Final[Mapping[type[object], Callable[[Any], Said]]] = MappingProxyType(
    {
        reports.OrderStatusReported: _status,
        reports.OpenOrderReported: _open_order,
        reports.CompletedOrderReported: _completed,
        reports.ExecutionReported: _execution,
        reports.CommissionReported: _commission,
        reports.NoticeReported: _notice,
        reports.LinkConditionReported: _condition,
        reports.PositionReported: _position,
        reports.AccountValueReported: _account_value,
        reports.SnapshotEnded: lambda report: _ENDS[report.kind],
        reports.NextOrderIdReported: lambda report: ("nextValidId", {"orderId": report.order_id}),
        reports.AccountsReported: lambda report: ("managedAccounts", {"accountsList": ",".join(report.accounts)}),
    }
)
