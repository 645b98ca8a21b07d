"""The N-th write of an order flow fails, for every N: no new order leaves, cancels do, the halt names the cause."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.domain.desk_config import DeskConfig
from actors.domain.terms import Side
from actors.halt import HaltSwitch
from actors.journal import Journal, JournalIdentity
from actors.journal_files import RecordFile
from actors.messages.commands import SubmitOrder
from actors.messages.events import TradingHalted
from actors.messages.reports import BrokerStatus
from actors.messages.wire import CancelPlacedOrder, PlaceOrder, ReplacePlacedOrder
from actors.order_manager import JournalledOutbox
from actors.restore import restore
from tests.actors.domain.deskkit import Rig, limit

CONFIG = DeskConfig()
IDENTITY = JournalIdentity(strategy_id=CONFIG.strategy_id, account="")
CAUSES = ((28, "No space left on device"), (30, "Read-only file system"), (5, "Input/output error"))


class FailingFile(RecordFile):
    """A file of which the n-th write and all that follow fail, the first of them half-way; nothing is taken back."""

    def __init__(self, path: Path, cause: tuple[int, str]) -> None:
        super().__init__(path)
        self._cause = cause
        self.left = 10_000
        self.failed = False

    def append(self, data: bytes) -> None:
        self.left -= 1
        if self.left <= 0:
            if not self.failed:
                super().append(data[: len(data) // 2])
            self.failed = True
            raise OSError(*self._cause)
        super().append(data)

    def cut(self, size: int) -> None:
        if self.failed:
            raise OSError(*self._cause)
        super().cut(size)


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


@pytest.mark.parametrize(("fails_at", "cause"), [(number, CAUSES[number % 3]) for number in range(1, 40)])
def test_when_the_nth_write_fails_nothing_new_leaves_and_nothing_is_forgotten(
    tmp_path: Path, fails_at: int, cause: tuple[int, str]
) -> None:
    path = tmp_path / "demo.journal"
    files: list[FailingFile] = []

    def opener(path: Path) -> RecordFile:
        files.append(FailingFile(path, cause))
        return files[-1]

    with closing(Journal(path, identity=IDENTITY, opener=opener)) as journal:
        rig = JournalledRig(journal)
        files[0].left = fails_at
        trade(rig)
        assert files[0].failed == (rig.halt.reason is not None)
    check_what_left(rig, path, str(OSError(*cause)))
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
