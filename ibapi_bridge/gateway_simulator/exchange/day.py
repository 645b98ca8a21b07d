"""The course of a day: sessions open and close, orders of the day die, others wait for the next, trading is halted."""

from __future__ import annotations

from ibapi_bridge.gateway_simulator.exchange import auctions
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.endings import cancel_now, leave_market
from ibapi_bridge.gateway_simulator.exchange.events import (
    OrderHeld,
    SessionClosed,
    SessionOpened,
    TradingHalted,
    TradingResumed,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor, Phase
from ibapi_bridge.gateway_simulator.exchange.gates import is_tradable, next_tradable, trades_all_hours
from ibapi_bridge.gateway_simulator.exchange.lifecycle import route
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES


def boundary(floor: Floor, schedule: str) -> None:
    """A session, or its regular part, begins or ends."""
    phase = floor.phases[schedule]
    session = phase.session
    if session is None:
        return
    was_open, was_liquid = phase.open, phase.liquid
    phase.open = session.start <= floor.now < session.end
    phase.liquid = session.is_liquid(floor.now)
    if was_liquid and not phase.liquid:
        _close_regular(floor, schedule)
    if was_open and not phase.open:
        _close(floor, schedule, phase)
    if phase.open and not was_open and not phase.liquid:
        floor.out.append(SessionOpened(at=floor.now, schedule=schedule, liquid=False))
    if phase.liquid and not was_liquid:
        floor.out.append(SessionOpened(at=floor.now, schedule=schedule, liquid=True))
        auctions.opening_bell(floor, schedule)
    if phase.open:
        _forget_displays(floor, schedule)
        _release(floor, schedule)
    floor.plan_boundary(schedule, phase)


def _close_regular(floor: Floor, schedule: str) -> None:
    auctions.closing_bell(floor, schedule)
    _note_closes(floor, schedule)
    _end_of_hours(floor, schedule)
    floor.out.append(SessionClosed(at=floor.now, schedule=schedule, liquid=True))


def _note_closes(floor: Floor, schedule: str) -> None:
    """The day's last prices, which tomorrow's changes are measured by."""
    for con_id, instrument in floor.instruments.items():
        mark = floor.mark(con_id)
        if instrument.schedule == schedule and mark is not None:
            floor.closes[con_id] = mark


def _close(floor: Floor, schedule: str, phase: Phase) -> None:
    _end_of_hours(floor, schedule)
    session = phase.session
    if session is None:
        return
    if session.liquid_end != session.end:
        floor.out.append(SessionClosed(at=floor.now, schedule=schedule, liquid=False))
    phase.session = TIMETABLES[schedule].session_after(session)
    if phase.session is not None and phase.session.start <= floor.now:
        # Sessions without a pause between them: the next one begins at this very moment.
        phase.open, phase.liquid = True, phase.session.is_liquid(floor.now)
        floor.out.append(SessionOpened(at=floor.now, schedule=schedule, liquid=phase.liquid))


def _of_schedule(floor: Floor, schedule: str) -> list[LiveOrder]:
    return [o for o in floor.alive.values() if floor.instruments[o.order.con_id].schedule == schedule]


def _end_of_hours(floor: Floor, schedule: str) -> None:
    """Orders of the day that can trade no more today expire; the others wait for the next session."""
    for live in _of_schedule(floor, schedule):
        waits_for_later = live.held_until is not None and live.held_until > floor.now
        if live.is_done or waits_for_later or _goes_on_today(floor, live):
            continue
        if live.order.tif in ("GTC", "GTD"):
            _park(floor, live)
        else:
            cancel_now(floor, live, "expiry")


def _goes_on_today(floor: Floor, live: LiveOrder) -> bool:
    instrument = floor.instruments[live.order.con_id]
    return floor.phase_of(instrument).open and trades_all_hours(instrument, live.order)


def _park(floor: Floor, live: LiveOrder) -> None:
    if live.stage == "held" and live.why_held != "trigger":
        return
    leave_market(floor, live)
    live.stage, live.why_held = "held", ""
    live.queue_ahead, live.taking = None, True
    live.held_until = next_tradable(floor, live.order)
    floor.out.append(OrderHeld(at=floor.now, perm_id=live.order.perm_id, until=live.held_until))


def _forget_displays(floor: Floor, schedule: str) -> None:
    """What was displayed before the bell is not there to be traded after it."""
    for con_id, instrument in floor.instruments.items():
        if instrument.schedule == schedule:
            floor.forget_display(con_id)


def _release(floor: Floor, schedule: str) -> None:
    for live in _of_schedule(floor, schedule):
        due = live.held_until is not None and live.held_until <= floor.now
        if live.stage == "held" and due and not live.auction and is_tradable(floor, live.order):
            route(floor, live)


def halt(floor: Floor, con_id: int) -> None:
    """Stop trading in an instrument."""
    touch = floor.touches.get(con_id)
    if touch is not None and not touch.halted:
        touch.halted = True
        floor.out.append(TradingHalted(at=floor.now, con_id=con_id))


def resume(floor: Floor, con_id: int) -> None:
    """Trade in an instrument again, from its next quote on."""
    touch = floor.touches.get(con_id)
    if touch is not None and touch.halted:
        touch.halted = False
        floor.out.append(TradingResumed(at=floor.now, con_id=con_id))
