"""Reconciliation: what is asked, in which order it is applied, and what silence proves."""

# Decimals are compared with plain ints.
# mypy: disable-error-code="comparison-overlap"

from datetime import timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.domain.contract import Instrument, Session
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import ClientId, Epoch, OmsId, OrderId, PermId
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.domain.reconciling import is_past_its_day
from actors.domain.terms import TimeInForce
from actors.messages.commands import Reconcile
from actors.messages.events import (
    Discrepancy,
    OrderCanceled,
    OrderFilled,
    OrderInDoubt,
    OrderRejected,
    OrderReplaced,
    OrderResolved,
    Reconciled,
)
from actors.messages.reports import BrokerStatus, InstrumentReported, SnapshotEnded, SnapshotKind
from actors.messages.system import SendFailed, SessionChanged, SessionState, Tick
from actors.messages.wire import CancelPlacedOrder, FinishReconciliation, QuerySnapshot
from tests.actors.domain.deskkit import (
    CLIENT,
    FROM_LIST,
    SPY,
    SPY_INSTRUMENT,
    SPY_WANTED,
    START,
    VERIFY,
    Rig,
    limit,
    names,
    only,
)

THREE = [SnapshotKind.OPEN_ORDERS, SnapshotKind.EXECUTIONS, SnapshotKind.COMPLETED_ORDERS]
FIVE = [*THREE, SnapshotKind.POSITIONS, SnapshotKind.ACCOUNT]


def asked(outbox: tuple[Any, ...]) -> list[SnapshotKind]:
    return [message.kind for message in outbox if isinstance(message, QuerySnapshot)]


def end_one(rig: Rig, kind: SnapshotKind, *, complete: bool = True) -> tuple[Any, ...]:
    return rig.hear(SnapshotEnded(at=rig.now, epoch=rig.epoch, kind=kind, complete=complete))


def end_without_positions(rig: Rig, outbox: tuple[Any, ...]) -> tuple[Any, ...]:
    """Every list comes in full but the one of positions, which is asked for twice more in vain."""
    for kind in asked(outbox):
        outbox = end_one(rig, kind, complete=kind is not SnapshotKind.POSITIONS)
    for _ in range(2):
        outbox = end_one(rig, SnapshotKind.POSITIONS, complete=False)
    return outbox


def reconnected(rig: Rig) -> Rig:
    rig.disconnect()
    rig.connect(finish=False)
    return rig


def finish(rig: Rig) -> tuple[Any, ...]:
    """End the lists of a session that reconciles, and become READY if it is finished."""
    outbox = rig.end_lists(tuple(QuerySnapshot(at=rig.now, epoch=rig.epoch, kind=kind) for kind in FIVE))
    if any(isinstance(message, FinishReconciliation) for message in outbox):
        rig.session(SessionState.READY)
    return outbox


# --- runs ---


def test_a_connect_asks_for_everything_in_the_order_that_works() -> None:
    rig = Rig(ready=False)

    assert asked(rig.connect(finish=False)) == FIVE


def test_a_run_ends_with_its_last_list() -> None:
    rig = Rig(ready=False)
    rig.connect(finish=False)

    assert [end_one(rig, kind) for kind in FIVE[:-1]] == [()] * 4
    assert names(end_one(rig, SnapshotKind.ACCOUNT)) == ["Reconciled", "FinishReconciliation"]


def test_an_unasked_end_of_a_list_is_ignored() -> None:
    rig = Rig()

    assert end_one(rig, SnapshotKind.OPEN_ORDERS) == ()
    rig.connect(finish=False)
    end_one(rig, SnapshotKind.OPEN_ORDERS)
    assert end_one(rig, SnapshotKind.OPEN_ORDERS) == ()


def test_an_end_of_an_older_connection_is_ignored() -> None:
    rig = Rig(ready=False)
    rig.connect(finish=False)
    old = Epoch(rig.epoch - 1)

    for kind in FIVE:
        assert rig.hear(SnapshotEnded(at=START, epoch=old, kind=kind)) == ()
    assert asked(rig.connect(finish=False)) == FIVE


def test_a_session_change_of_an_older_connection_is_ignored() -> None:
    rig = Rig()
    old = SessionChanged(at=START, epoch=Epoch(0), state=SessionState.DISCONNECTED)

    assert rig.hear(old) == ()
    assert "PlaceOrder" in names(rig.submit())


