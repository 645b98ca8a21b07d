"""Corrections and busts of executions that have already been reported."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange.commitments import recount
from ibapi_bridge.gateway_simulator.exchange.events import Commissioned
from ibapi_bridge.gateway_simulator.exchange.fills import executed, report_books
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.ledger import Account, Holding, book, signed_quantity
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Execution, SimulationError


def correct(floor: Floor, exec_id: str, *, price: Decimal | None, quantity: Decimal | None) -> None:
    """Replace an execution by one with another price or quantity; quantity 0 busts it without an execution event.

    Raises:
        SimulationError: there is no such execution, or it is a combo's summary row.
    """
    index = floor.exec_index.get(exec_id)
    if index is None or floor.executions[index].is_combo:
        raise SimulationError(f"execution {exec_id} is not one that can be corrected")
    old = floor.executions[index]
    new = evolve(
        old,
        at=floor.now,
        exec_id=_next_revision(exec_id),
        price=old.price if price is None else price,
        quantity=old.quantity if quantity is None else quantity,
    )
    _change_order(floor, old, new)
    _rebook(floor, index, new)
    _tell(floor, old, new)


def _next_revision(exec_id: str) -> str:
    base, revision = exec_id.rsplit(".", 1)
    return f"{base}.{int(revision) + 1:02d}"


def _change_order(floor: Floor, old: Execution, new: Execution) -> None:
    live = floor.orders.get(old.perm_id)
    if live is None or live.order.con_id != old.con_id:
        return
    live.filled += new.quantity - old.quantity
    live.cost += new.quantity * new.price - old.quantity * old.price
    recount(floor, live)


def _rebook(floor: Floor, index: int, new: Execution) -> None:
    """Book the account's fills in this contract anew, with the corrected one in place of the old."""
    account = floor.accounts[new.account]
    _forget(floor, account, new.con_id)
    old_id = floor.executions[index].exec_id
    floor.executions[index] = new
    floor.exec_index[new.exec_id] = floor.exec_index.pop(old_id)
    _remember(floor, account, new.con_id)
    _recount(floor, index)


def _replayed(floor: Floor, account: Account, con_id: int) -> Account:
    """What the fills in one contract alone do to an empty account."""
    scratch = Account(account.name, {})
    for fill in floor.executions:
        if fill.account == account.name and fill.con_id == con_id and not fill.is_combo and fill.quantity:
            book(scratch, floor.instruments[con_id], signed_quantity(fill), fill.price, fill.commission)
    return scratch


def _forget(floor: Floor, account: Account, con_id: int) -> None:
    before = _replayed(floor, account, con_id)
    for currency, amount in before.cash.items():
        account.add_cash(currency, -amount)
    account.realized -= before.realized


def _remember(floor: Floor, account: Account, con_id: int) -> None:
    after = _replayed(floor, account, con_id)
    for currency, amount in after.cash.items():
        account.add_cash(currency, amount)
    account.realized += after.realized
    opening = account.holding(con_id).opening_pnl
    holding = account.holdings[con_id] = after.holdings.get(con_id, Holding())
    holding.opening_pnl = opening


def _recount(floor: Floor, index: int) -> None:
    """Running totals of the order's fills in the same contract from the corrected one on."""
    changed = floor.executions[index]
    filled = cost = ZERO
    for position, fill in enumerate(floor.executions):
        if (fill.perm_id, fill.con_id, fill.is_combo) != (changed.perm_id, changed.con_id, False):
            continue
        filled += fill.quantity
        cost += fill.quantity * fill.price
        if position >= index:
            average = cost / filled if filled else ZERO
            floor.executions[position] = evolve(fill, cum_quantity=filled, avg_price=average)


def _tell(floor: Floor, old: Execution, new: Execution) -> None:
    booked = floor.executions[floor.exec_index[new.exec_id]]
    if new.quantity:
        order = floor.orders.get(new.perm_id)
        is_leg = order is not None and order.order.con_id != new.con_id
        floor.out.append(executed(booked, is_leg=is_leg, corrects=old.exec_id))
        floor.out.append(
            Commissioned(
                at=floor.now,
                perm_id=new.perm_id,
                exec_id=new.exec_id,
                amount=new.commission,
                currency=new.currency,
                realized_pnl=new.realized_pnl,
            )
        )
    report_books(floor, new.account, floor.instruments[new.con_id])
