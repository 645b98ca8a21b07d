"""The journalled outbox: nothing is dispatched before it is committed, and a broken disk stops new orders only."""

import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.base import Together, start_actor, stop_actor
from actors.domain.contract import Contract, Instrument
from actors.domain.desk import Desk, DeskConfig
from actors.domain.identity import Account, Epoch, ExecId, OmsId, OrderId
from actors.domain.terms import Order, Side
from actors.halt import HaltSwitch
from actors.journal import Journal, JournalFailed, JournalIdentity
from actors.messages.commands import CancelOrder, StateChanged, SubmitOrder
from actors.messages.events import TradingHalted
from actors.messages.reports import BrokerStatus, ExecutionReported, OrderStatusReported, PositionReported
from actors.messages.system import Tick
from actors.messages.wire import CancelPlacedOrder, PlaceOrder
from actors.order_manager import JournalledOutbox, OrderManager, decided_by_time
from tests.actors.domain.deskkit import START, Rig

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SPY, ONE = Contract(symbol="SPY"), Decimal(1)
ORDER = Order(symbol="SPY", side=Side.BUY, quantity=Decimal(1))
SUBMIT = SubmitOrder(at=AT, oms_id=OmsId("a"), order=ORDER)
CANCEL = CancelOrder(at=AT, oms_id=OmsId("b"))
PLACE = PlaceOrder(
    at=AT,
    epoch=Epoch(1),
    oms_id=OmsId("a"),
    order_id=OrderId(1),
    account=Account("DU1"),
    instrument=Instrument(contract=Contract(symbol="SPY")),
    order=ORDER,
)
WITHDRAW = CancelPlacedOrder(at=AT, epoch=Epoch(1), oms_id=OmsId("b"), order_id=OrderId(2))


class RecordingJournal(Journal):
    """A real journal that notes when it committed and can be told to fail."""

    def __init__(self, path: Path, trace: list[str]) -> None:
        super().__init__(path, identity=JournalIdentity(strategy_id="demo", account=""))
        self.trace = trace
        self.broken = False

    def append(self, messages: Any) -> None:
        if self.broken:
            raise JournalFailed("the journal demo.journal cannot be written: database or disk is full")
        super().append(messages)
        self.trace.append(f"commit {len(messages)}")


@pytest.fixture
def trace() -> list[str]:
    return []


@pytest.fixture
def journal(tmp_path: Path, trace: list[str]) -> Any:
    journal = RecordingJournal(tmp_path / "demo.journal", trace)
    yield journal
    journal.close()


def outbox(journal: RecordingJournal, halt: HaltSwitch | None = None) -> JournalledOutbox:
    def dispatch(messages: tuple[Any, ...]) -> None:
        journal.trace.extend(type(message).__name__ for message in messages)

    return JournalledOutbox(journal=journal, dispatch=dispatch, halt=halt or HaltSwitch())


def test_a_batch_is_one_commit_and_is_dispatched_after_it(journal: RecordingJournal) -> None:
    box = outbox(journal)
    box.add(SUBMIT, (PLACE,))
    box.add(CANCEL, (WITHDRAW,))
    assert journal.trace == []
    assert box.commit() == ()
    assert journal.trace == ["commit 2", "PlaceOrder", "CancelPlacedOrder"]


def test_a_quiet_tick_is_written_only_before_something_else(journal: RecordingJournal) -> None:
    box = outbox(journal)
    for elapsed in (1.0, 2.0, 3.0):
        box.pass_time(Tick(at=AT, elapsed=elapsed))
        box.commit()
    assert journal.sequence == 0
    box.add(CANCEL, ())
    box.commit()
    found = [journal.codec.decode(record.kind, record.body) for record in journal.records()]
    assert found == [Tick(at=AT, elapsed=3.0), CANCEL]


def test_a_tick_is_quiet_only_while_nothing_is_due() -> None:
    """A claim to be filled is asked about after two seconds; while the lists are on their way nothing more is said."""
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.FILLED, filled=Decimal(100))
    rig.lists()
    known = rig.desk.snapshot().awaited

    assert decided_by_time(rig.desk, Tick(at=START, elapsed=1.0)) is None
    assert rig.desk.snapshot().awaited == known
    assert decided_by_time(rig.desk, Tick(at=START, elapsed=2.0)) == ()
    assert rig.desk.snapshot().awaited != known
    assert decided_by_time(rig.desk, Tick(at=START, elapsed=3.0)) is None


def test_a_clock_that_starts_anew_is_not_quiet() -> None:
    rig = Rig()
    rig.wait(100)
    rig.disconnect()
    rig.desk = Desk(DeskConfig(), attrs.evolve(rig.desk.snapshot(), awaited=((("", "verify"), 150.0),)))

    assert decided_by_time(rig.desk, Tick(at=START, elapsed=1.0)) == ()


