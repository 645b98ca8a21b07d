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

NEW, FILLED, CANCELED, REJECTED = ExecStatus.NEW, ExecStatus.FILLED, ExecStatus.CANCELED, ExecStatus.REJECTED
REPLACE, CANCEL = Pending.REPLACE, Pending.CANCEL
_LIVED = (ExecStatus.WORKING, ExecStatus.PARTIALLY_FILLED, FILLED)


def conclude(
    before: OrderState, after: OrderState, evidence: AnyEvidence, *, text: str = "", recovered: bool = False
) -> list[Event]:
    """Events that lead from ``before`` to ``after``, in the order a listener should hear them."""
    at = evidence.at
    if isinstance(evidence, Sent):
        return [OrderSubmitted(at=at, order=after, recovered=recovered)]
    if isinstance(evidence, CommissionSeen):
        return [CommissionCharged(at=at, order=after, fill=after.fills[evidence.family], recovered=recovered)]
    said: list[Event] = []
    if after.order is not before.order:
        said.append(OrderReplaced(at=at, order=after, previous=before.order, recovered=recovered))
    if before.status is NEW and after.status in _LIVED:
        said.append(OrderAccepted(at=at, order=after, recovered=recovered))
    if after.fills is not before.fills and isinstance(evidence, ExecutionSeen):
        said.append(_fill_event(before, after, evidence, recovered))
    if after.held and after.held != before.held:
        said.append(OrderHeld(at=at, order=after, recovered=recovered))
    if before.in_doubt or before.wanted is not None or before.pending is CANCEL or after.in_doubt:
        _say_requests(said, before, after, evidence, text, recovered)
    if after.status is not before.status or after.reported_done is not before.reported_done or before.in_doubt:
        _say_end(said, before, after, at, text, recovered)
    return said


def _fill_event(
    before: OrderState,
    after: OrderState,
    evidence: ExecutionSeen,
    recovered: bool,  # noqa: FBT001
) -> Event:
    at, fill, previous = evidence.at, after.fills[evidence.family], before.fills.get(evidence.family)
    if previous is None:
        return OrderFilled(at=at, order=after, fill=fill, recovered=recovered)
    return FillCorrected(at=at, order=after, fill=fill, previous=previous, recovered=recovered)


def _say_requests(  # noqa: PLR0913  # the parts of one change
    said: list[Event],
    before: OrderState,
    after: OrderState,
    evidence: AnyEvidence,
    text: str,
    recovered: bool,  # noqa: FBT001
) -> None:
    """Doubts that began, and requests of ours that ended without their effect."""
    at = evidence.at
    if after.in_doubt and not before.in_doubt:
        said.append(OrderInDoubt(at=at, order=after, text=text, recovered=recovered))
    if _refused(before, after, REPLACE, evidence):
        said.append(ReplaceRefused(at=at, order=after, text=text or _why(after), recovered=recovered))
    if _refused(before, after, CANCEL, evidence):
        said.append(CancelRefused(at=at, order=after, text=text or _why(after), recovered=recovered))


def _say_end(  # noqa: PLR0913  # the parts of one change
    said: list[Event],
    before: OrderState,
    after: OrderState,
    at: datetime,
    text: str,
    recovered: bool,  # noqa: FBT001
) -> None:
    """Ends, completions, doubts that are over, alarms."""
    if after.status is not before.status:
        if after.status is CANCELED:
            said.append(OrderCanceled(at=at, order=after, recovered=recovered))
        elif after.status is REJECTED:
            said.append(OrderRejected(at=at, order=after, recovered=recovered))
    if _is_complete(after) and not _is_complete(before):
        said.append(OrderCompleted(at=at, order=after, recovered=recovered))
    if before.in_doubt and not after.in_doubt:
        why = text or f"the order is {after.status.value}"
        said.append(OrderResolved(at=at, order=after, text=why, recovered=recovered))


def _refused(before: OrderState, after: OrderState, request: Pending, evidence: AnyEvidence) -> bool:
    """A request of ours ended without its effect."""
    if isinstance(evidence, ReplaceRequested):
        return False
    if request is REPLACE:
        return before.wanted is not None and after.wanted is None and after.order is before.order
    ended = before.pending is CANCEL and after.pending is not CANCEL
    return ended and (after.status is FILLED or after.is_open or isinstance(evidence, RefusalSeen))


def _why(after: OrderState) -> str:
    return f"the order is {after.status.value}" if after.status.is_terminal else "the broker shows no effect"


def _is_complete(order: OrderState) -> bool:
    return order.reported_done and order.status is FILLED


def alarms(before: OrderState, after: OrderState, at: datetime) -> Iterator[Discrepancy]:
    """What no request of ours and no rule explains, of a change of fills, permIds or terms."""
    if after.filled != before.filled and is_overfilled(after):
        text = f"{format_quantity(after.filled)} filled of {format_quantity(after.order.quantity)}"
        yield Discrepancy(at=at, kind="OVERFILL", subject=after.oms_id, text=text)
    if before.perm_ids and len(after.perm_ids) > len(before.perm_ids):
        numbers = ", ".join(str(perm_id) for perm_id in after.perm_ids)
        text = f"several broker orders stand behind it: permIds {numbers} in account {mask_account(after.account)}"
        yield Discrepancy(at=at, kind="TWO_PERM_IDS", subject=after.oms_id, text=text)
    changed = after.order is not before.order and before.order_id is not None  # what leaves is put on the grid
    if changed and before.wanted is None and after.order not in before.asked_terms and not after.external:
        text = f"changed at the broker from {before.order.describe()} to {after.order.describe()}"
        yield Discrepancy(at=at, kind="CHANGED_BY_HAND", subject=after.oms_id, text=text)


def is_overfilled(order: OrderState) -> bool:
    """More executions than were ordered; never for cash quantities and strangers' unknown quantities."""
    wanted = order.order
    return wanted.quantity > 0 and wanted.cash_quantity is None and order.filled > wanted.quantity
