"""The broker's statements about orders, turned into evidence for the order each belongs to."""

from datetime import datetime
from decimal import Decimal

from actors.domain import identify
from actors.domain.contract import Contract, SecType
from actors.domain.desk_config import Commission
from actors.domain.desk_core import VERIFY, DeskCore
from actors.domain.evidence import (
    CommissionSeen,
    Concluded,
    Doubted,
    ExecutionSeen,
    PermIdSeen,
    RefusalSeen,
    RejectionSeen,
    StatusSeen,
)
from actors.domain.identity import ExecId, OrderId, correction_number, execution_family
from actors.domain.order import is_repeated
from actors.domain.order_state import ExecStatus, Fill, OrderState, Pending
from actors.domain.recovery import SeenCompleted, SeenOpen
from actors.messages.events import Discrepancy, ExecutionUnmatched, OrderWarned
from actors.messages.reports import (
    BrokerStatus,
    CommissionReported,
    CompletedOrderReported,
    ExecutionReported,
    FrameDamaged,
    NoticeEffect,
    NoticeReported,
    OpenOrderReported,
    OrderBoundReported,
    OrderStatusReported,
)
from actors.messages.system import SessionState

COMBO, UNKNOWN, RECONCILING = SecType.COMBO, BrokerStatus.UNKNOWN, SessionState.RECONCILING
HELD, WORKING, CANCELED = BrokerStatus.HELD, BrokerStatus.WORKING, ExecStatus.CANCELED


_DAMAGE_TOLD = 20
_DAMAGE_TOLD_AGAIN = 1_000


def status_reported(core: DeskCore, report: OrderStatusReported) -> None:
    """A status: evidence for its order; of an unknown order it only makes us ask."""
    core.saw_number_of(report)
    order = identify.of_status(core, report)
    if order is None:
        if core.book.past_owner(report.perm_id, "") is not None:
            return
        subject = f"permId {report.perm_id}" if report.perm_id else f"client {report.client_id} id {report.order_id}"
        core.complain(report.at, "UNKNOWN_ORDER", subject, f"status {report.raw_status or report.status.value}")
        return
    if report.status is not UNKNOWN and is_repeated(order, report):
        return
    seen = StatusSeen(
        at=report.at,
        epoch=report.epoch,
        status=report.status,
        perm_id=report.perm_id,
        filled=report.filled,
        why_held=report.why_held,
    )
    core.apply(order, seen, recovered=core.session is RECONCILING)
    if report.status is UNKNOWN:
        core.complain(report.at, "UNKNOWN_STATUS", f"{order.oms_id} {report.raw_status}", "an unknown status: asking")


def open_order_reported(core: DeskCore, report: OpenOrderReported) -> None:
    """An echo: applied at once, or kept until the lists have ended when it answers a query of ours."""
    if report.what_if:
        return
    core.saw_number_of(report)
    order = identify.of_open_order(core, report)
    if order is None:
        return
    if core.recovery.collects(report) and not order.external:
        if report.perm_id:
            order = core.apply(order, PermIdSeen(at=report.at, perm_id=report.perm_id))
        over = order.status.is_terminal
        core.recovery.opened.append(SeenOpen(oms_id=order.oms_id, report=report, was_over=over))
    else:
        _check_end(core, report, order)
        core.apply(order, echo_evidence(report, fresh=False), recovered=core.session is RECONCILING)


def _check_end(core: DeskCore, report: OpenOrderReported, order: OrderState) -> None:
    """A cancel can be taken back: staged children are shown cancelled for a moment before they work (IBKR)."""
    works = report.status is WORKING or report.status is HELD
    if works and order.status is CANCELED and not order.external and report.epoch >= order.epoch:
        text = "the broker shows it working although it was cancelled"
        core.complain(report.at, "ALIVE_AFTER_END", order.oms_id, text)


