"""Strategies and plans for tests of the simulation."""

from datetime import date
from pathlib import Path
from typing import Any

import attrs

from actors.domain.terms import Order, OrderType, Side
from actors.messages.reports import QuoteReported
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


class Churner(Strategy):
    """In and out with every quote."""

    symbols: tuple[str, ...] = ("SPY",)

    def on_quote(self, quote: QuoteReported) -> None:
        if self.broker.open_orders("SPY") or not self.broker.is_ready:
            return
        held = self.broker.get_position("SPY").quantity
        side = Side.SELL if held > 0 else Side.BUY
        self.broker.submit_order(Order(side=side, quantity=abs(held) or 100, symbol="SPY"))


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
