"""Protobuf message -> report in one step, for the messages that come with every order and fill, and for quotes.

The same statements through ``inbound.translate`` give equal reports (a test holds them together); here a message is
read without a dictionary of arguments between, which halves the work on the thread that also decodes.
"""

from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from actors.domain.identity import Account, ClientId, Epoch, ExecId, OrderId, PermId, RequestId
from actors.messages.reports import (
    CommissionReported,
    ExecutionReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    Report,
    SnapshotKind,
)
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.direct import message_class
from ibapi_bridge.figures import Untranslatable, figure, identity, integer, name, needed, quantity, remark, text, whole
from ibapi_bridge.inbound_terms import contract_of, order_of
from ibapi_bridge.quotes import QuoteFold
from ibapi_bridge.times import execution_time
from ibapi_bridge.vocabulary import broker_status, side, status_word

Reader = Callable[[Any, datetime, Epoch, Conversation], Report | None]
_Fields = Any  # the generated classes carry no type information


def _order_status(said: _Fields, at: datetime, epoch: Epoch, _: Conversation) -> Report:
    word, has = status_word(said.status), said.HasField
    return OrderStatusReported(
        at=at,
        epoch=epoch,
        order_id=OrderId(whole(said.orderId)),
        status=broker_status(word),
        raw_status=word,
        perm_id=PermId(integer(said.permId)),
        client_id=ClientId(whole(said.clientId)),
        filled=quantity(said.filled),
        remaining=quantity(said.remaining),
        average_price=figure(said.avgFillPrice) if has("avgFillPrice") else None,
        last_price=figure(said.lastFillPrice) if has("lastFillPrice") else None,
        parent_id=OrderId(whole(said.parentId)),
        why_held=remark(said.whyHeld, 256),
        price_cap=figure(said.mktCapPrice) or None,
    )


def _open_order(said: _Fields, at: datetime, epoch: Epoch, context: Conversation) -> Report:
    contract, order, state = contract_of(said.contract), said.order, said.orderState
    word = status_word(state.status)
    return OpenOrderReported(
        at=at,
        epoch=epoch,
        order_id=OrderId(whole(said.orderId)),
        contract=contract,
        order=order_of(contract, order),
        status=broker_status(word),
        raw_status=word,
        perm_id=PermId(integer(order.permId)),
        client_id=ClientId(whole(order.clientId)),
        account=Account(name(order.account)),
        order_ref=identity(order.orderRef),
        parent_id=OrderId(whole(order.parentId)),
        filled=quantity(order.filledQuantity),
        reject_reason=remark(state.rejectReason),
        warning=remark(state.warningText),
        what_if=order.whatIf,
        snapshot=context.is_pending(SnapshotKind.OPEN_ORDERS),
    )


def _execution(said: _Fields, at: datetime, epoch: Epoch, _: Conversation) -> Report:
    source, request_id = said.execution, whole(said.reqId)
    exec_id, order_id, has = identity(source.execId), whole(source.orderId), source.HasField
    if not exec_id:
        raise Untranslatable("execId is empty: an execution needs one")
    return ExecutionReported(
        at=at,
        epoch=epoch,
        exec_id=ExecId(exec_id),
        contract=contract_of(said.contract),
        side=side(name(source.side)),
        quantity=needed("shares", quantity(source.shares), source.shares),
        price=needed("price", figure(source.price) if has("price") else None, source.price),
        executed_at=execution_time(text(source.time, 256), at),
        request_id=RequestId(request_id) if request_id > 0 else None,
        order_id=OrderId(order_id) if order_id else None,
        perm_id=PermId(integer(source.permId)),
        client_id=ClientId(whole(source.clientId)),
        account=Account(name(source.acctNumber)),
        order_ref=identity(source.orderRef),
        cumulative_quantity=quantity(source.cumQty),
        average_price=figure(source.avgPrice) if has("avgPrice") else None,
        venue=name(source.exchange),
        liquidity=whole(source.lastLiquidity),
        liquidation=source.isLiquidation,
    )


def _commission(said: _Fields, at: datetime, epoch: Epoch, _: Conversation) -> Report:
    has = said.HasField
    return CommissionReported(
        at=at,
        epoch=epoch,
        exec_id=ExecId(identity(said.execId)),
        commission=figure(said.commissionAndFees) if has("commissionAndFees") else None,
        currency=name(said.currency),
        realized_pnl=figure(said.realizedPNL) if has("realizedPNL") else None,
    )


def _position(said: _Fields, at: datetime, epoch: Epoch, _: Conversation) -> Report:
    return PositionReported(
        at=at,
        epoch=epoch,
        account=Account(name(said.account)),
        contract=contract_of(said.contract),
        quantity=needed("position", figure(said.position), said.position or None),
        average_cost=figure(said.avgCost) if said.HasField("avgCost") else None,
    )


def _tick_price(said: _Fields, at: datetime, epoch: Epoch, context: Conversation) -> Report | None:
    fold = context.asked.get(said.reqId)
    if not isinstance(fold, QuoteFold):
        return None
    return fold.price(said.tickType, said.price, said.size if said.HasField("size") else None, at=at, epoch=epoch)


def _tick_size(said: _Fields, at: datetime, epoch: Epoch, context: Conversation) -> Report | None:
    fold = context.asked.get(said.reqId)
    return fold.size(said.tickType, said.size, at=at, epoch=epoch) if isinstance(fold, QuoteFold) else None


READERS: Final = MappingProxyType[int, tuple[str, Any, Reader]](
    {
        1: ("tickPrice", message_class("TickPrice"), _tick_price),
        2: ("tickSize", message_class("TickSize"), _tick_size),
        3: ("orderStatus", message_class("OrderStatus"), _order_status),
        5: ("openOrder", message_class("OpenOrder"), _open_order),
        11: ("execDetails", message_class("ExecutionDetails"), _execution),
        59: ("commissionAndFeesReport", message_class("CommissionAndFeesReport"), _commission),
        61: ("position", message_class("Position"), _position),
    }
)
"""Message id (without the protobuf offset) -> callback name, message class, how it is read (None: nothing new)."""
