"""The desk: every order of one strategy, and what follows from each message. A plain object, deterministic, no clock.

``decide(message) -> outbox`` is all it does. It never raises on what a broker says; what cannot be explained becomes a
``Discrepancy`` and makes it ask for the broker's lists. What follows from a message is in the modules of the same
names: ``submission``, ``requests``, ``hearing``, ``reconciling``, ``flattening``.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from actors.domain import flattening, hearing, invariants, reconciling, requests, submission
from actors.domain.book import instrument_key
from actors.domain.contract import Contract
from actors.domain.desk_config import DeskConfig, DeskSnapshot
from actors.domain.desk_core import DeskCore
from actors.domain.disputes import Dispute
from actors.domain.evidence import AdoptionWanted, Concluded
from actors.domain.identity import Account, OmsId, OrderId
from actors.domain.order_state import ExecStatus, OrderState
from actors.messages import commands, events, reports, system

Outbox = tuple[Any, ...]

__all__ = ["Desk", "DeskConfig", "DeskSnapshot", "Outbox"]


class Desk:
    """All orders; see the module."""

    def __init__(self, config: DeskConfig, snapshot: DeskSnapshot | None = None) -> None:
        self._core = DeskCore(config, snapshot)

    @classmethod
    def restore(cls, snapshot: DeskSnapshot, config: DeskConfig) -> "Desk":
        """A desk that goes on where the snapshot was taken."""
        return cls(config, snapshot)

    def snapshot(self) -> DeskSnapshot:
        """Everything it knows, as frozen plain values."""
        return self._core.snapshot()

    @property
    def config(self) -> DeskConfig:
        """What it was told before it started."""
        return self._core.config

    def order(self, oms_id: OmsId) -> OrderState | None:
        """An order by our name for it, while it is remembered."""
        return self._core.book.get(oms_id)

    def open_orders(self) -> tuple[OrderState, ...]:
        """Our open orders, oldest first."""
        return self._core.book.open_orders()

    def open_strangers(self) -> tuple[OrderState, ...]:
        """Living orders at the broker that are not ours."""
        return self._core.book.open_strangers()

    def holdings(self) -> tuple[tuple[Account, Contract, Decimal], ...]:
        """Our positions that are not flat, as booked from our own fills."""
        return tuple(self._core.book.holdings())

    @property
    def next_due(self) -> float | None:
        """Monotonic seconds at which a tick would next decide something, None while nothing is awaited."""
        return self._core.deadlines.next_due

    def decide(self, message: Any) -> Outbox:  # noqa: ANN401  # commands, reports, session changes, ticks, quotes
        """Everything that follows from a message, in order.

        Raises:
            InvariantViolated: the decision broke one of the rules it was made by; the desk must not go on.
            TypeError: the message is none the desk hears.
        """
        core = self._core
        handler = _HANDLERS.get(type(message))
        if handler is None:
            raise TypeError(f"the desk does not hear {type(message).__name__}")
        high_water = core.high_water
        core.outbox, core.changes = [], []
        handler(core, message)
        if core.flattening is not None:
            flattening.go_on(core, message.at)
        if core.changes and core.book.is_full:
            core.book.evict()
        outbox = tuple(core.outbox)
        if (outbox or core.changes) and core.config.check_invariants:
            invariants.check(core, message, outbox, high_water)
        return outbox


def _lock(core: DeskCore, command: commands.LockNewExposure) -> None:
    core.locked = command.reason or "locked" if command.locked else ""


def _adopt(core: DeskCore, command: commands.AdoptOrder) -> None:
    order = core.book.get(command.oms_id)
    if order is None or not order.external or order.client_id != core.config.client_id or order.status.is_terminal:
        text = "only a living order of our own client id that is not ours yet can be adopted"
        core.say(events.Discrepancy(at=command.at, kind="NOT_ADOPTABLE", subject=command.oms_id, text=text))
        return
    core.apply(order, AdoptionWanted(at=command.at))


def _reconcile(core: DeskCore, command: commands.Reconcile) -> None:
    if core.recovery.is_running:
        core.recovery.again = True
    elif core.is_ready:
        reconciling.begin(core, command.at, full=True)


def _block(core: DeskCore, command: commands.BlockInstrument) -> None:
    if command.blocked:
        core.blocked[command.instrument] = command.reason or "blocked"
    else:
        core.settle(command.instrument)


def _accept(core: DeskCore, command: commands.AcceptPosition) -> None:
    key = instrument_key(command.contract)
    for order in core.book.open_orders():
        if order.reported_done and (order.account, instrument_key(order.contract)) == (command.account, key):
            reason = "called filled by the broker, not all of it executed here: the position was settled by hand"
            core.apply(order, Concluded(at=command.at, status=ExecStatus.CANCELED, reason=reason))
    core.settle(key)
    if command.accepted is commands.Books.BROKER:
        core.book.hold_settled(command.account, command.contract, command.ours, command.broker)


def _mismatched(core: DeskCore, event: events.PositionMismatched) -> None:
    key = instrument_key(event.contract)
    core.suspects.pop((event.account, key), None)
    core.blocked[key] = f"our position is {event.ours}, the broker's {event.broker}"
    core.disputes[key] = _dispute(core, event)


def _suspect(core: DeskCore, command: commands.SuspectPosition) -> None:
    where = command.account, instrument_key(command.contract)
    core.suspects.pop(where, None)
    if command.suspect:
        core.suspects[where] = _dispute(core, command)


def _dispute(core: DeskCore, found: events.PositionMismatched | commands.SuspectPosition) -> Dispute:
    held = core.book.exposure(found.account, instrument_key(found.contract))
    booked = held.position if held is not None else Decimal(0)
    return Dispute(ours=found.ours, broker=found.broker, booked=booked)


def _next_order_id(core: DeskCore, report: reports.NextOrderIdReported) -> None:
    core.saw_order_id(OrderId(report.order_id - 1), ours=True)


def _accounts(core: DeskCore, report: reports.AccountsReported) -> None:
    core.accounts = report.accounts


def _record_number(core: DeskCore, command: commands.RecordNumber) -> None:
    order = core.book.get(command.oms_id)
    if order is not None:
        core.book.link_number(order, (command.epoch, command.client_id, command.order_id))


def _nothing(core: DeskCore, message: object) -> None:
    """Evidence that only the journal keeps."""


_HANDLERS: dict[type[Any], Callable[[DeskCore, Any], None]] = {
    commands.SubmitOrder: submission.submit,
    commands.CancelOrder: requests.cancel,
    commands.ReplaceOrder: requests.replace,
    commands.FlattenAll: flattening.flatten,
    commands.LockNewExposure: _lock,
    commands.AdoptOrder: _adopt,
    commands.Reconcile: _reconcile,
    commands.BlockInstrument: _block,
    commands.SuspectPosition: _suspect,
    commands.AcceptPosition: _accept,
    commands.RecordPlacement: submission.record_placement,
    commands.RecordNumber: _record_number,
    commands.RecordCancel: requests.record_cancel,
    commands.StateChanged: _nothing,
    reports.OrderStatusReported: hearing.status_reported,
    reports.OpenOrderReported: hearing.open_order_reported,
    reports.CompletedOrderReported: hearing.completed_reported,
    reports.ExecutionReported: hearing.execution_reported,
    reports.CommissionReported: hearing.commission_reported,
    reports.NoticeReported: hearing.notice_reported,
    reports.OrderBoundReported: hearing.order_bound_reported,
    reports.NextOrderIdReported: _next_order_id,
    reports.AccountsReported: _accounts,
    reports.SnapshotEnded: reconciling.snapshot_ended,
    reports.InstrumentReported: submission.instrument_reported,
    reports.InstrumentRefused: submission.instrument_refused,
    reports.FrameDamaged: hearing.frame_damaged,
    reports.PositionReported: _nothing,
    reports.AccountValueReported: _nothing,
    system.SessionChanged: reconciling.session_changed,
    system.SendFailed: reconciling.send_failed,
    system.Tick: reconciling.ticked,
    events.PositionMismatched: _mismatched,
}
