"""Makers of messages for the tests of the strategy side."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from actors.domain.contract import Contract
from actors.domain.identity import Account, Epoch, ExecId, OmsId
from actors.domain.order_state import ExecStatus, Fill, OrderState
from actors.domain.terms import Order, Side
from actors.messages.commands import SubmitOrder
from actors.messages.events import OrderAccepted, OrderCanceled, OrderFilled, OrderRejected
from actors.messages.portfolio import PortfolioSnapshot, PositionView
from actors.messages.reports import QuoteReported
from actors.messages.schedule import StartStrategy
from actors.messages.system import SessionChanged, SessionState
from strategy.base import Strategy
from strategy.runner import StrategyRunner

OPEN = datetime(2023, 8, 3, 13, 30, tzinfo=UTC)
SPY = Contract(symbol="SPY")
ACCOUNT = Account("DU1234567")


def later(seconds: float) -> datetime:
    return OPEN + timedelta(seconds=seconds)


def quote(seconds: float, bid: str = "450.00", ask: str = "450.02", **fields: Any) -> QuoteReported:
    return QuoteReported(at=later(seconds), epoch=Epoch(1), contract=SPY, bid=Decimal(bid), ask=Decimal(ask), **fields)


def run(strategy: Strategy, **arguments: Any) -> StrategyRunner:
    """A started runner with a session that is READY."""
    runner = StrategyRunner(strategy, "test", "s1", at=OPEN, **arguments)
    runner.hear(SessionChanged(at=OPEN, epoch=Epoch(1), state=SessionState.READY))
    runner.hear(StartStrategy(at=OPEN))
    return runner


def state(oms_id: str = "test-s1-1", order: Order | None = None, **fields: Any) -> OrderState:
    wanted = order if order is not None else Order(side=Side.BUY, quantity=Decimal(100), symbol="SPY")
    fields.setdefault("created_at", OPEN)
    fields.setdefault("updated_at", OPEN)
    return OrderState(oms_id=OmsId(oms_id), order=wanted, contract=wanted.wanted_contract, **fields)


def accepted(before: OrderState, seconds: float = 1) -> OrderAccepted:
    return OrderAccepted(at=later(seconds), order=attrs.evolve(before, status=ExecStatus.WORKING, pending=None))


def filled(before: OrderState, quantity: int, price: str, exec_id: str, seconds: float = 2) -> OrderFilled:
    """The event of one more execution."""
    fill = Fill(
        exec_id=ExecId(exec_id),
        side=before.order.side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=later(seconds),
        account=ACCOUNT,
    )
    total = before.filled + fill.quantity
    status = ExecStatus.FILLED if total >= before.order.quantity else ExecStatus.PARTIALLY_FILLED
    after = attrs.evolve(before, fills={**before.fills, exec_id: fill}, status=status, pending=None)
    return OrderFilled(at=later(seconds), order=after, fill=fill)


def canceled(before: OrderState, seconds: float = 3) -> OrderCanceled:
    return OrderCanceled(at=later(seconds), order=attrs.evolve(before, status=ExecStatus.CANCELED, pending=None))


def rejected(before: OrderState, seconds: float = 3) -> OrderRejected:
    return OrderRejected(
        at=later(seconds), order=attrs.evolve(before, status=ExecStatus.REJECTED, pending=None, reason="no")
    )


def snapshot(seconds: float, quantity: int = 0, *, booked: tuple[str, ...] = (), **fields: Any) -> PortfolioSnapshot:
    row = PositionView(
        account=ACCOUNT,
        contract=SPY,
        quantity=Decimal(quantity),
        average_cost=Decimal(450),
        realized_pnl=Decimal(0),
    )
    return PortfolioSnapshot(
        at=later(seconds), positions=(row,), booked=tuple(ExecId(name) for name in booked), **fields
    )


def submitted(outputs: tuple[object, ...]) -> list[SubmitOrder]:
    return [output for output in outputs if isinstance(output, SubmitOrder)]
