"""What listeners hear when an order changed: the difference between two states, so that each event comes once."""

from collections.abc import Iterator
from datetime import datetime

from actors.domain.evidence import AnyEvidence, CommissionSeen, ExecutionSeen, RefusalSeen, ReplaceRequested, Sent
from actors.domain.identity import mask_account
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.domain.terms import format_quantity
from actors.messages.events import (
    CancelRefused,
    CommissionCharged,
    Discrepancy,
    Event,
    FillCorrected,
    OrderAccepted,
    OrderCanceled,
    OrderCompleted,
    OrderFilled,
    OrderHeld,
    OrderInDoubt,
    OrderRejected,
    OrderReplaced,
    OrderResolved,
    OrderSubmitted,
    ReplaceRefused,
)


def conclude(
    before: OrderState, after: OrderState, evidence: AnyEvidence, *, text: str = "", recovered: bool = False
) -> tuple[Event, ...]:
    """Events that lead from ``before`` to ``after``, in the order a listener should hear them."""
    if after is before:
        return ()
    if isinstance(evidence, Sent):
        return (OrderSubmitted(at=evidence.at, order=after, recovered=recovered),)
    return tuple(_events(before, after, evidence, text, recovered))


def _events(  # noqa: C901, PLR0912  # one row for each kind of event, in their order
    before: OrderState,
    after: OrderState,
    evidence: AnyEvidence,
    text: str,
    recovered: bool,  # noqa: FBT001
) -> Iterator[Event]:
    at = evidence.at
    living = after.status not in (ExecStatus.CANCELED, ExecStatus.REJECTED)
    if after.order is not before.order:
        yield OrderReplaced(at=at, order=after, previous=before.order, recovered=recovered)
    if before.status is ExecStatus.NEW and after.status is not ExecStatus.NEW and living:
        yield OrderAccepted(at=at, order=after, recovered=recovered)
    if after.fills is not before.fills:
        yield from _fill_events(before, after, evidence, recovered)
    if after.held and after.held != before.held:
        yield OrderHeld(at=at, order=after, recovered=recovered)
    if after.in_doubt and not before.in_doubt:
        yield OrderInDoubt(at=at, order=after, text=text, recovered=recovered)
    if _refused(before, after, Pending.REPLACE, evidence):
        yield ReplaceRefused(at=at, order=after, text=text or _why(after), recovered=recovered)
    if _refused(before, after, Pending.CANCEL, evidence):
        yield CancelRefused(at=at, order=after, text=text or _why(after), recovered=recovered)
    if after.status is not before.status and after.status is ExecStatus.CANCELED:
        yield OrderCanceled(at=at, order=after, recovered=recovered)
    if after.status is not before.status and after.status is ExecStatus.REJECTED:
        yield OrderRejected(at=at, order=after, recovered=recovered)
    if _is_complete(after) and not _is_complete(before):
        yield OrderCompleted(at=at, order=after, recovered=recovered)
    if before.in_doubt and not after.in_doubt:
        yield OrderResolved(at=at, order=after, text=text or f"the order is {after.status.value}", recovered=recovered)
    yield from _alarms(before, after, at)


def _fill_events(before: OrderState, after: OrderState, evidence: AnyEvidence, recovered: bool) -> Iterator[Event]:  # noqa: FBT001
    if not isinstance(evidence, ExecutionSeen | CommissionSeen):
        return
    fill, previous = after.fills[evidence.family], before.fills.get(evidence.family)
    if isinstance(evidence, CommissionSeen):
        yield CommissionCharged(at=evidence.at, order=after, fill=fill, recovered=recovered)
    elif previous is None:
        yield OrderFilled(at=evidence.at, order=after, fill=fill, recovered=recovered)
    else:
        yield FillCorrected(at=evidence.at, order=after, fill=fill, previous=previous, recovered=recovered)


def _refused(before: OrderState, after: OrderState, request: Pending, evidence: AnyEvidence) -> bool:
    """A request of ours ended without its effect."""
    if isinstance(evidence, ReplaceRequested):
        return False
    if request is Pending.REPLACE:
        return before.wanted is not None and after.wanted is None and after.order is before.order
    ended = before.pending is Pending.CANCEL and after.pending is not Pending.CANCEL
    return ended and (after.status is ExecStatus.FILLED or after.is_open or isinstance(evidence, RefusalSeen))


def _why(after: OrderState) -> str:
    return f"the order is {after.status.value}" if after.status.is_terminal else "the broker shows no effect"


def _is_complete(order: OrderState) -> bool:
    return order.reported_done and order.status is ExecStatus.FILLED


def _alarms(before: OrderState, after: OrderState, at: datetime) -> Iterator[Discrepancy]:
    if after.fills is not before.fills and is_overfilled(after):
        text = f"{format_quantity(after.filled)} filled of {format_quantity(after.order.quantity)}"
        yield Discrepancy(at=at, kind="OVERFILL", subject=after.oms_id, text=text)
    if before.perm_ids and len(after.perm_ids) > len(before.perm_ids):
        numbers = ", ".join(str(perm_id) for perm_id in after.perm_ids)
        text = f"several broker orders stand behind it: permIds {numbers} in account {mask_account(after.account)}"
        yield Discrepancy(at=at, kind="TWO_PERM_IDS", subject=after.oms_id, text=text)
    by_hand = after.order is not before.order and before.wanted is None
    if by_hand and not after.external:
        text = f"changed at the broker from {before.order.describe()} to {after.order.describe()}"
        yield Discrepancy(at=at, kind="CHANGED_BY_HAND", subject=after.oms_id, text=text)


def is_overfilled(order: OrderState) -> bool:
    """More executions than were ordered; never for cash quantities and strangers' unknown quantities."""
    wanted = order.order
    return wanted.quantity > 0 and wanted.cash_quantity is None and order.filled > wanted.quantity