def test_the_restored_line_starts_a_run_on_the_same_connection() -> None:
    rig = Rig()
    rig.working()
    rig.session(SessionState.DEGRADED)
    assert not rig.order().in_doubt

    assert asked(rig.session(SessionState.RECONCILING)) == FIVE
    rig.echo(snapshot=True)
    assert names(finish(rig)) == ["Reconciled", "FinishReconciliation"]


def test_the_operator_may_ask_for_a_comparison() -> None:
    rig = Rig()

    outbox = rig.lists()
    assert asked(outbox) == FIVE
    assert names(rig.end_lists(outbox)) == ["Reconciled"]


def test_a_comparison_asked_during_a_run_comes_after_it() -> None:
    rig = Rig()
    outbox = rig.lists()
    assert rig.lists() == ()
    rig.end_lists(outbox)

    assert asked(rig.wait(0.5)) == THREE


def test_a_comparison_without_a_session_waits_for_the_next_connect() -> None:
    rig = Rig()
    rig.disconnect()

    assert rig.hear(Reconcile(at=START, reason="now")) == ()


def test_a_list_that_did_not_end_is_asked_again_twice_and_then_named() -> None:
    rig = Rig(ready=False)
    rig.connect(finish=False)
    said = [end_one(rig, kind, complete=kind is not SnapshotKind.EXECUTIONS) for kind in FIVE]
    assert asked(said[-1]) == [SnapshotKind.EXECUTIONS]
    assert asked(end_one(rig, SnapshotKind.EXECUTIONS, complete=False)) == [SnapshotKind.EXECUTIONS]

    outbox = end_one(rig, SnapshotKind.EXECUTIONS, complete=False)
    assert names(outbox) == ["Discrepancy", "Reconciled", "FinishReconciliation"]
    assert only(Discrepancy, outbox).subject == "EXECUTIONS"


def test_without_the_open_orders_there_is_no_trading() -> None:
    rig = Rig(ready=False)
    outbox = rig.connect(finish=False)

    said = rig.end_lists(outbox, complete=False)
    assert "FinishReconciliation" not in names(said)
    assert rig.wait(29) == ()
    again = rig.wait(2)
    assert asked(again) == FIVE
    assert "FinishReconciliation" in names(rig.end_lists(again))


def test_without_the_positions_a_connection_does_not_begin() -> None:
    """An empty list of positions would pass for being flat."""
    rig = Rig()
    rig.disconnect()
    outbox = end_without_positions(rig, rig.connect(finish=False))

    complaint = only(Discrepancy, outbox)
    assert (complaint.kind, complaint.subject) == ("INCOMPLETE_SNAPSHOT", "POSITIONS")
    assert names(outbox) == ["Discrepancy", "Reconciled"]
    again = rig.wait(30)
    assert asked(again) == FIVE
    assert names(rig.end_lists(again)) == ["Reconciled", "FinishReconciliation"]


def test_positions_that_were_not_listed_are_missed_after_a_second_look_at_the_orders_too() -> None:
    rig = Rig()
    rig.working()
    rig.disconnect()
    outbox = end_without_positions(rig, rig.connect(finish=False))
    assert asked(outbox) == THREE

    assert "FinishReconciliation" not in names(rig.end_lists(outbox))


def test_without_the_positions_a_comparison_in_ready_is_applied() -> None:
    rig = Rig()
    outbox = end_without_positions(rig, rig.lists())

    assert names(outbox) == ["Discrepancy", "Reconciled"]


def test_a_failed_comparison_in_ready_is_repeated() -> None:
    rig = Rig()
    rig.end_lists(rig.lists(), complete=False)

    assert asked(rig.wait(31)) == THREE


def test_a_run_that_waits_too_long_counts_as_not_ended() -> None:
    rig = Rig(ready=False)
    rig.connect(finish=False)
    end_one(rig, SnapshotKind.OPEN_ORDERS)

    assert asked(rig.wait(61)) == FIVE[1:]


def test_a_repeated_open_order_list_starts_afresh() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    rig.echo(snapshot=True, terms=limit(price="400.00"))
    for kind in FIVE:
        end_one(rig, kind, complete=kind is not SnapshotKind.OPEN_ORDERS)
    rig.echo(snapshot=True)
    outbox = end_one(rig, SnapshotKind.OPEN_ORDERS)

    assert "OrderReplaced" not in names(outbox)
    assert rig.order().order == limit()


def test_a_run_is_forgotten_with_its_connection() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    rig.disconnect()
    assert rig.wait(120) == ()


