"""A scalper that takes every message about its order for a refusal and sends the order again."""

from decimal import Decimal

from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent, OrderWarned
from strategy.bars import Bar
from strategy.base import Strategy
from strategy.simulate import SessionView, property_of_session


class Scalper(Strategy):
    """In with a limit order at the middle of the bar, out at the market with the next bar."""

    symbols: tuple[str, ...] = ("SPY",)
    quantity: Decimal = Decimal(300)

    def on_start(self) -> None:
        self._entry: OrderState | None = None
        self._bars = 0

    def on_bar(self, bar: Bar) -> None:
        self._bars += 1
        held = self.broker.get_position("SPY").quantity
        if held > 0 and not self.broker.open_orders("SPY"):
            self.broker.submit_order(Order(side=Side.SELL, quantity=held, symbol="SPY"))
        elif not held and self._bars % 5 == 0 and self.broker.is_ready and not self.broker.open_orders("SPY"):
            self._enter(bar.close)

    def _enter(self, price: Decimal) -> None:
        self.broker.submit_order(
            Order(
                side=Side.BUY,
                quantity=self.quantity,
                symbol="SPY",
                order_type=OrderType.LIMIT,
                limit_price=price.quantize(Decimal("0.01")),
            )
        )

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        refused = order.status is ExecStatus.REJECTED and order.reason.startswith("201")
        # The bug: a warning such as 10349 is no refusal; the first order lives on.
        if order.order.side is Side.BUY and (refused or isinstance(event, OrderWarned)):
            price = order.order.limit_price
            if price is not None:
                self._enter(price)


@property_of_session(when="always")
def one_entry_at_a_time(session: SessionView) -> None:
    assert session.position("SPY") <= 300, f"the position is {session.position('SPY')}"
