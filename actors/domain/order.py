"""One order's life: ``transition(order, evidence) -> order``, pure and total.

Rules, cited by number in the tests:

O1  Fills are keyed by execution family; only an execution books one. A status, however final, never does.
O2  FILLED means that the executions add up to the quantity (for cash quantities: to what the broker called filled).
O3  Terminal states stay. Late fills are booked; CANCELED or REJECTED becomes FILLED only when they complete the order.
    A rejection that is told after an unexplained cancel of an unfilled order was its cause.
O4  A correction replaces its family's fill; a lower or equal suffix that arrives later changes nothing.
O5  Any living status, echo or execution proves that the order arrived. UNKNOWN proves only that it exists.
O6  Evidence of an older connection than the last conclusion's changes no status, but its fills are booked.
O7  A replace counts when the echo shows its terms, or when fills or the broker's figure go beyond the old quantity.
O8  Terms that fit neither the present, nor the wanted, nor past terms were changed by hand; an unasked reduction to
    what is already filled is believed only from a fresh snapshot.
O9  Doubt ends by evidence about what was doubted, never by time.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

import attrs

from actors.domain.evidence import (
    AdoptionWanted,
    AnyEvidence,
    CancelRequested,
    CommissionSeen,
    Concluded,
    Doubted,
    ExecutionSeen,
    PermIdSeen,
    RefusalSeen,
    RejectionSeen,
    ReplaceRequested,
    Sent,
    StatusSeen,
)
from actors.domain.identity import PermId
from actors.domain.order_state import ExecStatus, Fill, OrderState, Pending, sum_of_fills
from actors.domain.terms import Order, OrderType
from actors.messages.reports import BrokerStatus

NEW, WORKING, PARTIALLY_FILLED = ExecStatus.NEW, ExecStatus.WORKING, ExecStatus.PARTIALLY_FILLED
FILLED, CANCELED, REJECTED = ExecStatus.FILLED, ExecStatus.CANCELED, ExecStatus.REJECTED

HELD_PENDING = "pending at the broker"
HELD_INACTIVE = "inactive"
HELD_CANCELING = "cancel pending at the broker"

_PAST_TERMS_KEPT = 8


def transition(order: OrderState, evidence: AnyEvidence) -> OrderState:  # noqa: C901, PLR0911  # the table
    """The order as it stands once the evidence is known; the same object when nothing changes."""
    match evidence:
        case StatusSeen():
            return _with_status(order, evidence)
        case ExecutionSeen():
            return _with_execution(order, evidence)
        case CommissionSeen():
            return _with_commission(order, evidence)
        case Sent():
            return _with_sent(order, evidence)
        case CancelRequested():
            return _with_request(order, evidence.at, Pending.CANCEL)
        case ReplaceRequested():
            return _with_request(order, evidence.at, Pending.REPLACE, wanted=evidence.wanted)
        case RejectionSeen():
            return _with_rejection(order, evidence)
        case RefusalSeen():
            return _with_refusal(order, evidence)
        case PermIdSeen():
            return _changed(order, evidence.at, perm_ids=_with_perm_id(order, evidence.perm_id))
        case Doubted():
            return order if order.status.is_terminal else _changed(order, evidence.at, in_doubt=True)
        case Concluded():
            return _ended(order, evidence.at, evidence.status, evidence.reason)
        case AdoptionWanted():
            return _changed(order, evidence.at, external=False)
        case _:
            assert_never(evidence)


def _changed(order: OrderState, at: datetime, /, **changes: Any) -> OrderState:  # noqa: ANN401  # fields of OrderState
    """One copy with the changes, or the same object if there are none."""
    known = order.__dict__
    real = {name: value for name, value in changes.items() if known[name] is not value and known[name] != value}
    if not real:
        return order
    real["updated_at"] = at
    return order.with_changes(real)


def _with_sent(order: OrderState, sent: Sent) -> OrderState:
    return order.with_changes(
        {
            "order": sent.order,
            "contract": sent.contract,
            "account": sent.account,
            "client_id": sent.client_id,
            "epoch": sent.epoch,
            "order_id": sent.order_id,
            "pending": Pending.SUBMIT,
            "last_request": Pending.SUBMIT,
            "updated_at": sent.at,
        }
    )


def _with_request(order: OrderState, at: datetime, pending: Pending, wanted: Order | None = None) -> OrderState:
    if order.status.is_terminal:
        return order
    asked = order.asked_terms
    if wanted is not None and order.wanted is not None:
        asked = (*asked, order.wanted)[-_PAST_TERMS_KEPT:]
    wanted = wanted if wanted is not None else order.wanted
    return _changed(order, at, pending=pending, last_request=pending, wanted=wanted, asked_terms=asked)


def _with_rejection(order: OrderState, seen: RejectionSeen) -> OrderState:
    """A cancel that nobody asked for and a rejection are one event of the broker, told in either order (IBKR)."""
    unexplained = order.status is CANCELED and not order.reason and order.last_request is Pending.SUBMIT
    if unexplained and not order.fills and not order.reported_filled:
        return _changed(order, seen.at, status=REJECTED, reason=seen.reason)
    return _ended(order, seen.at, CANCELED if order.fills else REJECTED, seen.reason)


def _with_refusal(order: OrderState, refusal: RefusalSeen) -> OrderState:
    """The newest request of ours is off; a replace under a cancel keeps waiting for its own answer."""
    if order.status.is_terminal:
        return order
    doubtful = order.in_doubt or not refusal.lives
    if order.pending is Pending.CANCEL and order.wanted is not None:
        return _changed(order, refusal.at, pending=Pending.REPLACE, in_doubt=doubtful)
    if order.status is NEW:
        return _changed(order, refusal.at, pending=Pending.SUBMIT, in_doubt=doubtful)
    doubtful = (order.in_doubt and order.reported_done) or not refusal.lives
    return _settled(order, refusal.at, pending=None, wanted=None, in_doubt=doubtful)


# --- statuses ------------------------------------------------------------------------------------------------------


def _with_status(order: OrderState, seen: StatusSeen) -> OrderState:
    perm_ids = _with_perm_id(order, seen.perm_id)
    reported = order.reported_filled if seen.filled is None else max(order.reported_filled, seen.filled)
    if order.status.is_terminal:
        done = order.reported_done or seen.status is BrokerStatus.FILLED
        reason = "" if order.status is FILLED else order.reason or seen.reject_reason or seen.reason
        return _changed(order, seen.at, perm_ids=perm_ids, reported_filled=reported, reported_done=done, reason=reason)
    if seen.epoch < order.epoch:
        return _changed(order, seen.at, perm_ids=perm_ids, reported_filled=reported)
    known: dict[str, Any] = {"perm_ids": perm_ids, "reported_filled": reported, "epoch": seen.epoch}
    match seen.status:
        case BrokerStatus.CANCELED:
            return _with_end(order, seen, known)
        case BrokerStatus.INACTIVE if seen.reject_reason:
            return _with_end(order, seen, known)
        case BrokerStatus.FILLED:
            return _with_completion(order, seen, known)
        case BrokerStatus.UNKNOWN:
            return _changed(order, seen.at, **known)
        case BrokerStatus.INACTIVE:
            known["held"] = seen.why_held if "locate" in seen.why_held else HELD_INACTIVE
        case BrokerStatus.CANCEL_PENDING:
            known["held"] = HELD_CANCELING
        case BrokerStatus.PENDING:
            known["held"] = seen.why_held or HELD_PENDING
        case BrokerStatus.HELD | BrokerStatus.WORKING:
            known["held"] = seen.why_held
        case _:
            assert_never(seen.status)
    return _alive(order, seen, known)


def _with_end(order: OrderState, seen: StatusSeen, known: dict[str, Any]) -> OrderState:
    nothing_filled = not order.fills and not known["reported_filled"]
    end = REJECTED if seen.reject_reason and nothing_filled else CANCELED
    wanted = order.wanted
    if wanted is not None and (_shows(seen, wanted) or order.order.quantity <= order.filled < wanted.quantity):
        known |= _replaced(order, wanted)  # shown with them, or it could not have been cancelled on the old terms
    return _ended(order, seen.at, end, seen.reject_reason or seen.reason, **known)


def _with_completion(order: OrderState, seen: StatusSeen, known: dict[str, Any]) -> OrderState:
    """The broker calls it filled: O1 keeps it open until the executions are in; whatever we asked is answered."""
    known |= {"reported_done": True, "held": "", "pending": None}
    wanted, filled, reported = order.wanted, order.filled, known["reported_filled"]
    believed = filled if seen.fresh else reported
    if wanted is not None and (_shows(seen, wanted) or _came_true(order, wanted, filled, believed)):
        known |= {"wanted": None, **_replaced(order, wanted)}
    elif wanted is not None and seen.terms is not None and seen.terms.quantity == filled >= wanted.quantity:
        known |= {"wanted": None, **_replaced(order, attrs.evolve(wanted, quantity=filled))}
    elif seen.fresh and 0 < filled == seen.filled and not _is_cash(order.order):
        # The broker's list and the executions agree: nothing is left, whatever was echoed or asked meanwhile.
        known |= {"wanted": None, **_replaced(order, attrs.evolve(order.order, quantity=filled))}
    return _settled(order, seen.at, **known)


def _shows(seen: StatusSeen, wanted: Order) -> bool:
    """Whether the status came with an echo of the wanted terms."""
    return seen.terms is not None and same_terms(wanted, seen.terms)


def _came_true(order: OrderState, wanted: Order, filled: Decimal, reported: Decimal) -> bool:
    """Whether a filled order was filled on the wanted terms: beyond the old quantity, or just to a smaller one (O7)."""
    return reported > order.order.quantity or _is_done_on(order.order, wanted, filled, reported)


def _is_done_on(terms: Order, wanted: Order, filled: Decimal, done_at: Decimal) -> bool:
    """Whether the broker calls just what is filled all of the wanted quantity, or of one that crossed it on its way."""
    return done_at == filled and (filled == wanted.quantity or wanted.quantity < filled < terms.quantity)


def _alive(order: OrderState, seen: StatusSeen, known: dict[str, Any]) -> OrderState:
    pending = None if order.pending is Pending.SUBMIT else order.pending
    known |= {"pending": pending}
    if seen.terms is not None:
        known |= _with_terms(order, seen, seen.terms)
    if seen.fresh and known["pending"] is Pending.CANCEL and seen.status is not BrokerStatus.CANCEL_PENDING:
        waited = order.in_doubt or order.held == HELD_CANCELING
        known["pending"] = None if waited else Pending.CANCEL
    if order.in_doubt and _answers_doubt(order, seen, known["pending"]):
        known["in_doubt"] = False
    if order.status is NEW:
        known["status"] = WORKING
    return _settled(order, seen.at, **known)


def _answers_doubt(order: OrderState, seen: StatusSeen, pending: Pending | None) -> bool:
    """O9: a doubt about a request needs an answer to it; a claim to be filled needs the fills."""
    if order.reported_done:
        return False
    if seen.fresh or pending is not order.pending:
        return True
    return order.pending is None or (order.pending is Pending.CANCEL and seen.status is BrokerStatus.CANCEL_PENDING)


# --- terms ---------------------------------------------------------------------------------------------------------


def _with_terms(order: OrderState, seen: StatusSeen, echo: Order) -> dict[str, Any]:
    """What an echo of the order says about a replace of ours or a change by hand."""
    older_incarnation = len(order.perm_ids) > 1 and seen.perm_id in order.perm_ids[:-1]
    if _is_cash(order.order) or older_incarnation:
        return {}
    if _is_unknown(order, order.order) and echo != order.order:
        return _replaced(order, echo)
    still = order.pending if order.pending is not Pending.SUBMIT else None
    if order.wanted is not None and same_terms(order.wanted, echo):
        answered = None if still is Pending.REPLACE else still
        return {"wanted": None, "pending": answered, **_replaced(order, order.wanted)}
    if same_terms(order.order, echo):
        lost = seen.fresh and order.in_doubt and order.wanted is not None
        return {"wanted": None, "pending": None if still is Pending.REPLACE else still} if lost else {}
    asked = next((terms for terms in reversed(order.asked_terms) if same_terms(terms, echo)), None)
    if asked is not None:
        return _replaced(order, asked)
    if not seen.fresh and (_is_past(order, echo) or echo.quantity <= order.filled):
        return {}
    return _replaced(order, _merged(order.order, echo))


def _is_cash(terms: Order) -> bool:
    """Whether the broker turns an amount of money into a quantity of its own."""
    return terms.cash_quantity is not None


def _is_unknown(order: OrderState, terms: Order) -> bool:
    """Whether a stranger's order is known by its executions only: what it wanted is not told."""
    return order.external and terms.order_type is OrderType.OTHER and not terms.broker_type