def test_a_missed_retry_is_forgotten_with_its_connection() -> None:
    rig = Rig(ready=False)
    rig.end_lists(rig.connect(finish=False), complete=False)
    rig.session(SessionState.DEGRADED)

    assert rig.wait(31) == ()


# --- what happened while away ---


def test_executions_are_counted_once_where_the_lists_are_asked_twice() -> None:
    rig = Rig()
    rig.working()
    rig.submit(oms_id="b")
    rig = reconnected(rig)
    rig.execution(request_id=FROM_LIST)
    assert asked([end_one(rig, kind) for kind in FIVE][-1]) == THREE
    rig.execution(request_id=FROM_LIST)

    assert only(Reconciled, [end_one(rig, kind) for kind in THREE][-1]).executions == 1


def test_fills_that_were_missed_are_told_once_as_recovered() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)

    first = rig.execution(request_id=FROM_LIST)
    assert only(OrderFilled, first).recovered
    assert rig.execution(request_id=FROM_LIST) == ()
    rig.completed(status=BrokerStatus.FILLED)
    outbox = finish(rig)

    assert names(outbox) == ["OrderCompleted", "Reconciled", "FinishReconciliation"]
    assert only(Reconciled, outbox).executions == 2
    assert rig.execution() == ()


def test_lists_are_applied_fills_first_then_ends() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    rig.said.clear()

    rig.completed(status=BrokerStatus.CANCELED, completed_status="Cancelled by Trader")
    rig.execution("e1.01", 30, request_id=FROM_LIST)
    finish(rig)

    told = [name for name in names(tuple(rig.said)) if name in ("OrderFilled", "OrderCanceled")]
    assert told == ["OrderFilled", "OrderCanceled"]
    assert (rig.order().reason, rig.order().filled) == ("Cancelled by Trader", 30)


def test_a_change_by_hand_while_away_is_told() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    rig.echo(snapshot=True, terms=limit(price="480.00"))

    outbox = finish(rig)

    assert "OrderReplaced" in names(outbox)
    assert only(Discrepancy, outbox).kind == "CHANGED_BY_HAND"


@pytest.mark.parametrize("end", [BrokerStatus.CANCELED, BrokerStatus.FILLED])
def test_the_end_of_one_of_two_broker_orders_is_no_end_of_the_other(end: BrokerStatus) -> None:
    rig = Rig()
    rig.working()
    rig.echo(perm_id=PermId(555))
    listed_living(rig, rig.wait(0.1))
    if end is BrokerStatus.FILLED:
        rig.execution(perm_id=PermId(555))
    rig.status(end, perm_id=PermId(555))

    outbox = listed_living(rig, listed_living(rig, rig.wait(0.1)))

    assert only(Discrepancy, outbox).kind == "ALIVE_AFTER_END"
    assert only(CancelPlacedOrder, outbox).order_id == rig.order().order_id


def listed_living(rig: Rig, outbox: tuple[Any, ...]) -> tuple[Any, ...]:
    rig.echo(snapshot=True)
    said = [end_one(rig, kind) for kind in asked(outbox)]
    return tuple(message for each in said for message in each)


def test_an_order_that_arrived_before_the_crash_is_found_by_its_reference() -> None:
    rig = Rig()
    rig.submit()
    rig = reconnected(rig)
    assert rig.order().in_doubt
    rig.echo(snapshot=True)

    outbox = finish(rig)

    assert only(OrderResolved, outbox).text == "the order is WORKING"
    assert (rig.order().status, rig.order().in_doubt) == (ExecStatus.WORKING, False)


def test_a_completed_row_outside_of_a_run_counts_at_once() -> None:
    rig = Rig()
    rig.working()

    assert names(rig.completed()) == ["OrderCanceled"]


def test_a_completed_row_of_a_stranger_is_history() -> None:
    rig = Rig()
    rig.working()

    assert rig.completed(perm_id=PermId(9), order_ref="theirs") == ()


def test_a_completed_row_ends_a_known_stranger_even_during_a_run() -> None:
    rig = Rig()
    rig.working()
    rig.echo(order_ref="", perm_id=PermId(555), order_id=OrderId(40), client_id=ClientId(7))
    rig = reconnected(rig)

    assert names(rig.completed(order_ref="", perm_id=PermId(555))) == ["OrderCanceled"]


