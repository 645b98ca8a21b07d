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
from ibapi_bridge.gateway_simulator.exchange.types import VenueOrder

TOUCHED = frozenset({"MIT", "LIT"})
BOOK_TRIGGERED = frozenset({"CASH", "OPT", "BAG"})  # IBKR elects these by bid and ask, the others by the last trade


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
    reference = _reference(floor, live, touch)
    if reference is not None and live.trigger is not None and _reached(live, reference):
        _elect(floor, live, live.trigger)


def _reference(floor: Floor, live: LiveOrder, touch: Touch) -> Decimal | None:
    quote = touch.quote
    by_book = floor.instruments[live.order.con_id].sec_type in BOOK_TRIGGERED or quote.last is None
    if not by_book:
        return quote.last
    return quote.ask if live.order.side == "BUY" else quote.bid


def _reached(live: LiveOrder, reference: Decimal) -> bool:
    if live.trigger is None:
        return False
    rising = (live.order.side == "BUY") is not (live.order.order_type in TOUCHED)
    return reference >= live.trigger if rising else reference <= live.trigger


def _trail(floor: Floor, live: LiveOrder, touch: Touch, *, quiet: bool = False) -> None:
    """Move the stop after the market, never back."""
    reference = _reference(floor, live, touch)
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
