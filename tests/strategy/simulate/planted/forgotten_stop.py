"""A trend follower with a protective stop; its author sends a refused stop again, but not after a lost connection."""

from datetime import datetime
from decimal import Decimal

from actors.domain.order_state import ExecStatus, Fill, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent
from strategy.bars import Bar
from strategy.base import Strategy


class TrendWithStop(Strategy):
    """Buys once a day when three bars in a row rose; a stop 1 % below holds the loss."""

    symbols: tuple[str, ...] = ("SPY",)
    quantity: Decimal = Decimal(200)

    def on_start(self) -> None:
        self._closes: list[Decimal] = []
        self._bought = bool(self.broker.positions() or self.broker.open_orders("SPY"))

    def on_market_open(self, closes: datetime) -> None:
        self._closes.clear()

    def on_bar(self, bar: Bar) -> None:
        self._closes.append(bar.close)
        last = self._closes[-3:]
        if not self._bought and self.broker.is_ready and len(last) == 3 and last == sorted(last):
            self._bought = True
            self.broker.submit_order(Order(side=Side.BUY, quantity=self.quantity, symbol="SPY"))

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        """A stop for each part that was bought."""
        if order.order.side is Side.BUY:
            self._protect(fill.quantity, (fill.price * Decimal("0.99")).quantize(Decimal("0.01")))

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        # The bug: a stop that is refused because the line is down is not sent again once it is up.
        refused = order.status is ExecStatus.REJECTED and order.reason.startswith("201")
        if refused and order.order.stop_price is not None:
            self._protect(order.order.quantity, order.order.stop_price)

    def _protect(self, quantity: Decimal, price: Decimal) -> None:
        self.broker.submit_order(
            Order(side=Side.SELL, quantity=quantity, symbol="SPY", order_type=OrderType.STOP, stop_price=price)
        )