def echo_evidence(report: OpenOrderReported, *, fresh: bool) -> StatusSeen:
    """What an echo says about its order."""
    return StatusSeen(
        at=report.at,
        epoch=report.epoch,
        status=report.status,
        perm_id=report.perm_id,
        filled=report.filled,
        why_held=report.why_held,
        reject_reason=report.reject_reason,
        terms=report.order,
        fresh=fresh,
    )


def completed_reported(core: DeskCore, report: CompletedOrderReported) -> None:
    """A row of the completed list: kept until the lists have ended; outside of a run applied at once."""
    order = identify.of_completed(core, report)
    if order is None:
        return
    if core.recovery.is_running and not order.external:
        core.recovery.completed.append(SeenCompleted(oms_id=order.oms_id, report=report))
    else:
        core.apply(order, completed_evidence(report, order, fresh=False), recovered=True)


def completed_evidence(report: CompletedOrderReported, order: OrderState, *, fresh: bool) -> StatusSeen:
    """What a row of the completed list says about its order; its quantities may be 0 without meaning it (IBKR)."""
    return StatusSeen(
        at=report.at,
        epoch=report.epoch,
        status=report.status,
        perm_id=report.perm_id,
        filled=report.filled or _filled_without_figure(report, order),
        reject_reason=report.reject_reason,
        reason=report.completed_status,
        fresh=fresh,
    )


def _filled_without_figure(report: CompletedOrderReported, order: OrderState) -> Decimal | None:
    """All of it was filled once; a correction may have taken some back, and then its executions alone can tell."""
    if report.status is not BrokerStatus.FILLED:
        return None
    if any(correction_number(fill.exec_id) > 1 for fill in order.fills.values()):
        return order.filled
    return report.order.quantity or None


# --- executions ----------------------------------------------------------------------------------------------------


def execution_reported(core: DeskCore, report: ExecutionReported) -> None:
    """An execution: booked once per family, to its order or to a stranger's."""
    core.saw_number_of(report)
    if report.request_id is not None and core.recovery.is_running:
        core.recovery.executions += 1
    family = execution_family(report.exec_id)
    booked = core.book.booked_as(family)
    if booked is not None:
        _too_late(core, report, booked)
        return
    order = identify.of_execution(core, report, family) or _unmatched(core, report)
    fill = _fill(report, order)
    after = core.apply(
        order,
        ExecutionSeen(at=report.at, epoch=report.epoch, family=family, fill=fill),
        recovered=report.request_id is not None,
    )
    if after is not order:
        _check_side(core, report, after)
        _apply_early_commission(core, report, family, after)


def _fill(report: ExecutionReported, order: OrderState) -> Fill:
    return Fill(
        exec_id=report.exec_id,
        side=report.side,
        quantity=report.quantity,
        price=report.price,
        at=report.executed_at if report.executed_at is not None else report.at,
        account=report.account,
        venue=report.venue,
        perm_id=report.perm_id,
        liquidity=report.liquidity,
        contract=_leg(order.contract, report.contract),
    )


def _leg(ordered: Contract, executed: Contract) -> Contract | None:
    """The leg's contract where a combo was ordered and a leg executed."""
    return executed if ordered.sec_type is COMBO is not executed.sec_type else None


def _unmatched(core: DeskCore, report: ExecutionReported) -> OrderState:
    owner = core.book.past_owner(report.perm_id, report.order_ref)
    order = identify.stranger_of_execution(core, report)
    core.say(ExecutionUnmatched(at=report.at, exec_id=report.exec_id))
    if owner is not None:
        core.book.hold_late(report.account, report.contract, report.side.sign * report.quantity)
        core.complain(report.at, "LATE_FILL", owner, f"execution {report.exec_id} of an order closed long ago")
    return order


def _too_late(core: DeskCore, report: ExecutionReported, booked: ExecId) -> None:
    """An execution of an order that was evicted: known already, or a correction that can only be named."""
    if correction_number(report.exec_id) > correction_number(booked):
        text = f"it corrects {booked} of an order closed long ago; compare the position by hand"
        core.complain(report.at, "LATE_CORRECTION", report.exec_id, text)


