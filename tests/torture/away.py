"""A strategy that leaves orders behind and, when it comes back, notes what it is told of the time in between."""

import os
import signal
from datetime import datetime
from decimal import Decimal

from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import Order, OrderType, Side, TimeInForce
from actors.messages.events import OrderEvent, Reconciled
from strategy.base import Strategy


class Away(Strategy):
    """In its first life it places orders and is killed once they rest and one is filled in part or in full.

    Later lives end by themselves once they have been told everything and their probes were answered.
    """

    symbols: tuple[str, ...] = ("SPY",)
    orders: tuple[str, ...] = ()
    """Of the first life: name, time in force, quantity, limit price (0: at the market)."""
    probes: bool = False
    """Later lives try to buy one and to sell one."""
    ticks: int = 20
    """How long later lives last, or wait before they probe: 50 ms each."""

    def on_start(self) -> None:
        self._ticks = 0
        self._life = int(self.state.get("life", 0)) + 1
        self.state["life"] = self._life
        self.state["found"] = sorted([order.oms_id, order.status.value] for order in self.broker.open_orders())
        self.state["position at start"] = str(self.broker.get_position("SPY").quantity)
        self.state["told"] = []
        if self._life == 1:
            for words in self.orders:
                name, tif, quantity, price = words.split()
                self._buy(name, TimeInForce(tif), quantity, Decimal(price))
        self.broker.every(0.05, "look")

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        if event.recovered:
            self.state["told"] = [*self.state.get("told", []), [order.oms_id, type(event).__name__]]

    def on_recovered(self, reconciled: Reconciled) -> None:
        self.state["recovered"] = int(self.state.get("recovered", 0)) + 1
        self.state["told before"] = len(self.state.get("told", []))

    def on_timer(self, name: str, at: datetime) -> None:
        if not self.broker.is_ready:
            return
        self._ticks += 1
        if self._life == 1:
            working = self.broker.open_orders()
            filled = any(self._order(words.split()[0]).filled for words in self.orders)
            if filled and all(order.perm_ids for order in working):
                os.kill(os.getpid(), signal.SIGKILL)
        elif self._ticks == self.ticks and self.probes:
            self._buy(f"probe-buy-{self._life}", TimeInForce.DAY, "1", Decimal(0))
            self.broker.submit_order(Order(symbol="SPY", side=Side.SELL, quantity=1), oms_id=self._probe("sell"))
        elif self._ticks > self.ticks and (not self.probes or self._answered()):
            os.kill(os.getpid(), signal.SIGTERM)

    def _answered(self) -> bool:
        ended = (ExecStatus.FILLED, ExecStatus.REJECTED)
        statuses = {side: self._order(self._probe(side)) for side in ("buy", "sell")}
        self.state["probes"] = {side: [order.status.value, order.reason] for side, order in statuses.items()}
        return all(order.status in ended for order in statuses.values())

    def _probe(self, side: str) -> str:
        return f"probe-{side}-{self._life}"

    def _order(self, name: str) -> OrderState:
        order = self.broker.order(name)
        assert order is not None
        return order

    def _buy(self, name: str, tif: TimeInForce, quantity: str, price: Decimal) -> None:
        order = Order(
            symbol="SPY",
            side=Side.BUY,
            quantity=Decimal(quantity),
            order_type=OrderType.LIMIT if price else OrderType.MARKET,
            limit_price=price or None,
            time_in_force=tif,
        )
        self.broker.submit_order(order, oms_id=name)
