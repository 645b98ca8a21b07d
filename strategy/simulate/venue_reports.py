"""The simulated broker's words: what it says of orders, executions, positions and its connection."""

from datetime import datetime
from decimal import Decimal

from actors.domain.contract import Contract
from actors.domain.identity import Account, ClientId, Epoch, OrderId, RequestId
from actors.messages.reports import (
    BrokerStatus,
    CommissionReported,
    CompletedOrderReported,
    ExecutionReported,
    NoticeEffect,
    NoticeKind,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
)
from strategy.simulate.venue_order import VenueExecution, VenueOrder

_NOTHING = (NoticeEffect.NONE, NoticeEffect.NONE, NoticeEffect.NONE)
_VERIFY = NoticeEffect.VERIFY
NOTICES: dict[int, tuple[NoticeKind, tuple[NoticeEffect, NoticeEffect, NoticeEffect], str]] = {
    201: (NoticeKind.REJECT, (NoticeEffect.REJECTED, _VERIFY, _VERIFY), "Order rejected - reason: not accepted today"),
    202: (NoticeKind.CANCEL_CONFIRMED, (NoticeEffect.CANCELED,) * 3, "Order Canceled - reason:"),
    399: (NoticeKind.WARNING, _NOTHING, "Order message: your order will be looked at"),
    404: (NoticeKind.WARNING, _NOTHING, "Order held while securities are located"),
    10148: (NoticeKind.CANCEL_REFUSED, (NoticeEffect.FILLED,) * 3, "can not be cancelled, state: Filled."),
    10349: (NoticeKind.WARNING, _NOTHING, "Order TIF was set to DAY based on order preset."),
}
"""Codes the simulated broker uses, with what they prove for a new order, a modification and a cancel."""


class Words:
    """Makes reports of one connection."""

    def __init__(self, client_id: ClientId) -> None:
        self.client_id = client_id
        self.epoch = Epoch(0)

    def status(self, order: VenueOrder, at: datetime, *, status: BrokerStatus | None = None) -> OrderStatusReported:
        """Where an order stands."""
        return OrderStatusReported(
            at=at,
            epoch=self.epoch,
            order_id=order.order_id,
            status=order.status if status is None else status,
            perm_id=order.perm_id,
            client_id=self.client_id,
            filled=order.filled,
            remaining=order.remaining,
            why_held="locate" if order.status is BrokerStatus.INACTIVE and not order.reject_reason else "",
        )

    def echo(self, order: VenueOrder, at: datetime, *, snapshot: bool = False) -> OpenOrderReported:
        """An order with its terms."""
        return OpenOrderReported(
            at=at,
            epoch=self.epoch,
            order_id=order.order_id,
            contract=order.contract,
            order=order.terms,
            status=order.status,
            perm_id=order.perm_id,
            client_id=self.client_id,
            account=order.account,
            order_ref=order.oms_id,
            why_held="locate" if order.status is BrokerStatus.INACTIVE and not order.reject_reason else "",
            reject_reason=order.reject_reason,
            snapshot=snapshot,
        )

    def completed(self, order: VenueOrder, at: datetime, *, with_figure: bool) -> CompletedOrderReported:
        """A row of the list of orders that ended today; the broker leaves out what was filled at times."""
        return CompletedOrderReported(
            at=at,
            epoch=self.epoch,
            contract=order.contract,
            order=order.terms,
            status=order.status,
            perm_id=order.perm_id,
            account=order.account,
            order_ref=order.oms_id,
            filled=order.filled if with_figure else None,
            completed_status=order.status.value,
            reject_reason=order.reject_reason,
        )

    def execution(
        self, execution: VenueExecution, at: datetime, *, request_id: RequestId | None = None
    ) -> ExecutionReported:
        """One fill, pushed or in answer to a query."""
        order = execution.order
        return ExecutionReported(
            at=at,
            epoch=self.epoch,
            exec_id=execution.exec_id,
            contract=order.contract,
            side=order.terms.side,
            quantity=execution.quantity,
            price=execution.price,
            executed_at=execution.at,
            request_id=request_id,
            order_id=order.order_id,
            perm_id=order.perm_id,
            client_id=self.client_id,
            account=order.account,
            order_ref=order.oms_id,
            cumulative_quantity=execution.cumulative,
            average_price=execution.average,
        )

    def commission(self, execution: VenueExecution, at: datetime) -> CommissionReported:
        """What a fill cost."""
        return CommissionReported(
            at=at, epoch=self.epoch, exec_id=execution.exec_id, commission=execution.commission, currency="USD"
        )

    def notice(self, order_id: OrderId, code: int, at: datetime) -> NoticeReported:
        """A coded notice about an order."""
        kind, (on_new, on_modify, on_cancel), text = NOTICES[code]
        return NoticeReported(
            at=at,
            epoch=self.epoch,
            code=code,
            text=text,
            subject=order_id,
            kind=kind,
            on_new=on_new,
            on_modify=on_modify,
            on_cancel=on_cancel,
        )

    def position(self, account: Account, contract: Contract, quantity: Decimal, at: datetime) -> PositionReported:
        """A row of the broker's positions."""
        return PositionReported(at=at, epoch=self.epoch, account=account, contract=contract, quantity=quantity)
