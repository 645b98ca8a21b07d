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
from actors.domain.frozen import evolved
from actors.domain.identity import PermId, correction_number
from actors.domain.order_state import ExecStatus, Fill, OrderState, Pending
from actors.domain.terms import Order, OrderType
from actors.messages.reports import BrokerStatus, OrderStatusReported

NEW, WORKING, PARTIALLY_FILLED = ExecStatus.NEW, ExecStatus.WORKING, ExecStatus.PARTIALLY_FILLED
FILLED, CANCELED, REJECTED = ExecStatus.FILLED, ExecStatus.CANCELED, ExecStatus.REJECTED
SUBMIT, REPLACE, CANCEL = Pending.SUBMIT, Pending.REPLACE, Pending.CANCEL
SAID_PENDING, SAID_HELD, SAID_WORKING = BrokerStatus.PENDING, BrokerStatus.HELD, BrokerStatus.WORKING
SAID_INACTIVE, SAID_CANCEL_PENDING = BrokerStatus.INACTIVE, BrokerStatus.CANCEL_PENDING
SAID_CANCELED, SAID_FILLED = BrokerStatus.CANCELED, BrokerStatus.FILLED
OTHER = OrderType.OTHER
# Names of their own, because Python 3.11 looks a member of an enum up through a function.

HELD_PENDING = "pending at the broker"
HELD_INACTIVE = "inactive"
HELD_CANCELING = "cancel pending at the broker"

_PAST_TERMS_KEPT = 8
_ZERO = Decimal(0)


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
            return _with_request(order, evidence.at, CANCEL)
        case ReplaceRequested():
            return _with_request(order, evidence.at, REPLACE, wanted=evidence.wanted)
        case RejectionSeen():
            return _with_rejection(order, evidence)
        case RefusalSeen():
            return _with_refusal(order, evidence)
        case PermIdSeen():
            return order.with_changes(evidence.at, {"perm_ids": _with_perm_id(order, evidence.perm_id)})
        case Doubted():
            return order if order.status.is_terminal else order.with_changes(evidence.at, {"in_doubt": True})
        case Concluded():
            return _ended(order, evidence.at, evidence.status, evidence.reason, {})
        case AdoptionWanted():
            return order.with_changes(evidence.at, {"external": False})
        case _:
            assert_never(evidence)


def _with_sent(order: OrderState, sent: Sent) -> OrderState:
    """What leaves is on the instrument's grid; what was asked for stays known by the name."""
    return order.changed(
        sent.at,
        {
            "order": sent.order,
            "past_terms": () if sent.order is order.order else (order.order,),
            "contract": sent.contract,
            "account": sent.account,
            "client_id": sent.client_id,
            "epoch": sent.epoch,
            "order_id": sent.order_id,
            "pending": SUBMIT,
            "last_request": SUBMIT,
        },
    )


def _with_request(order: OrderState, at: datetime, pending: Pending, wanted: Order | None = None) -> OrderState:
    if order.status.is_terminal:
        return order
    asked = order.asked_terms
    if wanted is not None and order.wanted is not None:
        asked = (*asked, order.wanted)[-_PAST_TERMS_KEPT:]
    wanted = wanted if wanted is not None else order.wanted
    changes = {"pending": pending, "last_request": pending, "wanted": wanted, "asked_terms": asked}
    return order.with_changes(at, changes)


def _with_rejection(order: OrderState, seen: RejectionSeen) -> OrderState:
    """A cancel that nobody asked for and a rejection are one event of the broker, told in either order (IBKR)."""
    unexplained = order.status is CANCELED and not order.reason and order.last_request is SUBMIT
    if unexplained and not order.fills and not order.reported_filled:
        return order.with_changes(seen.at, {"status": REJECTED, "reason": seen.reason})
    return _ended(order, seen.at, CANCELED if order.fills else REJECTED, seen.reason, {})


