"""What happened in a session: the broker's truth, what the strategy was told, and how its equity went."""

from collections import Counter, deque
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from actors.domain.identity import OmsId
from actors.domain.order_state import ExecStatus, Fill, OrderState
from actors.messages.events import (
    Discrepancy,
    Event,
    FillCorrected,
    OrderEvent,
    OrderFilled,
    OrderSubmitted,
    StrategyFailed,
)
from actors.messages.system import SessionChanged, SessionState
from strategy.simulate.venue import Venue
from strategy.simulate.venue_books import STARTING_CASH
from strategy.simulate.venue_order import ZERO, VenueExecution, VenueOrder

STORM_WINDOW = timedelta(seconds=10)


@attrs.frozen(kw_only=True)
class BrokerFill:
    """One execution at the broker, when it happened there, as last corrected."""

    at: datetime
    order: OmsId
    symbol: str
    quantity: Decimal
    """Signed: negative for a sale."""
    price: Decimal


@attrs.frozen(kw_only=True)
class ToldFill:
    """One fill as the engine told it."""

    at: datetime
    order: OrderState
    fill: Fill
    recovered: bool


class SessionView:
    """What a property may look at; everything is as of now.

    ``position`` and ``equity`` are the broker's truth, ``orders`` and ``fills`` what the strategy was told.
    """

    def __init__(self, *, venue: Venue, opens: datetime, closes: datetime) -> None:
        self._venue = venue
        self.opens, self.closes = opens, closes
        self.now = opens
        self.state = SessionState.DISCONNECTED
        self.ready_since: datetime | None = None
        self.orders: dict[OmsId, OrderState] = {}
        """Every order as it was last told, by its name, oldest first."""
        self.fills: list[ToldFill] = []
        self.broker_fills: list[BrokerFill] = []
        self.events: list[Event] = []
        """Everything the engine concluded, in order."""
        self.equity_curve: list[tuple[datetime, Decimal]] = []
        self.submitted: deque[datetime] = deque()
        """When orders left during the last ``STORM_WINDOW``."""
        self.failure: StrategyFailed | None = None
        self.unprotected_since: dict[str, datetime] = {}
        self.told_positions: dict[str, Decimal] = {}
        """What the fills that the strategy was told of add up to; behind the truth while one is under way."""
        self.peak = STARTING_CASH
        self.largest_position = ZERO
        self.busiest = 0
        self.drawdown = ZERO
        """The largest fall of the equity from an earlier high so far."""

    def position(self, symbol: str) -> Decimal:
        """The true position in a symbol, negative when short."""
        return self._venue.books.position(symbol)

    def positions(self) -> dict[str, Decimal]:
        """Every true position that is not flat."""
        return {contract.symbol: quantity for contract, quantity in self._venue.books.holdings.items() if quantity}

    def working_orders(self, symbol: str | None = None) -> tuple[VenueOrder, ...]:
        """What is alive at the broker, oldest first."""
        alive = self._venue.alive.values()
        return tuple(order for order in alive if symbol in (None, order.contract.symbol))

    @property
    def equity(self) -> Decimal:
        """Cash and positions at the middle of the book, in the account's currency."""
        return self._venue.books.equity

    @property
    def pnl(self) -> Decimal:
        """Profit of the session so far, commissions included."""
        return self._venue.books.equity - STARTING_CASH

    @property
    def is_ready(self) -> bool:
        """Whether new orders pass now."""
        return self.state is SessionState.READY


