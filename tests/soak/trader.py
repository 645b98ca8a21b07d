"""A strategy that trades both symbols all day, is flat in the evening and leaves one resting order over night."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

from actors.domain.order_state import OrderState
from actors.domain.terms import Order, OrderType, Side, TimeInForce
from strategy.bars import Bar
from strategy.base import Strategy

LAST_ENTRY = timedelta(minutes=16)
FAR_BELOW = Decimal("0.92")
CENT = Decimal("0.01")


class Trader(Strategy):
    """Enters and leaves by turns; what is not filled within a bar is cancelled."""

    symbols: tuple[str, ...] = ("SPY", "AAPL")
    bar_seconds: int = 300

    def on_start(self) -> None:
        self._closes: datetime | None = None
        self._turns: Counter[str] = Counter()

    def on_market_open(self, closes: datetime) -> None:
        """What rested over night goes."""
        self._closes = closes
        for order in self.broker.open_orders():
            self.broker.cancel(order.oms_id)

    def on_market_close(self) -> None:
        """A limit order far below the market rests until the next morning."""
        self._closes = None
        quote = self.broker.quote("SPY")
        if quote is not None and quote.bid is not None:
            self._submit("SPY", Side.BUY, 10, limit=quote.bid * FAR_BELOW, time_in_force=TimeInForce.GTC)

    def on_bar(self, bar: Bar) -> None:
        """One step in one symbol."""
        if self._closes is None or self.broker.now() >= self._closes - LAST_ENTRY or not self.broker.is_ready:
            return
        stale = self.broker.open_orders(bar.symbol)
        for order in stale:
            self._give_up(order)
        if not stale:
            self._trade(bar.symbol)

    def _give_up(self, order: OrderState) -> None:
        self.broker.cancel(order.oms_id)

    def _trade(self, symbol: str) -> None:
        quote, turn = self.broker.quote(symbol), self._turns[symbol]
        if quote is None or quote.bid is None or quote.ask is None:
            return
        self._turns[symbol] += 1
        held = self.broker.get_position(symbol).quantity
        side = Side.SELL if held > 0 or (not held and turn % 4 == 3) else Side.BUY
        quantity = abs(held) or Decimal(100 + 50 * (turn % 5))
        near, far = (quote.bid, quote.ask) if side is Side.BUY else (quote.ask, quote.bid)
        self._submit(symbol, side, quantity, limit=(None, far, near)[turn % 3])

    def _submit(
        self,
        symbol: str,
        side: Side,
        quantity: int | Decimal,
        *,
        limit: Decimal | None,
        time_in_force: TimeInForce = TimeInForce.DAY,
    ) -> None:
        self.broker.submit_order(
            Order(
                symbol=symbol,
                side=side,
                quantity=quantity,
                order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
                limit_price=None if limit is None else limit.quantize(CENT),
                time_in_force=time_in_force,
            )
        )