def _with_refusal(order: OrderState, refusal: RefusalSeen) -> OrderState:
    """The newest request of ours is off; a replace under a cancel keeps waiting for its own answer."""
    if order.status.is_terminal:
        return order
    doubtful = order.in_doubt or not refusal.lives
    if order.pending is CANCEL and order.wanted is not None:
        return order.with_changes(refusal.at, {"pending": REPLACE, "in_doubt": doubtful})
    if order.status is NEW:
        return order.with_changes(refusal.at, {"pending": SUBMIT, "in_doubt": doubtful})
    doubtful = (order.in_doubt and order.reported_done) or not refusal.lives
    return _settled(order, refusal.at, {"pending": None, "wanted": None, "in_doubt": doubtful})


# --- statuses ------------------------------------------------------------------------------------------------------


def _with_status(order: OrderState, seen: StatusSeen) -> OrderState:
    reported = order.reported_filled if seen.filled is None else max(order.reported_filled, seen.filled)
    known: dict[str, Any] = {"perm_ids": _with_perm_id(order, seen.perm_id), "reported_filled": reported}
    if order.status.is_terminal:
        if order.status is FILLED and seen.status is SAID_FILLED and seen.filled is None:
            known["reported_filled"] = max(reported, order.filled)  # an echo says "filled" without a figure (IBKR)
        known["reported_done"] = order.reported_done or seen.status is SAID_FILLED
        known["reason"] = "" if order.status is FILLED else order.reason or seen.reject_reason or seen.reason
        return order.with_changes(seen.at, known)
    if seen.epoch < order.epoch:
        return order.with_changes(seen.at, known)
    known["epoch"] = seen.epoch
    held = _held(seen)
    if held is not None:
        return _alive(order, seen, known, held)
    if seen.status is SAID_FILLED:
        return _with_completion(order, seen, known)
    if seen.status is SAID_CANCELED or seen.status is SAID_INACTIVE:
        return _with_end(order, seen, known)
    return order.with_changes(seen.at, known)


def is_repeated(order: OrderState, seen: OrderStatusReported) -> bool:
    """Whether a status surely says what is known: one follows each echo with the same words (IBKR).

    It only saves time: as evidence, such a status changes nothing.
    """
    if seen.filled is not None and seen.filled > order.reported_filled:
        return False
    if seen.perm_id and seen.perm_id not in order.perm_ids:
        return False
    if order.status is FILLED:
        return order.reported_done and not order.reason
    return (
        (seen.status is SAID_WORKING or seen.status is SAID_HELD)
        and (order.status is WORKING or order.status is PARTIALLY_FILLED)
        and seen.epoch == order.epoch
        and seen.why_held == order.held
        and order.filled < order.order.quantity
        and (order.pending is None and order.wanted is None)
        and not (order.in_doubt or order.reported_done)
    )


def _held(seen: StatusSeen) -> str | None:
    """Why a living order does not work, empty when it does; None when the status is not one of a living order."""
    status = seen.status
    if status is SAID_WORKING or status is SAID_HELD:
        return seen.why_held
    if status is SAID_PENDING:
        return seen.why_held or HELD_PENDING
    if status is SAID_CANCEL_PENDING:
        return HELD_CANCELING
    if status is SAID_INACTIVE and not seen.reject_reason:
        return seen.why_held if "locate" in seen.why_held else HELD_INACTIVE
    return None


def _with_end(order: OrderState, seen: StatusSeen, known: dict[str, Any]) -> OrderState:
    nothing_filled = not order.fills and not known["reported_filled"]
    end = REJECTED if seen.reject_reason and nothing_filled else CANCELED
    wanted, filled = order.wanted, max(order.filled, seen.filled or _ZERO)
    if wanted is not None and (_shows(seen, wanted) or order.order.quantity <= filled < wanted.quantity):
        known |= _replaced(order, wanted)  # shown with them, or it could not have been cancelled on the old terms
    return _ended(order, seen.at, end, seen.reject_reason or seen.reason, known)


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
    return _settled(order, seen.at, known)


def _shows(seen: StatusSeen, wanted: Order) -> bool:
    """Whether the status came with an echo of the wanted terms."""
    return seen.terms is not None and same_terms(wanted, seen.terms)


def _came_true(order: OrderState, wanted: Order, filled: Decimal, reported: Decimal) -> bool:
    """Whether a filled order was filled on the wanted terms: beyond the old quantity, or just to a smaller one (O7)."""
    return reported > order.order.quantity or _is_done_on(order.order, wanted, filled, reported)


