"""Pegged orders: limits that follow the quote, each move at the cost of the place in the queue.

Pegged to market (PEG MKT) stands its offset behind the other side, pegged to midpoint (PEG MID) its offset behind the
middle, relative (REL) its offset in front of its own side; MIDPRICE stands in the middle. A limit price caps them all.
"""

from __future__ import annotations

from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.rules import to_grid
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Quote


def register(floor: Floor, live: LiveOrder) -> None:
    """Let an order follow the quotes from now on, and stand where the present one puts it."""
    con_id = live.order.con_id
    floor.pegged.setdefault(con_id, []).append(live)
    touch = floor.touches.get(con_id)
    if touch is not None:
        _stand(floor, live, touch)


def follow(floor: Floor, con_id: int, touch: Touch) -> None:
    """Move the pegged orders of an instrument to where a new quote puts them."""
    for live in floor.pegged[con_id]:
        _stand(floor, live, touch)


def _stand(floor: Floor, live: LiveOrder, touch: Touch) -> None:
    wanted = _price(floor, live, touch.quote)
    if live.in_book and live.limit == wanted:
        return
    book = floor.books[live.order.con_id, live.order.side]
    book.remove(live)
    live.limit = wanted
    if wanted is not None:
        live.seq, live.queue_ahead, live.taking = floor.number(), None, True
        book.add(live)


def _price(floor: Floor, live: LiveOrder, quote: Quote) -> Decimal | None:
    """Where the order stands, None while the book lacks the side it is pegged to."""
    order = live.order
    buying = order.side == "BUY"
    reference = _reference(order.order_type, quote, buying=buying)
    if reference is None:
        return None
    offset = ZERO if order.order_type == "MIDPRICE" else order.stop_price or ZERO
    ahead = offset if order.order_type == "REL" else -offset
    price = to_grid(floor.instruments[order.con_id], reference + ahead if buying else reference - ahead, up=not buying)
    if order.limit_price is None:
        return price
    return min(price, order.limit_price) if buying else max(price, order.limit_price)


def _reference(kind: str, quote: Quote, *, buying: bool) -> Decimal | None:
    own, other = (quote.bid, quote.ask) if buying else (quote.ask, quote.bid)
    if kind == "REL":
        return own
    if kind == "PEG MKT" or own is None or other is None:
        return other if kind == "PEG MKT" else None
    return (own + other) / 2
