"""Orders alive at the simulated exchange, in price-time priority, and the displayed sizes they trade against."""

from __future__ import annotations

from bisect import insort
from datetime import datetime
from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.types import ZERO, OrderView, Quote, VenueOrder

DONE = frozenset({"filled", "canceled", "inactive"})
BEST = Decimal("-1e12")  # sorts a market order before every limit


class LiveOrder:
    """One order's life at the broker; owned and changed by the exchange alone."""

    __slots__ = (
        "canceling",
        "children",
        "commission",
        "cost",
        "done_at",
        "exempt_held",
        "filled",
        "held_until",
        "last_price",
        "limit",
        "order",
        "peak",
        "queue_ahead",
        "reason",
        "reject_code",
        "seq",
        "stage",
        "submitted_at",
        "taking",
        "trigger",
        "triggered",
        "why_held",
    )

    def __init__(self, order: VenueOrder, seq: int, at: datetime) -> None:
        self.order = order
        self.seq = seq
        self.submitted_at = at
        self.done_at: datetime | None = None
        self.stage = "pending"
        self.why_held = ""
        self.held_until: datetime | None = None
        self.filled = ZERO
        self.cost = ZERO
        self.last_price = ZERO
        self.commission = ZERO
        self.limit: Decimal | None = order.limit_price
        self.trigger: Decimal | None = None
        self.peak: Decimal | None = None
        self.triggered = False
        self.taking = True
        self.queue_ahead: Decimal | None = None
        self.canceling = False
        self.exempt_held = False
        self.reason = ""
        self.reject_code = 0
        self.children: list[int] = []

    @property
    def remaining(self) -> Decimal:
        """What is still to be filled."""
        return self.order.quantity - self.filled

    @property
    def avg_price(self) -> Decimal:
        """Average price of what is filled, 0 when nothing is."""
        return self.cost / self.filled if self.filled else ZERO

    @property
    def is_done(self) -> bool:
        """Whether nothing more can happen to it."""
        return self.stage in DONE

    @property
    def priority(self) -> tuple[Decimal, int]:
        """Sort key in its side of the book: best price first, then first come."""
        if self.limit is None:
            return BEST, self.seq
        return (-self.limit if self.order.side == "BUY" else self.limit), self.seq

    def view(self) -> OrderView:
        """A frozen picture of the order."""
        return OrderView(
            order=self.order,
            stage=self.stage,
            why_held=self.why_held,
            filled=self.filled,
            avg_price=self.avg_price,
            last_price=self.last_price,
            trigger_price=self.trigger,
            triggered=self.triggered,
            canceling=self.canceling,
            held_until=self.held_until,
            reason=self.reason,
            reject_code=self.reject_code,
            submitted_at=self.submitted_at,
            done_at=self.done_at,
            children=tuple(self.children),
        )


class Touch:
    """The latest quote of one instrument and what our orders have left of its sizes."""

    __slots__ = ("ask_left", "bid_left", "halted", "quote")

    def __init__(self, quote: Quote, share: Decimal) -> None:
        self.halted = quote.halted
        self.show(quote, share)

    def show(self, quote: Quote, share: Decimal) -> None:
        """A new quote: sizes are whole again."""
        self.quote = quote
        self.bid_left = quote.bid_size * share if share != 1 else quote.bid_size
        self.ask_left = quote.ask_size * share if share != 1 else quote.ask_size

    @property
    def mark(self) -> Decimal | None:
        """Midpoint, or whatever price there is."""
        quote = self.quote
        if quote.bid is not None and quote.ask is not None:
            return (quote.bid + quote.ask) / 2
        return quote.last or quote.bid or quote.ask


class Side:
    """One side of one instrument's book, best order first."""

    __slots__ = ("orders",)

    def __init__(self) -> None:
        self.orders: list[LiveOrder] = []

    def add(self, live: LiveOrder) -> None:
        """Put an order at its place."""
        insort(self.orders, live, key=_priority)

    def remove(self, live: LiveOrder) -> None:
        """Take an order out; nothing happens when it is not there."""
        self.orders = [other for other in self.orders if other is not live]


def _priority(live: LiveOrder) -> tuple[Decimal, int]:
    return live.priority
