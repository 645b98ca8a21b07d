"""A strategy that keeps the order path busy: many small orders, some named by itself, some replaced, some cancelled."""

import os
import signal
from datetime import datetime
from decimal import Decimal

from actors.domain.order_state import ExecStatus, Fill, OrderState, Pending
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent, Reconciled
from strategy.base import Strategy


class Busy(Strategy):
    """Buys and sells in turn; what it counted is in its durable state."""

    symbols: tuple[str, ...] = ("SPY", "AAPL", "MSFT")
    orders_at_once: int = 4
    most_open: int = 30
    trading: bool = True
    """False: cancel what is open, and end the process once nothing is."""

    def on_start(self) -> None:
        self._quiet = 0
        self._number = int(self.state.get("number", 0))
        self.state["starts"] = int(self.state.get("starts", 0)) + 1
        self.broker.every(0.01, "go")

    def on_recovered(self, reconciled: Reconciled) -> None:
        self.state["recoveries"] = int(self.state.get("recoveries", 0)) + 1

    def on_timer(self, name: str, at: datetime) -> None:
        if not self.broker.is_ready:
            return
        working = [order for order in self.broker.open_orders() if not order.external]
        if not self.trading:
            self._settle(working)
            return
        for _ in range(self.orders_at_once if len(working) < self.most_open else 0):
            self._trade()
        for order in working[-8:]:
            self._change(order)

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        self.state["fills"] = int(self.state.get("fills", 0)) + 1

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        if order.status is ExecStatus.REJECTED:
            self.state["rejected"] = int(self.state.get("rejected", 0)) + 1

    def _trade(self) -> None:
        self._number += 1
        number = self._number
        symbol = self.symbols[number % len(self.symbols)]
        quote = self.broker.quote(symbol)
        side = Side.BUY if (number // len(self.symbols)) % 2 else Side.SELL
        quantity = Decimal(1 + number % 5)
        if number % 3 == 0 or quote is None or quote.bid is None or quote.ask is None:
            order = Order(symbol=symbol, side=side, quantity=quantity)
        else:
            near = quote.ask if side is Side.BUY else quote.bid
            away = Decimal("0.05") * (number % 7) * (-1 if side is Side.BUY else 1)
            price = (near + away).quantize(Decimal("0.01"))
            order = Order(symbol=symbol, side=side, quantity=quantity, order_type=OrderType.LIMIT, limit_price=price)
        named = f"busy-own-{number}" if number % 2 else None
        self.broker.submit_order(order, oms_id=named)
        self.state["number"] = number  # after the order: a crash in between makes the same name come again

    def _settle(self, working: list[OrderState]) -> None:
        self._quiet = 0 if working else self._quiet + 1
        if self._quiet == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        for order in working:
            if not order.in_doubt and order.pending is None:
                self.broker.cancel(order.oms_id)

    def _change(self, order: OrderState) -> None:
        if order.pending is not None or order.in_doubt or order.perm_ids == ():
            return
        if order.order.limit_price is not None and order.order.quantity < 8:
            closer = Decimal("0.02") * order.order.side.sign
            self.broker.replace(
                order.oms_id, quantity=order.order.quantity + 2, limit_price=order.order.limit_price + closer
            )
        elif order.status is not ExecStatus.NEW and order.pending is not Pending.CANCEL:
            self.broker.cancel(order.oms_id)
