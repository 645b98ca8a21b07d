"""Fills are what the market allowed: at its prices, within its sizes, in the order of price and time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ibapi_bridge.gateway_simulator.exchange.events import Event, Executed, Quoted
from ibapi_bridge.gateway_simulator.exchange.types import Quote
from tests.ibapi_bridge.gateway_simulator.exchange.desk import Desk, quote
from tests.ibapi_bridge.gateway_simulator.exchange.test_properties import (
    COMMANDS,
    CONTRACTS,
    LISTED,
    Command,
    made,
    play,
)

AUCTIONS = ("MOC", "LOC")


def continuous(commands: list[Command]) -> list[Command]:
    """The commands without auctions, which trade any size at one price, and without corrections."""
    kept = []
    for name, what in commands:
        terms: dict[str, Any] = what if name == "submit" else {}
        if name not in ("correct", "replace") and terms.get("order_type") not in AUCTIONS and terms.get("tif") != "OPG":
            kept.append((name, what))
    return kept


class Market:
    """What one instrument showed last, and what has been taken of it."""

    def __init__(self, shown: Quote) -> None:
        self.shown = shown
        self.bought = self.sold = Decimal(0)

    def took(self, fill: Executed) -> None:
        if fill.side == "BUY":
            self.bought += fill.quantity
        else:
            self.sold += fill.quantity
        # A print can fill either side, a displayed size only the one that crosses it.
        assert self.bought <= self.shown.ask_size + self.shown.last_size
        assert self.sold <= self.shown.bid_size + self.shown.last_size
        assert self.bought + self.sold <= self.shown.ask_size + self.shown.bid_size + self.shown.last_size


def check_price(shown: Quote, fill: Executed) -> None:
    """A taker pays the quote; an order at rest gets its own price once the market has come to it."""
    other = shown.ask if fill.side == "BUY" else shown.bid
    if fill.liquidity == "removed":
        assert fill.price == other
        return
    reached = [price for price in (other, shown.last if shown.last_size else None) if price is not None]
    assert any(price <= fill.price if fill.side == "BUY" else price >= fill.price for price in reached)


@settings(deadline=None, max_examples=150)
@given(commands=COMMANDS)
def test_fills_stay_within_the_prices_and_sizes_that_were_shown(commands: list[Command]) -> None:
    exchange = made()
    opening = [shown for shown in (exchange.quote(con_id) for con_id in CONTRACTS) if shown is not None]
    markets = {shown.con_id: Market(shown) for shown in opening}
    log: list[Event] = []
    play(exchange, continuous(commands), log)
    for event in log:
        if isinstance(event, Quoted):
            markets[event.quote.con_id] = Market(event.quote)
        elif isinstance(event, Executed):
            market = markets[event.con_id]
            if not LISTED[event.con_id].legs:
                market.took(event)
            if not event.is_leg:
                check_price(market.shown, event)


LIMITS = st.lists(st.tuples(st.integers(9990, 10010), st.integers(1, 300)), min_size=2, max_size=8)


@settings(deadline=None, max_examples=100)
@given(orders=LIMITS, asks=st.lists(st.tuples(st.integers(9985, 10015), st.integers(1, 400)), min_size=1, max_size=6))
def test_better_price_then_earlier_arrival_is_served_first(
    orders: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    books = [
        quote(second, "90.00", str(Decimal(cents) / 100), (100, size)) for second, (cents, size) in enumerate(asks, 1)
    ]
    desk = Desk(quote(0, "90.00", "110.00"), *books)
    for number, (cents, size) in enumerate(orders, 1):
        desk.submit(number, order_type="LMT", limit_price=str(Decimal(cents) / 100), quantity=size)
    for second in range(1, len(asks) + 1):
        desk.run(second + 0.5)
        left = [desk.view(number) for number in range(1, len(orders) + 1)]
        ranked = sorted(left, key=lambda view: (-(view.order.limit_price or 0), view.order.perm_id))
        begun = [view.filled > 0 for view in ranked]
        assert begun == sorted(begun, reverse=True), "a worse order was served while a better one was not"
        partial = [view for view in ranked if 0 < view.filled < view.order.quantity]
        assert len(partial) <= 1


def test_own_orders_never_trade_with_each_other() -> None:
    desk = Desk(quote(0, "99.90", "100.10", (0, 0)))
    desk.submit(1, order_type="LMT", limit_price="100.05")
    desk.submit(2, side="SELL", order_type="LMT", limit_price="100.00")
    desk.run(5)
    assert (desk.fills(1), desk.fills(2)) == ([], [])
