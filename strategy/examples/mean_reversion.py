"""Mean reversion: buys what fell unusually far below its recent average, sells it when it is back (and the reverse).

One instrument at a time has at most one working order. Orders are limit orders at the far side of the quote; what is
not filled after a few bars is cancelled, and the position, whole or in part, is then managed as it is. Flattening at
the end of the day is the scheduler's work (``trading.flatten_at``); this strategy only stops entering before it.
"""

from collections import deque
from datetime import datetime, time
from decimal import Decimal
from math import fsum, sqrt

import attrs

from actors.domain.identity import OmsId
from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent
from strategy.bars import Bar
from strategy.base import Strategy


@attrs.define
class _Market:
    """What the strategy remembers of one symbol."""

    closes: deque[float]
    working: OmsId | None = None
    working_bars: int = 0
    held_bars: int = 0
    pause_bars: int = 0


class MeanReversion(Strategy):
    """Trades the distance of the price from its moving average, in standard deviations."""

    symbols: tuple[str, ...] = ("SPY",)
    bar_seconds: int = 60
    quantity: Decimal = Decimal(1500)
    """Shares of one entry."""
    window: int = 20
    """Bars of the moving average."""
    entry_deviations: float = 1.5
    exit_deviations: float = 0.25
    stop_deviations: float = 4.0
    patience_bars: int = 3
    """Bars after which an unfilled remainder is cancelled."""
    max_held_bars: int = 45
    pause_after_reject_bars: int = 10
    last_entry: time = time(15, 40)
    """Exchange time after which nothing new is opened."""

    def on_start(self) -> None:
        """Begin with empty windows; a position or an order from before is managed like one of our own."""
        self._markets = {symbol: _Market(deque(maxlen=self.window)) for symbol in self.symbols}
        for symbol, market in self._markets.items():
            for order in self.broker.open_orders(symbol):
                market.working = order.oms_id
        self._entries_allowed = True
        self.broker.daily_at(self.last_entry, "last entry")

    def on_market_open(self, closes: datetime) -> None:
        """A new day: yesterday's prices say little about today's average."""
        self._entries_allowed = True
        for market in self._markets.values():
            market.closes.clear()

    def on_timer(self, name: str, at: datetime) -> None:
        """Stop entering."""
        if name == "last entry":
            self._entries_allowed = False

    def on_bar(self, bar: Bar) -> None:
        """Look once a bar: at the working order first, then at the position, then for an entry."""
        market = self._markets[bar.symbol]
        market.closes.append(float(bar.close))
        market.pause_bars = max(0, market.pause_bars - 1)
        position = self.broker.get_position(bar.symbol).quantity
        market.held_bars = market.held_bars + 1 if position else 0
        if market.working is not None:
            self._mind_working(market)
        elif len(market.closes) == self.window and not market.pause_bars and self.broker.is_ready:
            self._decide(bar, market, position)

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        """Forget an order that ended; after a reject wait before trying again."""
        market = self._markets.get(self._symbol_of(order))
        if market is None or order.oms_id != market.working or order.is_open:
            return
        market.working = None
        if order.status is ExecStatus.REJECTED:
            market.pause_bars = self.pause_after_reject_bars

    def _mind_working(self, market: _Market) -> None:
        market.working_bars += 1
        if market.working is not None and market.working_bars >= self.patience_bars:
            self.broker.cancel(market.working)

    def _decide(self, bar: Bar, market: _Market, position: Decimal) -> None:
        deviations = _deviations(market.closes)
        if position:
            if self._should_leave(market, position, deviations):
                self._send(bar.symbol, Side.SELL if position > 0 else Side.BUY, abs(position))
        elif self._entries_allowed and self.entry_deviations <= abs(deviations) < self.stop_deviations:
            self._send(bar.symbol, Side.SELL if deviations > 0 else Side.BUY, self.quantity)

    def _should_leave(self, market: _Market, position: Decimal, deviations: float) -> bool:
        gained = deviations if position > 0 else -deviations
        is_back, is_lost = gained >= -self.exit_deviations, gained <= -self.stop_deviations
        return is_back or is_lost or market.held_bars >= self.max_held_bars

    def _send(self, symbol: str, side: Side, quantity: Decimal) -> None:
        quote = self.broker.quote(symbol)
        price = None if quote is None else (quote.ask if side is Side.BUY else quote.bid)
        if price is None:
            return
        order = Order(side=side, quantity=quantity, symbol=symbol, order_type=OrderType.LIMIT, limit_price=price)
        market = self._markets[symbol]
        market.working = self.broker.submit_order(order)
        market.working_bars = 0

    def _symbol_of(self, order: OrderState) -> str:
        return next((name for name, market in self._markets.items() if market.working == order.oms_id), "")


def _deviations(closes: deque[float]) -> float:
    """How far the last close is from the average, in standard deviations; 0 where nothing moved."""
    moves = [close - closes[0] for close in closes]  # exact for prices so near each other: no move stays exactly 0
    average = fsum(moves) / len(moves)
    distances = [move - average for move in moves]
    spread = sqrt(fsum([distance * distance for distance in distances]) / len(distances))
    return distances[-1] / spread if spread else 0.0