def test_when_the_disk_refuses_no_new_order_leaves_but_cancels_do_and_the_halt_names_the_cause(
    journal: RecordingJournal,
) -> None:
    halt = HaltSwitch()
    box = outbox(journal, halt)
    journal.broken = True
    box.add(SUBMIT, (PLACE,))
    box.add(CANCEL, (WITHDRAW,))
    failed = box.commit()
    assert [failure.oms_id for failure in failed] == ["a"]
    assert not failed[0].uncertain
    assert journal.trace == ["CancelPlacedOrder", TradingHalted.__name__]
    assert halt.reason is not None
    assert "disk is full" in halt.reason


def test_after_a_failure_nothing_more_is_journalled_but_cancels_still_leave(journal: RecordingJournal) -> None:
    box = outbox(journal)
    journal.broken = True
    box.add(SUBMIT, (PLACE,))
    box.commit()
    journal.broken = False
    journal.trace.clear()
    box.add(CANCEL, (WITHDRAW,))
    box.commit()
    assert journal.trace == ["CancelPlacedOrder"]
    assert journal.sequence == 0


def test_what_is_told_together_is_one_commit(journal: RecordingJournal) -> None:
    manager = start_actor(
        OrderManager,
        desk=Rig().desk,
        journal=journal,
        dispatch=lambda _: journal.trace.append("dispatched"),
        halt=HaltSwitch(),
        supervisor=None,
    )
    orders = tuple(attrs.evolve(SUBMIT, oms_id=OmsId(name)) for name in "abcde")
    manager.tell(Together(orders))
    assert stop_actor(manager)
    assert journal.trace == ["commit 5", "dispatched"]
    found = [journal.codec.decode(record.kind, record.body) for record in journal.records()]
    assert found == list(orders)


STATUS = OrderStatusReported(at=AT, epoch=Epoch(1), order_id=OrderId(1), status=BrokerStatus.WORKING)
HELD = PositionReported(at=AT, epoch=Epoch(1), account=Account("DU1"), contract=SPY, quantity=Decimal(1))


class Quiet:
    """A desk that concludes nothing but from a cancel."""

    next_due = None

    def decide(self, message: Any) -> tuple[Any, ...]:
        return (WITHDRAW,) if message is CANCEL else ()


@pytest.fixture
def manager(journal: RecordingJournal) -> Any:
    manager = start_actor(
        OrderManager,
        desk=Quiet(),
        journal=journal,
        dispatch=lambda _: journal.trace.append("dispatched"),
        halt=HaltSwitch(),
        supervisor=None,
    )
    yield manager
    stop_actor(manager)


def help_hear(manager: Any, message: Any) -> None:
    """Told by another thread than the main one, which hears it before ``tell`` returns."""
    teller = threading.Thread(target=manager.tell, args=(message,))
    teller.start()
    teller.join()


def written(journal: RecordingJournal, count: int) -> bool:
    """Whether so many records are in the journal now or soon."""
    due = time.monotonic() + 5
    while journal.sequence != count and time.monotonic() < due:
        time.sleep(0.001)
    return journal.sequence == count


def test_a_statement_that_leads_to_nothing_goes_with_the_next_that_does(
    manager: Any, journal: RecordingJournal
) -> None:
    for message in (STATUS, Together((HELD, STATUS))):
        help_hear(manager, message)
        assert journal.sequence == 0
    help_hear(manager, CANCEL)
    assert written(journal, 4)
    assert journal.trace[0] == "commit 4"


def test_a_statement_that_leads_to_nothing_waits_for_a_tick_at_most(manager: Any, journal: RecordingJournal) -> None:
    manager.tell(STATUS)
    manager.tell(Tick(at=AT, elapsed=1.0))
    assert written(journal, 1)


@pytest.mark.parametrize(
    "message",
    [
        SUBMIT,
        StateChanged(at=AT, strategy_id="demo", key="k", value_json="1"),
        ExecutionReported(
            at=AT, epoch=Epoch(1), exec_id=ExecId("e.01"), contract=SPY, side=Side.BUY, quantity=ONE, price=ONE
        ),
    ],
)
def test_wishes_and_fills_wait_for_nothing(manager: Any, journal: RecordingJournal, message: Any) -> None:
    manager.tell(message)
    assert written(journal, 1)


def test_what_waits_is_written_by_a_stop(manager: Any, journal: RecordingJournal) -> None:
    help_hear(manager, STATUS)
    assert journal.sequence == 0
    stop_actor(manager)
    assert journal.sequence == 1