def test_a_rejected_row_is_a_rejection() -> None:
    rig = Rig()
    rig.submit()
    rig = reconnected(rig)
    rig.completed(reject_reason="margin")
    finish(rig)

    assert (rig.order().status, rig.order().reason) == (ExecStatus.REJECTED, "margin")


def test_what_was_asked_after_the_lists_is_not_answered_by_them() -> None:
    rig = Rig()
    rig.working()
    outbox = rig.lists()
    rig.replace(limit_price=Decimal("496.00"))
    rig.echo(snapshot=True, terms=limit())
    rig.end_lists(outbox)

    assert rig.order().pending is Pending.REPLACE


def test_an_order_sent_after_the_lists_were_asked_is_not_missing() -> None:
    rig = Rig()
    outbox = rig.lists()
    rig.submit()

    assert names(rig.end_lists(outbox)) == ["Reconciled"]


def test_a_completed_row_for_an_order_that_was_touched_waits() -> None:
    rig = Rig()
    rig.working()
    outbox = rig.lists()
    rig.cancel()
    rig.completed()
    rig.end_lists(outbox)

    assert rig.order().is_open


def test_without_a_full_list_of_executions_a_filled_row_corrects_no_quantity() -> None:
    rig = Rig()
    rig.working()
    rig.execution("e1.01", 40)
    outbox = rig.lists()
    rig.completed(status=BrokerStatus.FILLED, filled=Decimal(40))
    for kind in asked(outbox):
        end_one(rig, kind, complete=kind is not SnapshotKind.EXECUTIONS)
    for _ in range(2):
        end_one(rig, SnapshotKind.EXECUTIONS, complete=False)

    assert rig.order().order.quantity == 100


def test_a_full_list_of_executions_lets_a_filled_row_correct_the_quantity() -> None:
    rig = Rig()
    rig.working()
    rig.execution("e1.01", 40)
    outbox = rig.lists()
    rig.completed(status=BrokerStatus.FILLED, filled=Decimal(40))
    rig.end_lists(outbox)

    assert (rig.order().order.quantity, rig.order().status) == (40, ExecStatus.FILLED)


def test_a_filled_row_without_a_figure_goes_by_the_executions_where_one_was_corrected() -> None:
    """Filled, and one execution corrected to less, all while we were away: nothing is missing."""
    rig = Rig()
    rig.working()
    rig = reconnected(rig)

    rig.execution("e1.02", 99, request_id=FROM_LIST)
    rig.completed(status=BrokerStatus.FILLED, filled=None)
    finish(rig)

    assert (rig.order().status, rig.order().filled, rig.order().in_doubt) == (ExecStatus.FILLED, 99, False)


def test_a_filled_row_without_a_figure_means_all_of_it_otherwise() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)

    rig.execution("e1.01", 99, request_id=FROM_LIST)
    rig.completed(status=BrokerStatus.FILLED, filled=None)
    finish(rig)

    assert rig.order().is_open


# --- silence ---


def silent_run(rig: Rig, seconds: float = 36) -> tuple[Any, ...]:
    return rig.end_lists(rig.wait(seconds))


def test_a_missing_order_makes_the_lists_be_asked_once_more() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    assert asked([end_one(rig, kind) for kind in FIVE][-1]) == THREE

    outbox = [end_one(rig, kind) for kind in THREE][-1]
    assert names(outbox) == ["OrderInDoubt", "Reconciled", "FinishReconciliation"]
    assert only(OrderInDoubt, outbox).text == "the broker has it in none of its lists"
    assert only(Reconciled, outbox).in_doubt == 1


def test_a_missing_order_that_is_found_the_second_time_is_fine() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    for kind in FIVE:
        end_one(rig, kind)
    rig.echo(snapshot=True)

    assert names(rig.end_lists(tuple(QuerySnapshot(at=START, epoch=rig.epoch, kind=kind) for kind in THREE))) == [
        "Reconciled",
        "FinishReconciliation",
    ]


@pytest.mark.parametrize("shown", [True, False])
def test_a_missing_order_is_in_doubt_when_there_is_no_second_look(shown: bool) -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    said = [end_one(rig, kind) for kind in FIVE][-1]
    while queries := [message for message in said if isinstance(message, QuerySnapshot)]:
        if shown:
            rig.echo(snapshot=True)
        ends = [SnapshotEnded(at=rig.now, epoch=rig.epoch, kind=query.kind, complete=False) for query in queries]
        said = tuple(message for end in ends for message in rig.hear(end))

    assert ("OrderInDoubt" in names(said)) is not shown
    assert rig.order().in_doubt is not shown


