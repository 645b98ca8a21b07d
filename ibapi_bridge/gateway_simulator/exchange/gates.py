"""What may keep an accepted order from the exchange: its parent, shares to borrow, a date, the hours."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.rules import PEGGED, TRIGGERED
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, VenueOrder

NO_EXTENDED_HOURS = frozenset({"MKT", "MTL"}) | PEGGED
ALL_HOURS = frozenset({"FUT", "FOP", "CASH", "CRYPTO"})
ZONE_LABELS = {"America/New_York": "US/Eastern", "America/Chicago": "US/Central"}
NO_SHARES = (
    "Order held while securities are located. Shares for this order are not immediately available for short sale. "
    "The order will be held while we attempt to locate the shares."
)
IGNORED_HOURS = (
    "Order Event Warning: Attribute 'Outside Regular Trading Hours' is ignored based on the order type and "
    "destination. PlaceOrder is now being processed."
)


@frozen
class Gate:
    """Why an order waits; `code` and `text` are the warning its owner gets, code 0 for none."""

    why_held: str = ""
    until: datetime | None = None
    code: int = 0
    text: str = ""


def next_gate(floor: Floor, live: LiveOrder) -> Gate | None:
    """What stands between an order and the exchange, None if nothing does."""
    order = live.order
    stop = ",trigger" if order.order_type in TRIGGERED else ""
    if order.parent_perm_id is not None and not live.parent_filled:
        return Gate("child" + stop)
    if not live.located and _needs_locate(floor, order):
        return Gate("locate", None, 404, NO_SHARES)
    if order.good_after is not None and order.good_after > floor.now:
        return Gate("", order.good_after)
    if not is_tradable(floor, order):
        return _closed(floor, order)
    if order.conditions and not order.conditions_cancel and not live.conditions_met:
        return Gate()
    return None


def _needs_locate(floor: Floor, order: VenueOrder) -> bool:
    instrument = floor.instruments[order.con_id]
    if order.side != "SELL" or instrument.shortable is None or instrument.sec_type != "STK":
        return False
    holding = floor.accounts[order.account].holdings.get(order.con_id)
    held = ZERO if holding is None else holding.quantity
    return max(order.quantity - held, Decimal(0)) > instrument.shortable


def is_tradable(floor: Floor, order: VenueOrder) -> bool:
    """Whether the instrument's hours let the order trade now."""
    instrument = floor.instruments[order.con_id]
    phase = floor.phase_of(instrument)
    return phase.liquid or (phase.open and trades_all_hours(instrument, order))


def trades_all_hours(instrument: Instrument, order: VenueOrder) -> bool:
    """Whether the order may trade in extended hours: futures and currencies do, stocks when asked to."""
    if instrument.sec_type in ALL_HOURS:
        return True
    return order.outside_rth and order.order_type not in NO_EXTENDED_HOURS


def _closed(floor: Floor, order: VenueOrder) -> Gate | None:
    instrument = floor.instruments[order.con_id]
    session = floor.phase_of(instrument).session
    if order.tif == "OPG":
        return None
    if order.order_type in ("MOC", "LOC") and session is not None and floor.now < session.liquid_end:
        return None
    until = next_tradable(floor, order)
    zone = TIMETABLES[instrument.schedule].zone
    when = "the exchange reopens" if until is None else _local(until, zone)
    return Gate("", until, 399, _held_text(instrument, order, when))


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S} {ZONE_LABELS.get(zone, zone)}"


def _held_text(instrument: Instrument, order: VenueOrder, when: str) -> str:
    place = instrument.primary_exchange or instrument.exchange
    place = f"{place}.NMS" if place == "NASDAQ" else place
    return (
        f"Order Message:\n{order.side} {order.quantity} {instrument.symbol} {place}\n"
        f"Warning: Your order will not be placed at the exchange until {when}."
    )


def next_tradable(floor: Floor, order: VenueOrder) -> datetime | None:
    """When the instrument's hours next let the order trade."""
    instrument = floor.instruments[order.con_id]
    session = floor.phase_of(instrument).session
    early = trades_all_hours(instrument, order)
    while session is not None:
        opens = session.start if early else session.liquid_start
        if opens > floor.now:
            return opens
        session = TIMETABLES[instrument.schedule].session_after(session)
    return None
