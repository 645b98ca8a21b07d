"""The invariants bite: each is broken by hand once."""

from typing import Any

import attrs
import pytest

from actors.domain.desk_config import DeskConfig
from actors.domain.desk_core import ANSWER, DeskCore
from actors.domain.identity import Epoch, OmsId, OrderId
from actors.domain.invariants import InvariantViolated, check
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.messages.events import Discrepancy, FillCorrected
from actors.messages.system import SessionState
from actors.messages.wire import PlaceOrder, ReplacePlacedOrder
from tests.actors.domain.deskkit import ACCOUNT, SPY_INSTRUMENT, START, Rig, limit
from tests.actors.domain.test_order import after, execution, new, sent, working


def core_with(*orders: OrderState) -> DeskCore:
    core = DeskCore(DeskConfig())
    core.session, core.epoch = SessionState.READY, Epoch(1)
    for order in orders:
        core.book.put(None, order)
        if order.pending is not None:
            core.deadlines.expect((order.oms_id, ANSWER), 1.0)
    return core


def check_change(before: OrderState | None, now: OrderState, *outbox: Any, watched: bool = True) -> None:
    core = core_with(now) if watched else DeskCore(DeskConfig())
    core.book.put(None, now)
    core.changes = [(before, now)]
    check(core, None, outbox, 0)


def placed(**fields: Any) -> PlaceOrder:
    command = PlaceOrder(
        at=START,
        epoch=Epoch(1),
        oms_id=OmsId("a"),
        order_id=OrderId(5),
        account=ACCOUNT,
        instrument=SPY_INSTRUMENT,
        order=limit(),
    )
    return attrs.evolve(command, **fields)


def check_placing(core: DeskCore, command: PlaceOrder | ReplacePlacedOrder, high_water: int = 4) -> None:
    check(core, None, (command,), high_water)


def test_a_sound_decision_passes() -> None:
    check_placing(core_with(sent()), placed())
    check_change(None, sent())
    check_change(sent(), working())


def test_i1_an_order_is_sent_once() -> None:
    with pytest.raises(InvariantViolated, match="I1 a: sent as 5 and again as 6"):
        check_change(sent(), attrs.evolve(sent(), order_id=OrderId(6)))
    with pytest.raises(InvariantViolated, match="I1 a: the book does not know"):
        check_placing(core_with(), placed())
    with pytest.raises(InvariantViolated, match="I1 a: the book does not know"):
        check_placing(core_with(attrs.evolve(sent(), order_id=OrderId(9))), placed())
    with pytest.raises(InvariantViolated, match="I1 a: it is pending without having been sent"):
        check_change(new(), new(pending=Pending.SUBMIT))


def test_i1_an_order_leaves_only_on_its_ready_connection() -> None:
    with pytest.raises(InvariantViolated, match="I1 a: an order leaves outside"):
        check_placing(core_with(sent()), placed(epoch=Epoch(2)))
    core = core_with(sent())
    core.session = SessionState.DEGRADED
    with pytest.raises(InvariantViolated, match="I1 a: an order leaves outside"):
        check_placing(core, placed())


def test_i3_an_overfill_has_an_alarm() -> None:
    over = after(working(), execution("e1.01", 101))
    with pytest.raises(InvariantViolated, match="I3 a: over-filled without an alarm"):
        check_change(working(), over)
    with pytest.raises(InvariantViolated, match="I3"):
        check_change(working(), over, Discrepancy(at=START, kind="OTHER", subject="a", text=""))

    check_change(working(), over, Discrepancy(at=START, kind="OVERFILL", subject="a", text=""))
    check_change(attrs.evolve(working(), external=True), attrs.evolve(over, external=True))


def test_i4_filled_falls_only_by_a_correction() -> None:
    filled, busted = after(working(), execution("e1.01", 9)), after(working(), execution("e1.02", 0))
    with pytest.raises(InvariantViolated, match="I4 a: a fill vanished"):
        check_change(filled, working())
    with pytest.raises(InvariantViolated, match="I4 a: filled fell without a correction"):
        check_change(filled, busted)

    said = FillCorrected(at=START, order=busted, fill=busted.fills["e1"], previous=filled.fills["e1"])
    check_change(filled, busted, said)
    elsewhere = attrs.evolve(said, order=attrs.evolve(busted, oms_id=OmsId("b")))
    with pytest.raises(InvariantViolated, match="I4"):
        check_change(filled, busted, elsewhere)


def test_i5_terminal_states_stay() -> None:
    canceled = attrs.evolve(working(), status=ExecStatus.CANCELED)
    with pytest.raises(InvariantViolated, match="I5 a: CANCELED became WORKING"):
        check_change(canceled, working())

    check_change(canceled, attrs.evolve(canceled, status=ExecStatus.FILLED))
    check_change(canceled, attrs.evolve(canceled, status=ExecStatus.REJECTED))
    with pytest.raises(InvariantViolated, match="I5 a: FILLED became REJECTED"):
        check_change(
            attrs.evolve(canceled, status=ExecStatus.FILLED), attrs.evolve(canceled, status=ExecStatus.REJECTED)
        )


def test_i8_order_ids_grow() -> None:
    with pytest.raises(InvariantViolated, match="I8 a: order id 5 is not above 5"):
        check_placing(core_with(sent()), placed(), high_water=5)


@pytest.mark.parametrize("fields", [{"pending": Pending.CANCEL}, {"in_doubt": True}])
def test_i9_an_ended_order_awaits_nothing(fields: dict[str, Any]) -> None:
    ended = attrs.evolve(working(), status=ExecStatus.CANCELED)
    with pytest.raises(InvariantViolated, match="I9 a: it is over and still awaits something"):
        check_change(ended, attrs.evolve(ended, **fields))


def test_i9_what_is_pending_has_a_deadline() -> None:
    with pytest.raises(InvariantViolated, match="I9 a: its SUBMIT has no deadline"):
        check_change(new(), sent(), watched=False)

    check_change(new(), attrs.evolve(sent(), in_doubt=True), watched=False)
    check_change(new(), attrs.evolve(sent(), external=True), watched=False)


def test_i9_only_the_last_state_of_a_decision_counts() -> None:
    core = core_with(working())
    core.changes = [(new(), sent()), (sent(), working())]

    check(core, None, (), 0)


def test_i10_nothing_is_sent_into_a_doubt() -> None:
    doubted = attrs.evolve(sent(), oms_id=OmsId("d"), in_doubt=True)
    with pytest.raises(InvariantViolated, match="I10 a: it is sent while d is in doubt"):
        check_placing(core_with(sent(), doubted), placed())


def test_i10_a_replace_leaves_only_in_ready() -> None:
    core = core_with(working())
    command = ReplacePlacedOrder(
        at=START,
        epoch=Epoch(1),
        oms_id=OmsId("a"),
        order_id=OrderId(5),
        account=ACCOUNT,
        instrument=SPY_INSTRUMENT,
        order=limit(),
    )
    check_placing(core, command)
    core.session = SessionState.RECONCILING
    with pytest.raises(InvariantViolated, match="I10 a: a replace leaves"):
        check_placing(core, command)


def test_without_checks_nothing_is_checked() -> None:
    checked, unchecked = Rig(), Rig(DeskConfig(check_invariants=False))

    assert [type(said) for said in checked.submit()] == [type(said) for said in unchecked.submit()]