def same_terms(ours: Order, echo: Order) -> bool:
    """Whether an echo shows our terms; prices count only for types that have them (IBKR invents the others)."""
    return (
        ours.quantity == echo.quantity
        and echo.order_type in (ours.order_type, OrderType.OTHER)
        and (ours.limit_price is None or echo.limit_price in (None, ours.limit_price))
        and (ours.stop_price is None or echo.stop_price in (None, ours.stop_price))
    )


def _is_past(order: OrderState, echo: Order) -> bool:
    return any(same_terms(terms, echo) for terms in order.past_terms)


def _merged(ours: Order, echo: Order) -> Order:
    kind = ours.order_type if echo.order_type is OrderType.OTHER else echo.order_type
    limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    stopped = kind in (OrderType.STOP, OrderType.STOP_LIMIT)
    return attrs.evolve(
        ours,
        quantity=echo.quantity,
        order_type=kind,
        limit_price=(echo.limit_price if echo.limit_price is not None else ours.limit_price) if limited else None,
        stop_price=(echo.stop_price if echo.stop_price is not None else ours.stop_price) if stopped else None,
    )


def _replaced(order: OrderState, terms: Order, filled: Decimal | None = None) -> dict[str, Any]:
    """New terms; a quantity below what is filled means the rest is off (FIX: amended to the filled quantity)."""
    filled = order.filled if filled is None else filled
    if order.order.quantity != terms.quantity < filled:
        terms = attrs.evolve(terms, quantity=filled)
    return {"order": terms, "past_terms": (*order.past_terms, order.order)[-_PAST_TERMS_KEPT:]}


