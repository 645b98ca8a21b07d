"""Orders alive at the simulated exchange, in price-time priority, and the displayed sizes they trade against."""

from __future__ import annotations

from bisect import insort
from datetime import datetime
from decimal import Decimal

from attrs import define, field

from ibapi_bridge.gateway_simulator.exchange.types import ZERO, OrderView, Quote, VenueOrder

DONE = frozenset({"filled", "canceled", "inactive"})
BEST = Decimal("-1e12")  # sorts a market order before every limit


@define(eq=False)
class LegFill:
    """What one leg of a combo has traded: quantity, quantity times price, commission."""

    filled: Decimal = ZERO
    cost: Decimal = ZERO
    commission: Decimal = ZERO


@define(eq=False)
class LiveOrder:
    """One order's life at the broker; owned and changed by the exchange alone.

    `limit` is the price it works at (None: any); `committed` is what the broker reserves margin
    for; `taking` holds until it has come to rest; `queue_ahead` is the size
    standing before it at its price, None before it has joined a queue; `reached_once` says that the latest price
    reached the trigger of a stop that takes two in a row; `auction` is 'open', 'close' or ''; `heard_at` is when the
    latest change or cancel arrives, which none sent later overtakes.
    """

    order: VenueOrder
    seq: int
    submitted_at: datetime
    done_at: datetime | None = None
    stage: str = "pending"
    why_held: str = ""
    held_until: datetime | None = None
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    last_price: Decimal = ZERO
    commission: Decimal = ZERO
    committed: Decimal = ZERO
    limit: Decimal | None = None
    trigger: Decimal | None = None
    triggered: bool = False
    reached_once: bool = False
    conditions_met: bool = False
    taking: bool = True
    in_book: bool = False
    queue_ahead: Decimal | None = None
    canceling: bool = False
    heard_at: datetime | None = None
    parent_filled: bool = False
    located: bool = False
    auction: str = ""
    reason: str = ""
    reject_code: int = 0
    children: list[int] = field(factory=list)
    legs: dict[int, LegFill] = field(factory=dict)

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
    """The latest quote of one instrument and what our orders have left of its sizes and of its print."""

    __slots__ = ("ask_left", "bid_left", "halted", "print_left", "quote")

    def __init__(self, quote: Quote, share: Decimal) -> None:
        self.halted = False
        self.show(quote, share)

    def show(self, quote: Quote, share: Decimal) -> None:
        """A new quote: sizes are whole again."""
        self.quote = quote
        self.bid_left = quote.bid_size * share if share != 1 else quote.bid_size
        self.ask_left = quote.ask_size * share if share != 1 else quote.ask_size
        self.print_left = quote.last_size

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
        live.in_book = True

    def remove(self, live: LiveOrder) -> None:
        """Take an order out; nothing happens when it is not there.

        The list is replaced, not changed, so that whoever walks it goes on undisturbed.
        """
        if live.in_book:
            self.orders = [other for other in self.orders if other is not live]
            live.in_book = False


def _priority(live: LiveOrder) -> tuple[Decimal, int]:
    return live.priority
