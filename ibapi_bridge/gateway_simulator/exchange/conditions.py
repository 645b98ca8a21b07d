"""Conditions of orders: an order waits until they hold, or is cancelled when they do.

They are looked at on every quote, at the times they name, and after every fill; during regular hours of the order's own
instrument alone, unless the order says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder
from ibapi_bridge.gateway_simulator.exchange.endings import cancel_now
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.margins import account_margin, equity
from ibapi_bridge.gateway_simulator.exchange.triggers import DEFAULT_METHOD, LAST, LAST_OR_BID_ASK, reference_price
from ibapi_bridge.gateway_simulator.exchange.types import Condition

MET = "The conditions of the order are met."
Measure = Callable[[Floor, LiveOrder, Condition], "Decimal | None"]


def register(floor: Floor, live: LiveOrder) -> None:
    """Watch the conditions of an order from now on."""
    if not live.order.conditions or live.conditions_met:
        floor.conditional.pop(live.order.perm_id, None)
        return
    floor.conditional[live.order.perm_id] = live
    floor.plan(floor.now, "look", live.order.perm_id)
    for condition in live.order.conditions:
        if condition.at is not None and condition.at > floor.now:
            floor.plan(condition.at, "look", live.order.perm_id)


def hold(floor: Floor, live: LiveOrder) -> bool:
    """Whether an order's conditions are met at this moment."""
    order = live.order
    if not order.conditions_ignore_rth and not floor.phase_of(floor.instruments[order.con_id]).liquid:
        return False
    met = _holds(floor, live, order.conditions[0])
    for before, condition in pairwise(order.conditions):
        this = _holds(floor, live, condition)
        met = (met and this) if before.conjunction else (met or this)
    return met


def cancel_if_met(floor: Floor, live: LiveOrder) -> None:
    """End an order that is to be cancelled by its conditions."""
    floor.conditional.pop(live.order.perm_id, None)
    cancel_now(floor, live, "condition", MET)


def _holds(floor: Floor, live: LiveOrder, condition: Condition) -> bool:
    if condition.kind == "time":
        return condition.at is not None and (floor.now >= condition.at) is condition.is_more
    if condition.kind == "execution":
        return _has_traded(floor, live, condition)
    if condition.kind == "price":
        return any(_beyond(price, condition) for price in _prices(floor, condition))
    return _beyond(MEASURES[condition.kind](floor, live, condition), condition)


def _beyond(measured: Decimal | None, condition: Condition) -> bool:
    if measured is None:
        return False
    return measured >= condition.number if condition.is_more else measured <= condition.number


def _prices(floor: Floor, condition: Condition) -> list[Decimal | None]:
    touch = floor.touches.get(condition.con_id)
    if touch is None or touch.halted:
        return []
    method = condition.trigger_method or DEFAULT_METHOD.get(floor.instruments[condition.con_id].sec_type, LAST)
    methods = (LAST, 4) if method == LAST_OR_BID_ASK else (method,)
    return [reference_price(each, touch.quote, rising=condition.is_more) for each in methods]


def _volume(floor: Floor, _live: LiveOrder, condition: Condition) -> Decimal | None:
    touch = floor.touches.get(condition.con_id)
    return None if touch is None else touch.quote.volume


def _change(floor: Floor, _live: LiveOrder, condition: Condition) -> Decimal | None:
    """The move since the last close in percent."""
    mark, close = floor.mark(condition.con_id), floor.closes.get(condition.con_id)
    return (mark / close - 1) * 100 if mark is not None and close else None


def _cushion(floor: Floor, live: LiveOrder, _condition: Condition) -> Decimal | None:
    """Excess liquidity in percent of equity."""
    account = floor.accounts[live.order.account]
    worth = equity(floor, account)
    return (worth - account_margin(floor, account).maintenance) / worth * 100 if worth else None


MEASURES: Mapping[str, Measure] = {"volume": _volume, "change": _change, "margin": _cushion}


def _has_traded(floor: Floor, live: LiveOrder, condition: Condition) -> bool:
    """Whether the account has traded the symbol since the order came."""
    for execution in reversed(floor.executions):
        if execution.at < live.submitted_at:
            return False
        instrument = floor.instruments[execution.con_id]
        same = (instrument.symbol, instrument.sec_type) == (condition.symbol, condition.sec_type)
        if same and execution.account == live.order.account and condition.exchange in ("", "SMART", execution.venue):
            return True
    return False