# --- executions ----------------------------------------------------------------------------------------------------


def _with_execution(order: OrderState, seen: ExecutionSeen) -> OrderState:
    known = order.fills.get(seen.family)
    fill = seen.fill if known is None else _corrected(known, seen.fill)
    changes: dict[str, Any] = {"perm_ids": _with_perm_id(order, seen.fill.perm_id)}
    if fill is not known:
        changes["fills"] = {**order.fills, seen.family: fill}
    if known is not None and fill.contract is None and fill.quantity < known.quantity:
        changes["reported_filled"] = max(order.reported_filled - known.quantity + fill.quantity, Decimal(0))
    if _is_unknown(order, order.order):
        grown = sum_of_fills(changes.get("fills", order.fills))
        if grown > order.order.quantity:
            changes["order"] = attrs.evolve(order.order, quantity=grown)
    if not order.status.is_terminal:
        changes["pending"] = None if order.pending is Pending.SUBMIT else order.pending
        changes["in_doubt"] = order.in_doubt and order.pending is not Pending.SUBMIT
        changes["epoch"] = max(order.epoch, seen.epoch)
    return _settled(order, seen.at, **changes)


def _corrected(known: Fill, seen: Fill) -> Fill:
    """The later correction of the two; fees already known stay until its own are reported."""
    if correction_number(seen.exec_id) <= correction_number(known.exec_id):
        return known
    return attrs.evolve(
        seen,
        commission=known.commission if seen.commission is None else seen.commission,
        commission_currency=seen.commission_currency or known.commission_currency,
        realized_pnl=known.realized_pnl if seen.realized_pnl is None else seen.realized_pnl,
        superseded=(*known.superseded, known.exec_id),
    )


