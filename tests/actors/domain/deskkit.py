"""Short words for tests of the desk: a rig with one instrument, and the reports a broker would send."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import attrs

from actors.domain.contract import Contract, Instrument, Leg, SecType
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OmsId, OrderId, PermId, RequestId
from actors.domain.order_state import OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import CancelOrder, ReplaceOrder, SubmitOrder
from actors.messages.reports import (
    BrokerStatus,
    CommissionReported,
    CompletedOrderReported,
    ExecutionReported,
    InstrumentReported,
    NoticeEffect,
    NoticeKind,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    SnapshotEnded,
)
from actors.messages.system import SessionChanged, SessionState, Tick
from actors.messages.wire import QuerySnapshot

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
ACCOUNT = Account("DU1234567")
CLIENT = ClientId(1)
SPY = Contract(symbol="SPY", con_id=756733)
SPY_INSTRUMENT = Instrument(contract=SPY)

_Kind = TypeVar("_Kind")


def market(side: Side = Side.BUY, quantity: Any = 100, **fields: Any) -> Order:
    return Order(side=side, quantity=quantity, symbol="SPY", **fields)


def limit(side: Side = Side.BUY, quantity: Any = 100, price: Any = "495.00", **fields: Any) -> Order:
    return Order(
        side=side, quantity=quantity, symbol="SPY", order_type=OrderType.LIMIT, limit_price=Decimal(price), **fields
    )


def only(kind: type[_Kind], outbox: tuple[Any, ...]) -> _Kind:
    found = [message for message in outbox if isinstance(message, kind)]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} in {[type(m).__name__ for m in outbox]}"
    return found[0]


def names(outbox: tuple[Any, ...]) -> list[str]:
    return [type(message).__name__ for message in outbox]


class Rig:
    """A desk with a hand on every message it hears."""

    def __init__(self, config: DeskConfig | None = None, *, ready: bool = True) -> None:
        self.desk = Desk(config if config is not None else DeskConfig())
        self.epoch = Epoch(0)
        self.now = START
        self.elapsed = 0.0
        self.said: list[Any] = []
        if ready:
            self.connect()
            self.hear(InstrumentReported(at=START, epoch=self.epoch, wanted=SPY_WANTED, instrument=SPY_INSTRUMENT))

    def hear(self, message: Any) -> tuple[Any, ...]:
        outbox = self.desk.decide(message)
        self.said.extend(outbox)
        return outbox

    def session(self, state: SessionState, *, epoch: Epoch | None = None, **fields: Any) -> tuple[Any, ...]:
        self.epoch = self.epoch if epoch is None else epoch
        return self.hear(SessionChanged(at=self.now, epoch=self.epoch, state=state, client_id=CLIENT, **fields))

    def connect(self, next_order_id: int = 1, *, finish: bool = True) -> tuple[Any, ...]:
        asked = self.session(
            SessionState.RECONCILING,
            epoch=Epoch(self.epoch + 1),
            next_order_id=OrderId(next_order_id),
            accounts=(ACCOUNT,),
        )
        if finish:
            asked += self.end_lists(asked)
            self.session(SessionState.READY)
        return asked

    def disconnect(self) -> tuple[Any, ...]:
        return self.session(SessionState.DISCONNECTED)

    def end_lists(self, asked: tuple[Any, ...], *, complete: bool = True) -> tuple[Any, ...]:
        said: tuple[Any, ...] = ()
        queries = [message for message in asked if isinstance(message, QuerySnapshot)]
        for query in queries:
            said += self.hear(SnapshotEnded(at=self.now, epoch=self.epoch, kind=query.kind, complete=complete))
        if any(isinstance(message, QuerySnapshot) for message in said):
            said += self.end_lists(said, complete=complete)
        return said

    def wait(self, seconds: float) -> tuple[Any, ...]:
        self.elapsed += seconds
        self.now += timedelta(seconds=seconds)
        return self.hear(Tick(at=self.now, elapsed=self.elapsed))

    def submit(self, order: Order | None = None, oms_id: str = "a", **fields: Any) -> tuple[Any, ...]:
        wanted = order if order is not None else limit()
        return self.hear(SubmitOrder(at=self.now, oms_id=OmsId(oms_id), order=wanted, **fields))

    def working(self, order: Order | None = None, oms_id: str = "a") -> OrderState:
        self.submit(order, oms_id)
        self.status(BrokerStatus.WORKING, oms_id)
        return self.order(oms_id)

    def cancel(self, oms_id: str = "a") -> tuple[Any, ...]:
        return self.hear(CancelOrder(at=self.now, oms_id=OmsId(oms_id)))

    def replace(self, oms_id: str = "a", **changes: Any) -> tuple[Any, ...]:
        return self.hear(ReplaceOrder(at=self.now, oms_id=OmsId(oms_id), **changes))

    def order(self, oms_id: str = "a") -> OrderState:
        order = self.desk.order(OmsId(oms_id))
        assert order is not None
        return order

    def perm_id(self, oms_id: str) -> PermId:
        return PermId(1_000_000 + (self.order(oms_id).order_id or 0))

    def status(self, status: BrokerStatus, oms_id: str = "a", **fields: Any) -> tuple[Any, ...]:
        order = self.order(oms_id)
        assert order.order_id is not None
        report = OrderStatusReported(
            at=self.now,
            epoch=self.epoch,
            order_id=order.order_id,
            status=status,
            perm_id=self.perm_id(oms_id),
            client_id=CLIENT,
        )
        return self.hear(attrs.evolve(report, **fields))

    def echo(self, oms_id: str = "a", terms: Order | None = None, **fields: Any) -> tuple[Any, ...]:
        order = self.order(oms_id)
        assert order.order_id is not None
        report = OpenOrderReported(
            at=self.now,
            epoch=self.epoch,
            order_id=order.order_id,
            contract=order.contract,
            order=terms if terms is not None else order.order,
            status=BrokerStatus.WORKING,
            perm_id=self.perm_id(oms_id),
            client_id=CLIENT,
            account=ACCOUNT,
            order_ref=oms_id,
        )
        return self.hear(attrs.evolve(report, **fields))

    def completed(self, oms_id: str = "a", **fields: Any) -> tuple[Any, ...]:
        order = self.order(oms_id)
        report = CompletedOrderReported(
            at=self.now,
            epoch=self.epoch,
            contract=order.contract,
            order=order.order,
            status=BrokerStatus.CANCELED,
            perm_id=self.perm_id(oms_id),
            account=ACCOUNT,
            order_ref=oms_id,
        )
        return self.hear(attrs.evolve(report, **fields))

    def execution(
        self, exec_id: str = "e1.01", quantity: Any = 100, price: Any = 495, oms_id: str = "a", **fields: Any
    ) -> tuple[Any, ...]:
        order = self.order(oms_id)
        report = ExecutionReported(
            at=self.now,
            epoch=self.epoch,
            exec_id=ExecId(exec_id),
            contract=order.contract,
            side=order.order.side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            order_id=order.order_id,
            perm_id=self.perm_id(oms_id),
            client_id=CLIENT,
            account=ACCOUNT,
            order_ref=oms_id,
        )
        return self.hear(attrs.evolve(report, **fields))

    def commission(self, exec_id: str = "e1.01", commission: Any = "1.00", **fields: Any) -> tuple[Any, ...]:
        return self.hear(
            CommissionReported(
                at=self.now,
                epoch=self.epoch,
                exec_id=ExecId(exec_id),
                commission=None if commission is None else Decimal(commission),
                currency="USD",
                **fields,
            )
        )

    def notice(self, code: int, effects: tuple[NoticeEffect, NoticeEffect, NoticeEffect], **fields: Any) -> Any:
        on_new, on_modify, on_cancel = effects
        oms_id = fields.pop("oms_id", "a")
        report = NoticeReported(
            at=self.now,
            epoch=self.epoch,
            code=code,
            text="as the broker put it",
            subject=self.order(oms_id).order_id,
            kind=NoticeKind.REJECT,
            on_new=on_new,
            on_modify=on_modify,
            on_cancel=on_cancel,
        )
        return self.hear(attrs.evolve(report, **fields))

    def lists(self) -> tuple[Any, ...]:
        """Start a verification and return what it asked for."""
        from actors.messages.commands import Reconcile

        return self.hear(Reconcile(at=self.now, reason="test"))


SPY_WANTED = Contract(symbol="SPY")
FROM_LIST = RequestId(9)
COMBO = Contract(
    symbol="SPY",
    sec_type=SecType.COMBO,
    con_id=28812380,
    legs=(Leg(con_id=700000001, side="SELL"), Leg(con_id=700000002, side="BUY")),
)

REJECTION = (NoticeEffect.REJECTED, NoticeEffect.REFUSED, NoticeEffect.VERIFY)
CANCEL_REFUSAL = (NoticeEffect.VERIFY, NoticeEffect.VERIFY, NoticeEffect.REQUEST_OFF)
MODIFY_REFUSAL = (NoticeEffect.VERIFY, NoticeEffect.REFUSED, NoticeEffect.NONE)
VERIFY = (NoticeEffect.VERIFY, NoticeEffect.VERIFY, NoticeEffect.VERIFY)
CANCEL_CONFIRMED = (NoticeEffect.CANCELED, NoticeEffect.CANCELED, NoticeEffect.CANCELED)
ALREADY_FILLED = (NoticeEffect.FILLED, NoticeEffect.FILLED, NoticeEffect.FILLED)
WARNING = (NoticeEffect.NONE, NoticeEffect.NONE, NoticeEffect.NONE)