def _is_done_on(terms: Order, wanted: Order, filled: Decimal, done_at: Decimal) -> bool:
    """Whether the broker calls just what is filled all of the wanted quantity, or of one that crossed it on its way."""
    return done_at == filled and (filled == wanted.quantity or wanted.quantity < filled < terms.quantity)


def _alive(order: OrderState, seen: StatusSeen, known: dict[str, Any], held: str) -> OrderState:
    known["held"] = held
    known["pending"] = None if order.pending is SUBMIT else order.pending
    if seen.terms is not None:
        known |= _with_terms(order, seen, seen.terms)
    if seen.fresh and known["pending"] is CANCEL and seen.status is not SAID_CANCEL_PENDING:
        waited = order.in_doubt or order.held == HELD_CANCELING
        known["pending"] = None if waited else CANCEL
    if order.in_doubt and _answers_doubt(order, seen, known["pending"]):
        known["in_doubt"] = False
    if order.status is NEW:
        known["status"] = WORKING
    return _settled(order, seen.at, known)


def _answers_doubt(order: OrderState, seen: StatusSeen, pending: Pending | None) -> bool:
    """O9: a doubt about a request needs an answer to it; a claim to be filled needs the fills."""
    if order.reported_done:
        return False
    if seen.fresh or pending is not order.pending:
        return True
    return order.pending is None or (order.pending is CANCEL and seen.status is SAID_CANCEL_PENDING)


# --- terms ---------------------------------------------------------------------------------------------------------


def _with_terms(order: OrderState, seen: StatusSeen, echo: Order) -> dict[str, Any]:
    """What an echo of the order says about a replace of ours or a change by hand."""
    older_incarnation = len(order.perm_ids) > 1 and seen.perm_id in order.perm_ids[:-1]
    if _is_cash(order.order) or older_incarnation:
        return {}
    if order.is_untold and echo != order.order:
        return _replaced(order, echo)
    still = order.pending if order.pending is not SUBMIT else None
    if order.wanted is not None and same_terms(order.wanted, echo):
        answered = None if still is REPLACE else still
        return {"wanted": None, "pending": answered, **_replaced(order, order.wanted)}
    if same_terms(order.order, echo):
        lost = seen.fresh and order.in_doubt and order.wanted is not None
        return {"wanted": None, "pending": None if still is REPLACE else still} if lost else {}
    asked = next((terms for terms in reversed(order.asked_terms) if same_terms(terms, echo)), None)
    if asked is not None:
        return _replaced(order, asked)
    if not seen.fresh and (_is_past(order, echo) or echo.quantity <= order.filled):
        return {}
    return _replaced(order, _merged(order.order, echo))


def _is_cash(terms: Order) -> bool:
    """Whether the broker turns an amount of money into a quantity of its own."""
    return terms.cash_quantity is not None


def same_terms(ours: Order, echo: Order) -> bool:
    """Whether an echo shows our terms; prices count only for types that have them (IBKR invents the others)."""
    return (
        ours.quantity == echo.quantity
        and echo.order_type in (ours.order_type, OTHER)
        and (ours.limit_price is None or echo.limit_price in (None, ours.limit_price))
        and (ours.stop_price is None or echo.stop_price in (None, ours.stop_price))
    )


def _is_past(order: OrderState, echo: Order) -> bool:
    return any(same_terms(terms, echo) for terms in order.past_terms)


def _merged(ours: Order, echo: Order) -> Order:
    kind = ours.order_type if echo.order_type is OTHER else echo.order_type
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
    if terms == order.order:
        terms = order.order
    return {"order": terms, "past_terms": (*order.past_terms, order.order)[-_PAST_TERMS_KEPT:]}


# --- executions ----------------------------------------------------------------------------------------------------


