"""A pairs trader as somebody new to Callboard would write it: two symbols, re-pricing, a daily loss limit.

It keeps everything it needs in its durable state, acts once a minute, and trusts positions rather than its own memory.
"""

from collections import deque
from datetime import datetime, time
from decimal import Decimal
from statistics import fmean, pstdev

from actors.domain.order_state import ExecStatus, Fill, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderEvent, Reconciled
from strategy.bars import Bar
from strategy.base import Strategy
from strategy.simulate import SessionView, property_of_session

CENT = Decimal("0.01")


class Pairs(Strategy):
    """Trades the difference of two prices back to its average."""

    symbols: tuple[str, ...] = ("SPY", "IVV")
    quantity: Decimal = Decimal(200)
    window: int = 12
    enter_at: float = 1.3
    leave_at: float = 0.3
    reprice_after: int = 2
    """Bars after which an open order gets a new price."""
    give_up_after: int = 6
    """Bars after which an open order is cancelled."""
    most_loss: Decimal = Decimal(2_000)
    last_entry: time = time(15, 30)

    def on_start(self) -> None:
        self._closes: dict[str, Decimal] = {}
        self._spreads: deque[float] = deque(maxlen=self.window)
        self._age: dict[str, int] = {}
        self._resting = False
        self._pause = 0
        self.broker.daily_at(self.last_entry, "last entry")
        self.broker.every(300, "report")

    def on_market_open(self, closes: datetime) -> None:
        self._spreads.clear()
        self._resting = False
        self.state["opening equity"] = str(self.broker.equity or 0)

    def on_timer(self, name: str, at: datetime) -> None:
        if name == "last entry":
            self._resting = True
        elif name == "report":
            held = {position.contract.name: str(position.quantity) for position in self.broker.positions()}
            self.log(f"positions {held or 'none'}, {len(self.broker.open_orders())} orders open")

    def on_bar(self, bar: Bar) -> None:
        self._closes[bar.symbol] = bar.close
        if bar.symbol != self.symbols[-1] or len(self._closes) < len(self.symbols):
            return
        first, second = (self._closes[symbol] for symbol in self.symbols)
        self._spreads.append(float(first - second))
        self._pause = max(0, self._pause - 1)
        self._mind_orders()
        if self.broker.is_ready and not self.broker.open_orders() and not self._pause:
            self._decide()

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        if not order.is_open:
            self._age.pop(order.oms_id, None)
        if order.status is ExecStatus.REJECTED and not order.filled:
            self._pause = 3

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        self.state["fills"] = int(self.state.get("fills", 0)) + 1

    def on_recovered(self, reconciled: Reconciled) -> None:
        """After an outage the averages are stale; wait a little before trusting them."""
        self._pause = max(self._pause, 2)

    def _mind_orders(self) -> None:
        for order in self.broker.open_orders():
            age = self._age.get(order.oms_id, 0) + 1
            self._age[order.oms_id] = age
            if age >= self.give_up_after:
                self.broker.cancel(order.oms_id)
            elif age % self.reprice_after == 0 and order.pending is None and not order.in_doubt:
                self._reprice(order)

    def _reprice(self, order: OrderState) -> None:
        price = self._price(order.contract.symbol, order.order.side)
        if price is not None and price != order.order.limit_price and order.order.order_type is OrderType.LIMIT:
            self.broker.replace(order.oms_id, limit_price=price)

    def _decide(self) -> None:
        held = {symbol: self.broker.get_position(symbol).quantity for symbol in self.symbols}
        distance = self._distance()
        if self._is_unbalanced(held) or self._has_lost_enough():
            self._close(held)
        elif any(held.values()):
            if abs(distance) < self.leave_at:
                self._close(held)
        elif not self._resting and len(self._spreads) == self.window and abs(distance) > self.enter_at:
            first, second = self.symbols
            self._send(first, Side.SELL if distance > 0 else Side.BUY, self.quantity)
            self._send(second, Side.BUY if distance > 0 else Side.SELL, self.quantity)

    def _distance(self) -> float:
        """Standard deviations of the last spread from its average."""
        if len(self._spreads) < self.window:
            return 0.0
        spread = pstdev(self._spreads)
        return (self._spreads[-1] - fmean(self._spreads)) / spread if spread else 0.0

    def _is_unbalanced(self, held: dict[str, Decimal]) -> bool:
        """One leg filled and the other did not: better none than one."""
        return sum(held.values()) != 0

    def _has_lost_enough(self) -> bool:
        lost = sum((position.realized_pnl for position in self.broker.positions()), Decimal(0))
        return lost < -self.most_loss

    def _close(self, held: dict[str, Decimal]) -> None:
        for symbol, quantity in held.items():
            if quantity:
                self._send(symbol, Side.SELL if quantity > 0 else Side.BUY, abs(quantity))

    def _send(self, symbol: str, side: Side, quantity: Decimal) -> None:
        price = self._price(symbol, side)
        if price is None:
            return
        self.broker.submit_order(
            Order(
                side=side, quantity=quantity, symbol=symbol, order_type=OrderType.LIMIT, limit_price=price, tag="pair"
            )
        )

    def _price(self, symbol: str, side: Side) -> Decimal | None:
        """Just through the market, so that it trades unless the market runs away."""
        quote = self.broker.quote(symbol)
        if quote is None or quote.bid is None or quote.ask is None or quote.halted:
            return None
        return quote.ask + CENT if side is Side.BUY else quote.bid - CENT


@property_of_session(when="always")
def a_leg_is_never_larger_than_planned(session: SessionView) -> None:
    for symbol, quantity in session.positions().items():
        assert abs(quantity) <= 400, f"{quantity} {symbol}"


@property_of_session
def the_books_add_up(session: SessionView) -> str | None:
    told = sum(fill.fill.quantity for fill in session.fills if not fill.order.external)
    done = sum(abs(fill.quantity) for fill in session.broker_fills)
    return None if told >= done - 50 else f"{told} shares were told, {done} traded"
