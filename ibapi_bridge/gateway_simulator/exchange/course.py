"""The course of things: what happens when a quote comes in or an action falls due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ibapi_bridge.gateway_simulator.exchange import (
    accounts,
    auctions,
    changes,
    day,
    endings,
    lifecycle,
    matching,
    pegs,
    triggers,
)
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.events import Quoted
from ibapi_bridge.gateway_simulator.exchange.fills import display_combo
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.timetable import NEW_YORK
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Quote

OnOrder = Callable[[Floor, LiveOrder, Any], None]
ORDER_ACTIONS: Mapping[str, OnOrder] = {
    "arrive": lambda floor, live, _: lifecycle.arrive(floor, live),
    "enter": lambda floor, live, _: lifecycle.enter(floor, live),
    "replace": changes.replace,
    "cancel": changes.cancel,
    "reduce": lambda floor, live, payload: endings.reduce(floor, live, Decimal(payload[0]), Decimal(payload[1])),
    "activate": lambda floor, live, _: lifecycle.activate(floor, live),
    "locate": lambda floor, live, _: lifecycle.locate(floor, live),
    "look": lambda floor, live, _: lifecycle.look(floor, live),
    "release": lambda floor, live, _: lifecycle.release(floor, live),
    "expire": lambda floor, live, _: lifecycle.expire(floor, live),
}
ANSWERED_WHEN_DONE = frozenset({"replace", "cancel"})  # their sender waits for an answer even when it is too late


def act(floor: Floor) -> None:
    """Do the earliest action on the agenda."""
    _, _, kind, key, payload = floor.take_action()
    on_order = ORDER_ACTIONS.get(kind)
    if on_order is None:
        _act_on_market(floor, kind, key, payload)
        return
    live = floor.orders[key]
    if not live.is_done or kind in ANSWERED_WHEN_DONE:
        on_order(floor, live, payload)


def _act_on_market(floor: Floor, kind: str, key: int, payload: str) -> None:
    if kind == "boundary":
        day.boundary(floor, payload)
    elif kind == "day":
        start_day(floor)
    elif kind == "halt":
        day.halt(floor, key)
    else:
        day.resume(floor, key)


def start_day(floor: Floor) -> None:
    """Begin a new day of profit and loss, and plan the next for midnight in New York."""
    for account in floor.accounts.values():
        accounts.start_day(floor, account)
    tomorrow = (floor.now.astimezone(ZoneInfo(NEW_YORK)) + timedelta(days=1)).date()
    floor.plan(datetime.combine(tomorrow, time(0), ZoneInfo(NEW_YORK)).astimezone(UTC), "day", 0)


def show(floor: Floor, quote: Quote) -> Touch:
    """Put a quote on display; nothing trades yet."""
    touch = floor.touches.get(quote.con_id)
    if touch is None:
        touch = floor.touches[quote.con_id] = Touch(quote, floor.config.displayed_share)
        if touch.mark is not None:
            floor.closes.setdefault(quote.con_id, touch.mark)
    else:
        touch.show(quote, floor.config.displayed_share)
    return touch


def quote(floor: Floor, quote: Quote) -> None:
    """A new quote: auctions, orders, stops and combos look at it."""
    if quote.con_id not in floor.instruments:
        return
    before = floor.touches.get(quote.con_id)
    was_halted = before is not None and before.quote.halted
    touch = show(floor, quote)
    if floor.config.report_quotes:
        floor.out.append(Quoted(at=floor.now, quote=quote))
    if quote.halted != was_halted:
        (day.halt if quote.halted else day.resume)(floor, quote.con_id)
    if quote.con_id in floor.opening:
        auctions.open_cross(floor, quote.con_id)
    _trade(floor, quote.con_id, touch)
    for combo in floor.combos_of.get(quote.con_id, ()):
        show_combo(floor, floor.instruments[combo])


def show_combo(floor: Floor, combo: Instrument) -> None:
    """Make the book of a combo anew from those of its legs, and trade on it."""
    touch = display_combo(floor, combo)
    if touch is None:
        return
    if floor.config.report_quotes:
        floor.out.append(Quoted(at=floor.now, quote=touch.quote))
    _trade(floor, combo.con_id, touch)


def _trade(floor: Floor, con_id: int, touch: Touch) -> None:
    if con_id in floor.pegged:
        pegs.follow(floor, con_id, touch)
    for live in floor.books[con_id, "BUY"].orders:
        matching.match(floor, live, fresh=True)
    for live in floor.books[con_id, "SELL"].orders:
        matching.match(floor, live, fresh=True)
    for live in floor.waiting[con_id]:
        triggers.watch(floor, live, touch)
    if floor.conditional:
        for live in tuple(floor.conditional.values()):
            lifecycle.look(floor, live)
