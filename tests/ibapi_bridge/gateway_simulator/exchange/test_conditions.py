"""Orders that wait for conditions, or end by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ibapi_bridge.gateway_simulator.exchange.events import OrderCanceled, OrderRejected
from ibapi_bridge.gateway_simulator.exchange.instruments import AAPL, SPY
from ibapi_bridge.gateway_simulator.exchange.types import Condition
from tests.ibapi_bridge.gateway_simulator.exchange.desk import MORNING, Desk, quote


def condition(kind: str, number: str = "0", **more: Any) -> Condition:
    return Condition(kind=kind, number=Decimal(number), con_id=AAPL, **more)  # type: ignore[arg-type]


def desk(*further: Any) -> Desk:
    return Desk(
        quote(0, "99.99", "100.01"),
        quote(0, "189.99", "190.01", con_id=AAPL, trade=("190.00", 10)),
        quote(1, "190.99", "191.01", con_id=AAPL, trade=("191.00", 10)),
        quote(2, "191.99", "192.01", con_id=AAPL, trade=("192.00", 10)),
        quote(3, "189.99", "190.01", con_id=AAPL, trade=("190.00", 10)),
        *further,
    )


@pytest.mark.parametrize(
    ("wanted", "met_at"),
    [
        (condition("price", "191.00"), 1),
        (condition("price", "191.50"), 2),
        (condition("price", "191.01", trigger_method=4), 1),
        (condition("price", "190.50", is_more=False), 0),
        (condition("change", "1.00"), 2),
        (condition("time", at=MORNING + timedelta(seconds=1.5)), 1.5),
        (condition("margin", "90"), 0),
    ],
)
def test_order_waits_until_its_condition_holds(wanted: Condition, met_at: float) -> None:
    exchange = desk()
    exchange.submit(conditions=(wanted,))
    exchange.run(max(met_at - 0.1, 0))
    assert exchange.fills() == []
    exchange.run(met_at + 0.1)
    assert exchange.fills() == [("100", "100.01")]


def test_condition_on_volume_counts_the_day() -> None:
    busy = quote(5, "189.99", "190.01", con_id=AAPL)
    exchange = desk(type(busy)(at=busy.at, con_id=AAPL, bid=busy.bid, bid_size=busy.bid_size, ask=busy.ask,
                               ask_size=busy.ask_size, volume=Decimal(5000)))  # fmt: skip
    exchange.submit(conditions=(condition("volume", "5000"),))
    exchange.run(4.9)
    assert exchange.view().stage == "held"
    exchange.run(5.1)
    assert exchange.view().stage == "filled"


def test_condition_on_an_execution_waits_for_a_trade_of_the_account() -> None:
    exchange = desk()
    exchange.submit(1, conditions=(condition("execution", symbol="AAPL", sec_type="STK", exchange="SMART"),))
    exchange.run(1)
    exchange.submit(2, con_id=SPY, quantity=1)
    exchange.run(1.5)
    assert exchange.view(1).stage == "held"
    exchange.submit(3, con_id=AAPL, quantity=1)
    exchange.run(2)
    assert exchange.view(1).stage == "filled"


@pytest.mark.parametrize(
    ("links", "met"), [((True, True), False), ((False, True), True), ((True, False), True), ((False, False), True)]
)
def test_conditions_are_joined_from_the_first_to_the_last(links: tuple[bool, bool], met: bool) -> None:
    """True, false, true with the given links; AND and OR bind in the order they stand."""
    yes, no = condition("price", "100.00"), condition("price", "900.00")
    exchange = desk()
    exchange.submit(
        conditions=tuple(
            Condition(kind="price", number=one.number, con_id=AAPL, conjunction=link)
            for one, link in zip((yes, no, yes), (*links, True), strict=True)
        )
    )
    exchange.run(0.5)
    assert (exchange.view().stage == "filled") is met


def test_conditions_can_cancel_a_working_order() -> None:
    exchange = desk()
    exchange.submit(
        order_type="LMT", limit_price="99.00", conditions=(condition("price", "192.00"),), conditions_cancel=True
    )
    exchange.run(1.5)
    assert exchange.view().stage == "working"
    exchange.run(2.5)
    assert exchange.said(OrderCanceled).by == "condition"


def test_conditional_stop_waits_for_its_trigger_after_its_condition() -> None:
    exchange = desk(quote(4, "101.00", "101.02", trade=("101.01", 10)))
    exchange.submit(order_type="STP", stop_price="101.00", conditions=(condition("price", "191.00"),))
    exchange.run(0.5)
    assert (exchange.view().stage, exchange.view().why_held) == ("held", "")
    exchange.run(1.5)
    assert (exchange.view().stage, exchange.view().why_held) == ("held", "trigger")
    exchange.run(5)
    assert exchange.fills() == [("100", "101.02")]


def test_conditions_sleep_outside_regular_hours_unless_told_otherwise() -> None:
    early = datetime(2023, 11, 6, 13, 0, tzinfo=UTC)
    exchange = Desk(
        quote(0, "99.99", "100.01", start=early), quote(0, "190.00", "190.02", con_id=AAPL, start=early), start=early
    )
    terms: dict[str, Any] = {"order_type": "LMT", "limit_price": "100.01", "outside_rth": True}
    met = (condition("price", "190.00"),)
    exchange.submit(1, **terms, conditions=met)
    exchange.submit(2, **terms, conditions=met, conditions_ignore_rth=True)
    exchange.run(1)
    assert (exchange.view(1).stage, exchange.view(2).stage) == ("held", "filled")


def test_conditional_order_of_the_day_expires_with_it() -> None:
    exchange = desk()
    exchange.submit(conditions=(condition("price", "900.00"),))
    exchange.run(7 * 3600)
    assert exchange.said(OrderCanceled).by == "expiry"


def test_changed_conditions_are_the_new_ones() -> None:
    exchange = desk()
    exchange.submit(conditions=(condition("price", "900.00"),))
    exchange.run(0.5)
    exchange.replace(conditions=(condition("price", "191.00"),))
    exchange.run(0.9)
    assert exchange.view().stage == "held"
    exchange.run(1.1)
    assert exchange.view().stage == "filled"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Condition(kind="price", con_id=1), 147),
        (Condition(kind="execution"), 147),
        (condition("price", "1", trigger_method=1), 146),
        (condition("volume", "NaN"), 321),
    ],
)
def test_condition_that_means_nothing_is_refused(wanted: Condition, code: int) -> None:
    exchange = desk()
    exchange.submit(conditions=(wanted,))
    assert exchange.said(OrderRejected).code == code


def test_saved_conditional_order_goes_on_waiting() -> None:
    exchange, again = desk(), desk()
    exchange.submit(conditions=(condition("price", "191.00"), condition("time", at=MORNING)))
    exchange.run(0.5)
    again.exchange.load(exchange.exchange.save())
    again.run(1.5)
    assert again.view().stage == "filled"
