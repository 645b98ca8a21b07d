"""Recorded bars and prints as quotes.

A bar becomes four quotes at its first, second, third and last quarter: open, low, high, close, with high before low in
a bar that fell. Where only trades are known, a spread of one tick is put around each print.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.rules import tick_at
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, Quote

DEFAULT_SIZES = {"CASH": Decimal(1_000_000), "FUT": Decimal(10)}
POINTS = 4


@frozen(kw_only=True)
class Prices:
    """Open, high, low and close of one side of a bar."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal

    def path(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """The four prices in the order in which they are taken to have happened."""
        middle = (self.low, self.high) if self.close >= self.open else (self.high, self.low)
        return (self.open, *middle, self.close)


@frozen(kw_only=True)
class QuoteBar:
    """The best bid and ask through one bar; a side that was empty is None, a size of 0 is unknown."""

    at: datetime
    bid: Prices | None
    bid_size: Decimal
    ask: Prices | None
    ask_size: Decimal


@frozen(kw_only=True)
class TradeBar:
    """Trades through one bar."""

    at: datetime
    prices: Prices
    volume: Decimal


class QuoteMaker:
    """Turns one instrument's bars and prints into quotes; keeps the last price and the day's volume."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._size = DEFAULT_SIZES.get(instrument.sec_type, Decimal(100))
        self._last: Decimal | None = None
        self._volume = ZERO

    def bar(self, period: timedelta, quotes: QuoteBar | None, trades: TradeBar | None) -> Iterator[Quote]:
        """The quotes of one bar, from its quotes, its trades or both."""
        if trades is None:
            parts: tuple[Decimal | None, ...] = (None,) * POINTS
        else:
            parts = trades.prices.path()
        sizes = _split(trades.volume) if trades is not None else (ZERO,) * POINTS
        for point in range(POINTS):
            price = parts[point]
            if quotes is not None:
                yield self._quoted(quotes, point, period, price, sizes[point])
            elif trades is not None and price is not None:
                yield self.print(trades.at + period * point / POINTS, price, sizes[point])

    def _quoted(self, bar: QuoteBar, point: int, period: timedelta, price: Decimal | None, size: Decimal) -> Quote:
        bid = None if bar.bid is None else bar.bid.path()[point]
        ask = None if bar.ask is None else bar.ask.path()[point]
        if bid is not None and ask is not None:
            # The sides of a bar are recorded one by one: put together they may cross, a book never does.
            ask = max(ask, bid)
        self._trade(price, size)
        return Quote(
            at=bar.at + period * point / POINTS,
            con_id=self._instrument.con_id,
            bid=bid,
            bid_size=ZERO if bid is None else bar.bid_size or self._size,
            ask=ask,
            ask_size=ZERO if ask is None else bar.ask_size or self._size,
            last=self._last,
            last_size=size if price is not None else ZERO,
            volume=self._volume,
        )

    def print(self, at: datetime, price: Decimal, size: Decimal) -> Quote:
        """A trade alone: the spread is one tick, below the print when the price rose, else above it."""
        tick = tick_at(self._instrument, price)
        rose = self._last is not None and price > self._last
        bid, ask = (price - tick, price) if rose else (price, price + tick)
        shown = max(size, self._size)
        self._trade(price, size)
        return Quote(
            at=at,
            con_id=self._instrument.con_id,
            bid=bid,
            bid_size=shown,
            ask=ask,
            ask_size=shown,
            last=price,
            last_size=size,
            volume=self._volume,
        )

    def _trade(self, price: Decimal | None, size: Decimal) -> None:
        if price is not None:
            self._last = price
            self._volume += size


def _split(volume: Decimal) -> tuple[Decimal, ...]:
    part = volume // POINTS
    return (part, part, part, volume - 3 * part)
