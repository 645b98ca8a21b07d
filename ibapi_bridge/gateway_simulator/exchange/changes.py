"""Changes and cancels of orders that are alive; both travel, and may come too late."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange import conditions
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.commitments import recount
from ibapi_bridge.gateway_simulator.exchange.endings import cancel_now, is_pegging, leave_market
from ibapi_bridge.gateway_simulator.exchange.events import (
    CancelPending,
    CancelRefused,
    OrderReplaced,
    ReplaceRefused,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.intake import refusal_of_account
from ibapi_bridge.gateway_simulator.exchange.lifecycle import enter, route
from ibapi_bridge.gateway_simulator.exchange.rules import Refusal, refusal
from ibapi_bridge.gateway_simulator.exchange.triggers import start_waiting
from ibapi_bridge.gateway_simulator.exchange.types import VenueOrder

STATE_WORDS = {"filled": "Filled", "canceled": "Cancelled", "inactive": "Inactive"}
SWAPS = ({"MKT", "LMT"}, {"STP", "STP LMT"}, {"TRAIL", "TRAIL LIMIT"}, {"MIT", "LIT"}, {"MOC", "LOC"})


def ask_replace(floor: Floor, order: VenueOrder) -> None:
    """Send a change to the exchange, or refuse it; the original lives on meanwhile."""
    live = floor.orders.get(order.perm_id)
    wrong = _unchangeable(floor, live, order)
    if wrong is not None:
        _refuse_change(floor, order.perm_id, wrong)
    elif live is not None:
        _send(floor, live, floor.config.ack.draw(floor.rng), "replace", order)


def _send(floor: Floor, live: LiveOrder, delay: timedelta, kind: str, payload: VenueOrder | str) -> None:
    """What is sent about an order arrives in the order it was sent."""
    live.heard_at = max(floor.now + delay, live.heard_at or floor.now)
    floor.plan(live.heard_at, kind, live.order.perm_id, payload)


def _refuse_change(floor: Floor, perm_id: int, wrong: Refusal) -> None:
    floor.out.append(ReplaceRefused(at=floor.now, perm_id=perm_id, code=wrong.code, text=wrong.text))


def _unchangeable(floor: Floor, live: LiveOrder | None, order: VenueOrder) -> Refusal | None:
    if live is None:
        return Refusal(103, "Duplicate order id")
    if live.is_done:
        return _too_late(live)
    old = live.order
    if (old.con_id, old.side, old.account) != (order.con_id, order.side, order.account):
        return Refusal(105, "Order being modified does not match original order.")
    if old.order_type != order.order_type and {old.order_type, order.order_type} not in SWAPS:
        return Refusal(329, "Order modify failed. Cannot change to the new order type.")
    if (old.oca_group, old.oca_type, old.parent_perm_id) != (order.oca_group, order.oca_type, order.parent_perm_id):
        return _of_family(old, order)
    more = order.quantity - old.quantity
    return refusal(floor, order) or (refusal_of_account(floor, order, more) if more > 0 else None)


def _of_family(old: VenueOrder, order: VenueOrder) -> Refusal | None:
    """Why an order cannot be moved to another group or parent."""
    if old.oca_group != order.oca_group:
        return Refusal(10326, "OCA group revision is not allowed")
    if old.oca_group and old.oca_type != order.oca_type:
        return Refusal(10327, "OCA group type revision is not allowed")
    if old.parent_perm_id != order.parent_perm_id:
        return Refusal(10341, "Parent order id cannot be modified")
    return None


def _too_late(live: LiveOrder) -> Refusal:
    if live.stage == "filled":
        return Refusal(104, "Cannot modify a filled order.")
    return Refusal(103, "Duplicate order id")


def replace(floor: Floor, live: LiveOrder, order: VenueOrder) -> None:
    """A change has reached the exchange."""
    if live.is_done:
        _refuse_change(floor, order.perm_id, _too_late(live))
    elif order.quantity <= live.filled:
        cancel_now(floor, live, "client")
    else:
        _requeue(floor, live, order)


def _requeue(floor: Floor, live: LiveOrder, order: VenueOrder) -> None:
    old = live.order
    was_working = live.in_book or is_pegging(floor, live)
    waited = live.stage == "held" and live.why_held == "trigger"
    leave_market(floor, live)
    # A smaller order at the same price keeps its place; anything else goes to the end of the queue.
    if order.limit_price != old.limit_price or order.quantity > old.quantity:
        live.seq, live.queue_ahead, live.taking = floor.number(), None, True
    if _trail_terms(order) != _trail_terms(old):
        live.trigger = None
    live.order = order
    recount(floor, live)
    conditions.register(floor, live)
    if not live.triggered or order.order_type in ("STP LMT", "LIT"):
        live.limit = None if order.order_type == "MKT" else order.limit_price
    floor.out.append(OrderReplaced(at=floor.now, perm_id=order.perm_id, order=order))
    if order.tif == "GTD" and order.good_till is not None and order.good_till != old.good_till:
        floor.plan(max(order.good_till, floor.now), "expire", order.perm_id)
    if waited:
        start_waiting(floor, live)
    elif was_working:
        enter(floor, live)
    elif live.stage == "held" and not live.auction:
        route(floor, live)


def _trail_terms(order: VenueOrder) -> tuple[Decimal | None, ...]:
    return order.stop_price, order.trail_percent, order.trail_stop_price


def ask_cancel(floor: Floor, perm_id: int, by: str) -> None:
    """Send a cancel to the exchange, or refuse it."""
    live = floor.orders.get(perm_id)
    if live is None:
        floor.out.append(CancelRefused(at=floor.now, perm_id=perm_id, code=10147, text="not found"))
    elif live.is_done or live.canceling:
        _refuse_cancel(floor, live)
    else:
        live.canceling = True
        floor.out.append(CancelPending(at=floor.now, perm_id=perm_id))
        _send(floor, live, floor.config.cancel.draw(floor.rng), "cancel", by)


def cancel(floor: Floor, live: LiveOrder, by: str) -> None:
    """A cancel has reached the exchange."""
    if live.is_done:
        _refuse_cancel(floor, live)
    else:
        cancel_now(floor, live, by)


def _refuse_cancel(floor: Floor, live: LiveOrder) -> None:
    state = "PendingCancel" if live.canceling else STATE_WORDS[live.stage]
    floor.out.append(
        CancelRefused(at=floor.now, perm_id=live.order.perm_id, code=10148, text=f"state: {state}.", state=state)
    )
