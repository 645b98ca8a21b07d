"""How orders end other than by trading: cancelled, expired, refused, reduced away by their group."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.commitments import recount
from ibapi_bridge.gateway_simulator.exchange.events import OrderCanceled, OrderRejected, OrderReplaced
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.rules import PEGGED, Refusal

CANCEL_OTHERS = 1
REDUCE_WITH_BLOCK = 2


def leave_market(floor: Floor, live: LiveOrder) -> None:
    """Take an order off the book and off the lists of those waiting for a trigger or following the quote."""
    con_id = live.order.con_id
    floor.books[con_id, live.order.side].remove(live)
    waiting = floor.waiting[con_id]
    if live in waiting:
        floor.waiting[con_id] = [other for other in waiting if other is not live]
    if is_pegging(floor, live):
        floor.pegged[con_id] = [other for other in floor.pegged[con_id] if other is not live]


def is_pegging(floor: Floor, live: LiveOrder) -> bool:
    """Whether an order follows the quotes, in the book or until there is a quote to follow."""
    return live.order.order_type in PEGGED and live in floor.pegged.get(live.order.con_id, ())


def finish(floor: Floor, live: LiveOrder, stage: str) -> None:
    """End an order's life: nothing happens to it afterwards but corrections."""
    leave_market(floor, live)
    live.stage = stage
    live.done_at = floor.now
    live.why_held = ""
    live.held_until = None
    live.canceling = False
    recount(floor, live)
    floor.conditional.pop(live.order.perm_id, None)
    floor.alive.pop(live.order.perm_id, None)


def cancel_now(floor: Floor, live: LiveOrder, by: str, reason: str = "") -> None:
    """Cancel what is left of an order, and the children that wait for it."""
    if live.is_done:
        return
    finish(floor, live, "canceled")
    live.reason = reason
    floor.out.append(OrderCanceled(at=floor.now, perm_id=live.order.perm_id, filled=live.filled, reason=reason, by=by))
    _cancel_children(floor, live)


def reject(floor: Floor, live: LiveOrder, refused: Refusal) -> None:
    """Throw an order out after it had been accepted."""
    finish(floor, live, "inactive")
    live.reason, live.reject_code = refused.text, refused.code
    floor.out.append(
        OrderRejected(
            at=floor.now,
            perm_id=live.order.perm_id,
            code=refused.code,
            text=refused.text,
            inactive=refused.inactive,
        )
    )
    _cancel_children(floor, live)


def _cancel_children(floor: Floor, parent: LiveOrder) -> None:
    for perm_id in parent.children:
        child = floor.orders.get(perm_id)
        if child is not None:
            cancel_now(floor, child, "parent")


def group_of(live: LiveOrder) -> tuple[str, str] | None:
    """The one-cancels-all group of an order; children of one parent form one, as IBKR makes it."""
    order = live.order
    if order.oca_group:
        return order.account, order.oca_group
    if order.parent_perm_id is not None:
        return order.account, f"parent {order.parent_perm_id}"
    return None


def after_fill(floor: Floor, live: LiveOrder, quantity: Decimal) -> None:
    """Apply a fill of `quantity` to the rest of the order's group.

    Type 1 cancels the others; types 2 and 3 make them smaller in the proportion in which this order was filled. Types 1
    and 2 act at once (IBKR's overfill protection); type 3 travels like a cancel and may come too late.
    """
    group = group_of(live)
    if group is None:
        return
    kind = live.order.oca_type or 3
    before = live.remaining + quantity
    for perm_id in tuple(floor.groups.get(group, ())):
        other = floor.orders[perm_id]
        if other is live or other.is_done:
            continue
        if kind == CANCEL_OTHERS:
            cancel_now(floor, other, "oca")
        elif kind == REDUCE_WITH_BLOCK:
            reduce(floor, other, quantity, before)
        else:
            floor.plan_in(floor.config.cancel.draw(floor.rng), "reduce", perm_id, [str(quantity), str(before)])


def reduce(floor: Floor, live: LiveOrder, quantity: Decimal, of: Decimal) -> None:
    """Make an order smaller in the proportion in which another of its group was filled, `quantity` of `of`."""
    if live.is_done:
        return
    increment = floor.instruments[live.order.con_id].size_increment
    less = (live.remaining * quantity / of / increment).to_integral_value(ROUND_HALF_UP) * increment
    smaller = live.order.quantity - less
    if smaller <= live.filled:
        cancel_now(floor, live, "oca")
        return
    live.order = evolve(live.order, quantity=smaller)
    recount(floor, live)
    floor.out.append(OrderReplaced(at=floor.now, perm_id=live.order.perm_id, order=live.order, by="system"))
