"""Stops, trailing stops and if-touched orders: waiting for the market, and being elected by it."""

from __future__ import annotations

from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.events import (
    OrderHeld,
    OrderTriggered,
    OrderWorking,
    StopTrailed,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.rules import TRAILED, to_grid
from ibapi_bridge.gateway_simulator.exchange.types import Quote, VenueOrder

TOUCHED = frozenset({"MIT", "LIT"})
DOUBLE_BID_ASK, LAST, DOUBLE_LAST, BID_ASK, LAST_OR_BID_ASK, MIDPOINT = 1, 2, 3, 4, 7, 8
DEFAULT_METHOD = {"OPT": DOUBLE_BID_ASK, "CASH": BID_ASK, "BAG": BID_ASK}  # IBKR elects all others by the last trade


def start_waiting(floor: Floor, live: LiveOrder) -> None:
    """Hold an order for its trigger."""
    order = live.order
    live.stage, live.why_held, live.held_until = "held", "trigger", None
    if order.order_type not in TRAILED:
        live.trigger = order.stop_price
    elif live.trigger is None:
        # A stop that has trailed keeps its place from one session to the next.
        live.trigger = order.trail_stop_price or None
    floor.waiting[order.con_id].append(live)
    touch = floor.touches.get(order.con_id)
    if touch is not None and order.order_type in TRAILED:
        _trail(floor, live, touch, quiet=True)
    floor.out.append(OrderHeld(at=floor.now, perm_id=order.perm_id, why_held="trigger"))
    if touch is not None:
        watch(floor, live, touch)


def watch(floor: Floor, live: LiveOrder, touch: Touch) -> None:
    """Show an order that waits the market as it is now."""
    if touch.halted or live.is_done:
        return
    if live.order.order_type in TRAILED:
        _trail(floor, live, touch)
    method = _method(floor, live)
    reached = _reached_by(method, live, touch.quote)
    if method in (DOUBLE_BID_ASK, DOUBLE_LAST):
        if method == DOUBLE_LAST and not touch.quote.last_size:
            return  # no print, no second one
        reached, live.reached_once = reached and live.reached_once, reached
    if reached and live.trigger is not None:
        _elect(floor, live, live.trigger)


def _method(floor: Floor, live: LiveOrder) -> int:
    return live.order.trigger_method or DEFAULT_METHOD.get(floor.instruments[live.order.con_id].sec_type, LAST)


def _reference(method: int, live: LiveOrder, quote: Quote) -> Decimal | None:
    return reference_price(method, quote, rising=live.order.side == "BUY")


def reference_price(method: int, quote: Quote, *, rising: bool) -> Decimal | None:
    """The price a trigger method looks at; ask (falling: bid) stands in while nothing has traded."""
    own = quote.ask if rising else quote.bid
    if method == MIDPOINT:
        return None if quote.bid is None or quote.ask is None else (quote.bid + quote.ask) / 2
    if method in (DOUBLE_BID_ASK, BID_ASK) or quote.last is None:
        return own
    return quote.last


def _reached_by(method: int, live: LiveOrder, quote: Quote) -> bool:
    if method == LAST_OR_BID_ASK and _reached(live, _reference(BID_ASK, live, quote)):
        return True
    return _reached(live, _reference(method, live, quote))


def _reached(live: LiveOrder, reference: Decimal | None) -> bool:
    if live.trigger is None or reference is None:
        return False
    rising = (live.order.side == "BUY") is not (live.order.order_type in TOUCHED)
    return reference >= live.trigger if rising else reference <= live.trigger


def _trail(floor: Floor, live: LiveOrder, touch: Touch, *, quiet: bool = False) -> None:
    """Move the stop after the market, never back."""
    reference = _reference(_method(floor, live), live, touch.quote)
    if reference is None:
        return
    buying = live.order.side == "BUY"
    amount = trail_amount(live.order, reference)
    wanted = reference + amount if buying else reference - amount
    moved = to_grid(floor.instruments[live.order.con_id], wanted, up=buying)
    if live.trigger is not None and (moved >= live.trigger if buying else moved <= live.trigger):
        return
    live.trigger = moved
    if not quiet:
        floor.out.append(StopTrailed(at=floor.now, perm_id=live.order.perm_id, trigger_price=moved))


def first_stop(floor: Floor, order: VenueOrder) -> Decimal | None:
    """Where a trailing stop would begin now."""
    live, touch = LiveOrder(order, 0, floor.now), floor.touches.get(order.con_id)
    live.trigger = order.trail_stop_price or None
    if touch is not None:
        _trail(floor, live, touch, quiet=True)
    return live.trigger


def trail_amount(order: VenueOrder, reference: Decimal) -> Decimal:
    """How far behind the market a trailing stop stands."""
    if order.trail_percent is not None:
        return reference * order.trail_percent / 100
    return order.stop_price or Decimal(0)


def _elect(floor: Floor, live: LiveOrder, trigger: Decimal) -> None:
    perm_id = live.order.perm_id
    waiting = floor.waiting[live.order.con_id]
    floor.waiting[live.order.con_id] = [other for other in waiting if other is not live]
    live.stage, live.why_held, live.triggered = "working", "", True
    live.limit = _limit_after(floor, live, trigger)
    floor.out.append(OrderTriggered(at=floor.now, perm_id=perm_id, trigger_price=trigger))
    floor.out.append(OrderWorking(at=floor.now, perm_id=perm_id))
    floor.plan_in(floor.config.fill.draw(floor.rng), "enter", perm_id)


def _limit_after(floor: Floor, live: LiveOrder, trigger: Decimal) -> Decimal | None:
    order = live.order
    if order.order_type in ("STP LMT", "LIT"):
        return order.limit_price
    if order.order_type != "TRAIL LIMIT":
        return None
    buying = order.side == "BUY"
    offset = _offset(order)
    wanted = trigger + offset if buying else trigger - offset
    return to_grid(floor.instruments[order.con_id], wanted, up=buying)


def _offset(order: VenueOrder) -> Decimal:
    """How far beyond its stop a trailing limit order may trade: given, or taken from its first limit and stop."""
    if order.limit_offset is not None:
        return abs(order.limit_offset)
    if order.limit_price is not None and order.trail_stop_price is not None:
        return abs(order.limit_price - order.trail_stop_price)
    return Decimal(0)
