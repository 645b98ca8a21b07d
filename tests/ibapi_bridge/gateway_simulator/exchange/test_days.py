"""Orders over the bells: what happens to them at the close, at night and at the next open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange import Halt, default_instruments
from ibapi_bridge.gateway_simulator.exchange.events import (
    OrderCanceled,
    OrderHeld,
    OrderRejected,
    SessionClosed,
    SessionOpened,
    Warned,
)
from ibapi_bridge.gateway_simulator.exchange.instruments import ES, SPY
from tests.ibapi_bridge.gateway_simulator.exchange.desk import ACCOUNT, FIXED, Desk, quote

NEAR_CLOSE = datetime(2023, 11, 6, 20, 59, tzinfo=UTC)  # Monday, a minute before the close
BELL = 60.0
NEXT_OPEN = BELL + 17.5 * 3600


def test_day_order_in_extended_hours_lives_until_they_end() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE)
    desk.submit(order_type="LMT", limit_price="99", outside_rth=True)
    desk.run(BELL + 4 * 3600 - 1)
    assert desk.view().stage == "working"
    desk.run(BELL + 4 * 3600)
    assert desk.said(OrderCanceled).by == "expiry"


def test_order_for_tomorrow_is_not_killed_by_tonights_close() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE)
    desk.run(BELL + 3600)
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(BELL + 5 * 3600)
    assert desk.view().held_until == datetime(2023, 11, 7, 14, 30, tzinfo=UTC)
    desk.run(NEXT_OPEN + 1)
    assert desk.view().stage == "working"


def test_trailing_stop_keeps_its_place_overnight() -> None:
    desk = Desk(
        quote(0, "104.99", "105.01", trade=("105.00", 10), start=NEAR_CLOSE),
        quote(NEXT_OPEN + 60, "103.99", "104.01", trade=("104.10", 10), start=NEAR_CLOSE),
        start=NEAR_CLOSE,
    )
    desk.submit(side="SELL", order_type="TRAIL", stop_price="1.00", tif="GTC")
    desk.run(NEXT_OPEN + 30)
    assert desk.view().trigger_price == Decimal("104.00")
    desk.run(NEXT_OPEN + 70)
    assert (desk.view().trigger_price, desk.view().triggered) == (Decimal("104.00"), False)


def test_stop_does_not_trigger_outside_regular_hours_unless_asked_to() -> None:
    night = quote(BELL + 600, "97.99", "98.01", trade=("98.00", 10), start=NEAR_CLOSE)
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), night, start=NEAR_CLOSE)
    desk.submit(1, side="SELL", order_type="STP", stop_price="99", tif="GTC")
    desk.submit(2, side="SELL", order_type="STP", stop_price="99", tif="GTC", outside_rth=True)
    desk.run(BELL + 700)
    assert (desk.view(1).stage, desk.view(2).stage) == ("held", "filled")


def test_what_was_shown_before_the_bell_does_not_trade_after_it() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE)
    desk.run(BELL + 3600)
    desk.submit()
    desk.run(NEXT_OPEN + 60)
    assert (desk.view().stage, desk.fills()) == ("working", [])


def test_sessions_are_announced() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE, instruments=default_instruments()[:1])
    desk.run(NEXT_OPEN)
    bells = [(type(e).__name__, e.liquid) for e in desk.log if isinstance(e, SessionOpened | SessionClosed)]
    assert bells == [
        ("SessionClosed", True),
        ("SessionClosed", False),
        ("SessionOpened", False),
        ("SessionOpened", True),
    ]


def test_future_works_at_night_without_asking() -> None:
    night = datetime(2023, 11, 7, 3, 0, tzinfo=UTC)
    desk = Desk(quote(0, "4500.00", "4500.25", con_id=ES, start=night), start=night)
    desk.submit(con_id=ES, quantity=1)
    desk.run(1)
    assert desk.fills() == [("1", "4500.25")]


def test_future_is_held_over_the_weekend_with_the_exchanges_own_time() -> None:
    saturday = datetime(2023, 11, 4, 12, 0, tzinfo=UTC)
    desk = Desk(quote(0, "4500.00", "4500.25", con_id=ES, start=saturday), start=saturday)
    desk.submit(con_id=ES, quantity=1)
    assert desk.said(Warned).text.endswith("until 2023-11-05 17:00:00 US/Central.")


@pytest.mark.parametrize(("day", "hour"), [(date(2023, 11, 24), 18), (date(2024, 7, 3), 17)])
def test_early_close_ends_the_day_at_one(day: date, hour: int) -> None:
    start = datetime(day.year, day.month, day.day, hour - 1, 59, tzinfo=UTC)
    desk = Desk(quote(0, "99.99", "100.01", start=start), start=start)
    desk.submit(order_type="LMT", limit_price="99")
    desk.run(61)
    assert desk.said(OrderCanceled).by == "expiry"


def test_auction_order_submitted_during_the_day_waits_for_tomorrows_open() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE)
    desk.submit(tif="OPG")
    desk.run(BELL + 10)
    assert desk.said(OrderHeld).until == datetime(2023, 11, 7, 14, 30, tzinfo=UTC)
    assert desk.view().stage == "held"


def test_opening_auction_that_never_comes_ends_with_the_day() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE)
    desk.submit(tif="OPG")
    desk.run(NEXT_OPEN + 6.5 * 3600 + 1)
    assert desk.said(OrderCanceled).by == "expiry"


def test_closing_auction_of_a_halted_instrument_is_not_held() -> None:
    start = NEAR_CLOSE - timedelta(minutes=20)
    config = evolve(FIXED, halts=(Halt(con_id=SPY, start=start + timedelta(minutes=5)),))
    desk = Desk(quote(0, "99.99", "100.01", start=start), start=start, config=config)
    desk.submit(order_type="MOC")
    desk.run(21 * 60)
    assert (desk.said(OrderCanceled).by, desk.said(OrderCanceled).reason) == ("system", "There was no auction.")


def test_expired_contract_is_refused() -> None:
    late = datetime(2026, 12, 21, 16, 0, tzinfo=UTC)
    desk = Desk(quote(0, "4500.00", "4500.25", con_id=ES, start=late), start=late)
    desk.submit(con_id=ES, quantity=1)
    assert desk.said(OrderRejected).code == 392


def test_good_till_date_that_was_moved_is_the_new_one() -> None:
    desk = Desk()
    terms: dict[str, Any] = {"order_type": "LMT", "limit_price": "99", "tif": "GTD"}
    desk.submit(**terms, good_till=desk.start + timedelta(seconds=30))
    desk.replace(good_till=desk.start + timedelta(seconds=90))
    desk.run(31)
    assert desk.view().stage == "working"
    desk.run(91)
    assert desk.said(OrderCanceled).by == "expiry"


def test_new_day_starts_a_new_profit_and_loss() -> None:
    desk = Desk(
        quote(0, "99.99", "100.01", start=NEAR_CLOSE),
        quote(30, "109.99", "110.01", start=NEAR_CLOSE),
        start=NEAR_CLOSE,
    )
    desk.submit()
    desk.run(40)
    assert desk.exchange.account_values(ACCOUNT).daily_pnl == Decimal("998.65")
    desk.run(BELL + 10 * 3600)
    assert desk.exchange.account_values(ACCOUNT).daily_pnl == 0
    assert desk.exchange.positions(ACCOUNT)[0].daily_pnl == 0


def test_what_was_sold_today_is_listed_until_the_day_ends() -> None:
    desk = Desk(quote(0, "99.99", "100.01", start=NEAR_CLOSE), start=NEAR_CLOSE)
    desk.submit(1)
    desk.submit(2, side="SELL")
    desk.run(50)
    assert [position.quantity for position in desk.exchange.positions(ACCOUNT)] == [0]
    desk.run(BELL + 10 * 3600)
    assert desk.exchange.positions(ACCOUNT) == []


def test_date_of_the_past_is_no_good_till_date() -> None:
    desk = Desk()
    desk.submit(tif="GTD", good_till=desk.start)
    assert desk.said(OrderRejected).code == 334
