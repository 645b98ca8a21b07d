"""An order at the simulated broker, and its executions: the truth that the engine has to find out."""

from datetime import datetime
from decimal import Decimal

import attrs

from actors.domain.contract import Contract
from actors.domain.identity import Account, ExecId, OmsId, OrderId, PermId
from actors.domain.terms import Order, OrderType, Side
from actors.messages.reports import BrokerStatus
from strategy.simulate.agenda import SECOND
from strategy.simulate.market import CENT, Top
from strategy.simulate.plan import Fate, OrderFate

ZERO = Decimal(0)
ACCOUNT = Account("DU0000000")

_TRIGGERED = (OrderType.STOP, OrderType.STOP_LIMIT)


@attrs.define(kw_only=True, eq=False)
class VenueOrder:
    """What the broker knows of one order; ``fate`` is what its plan says, None for an honest one."""

    number: int
    """The how-manieth order of the session, from 1."""
    oms_id: OmsId
    order_id: OrderId
    perm_id: PermId
    account: Account
    contract: Contract
    terms: Order
    fate: Fate | None
    is_closing: bool
    """The engine closes a position with it."""
    arrived_at: datetime
    status: BrokerStatus = BrokerStatus.WORKING
    filled: Decimal = ZERO
    cost: Decimal = ZERO
    is_alive: bool = True
    is_working: bool = False
    """Acknowledged: it may fill."""
    triggered: bool = False
    pieces_left: int = 0
    cancels: int = 0
    reject_reason: str = ""
    ended_at: datetime | None = None

    @property
    def remaining(self) -> Decimal:
        """What may still fill."""
        return self.terms.quantity - self.filled

    def has_fate(self, kind: OrderFate) -> bool:
        """Whether this is what its plan says."""
        return self.fate is not None and self.fate.kind is kind

    @property
    def is_stop(self) -> bool:
        """Whether it protects: a stop that waits, or has gone off and is filling."""
        return self.terms.order_type in _TRIGGERED


@attrs.define(kw_only=True, eq=False)
class VenueExecution:
    """One fill in the broker's books; a correction changes it and counts its ``revision`` up."""

    order: VenueOrder
    family: str
    quantity: Decimal
    price: Decimal
    at: datetime
    cumulative: Decimal
    average: Decimal
    revision: int = 1
    published_at: datetime | None = None
    """When the broker listed it; None while it does not yet."""

    @property
    def is_reported(self) -> bool:
        """Whether the broker lists it."""
        return self.published_at is not None

    @property
    def exec_id(self) -> ExecId:
        """The name with the number of its revision."""
        return ExecId(f"{self.family}.{self.revision:02d}")

    @property
    def commission(self) -> Decimal:
        """Half a cent a share, at least one dollar."""
        return max(self.quantity * CENT / 2, Decimal(1))


def price_of(order: VenueOrder, top: Top) -> Decimal | None:
    """At what the order trades against the top of the book, None when it does not."""
    terms = order.terms
    buying = terms.side is Side.BUY
    if terms.order_type in _TRIGGERED and not order.triggered:
        if not _is_triggered(terms, top, buying=buying):
            return None
        order.triggered = True
    price = (top.ask if buying else top.bid) * CENT
    limit = terms.limit_price
    if limit is not None and (limit < price if buying else limit > price):
        return None
    return price


def _is_triggered(terms: Order, top: Top, *, buying: bool) -> bool:
    stop = terms.stop_price
    if stop is None:
        return True
    return top.ask * CENT >= stop if buying else top.bid * CENT <= stop


def available(order: VenueOrder, top: Top) -> Decimal:
    """How much of it trades now."""
    if order.has_fate(OrderFate.INSTANT):
        return order.remaining
    size = Decimal(top.ask_size if order.terms.side is Side.BUY else top.bid_size)
    return min(order.remaining, size)


def price_anyway(order: VenueOrder, top: Top) -> Decimal:
    """A price the order agrees with, wherever the market stands."""
    terms = order.terms
    market = (top.ask if terms.side.sign > 0 else top.bid) * CENT
    if terms.order_type is OrderType.LIMIT and terms.limit_price is not None:
        return min(terms.limit_price, market) if terms.side.sign > 0 else max(terms.limit_price, market)
    return market


def odd_part(quantity: Decimal, parts: int) -> Decimal:
    """An odd part of a whole number of shares, at least one and never all if it can be helped."""
    part = (quantity / parts).to_integral_value(rounding="ROUND_FLOOR")
    odd = part - 1 if part > 2 and part % 2 == 0 else part
    return max(odd, min(quantity, Decimal(1)))


def patience_of(order: VenueOrder) -> int:
    """How long, in microseconds, whatever its fate delays is delayed."""
    return SECOND if order.fate is None else order.fate.seconds * SECOND
