"""Ended orders whose executions are not all in: until what they filled is known, nothing new in their instrument."""

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.domain.contract import Contract, Instrument
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import Account, OmsId
from actors.domain.invariants import InvariantViolated, check
from actors.domain.order_state import ExecStatus
from actors.domain.terms import Order
from actors.messages.commands import AcceptPosition, BlockInstrument, Books, SubmitOrder
from actors.messages.events import OrderRejected, Reconciled
from actors.messages.reports import AccountsReported, BrokerStatus, InstrumentReported, SnapshotEnded, SnapshotKind
from actors.messages.wire import PlaceOrder, QuerySnapshot
from tests.actors.domain.deskkit import ACCOUNT, SPY, SPY_INSTRUMENT, START, Rig, market, only
from tests.actors.domain.test_invariants import placed

EXECUTIONS = SnapshotKind.EXECUTIONS
REFUSAL = "no new exposure in SPY: order a ended and the broker did not send all the executions it speaks of"


def owing(config: DeskConfig | None = None) -> Rig:
    """Order a is cancelled with 40 filled, of which 30 are not executed here."""
    rig = Rig(config)
    rig.working(oms_id="a")
    rig.execution("e1.01", 10)
    rig.status(BrokerStatus.CANCELED, filled=Decimal(40))
    return rig


def is_blocked(rig: Rig, oms_id: str = "b", order: Order | None = None) -> bool:
    outbox = rig.submit(order, oms_id)
    refused = [said.order.reason for said in outbox if isinstance(said, OrderRejected)]
    if not refused:
        only(PlaceOrder, outbox)
        rig.status(BrokerStatus.CANCELED, oms_id)
        return False
    assert refused == [REFUSAL]
    return True


def verified(rig: Rig, seconds: float = 36, *, complete: bool = True) -> list[SnapshotKind]:
    """Let the next comparison of the lists come and end; the lists it asked for."""
    outbox = rig.wait(seconds)
    rig.end_lists(outbox, complete=complete)
    return [said.kind for said in outbox if isinstance(said, QuerySnapshot)]


def test_nothing_new_is_sent_before_the_executions_are_in() -> None:
    rig = owing()
    assert is_blocked(rig, "b")

    rig.execution("e2.01", 20)
    assert is_blocked(rig, "c")
    rig.execution("e3.01", 10)
    assert not is_blocked(rig, "d")


@pytest.mark.parametrize("filled", [None, Decimal(0)])
def test_filled_after_cancelled_claims_all_of_it(filled: Decimal | None) -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED)
    assert not is_blocked(rig, "b")
    rig.status(BrokerStatus.FILLED, "a", filled=filled)

    assert is_blocked(rig, "c")


def test_an_open_order_may_wait_for_its_executions() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.WORKING, filled=Decimal(40))

    assert not is_blocked(rig)


def test_the_claim_may_come_before_the_end() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.WORKING, filled=Decimal(40))
    rig.status(BrokerStatus.CANCELED)

    assert is_blocked(rig)


def test_a_busted_fill_is_not_owed() -> None:
    rig = Rig()
    rig.working()
    rig.execution("e1.01", 40)
    rig.status(BrokerStatus.CANCELED, filled=Decimal(40))
    rig.execution("e1.02", 0)

    assert not is_blocked(rig)


@pytest.mark.parametrize("change", ["other instrument", "other account", "closing"])
def test_what_it_does_not_touch_goes_on(change: str) -> None:
    rig = owing()
    fields: dict[str, Any] = {}
    order = market()
    if change == "other instrument":
        qqq = Instrument(contract=Contract(symbol="QQQ", con_id=320227571))
        rig.hear(InstrumentReported(at=START, epoch=rig.epoch, wanted=Contract(symbol="QQQ"), instrument=qqq))
        order = Order(side=order.side, quantity=1, symbol="QQQ")
    elif change == "other account":
        other = Account("DU7654321")
        rig.hear(AccountsReported(at=START, epoch=rig.epoch, accounts=(ACCOUNT, other)))
        fields = {"account": other}
    else:
        fields = {"closing": True}
    outbox = rig.hear(SubmitOrder(at=rig.now, oms_id=OmsId("b"), order=order, **fields))

    only(PlaceOrder, outbox)


def test_two_complete_lists_without_them_leave_it_to_the_positions() -> None:
    rig = owing()
    assert SnapshotKind.EXECUTIONS in verified(rig, 2)
    assert is_blocked(rig, "b")
    assert SnapshotKind.EXECUTIONS in verified(rig)

    assert not is_blocked(rig, "c")
    assert verified(rig, 3600) == []


