"""The exchange's state as plain JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from cattrs import Converter

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.commitments import recount
from ibapi_bridge.gateway_simulator.exchange.floor import Action, Floor, Phase
from ibapi_bridge.gateway_simulator.exchange.ledger import Account, Holding
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Execution, Instrument, Quote, VenueOrder

VERSION = 1
Json = dict[str, Any]


def _converter() -> Converter:
    made = Converter()
    made.register_unstructure_hook(Decimal, str)
    made.register_structure_hook(Decimal, lambda value, _: Decimal(value))
    made.register_unstructure_hook(datetime, lambda value: value.isoformat())
    made.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value).astimezone(UTC))
    made.register_unstructure_hook(date, lambda value: value.isoformat())
    made.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    return made


CONVERTER = _converter()


def save(floor: Floor) -> Json:
    """The whole state of the floor."""
    plain = CONVERTER.unstructure
    version, numbers, _ = floor.rng.getstate()
    return {
        "version": VERSION,
        "now": plain(floor.now),
        "rng": [version, list(numbers)],
        "numbers": floor.numbers,
        "exec_base": floor.exec_base,
        "instruments": plain(list(floor.instruments.values()), unstructure_as=list[Instrument]),
        "orders": plain(list(floor.orders.values()), unstructure_as=list[LiveOrder]),
        "alive": list(floor.alive),
        "waiting": [[con_id, [o.order.perm_id for o in orders]] for con_id, orders in floor.waiting.items()],
        "pegged": [[con_id, [o.order.perm_id for o in orders]] for con_id, orders in floor.pegged.items()],
        "closes": {str(con_id): str(price) for con_id, price in floor.closes.items()},
        "groups": [[account, name, members] for (account, name), members in floor.groups.items()],
        "executions": plain(floor.executions, unstructure_as=list[Execution]),
        "accounts": [_account_row(account) for account in floor.accounts.values()],
        "touches": [_touch_row(touch) for touch in floor.touches.values()],
        "opening": sorted(floor.opening),
        "phases": [_phase_row(name, phase) for name, phase in floor.phases.items()],
        "agenda": [_action_row(action) for action in sorted(floor.agenda, key=lambda a: a[:2])],
    }


def load(floor: Floor, saved: Mapping[str, Any]) -> None:
    """Put a floor into a saved state.

    Raises:
        ValueError: the state was saved by another version.
    """
    if saved.get("version") != VERSION:
        raise ValueError(f"saved exchange state has version {saved.get('version')!r}, only {VERSION} can be read")
    made = CONVERTER.structure
    version, numbers = saved["rng"]
    floor.rng.setstate((version, tuple(numbers), None))
    floor.now = made(saved["now"], datetime)
    for instrument in made(saved["instruments"], list[Instrument]):
        floor.list_instrument(instrument)
    floor.numbers, floor.exec_base = saved["numbers"], saved["exec_base"]
    _load_orders(floor, saved)
    floor.executions = made(saved["executions"], list[Execution])
    floor.exec_index = {fill.exec_id: index for index, fill in enumerate(floor.executions)}
    floor.accounts = {row["name"]: _account_of(row) for row in saved["accounts"]}
    floor.touches = {row["quote"]["con_id"]: _touch_of(row) for row in saved["touches"]}
    floor.opening = set(saved["opening"])
    floor.phases = {row["name"]: _phase_of(row) for row in saved["phases"]}
    floor.closes = {int(con_id): Decimal(price) for con_id, price in saved.get("closes", {}).items()}
    floor.conditional = {p: o for p, o in floor.alive.items() if o.order.conditions and not o.conditions_met}
    for live in floor.alive.values():
        live.committed = ZERO
        recount(floor, live)
    # A list in ascending order is a heap.
    floor.agenda = [_action_of(row) for row in saved["agenda"]]
    floor.out = []


def _load_orders(floor: Floor, saved: Mapping[str, Any]) -> None:
    orders = CONVERTER.structure(saved["orders"], list[LiveOrder])
    floor.orders = {live.order.perm_id: live for live in orders}
    floor.alive = {perm_id: floor.orders[perm_id] for perm_id in saved["alive"]}
    for side in floor.books.values():
        side.orders = []
    for live in floor.alive.values():
        if live.in_book:
            floor.books[live.order.con_id, live.order.side].add(live)
    for con_id, perm_ids in saved["waiting"]:
        floor.waiting[con_id] = [floor.orders[perm_id] for perm_id in perm_ids]
    floor.pegged = {con_id: [floor.orders[perm_id] for perm_id in ids] for con_id, ids in saved.get("pegged", ())}
    floor.groups = {(account, name): list(members) for account, name, members in saved["groups"]}


def _account_row(account: Account) -> Json:
    return {
        "name": account.name,
        "cash": {currency: str(amount) for currency, amount in account.cash.items()},
        "realized": str(account.realized),
        "opening_equity": None if account.opening_equity is None else str(account.opening_equity),
        "holdings": [
            [con_id, *(str(v) for v in (h.quantity, h.cost, h.fees, h.realized, h.opening_pnl))]
            for con_id, h in account.holdings.items()
        ],
    }


def _account_of(row: Mapping[str, Any]) -> Account:
    account = Account(row["name"], {currency: Decimal(amount) for currency, amount in row["cash"].items()})
    account.realized = Decimal(row["realized"])
    account.opening_equity = None if row["opening_equity"] is None else Decimal(row["opening_equity"])
    for con_id, *numbers in row["holdings"]:
        holding = account.holdings[con_id] = Holding()
        holding.quantity, holding.cost, holding.fees, holding.realized, holding.opening_pnl = map(Decimal, numbers)
    return account


def _touch_row(touch: Touch) -> Json:
    left = [str(size) for size in (touch.bid_left, touch.ask_left, touch.print_left)]
    return {"quote": CONVERTER.unstructure(touch.quote), "left": left, "halted": touch.halted}


def _touch_of(row: Mapping[str, Any]) -> Touch:
    touch = Touch(CONVERTER.structure(row["quote"], Quote), Decimal(1))
    touch.bid_left, touch.ask_left, touch.print_left = (Decimal(size) for size in row["left"])
    touch.halted = row["halted"]
    return touch


def _phase_row(name: str, phase: Phase) -> Json:
    day = None if phase.session is None else phase.session.day.isoformat()
    return {"name": name, "day": day, "open": phase.open, "liquid": phase.liquid}


def _phase_of(row: Mapping[str, Any]) -> Phase:
    session = None if row["day"] is None else TIMETABLES[row["name"]].hours(date.fromisoformat(row["day"]))
    phase = Phase(session, datetime.min.replace(tzinfo=UTC))
    phase.open, phase.liquid = row["open"], row["liquid"]
    return phase


def _action_row(action: Action) -> list[Any]:
    at, number, kind, key, payload = action
    if isinstance(payload, VenueOrder):
        payload = {"order": CONVERTER.unstructure(payload)}
    return [at.isoformat(), number, kind, key, payload]


def _action_of(row: list[Any]) -> Action:
    at, number, kind, key, payload = row
    if isinstance(payload, Mapping):
        payload = CONVERTER.structure(payload["order"], VenueOrder)
    return datetime.fromisoformat(at), number, kind, key, payload
