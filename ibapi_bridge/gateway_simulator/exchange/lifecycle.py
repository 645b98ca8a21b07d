"""An order's way through the broker: accepted, held, working, changed."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange import auctions
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.endings import cancel_now, group_of, leave_market, reject
from ibapi_bridge.gateway_simulator.exchange.events import (
    OrderAccepted,
    OrderHeld,
    OrderRejected,
    OrderReplaced,
    OrderWorking,
    ReplaceRefused,
    Warned,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.gates import (
    IGNORED_HOURS,
    NO_EXTENDED_HOURS,
    Gate,
    is_tradable,
    next_gate,
)
from ibapi_bridge.gateway_simulator.exchange.margins import margin_refusal
from ibapi_bridge.gateway_simulator.exchange.margins import preview as margin_preview
from ibapi_bridge.gateway_simulator.exchange.matching import match, takeable
from ibapi_bridge.gateway_simulator.exchange.rules import TRIGGERED, Refusal, refusal, to_grid
from ibapi_bridge.gateway_simulator.exchange.triggers import start_waiting
from ibapi_bridge.gateway_simulator.exchange.types import MarginPreview, SimulationError, VenueOrder

TOO_FAR = "The limit price is too far through the market."
SWAPS = ({"MKT", "LMT"}, {"STP", "STP LMT"}, {"TRAIL", "TRAIL LIMIT"}, {"MIT", "LIT"}, {"MOC", "LOC"})


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
    return refusal(floor, order) or _parent_missing(floor, order) or _of_account(floor, order, order.quantity)


def _parent_missing(floor: Floor, order: VenueOrder) -> Refusal | None:
    if order.parent_perm_id is None:
        return None
    parent = floor.orders.get(order.parent_perm_id)
    if parent is None:
        return Refusal(10006, "Missing parent order.")
    if parent.stage in ("canceled", "inactive"):
        return Refusal(135, "Can't find order with id =")
    return None


def _of_account(floor: Floor, order: VenueOrder, quantity: Decimal) -> Refusal | None:
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


def route(floor: Floor, live: LiveOrder) -> None:
    """Send an order to the exchange, or hold it before the first gate that is shut."""
    gate = next_gate(floor, live)
    if gate is not None:
        hold(floor, live, gate)
        return
    live.stage, live.why_held, live.held_until = "pending", "", None
    floor.plan_in(floor.config.ack.draw(floor.rng), "arrive", live.order.perm_id)


def hold(floor: Floor, live: LiveOrder, gate: Gate) -> None:
    """Keep an order until its gate opens, and tell its owner why."""
    perm_id = live.order.perm_id
    live.stage, live.why_held, live.held_until = "held", gate.why_held, gate.until
    floor.out.append(OrderHeld(at=floor.now, perm_id=perm_id, why_held=gate.why_held, until=gate.until))
    if gate.code:
        floor.out.append(Warned(at=floor.now, perm_id=perm_id, code=gate.code, text=gate.text))
    if gate.why_held == "locate" and floor.config.locate_delay is not None:
        floor.plan_in(floor.config.locate_delay, "locate", perm_id)
    if gate.until is not None and live.order.good_after == gate.until:
        floor.plan(gate.until, "release", perm_id)


def arrive(floor: Floor, live: LiveOrder) -> None:
    """An order reaches the exchange, or the broker's own servers if it waits for a trigger."""
    if live.stage != "pending":
        return
    gate = next_gate(floor, live)
    if gate is not None:
        hold(floor, live, gate)
    elif _too_far(floor, live):
        cancel_now(floor, live, "system", TOO_FAR)
    elif auctions.is_auction(live.order):
        auctions.register(floor, live)
    elif live.order.order_type in TRIGGERED and not live.triggered:
        start_waiting(floor, live)
    else:
        _start_working(floor, live)


def _too_far(floor: Floor, live: LiveOrder) -> bool:
    """Whether a limit would trade absurdly far through the market (IBKR cancels such an order)."""
    order, limit = live.order, live.limit
    touch = floor.touches.get(order.con_id)
    if order.order_type != "LMT" or limit is None or touch is None or floor.instruments[order.con_id].legs:
        return False
    band = floor.config.price_band
    if order.side == "BUY":
        return touch.quote.ask is not None and limit > touch.quote.ask * (1 + band)
    return touch.quote.bid is not None and limit < touch.quote.bid * (1 - band)


