"""Pegged orders follow the quote, behind their cap, and pay for each move with their place in the queue."""

from __future__ import annotations

from typing import Any

import pytest

from ibapi_bridge.gateway_simulator.exchange import VenueOrder
from tests.ibapi_bridge.gateway_simulator.exchange.desk import Desk, quote


def resting(desk: Desk) -> str | None:
    """The price at which order 1 stands in the book."""
    live = desk.exchange._floor.orders[1]  # noqa: SLF001 - no event tells where a pegged order stands
    return str(live.limit) if live.in_book else None


@pytest.mark.parametrize(
    ("terms", "first", "second"),
    [
        ({"order_type": "REL", "stop_price": "0.01"}, "99.91", "100.01"),
        ({"order_type": "REL", "stop_price": "0.01", "side": "SELL"}, "100.09", "100.19"),
        ({"order_type": "REL", "stop_price": "0.01", "limit_price": "99.95"}, "99.91", "99.95"),
        ({"order_type": "PEG MKT", "stop_price": "0.05"}, "100.05", "100.15"),
        ({"order_type": "PEG MKT", "stop_price": "0.05", "side": "SELL"}, "99.95", "100.05"),
        ({"order_type": "PEG MID", "stop_price": "0.03"}, "99.97", "100.07"),
        ({"order_type": "PEG MID", "side": "SELL"}, "100.00", "100.10"),
        ({"order_type": "MIDPRICE"}, "100.00", "100.10"),
        ({"order_type": "MIDPRICE", "limit_price": "99.99"}, "99.99", "99.99"),
    ],
)
def test_order_stands_where_its_peg_puts_it(terms: dict[str, Any], first: str, second: str) -> None:
    desk = Desk(quote(0, "99.90", "100.10"), quote(1, "100.00", "100.20"))
    desk.submit(**terms)
    desk.run(0.5)
    assert resting(desk) == first
    desk.run(1.5)
    assert resting(desk) == second
    assert desk.fills() == []


def test_midpoint_between_two_ticks_is_rounded_away_from_the_market() -> None:
    desk = Desk(quote(0, "99.99", "100.02"))
    desk.submit(order_type="MIDPRICE")
    desk.run(0.5)
    assert resting(desk) == "100.00"


def test_pegged_order_that_crosses_pays_the_quote_and_not_its_own_limit() -> None:
    desk = Desk(quote(0, "99.90", "100.10"), quote(1, "100.09", "100.10"))
    desk.submit(order_type="REL", stop_price="0.05")
    desk.run(2)
    assert desk.fills() == [("100", "100.10")]


def test_print_through_a_resting_peg_fills_it_at_its_price() -> None:
    desk = Desk(quote(0, "99.90", "100.10"), quote(1, "99.90", "100.10", trade=("99.95", 60)))
    desk.submit(order_type="MIDPRICE")
    desk.run(2)
    assert desk.fills() == [("60", "100.00")]


def test_without_the_side_it_is_pegged_to_an_order_leaves_the_book_and_comes_back() -> None:
    one_sided = quote(1, "99.90", "100.10")
    one_sided = type(one_sided)(at=one_sided.at, con_id=one_sided.con_id, bid=None, bid_size=one_sided.bid_size,
                                ask=one_sided.ask, ask_size=one_sided.ask_size)  # fmt: skip
    desk = Desk(quote(0, "99.90", "100.10"), one_sided, quote(2, "99.80", "100.00"))
    desk.submit(order_type="MIDPRICE")
    desk.run(1.5)
    assert (resting(desk), desk.view().stage) == (None, "working")
    desk.run(2.5)
    assert resting(desk) == "99.90"


def test_changed_and_cancelled_pegs_follow_no_longer() -> None:
    desk = Desk(quote(0, "99.90", "100.10"), quote(2, "100.00", "100.20"), quote(4, "99.00", "99.10"))
    desk.submit(order_type="REL", stop_price="0.00")
    desk.run(1)
    desk.replace(stop_price="0.02")
    desk.run(2.5)
    assert resting(desk) == "100.02"
    desk.cancel()
    desk.run(5)
    assert (desk.view().stage, desk.fills(), resting(desk)) == ("canceled", [], None)


def test_saved_peg_goes_on_following() -> None:
    quotes = quote(0, "99.90", "100.10"), quote(2, "100.00", "100.20")
    desk = Desk(*quotes)
    desk.submit(order_type="MIDPRICE")
    desk.run(1)
    again = Desk(*quotes)
    again.exchange.load(desk.exchange.save())
    again.run(3)
    assert resting(again) == "100.10"
    assert isinstance(again.view().order, VenueOrder)
