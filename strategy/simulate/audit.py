"""The engine's own promises, audited once a session has come to rest: our books against the broker's truth.

A1 every order reached the broker at most once. A2 every execution the broker lists was told exactly once. A3 what is
filled, per order, is what the broker filled. A4 an order is open here if it is alive there, and the other way round.
A5 the position of the desk, of the portfolio and of the strategy's own view is the broker's. A6 the profit by our
arithmetic is the change of the broker's cash. A7 the session is READY, the strategy runs, nothing waits or is in
doubt. A8 replaying the inputs gives the same state: orders, positions and the strategy's own. A9 once reconciled,
everything is known that the broker listed when the lists were asked. A10 no order is unanswered for long, or without
a connection, and not in doubt. A11 nothing is to be sent while orders do not pass. A12 no session is given up while
its connection stands.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs

from actors.codec import Codec
from actors.domain.contract import Contract
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig, DeskSnapshot
from actors.domain.identity import OmsId
from actors.domain.order_state import ExecStatus, Pending
from actors.domain.portfolio import Portfolio
from actors.domain.terms import format_quantity
from actors.messages.system import SessionState
from actors.restore import Fold
from strategy.money import net
from strategy.simulate.process import Process
from strategy.simulate.record import Record
from strategy.simulate.venue import Venue
from strategy.simulate.venue_books import STARTING_CASH
from strategy.simulate.venue_order import ZERO

_CODEC = Codec()
LONGEST_ANSWER = 60
"""Seconds after which an order must be answered or in doubt."""


def complaints(process: Process, venue: Venue, record: Record) -> Iterator[str]:
    """Everything that is wrong, as sentences that begin with the promise."""
    for oms_id, times in venue.arrivals.items():
        if times > 1:
            yield f"A1 order {oms_id} reached the broker {times} times"
    if process.machine.state is not SessionState.READY:
        yield f"A7 the session is {process.machine.state.value} long after the last disturbance"
        return
    if not process.runner.is_running and not process.runner.has_failed:
        yield "A7 the strategy was never started"
    yield from _about_fills(process, venue, record)
    yield from _about_orders(process, venue)
    yield from _about_positions(process, venue)
    yield from _about_money(process, venue)


def complaints_of_reconciliation(process: Process, venue: Venue, record: Record, asked: datetime) -> Iterator[str]:
    """What the engine does not know although the broker's lists said it.

    Args:
        process: reconciled just now.
        venue: the broker.
        record: what was told so far.
        asked: when the lists were asked; what happened after that is on its way.
    """
    owed = set[OmsId]()
    for execution in venue.books.executions:
        if execution.published_at is None or execution.published_at >= asked:
            owed.add(execution.order.oms_id)
        elif not record.told_families[execution.family]:
            yield f"A9 execution {execution.exec_id} is not known after the reconciliation"
    for order in venue.orders.values():
        ours = process.desk.order(order.oms_id)
        if ours is None or order.oms_id in owed:
            continue
        if order.is_alive and order.arrived_at < asked and ours.in_doubt and ours.status is ExecStatus.NEW:
            yield f"A9 order {order.oms_id} is in doubt here once reconciled, and alive at the broker"
        if order.ended_at is not None and order.ended_at < asked and ours.is_open:
            yield f"A9 order {order.oms_id} is {ours.status.value} here once reconciled, and over at the broker"


def overdue(process: Process) -> Iterator[str]:
    """A10, A11: orders that were sent long ago and neither answered nor doubted; sent when it could not help."""
    for oms_id in process.sent_unready:
        yield f"A11 order {oms_id} was to be sent although no orders passed"
    orders = process.desk.open_orders()
    if not orders:
        return
    if process.machine.state in (SessionState.DISCONNECTED, SessionState.CONNECTING):
        for order in orders:
            if order.pending is not None and not order.in_doubt:
                yield f"A10 order {order.oms_id} awaits an answer without a connection and is not in doubt"
    if process.machine.state is not SessionState.READY:
        return
    for order in orders:
        waited = (process.now - order.created_at).total_seconds()
        if order.pending is Pending.SUBMIT and not order.in_doubt and waited > LONGEST_ANSWER:
            yield f"A10 order {order.oms_id} was sent {waited:.0f} s ago, is not answered and not in doubt"


def _about_fills(process: Process, venue: Venue, record: Record) -> Iterator[str]:
    told = record.told_families
    for execution in venue.books.executions:
        if execution.is_reported and told[execution.family] != 1:
            yield f"A2 execution {execution.exec_id} was told {told[execution.family]} times"
    for order in venue.orders.values():
        ours = process.desk.order(order.oms_id)
        if ours is not None and ours.filled != order.filled:
            yield f"A3 order {order.oms_id}: {ours.filled} filled here, {order.filled} at the broker"


def _about_orders(process: Process, venue: Venue) -> Iterator[str]:
    alive = {order.oms_id for order in venue.alive.values()}
    for order in process.desk.open_orders():
        if order.oms_id not in alive:
            yield f"A4 order {order.oms_id} is {order.status.value} here and over at the broker"
        if order.in_doubt or order.pending is not None:
            yield f"A7 order {order.oms_id} is {'in doubt' if order.in_doubt else 'unanswered'} at rest"
    known = {order.oms_id for order in process.desk.open_orders()}
    for oms_id in sorted(alive - known):
        yield f"A4 order {oms_id} lives at the broker and is over here"
    for view in process.runner.view.open_orders():
        if view.oms_id not in known:
            yield f"A4 the strategy still sees order {view.oms_id} as {view.status.value}"


def _about_positions(process: Process, venue: Venue) -> Iterator[str]:
    held = {contract.con_id: quantity for _, contract, quantity in process.desk.holdings()}
    kept = {
        position.contract.con_id: position.quantity
        for position in process.portfolio.snapshot_view(process.now).positions
    }
    for contract, quantity in venue.books.holdings.items():
        seen = process.runner.broker.get_position(_by_symbol(contract)).quantity
        for owner, ours in (("desk", held), ("portfolio", kept), ("strategy", {contract.con_id: seen})):
            found = ours.get(contract.con_id, ZERO)
            if found != quantity:
                yield (
                    f"A5 the {owner} holds {format_quantity(found)} {contract.symbol}, "
                    f"the broker {format_quantity(quantity)}"
                )


def _by_symbol(contract: Contract) -> Contract:
    return attrs.evolve(contract, con_id=0)


def _about_money(process: Process, venue: Venue) -> Iterator[str]:
    view = process.portfolio.snapshot_view(process.now)
    spent = sum((position.quantity * position.average_cost for position in view.positions), ZERO)
    ours = net(view.realized_pnl, view.commissions).get("USD", ZERO) - spent
    theirs = venue.books.cash - STARTING_CASH
    if abs(ours - theirs) > Decimal("0.000001"):
        yield f"A6 our trades brought {ours:.4f}, the broker's cash changed by {theirs:.4f}"


def replayed(inputs: list[object], config: DeskConfig) -> Fold:
    """The state the journal would give back, through its own encoding."""
    return Fold(config).add_all(_CODEC.decode(*_CODEC.encode(message)) for message in inputs)


def replay_complaint(process: Process, inputs: list[object], fold: Fold) -> str | None:
    """A8: whether a restart would know what was known."""
    differences = [] if _comparable(fold.desk) == _comparable(process.desk) else _differences(fold.desk, process.desk)
    if _positions(fold.portfolio, process.now) != _positions(process.portfolio, process.now):
        differences.append("positions")
    if {key: json.loads(text) for key, text in fold.strategy_state.items()} != dict(process.runner.state):
        differences.append("the strategy's state")
    if not differences:
        return None
    return f"A8 replaying {len(inputs)} inputs gives another state: {', '.join(differences)}"


def _positions(portfolio: Portfolio, at: datetime) -> list[tuple[Contract, Decimal, Decimal]]:
    positions = portfolio.snapshot_view(at).positions
    return [(position.contract, position.quantity, position.average_cost) for position in positions]


def _comparable(desk: Desk) -> DeskSnapshot:
    """Ticks that decided nothing are not kept, so the clock may be behind; what was awaited is not."""
    return attrs.evolve(desk.snapshot(), elapsed=0.0)


def _differences(first: Desk, second: Desk) -> list[str]:
    mine, theirs = first.snapshot(), second.snapshot()
    names = [field.name for field in attrs.fields(DeskSnapshot) if field.name != "elapsed"]
    return [name for name in names if getattr(mine, name) != getattr(theirs, name)]
