"""Opening range breakout: enters when the price leaves the range of the day's first minutes, with a stop behind it.

One entry a day and symbol. The protective stop follows what was really filled: it is sent with the first part, grows
with each further part, and is looked after once a bar whatever happened to it. Day and stop price are kept in the
durable state, so a restart in the middle of the day neither enters twice nor leaves a position without its stop.
The position is closed by the stop or by the scheduler at the end of the day (``trading.flatten_at``).
"""

from datetime import datetime, time, timedelta
from decimal import Decimal

import attrs

from actors.domain.identity import OmsId
from actors.domain.order_state import ExecStatus, Fill, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.events import OrderAccepted, OrderEvent, Reconciled
from strategy.bars import Bar
from strategy.base import Strategy

MAX_STOP_REJECTS = 3


@attrs.define
class _Day:
    """One symbol's day."""

    range_until: datetime | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    has_entered: bool = False
    entry: OmsId | None = None
    entry_bars: int = 0
    stop: OmsId | None = None
    stop_price: Decimal | None = None
    stop_rejects: int = 0


class OpeningRangeBreakout(Strategy):
    """Buys above the opening range, sells short below it, stops out at the other side."""

    symbols: tuple[str, ...] = ("SPY",)
    bar_seconds: int = 60
    quantity: Decimal = Decimal(1500)
    """Shares of the entry."""
    allowance: Decimal = Decimal("0.10")
    """How much worse than the quote the entry may be filled: a breakout runs away."""
    range_minutes: int = 15
    """Length of the opening range, from the open (or from the start, when started later)."""
    patience_bars: int = 5
    """Bars after which the rest of the entry is cancelled."""
    last_entry: time = time(14, 0)
    """Exchange time after which nothing new is opened."""

    def on_start(self) -> None:
        """Take up what an earlier run of the same day left."""
        self._days = {symbol: _Day() for symbol in self.symbols}
        self._entries_allowed = True
        self.broker.daily_at(self.last_entry, "last entry")
        for symbol, day in self._days.items():
            self._take_up(symbol, day)

    def on_market_open(self, closes: datetime) -> None:
        """Begin to measure the range."""
        self._entries_allowed = True
        for symbol, day in self._days.items():
            if not self._is_of_today(symbol):
                day = self._days[symbol] = _Day()  # noqa: PLW2901 - yesterday's day is replaced
            day.range_until = self.broker.now() + timedelta(minutes=self.range_minutes)

    def on_timer(self, name: str, at: datetime) -> None:
        """Stop entering."""
        if name == "last entry":
            self._entries_allowed = False

    def on_bar(self, bar: Bar) -> None:
        """Measure the range, then wait for the price to leave it, then mind the orders."""
        day = self._days[bar.symbol]
        if day.has_entered:
            self._mind_entry(day)
            self._protect(bar.symbol, day)
        elif day.range_until is not None and bar.closes <= day.range_until:
            day.high = bar.high if day.high is None else max(day.high, bar.high)
            day.low = bar.low if day.low is None else min(day.low, bar.low)
        elif self._entries_allowed and self.broker.is_ready:
            self._look_for_breakout(bar, day)

    def on_recovered(self, reconciled: Reconciled) -> None:
        """Send or mend the stop for what was filled while orders did not pass."""
        for symbol, day in self._days.items():
            self._protect(symbol, day)

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        """Protect each part of the entry as it comes."""
        for symbol, day in self._days.items():
            if order.oms_id in (day.entry, day.stop):
                self._protect(symbol, day)

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        """Follow the entry and the stop; a refused change is tried again with the next bar, not at once."""
        for symbol, day in self._days.items():
            if order.oms_id == day.stop:
                self._follow_stop(symbol, day, order, event)
            elif order.oms_id == day.entry:
                day.entry = order.oms_id if order.is_open else None
            elif order.order.order_type is OrderType.MARKET and order.contract.symbol == symbol:
                day.stop_price = None  # never ours: the position is being flattened, so its stop must not come back

    def _look_for_breakout(self, bar: Bar, day: _Day) -> None:
        if day.high is None or day.low is None:
            return
        if bar.close > day.high:
            self._enter(bar.symbol, day, Side.BUY, day.low)
        elif bar.close < day.low:
            self._enter(bar.symbol, day, Side.SELL, day.high)

    def _enter(self, symbol: str, day: _Day, side: Side, stop_price: Decimal) -> None:
        quote = self.broker.quote(symbol)
        price = None if quote is None else (quote.ask if side is Side.BUY else quote.bid)
        if price is None:
            return
        day.has_entered, day.stop_price, day.entry_bars = True, _to_cent(stop_price), 0
        self.state[symbol] = {"day": self._today(), "stop": str(day.stop_price)}
        self.log(f"{symbol} left its opening range {day.low} to {day.high}")
        limit = price + self.allowance * side.sign
        day.entry = self.broker.submit_order(
            Order(side=side, quantity=self.quantity, symbol=symbol, order_type=OrderType.LIMIT, limit_price=limit)
        )

    def _mind_entry(self, day: _Day) -> None:
        day.entry_bars += 1
        if day.entry is not None and day.entry_bars >= self.patience_bars:
            self.broker.cancel(day.entry)

    def _protect(self, symbol: str, day: _Day) -> None:
        """Make the stop cover the position: no more, no less; where orders do not pass, once they pass again."""
        if not self.broker.is_ready:
            return
        position = self.broker.get_position(symbol).quantity
        stop = None if day.stop is None else self.broker.order(day.stop)
        if stop is None or not stop.is_open:
            if position and day.stop_price is not None:
                self._send_stop(symbol, day, position)
        elif not position:
            self.broker.cancel(stop.oms_id)
        elif stop.pending is None and stop.remaining != abs(position):
            self.broker.replace(stop.oms_id, quantity=stop.filled + abs(position))

    def _send_stop(self, symbol: str, day: _Day, position: Decimal) -> None:
        if day.stop_rejects >= MAX_STOP_REJECTS:
            day.stop_price = None
            self.broker.flatten_all(f"the protective stop of {symbol} was rejected {day.stop_rejects} times")
            return
        day.stop = self.broker.submit_order(
            Order(
                side=Side.SELL if position > 0 else Side.BUY,
                quantity=abs(position),
                symbol=symbol,
                order_type=OrderType.STOP,
                stop_price=day.stop_price,
            )
        )

    def _follow_stop(self, symbol: str, day: _Day, order: OrderState, event: OrderEvent) -> None:
        if order.status is ExecStatus.REJECTED:
            day.stop, day.stop_rejects = None, day.stop_rejects + 1
        elif order.filled and day.entry is not None:
            self.broker.cancel(day.entry)
        elif isinstance(event, OrderAccepted):
            self._protect(symbol, day)

    def _take_up(self, symbol: str, day: _Day) -> None:
        if not self._is_of_today(symbol):
            return
        day.has_entered, day.stop_price = True, Decimal(self.state[symbol]["stop"])
        for order in self.broker.open_orders(symbol):
            if order.order.order_type is OrderType.STOP:
                day.stop = order.oms_id
            else:
                day.entry = order.oms_id

    def _is_of_today(self, symbol: str) -> bool:
        return symbol in self.state and bool(self.state[symbol]["day"] == self._today())

    def _today(self) -> str:
        return self.broker.now().date().isoformat()


def _to_cent(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.01"))
