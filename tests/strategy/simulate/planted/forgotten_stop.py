"""A trend follower with a protective stop; its author sends a refused stop again, but not after a lost connection."""

from datetime import datetime
from decimal import Decimal

from actors.domain.identity import OmsId
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
        self._bought = False
        self._stop: OmsId | None = None
        for order in self.broker.open_orders("SPY"):
            if order.order.order_type is OrderType.STOP:
                self._stop = order.oms_id
        self._bought = bool(self.broker.positions()) or self._stop is not None

    def on_market_open(self, closes: datetime) -> None:
        self._closes.clear()

    def on_bar(self, bar: Bar) -> None:
        self._closes.append(bar.close)
        last = self._closes[-3:]
        if not self._bought and self.broker.is_ready and len(last) == 3 and last == sorted(last):
            self._bought = True
            self.broker.submit_order(Order(side=Side.BUY, quantity=self.quantity, symbol="SPY"))

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        if order.order.side is Side.BUY and order.remaining == 0:
            self._protect((fill.price * Decimal("0.99")).quantize(Decimal("0.01")))

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        # The bug: a stop that is refused because the line is down is not sent again once it is up.
        if order.oms_id == self._stop and order.status is ExecStatus.REJECTED and order.reason.startswith("201"):
            price = order.order.stop_price
            if price is not None:
                self._protect(price)

    def _protect(self, price: Decimal) -> None:
        held = self.broker.get_position("SPY").quantity
        if held > 0:
            self._stop = self.broker.submit_order(
                Order(side=Side.SELL, quantity=held, symbol="SPY", order_type=OrderType.STOP, stop_price=price)
            )
