"""A small honest market for the examples: fills against the displayed size, one quote at a time."""

import csv
import io
import os
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest

from actors.domain.identity import Epoch, OmsId
from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import CancelOrder, FlattenAll, ReplaceOrder, SubmitOrder
from actors.messages.events import OrderEvent, OrderRejected, OrderReplaced
from actors.messages.reports import QuoteReported
from actors.messages.schedule import MarketOpened, ScheduleTimer, TimerFired
from strategy.runner import StrategyRunner
from tests.strategy.support import SPY, accepted, canceled, filled

NEW_YORK = ZoneInfo("America/New_York")


def marketdata() -> Path:
    root = Path(os.environ.get("CALLBOARD_MARKETDATA", Path(__file__).parents[3] / "shared" / "marketdata"))
    if not root.is_dir():
        pytest.skip("no market data: set CALLBOARD_MARKETDATA to its folder")
    return root


def minute_quotes(day: date, displayed: int = 300) -> Iterator[QuoteReported]:
    """Two quotes a minute, made of the closing bid and ask of real SPY minutes."""
    path = marketdata() / "lean" / "equity" / "usa" / "minute" / "spy" / f"{day:%Y%m%d}_quote.zip"
    midnight = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as raw:
        for row in csv.reader(io.TextIOWrapper(raw)):
            start = midnight + timedelta(milliseconds=int(row[0]))
            if (9, 30) <= (start.hour, start.minute) < (16, 0):
                yield _quote(start + timedelta(seconds=1), Decimal(row[1]), Decimal(row[6]), displayed)
                yield _quote(start + timedelta(seconds=30), Decimal(row[4]), Decimal(row[9]), displayed)


def _quote(at: datetime, bid: Decimal, ask: Decimal, displayed: int) -> QuoteReported:
    scale, size = Decimal(10_000), Decimal(displayed)
    bid, ask = bid / scale, ask / scale
    return QuoteReported(
        at=at.astimezone(ZoneInfo("UTC")), epoch=Epoch(1), contract=SPY, bid=bid, bid_size=size, ask=ask, ask_size=size
    )


class Market:
    """Carries a runner through a day; every rule it applies is in ``_outcome``."""

    def __init__(self, runner: StrategyRunner, *, rejects: bool = False) -> None:
        self.runner = runner
        self.orders: dict[OmsId, OrderState] = {}
        self.submitted: list[SubmitOrder] = []
        self.fills = 0
        self._rejects = rejects
        self._timers: list[ScheduleTimer] = []
        self._executions = 0
        self._at = runner.view.now

    def day(self, quotes: Iterator[QuoteReported], flatten_at: str = "15:50") -> None:
        opened = False
        fired: set[str] = set()
        for quote in quotes:
            self._at = quote.at
            if not opened:
                opened = True
                self.hear(MarketOpened(at=quote.at, closes=quote.at + timedelta(hours=6.5)))
            self._fire(quote.at, fired)
            self.hear(quote)
            self.match(quote)
            if f"{quote.at.astimezone(NEW_YORK):%H:%M}" >= flatten_at:
                self.flatten(quote)
                return

    def hear(self, message: object) -> None:
        for said in self.runner.hear(message):  # type: ignore[arg-type]
            self.take(said)

    def take(self, said: object) -> None:
        match said:
            case SubmitOrder():
                self._submit(said)
            case CancelOrder():
                self._finish(canceled(self.orders[said.oms_id]))
            case ReplaceOrder():
                self._replace(said)
            case ScheduleTimer():
                self._timers.append(said)
            case FlattenAll():
                self.flatten(None)
            case _:
                return

    def match(self, quote: QuoteReported) -> None:
        """Each order may take the displayed size of this quote once."""
        for oms_id in [name for name, order in self.orders.items() if order.is_open]:
            order = self.orders[oms_id]
            price = _price(order.order, quote)
            if order.is_open and price is not None:
                self._fill(order, price, quote.ask_size or Decimal(0))

    def flatten(self, quote: QuoteReported | None) -> None:
        for order in [order for order in self.orders.values() if order.is_open]:
            self._finish(canceled(order))
        position = self.runner.broker.get_position("SPY").quantity
        if position:
            side = Side.SELL if position > 0 else Side.BUY
            self._executions += 1
            closing = Order(side=side, quantity=abs(position), symbol="SPY")
            oms_id = f"flatten-{self._executions}"
            state = OrderState(
                oms_id=OmsId(oms_id), order=closing, contract=SPY, created_at=self._at, updated_at=self._at
            )
            price = (quote.bid if quote is not None else None) or Decimal(1)
            self._finish(filled(state, int(abs(position)), str(price), f"x{self._executions}"))

    def _submit(self, command: SubmitOrder) -> None:
        self.submitted.append(command)
        state = self.runner.broker.order(command.oms_id)
        assert state is not None
        if self._rejects:
            rejected = attrs.evolve(state, status=ExecStatus.REJECTED, pending=None, reason="no")
            self._finish(OrderRejected(at=self._at, order=rejected))
        else:
            self._finish(accepted(state))

    def _replace(self, command: ReplaceOrder) -> None:
        before = self.orders[command.oms_id]
        terms = attrs.evolve(before.order, quantity=command.quantity or before.order.quantity)
        self._finish(OrderReplaced(at=self._at, order=attrs.evolve(before, order=terms), previous=before.order))

    def _fill(self, order: OrderState, price: Decimal, displayed: Decimal) -> None:
        self._executions += 1
        self.fills += 1
        quantity = min(order.remaining, displayed)
        self._finish(filled(order, int(quantity), str(price), f"x{self._executions}"))

    def _finish(self, event: OrderEvent) -> None:
        self.orders[event.order.oms_id] = event.order
        self.hear(attrs.evolve(event, at=self._at))

    def _fire(self, at: datetime, fired: set[str]) -> None:
        now = at.astimezone(NEW_YORK).time()
        for timer in self._timers:
            if timer.at_time is not None and now >= timer.at_time and timer.name not in fired:
                fired.add(timer.name)
                self.hear(TimerFired(at=at, name=timer.name))


def _price(order: Order, quote: QuoteReported) -> Decimal | None:
    far = quote.ask if order.side is Side.BUY else quote.bid
    assert far is not None
    match order.order_type:
        case OrderType.LIMIT:
            assert order.limit_price is not None
            return far if (order.limit_price - far) * order.side.sign >= 0 else None
        case OrderType.STOP:
            assert order.stop_price is not None
            return far if (far - order.stop_price) * order.side.sign >= 0 else None
        case _:
            return far