def _check_side(core: DeskCore, report: ExecutionReported, order: OrderState) -> None:
    if order.contract.sec_type is not COMBO and not identify.fits(order, report.contract, report.side):
        text = f"execution {report.exec_id} is {report.side.value} {report.contract.name}, not what was ordered"
        core.complain(report.at, "CONTRADICTION", order.oms_id, text)


def _apply_early_commission(core: DeskCore, report: ExecutionReported, family: str, order: OrderState) -> None:
    early = core.commissions.get(family)
    if early is None or correction_number(early.exec_id) > correction_number(report.exec_id):
        return
    del core.commissions[family]
    seen = CommissionSeen(
        at=report.at,
        family=family,
        exec_id=early.exec_id,
        commission=early.commission,
        currency=early.currency,
        realized_pnl=early.realized_pnl,
    )
    core.apply(order, seen, recovered=report.request_id is not None)


def commission_reported(core: DeskCore, report: CommissionReported) -> None:
    """A commission: charged to its fill, or kept until the fill comes."""
    if report.commission is None:
        return
    family = execution_family(report.exec_id)
    order = core.book.by_family(family)
    if order is not None and not _is_of_a_later_correction(report.exec_id, order.fills[family].exec_id):
        seen = CommissionSeen(
            at=report.at,
            family=family,
            exec_id=report.exec_id,
            commission=report.commission,
            currency=report.currency,
            realized_pnl=report.realized_pnl,
        )
        core.apply(order, seen, recovered=core.session is RECONCILING)
    elif core.book.booked_as(family) is None:
        kept = Commission(
            exec_id=report.exec_id,
            commission=report.commission,
            currency=report.currency,
            realized_pnl=report.realized_pnl,
        )
        core.remember_commission(family, kept)


def _is_of_a_later_correction(exec_id: ExecId, known: ExecId) -> bool:
    return exec_id != known and correction_number(exec_id) > correction_number(known)


# --- notices -------------------------------------------------------------------------------------------------------


def notice_reported(core: DeskCore, notice: NoticeReported) -> None:
    """A coded notice: what it proves depends on what we had asked; what it does not prove is asked."""
    if notice.subject is None or notice.subject <= 0:
        return
    order = core.book.by_number(notice.epoch, core.config.client_id, OrderId(notice.subject))
    if order is None or notice.epoch < order.epoch:
        return
    text = f"{notice.code}: {notice.text}"
    match effect_of(order, notice):
        case NoticeEffect.REJECTED:
            core.apply(order, RejectionSeen(at=notice.at, reason=text))
        case NoticeEffect.NOT_SENT:
            not_sent(core, order, notice.at, text)
        case NoticeEffect.REFUSED:
            core.apply(order, RefusalSeen(at=notice.at, text=text), text=text)
        case NoticeEffect.REQUEST_OFF:
            core.apply(order, RefusalSeen(at=notice.at, text=text, lives=False), text=text)
            core.ask_verification()
        case NoticeEffect.CANCELED:
            _ended(core, order, notice, BrokerStatus.CANCELED, text)
        case NoticeEffect.FILLED:
            _ended(core, order, notice, BrokerStatus.FILLED, text)
        case NoticeEffect.VERIFY if order.is_open:
            core.say(OrderWarned(at=notice.at, order=order, code=notice.code, text=notice.text))
            core.apply(order, Doubted(at=notice.at, text=text), text=text)
            core.ask_verification()
        case _:
            core.say(OrderWarned(at=notice.at, order=order, code=notice.code, text=notice.text))


