"""The opening and the closing auction: orders that trade once, at one price."""

from __future__ import annotations

from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.endings import cancel_now, reject
from ibapi_bridge.gateway_simulator.exchange.events import OrderHeld
from ibapi_bridge.gateway_simulator.exchange.fills import execute
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.rules import Refusal, to_grid
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.exchange.types import VenueOrder

TOO_LATE = "The closing auction takes no more orders"
NOT_REACHED = "The auction price did not reach the limit."
NO_AUCTION = "There was no auction."


def is_auction(order: VenueOrder) -> bool:
    """Whether an order is for an auction."""
    return order.tif == "OPG" or order.order_type in ("MOC", "LOC")


def register(floor: Floor, live: LiveOrder) -> None:
    """Hold an order for the next auction of its kind."""
    opening = live.order.tif == "OPG"
    phase = floor.phase_of(floor.instruments[live.order.con_id])
    session = phase.session
    if not opening and session is not None and floor.now > session.liquid_end - floor.config.auction_cutoff:
        reject(floor, live, Refusal(201, TOO_LATE, inactive=True))
        return
    if opening and session is not None and session.liquid_start <= floor.now:
        session = TIMETABLES[floor.instruments[live.order.con_id].schedule].session_after(session)
    live.auction = "open" if opening else "close"
    live.stage = "held"
    if session is not None:
        live.held_until = session.liquid_start if opening else session.liquid_end
    floor.out.append(OrderHeld(at=floor.now, perm_id=live.order.perm_id, until=live.held_until))


def due(floor: Floor, schedule: str, kind: str) -> list[LiveOrder]:
    """The orders of a timetable's instruments whose auction is now."""
    return [
        live
        for live in floor.alive.values()
        if live.auction == kind
        and live.held_until is not None
        and live.held_until <= floor.now
        and floor.instruments[live.order.con_id].schedule == schedule
    ]


def opening_bell(floor: Floor, schedule: str) -> None:
    """The opening auction of an instrument is held at its first quote of the day."""
    floor.opening.update(live.order.con_id for live in due(floor, schedule, "open"))


def open_cross(floor: Floor, con_id: int) -> None:
    """Hold the opening auction of one instrument."""
    floor.opening.discard(con_id)
    schedule = floor.instruments[con_id].schedule
    for live in due(floor, schedule, "open"):
        if live.order.con_id == con_id:
            _cross(floor, live)


def closing_bell(floor: Floor, schedule: str) -> None:
    """Hold the closing auction of all instruments of a timetable."""
    for live in due(floor, schedule, "close"):
        _cross(floor, live)


def _cross(floor: Floor, live: LiveOrder) -> None:
    if live.is_done:
        return
    touch = floor.touches.get(live.order.con_id)
    price = None if touch is None or touch.halted else _price(floor, live, touch)
    if price is None:
        cancel_now(floor, live, "system", NO_AUCTION)
    elif not _accepts(live, price):
        cancel_now(floor, live, "system", NOT_REACHED)
    else:
        execute(floor, live, live.remaining, price)


def _price(floor: Floor, live: LiveOrder, touch: Touch) -> Decimal | None:
    quote = touch.quote
    if quote.last is not None and quote.last_size:
        return quote.last
    mark = touch.mark
    return None if mark is None else to_grid(floor.instruments[live.order.con_id], mark, up=False)


def _accepts(live: LiveOrder, price: Decimal) -> bool:
    limit = live.order.limit_price
    if live.order.order_type in ("MKT", "MOC") or limit is None:
        return True
    return price <= limit if live.order.side == "BUY" else price >= limit
