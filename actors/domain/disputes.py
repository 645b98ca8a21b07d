"""Positions in dispute: ours is not the broker's. Until that is settled, only what closes by both books may leave."""

from decimal import Decimal

from actors.domain.book import Exposure
from actors.domain.frozen import frozen
from actors.domain.terms import Order, Side


@frozen(kw_only=True)
class Dispute:
    """What both held when it was found, and what our orders had booked then: both move with what they book since."""

    ours: Decimal
    broker: Decimal
    booked: Decimal


def closes(dispute: Dispute, order: Order, held: Exposure) -> bool:
    """Whether an order, with those already open, makes both positions smaller and turns neither around."""
    if order.cash_quantity is not None:
        return False
    coming = held.buying if order.side is Side.BUY else held.selling
    since = held.position - dispute.booked
    smaller = min(-order.side.sign * (position + since) for position in (dispute.ours, dispute.broker))
    return coming + order.quantity <= smaller
