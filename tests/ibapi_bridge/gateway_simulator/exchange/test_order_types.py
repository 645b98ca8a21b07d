"""One order of each type against a scripted market."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ibapi_bridge.gateway_simulator.exchange.events import (
    CancelRefused,
    Executed,
    OrderCanceled,
    OrderHeld,
    OrderRejected,
    OrderReplaced,
    OrderTriggered,
    ReplaceRefused,
    StopTrailed,
    Warned,
)
from ibapi_bridge.gateway_simulator.exchange.instruments import ES
from tests.ibapi_bridge.gateway_simulator.exchange.desk import Desk, quote

OPTION = 700000001
FILL = ["Executed", "OrderFilled", "Commissioned"]


def test_market_order_takes_displayed_size_over_several_quotes() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", (500, 40)), quote(1, "99.99", "100.02", (500, 30)), quote(2, "99", "100.03")
    )
    desk.submit(quantity=100)
    desk.run(5)
    assert desk.fills() == [("40", "100.01"), ("30", "100.02"), ("30", "100.03")]
    assert desk.view().stage == "filled"


def test_two_orders_do_not_take_the_same_displayed_size() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (500, 60)))
    desk.submit(1, quantity=50)
    desk.submit(2, quantity=50)
    desk.run(5)
    assert (desk.fills(1), desk.fills(2)) == ([("50", "100.01")], [("10", "100.01")])


def test_better_priced_order_trades_before_an_earlier_one() -> None:
    desk = Desk(quote(0, "99.90", "100.10"), quote(1, "99.80", "99.85", (100, 100)))
    desk.submit(1, order_type="LMT", limit_price="99.95")
    desk.submit(2, order_type="LMT", limit_price="99.96")
    desk.run(5)
    assert (desk.fills(1), desk.fills(2)) == ([], [("100", "99.96")])


def test_equal_prices_trade_in_order_of_arrival() -> None:
    desk = Desk(quote(0, "99.90", "100.10"), quote(1, "99.80", "99.85", (100, 100)))
    desk.submit(1, order_type="LMT", limit_price="99.95")
    desk.submit(2, order_type="LMT", limit_price="99.95")
    desk.run(5)
    assert (desk.fills(1), desk.fills(2)) == ([("100", "99.95")], [])


@pytest.mark.parametrize(("side", "limit", "fills"), [("BUY", "100.05", "100.01"), ("SELL", "99.95", "99.99")])
def test_marketable_limit_gets_the_better_price_of_the_book(side: str, limit: str, fills: str) -> None:
    desk = Desk()
    desk.submit(side=side, order_type="LMT", limit_price=limit)
    desk.run(5)
    assert desk.fills() == [("100", fills)]


def test_passive_limit_waits_for_the_queue_before_it() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", (300, 300)),
        quote(1, "99.99", "100.01", (300, 300), trade=("99.99", 250)),
        quote(2, "99.99", "100.01", (300, 300), trade=("99.99", 90)),
        quote(3, "99.99", "100.01", (300, 300), trade=("99.99", 500)),
    )
    desk.submit(order_type="LMT", limit_price="99.99")
    desk.run(1.5)
    assert desk.fills() == []
    desk.run(5)
    assert desk.fills() == [("40", "99.99"), ("60", "99.99")]
    assert {e.liquidity for e in desk.log if isinstance(e, Executed)} == {"added"}


def test_iceberg_shows_a_part_and_goes_to_the_end_of_the_queue_after_each() -> None:
    prints = [quote(n, "99.99", "100.01", (50, 50), trade=("99.99", 200)) for n in (1, 2, 3)]
    desk = Desk(quote(0, "99.99", "100.01", (50, 50)), *prints)
    desk.submit(order_type="LMT", limit_price="99.99", display_size=30)
    desk.run(9)
    assert desk.fills() == [("30", "99.99")] * 3


def test_immediate_or_cancel_keeps_what_it_gets_and_dies() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (500, 40)))
    desk.submit(order_type="LMT", limit_price="100.01", tif="IOC")
    desk.run(5)
    assert desk.fills() == [("40", "100.01")]
    assert (desk.said(OrderCanceled).by, desk.said(OrderCanceled).filled) == ("ioc", Decimal(40))
    assert "OrderWorking" not in desk.story()


def test_fill_or_kill_takes_all_or_nothing() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (500, 40)))
    desk.submit(1, order_type="LMT", limit_price="100.01", tif="FOK")
    desk.submit(2, order_type="LMT", limit_price="100.01", tif="FOK", quantity=40)
    desk.run(5)
    assert (desk.fills(1), desk.fills(2)) == ([], [("40", "100.01")])


def test_stop_waits_triggers_on_the_last_trade_and_becomes_a_market_order() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", trade=("100.00", 10)),
        quote(1, "98.99", "99.01", trade=("99.00", 10)),
    )
    desk.submit(side="SELL", order_type="STP", stop_price="99.50")
    desk.run(0.5)
    assert desk.said(OrderHeld).why_held == "trigger"
    desk.run(5)
    assert desk.fills() == [("100", "98.99")]
    assert desk.story() == ["OrderAccepted", "OrderHeld", "OrderTriggered", "OrderWorking", *FILL]


def test_stop_limit_does_not_trade_beyond_its_limit_after_a_gap() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", trade=("100.00", 10)),
        quote(1, "98.00", "98.02", trade=("98.01", 10)),
        quote(2, "99.45", "99.47", trade=("99.46", 10)),
    )
    desk.submit(side="SELL", order_type="STP LMT", stop_price="99.50", limit_price="99.40")
    desk.run(1.5)
    assert (desk.view().triggered, desk.fills()) == (True, [])
    desk.run(5)
    assert desk.fills() == [("100", "99.40")]


def test_trailing_stop_follows_the_market_and_never_goes_back() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", trade=("100.00", 10)),
        quote(1, "101.99", "102.01", trade=("102.00", 10)),
        quote(2, "101.49", "101.51", trade=("101.50", 10)),
        quote(3, "100.99", "101.01", trade=("101.00", 10)),
    )
    desk.submit(side="SELL", order_type="TRAIL", stop_price="1.00")
    desk.run(2.5)
    assert desk.said(StopTrailed).trigger_price == Decimal("101.00")
    assert desk.view().stage == "held"
    desk.run(5)
    assert desk.said(OrderTriggered).trigger_price == Decimal("101.00")
    assert desk.fills() == [("100", "100.99")]


def test_trailing_stop_in_percent_is_rounded_to_the_grid() -> None:
    desk = Desk(quote(0, "99.99", "100.01", trade=("100.03", 10)))
    desk.submit(side="SELL", order_type="TRAIL", trail_percent="1.5")
    desk.run(1)
    assert desk.view().trigger_price == Decimal("98.52")


def test_trailing_stop_limit_sets_its_limit_by_the_offset() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", trade=("100.00", 10)),
        quote(1, "98.90", "98.95", trade=("98.95", 10)),
        quote(2, "98.97", "98.99"),
    )
    desk.submit(side="SELL", order_type="TRAIL LIMIT", stop_price="1.00", limit_offset="0.05")
    desk.run(5)
    assert desk.fills() == [("100", "98.95")]


@pytest.mark.parametrize("kind", ["MIT", "LIT"])
def test_if_touched_order_waits_for_a_better_price(kind: str) -> None:
    desk = Desk(quote(0, "99.99", "100.01", trade=("100.00", 10)), quote(1, "98.98", "99.00", trade=("98.99", 10)))
    terms: dict[str, Any] = {"limit_price": "99.10"} if kind == "LIT" else {}
    desk.submit(order_type=kind, stop_price="99.00", **terms)
    desk.run(0.5)
    assert desk.view().stage == "held"
    desk.run(5)
    assert desk.fills() == [("100", "99.00")]


def test_market_to_limit_leaves_the_rest_at_the_price_it_traded() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (500, 40)), quote(1, "100.10", "100.12"))
    desk.submit(order_type="MTL")
    desk.run(5)
    assert desk.fills() == [("40", "100.01")]
    changed = desk.said(OrderReplaced)
    assert (changed.by, changed.order.order_type, changed.order.limit_price) == ("system", "LMT", Decimal("100.01"))


NEAR_CLOSE = datetime(2023, 11, 6, 20, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("terms", "fills"),
    [
        ({"order_type": "MOC"}, [("100", "100.00")]),
        ({"order_type": "LOC", "limit_price": "100.00"}, [("100", "100.00")]),
        ({"order_type": "LOC", "limit_price": "99.99"}, []),
    ],
)
def test_closing_auction_trades_at_one_price(terms: dict[str, Any], fills: list[tuple[str, str]]) -> None:
    last = quote(19 * 60, "99.98", "100.02", trade=("100.00", 10), start=NEAR_CLOSE)
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), last, start=NEAR_CLOSE)
    desk.submit(**terms)
    desk.run(19 * 60 + 59)
    assert (desk.fills(), desk.view().stage) == ([], "held")
    desk.run(20 * 60)
    assert desk.fills() == fills
    assert desk.view().stage == ("filled" if fills else "canceled")


def test_closing_auction_takes_no_orders_after_the_cut_off() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE)
    desk.run(11 * 60)
    desk.submit(order_type="MOC")
    desk.run(12 * 60)
    assert (desk.said(OrderRejected).code, desk.said(OrderRejected).inactive) == (201, True)


PRE_OPEN = datetime(2023, 11, 6, 14, 20, tzinfo=UTC)


def test_opening_auction_trades_at_the_first_quote_of_the_day() -> None:
    first = quote(601, "101.00", "101.04", trade=("101.02", 500), start=PRE_OPEN)
    desk = Desk(quote(0, "99.99", "100.01", start=PRE_OPEN), first, start=PRE_OPEN)
    desk.submit(1, tif="OPG")
    desk.submit(2, tif="OPG", order_type="LMT", limit_price="101.00")
    desk.run(700)
    assert (desk.fills(1), desk.fills(2)) == ([("100", "101.02")], [])
    assert desk.said(OrderCanceled, 2).by == "system"


def test_order_outside_hours_is_held_with_399_and_works_at_the_open() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", start=PRE_OPEN), quote(605, "99.99", "100.01", start=PRE_OPEN), start=PRE_OPEN
    )
    desk.submit()
    warning = desk.said(Warned)
    assert warning.code == 399
    assert warning.text.endswith("until 2023-11-06 09:30:00 US/Eastern.")
    desk.run(599)
    assert desk.fills() == []
    desk.run(610)
    assert len(desk.fills()) == 1


def test_limit_order_allowed_outside_hours_trades_before_the_open() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=PRE_OPEN), start=PRE_OPEN)
    desk.submit(order_type="LMT", limit_price="100.01", outside_rth=True)
    desk.run(5)
    assert desk.fills() == [("100", "100.01")]


def test_market_order_ignores_the_wish_to_trade_outside_hours() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=PRE_OPEN), start=PRE_OPEN)
    desk.submit(outside_rth=True)
    desk.run(5)
    assert [e.code for e in desk.log if isinstance(e, Warned)] == [2109, 399]
    assert desk.fills() == []


def test_day_order_expires_at_the_close_and_a_gtc_order_comes_back_next_morning() -> None:
    tomorrow = 20 * 60 + 17.5 * 3600
    desk = Desk(
        quote(0, "99.99", "100.01", start=NEAR_CLOSE),
        quote(tomorrow + 5, "98.98", "99.00", start=NEAR_CLOSE),
        start=NEAR_CLOSE,
    )
    desk.submit(1, order_type="LMT", limit_price="99.50")
    desk.submit(2, order_type="LMT", limit_price="99.50", tif="GTC")
    desk.run(20 * 60 + 1)
    assert desk.said(OrderCanceled, 1).by == "expiry"
    assert desk.view(2).held_until == datetime(2023, 11, 7, 14, 30, tzinfo=UTC)
    desk.run(tomorrow + 10)
    assert desk.fills(2) == [("100", "99.50")]


def test_good_till_date_order_expires_at_its_time() -> None:
    desk = Desk()
    desk.submit(order_type="LMT", limit_price="99", tif="GTD", good_till=desk.start + timedelta(seconds=30))
    desk.run(29)
    assert desk.view().stage == "working"
    desk.run(31)
    assert desk.said(OrderCanceled).by == "expiry"


def test_order_good_after_a_time_waits_for_it() -> None:
    desk = Desk()
    desk.submit(good_after=desk.start + timedelta(seconds=30))
    desk.run(29)
    assert desk.fills() == []
    desk.run(31)
    assert len(desk.fills()) == 1


def test_limit_too_far_through_the_market_is_cancelled_by_the_system() -> None:
    desk = Desk()
    desk.submit(order_type="LMT", limit_price="120.00")
    desk.run(5)
    assert desk.said(OrderCanceled).by == "system"
    assert "too far through the market" in desk.said(OrderCanceled).reason


def test_cancel_is_confirmed_later_and_a_second_one_refused() -> None:
    desk = Desk()
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(1)
    desk.cancel()
    desk.cancel()
    assert (desk.said(CancelRefused).code, desk.said(CancelRefused).state) == (10148, "PendingCancel")
    desk.run(2)
    assert desk.story()[-3:] == ["CancelPending", "CancelRefused", "OrderCanceled"]


def test_cancel_that_meets_a_fill_is_refused_with_the_state() -> None:
    desk = Desk(quote(0, "99.99", "100.01"), quote(1, "98", "98.02"))
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(0.9995)
    desk.cancel()
    desk.run(2)
    assert desk.story()[-1] == "CancelRefused"
    assert desk.said(CancelRefused).state == "Filled"


def test_cancel_of_an_unknown_order_is_refused() -> None:
    desk = Desk()
    desk.cancel(77)
    assert desk.said(CancelRefused, 77).code == 10147


def test_replace_changes_price_and_trades() -> None:
    desk = Desk()
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(1)
    desk.replace(limit_price="100.01")
    desk.run(2)
    assert desk.fills() == [("100", "100.01")]


def test_limit_changed_to_market_trades() -> None:
    desk = Desk()
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(1)
    desk.replace(order_type="MKT", limit_price=None)
    desk.run(2)
    assert desk.fills() == [("100", "100.01")]


def test_replace_below_what_is_filled_cancels_the_rest() -> None:
    desk = Desk(quote(0, "99.99", "100.01", (500, 40)))
    desk.submit(order_type="LMT", limit_price="100.01")
    desk.run(1)
    desk.replace(quantity=30)
    desk.run(2)
    assert (desk.view().stage, desk.view().filled) == ("canceled", Decimal(40))


@pytest.mark.parametrize(
    ("terms", "code"),
    [({"side": "SELL"}, 105), ({"order_type": "STP", "stop_price": "99"}, 329), ({"limit_price": "99.001"}, 110)],
)
def test_impossible_change_is_refused_and_the_original_lives(terms: dict[str, Any], code: int) -> None:
    desk = Desk()
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(1)
    desk.replace(**terms)
    desk.run(2)
    assert desk.said(ReplaceRefused).code == code
    assert desk.view().stage == "working"


def test_change_of_a_filled_order_is_refused() -> None:
    desk = Desk()
    desk.submit()
    desk.run(1)
    desk.replace(quantity=200)
    assert desk.said(ReplaceRefused).code == 104


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"con_id": 1}, 200),
        ({"quantity": 0}, 434),
        ({"quantity": "1.5"}, 10243),
        ({"con_id": ES, "quantity": "1.5"}, 10245),
        ({"display_size": "200"}, 10020),
        ({"min_quantity": "200"}, 321),
        ({"trigger_method": 5}, 146),
        ({"con_id": ES, "order_type": "REL"}, 114),
        ({"con_id": ES, "order_type": "PEG MID"}, 387),
        ({"order_type": "PEG MKT", "stop_price": "-0.01"}, 321),
        ({"order_type": "MIDPRICE", "limit_price": "100.001"}, 110),
        ({"tif": "GTD"}, 334),
        ({"order_type": "STP", "stop_price": "101", "tif": "IOC"}, 111),
        ({"order_type": "LMT", "limit_price": "100.001"}, 110),
        ({"order_type": "LMT"}, 321),
        ({"order_type": "FEELINGS"}, 387),
        ({"order_type": "MOC", "tif": "GTC"}, 113),
        ({"side": "HOLD"}, 321),
        ({"parent_perm_id": 99}, 10006),
    ],
)
def test_order_that_says_something_impossible_is_refused_at_the_door(terms: dict[str, Any], code: int) -> None:
    desk = Desk()
    desk.submit(**terms)
    assert desk.story() == ["OrderRejected"]
    assert desk.said(OrderRejected).code == code


def test_order_the_account_cannot_carry_is_rejected_and_remembered() -> None:
    desk = Desk()
    desk.submit(quantity=1_000_000)
    assert (desk.said(OrderRejected).code, desk.said(OrderRejected).inactive) == (201, True)
    assert [v.reject_code for v in desk.exchange.completed()] == [201]


TRADED_ONCE = ("101.00", 10)


@pytest.mark.parametrize(
    ("method", "elected_at"),
    [(0, 3), (1, 2), (2, 3), (3, 4), (4, 1), (7, 1), (8, 2)],
)
def test_stop_is_elected_by_its_trigger_method(method: int, elected_at: int) -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", trade=("100.00", 10)),
        quote(1, "100.49", "101.01", trade=("100.00", 0)),
        quote(2, "101.00", "101.02", trade=("100.00", 0)),
        quote(3, "100.98", "101.00", trade=TRADED_ONCE),
        quote(3.5, "100.98", "101.00", trade=("101.00", 0)),
        quote(4, "100.98", "101.00", trade=TRADED_ONCE),
    )
    desk.submit(order_type="STP", stop_price="101.00", trigger_method=method)
    desk.run(elected_at - 0.1)
    assert not desk.view().triggered
    desk.run(elected_at)
    assert desk.view().triggered


def test_stop_on_an_option_waits_for_two_asks_in_a_row() -> None:
    desk = Desk(
        quote(0, "4.90", "5.00", con_id=OPTION),
        quote(1, "4.90", "5.50", con_id=OPTION),
        quote(2, "4.90", "5.00", con_id=OPTION),
        quote(3, "5.40", "5.50", con_id=OPTION),
        quote(4, "5.40", "5.55", con_id=OPTION),
    )
    desk.submit(con_id=OPTION, quantity=1, order_type="STP", stop_price="5.50")
    desk.run(3.5)
    assert not desk.view().triggered
    desk.run(4.5)
    assert desk.fills() == [("1", "5.55")]


def test_no_fill_is_smaller_than_the_minimum_quantity_unless_less_is_left() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", (500, 40)),
        quote(1, "99.99", "100.01", (500, 70)),
        quote(2, "99.99", "100.01", (500, 10)),
        quote(3, "99.99", "100.01", (500, 30)),
    )
    desk.submit(order_type="LMT", limit_price="100.01", min_quantity="50")
    desk.run(5)
    assert desk.fills() == [("70", "100.01"), ("30", "100.01")]
