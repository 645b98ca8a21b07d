"""A strategy that leaves orders behind and, when it comes back, notes what it is told of the time in between."""

import os
import signal
from datetime import datetime
from decimal import Decimal

from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent, Reconciled
from strategy.base import Strategy


class Away(Strategy):
    """Two resting orders and one fill in its first life; later lives end once they have been told everything."""

    symbols: tuple[str, ...] = ("SPY",)
    trading: bool = True

    def on_start(self) -> None:
        self._ticks = 0
        self._life = int(self.state.get("life", 0)) + 1
        self.state["life"] = self._life
        self.state["found"] = sorted([order.oms_id, order.status.value] for order in self.broker.open_orders())
        self.state["position at start"] = str(self.broker.get_position("SPY").quantity)
        if self._life == 1:
            for number, cents in enumerate((1, 2), 1):
                price = Decimal(100) + Decimal(cents) / 100
                resting = Order(symbol="SPY", side=Side.BUY, quantity=1, order_type=OrderType.LIMIT, limit_price=price)
                self.broker.submit_order(resting, oms_id=f"busy-resting-{number}")
            self.broker.submit_order(Order(symbol="SPY", side=Side.BUY, quantity=5), oms_id="busy-market")
        self.broker.every(0.05, "look")

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        if event.recovered:
            self.state["told"] = [*self.state.get("told", []), [order.oms_id, type(event).__name__]]

    def on_recovered(self, reconciled: Reconciled) -> None:
        self.state["recovered"] = int(self.state.get("recovered", 0)) + 1

    def on_timer(self, name: str, at: datetime) -> None:
        self._ticks += 1
        market = self.broker.order("busy-market")
        settled = self._life > 1 or (market is not None and market.status is ExecStatus.FILLED)
        resting = all(order.perm_ids for order in self.broker.open_orders())
        if self._ticks > 5 and settled and resting:
            os.kill(os.getpid(), signal.SIGTERM)
