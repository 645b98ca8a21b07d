"""An honest venue behind a mischievous mail service: the other side of the order machines."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from actors.domain.contract import Contract
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OmsId, OrderId, PermId, RequestId
from actors.domain.terms import Order
from actors.messages.reports import (
    BrokerStatus,
    CommissionReported,
    CompletedOrderReported,
    ExecutionReported,
    NoticeEffect,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.wire import CancelPlacedOrder, PlaceOrder, QuerySnapshot, ReplacePlacedOrder

ACCOUNT = Account("DU1234567")
CLIENT = ClientId(1)


@attrs.define(kw_only=True)
class VenueOrder:
    """An order as the venue knows it."""

    oms_id: OmsId
    order_id: OrderId
    perm_id: PermId
    contract: Contract
    terms: Order
    status: BrokerStatus = BrokerStatus.WORKING
    rejected: str = ""
    executions: dict[str, ExecutionReported] = attrs.field(factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status is BrokerStatus.WORKING

    @property
    def filled(self) -> Decimal:
        return sum((execution.quantity for execution in self.executions.values()), Decimal(0))


class Venue:
    """Does what it is told and says truthfully what happened, to whoever is connected."""

    def __init__(self) -> None:
        self.orders: dict[OmsId, VenueOrder] = {}
        self.epoch = Epoch(0)
        self.connected = False
        self.mail: list[tuple[Any, ...]] = []
        self._executions = 0
        self._order_ids: set[OrderId] = set()
        self._perm_ids = 1000

    def post(self, *reports: Any) -> None:
        """Each report is a letter of its own; lost when nobody is connected."""
        if self.connected:
            self.mail.extend((report,) for report in reports)

    # --- what it is told ---

    def obey(self, command: Any, at: datetime, *, reject: bool) -> None:
        match command:
            case PlaceOrder():
                self._place(command, at, reject=reject)
            case ReplacePlacedOrder():
                self._replace(command, at, reject=reject)
            case CancelPlacedOrder():
                self._cancel(command, at)
            case QuerySnapshot():
                self._answer(command, at)
            case _:
                raise TypeError(command)

    def _place(self, command: PlaceOrder, at: datetime, *, reject: bool) -> None:
        assert command.oms_id not in self.orders, "sent twice"
        assert command.order_id not in self._order_ids, "an order id was used again"
        self._order_ids.add(command.order_id)
        if reject and command.order_id % 2:
            self.post(self._refusal(command.order_id, at))
            return
        self._perm_ids += 1
        order = VenueOrder(
            oms_id=command.oms_id,
            order_id=command.order_id,
            perm_id=PermId(self._perm_ids),
            contract=command.instrument.contract,
            terms=command.order,
        )
        self.orders[command.oms_id] = order
        if reject:
            order.status, order.rejected = BrokerStatus.CANCELED, "margin"
            self.post(self._status(order, at, BrokerStatus.INACTIVE), self._refusal(order.order_id, at))
        else:
            self.tell_terms(order, at)

    def _replace(self, command: ReplacePlacedOrder, at: datetime, *, reject: bool) -> None:
        order = self.orders.get(command.oms_id)
        if order is None or not order.is_open or reject or command.order.quantity < order.filled:
            self.post(self._refusal(command.order_id, at))
            return
        order.terms = command.order
        if order.filled == order.terms.quantity:
            order.status = BrokerStatus.FILLED
        self.tell_terms(order, at)

    def _cancel(self, command: CancelPlacedOrder, at: datetime) -> None:
        order = self.orders.get(command.oms_id)
        if order is None:
            self.post(self._notice(command.order_id, at, 10147, NoticeEffect.REQUEST_OFF))
        elif order.is_open:
            order.status = BrokerStatus.CANCELED
            confirmation = self._notice(order.order_id, at, 202, NoticeEffect.CANCELED)
            pending = self._status(order, at, BrokerStatus.CANCEL_PENDING)
            self.post(pending, self._status(order, at), confirmation)
        elif order.status is BrokerStatus.FILLED:
            self.post(self._notice(order.order_id, at, 10148, NoticeEffect.FILLED))
        else:
            self.post(self._notice(order.order_id, at, 10147, NoticeEffect.REQUEST_OFF))

    # --- what happens by itself ---

    def fill(self, order: VenueOrder, quantity: Decimal, at: datetime) -> None:
        self._executions += 1
        exec_id = ExecId(f"x{self._executions}.01")
        execution = self._execution(order, exec_id, quantity, Decimal(self._executions), at)
        order.executions[f"x{self._executions}"] = execution
        if order.filled >= order.terms.quantity:
            order.status = BrokerStatus.FILLED
        self.post(execution, self._status(order, at), self._commission(exec_id, at))

    def correct(self, order: VenueOrder, quantity: Decimal, at: datetime) -> None:
        """The last execution was smaller than said; the order is not reopened."""
        family, known = list(order.executions.items())[-1]
        number = int(known.exec_id.rpartition(".")[2]) + 1
        exec_id = ExecId(f"{family}.{number:02}")
        order.executions[family] = attrs.evolve(known, exec_id=exec_id, quantity=quantity, at=at, epoch=self.epoch)
        self.post(order.executions[family], self._commission(exec_id, at))

    def cancel_itself(self, order: VenueOrder, at: datetime) -> None:
        order.status = BrokerStatus.CANCELED
        self.post(self._status(order, at))

    def tell_terms(self, order: VenueOrder, at: datetime) -> None:
        self.post(self._echo(order, at), self._status(order, at))

    # --- what it says ---

    def _answer(self, query: QuerySnapshot, at: datetime) -> None:
        letter: list[Any] = []
        match query.kind:
            case SnapshotKind.OPEN_ORDERS:
                for order in self.orders.values():
                    if order.is_open:
                        letter += [attrs.evolve(self._echo(order, at), snapshot=True), self._status(order, at)]
            case SnapshotKind.EXECUTIONS:
                for order in self.orders.values():
                    for execution in order.executions.values():
                        letter.append(
                            attrs.evolve(execution, at=at, epoch=self.epoch, request_id=RequestId(len(letter)))
                        )
            case SnapshotKind.COMPLETED_ORDERS:
                letter += [self._completed(order, at) for order in self.orders.values() if not order.is_open]
            case _:
                pass
        letter.append(SnapshotEnded(at=at, epoch=self.epoch, kind=query.kind))
        if self.connected:
            self.mail.append(tuple(letter))

    def _status(self, order: VenueOrder, at: datetime, status: BrokerStatus | None = None) -> OrderStatusReported:
        return OrderStatusReported(
            at=at,
            epoch=self.epoch,
            order_id=order.order_id,
            status=status if status is not None else order.status,
            perm_id=order.perm_id,
            client_id=CLIENT,
            filled=order.filled,
        )

    def _echo(self, order: VenueOrder, at: datetime) -> OpenOrderReported:
        return OpenOrderReported(
            at=at,
            epoch=self.epoch,
            order_id=order.order_id,
            contract=order.contract,
            order=order.terms,
            status=order.status,
            perm_id=order.perm_id,
            client_id=CLIENT,
            account=ACCOUNT,
            order_ref=order.oms_id,
        )

    def _completed(self, order: VenueOrder, at: datetime) -> CompletedOrderReported:
        return CompletedOrderReported(
            at=at,
            epoch=self.epoch,
            contract=order.contract,
            order=order.terms,
            status=order.status,
            perm_id=order.perm_id,
            account=ACCOUNT,
            order_ref=order.oms_id,
            reject_reason=order.rejected,
        )

    def _execution(
        self, order: VenueOrder, exec_id: ExecId, quantity: Decimal, price: Decimal, at: datetime
    ) -> ExecutionReported:
        return ExecutionReported(
            at=at,
            epoch=self.epoch,
            exec_id=exec_id,
            contract=order.contract,
            side=order.terms.side,
            quantity=quantity,
            price=price,
            order_id=order.order_id,
            perm_id=order.perm_id,
            client_id=CLIENT,
            account=ACCOUNT,
            order_ref=order.oms_id,
        )

    def _commission(self, exec_id: ExecId, at: datetime) -> CommissionReported:
        return CommissionReported(at=at, epoch=self.epoch, exec_id=exec_id, commission=Decimal(1), currency="USD")

    def _notice(self, order_id: OrderId, at: datetime, code: int, on_cancel: NoticeEffect) -> NoticeReported:
        return NoticeReported(
            at=at,
            epoch=self.epoch,
            code=code,
            text="as the broker put it",
            subject=order_id,
            on_new=on_cancel if code == 202 else NoticeEffect.VERIFY,
            on_modify=on_cancel if code == 202 else NoticeEffect.VERIFY,
            on_cancel=on_cancel,
        )

    def _refusal(self, order_id: OrderId, at: datetime) -> NoticeReported:
        return NoticeReported(
            at=at,
            epoch=self.epoch,
            code=201,
            text="refused",
            subject=order_id,
            on_new=NoticeEffect.REJECTED,
            on_modify=NoticeEffect.REFUSED,
            on_cancel=NoticeEffect.VERIFY,
        )