def test_silence_shortly_after_silence_proves_nothing() -> None:
    rig = Rig()
    rig.submit()
    rig = reconnected(rig)
    finish(rig)
    rig.end_lists(rig.lists())

    assert rig.order().in_doubt


def test_silence_on_two_connections_proves_nothing() -> None:
    rig = Rig()
    rig.submit()
    for _ in range(3):
        rig = reconnected(rig)
        finish(rig)
        rig.elapsed += 20

    assert rig.order().in_doubt


def test_two_silences_with_a_grace_period_prove_that_it_never_arrived() -> None:
    rig = Rig()
    rig.submit()
    rig = reconnected(rig)
    finish(rig)

    outbox = silent_run(rig)

    assert names(outbox)[-3:] == ["OrderRejected", "OrderResolved", "Reconciled"]
    assert (rig.order().status, rig.order().reason) == (ExecStatus.REJECTED, "never reached the broker")
    assert "PlaceOrder" in names(rig.submit(oms_id="b"))


def test_incomplete_lists_prove_no_absence() -> None:
    rig = Rig()
    rig.submit()
    rig = reconnected(rig)
    for _ in range(4):
        outbox = tuple(QuerySnapshot(at=rig.now, epoch=rig.epoch, kind=kind) for kind in FIVE)
        while kinds := asked(outbox):
            outbox = ()
            for kind in kinds:
                outbox += end_one(rig, kind, complete=kind is not SnapshotKind.COMPLETED_ORDERS)
        if rig.desk.snapshot().session is SessionState.RECONCILING:
            rig.session(SessionState.READY)
        rig.wait(36)

    assert rig.order().in_doubt


def test_an_order_that_shows_up_between_silences_starts_them_anew() -> None:
    rig = Rig()
    rig.working(limit(time_in_force=TimeInForce.IOC))
    rig = reconnected(rig)
    finish(rig)
    outbox = rig.wait(36)
    rig.echo(snapshot=True)
    rig.end_lists(outbox)
    assert not rig.order().in_doubt

    rig.wait(36)
    rig.end_lists(rig.lists())
    assert rig.order().in_doubt


def test_a_day_order_is_over_only_when_its_day_is() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    finish(rig)
    silent_run(rig)
    assert rig.order().in_doubt

    silent_run(rig, 86_400)
    assert (rig.order().status, rig.order().reason) == (ExecStatus.CANCELED, "expired or cancelled while away")


def test_a_gtc_order_is_not_over_by_todays_silence() -> None:
    rig = Rig()
    rig.working(limit(time_in_force=TimeInForce.GTC))
    rig = reconnected(rig)
    finish(rig)
    for _ in range(3):
        silent_run(rig)

    assert rig.order().in_doubt


def test_an_order_that_was_acknowledged_only_by_its_perm_id_is_not_called_never_arrived() -> None:
    rig = Rig()
    rig.submit()
    rig.status(BrokerStatus.UNKNOWN)
    rig = reconnected(rig)
    finish(rig)
    silent_run(rig)

    assert rig.order().in_doubt


def test_an_order_of_an_earlier_day_that_todays_lists_do_not_know_ended_then() -> None:
    rig = Rig()
    rig.working(limit(time_in_force=TimeInForce.GTC))
    rig = reconnected(rig)
    finish(rig)
    silent_run(rig)
    assert rig.order().in_doubt

    outbox = silent_run(rig, 86_400)
    assert names(outbox)[-3:] == ["OrderCanceled", "OrderResolved", "Reconciled"]
    assert rig.order().reason == "ended on an earlier day while away"


def test_hours_that_are_told_no_longer_still_end_the_day_of_an_old_order() -> None:
    def told(*sessions: Session) -> InstrumentReported:
        instrument = attrs.evolve(SPY_INSTRUMENT, liquid_sessions=sessions)
        return InstrumentReported(at=START, epoch=rig.epoch, wanted=SPY_WANTED, instrument=instrument)

    rig = Rig()
    rig.hear(told(*SESSIONS[:2]))
    rig.working()
    rig.hear(told(SESSIONS[2]))
    instrument = rig.desk.snapshot().instruments[0][1]

    assert instrument.liquid_sessions == SESSIONS
    assert is_past_its_day(rig.order(), instrument, START + 23 * HOUR)
    a_week_later = Session(opens=START + 180 * HOUR, closes=START + 181 * HOUR)
    rig.hear(told(a_week_later))
    assert rig.desk.snapshot().instruments[0][1].liquid_sessions == (SESSIONS[2], a_week_later)


