"""An order's way through the broker: accepted, held, working, changed."""

from __future__ import annotations

from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange import auctions, conditions, pegs
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.commitments import recount
from ibapi_bridge.gateway_simulator.exchange.endings import cancel_now, is_pegging
from ibapi_bridge.gateway_simulator.exchange.events import (
    OrderHeld,
    OrderReplaced,
    OrderWorking,
    Warned,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.gates import (
    Gate,
    is_tradable,
    next_gate,
)
from ibapi_bridge.gateway_simulator.exchange.matching import match, takeable
from ibapi_bridge.gateway_simulator.exchange.rules import PEGGED, TRIGGERED, to_grid
from ibapi_bridge.gateway_simulator.exchange.triggers import start_waiting

TOO_FAR = "The limit price is too far through the market."


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
    if live.stage != "working" or live.in_book or is_pegging(floor, live):
        return
    if not is_tradable(floor, live.order):
        route(floor, live)
        return
    if live.order.tif == "FOK" and takeable(floor, live) < live.remaining:
        cancel_now(floor, live, "ioc")
        return
    if live.order.order_type in PEGGED:
        pegs.register(floor, live)
    else:
        floor.books[live.order.con_id, live.order.side].add(live)
    if live.in_book:
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
    book = floor.books[live.order.con_id, live.order.side]
    book.remove(live)
    live.limit = to_grid(floor.instruments[live.order.con_id], price, up=not buying)
    live.order = evolve(live.order, order_type="LMT", limit_price=live.limit)
    live.taking = False
    book.add(live)
    floor.out.append(OrderReplaced(at=floor.now, perm_id=live.order.perm_id, order=live.order, by="system"))


def activate(floor: Floor, live: LiveOrder) -> None:
    """A child's parent has filled."""
    live.parent_filled = True
    recount(floor, live)
    if live.stage == "held" and live.why_held.startswith("child"):
        route(floor, live)


def look(floor: Floor, live: LiveOrder) -> None:
    """See whether an order's conditions are met now."""
    if live.order.perm_id not in floor.conditional or not conditions.hold(floor, live):
        return
    if live.order.conditions_cancel:
        conditions.cancel_if_met(floor, live)
        return
    live.conditions_met = True
    conditions.register(floor, live)
    if live.stage == "held" and not live.why_held.startswith("child"):
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
