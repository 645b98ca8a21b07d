"""A strategy that uses everything an engine offers, as fast as it is let: for campaigns against the engine itself."""

from datetime import datetime
from decimal import Decimal

from actors.domain.order_state import Fill, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent
from actors.messages.reports import QuoteReported
from strategy.base import Strategy

_CENT = Decimal("0.01")


class Stress(Strategy):
    """Orders of every type in turn; some are changed, some cancelled, some just wait. Never more than a few open."""

    symbols: tuple[str, ...] = ("SPY", "QQQ")
    most_open: int = 4
    largest: int = 900

    def on_start(self) -> None:
        self._step = int(self.state.get("step", 0))
        self._told: dict[str, Decimal] = {}
        self.broker.every(7, "careless")
        self.broker.every(40, "once")

    def on_quote(self, quote: QuoteReported) -> None:
        self._step += 1
        self.state["step"] = self._step
        symbol = quote.contract.symbol
        opened = [order for order in self.broker.open_orders(symbol) if order.oms_id != "stress-once"]
        if opened and self._step % 3 == 0:
            self.broker.cancel(opened[0].oms_id)
        elif opened and self._step % 5 == 0:
            self._change(opened[-1])
        if len(opened) < self.most_open and self.broker.is_ready:
            self._send(symbol, quote)

    def on_timer(self, name: str, at: datetime) -> None:
        """An order whether orders pass or not; and one under a name of its own, again and again: it is sent once."""
        if name == "once":
            self.broker.submit_order(Order(side=Side.BUY, quantity=10, symbol="SPY"), oms_id="stress-once")
        elif not self.broker.is_ready:
            self.broker.submit_order(Order(side=Side.BUY, quantity=10, symbol="QQQ"))

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        filled = self._told.get(order.oms_id, Decimal(0))
        if order.filled == filled:
            raise AssertionError(f"a fill of {order.oms_id} did not move it from {filled}")
        self._told[order.oms_id] = order.filled

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        view = self.broker.order(order.oms_id)
        if view is None or order.fills.keys() - view.fills.keys():
            raise AssertionError(f"the view of {order.oms_id} is behind what was told")

    def _send(self, symbol: str, quote: QuoteReported) -> None:
        held = self.broker.get_position(symbol).quantity
        side = Side.SELL if held >= self.largest or (self._step % 2 and held > -self.largest) else Side.BUY
        quantity = 100 + 50 * (self._step % 5)
        price = quote.ask if side is Side.BUY else quote.bid
        if price is None:
            return
        away = _CENT * (self._step % 7 - 3)
        match self._step % 4:
            case 0:
                order = Order(side=side, quantity=quantity, symbol=symbol)
            case 1:
                stop = price + (5 * _CENT if side is Side.BUY else -5 * _CENT)
                order = Order(side=side, quantity=quantity, symbol=symbol, order_type=OrderType.STOP, stop_price=stop)
            case _:
                order = Order(
                    side=side, quantity=quantity, symbol=symbol, order_type=OrderType.LIMIT, limit_price=price + away
                )
        self.broker.submit_order(order)

    def _change(self, order: OrderState) -> None:
        if order.order.limit_price is not None:
            self.broker.replace(order.oms_id, limit_price=order.order.limit_price + _CENT)
        else:
            self.broker.replace(order.oms_id, quantity=order.order.quantity + 10)