def order_of(**fields: Any) -> OrderState:
    terms = limit(**fields)
    return OrderState(oms_id=OmsId("a"), order=terms, contract=SPY, created_at=START, updated_at=START)


HOUR = timedelta(hours=1)
SESSIONS = (
    Session(opens=START - 20 * HOUR, closes=START - 14 * HOUR),
    Session(opens=START - HOUR, closes=START + 5 * HOUR),
    Session(opens=START + 23 * HOUR, closes=START + 29 * HOUR),
)


@pytest.mark.parametrize(
    ("fields", "hours", "expected"),
    [
        ({"time_in_force": "GTC"}, 10_000, False),
        ({"time_in_force": "IOC"}, 0, True),
        ({"time_in_force": "FOK"}, 0, True),
        ({"time_in_force": "GTD", "good_till": START + 2 * HOUR}, 1, False),
        ({"time_in_force": "GTD", "good_till": START + 2 * HOUR}, 2, True),
        ({"time_in_force": "DAY"}, 4, False),
        ({"time_in_force": "DAY"}, 5, True),
        ({"time_in_force": "OPG"}, 5, True),
    ],
)
def test_when_an_order_may_have_expired(fields: dict[str, Any], hours: int, expected: bool) -> None:
    instrument = attrs.evolve(SPY_INSTRUMENT, liquid_sessions=SESSIONS)

    assert is_past_its_day(order_of(**fields), instrument, START + hours * HOUR) is expected


def test_the_trading_hours_count_before_the_liquid_ones() -> None:
    longer = (Session(opens=START - HOUR, closes=START + 9 * HOUR),)
    instrument = Instrument(contract=SPY, liquid_sessions=SESSIONS, trading_sessions=longer)

    assert not is_past_its_day(order_of(), instrument, START + 6 * HOUR)
    assert is_past_its_day(order_of(), instrument, START + 9 * HOUR)


@pytest.mark.parametrize("instrument", [None, SPY_INSTRUMENT])
def test_without_known_hours_a_day_must_pass(instrument: Instrument | None) -> None:
    assert not is_past_its_day(order_of(), instrument, START + 23 * HOUR)
    assert is_past_its_day(order_of(), instrument, START + 24 * HOUR)


# --- doubts ---


def test_an_unanswered_submission_is_doubted_and_asked() -> None:
    rig = Rig()
    rig.submit()

    assert rig.wait(9) == ()
    outbox = rig.wait(1)
    assert names(outbox) == ["OrderInDoubt", *["QuerySnapshot"] * 3]
    assert only(OrderInDoubt, outbox).text == "the SUBMIT was not answered in time"


def test_a_send_that_may_have_left_is_doubted() -> None:
    rig = Rig()
    rig.submit()

    failed = SendFailed(at=START, epoch=rig.epoch, oms_id="a", uncertain=True, text="reset")
    assert only(OrderInDoubt, rig.hear(failed)).text == "reset"
    assert asked(rig.wait(1)) == THREE


def test_a_send_that_surely_failed_rejects_a_new_order() -> None:
    rig = Rig()
    rig.submit()

    rig.hear(SendFailed(at=START, epoch=rig.epoch, oms_id="a", uncertain=False, text="queue full"))
    assert (rig.order().status, rig.order().reason) == (ExecStatus.REJECTED, "not sent: queue full")


@pytest.mark.parametrize("oms_id", ["zz", "a"])
def test_a_failed_send_of_nothing_open_is_ignored(oms_id: str) -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED)

    assert rig.hear(SendFailed(at=START, epoch=rig.epoch, oms_id=oms_id, uncertain=True, text="x")) == ()


def test_a_new_connection_doubts_what_was_unanswered_even_if_the_end_of_the_old_was_not_told() -> None:
    rig = Rig()
    rig.submit()
    outbox = rig.connect(finish=False)

    assert only(OrderInDoubt, outbox).text == "the connection ended before the SUBMIT was answered"


def test_a_doubt_is_told_once() -> None:
    rig = Rig()
    rig.submit()
    rig.wait(11)

    assert rig.disconnect() == ()


def test_a_doubt_that_stays_is_asked_again_later() -> None:
    rig = Rig()
    rig.working()
    rig.notice(4711, VERIFY)
    rig.end_lists(rig.wait(1))

    assert rig.wait(34) == ()
    assert asked(rig.wait(2)) == THREE