def effect_of(order: OrderState, notice: NoticeReported) -> NoticeEffect:
    """What a notice proves for what is outstanding; a doubled answer to something settled proves nothing new."""
    outstanding: list[NoticeEffect] = []
    if order.status is ExecStatus.NEW and not _is_of_a_change(order, notice):
        if notice.on_new in (NoticeEffect.REJECTED, NoticeEffect.NOT_SENT):
            return notice.on_new
        outstanding.append(notice.on_new)
    if order.wanted is not None:
        outstanding.insert(0, notice.on_modify)
    if order.pending is Pending.CANCEL:
        outstanding.insert(0, notice.on_cancel)
    if outstanding:
        return _strongest(outstanding)
    match order.last_request:
        case Pending.CANCEL:
            return _repeated(notice.on_cancel)
        case Pending.REPLACE:
            return _repeated(notice.on_modify)
        case _:
            return NoticeEffect.VERIFY if notice.on_new is NoticeEffect.NOT_SENT else notice.on_new


def _is_of_a_change(order: OrderState, notice: NoticeReported) -> bool:
    """Whether only a change of the order can be meant: the order itself was sent on a connection that is gone."""
    return order.wanted is not None and notice.epoch > order.epoch


def _strongest(effects: list[NoticeEffect]) -> NoticeEffect:
    proven = [effect for effect in effects if effect not in (NoticeEffect.VERIFY, NoticeEffect.NONE)]
    if proven:
        return proven[0]
    return NoticeEffect.VERIFY if NoticeEffect.VERIFY in effects else NoticeEffect.NONE


def _repeated(effect: NoticeEffect) -> NoticeEffect:
    """The answer to a request that was answered already."""
    match effect:
        case NoticeEffect.REFUSED | NoticeEffect.REQUEST_OFF | NoticeEffect.NOT_SENT:
            return NoticeEffect.NONE
        case NoticeEffect.REJECTED:
            return NoticeEffect.VERIFY
        case _:
            return effect


def not_sent(core: DeskCore, order: OrderState, at: datetime, text: str, *, is_order: bool = False) -> None:
    """What we asked surely never left: a new order is dead, an older one lives on as it was."""
    if order.status is ExecStatus.NEW and (is_order or order.pending is Pending.SUBMIT):
        end = ExecStatus.CANCELED if order.pending is Pending.CANCEL else ExecStatus.REJECTED
        core.apply(order, Concluded(at=at, status=end, reason=text))
    else:
        core.apply(order, RefusalSeen(at=at, text=text), text=text)


def _ended(core: DeskCore, order: OrderState, notice: NoticeReported, status: BrokerStatus, text: str) -> None:
    seen = StatusSeen(at=notice.at, epoch=notice.epoch, status=status, reason=text)
    core.apply(order, seen, text=text)


# --- the rest ------------------------------------------------------------------------------------------------------


def order_bound_reported(core: DeskCore, report: OrderBoundReported) -> None:
    """A number and a permId belong together."""
    order = core.book.by_perm_id(report.perm_id)
    if order is not None:
        core.book.link_number(order, (report.epoch, report.client_id, report.order_id))
        return
    order = core.book.by_number(report.epoch, report.client_id, report.order_id)
    if order is not None:
        core.apply(order, PermIdSeen(at=report.at, perm_id=report.perm_id))


def frame_damaged(core: DeskCore, report: FrameDamaged) -> None:
    """A frame was lost: it may have been a fill, so ask. Each is journalled and counted; a flood is told in part.

    While lists are asked it may be a row of theirs that will be no better the next time: that one is asked for later.
    """
    core.damaged += 1
    if core.damaged <= _DAMAGE_TOLD or not core.damaged % _DAMAGE_TOLD_AGAIN:
        text = f"{report.reason} (damaged frame {core.damaged:,})"
        core.say(Discrepancy(at=report.at, kind="FRAME_DAMAGED", subject=report.name, text=text))
    if core.recovery.is_running:
        core.deadlines.expect(("", VERIFY), core.config.patience.verify_again)
    else:
        core.ask_verification()
