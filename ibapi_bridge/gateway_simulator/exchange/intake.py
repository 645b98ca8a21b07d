"""New orders at the broker's door: refused, or taken on."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange import conditions
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.commitments import recount
from ibapi_bridge.gateway_simulator.exchange.endings import group_of, reject
from ibapi_bridge.gateway_simulator.exchange.events import (
    OrderAccepted,
    OrderRejected,
    Warned,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.gates import IGNORED_HOURS, NO_EXTENDED_HOURS
from ibapi_bridge.gateway_simulator.exchange.lifecycle import route
from ibapi_bridge.gateway_simulator.exchange.margins import margin_refusal
from ibapi_bridge.gateway_simulator.exchange.margins import preview as margin_preview
from ibapi_bridge.gateway_simulator.exchange.rules import Refusal, refusal
from ibapi_bridge.gateway_simulator.exchange.types import MarginPreview, SimulationError, VenueOrder


def submit(floor: Floor, order: VenueOrder) -> None:
    """Take a new order, or refuse it."""
    wrong = _unacceptable(floor, order)
    if wrong is not None:
        _refuse(floor, order, wrong)
        return
    live = _admit(floor, order)
    floor.out.append(OrderAccepted(at=floor.now, perm_id=order.perm_id, order=live.order))
    if order.outside_rth and order.order_type in NO_EXTENDED_HOURS:
        floor.out.append(Warned(at=floor.now, perm_id=order.perm_id, code=2109, text=IGNORED_HOURS))
    if order.good_till is not None and order.tif == "GTD":
        floor.plan(max(order.good_till, floor.now), "expire", order.perm_id)
    route(floor, live)


def _unacceptable(floor: Floor, order: VenueOrder) -> Refusal | None:
    if order.perm_id in floor.orders:
        return Refusal(103, "Duplicate order id")
    return refusal(floor, order) or _parent_missing(floor, order) or refusal_of_account(floor, order, order.quantity)


def _parent_missing(floor: Floor, order: VenueOrder) -> Refusal | None:
    if order.parent_perm_id is None:
        return None
    parent = floor.orders.get(order.parent_perm_id)
    if parent is None:
        return Refusal(10006, "Missing parent order.")
    if parent.stage in ("canceled", "inactive"):
        return Refusal(135, "Can't find order with id =")
    return None


def refusal_of_account(floor: Floor, order: VenueOrder, quantity: Decimal) -> Refusal | None:
    """Why the account cannot have `quantity` more of the order, None when it can."""
    limit = floor.config.active_order_limit
    if limit is not None and _alive_beside(floor, order) >= limit:
        return Refusal(201, f"At most {limit} working orders a side", inactive=True)
    # A child needs no margin before its parent has filled: it usually closes the parent's position.
    if not floor.config.check_margin or order.parent_perm_id is not None:
        return None
    text = margin_refusal(floor, order, quantity)
    return Refusal(201, text, inactive=True) if text else None


def _alive_beside(floor: Floor, order: VenueOrder) -> int:
    key = (order.account, order.con_id, order.side)
    return sum((o.order.account, o.order.con_id, o.order.side) == key for o in floor.alive.values())


def _refuse(floor: Floor, order: VenueOrder, wrong: Refusal) -> None:
    if wrong.inactive:
        live = LiveOrder(order, floor.number(), floor.now)
        floor.orders[order.perm_id] = live
        reject(floor, live, wrong)
        return
    floor.out.append(
        OrderRejected(at=floor.now, perm_id=order.perm_id, code=wrong.code, text=wrong.text, inactive=False)
    )


def _admit(floor: Floor, order: VenueOrder) -> LiveOrder:
    live = LiveOrder(_sized(floor, order), floor.number(), floor.now)
    live.limit = order.limit_price if order.order_type != "MKT" else None
    floor.orders[order.perm_id] = floor.alive[order.perm_id] = live
    group = group_of(live)
    if group is not None:
        floor.groups.setdefault(group, []).append(order.perm_id)
    if order.parent_perm_id is not None:
        parent = floor.orders[order.parent_perm_id]
        parent.children.append(order.perm_id)
        live.parent_filled = parent.stage == "filled"
    recount(floor, live)
    conditions.register(floor, live)
    return live


def _sized(floor: Floor, order: VenueOrder) -> VenueOrder:
    """An order by cash amount becomes one by quantity, at the market's price."""
    if order.quantity or order.cash_quantity is None:
        return order
    instrument = floor.instruments[order.con_id]
    price = order.limit_price or floor.mark(order.con_id) or Decimal(1)
    units = order.cash_quantity / (price * instrument.multiplier)
    return evolve(
        order, quantity=max(units // instrument.size_increment * instrument.size_increment, instrument.min_size)
    )


def preview(floor: Floor, order: VenueOrder) -> MarginPreview:
    """What an order would do to its account, and the refusal it would meet.

    Raises:
        SimulationError: there is no such account or instrument.
    """
    floor.account(order.account)
    if order.con_id not in floor.instruments:
        raise SimulationError(f"contract {order.con_id} is not listed")
    wrong = refusal(floor, order) or refusal_of_account(floor, order, order.quantity)
    return margin_preview(floor, order, (0, "") if wrong is None else (wrong.code, wrong.text))
