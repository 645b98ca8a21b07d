"""One position: exact over round trips, corrected as if it had always been right."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.identity import ExecId
from actors.domain.positions import Holding, Position, Trade, replayed

ONE = Decimal(1)


def trade(family: str, quantity: Any, price: Any, number: int = 1) -> Trade:
    exec_id = ExecId(f"{family}.{number:02}")
    return Trade(family=family, exec_id=exec_id, quantity=Decimal(quantity), price=Decimal(price))


trades = st.lists(
    st.tuples(st.integers(-9, 9), st.integers(1, 50)).map(lambda pair: (Decimal(pair[0]), Decimal(pair[1]))),
    max_size=20,
)


def test_a_partial_close_releases_its_share_of_the_cost() -> None:
    holding = Holding().after(Decimal(4), Decimal(10)).after(Decimal(-1), Decimal(14))

    assert holding == Holding(quantity=Decimal(3), cost=Decimal(30), realized=Decimal(4))


def test_a_short_position_gains_when_it_is_bought_back_lower() -> None:
    holding = Holding().after(Decimal(-4), Decimal(10)).after(Decimal(3), Decimal(9))

    assert holding == Holding(quantity=Decimal(-1), cost=Decimal(-10), realized=Decimal(3))
    assert holding.average_cost == 10


def test_a_bust_changes_nothing() -> None:
    holding = Holding(quantity=ONE, cost=ONE)

    assert holding.after(Decimal(0), Decimal(99)) is holding


@given(trades)
def test_profit_and_cost_together_are_the_money_that_moved(moves: list[tuple[Decimal, Decimal]]) -> None:
    holding = Holding()
    for quantity, price in moves:
        holding = holding.after(quantity, price)

    paid = sum((quantity * price for quantity, price in moves), Decimal(0))
    assert abs(holding.cost - holding.realized - paid) < Decimal("1e-20")
    assert holding.quantity == sum((quantity for quantity, _ in moves), Decimal(0))
    assert holding.average_cost >= 0


@given(trades, st.integers(0, 19), st.integers(-9, 9), st.integers(1, 50))
def test_a_correction_is_as_if_it_had_been_there_from_the_start(
    moves: list[tuple[Decimal, Decimal]], index: int, quantity: int, price: int
) -> None:
    position = Position()
    booked = [trade(f"e{number}", *move) for number, move in enumerate(moves)]
    for one in booked:
        position.trade(one)
    if index < len(booked):
        corrected = trade(f"e{index}", quantity, price, 2)
        position.correct(corrected, booked[index])
        booked[index] = corrected

    assert position.now == replayed(Holding(), booked)


def test_folded_trades_keep_the_holding_and_can_still_be_corrected_in_quantity() -> None:
    position = Position(keep=4)
    for number in range(6):
        position.trade(trade(f"e{number}", 1, 10))
    assert len(position.state().trades) == 3
    assert position.now.quantity == 6

    position.correct(trade("e0", 0, 10, 2), trade("e0", 1, 10))
    assert position.now.quantity == 5


def test_an_opening_goes_before_all_trades() -> None:
    position = Position()
    position.trade(trade("e1", -5, 12))
    position.open_with(Decimal(5), Decimal(50))

    assert position.now == Holding(quantity=Decimal(0), cost=Decimal(0), realized=Decimal(10))
    assert position.opening == 5


def test_a_restored_position_is_the_same() -> None:
    position = Position()
    position.open_with(Decimal(5), Decimal(50))
    position.trade(trade("e1", -2, 12))

    assert Position(position.state()).now == position.now
    assert Position(position.state()).state() == position.state()


def test_fractions_open_and_close_like_wholes() -> None:
    holding = Holding().after(Decimal("0.5"), Decimal(10)).after(Decimal("0.5"), Decimal(20))

    assert holding == Holding(quantity=ONE, cost=Decimal(15), realized=Decimal(0))


def test_a_position_absorbs_the_opening_the_folded_past_and_the_trades_of_another() -> None:
    ours, theirs = Position(keep=2), Position(keep=2)
    for position, sign in ((ours, 1), (theirs, 10)):
        position.open_with(Decimal(5 * sign), Decimal(50 * sign))
        for number in range(3):
            position.trade(trade(f"e{sign}{number}", -sign, 12))

    ours.absorb(theirs)

    state = ours.state()
    assert (state.opening, len(state.trades)) == (Decimal(55), 2)
    assert state.base == Holding(quantity=Decimal(33), cost=Decimal(330), realized=Decimal(44))
    assert ours.now == Holding(quantity=Decimal(22), cost=Decimal(220), realized=Decimal(66))