class Record:
    """Keeps the view up to date and counts what was visited."""

    def __init__(self, view: SessionView, venue: Venue) -> None:
        self.view = view
        self._venue = venue
        self.counts: Counter[str] = Counter()
        self.has_news = False
        self._statuses: dict[OmsId, tuple[ExecStatus, bool]] = {}
        self.told_families: Counter[str] = Counter()
        self.complaints: Counter[str] = Counter()
        self.orders = 0
        self.slippage = ZERO
        """What fills cost against the middle of the book when their order arrived, in the account's currency."""
        self.filled_quantity = ZERO
        self._places: dict[str, int] = {}
        self._mids: dict[OmsId, Decimal | None] = {}

    def tell(self, message: Any) -> None:  # noqa: ANN401 - whatever the engine tells its listeners
        """The engine's listener."""
        self.has_news = True
        self.counts[type(message).__name__] += 1
        match message:
            case OrderEvent():
                self._hear_order(message)
            case SessionChanged():
                self._hear_session(message)
            case StrategyFailed():
                self.view.failure = message
                self.view.events.append(message)
            case Discrepancy():
                self.complaints[message.kind] += 1
                self.view.events.append(message)
            case Event():
                self.view.events.append(message)
            case _:
                return

    def _hear_order(self, event: OrderEvent) -> None:
        view, order = self.view, event.order
        view.events.append(event)
        if not order.external:
            view.orders[order.oms_id] = order
        status, before = (order.status, order.in_doubt), self._statuses.get(order.oms_id)
        if status != before:
            self.counts[f"{_named(before)} -> {_named(status)}"] += 1
            self._statuses[order.oms_id] = status
        if isinstance(event, OrderFilled):
            view.fills.append(ToldFill(at=event.at, order=order, fill=event.fill, recovered=event.recovered))
            self._move_told(order, _signed(event.fill))
            self.told_families[event.fill.exec_id.rpartition(".")[0]] += 1
        elif isinstance(event, FillCorrected):
            self._move_told(order, _signed(event.fill) - _signed(event.previous))
        elif isinstance(event, OrderSubmitted):
            self._count_submission(event.at)

    def _move_told(self, order: OrderState, change: Decimal) -> None:
        symbol = order.contract.symbol
        self.view.told_positions[symbol] = self.view.told_positions.get(symbol, ZERO) + change

    def _count_submission(self, at: datetime) -> None:
        submitted = self.view.submitted
        submitted.append(at)
        while submitted[0] < at - STORM_WINDOW:
            submitted.popleft()
        self.view.busiest = max(self.view.busiest, len(submitted))

    def _hear_session(self, change: SessionChanged) -> None:
        self.counts[f"session {self.view.state.value} -> {change.state.value}"] += 1
        self.view.state = change.state
        self.view.ready_since = change.at if change.state is SessionState.READY else None

    def lost_engine(self) -> None:
        """The process was killed."""
        self.view.state, self.view.ready_since = SessionState.DISCONNECTED, None

    # --- the broker's side ---

    def placed(self, order: VenueOrder) -> None:
        """The broker received an order."""
        self.has_news = True
        self.orders += 1
        self._mids[order.oms_id] = self._venue.books.middle(order.contract.symbol)
        if order.fate is not None:
            self.counts[f"fate {order.fate.kind.value}"] += 1

    def filled(self, execution: VenueExecution) -> None:
        """The broker booked an execution."""
        self.has_news = True
        order = execution.order
        view = self.view
        fill = BrokerFill(
            at=execution.at,
            order=order.oms_id,
            symbol=order.contract.symbol,
            quantity=execution.quantity * order.terms.side.sign,
            price=execution.price,
        )
        place = self._places.setdefault(execution.family, len(view.broker_fills))
        view.broker_fills[place : place + 1] = [fill]
        middle = self._mids.get(order.oms_id)
        if middle is not None and execution.revision == 1:
            self.slippage += (execution.price - middle) * execution.quantity * order.terms.side.sign
            self.filled_quantity += execution.quantity
        view.largest_position = max(view.largest_position, abs(self._venue.books.position(order.contract.symbol)))

    def ended(self, order: VenueOrder) -> None:
        """An order is over at the broker."""
        self.has_news = True
        del order

    def mark(self, at: datetime) -> None:
        """A point of the equity curve."""
        view = self.view
        equity = self._venue.books.equity
        if view.equity_curve and view.equity_curve[-1][1] == equity:
            return
        view.equity_curve.append((at, equity))
        view.peak = max(view.peak, equity)
        view.drawdown = max(view.drawdown, view.peak - equity)


def _named(status: tuple[ExecStatus, bool] | None) -> str:
    return "-" if status is None else f"{status[0].value}{'?' if status[1] else ''}"


def _signed(fill: Fill) -> Decimal:
    return fill.quantity * fill.side.sign