def _start_working(floor: Floor, live: LiveOrder) -> None:
    live.stage = "working"
    # An order that trades at once or dies is never reported as working.
    if live.order.tif not in ("IOC", "FOK"):
        floor.out.append(OrderWorking(at=floor.now, perm_id=live.order.perm_id))
    floor.plan_in(floor.config.fill.draw(floor.rng), "enter", live.order.perm_id)


def enter(floor: Floor, live: LiveOrder) -> None:
    """An order enters the book and trades as far as it can."""
    if live.stage != "working" or live.in_book:
        return
    if not is_tradable(floor, live.order):
        route(floor, live)
        return
    if live.order.tif == "FOK" and takeable(floor, live) < live.remaining:
        cancel_now(floor, live, "ioc")
        return
    floor.books[live.order.con_id, live.order.side].add(live)
    match(floor, live, fresh=False)
    if live.is_done:
        return
    if live.order.tif in ("IOC", "FOK"):
        cancel_now(floor, live, "ioc")
    elif live.order.order_type == "MTL":
        _become_limit(floor, live)


def _become_limit(floor: Floor, live: LiveOrder) -> None:
    """What a market-to-limit order could not trade at once stays as a limit at the price of what it could."""
    touch = floor.touches.get(live.order.con_id)
    if touch is None:
        return
    buying = live.order.side == "BUY"
    price = live.last_price or (touch.quote.ask if buying else touch.quote.bid)
    if price is None:
        return
    limit = to_grid(floor.instruments[live.order.con_id], price, up=not buying)
    _requeue(floor, live, evolve(live.order, order_type="LMT", limit_price=limit), by="system")


def ask_replace(floor: Floor, order: VenueOrder) -> None:
    """Send a change to the exchange, or refuse it; the original lives on meanwhile."""
    live = floor.orders.get(order.perm_id)
    wrong = _unchangeable(floor, live, order)
    if wrong is not None:
        _refuse_change(floor, order.perm_id, wrong)
    else:
        floor.plan_in(floor.config.ack.draw(floor.rng), "replace", order.perm_id, order)


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
    if (old.oca_group, old.parent_perm_id) != (order.oca_group, order.parent_perm_id):
        return Refusal(10326, "OCA group revision is not allowed.")
    more = order.quantity - old.quantity
    return refusal(floor, order) or (_of_account(floor, order, order.quantity - live.filled) if more > 0 else None)


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
        _requeue(floor, live, order, by="client")


def _requeue(floor: Floor, live: LiveOrder, order: VenueOrder, *, by: str) -> None:
    old = live.order
    was_working = live.in_book
    waited = live.stage == "held" and live.why_held == "trigger"
    leave_market(floor, live)
    # A smaller order at the same price keeps its place; anything else goes to the end of the queue.
    if order.limit_price != old.limit_price or order.quantity > old.quantity:
        live.seq, live.queue_ahead, live.taking = floor.number(), None, True
    if _trail_terms(order) != _trail_terms(old):
        live.trigger = None
    live.order = order
    if not live.triggered or order.order_type in ("STP LMT", "LIT"):
        live.limit = None if order.order_type == "MKT" else order.limit_price
    floor.out.append(OrderReplaced(at=floor.now, perm_id=order.perm_id, order=order, by=by))
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


def activate(floor: Floor, live: LiveOrder) -> None:
    """A child's parent has filled."""
    live.parent_filled = True
    if live.stage == "held" and live.why_held.startswith("child"):
        route(floor, live)


def locate(floor: Floor, live: LiveOrder) -> None:
    """Shares to borrow have been found."""
    live.located = True
    if live.stage == "held" and live.why_held == "locate":
        route(floor, live)


def expire(floor: Floor, live: LiveOrder) -> None:
    """The date of a good-till-date order has come, unless it was changed meanwhile."""
    till = live.order.good_till
    if live.order.tif == "GTD" and till is not None and till <= floor.now:
        cancel_now(floor, live, "expiry")


def release(floor: Floor, live: LiveOrder) -> None:
    """The moment an order was held for has come."""
    if live.stage == "held" and not live.auction and live.held_until is not None and live.held_until <= floor.now:
        route(floor, live)


def preview(floor: Floor, order: VenueOrder) -> MarginPreview:
    """What an order would do to its account, and the refusal it would meet.

    Raises:
        SimulationError: there is no such account or instrument.
    """
    floor.account(order.account)
    if order.con_id not in floor.instruments:
        raise SimulationError(f"contract {order.con_id} is not listed")
    wrong = refusal(floor, order) or _of_account(floor, order, order.quantity)
    return margin_preview(floor, order, (0, "") if wrong is None else (wrong.code, wrong.text))
