"""A dip buyer that takes its profit; its author forgot that an order may fill in parts."""

from decimal import Decimal

from actors.domain.order_state import Fill, OrderState
from actors.domain.terms import Order, OrderType, Side
from strategy.bars import Bar
from strategy.base import Strategy
from strategy.simulate import SessionView, property_of_session


class DipBuyer(Strategy):
    """Buys each third falling bar, sells a little higher."""

    symbols: tuple[str, ...] = ("SPY",)
    quantity: Decimal = Decimal(100)

    def on_start(self) -> None:
        self._falls = 0
        self._last: Decimal | None = None
        self._busy = False

    def on_bar(self, bar: Bar) -> None:
        self._falls = self._falls + 1 if self._last is not None and bar.close < self._last else 0
        self._last = bar.close
        if self._falls >= 2 and not self._busy and self.broker.is_ready:
            self._busy = True
            self._send(Side.BUY, bar.close + Decimal("0.02"))

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        if order.order.side is Side.BUY:
            # The bug: this is called for every part of the purchase, and sells all of it each time.
            self._send(Side.SELL, fill.price + Decimal("0.01"))
        elif order.remaining == 0:
            self._busy = False

    def _send(self, side: Side, price: Decimal) -> None:
        self.broker.submit_order(
            Order(side=side, quantity=self.quantity, symbol="SPY", order_type=OrderType.LIMIT, limit_price=price)
        )


@property_of_session(when="always")
def never_short(session: SessionView) -> None:
    position = session.position("SPY")
    assert position >= 0, f"the position is {position}"
