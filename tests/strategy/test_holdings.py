from decimal import Decimal

import attrs
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import Contract, SecType
from actors.domain.identity import Account, ExecId
from actors.domain.order_state import Fill
from actors.domain.terms import Order, Side, format_quantity
from actors.messages.events import FillCorrected, OrderFilled
from actors.messages.portfolio import PortfolioSnapshot, PositionView
from strategy.holdings import Holdings, movement_of
from tests.strategy.support import ACCOUNT, OPEN, SPY, filled, snapshot, state

BIG = Order(side=Side.BUY, quantity=Decimal(10**6), symbol="SPY")


def fill_of(number: int, signed: int, price: str = "450") -> OrderFilled:
    side = Side.BUY if signed > 0 else Side.SELL
    return filled(state(order=attrs.evolve(BIG, side=side)), abs(signed), price, f"e{number}")


def figures(position: PositionView) -> list[str]:
    return [format_quantity(figure) for figure in (position.quantity, position.average_cost, position.realized_pnl)]


def held(snapshots: int, fills: list[int]) -> PortfolioSnapshot:
    booked = tuple(f"e{number}" for number in range(snapshots))
    return snapshot(0, sum(fills[:snapshots]), booked=booked)


@given(
    fills=st.lists(st.integers(-500, 500).filter(bool), max_size=12),
    steps=st.lists(st.booleans(), max_size=40),
)
def test_h1_h2_a_position_includes_exactly_the_fills_that_either_sender_told_of(
    fills: list[int], steps: list[bool]
) -> None:
    """The snapshots run at most one fill ahead, and any number behind."""
    holdings, delivered, booked = Holdings(), 0, 0
    for is_fill in steps:
        if is_fill and delivered < len(fills):
            holdings.hear_fill(fill_of(delivered, fills[delivered]))
            delivered += 1
        elif booked < min(delivered + 1, len(fills)):
            booked += 1
            holdings.hear_snapshot(held(booked, fills))
        assert holdings.get(SPY).quantity == sum(fills[: max(delivered, booked)])


def test_h2_a_snapshot_that_lists_only_later_executions_confirms_the_earlier_ones() -> None:
    holdings = Holdings()
    for number in range(3):
        holdings.hear_fill(fill_of(number, 100))
    holdings.hear_snapshot(snapshot(0, 200, booked=("e1",)))
    assert holdings.get(SPY).quantity == 300
    holdings.hear_snapshot(snapshot(0, 300, booked=("e2",)))
    assert holdings.get(SPY).quantity == 300


def test_average_cost_and_realised_profit_follow_the_fills_until_the_snapshot_speaks() -> None:
    holdings = Holdings()
    holdings.hear_fill(fill_of(0, 100, "10"))
    holdings.hear_fill(fill_of(1, 300, "12"))
    assert holdings.get(SPY).average_cost == Decimal("11.5")
    holdings.hear_fill(fill_of(2, -200, "12.5"))
    position = holdings.get(SPY)
    assert figures(position) == ["200", "11.5", "200"]
    holdings.hear_fill(fill_of(3, -300, "10.5"))
    position = holdings.get(SPY)
    assert figures(position) == ["-100", "10.5", "0"]
    holdings.hear_fill(fill_of(4, 100, "10"))
    position = holdings.get(SPY)
    assert figures(position) == ["0", "0", "50"]
    assert holdings.all() == ()


def test_a_correction_moves_by_the_difference_and_counts_once() -> None:
    holdings = Holdings()
    first = filled(state(order=BIG), 100, "450", "e1.01")
    holdings.hear_fill(first)
    better = attrs.evolve(first.fill, exec_id=ExecId("e1.02"), quantity=Decimal(80))
    holdings.hear_fill(FillCorrected(at=OPEN, order=first.order, fill=better, previous=first.fill))
    assert holdings.get(SPY).quantity == 80
    holdings.hear_snapshot(snapshot(0, 80, booked=("e1.01", "e1.02")))
    assert holdings.get(SPY).quantity == 80


def test_the_summary_of_a_combo_moves_nothing_and_its_leg_moves_its_own_contract() -> None:
    combo = Contract(symbol="SPY", sec_type=SecType.COMBO)
    event = filled(attrs.evolve(state(order=BIG), contract=combo), 1, "0.5", "c1")
    assert movement_of(event) is None
    leg = Contract(symbol="IBM")
    movement = movement_of(attrs.evolve(event, fill=attrs.evolve(event.fill, contract=leg)))
    assert movement is not None
    assert movement.contract == leg


def test_another_accounts_positions_and_fills_are_not_ours() -> None:
    holdings = Holdings(Account("DU7654321"))
    holdings.hear_snapshot(snapshot(0, 100))
    holdings.hear_fill(fill_of(0, 50))
    assert holdings.get(SPY).quantity == 0
    assert Holdings(ACCOUNT).get(SPY).account == ACCOUNT


def test_a_fill_of_a_contract_with_a_multiplier_realises_by_the_multiplier() -> None:
    future = Contract(symbol="ES", sec_type=SecType.FUTURE, multiplier=Decimal(50))
    holdings = Holdings()
    for number, (signed, price) in enumerate(((2, "4500"), (-2, "4501"))):
        event = fill_of(number, signed, price)
        fill: Fill = attrs.evolve(event.fill, contract=future)
        holdings.hear_fill(attrs.evolve(event, fill=fill))
    assert holdings.get(future).realized_pnl == 100