def test_a_verification_is_not_asked_on_a_bad_line() -> None:
    rig = Rig()
    rig.working()
    rig.notice(4711, VERIFY)
    rig.session(SessionState.DEGRADED)

    assert rig.wait(1) == ()


def test_a_claim_to_be_filled_without_executions_is_asked_then_doubted_and_named() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.FILLED, filled=Decimal(100))

    assert asked(rig.wait(2)) == THREE
    outbox = rig.wait(3)
    assert names(outbox) == ["Discrepancy", "OrderInDoubt"]
    assert only(Discrepancy, outbox).text == "the broker speaks of 100 filled, its executions add up to 0"
    assert (rig.order().status, rig.order().filled) == (ExecStatus.WORKING, 0)


def test_executions_that_come_in_time_need_no_question() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.FILLED, filled=Decimal(100))
    rig.execution()

    assert rig.wait(60) == ()


def test_a_claim_of_more_fills_on_an_ended_order_is_named() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED, filled=Decimal(30))
    rig.end_lists(rig.wait(2))

    outbox = rig.wait(4)
    assert names(outbox)[0] == "Discrepancy"
    assert rig.order().status is ExecStatus.CANCELED


def test_a_new_claim_gives_the_executions_new_time() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.WORKING, filled=Decimal(10))
    rig.wait(1)
    rig.status(BrokerStatus.WORKING, filled=Decimal(20))
    rig.execution("e1.01", 10)

    assert rig.wait(1) == ()
    assert asked(rig.wait(1)) == THREE


def test_partial_fills_keep_the_time_of_the_claim() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.FILLED, filled=Decimal(100))
    rig.wait(1)
    rig.execution("e1.01", 10)

    assert asked(rig.wait(1)) == THREE


def test_a_verified_order_that_was_filled_meanwhile_is_not_judged_by_silence() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.FILLED, filled=Decimal(100))
    rig.end_lists(rig.wait(6))
    silent_run(rig, 86_400)
    silent_run(rig, 86_400)

    assert rig.order().in_doubt


def test_a_restarted_process_doubts_at_once_what_was_pending() -> None:
    rig = Rig()
    rig.wait(1000)
    rig.submit()
    rig.elapsed = 0.0

    assert names(rig.hear(Tick(at=rig.now, elapsed=0.5)))[0] == "OrderInDoubt"


def test_a_deadline_of_an_order_that_was_evicted_is_ignored() -> None:
    rig = Rig(DeskConfig(keep_closed=0))
    rig.working()
    rig.status(BrokerStatus.CANCELED, filled=Decimal(30))

    assert asked(rig.wait(3)) == []
    assert rig.wait(10) == ()


# --- the dead that live ---


def test_an_order_that_lives_after_its_end_is_named_and_cancelled() -> None:
    rig = Rig()
    rig.submit()
    rig = reconnected(rig)
    finish(rig)
    silent_run(rig)
    assert rig.order().status is ExecStatus.REJECTED

    rig.lists()
    rig.echo(snapshot=True)
    first = rig.hear(SnapshotEnded(at=rig.now, epoch=rig.epoch, kind=SnapshotKind.OPEN_ORDERS))
    assert first == ()
    assert asked([end_one(rig, kind) for kind in FIVE[1:]][-1]) == THREE
    rig.echo(snapshot=True)
    outbox = [end_one(rig, kind) for kind in THREE][-1]
    assert only(Discrepancy, outbox).kind == "ALIVE_AFTER_END"
    assert only(CancelPlacedOrder, outbox).order_id == 1
    assert rig.order().status is ExecStatus.REJECTED


def test_an_end_that_overtakes_the_list_raises_no_dead() -> None:
    rig = Rig()
    rig.working()
    outbox = rig.lists()
    rig.echo(snapshot=True)
    rig.status(BrokerStatus.CANCELED)

    assert names(rig.end_lists(outbox)) == ["Reconciled"]


def test_an_order_evicted_during_a_run_is_passed_over() -> None:
    rig = Rig(DeskConfig(keep_closed=0))
    rig.working(oms_id="a")
    rig.working(oms_id="b")
    outbox = rig.lists()
    rig.echo("a", snapshot=True)
    rig.echo("b", snapshot=True)
    rig.completed("a")
    rig.status(BrokerStatus.CANCELED, "a")

    assert names(rig.end_lists(outbox)) == ["Reconciled"]