def _with_execution(order: OrderState, seen: ExecutionSeen) -> OrderState:
    known = order.fills.get(seen.family)
    fill = seen.fill if known is None else _corrected(known, seen.fill)
    changes: dict[str, Any] = {"perm_ids": _with_perm_id(order, seen.fill.perm_id)}
    if fill is not known:
        changes |= order.with_fill(seen.family, fill)
    if known is not None and fill.contract is None and fill.quantity < known.quantity:
        changes["reported_filled"] = max(order.reported_filled - known.quantity + fill.quantity, _ZERO)
    if order.is_untold:
        grown = changes.get("filled", order.filled)
        if grown > order.order.quantity:
            changes["order"] = attrs.evolve(order.order, quantity=grown)
    if not order.status.is_terminal:
        if order.pending is SUBMIT:
            changes["pending"], changes["in_doubt"] = None, False
        changes["epoch"] = max(order.epoch, seen.epoch)
    return _settled(order, seen.at, changes)


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


def _with_commission(order: OrderState, seen: CommissionSeen) -> OrderState:
    fill = order.fills.get(seen.family)
    if fill is None or seen.commission is None:
        return order
    if seen.exec_id != fill.exec_id and fill.commission is not None:
        return order
    charge = seen.commission, seen.currency, seen.realized_pnl
    if charge == (fill.commission, fill.commission_currency, fill.realized_pnl):
        return order
    charged = evolved(
        fill, commission=seen.commission, commission_currency=seen.currency, realized_pnl=seen.realized_pnl
    )
    return order.charged(seen.at, seen.family, charged)


# --- conclusions ---------------------------------------------------------------------------------------------------


def _ended(order: OrderState, at: datetime, end: ExecStatus, reason: str, known: dict[str, Any]) -> OrderState:
    if order.status.is_terminal:
        return order if order.status is FILLED else order.with_changes(at, {"reason": order.reason or reason})
    return _settled(order, at, known | {"status": end, "reason": reason})


def _settled(order: OrderState, at: datetime, changes: dict[str, Any]) -> OrderState:
    """The changes together with the status that follows from them (O2, O3, O7); one copy."""
    after = order.__dict__ | changes
    fills: Mapping[str, Fill] = after["fills"]
    filled: Decimal = after["filled"]
    done_at: Decimal | None = after["reported_filled"] if after["reported_done"] else None
    terms: Order = after["order"]
    wanted: Order | None = after["wanted"]
    if wanted is not None and _fills_show(terms, wanted, filled, done_at):
        changes |= {"wanted": None, **_replaced(order, wanted, filled)}
        if after["pending"] is REPLACE:
            changes["pending"] = None
        terms, wanted = changes["order"], None
    status: ExecStatus = after["status"]
    if fills and _is_all(order, terms, filled, done_at) and not _grows(status, wanted, filled, done_at):
        status = FILLED
        changes["reason"] = ""
    elif fills and not status.is_terminal:
        status = PARTIALLY_FILLED if filled else WORKING
    changes["status"] = status
    if status.is_terminal:
        changes |= {"pending": None, "wanted": None, "held": "", "in_doubt": False}
    return order.with_changes(at, changes)


def _is_all(order: OrderState, terms: Order, filled: Decimal, done_at: Decimal | None) -> bool:
    """O2: whether nothing is left to fill; where the terms do not tell how much, what the broker called filled does."""
    if terms.quantity and not _is_cash(terms) and not (order.external and terms.is_untold):
        return filled >= terms.quantity
    return done_at is not None and filled >= done_at > 0


def _grows(status: ExecStatus, wanted: Order | None, filled: Decimal, done_at: Decimal | None) -> bool:
    """Whether a replace to more than is filled is still under way."""
    return wanted is not None and wanted.quantity > filled and done_at is None and not status.is_terminal


def _fills_show(terms: Order, wanted: Order, filled: Decimal, done_at: Decimal | None) -> bool:
    """O7: fills beyond the old quantity, or all of the wanted one where the broker calls that filled."""
    beyond = terms.quantity < filled <= wanted.quantity
    return beyond or (done_at is not None and _is_done_on(terms, wanted, filled, done_at))


def _with_perm_id(order: OrderState, perm_id: PermId) -> tuple[PermId, ...]:
    return order.perm_ids if not perm_id or perm_id in order.perm_ids else (*order.perm_ids, perm_id)
