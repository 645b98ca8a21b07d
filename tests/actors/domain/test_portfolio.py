"""The portfolio: positions from fills, what the broker holds, and the comparison of both (P1 to P5)."""

from decimal import Decimal
from typing import Any

from actors.domain.contract import Contract
from actors.domain.identity import Account, Epoch, ExecId, OmsId
from actors.domain.order_state import Fill, OrderState
from actors.domain.portfolio import Portfolio
from actors.domain.terms import Order, Side
from actors.messages.events import CommissionCharged, FillCorrected, OrderFilled, PositionMismatched, Reconciled
from actors.messages.portfolio import PositionView
from actors.messages.reports import PositionReported, SnapshotEnded, SnapshotKind
from actors.messages.system import Tick
from tests.actors.domain.deskkit import ACCOUNT, SPY, START, names, only

EPOCH = Epoch(1)


def fill(side: Side, quantity: Any, price: Any, exec_id: str = "e1.01", **fields: Any) -> Fill:
    return Fill(
        exec_id=ExecId(exec_id),
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=START,
        account=ACCOUNT,
        **fields,
    )


def order_of(booked: Fill, contract: Contract = SPY) -> OrderState:
    terms = Order(side=booked.side, quantity=1000, contract=contract)
    return OrderState(
        oms_id=OmsId("a"), order=terms, contract=contract, account=ACCOUNT, created_at=START, updated_at=START
    )


def book(portfolio: Portfolio, booked: Fill, contract: Contract = SPY) -> None:
    portfolio.decide(OrderFilled(at=START, order=order_of(booked, contract), fill=booked))


def reported(quantity: Any, average_cost: Any = None, contract: Contract = SPY) -> PositionReported:
    return PositionReported(
        at=START,
        epoch=EPOCH,
        account=ACCOUNT,
        contract=contract,
        quantity=Decimal(quantity),
        average_cost=None if average_cost is None else Decimal(average_cost),
    )


def reconcile(portfolio: Portfolio, *rows: PositionReported) -> None:
    for row in rows:
        portfolio.decide(row)
    portfolio.decide(SnapshotEnded(at=START, epoch=EPOCH, kind=SnapshotKind.POSITIONS))
    portfolio.decide(Reconciled(at=START, open_orders=0, executions=0, in_doubt=0))


def rest(portfolio: Portfolio, start: float = 1.0) -> tuple[Any, ...]:
    portfolio.decide(Tick(at=START, elapsed=start))
    return portfolio.decide(Tick(at=START, elapsed=start + 6))


def the_position(portfolio: Portfolio) -> PositionView:
    (view,) = portfolio.snapshot_view(START).positions
    return view


def test_p1_a_round_trip_realises_its_profit() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 3, 100, "e1.01"))
    book(portfolio, fill(Side.BUY, 1, 104, "e2.01"))
    book(portfolio, fill(Side.SELL, 4, 103, "e3.01"))

    view = the_position(portfolio)
    assert (view.quantity, view.average_cost, view.realized_pnl) == (Decimal(0), Decimal(0), Decimal(8))


def test_p1_a_position_flips_through_zero_at_the_price_of_the_flip() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100, "e1.01"))
    book(portfolio, fill(Side.SELL, 5, 110, "e2.01"))

    view = the_position(portfolio)
    assert (view.quantity, view.average_cost, view.realized_pnl) == (Decimal(-3), Decimal(110), Decimal(20))


def test_p1_a_correction_counts_as_if_it_had_been_there_from_the_start() -> None:
    corrected, straight = Portfolio(), Portfolio()
    first, second, third = fill(Side.BUY, 2, 100), fill(Side.BUY, 1, 102, "e2.01"), fill(Side.SELL, 2, 105, "e3.01")
    right = fill(Side.BUY, 1, 101, "e1.02")
    for one in (first, second, third):
        book(corrected, one)
    corrected.decide(FillCorrected(at=START, order=order_of(right), fill=right, previous=first))
    for one in (right, second, third):
        book(straight, one)

    assert the_position(corrected) == the_position(straight)


def test_p2_the_opening_is_what_the_broker_holds_less_what_is_booked() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100))

    reconcile(portfolio, reported(12, 90))

    assert the_position(portfolio).quantity == 12
    assert rest(portfolio) == ()


def test_p4_a_difference_is_named_once_and_is_over_when_the_broker_agrees() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    portfolio.decide(reported(7, 90))

    outbox = rest(portfolio)
    mismatch = only(PositionMismatched, outbox)
    assert (mismatch.ours, mismatch.broker) == (Decimal(10), Decimal(7))
    assert rest(portfolio, 20) == ()
    portfolio.decide(reported(10, 90))
    assert names(rest(portfolio, 40)) == ["BlockInstrument"]


def test_p5_rows_without_an_id_are_the_same_position() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100))
    reconcile(portfolio, reported(2, 100, Contract(symbol="SPY")))

    assert the_position(portfolio).quantity == 2


def test_commissions_are_counted_once_per_execution() -> None:
    portfolio = Portfolio()
    charged = fill(Side.BUY, 2, 100, commission=Decimal("1.5"))
    book(portfolio, charged)
    for _ in range(2):
        portfolio.decide(CommissionCharged(at=START, order=order_of(charged), fill=charged))

    assert portfolio.snapshot_view(START).commissions == Decimal("1.5")
    assert the_position(portfolio).commission == Decimal("1.5")


def test_a_restored_portfolio_shows_the_same_view() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    book(portfolio, fill(Side.SELL, 4, 95))

    restored = Portfolio.restore(portfolio.snapshot())

    assert restored.snapshot_view(START) == portfolio.snapshot_view(START)
    assert restored.snapshot() == portfolio.snapshot()
    assert Account(ACCOUNT) == the_position(restored).account
