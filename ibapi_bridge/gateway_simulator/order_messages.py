"""The messages that describe an order to a client: openOrder, orderStatus, execDetails, completedOrder."""

from decimal import Decimal

from ibapi.message import IN

from ibapi_bridge.gateway_simulator import times
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.exchange.types import Execution
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.translation import HELD_BY_TRIGGER

SIDES = {"BUY": "BOT", "SELL": "SLD"}
LIQUIDITY = {"added": 1, "removed": 2}
UNSET_DOUBLE = 1.7976931348623157e308
NEVER_A_CLIENTS = ("autoCancelDate", "filledQuantity", "parentPermId", "refFuturesConId", "shareholder")

_OPEN_ORDER = REPLIES[IN.OPEN_ORDER].message
_ORDER_STATUS = REPLIES[IN.ORDER_STATUS].message
_EXECUTION = REPLIES[IN.EXECUTION_DATA].message
_COMPLETED = REPLIES[IN.COMPLETED_ORDER].message


def plain(value: Decimal) -> str:
    """A decimal as a never-empty string without exponent or trailing zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text not in {"", "-0"} else "0"


def open_order(order: ApiOrder, *, status: str | None = None, limit: float | None = None) -> Message:
    """The openOrder echo; `limit` replaces the echoed limit price of this one message."""
    message = _OPEN_ORDER(orderId=order.order_id)
    message.contract.CopyFrom(order.contract)
    message.order.CopyFrom(order.order)
    if limit is not None:
        message.order.lmtPrice = limit
    message.orderState.status = status or order.status
    if order.reject_reason:
        message.orderState.rejectReason = order.reject_reason
    return message


def order_status(order: ApiOrder, *, status: str | None = None, client_id: int | None = None) -> Message:
    """The orderStatus of an order as it stands; `client_id` names a canceller instead of the owner."""
    return _ORDER_STATUS(
        orderId=order.order_id,
        status=status or order.status,
        filled=plain(order.filled),
        remaining=plain(max(order.quantity - order.filled, Decimal(0))),
        avgFillPrice=float(order.avg_price),
        permId=order.perm_id,
        parentId=order.order.parentId,
        lastFillPrice=float(order.last_price),
        clientId=order.client_id if client_id is None else client_id,
        whyHeld=order.why_held,
        mktCapPrice=0.0,
    )


def execution(
    fill: Execution, contract: Message, *, request_id: int, zone: str, version: int, submitter: str
) -> Message:
    """The execDetails of a fill; `request_id` is -1 for a live one."""
    message = _EXECUTION(reqId=request_id)
    message.contract.CopyFrom(contract)
    detail = message.execution
    detail.orderId = fill.order_id
    detail.execId = fill.exec_id
    detail.time = times.stamp(fill.at, zone, version)
    detail.acctNumber = fill.account
    detail.exchange = fill.venue
    detail.side = SIDES[fill.side]
    detail.shares = plain(fill.quantity)
    detail.price = float(fill.price)
    detail.permId = fill.perm_id
    detail.clientId = fill.client_id
    detail.isLiquidation = fill.liquidation
    detail.cumQty = plain(fill.cum_quantity)
    detail.avgPrice = float(fill.avg_price)
    detail.orderRef = fill.order_ref
    detail.evRule = ""
    detail.evMultiplier = 0.0
    detail.modelCode = ""
    detail.lastLiquidity = LIQUIDITY[fill.liquidity]
    detail.isPriceRevisionPending = False
    detail.submitter = submitter
    return message


def completed_order(order: ApiOrder, *, zone: str, version: int) -> Message:
    """The completedOrder row: no API order id, the fill in filledQuantity, quantities otherwise zero."""
    message = _COMPLETED()
    message.contract.CopyFrom(order.contract)
    message.order.CopyFrom(order.order)
    message.order.ClearField("orderId")
    message.order.totalQuantity = "0"
    message.order.filledQuantity = plain(order.filled)
    state = message.orderState
    state.status = "Cancelled" if order.status == "Inactive" else order.status
    state.completedStatus = order.completed_status
    if order.completed_at is not None:
        state.completedTime = times.stamp(order.completed_at, zone, version)
    return message


def echo(order: Message, *, client_id: int, order_id: int, perm_id: int, account: str) -> Message:
    """The order as the gateway repeats it: the client's fields with the gateway's defaults filled in.

    What only a gateway says of an order is not taken from a client: nobody else could read it if it were nonsense.
    """
    echoed = type(order)()
    echoed.CopyFrom(order)
    for name in NEVER_A_CLIENTS:
        echoed.ClearField(name)
    echoed.clientId = client_id
    echoed.orderId = order_id
    echoed.permId = perm_id
    echoed.account = account
    echoed.tif = order.tif or "DAY"
    echoed.clearingIntent = order.clearingIntent or "IB"
    echoed.ocaType = order.ocaType or 3
    echoed.dontUseAutoPriceForHedge = True
    echoed.volatilityType = 0
    echoed.ClearField("transmit")
    if order.orderType in HELD_BY_TRIGGER and not order.HasField("lmtPrice"):
        echoed.lmtPrice = 0.0
    if not order.HasField("trailStopPrice") and order.orderType in {"LMT", "MKT"} and order.lmtPrice:
        echoed.trailStopPrice = order.lmtPrice + (1 if order.action == "SELL" else -1)
    return echoed
