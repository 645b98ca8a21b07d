"""How many order lifetimes a second the simulated exchange alone gets through: market orders, filled at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange import (
    Exchange,
    ExchangeConfig,
    Latency,
    ModelMarket,
    VenueOrder,
    default_instruments,
)
from ibapi_bridge.gateway_simulator.exchange.instruments import SPY
from ibapi_bridge.gateway_simulator.exchange.types import Side

START = datetime(2023, 11, 6, 15, 0, tzinfo=UTC)
ROUNDS = 20_000


def order_lifetimes() -> float:
    """Orders a second, each submitted, acknowledged, filled and booked."""
    listed = default_instruments()
    instant = Latency(low=1000, high=1000)
    config = ExchangeConfig(ack=instant, fill=instant, cancel=instant, report_quotes=False)
    market = ModelMarket(instruments=listed[:1], start=START, seed=1)
    exchange = Exchange(market=market, instruments=listed, seed=1, start=START, config=config)
    began = time.perf_counter()
    for number in range(1, ROUNDS + 1):
        side: Side = "BUY" if number % 2 else "SELL"
        exchange.submit(
            VenueOrder(
                perm_id=number,
                account="DU1234567",
                con_id=SPY,
                side=side,
                quantity=Decimal(1),
                order_type="MKT",
            )
        )
        exchange.advance(exchange.now + timedelta(milliseconds=3))
    took = time.perf_counter() - began
    filled = sum(view.stage == "filled" for view in exchange.completed())
    if filled < ROUNDS * 0.99:
        raise SystemExit(f"only {filled} of {ROUNDS} orders filled: the figure would mean nothing")
    return ROUNDS / took


def quotes() -> float:
    """Modelled quotes a second, all default instruments."""
    listed = default_instruments()
    market = ModelMarket(instruments=listed, start=START, seed=1)
    exchange = Exchange(market=market, instruments=listed, seed=1, start=START)
    began = time.perf_counter()
    events = len(exchange.advance(START + timedelta(minutes=30)))
    return events / (time.perf_counter() - began)


if __name__ == "__main__":
    print(f"order lifetimes/s: {order_lifetimes():,.0f}")
    print(f"modelled quotes/s: {quotes():,.0f}")
