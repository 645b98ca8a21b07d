"""Runs of reconciliation: when they start, how their answers are applied, what may be concluded from silence.

Silence proves nothing alone: an order is believed gone only when it was in none of the complete lists twice, on one
connection, with a grace period between. An order that never showed a sign of life then never reached the broker; one
that lived for the day is over once its session is. One that lived longer and is of an earlier day ended on such a day,
because today's completed orders would name it; how, only the position can tell. Anything else stays in doubt.
"""

from datetime import datetime, timedelta

from actors.domain import flattening, hearing
from actors.domain.contract import Instrument
from actors.domain.desk_core import ANSWER, RUN, RUN_AGAIN, VERIFY, DeskCore
from actors.domain.evidence import Concluded, Doubted
from actors.domain.identity import OmsId, OrderId
from actors.domain.order import HELD_CANCELING
from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.recovery import Absence, Stage
from actors.domain.requests import send_cancel
from actors.domain.submission import end_waiting, qualification_missed
from actors.domain.terms import TimeInForce
from actors.messages.events import Discrepancy, Reconciled
from actors.messages.reports import BrokerStatus, SnapshotEnded, SnapshotKind
from actors.messages.system import SendFailed, SessionChanged, SessionState, Tick
from actors.messages.wire import FinishReconciliation, QuerySnapshot

_LIVING = (
    BrokerStatus.PENDING,
    BrokerStatus.HELD,
    BrokerStatus.WORKING,
    BrokerStatus.CANCEL_PENDING,
    BrokerStatus.INACTIVE,
)

# --- the session ---------------------------------------------------------------------------------------------------


def session_changed(core: DeskCore, change: SessionChanged) -> None:
    """Follow the session: what is unanswered when a connection ends is in doubt, each connect starts a full run."""
    if change.epoch < core.epoch:
        return
    lost = change.epoch > core.epoch or change.state in (SessionState.DISCONNECTED, SessionState.CONNECTING)
    core.epoch, core.session = change.epoch, change.state
    if lost:
        _connection_ended(core, change)
    if change.state is SessionState.RECONCILING:
        if change.accounts:
            core.accounts = change.accounts
        if change.next_order_id is not None:
            core.saw_order_id(OrderId(change.next_order_id - 1), ours=True)
        core.suspects.clear()  # whoever compares says it anew before this connection is ready
        begin(core, change.at, full=True)


def _connection_ended(core: DeskCore, change: SessionChanged) -> None:
    core.recovery.stop()
    for key in (RUN, RUN_AGAIN, VERIFY):
        core.deadlines.forget(("", key))
    for wish in tuple(core.waiting.values()):
        end_waiting(core, wish, change.at, ExecStatus.REJECTED, "not connected: the session ended before it was sent")
    for order in core.book.open_orders():
        if order.pending is not None and not order.in_doubt:
            text = f"the connection ended before the {order.pending} was answered"
            core.apply(order, Doubted(at=change.at, text=text), text=text)


def send_failed(core: DeskCore, failure: SendFailed) -> None:
    """A command that did not leave, surely or perhaps."""
    order = core.book.get(OmsId(failure.oms_id))
    if order is None or order.status.is_terminal:
        return
    if failure.uncertain:
        core.apply(order, Doubted(at=failure.at, text=failure.text), text=failure.text)
        core.ask_verification()
    else:
        text = f"not sent: {failure.text}"
        hearing.not_sent(core, order, failure.at, text, is_order=failure.is_order)


# --- runs ----------------------------------------------------------------------------------------------------------


def begin(core: DeskCore, at: datetime, *, full: bool) -> None:
    """Ask for the lists."""
    core.deadlines.forget(("", VERIFY))
    _ask(core, at, core.recovery.begin(full=full))


def _ask(core: DeskCore, at: datetime, kinds: tuple[SnapshotKind, ...]) -> None:
    core.deadlines.expect(("", RUN), core.config.patience.run)
    for kind in kinds:
        core.say(QuerySnapshot(at=at, epoch=core.epoch, kind=kind))


def snapshot_ended(core: DeskCore, end: SnapshotEnded) -> None:
    """One list ended; with the last one the run goes on or is applied."""
    if end.epoch == core.epoch and core.recovery.ended(end.kind, complete=end.complete):
        _all_ended(core, end.at)


def _all_ended(core: DeskCore, at: datetime) -> None:
    recovery = core.recovery
    if recovery.failed and recovery.attempts < core.config.snapshot_retries:
        _ask(core, at, recovery.retry())
    elif SnapshotKind.OPEN_ORDERS in recovery.failed:
        _abandon(core, at)
    else:
        _apply(core, at)