def correction_number(exec_id: str) -> int:
    """The digits after the last dot: 1 for the execution itself, more for its corrections; 0 if there are none."""
    suffix = exec_id.rpartition(".")[2]
    return int(suffix) if suffix.isascii() and suffix.isdigit() else 0


def _with_commission(order: OrderState, seen: CommissionSeen) -> OrderState:
    fill = order.fills.get(seen.family)
    if fill is None or seen.commission is None:
        return order
    if seen.exec_id != fill.exec_id and fill.commission is not None:
        return order
    charged = attrs.evolve(
        fill, commission=seen.commission, commission_currency=seen.currency, realized_pnl=seen.realized_pnl
    )
    return _changed(order, seen.at, fills={**order.fills, seen.family: charged})


# --- conclusions ---------------------------------------------------------------------------------------------------


def _ended(order: OrderState, at: datetime, end: ExecStatus, reason: str, /, **known: Any) -> OrderState:  # noqa: ANN401
    if order.status.is_terminal:
        return order if order.status is FILLED else _changed(order, at, reason=order.reason or reason)
    return _settled(order, at, **(known | {"status": end, "reason": reason}))


def _settled(order: OrderState, at: datetime, /, **changes: Any) -> OrderState:  # noqa: ANN401  # fields of OrderState
    """The changes together with the status that follows from them (O2, O3, O7); one copy."""
    fills: Mapping[str, Fill] = changes.get("fills", order.fills)
    filled = order.filled if fills is order.fills else sum_of_fills(fills)
    wanted = changes.get("wanted", order.wanted)
    terms: Order = changes.get("order", order.order)
    done: bool = changes.get("reported_done", order.reported_done)
    reported: Decimal = changes.get("reported_filled", order.reported_filled)
    if wanted is not None and _fills_show(terms, wanted, filled, reported if done else None):
        changes |= {"wanted": None, **_replaced(order, wanted, filled)}
        if changes.get("pending", order.pending) is Pending.REPLACE:
            changes["pending"] = None
        terms, wanted = changes["order"], None
    status: ExecStatus = changes.get("status", order.status)
    sized = terms.quantity > 0 and not _is_cash(terms) and not _is_unknown(order, terms)
    target = terms.quantity if sized else reported if done and reported else None
    growing = wanted is not None and wanted.quantity > filled and not done and not status.is_terminal
    if target is not None and filled >= target and not growing:
        status = FILLED
        changes["reason"] = ""
    elif not status.is_terminal and fills:
        status = PARTIALLY_FILLED if filled else WORKING
    changes["status"] = status
    if status.is_terminal:
        changes |= {"pending": None, "wanted": None, "held": "", "in_doubt": False}
    return _changed(order, at, **changes)


def _fills_show(terms: Order, wanted: Order, filled: Decimal, done_at: Decimal | None) -> bool:
    """O7: fills beyond the old quantity, or all of the wanted one where the broker calls that filled."""
    beyond = terms.quantity < filled <= wanted.quantity
    return beyond or (done_at is not None and _is_done_on(terms, wanted, filled, done_at))


def _with_perm_id(order: OrderState, perm_id: PermId) -> tuple[PermId, ...]:
    return order.perm_ids if not perm_id or perm_id in order.perm_ids else (*order.perm_ids, perm_id)