def test_an_adopted_order_of_another_client_is_not_cancelled_from_here() -> None:
    rig = Rig()
    rig.working()
    state = attrs.evolve(rig.order(), client_id=ClientId(7), status=ExecStatus.CANCELED)
    book = attrs.evolve(rig.desk.snapshot().book, orders=(state,))
    rig.desk = Desk.restore(attrs.evolve(rig.desk.snapshot(), book=book), DeskConfig())
    outbox = rig.lists()
    for _ in range(2):
        rig.echo(snapshot=True)
        said: tuple[Any, ...] = ()
        for kind in asked(outbox):
            said += end_one(rig, kind)
        outbox = said

    assert only(Discrepancy, outbox).kind == "ALIVE_AFTER_END"
    assert not any(isinstance(message, CancelPlacedOrder) for message in outbox)
    assert rig.desk.config.client_id == CLIENT


# --- corners that a mutant would turn ---


def test_the_repeated_lists_have_retries_of_their_own() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    assert asked([end_one(rig, kind) for kind in FIVE][-1]) == THREE
    said = [end_one(rig, kind, complete=kind is not SnapshotKind.EXECUTIONS) for kind in THREE]

    assert asked(said[-1]) == [SnapshotKind.EXECUTIONS]
    assert asked(end_one(rig, SnapshotKind.EXECUTIONS, complete=False)) == [SnapshotKind.EXECUTIONS]
    assert "FinishReconciliation" in names(end_one(rig, SnapshotKind.EXECUTIONS))


def test_echoes_are_kept_while_another_list_is_asked_again() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    rig.echo(snapshot=True)
    for kind in FIVE:
        end_one(rig, kind, complete=kind is not SnapshotKind.EXECUTIONS)

    assert names(end_one(rig, SnapshotKind.EXECUTIONS)) == ["Reconciled", "FinishReconciliation"]


def test_a_run_goes_on_after_a_restart() -> None:
    rig = Rig()
    rig.working()
    rig = reconnected(rig)
    rig.echo(snapshot=True, terms=limit(price="480.00"))
    rig.desk = Desk.restore(rig.desk.snapshot(), DeskConfig())

    assert "OrderReplaced" in names(finish(rig))


def test_what_the_lists_tell_is_recovered() -> None:
    rig = Rig()
    rig.working(oms_id="a")
    rig.working(oms_id="b")
    rig.submit(oms_id="c")
    rig = reconnected(rig)
    rig.completed("a")
    rig.echo("b", snapshot=True, terms=limit(price="480.00"))
    finish(rig)
    silent_run(rig)

    told = [message for message in rig.said if isinstance(message, OrderCanceled | OrderReplaced | OrderRejected)]
    assert {(type(message).__name__, message.recovered) for message in told} == {
        ("OrderCanceled", True),
        ("OrderReplaced", True),
        ("OrderRejected", True),
    }


def test_the_grace_period_is_long_enough_when_it_is_over() -> None:
    rig = Rig()
    rig.submit()
    rig = reconnected(rig)
    finish(rig)
    rig.wait(30)
    rig.end_lists(rig.lists())

    assert rig.order().status is ExecStatus.REJECTED
    assert rig.desk.snapshot().recovery.absent == ()


def test_the_grace_period_counts_from_the_first_silence_however_late_that_was() -> None:
    rig = Rig()
    rig.wait(1000)
    rig.submit()
    rig = reconnected(rig)
    finish(rig)
    rig.wait(29)
    rig.end_lists(rig.lists())

    assert rig.order().in_doubt


def test_an_order_given_at_the_close_belongs_to_the_next_session() -> None:
    sessions = (
        Session(opens=START - HOUR, closes=START),
        Session(opens=START + 18 * HOUR, closes=START + 24 * HOUR),
    )
    instrument = attrs.evolve(SPY_INSTRUMENT, liquid_sessions=sessions)

    assert not is_past_its_day(order_of(), instrument, START + HOUR)


def test_a_hanging_cancel_is_looked_after_again_and_again() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()
    rig.status(BrokerStatus.CANCEL_PENDING)
    for _ in range(3):
        outbox = rig.wait(60)
        assert asked(outbox) == THREE
        rig.echo(snapshot=True, status=BrokerStatus.CANCEL_PENDING)
        rig.end_lists(outbox)

    assert not rig.order().in_doubt
