"""Orders against the displayed sizes: price before time, no fill beyond a limit, no size used twice.

M1. An order that arrives marketable takes what is displayed, quote after quote, at the quote's price.
M2. Once at rest it is filled at its own price, by a quote that crosses it or by prints once the queue before it is
gone.
M3. A displayed size is gone when it has been taken, until the next quote.
"""

from __future__ import annotations

from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.fills import execute
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Quote


def match(floor: Floor, live: LiveOrder, *, fresh: bool) -> None:
    """Trade an order in the book as far as sizes and its limit allow; `fresh` means the quote is new to it."""
    touch = floor.touches.get(live.order.con_id)
    if touch is None or touch.halted or live.is_done:
        return
    if not _take(floor, live, touch):
        live.taking = False
        _queue(floor, live, touch, fresh=fresh)


def takeable(floor: Floor, live: LiveOrder) -> Decimal:
    """How much an order could trade against what is displayed now."""
    touch = floor.touches.get(live.order.con_id)
    if touch is None or touch.halted:
        return ZERO
    price, left = _opposite(live, touch)
    if price is None or not _within(live, price):
        return ZERO
    return min(live.remaining, _round_lot(floor, live, left))


def _opposite(live: LiveOrder, touch: Touch) -> tuple[Decimal | None, Decimal]:
    if live.order.side == "BUY":
        return touch.quote.ask, touch.ask_left
    return touch.quote.bid, touch.bid_left


def _within(live: LiveOrder, price: Decimal) -> bool:
    if live.limit is None:
        return True
    return price <= live.limit if live.order.side == "BUY" else price >= live.limit


def _take(floor: Floor, live: LiveOrder, touch: Touch) -> bool:
    """Trade against the other side; give whether its price was within the limit."""
    price, left = _opposite(live, touch)
    if price is None:
        return live.limit is None
    if not _within(live, price):
        return False
    quantity = min(live.remaining, _round_lot(floor, live, left))
    if quantity <= 0 or _too_little(live, quantity):
        return True
    if live.order.side == "BUY":
        touch.ask_left = left - quantity
    else:
        touch.bid_left = left - quantity
    at_rest = None if live.taking else live.limit
    execute(floor, live, quantity, price if at_rest is None else at_rest)
    return True


def _too_little(live: LiveOrder, quantity: Decimal) -> bool:
    """Whether a fill would be smaller than the order takes."""
    order = live.order
    if order.all_or_none:
        return quantity < live.remaining
    return order.min_quantity is not None and quantity < min(order.min_quantity, live.remaining)


def _round_lot(floor: Floor, live: LiveOrder, size: Decimal) -> Decimal:
    return size - size % floor.instruments[live.order.con_id].size_increment


def _queue(floor: Floor, live: LiveOrder, touch: Touch, *, fresh: bool) -> None:
    """Move up in the queue by what traded, then see where the order stands in it now."""
    quote = touch.quote
    if fresh and quote.last is not None and quote.last_size:
        _trade_through(floor, live, touch, quote.last)
    if live.limit is not None and not live.is_done:
        _rejoin(live, quote, floor.config.queue_share)


def _rejoin(live: LiveOrder, quote: Quote, share: Decimal) -> None:
    buying = live.order.side == "BUY"
    best, size = (quote.bid, quote.bid_size) if buying else (quote.ask, quote.ask_size)
    limit = live.limit
    if best is None or limit is None:
        return
    if limit == best:
        ahead = size * share
        live.queue_ahead = ahead if live.queue_ahead is None else min(live.queue_ahead, ahead)
    elif (limit > best) is buying:
        live.queue_ahead = ZERO


def _trade_through(floor: Floor, live: LiveOrder, touch: Touch, last: Decimal) -> None:
    """A print at or beyond a resting order's price fills it once the queue before it is gone."""
    limit, ahead = live.limit, live.queue_ahead
    if limit is None or ahead is None:
        return
    beyond = last < limit if live.order.side == "BUY" else last > limit
    if not beyond and last != limit:
        return
    size = touch.quote.last_size
    reached = touch.print_left if beyond else min(size - ahead, touch.print_left)
    live.queue_ahead = ZERO if beyond else max(ahead - size, ZERO)
    _fill_at_rest(floor, live, touch, reached, limit)


def _fill_at_rest(floor: Floor, live: LiveOrder, touch: Touch, reached: Decimal, limit: Decimal) -> None:
    shown = live.order.display_size
    wanted = live.remaining if shown is None else min(live.remaining, shown)
    quantity = min(wanted, _round_lot(floor, live, reached))
    if quantity <= 0 or _too_little(live, quantity):
        return
    touch.print_left -= quantity
    if shown is not None:
        # What an iceberg shows next goes to the end of the queue again.
        live.queue_ahead = None
    execute(floor, live, quantity, limit, liquidity="added")
