"""The N-th write of an order flow fails, for every N: no new order leaves, cancels do, the halt names the cause."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.domain.desk_config import DeskConfig
from actors.domain.terms import Side
from actors.halt import HaltSwitch
from actors.journal import Journal, JournalFailed, JournalIdentity, open_database
from actors.messages.commands import SubmitOrder
from actors.messages.events import TradingHalted
from actors.messages.reports import BrokerStatus
from actors.messages.wire import CancelPlacedOrder, PlaceOrder, ReplacePlacedOrder
from actors.order_manager import JournalledOutbox
from actors.restore import restore
from tests.actors.domain.deskkit import Rig, limit

CONFIG = DeskConfig()
IDENTITY = JournalIdentity(strategy_id=CONFIG.strategy_id, account="")
CAUSES = ("database or disk is full", "attempt to write a readonly database", "disk I/O error")


class FailingDatabase:
    """A connection of which the n-th write and all that follow fail."""

    def __init__(self, path: Path, cause: str) -> None:
        self._database = open_database(path)
        self._cause = cause
        self.left = 10_000
        self.failed = False

    def _count(self, statement: str) -> None:
        if not statement.startswith(("BEGIN", "INSERT", "COMMIT", "PRAGMA", "CREATE")):
            return
        self.left -= 1
        if self.left <= 0:
            self.failed = True
            raise sqlite3.OperationalError(self._cause)

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        self._count(statement)
        return self._database.execute(statement, *arguments)

    def executemany(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        self._count(statement)
        return self._database.executemany(statement, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class JournalledRig(Rig):
    """The desk behind its journal, as the order manager has it; what leaves is in ``left``."""

    def __init__(self, journal: Journal) -> None:
        self.left: list[Any] = []
        self.halt = HaltSwitch()
        self.journal = journal
        self.memories: dict[int, bytes] = {}
        self._outbox = JournalledOutbox(journal=journal, dispatch=self.left.extend, halt=self.halt)
        super().__init__(CONFIG)

    def hear(self, message: Any) -> tuple[Any, ...]:
        decided = super().hear(message)
        self._outbox.add(message, decided)
        self._outbox.settle_time()
        before = msgspec.json.encode(self.desk.snapshot())
        for failure in self._outbox.commit():
            self._outbox.add(failure, self.desk.decide(failure))
        self._outbox.commit()
        self.memories.setdefault(self.journal.sequence + (self.halt.reason is not None), before)
        return decided


def trade(rig: JournalledRig) -> None:
    """One order is there from before; then orders, fills, a replace, and at last cancels of everything."""
    rig.working(oms_id="early")
    for number in range(4):
        rig.submit(limit(Side.BUY, 10 + number), f"n{number}")
        if f"n{number}" in {placed.oms_id for placed in rig.left if isinstance(placed, PlaceOrder)}:
            rig.status(BrokerStatus.WORKING, f"n{number}")
            rig.execution(f"e{number}.01", 5, oms_id=f"n{number}")
            rig.commission(f"e{number}.01")
    rig.replace("early", quantity=200)
    rig.wait(1.0)
    rig.cancel("early")


def committed(path: Path) -> Iterator[Any]:
    with closing(Journal(path, identity=IDENTITY)) as journal:
        for record in journal.records():
            yield journal.codec.decode(record.kind, record.body)


@pytest.mark.parametrize(("fails_at", "cause"), [(number, CAUSES[number % 3]) for number in range(1, 110)])
def test_when_the_nth_write_fails_nothing_new_leaves_and_nothing_is_forgotten(
    tmp_path: Path, fails_at: int, cause: str
) -> None:
    path = tmp_path / "demo.journal"
    databases: list[FailingDatabase] = []

    def opener(path: Path) -> sqlite3.Connection:
        databases.append(FailingDatabase(path, cause))
        return databases[-1]  # type: ignore[return-value]

    with closing(Journal(path, identity=IDENTITY, opener=opener)) as journal:
        rig = JournalledRig(journal)
        databases[0].left = fails_at
        trade(rig)
        assert databases[0].failed == (rig.halt.reason is not None)
    check_what_left(rig, path, cause)
    check_what_is_restored(rig, path)


def check_what_left(rig: JournalledRig, path: Path, cause: str) -> None:
    recorded = {message.oms_id for message in committed(path) if isinstance(message, SubmitOrder)}
    halts = [index for index, message in enumerate(rig.left) if isinstance(message, TradingHalted)]
    assert {message.oms_id for message in rig.left if isinstance(message, PlaceOrder)} <= recorded
    if rig.halt.reason is None:
        assert halts == []
        return
    assert len(halts) == 1
    assert rig.halt.reason == f"the journal demo.journal cannot be written: {cause}"
    assert not [late for late in rig.left[halts[0] :] if isinstance(late, PlaceOrder | ReplacePlacedOrder)]
    if "early" in {message.oms_id for message in rig.left if isinstance(message, PlaceOrder)}:
        assert isinstance(rig.left[-1], CancelPlacedOrder) or CancelPlacedOrder in map(type, rig.left)


def check_what_is_restored(rig: JournalledRig, path: Path) -> None:
    with closing(Journal(path, identity=IDENTITY)) as journal:
        found = msgspec.json.encode(restore(journal, CONFIG).desk.snapshot())
        assert found == rig.memories[journal.sequence]


@pytest.mark.parametrize("fails_at", range(1, 25))
def test_when_the_head_cannot_be_written_nothing_new_leaves(
    tmp_path: Path, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "demo.journal"
    with closing(Journal(path, identity=IDENTITY)) as journal:
        rig = JournalledRig(journal)
        left, write = fails_at, journal._head.write

        def failing(sequence: int) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise OSError(28, "No space left on device")
            write(sequence)

        monkeypatch.setattr(journal._head, "write", failing)
        trade(rig)
    check_what_left(rig, path, "[Errno 28] No space left on device")
    check_what_is_restored(rig, path)


@pytest.mark.parametrize("fails_at", range(1, 25))
def test_a_start_on_a_failing_disk_is_refused_with_a_sentence_or_works(tmp_path: Path, fails_at: int) -> None:
    path = tmp_path / "demo.journal"
    with closing(Journal(path, identity=IDENTITY)) as journal:
        trade(JournalledRig(journal))
        whole = journal.sequence

    def opener(path: Path) -> sqlite3.Connection:
        database = FailingDatabase(path, CAUSES[0])
        database.left = fails_at
        return database  # type: ignore[return-value]

    with suppress(JournalFailed), closing(Journal(path, identity=IDENTITY, opener=opener)) as journal:
        assert journal.sequence == whole
    with closing(Journal(path, identity=IDENTITY)) as journal:
        assert len(list(journal.records())) == whole