def test_it_is_asked_again_until_it_is_known() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED, filled=Decimal(40))
    verified(rig, 2)
    verified(rig, complete=False)
    for oms_id in ("b", "c"):
        assert is_blocked(rig, oms_id)
        verified(rig, complete=False)
    assert is_blocked(rig, "d")
    verified(rig)

    assert not is_blocked(rig, "e")


def test_a_list_of_executions_that_did_not_come_in_full_tells_nothing() -> None:
    rig = owing()
    outbox = rig.wait(2)
    for said in outbox:
        if isinstance(said, QuerySnapshot):
            rig.hear(SnapshotEnded(at=rig.now, epoch=rig.epoch, kind=said.kind, complete=said.kind is not EXECUTIONS))
    for _ in range(2):
        rig.hear(SnapshotEnded(at=rig.now, epoch=rig.epoch, kind=EXECUTIONS, complete=False))
    verified(rig)
    assert is_blocked(rig, "b")
    verified(rig)

    assert not is_blocked(rig, "c")


def test_a_new_claim_starts_afresh() -> None:
    rig = owing()
    verified(rig, 2)
    rig.status(BrokerStatus.CANCELED, "a", filled=Decimal(50))
    verified(rig, 2)

    assert is_blocked(rig, "b")


@pytest.mark.parametrize("command", ["unblock", "accept"])
def test_a_human_may_settle_it(command: str) -> None:
    rig = owing()
    if command == "unblock":
        rig.hear(BlockInstrument(at=START, instrument="QQQ", blocked=False, reason=""))
        assert is_blocked(rig, "b")
        rig.hear(BlockInstrument(at=START, instrument="#756733", blocked=False, reason=""))
    else:
        accepted = AcceptPosition(
            at=START, account=ACCOUNT, contract=SPY, ours=Decimal(10), broker=Decimal(40), accepted=Books.BROKER
        )
        rig.hear(accepted)

    assert not is_blocked(rig, "c")


@pytest.mark.parametrize("accepted", Books)
def test_a_human_may_settle_what_is_called_filled_and_was_never_executed_here(accepted: Books) -> None:
    """The broker lists executions of some days only: those of an older day never come."""
    rig = Rig()
    rig.working(oms_id="a")
    rig.execution("e1.01", 10)
    rig.status(BrokerStatus.FILLED, filled=Decimal(100))
    rig.wait(3600)
    assert rig.order("a").in_doubt
    rig.hear(
        AcceptPosition(
            at=rig.now, account=ACCOUNT, contract=SPY, ours=Decimal(10), broker=Decimal(100), accepted=accepted
        )
    )

    order = rig.order("a")
    assert (order.status, order.in_doubt) == (ExecStatus.CANCELED, False)
    assert order.reason.endswith("the position was settled by hand")
    assert not is_blocked(rig)


def test_settling_a_position_ends_no_order_that_lives_or_is_of_another() -> None:
    rig = Rig()
    rig.working(oms_id="a")
    rig.working(oms_id="b")
    rig.status(BrokerStatus.FILLED, "b", filled=Decimal(100))
    one = Decimal(1)
    accepted = AcceptPosition(at=rig.now, account=ACCOUNT, contract=SPY, ours=one, broker=one, accepted=Books.BROKER)
    qqq = Contract(symbol="QQQ", con_id=320227571)
    for other in (attrs.evolve(accepted, account=Account("DU7654321")), attrs.evolve(accepted, contract=qqq)):
        rig.hear(other)
        assert not rig.order("b").status.is_terminal
    rig.hear(accepted)

    assert (rig.order("a").status.is_terminal, rig.order("b").status.is_terminal) == (False, True)


def test_a_restart_remembers_it() -> None:
    rig = owing()
    rig.desk = Desk(DeskConfig(), rig.desk.snapshot())

    assert is_blocked(rig)


def test_an_evicted_order_is_owed_nothing() -> None:
    rig = owing(DeskConfig(keep_closed=0))

    assert not is_blocked(rig)
    only(Reconciled, rig.end_lists(rig.lists()))
    assert rig.desk.snapshot().owed == ()


def test_i10_an_order_that_leaves_while_executions_are_missing_is_a_violation() -> None:
    rig = owing()
    core = rig.desk._core
    core.deadlines.forget(("", "verify"))
    core.owed = {}
    rig.submit(oms_id="b")
    core.owed, core.changes = {OmsId("a"): 0}, []
    number = rig.order("b").order_id
    assert number is not None
    command = placed(oms_id=OmsId("b"), order_id=number, epoch=rig.epoch, instrument=SPY_INSTRUMENT)

    with pytest.raises(InvariantViolated, match="I10 b: it is sent while executions of a are missing"):
        check(core, None, (command,), number - 1)
