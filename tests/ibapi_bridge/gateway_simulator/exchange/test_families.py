"""Orders that depend on each other, on shares to borrow, on halts; combos; corrections; accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange import Halt, Instrument, SimulationError, default_instruments
from ibapi_bridge.gateway_simulator.exchange.events import (
    AccountChanged,
    Commissioned,
    Executed,
    OrderCanceled,
    OrderHeld,
    OrderRejected,
    OrderReplaced,
    PositionChanged,
    ReplaceRefused,
    TradingHalted,
    TradingResumed,
    Warned,
)
from ibapi_bridge.gateway_simulator.exchange.instruments import AAPL, ES, EUR_USD, SPY
from ibapi_bridge.gateway_simulator.exchange.types import ExecutionFilter, Leg
from tests.ibapi_bridge.gateway_simulator.exchange.desk import ACCOUNT, FIXED, MORNING, Desk, order, quote


def bracket(desk: Desk) -> None:
    """A buy with a target at 101 and a stop at 99."""
    desk.submit(1, order_type="LMT", limit_price="100.00")
    desk.submit(2, side="SELL", order_type="LMT", limit_price="101.00", parent_perm_id=1)
    desk.submit(3, side="SELL", order_type="STP", stop_price="99.00", parent_perm_id=1)


def test_children_wait_for_their_parent_and_say_so() -> None:
    desk = Desk()
    bracket(desk)
    desk.run(1)
    assert (desk.view(2).why_held, desk.view(3).why_held) == ("child", "child,trigger")
    assert desk.view(1).stage == "working"


def test_filled_parent_activates_children_and_a_filled_child_ends_the_other() -> None:
    desk = Desk(quote(0, "99.99", "100.01"), quote(1, "99.90", "99.95"), quote(2, "101.00", "101.02", trade=("101", 9)))
    bracket(desk)
    desk.run(1.5)
    assert (desk.view(2).stage, desk.view(3).why_held) == ("working", "trigger")
    desk.run(5)
    assert desk.fills(2) == [("100", "101.00")]
    assert desk.said(OrderCanceled, 3).by == "oca"
    assert desk.exchange.positions(ACCOUNT)[0].quantity == 0


def test_cancelled_parent_takes_its_children_with_it() -> None:
    desk = Desk()
    bracket(desk)
    desk.run(1)
    desk.cancel(1)
    desk.run(2)
    assert [desk.said(OrderCanceled, n).by for n in (1, 2, 3)] == ["client", "parent", "parent"]


def test_child_of_a_dead_parent_is_refused() -> None:
    desk = Desk()
    desk.submit(1, order_type="LMT", limit_price="99")
    desk.cancel(1)
    desk.run(1)
    desk.submit(2, side="SELL", order_type="LMT", limit_price="101", parent_perm_id=1)
    assert desk.said(OrderRejected, 2).code == 135


def group(desk: Desk, kind: int) -> None:
    desk.submit(1, order_type="LMT", limit_price="99.50", oca_group="g", oca_type=kind)
    desk.submit(2, order_type="LMT", limit_price="99.40", oca_group="g", oca_type=kind)
    desk.run(2)


CROSSING = (quote(0, "99.99", "100.01"), quote(1, "99.30", "99.35", (500, 60)))


def test_group_of_type_1_cancels_the_others_at_the_first_fill() -> None:
    desk = Desk(*CROSSING)
    group(desk, 1)
    assert desk.fills(1) == [("60", "99.50")]
    assert desk.said(OrderCanceled, 2).by == "oca"


@pytest.mark.parametrize("kind", [2, 3])
def test_group_of_type_2_or_3_is_reduced_by_what_fills(kind: int) -> None:
    desk = Desk(*CROSSING)
    group(desk, kind)
    assert desk.fills(1) == [("60", "99.50")]
    assert (desk.said(OrderReplaced, 2).by, desk.view(2).order.quantity) == ("system", Decimal(40))


def test_group_without_block_can_overfill() -> None:
    desk = Desk(quote(0, "99.99", "100.01"), quote(1, "99.30", "99.35", (500, 500)))
    group(desk, 3)
    assert (desk.fills(1), desk.fills(2)) == ([("100", "99.50")], [("100", "99.40")])


def short(n: int) -> Sequence[Instrument]:
    return [evolve(i, shortable=Decimal(n)) if i.con_id == SPY else i for i in default_instruments()]


def test_short_sale_without_shares_is_held_for_locate_and_released_when_found() -> None:
    config = evolve(FIXED, locate_delay=timedelta(seconds=30))
    desk = Desk(config=config, instruments=short(50))
    desk.submit(side="SELL")
    assert (desk.said(Warned).code, desk.said(OrderHeld).why_held) == (404, "locate")
    desk.run(29)
    assert desk.fills() == []
    desk.run(31)
    assert desk.fills() == [("100", "99.99")]


def test_short_sale_with_shares_goes_through() -> None:
    desk = Desk(instruments=short(100))
    desk.submit(side="SELL")
    desk.run(1)
    assert desk.view().stage == "filled"


def test_nothing_trades_during_a_halt() -> None:
    config = evolve(
        FIXED, halts=(Halt(con_id=SPY, start=MORNING + timedelta(seconds=1), end=MORNING + timedelta(seconds=10)),)
    )
    desk = Desk(quote(0, "99.99", "100.01"), quote(5, "99", "99.02"), quote(11, "99", "99.02"), config=config)
    desk.submit(1, order_type="LMT", limit_price="99.50")
    desk.run(6)
    desk.submit(2)
    assert desk.said(OrderRejected, 2).code == 154
    assert desk.fills(1) == []
    desk.run(12)
    assert len(desk.fills(1)) == 1
    assert [type(e) for e in desk.log if isinstance(e, TradingHalted | TradingResumed)] == [
        TradingHalted,
        TradingResumed,
    ]


def test_market_that_says_it_is_halted_does_not_trade() -> None:
    desk = Desk(quote(0, "99.99", "100.01"), quote(1, "98", "98.02", halted=True), quote(2, "98", "98.02"))
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(1.5)
    assert desk.fills() == []
    desk.run(3)
    assert desk.fills() == [("100", "99")]


PAIR = Instrument(
    con_id=28812380,
    symbol="SPY,AAPL",
    sec_type="BAG",
    legs=(Leg(con_id=SPY, ratio=2, side="BUY"), Leg(con_id=AAPL, ratio=1, side="SELL")),
)


def pair_desk() -> Desk:
    desk = Desk(quote(0, "100.00", "100.02"), quote(0, "190.00", "190.04", con_id=AAPL))
    desk.exchange.list_instrument(PAIR)
    return desk


def test_combo_trades_at_the_net_of_its_legs_and_books_the_legs() -> None:
    desk = pair_desk()
    desk.submit(con_id=PAIR.con_id, quantity=5, order_type="LMT", limit_price="10.04")
    desk.run(1)
    rows = [(e.con_id, e.side, str(e.quantity), e.is_leg) for e in desk.log if isinstance(e, Executed)]
    assert rows == [(PAIR.con_id, "BUY", "5", False), (SPY, "BUY", "10", True), (AAPL, "SELL", "5", True)]
    assert {p.con_id: p.quantity for p in desk.exchange.positions(ACCOUNT)} == {SPY: 10, AAPL: -5}
    combo, spy, aapl = desk.exchange.executions()
    assert spy.price * 2 - aapl.price == combo.price == Decimal("10.04")


def test_the_legs_of_a_combo_trade_on_their_grid() -> None:
    desk = Desk(quote(0, "100.00", "100.03"), quote(0, "190.00", "190.05", con_id=AAPL))
    desk.exchange.list_instrument(PAIR)
    desk.submit(1, con_id=PAIR.con_id, quantity=5, order_type="LMT", limit_price="10.07")
    desk.submit(2, side="SELL", con_id=PAIR.con_id, quantity=5, order_type="LMT", limit_price="9.94")
    desk.run(1)
    bought, sold = desk.exchange.executions()[:3], desk.exchange.executions()[3:]
    for combo, spy, aapl in (bought, sold):
        assert spy.price * 2 - aapl.price == combo.price
        assert spy.price % Decimal("0.01") == aapl.price % Decimal("0.01") == 0


def test_combo_limit_may_be_negative_and_waits_for_its_price() -> None:
    desk = pair_desk()
    desk.submit(side="SELL", con_id=PAIR.con_id, quantity=5, order_type="LMT", limit_price="-1.00")
    desk.submit(2, con_id=PAIR.con_id, quantity=5, order_type="LMT", limit_price="-1.00")
    desk.run(1)
    assert (desk.view(1).stage, desk.view(2).stage) == ("filled", "working")


def test_commission_minimum_is_charged_once_an_order() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (500, 40)), quote(1, "99.99", "100.01", (500, 60)))
    desk.submit()
    desk.run(5)
    assert [e.amount for e in desk.log if isinstance(e, Commissioned)] == [Decimal("0.35"), Decimal(0)]


@pytest.mark.parametrize(("quantity", "fee"), [(1, "0.35"), (1000, "3.5")])
def test_commission_follows_the_share_schedule(quantity: int, fee: str) -> None:
    desk = Desk()
    desk.submit(quantity=quantity)
    desk.run(1)
    assert desk.said(Commissioned).amount == Decimal(fee)


def test_commission_of_cheap_shares_is_capped_by_their_value() -> None:
    desk = Desk(quote(0, "0.9999", "1.01"))
    desk.submit(quantity=1)
    desk.run(1)
    assert desk.said(Commissioned).amount == Decimal("0.0101")


def test_round_trip_gain_is_price_difference_less_both_commissions() -> None:
    desk = Desk(quote(0, "99.99", "100.01"), quote(1, "101", "101.02"))
    desk.submit(1)
    desk.run(1.5)
    assert desk.said(Commissioned, 1).realized_pnl is None
    desk.submit(2, side="SELL")
    desk.run(2)
    assert desk.said(Commissioned, 2).realized_pnl == Decimal("99.00") - Decimal("0.70")
    values = desk.exchange.account_values(ACCOUNT)
    assert values.net_liquidation == values.cash["USD"] == Decimal(1_000_000) + Decimal("98.30")


def test_future_moves_cash_by_gains_only() -> None:
    desk = Desk(quote(0, "4500.00", "4500.25", con_id=ES), quote(1, "4510.00", "4510.25", con_id=ES))
    desk.submit(1, con_id=ES, quantity=2)
    desk.run(0.5)
    assert desk.exchange.account_values(ACCOUNT).cash["USD"] == Decimal(1_000_000) - Decimal("4.50")
    desk.run(1.5)
    desk.submit(2, con_id=ES, quantity=2, side="SELL")
    desk.run(2)
    assert desk.exchange.account_values(ACCOUNT).cash["USD"] == Decimal(1_000_000) + Decimal("9.75") * 100 - 9


def test_currency_trade_moves_both_currencies() -> None:
    desk = Desk(quote(0, "1.10000", "1.10010", (10**6, 10**6), con_id=EUR_USD))
    desk.submit(con_id=EUR_USD, quantity=20_000)
    desk.run(1)
    values = desk.exchange.account_values(ACCOUNT)
    assert values.cash == {"USD": Decimal(1_000_000) - 22_002 - 2, "EUR": Decimal(20_000)}
    assert abs(values.net_liquidation - (Decimal(1_000_000) - 2 - 1)) < Decimal("0.01")


def test_order_by_cash_amount_becomes_shares() -> None:
    desk = Desk()
    desk.submit(quantity=0, cash_quantity=1050)
    desk.run(1)
    assert desk.fills() == [("10", "100.01")]


def test_correction_of_a_price_replaces_the_execution_and_moves_the_cash() -> None:
    desk = Desk()
    desk.submit()
    desk.run(1)
    (fill,) = desk.exchange.executions()
    cash = desk.exchange.account_values(ACCOUNT).cash["USD"]
    events = desk.exchange.correct_execution(fill.exec_id, price=Decimal("100.11"))
    (corrected,) = desk.exchange.executions()
    assert corrected.exec_id == fill.exec_id[:-2] + "02"
    assert [e.corrects for e in events if isinstance(e, Executed)] == [fill.exec_id]
    assert desk.exchange.account_values(ACCOUNT).cash["USD"] == cash - 10
    assert desk.view().avg_price == Decimal("100.11")


def test_bust_shows_in_position_and_cash_alone() -> None:
    desk = Desk()
    desk.submit()
    desk.run(1)
    (fill,) = desk.exchange.executions()
    events = desk.exchange.correct_execution(fill.exec_id, quantity=Decimal(0))
    assert [type(e) for e in events] == [PositionChanged, AccountChanged]
    assert desk.exchange.account_values(ACCOUNT).cash["USD"] == Decimal(1_000_000)
    assert desk.exchange.executions() == []


def test_correction_of_an_unknown_execution_is_an_error() -> None:
    with pytest.raises(SimulationError, match="not one that can be corrected"):
        Desk().exchange.correct_execution("nothing.01", price=Decimal(1))


def test_preview_tells_margins_and_keeps_nothing() -> None:
    desk = Desk()
    preview = desk.exchange.preview(order(quantity=Decimal(100)))
    assert (preview.initial_after, preview.maintenance_after) == (Decimal(5000), Decimal(2500))
    assert (preview.refused_code, desk.exchange.orders()) == (0, [])


def test_preview_of_too_large_an_order_names_the_refusal() -> None:
    preview = Desk().exchange.preview(order(quantity=Decimal(10**6)))
    assert preview.refused_code == 201
    assert "Initial Margin" in preview.refused


def test_closing_a_position_needs_no_margin() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (10**6, 10**6)), quote(1, "20.00", "20.02", (10**6, 10**6)))
    desk.submit(1, quantity=15_000)
    desk.run(1.5)
    desk.submit(2, quantity=15_000)
    assert desk.said(OrderRejected, 2).code == 201
    desk.submit(3, quantity=15_000, side="SELL")
    desk.run(3)
    assert desk.view(3).stage == "filled"


def test_orders_on_one_side_can_be_limited() -> None:
    desk = Desk(config=evolve(FIXED, active_order_limit=1))
    desk.submit(1, order_type="LMT", limit_price="99")
    desk.submit(2, order_type="LMT", limit_price="99")
    desk.submit(3, order_type="LMT", limit_price="101", side="SELL")
    assert desk.said(OrderRejected, 2).code == 201
    assert desk.story(3) == ["OrderAccepted"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [1, 2]),
        ({"side": "SELL"}, [2]),
        ({"con_id": AAPL}, []),
        ({"client_id": 7}, [2]),
        ({"since": MORNING + timedelta(seconds=1)}, [2]),
        ({"account": "other"}, []),
    ],
)
def test_executions_are_filtered(wanted: dict[str, Any], found: list[int]) -> None:
    desk = Desk()
    desk.submit(1)
    desk.run(1)
    desk.submit(2, side="SELL", client_id=7)
    desk.run(2)
    assert [e.perm_id for e in desk.exchange.executions(ExecutionFilter(**wanted))] == found


def test_unknown_account_is_an_error_that_hides_its_number() -> None:
    with pytest.raises(SimulationError, match=r"account DU\.\.\. is not") as caught:
        Desk().exchange.positions("DU7654321")
    assert "7654321" not in str(caught.value)


def test_working_orders_are_reserved_for_until_they_end() -> None:
    desk = Desk()
    desk.submit(1, quantity=12_000, order_type="LMT", limit_price="99.00")
    desk.submit(2, quantity=12_000, order_type="LMT", limit_price="99.00")
    assert desk.said(OrderRejected, 2).code == 201
    assert desk.exchange.account_values(ACCOUNT).buying_power == (10**6 - 600_000) * 4
    desk.replace(1, quantity=4_000)
    desk.run(0.5)
    desk.submit(3, quantity=12_000, order_type="LMT", limit_price="99.00")
    assert desk.view(3).stage == "pending"
    desk.cancel(1)
    desk.cancel(3)
    desk.run(1)
    assert desk.exchange.account_values(ACCOUNT).buying_power == 10**6 * 4


def test_a_growing_order_needs_margin_for_the_growth_alone() -> None:
    desk = Desk()
    desk.submit(quantity=12_000, order_type="LMT", limit_price="99.00")
    desk.run(0.5)
    desk.replace(quantity=19_000)
    desk.run(1)
    assert desk.view().order.quantity == 19_000
    desk.replace(quantity=21_000)
    assert desk.said(ReplaceRefused).code == 201


def test_orders_that_would_close_a_position_twice_need_margin_for_the_second() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (10**6, 10**6)))
    desk.submit(1, quantity=19_000)
    desk.run(1)
    desk.submit(2, side="SELL", quantity=19_000, order_type="LMT", limit_price="101.00")
    desk.submit(3, side="SELL", quantity=19_000, order_type="LMT", limit_price="102.00")
    desk.submit(4, side="SELL", quantity=19_000, order_type="LMT", limit_price="103.00")
    assert [desk.view(number).stage for number in (2, 3, 4)] == ["pending", "pending", "inactive"]


def test_the_exits_of_a_bracket_need_no_margin_of_their_own() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (10**6, 10**6)))
    desk.submit(1, quantity=19_000)
    desk.submit(2, side="SELL", quantity=19_000, order_type="LMT", limit_price="101.00", parent_perm_id=1)
    desk.submit(3, side="SELL", quantity=19_000, order_type="STP", stop_price="99.00", parent_perm_id=1)
    desk.run(1)
    assert [desk.view(number).stage for number in (1, 2, 3)] == ["filled", "working", "held"]


def test_group_is_reduced_in_proportion() -> None:
    desk = Desk(*CROSSING)
    desk.submit(1, order_type="LMT", limit_price="99.50", oca_group="g", oca_type=2)
    desk.submit(2, order_type="LMT", limit_price="99.00", oca_group="g", oca_type=2, quantity=50)
    desk.run(2)
    assert (desk.fills(1), desk.view(2).order.quantity) == ([("60", "99.50")], Decimal(20))


@pytest.mark.parametrize(
    ("terms", "code"),
    [({"oca_group": "other"}, 10326), ({"oca_type": 1}, 10327), ({"parent_perm_id": 2}, 10341)],
)
def test_order_stays_in_its_group_and_family(terms: dict[str, Any], code: int) -> None:
    desk = Desk()
    desk.submit(1, order_type="LMT", limit_price="99.50", oca_group="g", oca_type=3)
    desk.submit(2, order_type="LMT", limit_price="99.40")
    desk.run(1)
    desk.replace(1, **terms)
    assert desk.said(ReplaceRefused, 1).code == code