def _abandon(core: DeskCore, at: datetime) -> None:
    """Without the open orders nothing is known: no trading on such ground, ask again later.

    What the first look did not find is in doubt when there is no second one.
    """
    _complain_of_lists(core, at)
    listed = {seen.oms_id for seen in core.recovery.opened}
    for order in _missing(core, listed):
        if order.oms_id in core.recovery.missing:
            _doubt_missing(core, order, at)
    core.recovery.stop()
    core.deadlines.forget(("", RUN))
    key = RUN_AGAIN if core.session is SessionState.RECONCILING else VERIFY
    core.deadlines.expect(("", key), core.config.patience.run_again)


def _complain_of_lists(core: DeskCore, at: datetime) -> None:
    for kind in core.recovery.failed:
        text = "the broker's list did not come in full; nothing is concluded from what it leaves out"
        core.say(Discrepancy(at=at, kind="INCOMPLETE_SNAPSHOT", subject=kind.value, text=text))


def _apply(core: DeskCore, at: datetime) -> None:
    """Apply what the lists said; orders that are missing or rose from the dead are asked for once more."""
    recovery = core.recovery
    _apply_completed(core)
    zombies = _apply_opened(core)
    listed = {seen.oms_id for seen in recovery.opened} | {seen.oms_id for seen in recovery.completed}
    missing = _missing(core, listed)
    for oms_id in listed:
        recovery.absent.pop(oms_id, None)
    if (missing or zombies) and recovery.stage is Stage.LISTING:
        _ask(core, at, recovery.repeat(tuple(order.oms_id for order in missing)))
        return
    for order in zombies:
        _end_zombie(core, order, at)
    for order in missing:
        _judge_missing(core, order, at)
    _finish(core, at)


def _apply_completed(core: DeskCore) -> None:
    """Rows of the completed list; they settle what is filled only together with a complete list of executions."""
    settles = SnapshotKind.EXECUTIONS not in core.recovery.failed
    for seen in core.recovery.completed:
        order = core.book.get(seen.oms_id)
        if order is not None and core.recovery.is_fresh(seen.oms_id):
            evidence = hearing.completed_evidence(seen.report, order, fresh=settles)
            core.apply(order, evidence, text=seen.report.completed_status, recovered=True)


def _apply_opened(core: DeskCore) -> list[OrderState]:
    """Apply the echoes; returns orders that live although we had concluded them."""
    zombies = []
    for seen in core.recovery.opened:
        order = core.book.get(seen.oms_id)
        if order is None:
            continue
        fresh = core.recovery.is_fresh(seen.oms_id)
        if seen.was_over and order.status.is_terminal and seen.report.status in _LIVING and fresh:
            zombies.append(order)
        core.apply(order, hearing.echo_evidence(seen.report, fresh=fresh), recovered=True)
    return zombies


def _missing(core: DeskCore, listed: set[OmsId]) -> list[OrderState]:
    return [
        order
        for order in core.book.open_orders()
        if order.order_id is not None and order.oms_id not in listed and core.recovery.is_fresh(order.oms_id)
    ]


def _end_zombie(core: DeskCore, order: OrderState, at: datetime) -> None:
    """It is over in our books and lives in the broker's: name it, and take it out of the market."""
    text = f"the broker works it although it is {order.status.value} here; it is being cancelled"
    core.say(Discrepancy(at=at, kind="ALIVE_AFTER_END", subject=order.oms_id, text=text))
    if order.client_id == core.config.client_id:
        send_cancel(core, order, at)


def _judge_missing(core: DeskCore, order: OrderState, at: datetime) -> None:
    """What silence about an order proves (see the module)."""
    recovery, elapsed = core.recovery, core.deadlines.elapsed
    order = _doubt_missing(core, order, at)
    if not recovery.proves_absence or order.reported_done:
        return
    absence = recovery.absent.get(order.oms_id)
    if absence is None or absence.epoch != core.epoch:
        recovery.absent[order.oms_id] = Absence(epoch=core.epoch, since=elapsed)
    elif elapsed - absence.since >= core.config.patience.absence_grace:
        end = _end_by_silence(core, order, at)
        if end is not None:
            del recovery.absent[order.oms_id]
            core.apply(order, end, recovered=True)


def _doubt_missing(core: DeskCore, order: OrderState, at: datetime) -> OrderState:
    text = "the broker has it in none of its lists"
    return order if order.in_doubt else core.apply(order, Doubted(at=at, text=text), text=text)


