"""Strategies and plans for tests of the simulation."""

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from actors.domain.order_state import Fill, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent, Reconciled
from actors.messages.reports import QuoteReported
from strategy.bars import Bar
from strategy.base import Strategy
from strategy.simulate.plan import Plan
from strategy.simulate.session import Outcome, tell
from strategy.simulate.world import Setup

PLANTED = Path(__file__).parent / "planted"
SHORT = Plan(day=date(2026, 4, 13), minutes=30, market_seed=5)


class Idle(Strategy):
    """Does nothing."""

    symbols: tuple[str, ...] = ("SPY",)


class OneOrder(Strategy):
    """Sends one order with the first quote after the open, and cancels it when told to."""

    symbols: tuple[str, ...] = ("SPY",)
    quantity: int = 100
    limit: str = ""
    cancel_after: int = 0
    """Quotes after which it is cancelled; 0 never."""

    def on_start(self) -> None:
        self._quotes = 0
        self._name = self.state.get("order", "")

    def on_quote(self, quote: QuoteReported) -> None:
        self._quotes += 1
        if not self._name and self.broker.is_ready:
            kind = OrderType.LIMIT if self.limit else OrderType.MARKET
            order = Order(
                side=Side.BUY,
                quantity=self.quantity,
                symbol="SPY",
                order_type=kind,
                limit_price=self.limit or None,
            )
            self._name = self.state["order"] = self.broker.submit_order(order)
        elif self._quotes == self.cancel_after:
            self.broker.cancel(self._name)


class Leaver(OneOrder):
    """Flattens everything some quotes after its order."""

    def on_quote(self, quote: QuoteReported) -> None:
        super().on_quote(quote)
        if self._quotes == 5:
            self.broker.flatten_all("enough")


class Churner(Strategy):
    """In and out with every quote."""

    symbols: tuple[str, ...] = ("SPY",)

    def on_quote(self, quote: QuoteReported) -> None:
        if self.broker.open_orders("SPY") or not self.broker.is_ready:
            return
        held = self.broker.get_position("SPY").quantity
        side = Side.SELL if held > 0 else Side.BUY
        self.broker.submit_order(Order(side=side, quantity=abs(held) or 100, symbol="SPY"))


class Witness(Strategy):
    """Trades by bars and timers, and writes down all it can read whenever it is called; quotes do not call it."""

    symbols: tuple[str, ...] = ("SPY", "QQQ")

    def on_start(self) -> None:
        self._bars = 0
        self.broker.every(45, "look")
        self.broker.daily_at(time(9, 40, 20), "cancel")
        self._look("start")

    def on_bar(self, bar: Bar) -> None:
        self._look("bar")
        self._bars += 1
        if self._bars % 3 == 0 and self.broker.is_ready and not self.broker.open_orders(bar.symbol):
            side = Side.SELL if self.broker.get_position(bar.symbol).quantity > 0 else Side.BUY
            limit = bar.close + Decimal(self._bars % 4 - 1) / 10 * side.sign
            price = limit.quantize(Decimal("0.01"))
            kind = OrderType.LIMIT
            self.broker.submit_order(
                Order(side=side, quantity=150, symbol=bar.symbol, order_type=kind, limit_price=price)
            )

    def on_timer(self, name: str, at: datetime) -> None:
        self._look(name)
        for order in self.broker.open_orders() if name == "cancel" else self.broker.open_orders()[:1]:
            self.broker.cancel(order.oms_id)

    def on_market_open(self, closes: datetime) -> None:
        self._look("open")

    def on_market_close(self) -> None:
        self._look("close")

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        self._look("fill")

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        self._look("order")

    def on_recovered(self, reconciled: Reconciled) -> None:
        self._look("recovered")

    def _look(self, hook: str) -> None:
        broker = self.broker
        orders = [(order.oms_id, order.status, order.pending, order.filled) for order in broker.open_orders()]
        quotes = [broker.quote(symbol) for symbol in self.symbols]
        account = broker.cash, broker.equity, broker.is_ready, broker.positions()
        self.log(repr((hook, broker.now(), account, orders, quotes)))


def setup_of(kind: type[Strategy] = OneOrder, **parameters: Any) -> Setup:
    def make() -> Strategy:
        strategy = kind()
        for name, value in parameters.items():
            setattr(strategy, name, value)
        return strategy

    return Setup(make=make)


def told(plan: Plan, setup: Setup) -> tuple[Outcome, str]:
    return tell(plan, setup)


def with_fates(*fates: Any, **changes: Any) -> Plan:
    return attrs.evolve(SHORT, fates=fates, **changes)