def _end_by_silence(core: DeskCore, order: OrderState, at: datetime) -> Concluded | None:
    if order.status is ExecStatus.NEW and not order.perm_ids:
        return Concluded(at=at, status=ExecStatus.REJECTED, reason="never reached the broker")
    instrument = core.instruments.get(order.contract)
    if is_past_its_day(order, instrument, at):
        return Concluded(at=at, status=ExecStatus.CANCELED, reason="expired or cancelled while away")
    if at >= _end_of_day(order, instrument):  # had it ended today, the completed orders would name it
        return Concluded(at=at, status=ExecStatus.CANCELED, reason="ended on an earlier day while away")
    return None


def is_past_its_day(order: OrderState, instrument: Instrument | None, at: datetime) -> bool:
    """Whether an order can have expired: its session is over; without known hours, a day has passed."""
    terms = order.order
    if terms.good_till is not None:
        return at >= terms.good_till
    if terms.time_in_force in (TimeInForce.DAY, TimeInForce.OPG):
        return at >= _end_of_day(order, instrument)
    return terms.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)


def _end_of_day(order: OrderState, instrument: Instrument | None) -> datetime:
    sessions = () if instrument is None else instrument.trading_sessions or instrument.liquid_sessions
    closes = [session.closes for session in sessions if session.closes > order.created_at]
    return min(closes, default=order.created_at + timedelta(days=1))


def _finish(core: DeskCore, at: datetime) -> None:
    recovery = core.recovery
    _complain_of_lists(core, at)
    again, executions = recovery.again, recovery.executions
    recovery.stop()
    core.deadlines.forget(("", RUN))
    if SnapshotKind.EXECUTIONS not in recovery.failed:
        core.asked_for_owed()
    doubts = core.book.doubt_count
    core.say(Reconciled(at=at, open_orders=core.book.open_count, executions=executions, in_doubt=doubts))
    if core.session is SessionState.RECONCILING:
        _open_session(core, at)
    if again:
        core.deadlines.expect(("", VERIFY), 0.0)
    elif doubts or core.owed:
        core.deadlines.expect(("", VERIFY), core.config.patience.verify_again)


def _open_session(core: DeskCore, at: datetime) -> None:
    """No trading without the positions: an incomplete list would pass for being flat. They are asked for again."""
    if core.recovery.lacks_positions:
        core.deadlines.expect(("", RUN_AGAIN), core.config.patience.run_again)
    else:
        core.say(FinishReconciliation(at=at, epoch=core.epoch))


# --- deadlines -----------------------------------------------------------------------------------------------------


def ticked(core: DeskCore, tick: Tick) -> None:
    """What was awaited in vain becomes a doubt, and doubts are asked."""
    while due := core.deadlines.passed(tick.elapsed):
        for oms_id, awaited in due:
            if oms_id:
                _order_due(core, OmsId(oms_id), awaited, tick.at)
            else:
                _run_due(core, awaited, tick.at)


def _run_due(core: DeskCore, awaited: str, at: datetime) -> None:
    match awaited:
        case "run":
            core.recovery.give_up_waiting()
            _all_ended(core, at)
        case "run again":
            if core.session is SessionState.RECONCILING:
                begin(core, at, full=True)
        case flattening.FLATTEN:
            flattening.overdue(core, at)
        case _:
            if core.recovery.is_running:
                core.recovery.again = True
            elif core.is_ready:
                begin(core, at, full=False)


def _order_due(core: DeskCore, oms_id: OmsId, awaited: str, at: datetime) -> None:
    order = core.book.get(oms_id)
    if order is None:
        return
    match awaited:
        case "answer":
            _answer_due(core, order, at)
        case "inactive":
            _doubt(core, order, at, "the broker calls it inactive without a reason")
        case "fills query":
            core.ask_verification()
        case "fills":
            _fills_missing(core, order, at)
        case _:
            qualification_missed(core, oms_id, at)


def _answer_due(core: DeskCore, order: OrderState, at: datetime) -> None:
    if order.held == HELD_CANCELING and core.is_ready:
        core.deadlines.expect((order.oms_id, ANSWER), core.config.patience.cancel_check)
        core.ask_verification()
    else:
        _doubt(core, order, at, f"the {order.pending} was not answered in time")


def _doubt(core: DeskCore, order: OrderState, at: datetime, text: str) -> None:
    core.apply(order, Doubted(at=at, text=text), text=text)
    core.ask_verification()


def _fills_missing(core: DeskCore, order: OrderState, at: datetime) -> None:
    claim = f"speaks of {order.reported_filled} filled" if order.reported_filled > order.filled else "calls it filled"
    text = f"the broker {claim}, its executions add up to {order.filled}"
    core.say(Discrepancy(at=at, kind="MISSING_EXECUTIONS", subject=order.oms_id, text=text))
    if order.reported_done:
        core.apply(order, Doubted(at=at, text=text), text=text)
    core.ask_verification()
