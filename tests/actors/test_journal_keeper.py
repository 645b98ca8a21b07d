"""A journal is kept small and its next start quick; whatever that work meets, the state is the same."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors import snapshot_maker
from actors.domain.desk_config import DeskConfig
from actors.journal import Journal, JournalDamaged, JournalFailed, JournalIdentity
from actors.journal_archive import archive_old_records
from actors.journal_keeper import JournalKeeper
from actors.journal_reader import JournalReader
from actors.journal_snapshots import Snapshot
from actors.journal_text import WAY_FORWARD
from actors.messages.commands import StateChanged
from actors.messages.reports import BrokerStatus
from actors.restore import encoded, restore, take_snapshot
from tests.actors.domain.deskkit import START, Rig, limit

CONFIG = DeskConfig()
IDENTITY = JournalIdentity(strategy_id=CONFIG.strategy_id, account="")


class Recorder(Rig):
    """A desk whose every input is journalled."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        super().__init__(CONFIG)

    def hear(self, message: Any) -> tuple[Any, ...]:
        self._journal.append([message])
        return super().hear(message)

    def trade(self, orders: int, first: int = 0) -> None:
        for number in range(first, first + orders):
            self.submit(limit(quantity=10), f"o{number}")
            self.status(BrokerStatus.WORKING, f"o{number}")
            self.execution(f"e{number}.01", 10, oms_id=f"o{number}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "strategy.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path, identity=IDENTITY)) as journal:
        yield journal


def state(journal: Journal) -> bytes:
    return encoded(restore(journal, CONFIG))


def test_the_state_from_a_snapshot_is_the_state_from_all_records(journal: Journal) -> None:
    rig = Recorder(journal)
    rig.trade(20)
    whole = state(journal)
    take_snapshot(journal, restore(journal, CONFIG))
    assert state(journal) == whole
    rig.trade(5, first=20)
    resumed = restore(journal, CONFIG)
    for snapshot in journal.path.parent.glob("*.snapshot-*"):
        snapshot.unlink()
    assert encoded(resumed) == state(journal)
    assert msgspec.json.encode(rig.desk.snapshot()) == msgspec.json.encode(resumed.desk.snapshot())


def test_the_keeper_makes_a_snapshot_of_a_journal_in_use_once_it_is_due(journal: Journal) -> None:
    keeper = JournalKeeper(journal, CONFIG, warn=pytest.fail, snapshot_every=50)
    rig = Recorder(journal)
    rig.trade(5)
    keeper.work()
    assert journal.snapshots.sequences() == []
    rig.trade(40, first=5)
    keeper.work()
    assert journal.snapshots.sequences() == [journal.sequence]
    rig.trade(40, first=45)
    keeper.work()
    newest = next(journal.fitting_snapshots())
    assert newest.sequence == journal.sequence
    assert newest.body == encoded(restore(journal, CONFIG))


def test_a_snapshot_that_cannot_be_made_is_told_with_the_reason_and_tried_again_later(
    journal: Journal, path: Path
) -> None:
    said: list[str] = []
    keeper = JournalKeeper(journal, CONFIG, warn=said.append, snapshot_every=50)
    rig = Recorder(journal)
    rig.trade(20)
    intact = path.read_bytes()
    path.write_bytes(intact.replace(b'"o3"', b'"o4"', 1))
    keeper.work()
    assert said == [
        "the journal strategy.journal cannot be tidied up: the snapshot's process ended with 1: "
        f"journal {path}: record 18 is damaged; {WAY_FORWARD}"
    ]
    path.write_bytes(intact)
    keeper.work()
    assert journal.snapshots.sequences() == []
    rig.trade(20, first=20)
    keeper.work()
    assert journal.snapshots.sequences() == [journal.sequence]


def test_a_snapshot_is_refused_when_the_journal_ends_too_early(journal: Journal, path: Path) -> None:
    Recorder(journal).trade(3)
    text = path.read_bytes()
    path.write_bytes(text[: text.rindex(b"ExecutionReported")])
    with pytest.raises(JournalDamaged, match=f"record {journal.sequence} is missing"):
        snapshot_maker.folded(path, CONFIG, last=journal.sequence)


def test_a_system_that_starts_no_process_is_told_and_trading_goes_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    keeper = JournalKeeper(journal, CONFIG, warn=said.append, snapshot_every=1)
    monkeypatch.setattr("sys.executable", "/no/such/interpreter")
    rig = Recorder(journal)
    rig.trade(1)
    keeper.work()
    assert len(said) == 1
    assert "the snapshot's process cannot be started" in said[0]
    rig.trade(1, first=1)


def test_a_snapshot_that_takes_too_long_is_given_up(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_maker, "LONGEST_SECONDS", 0.1)
    monkeypatch.setattr("sys.executable", _sleeping_interpreter(journal.path.parent))
    Recorder(journal).trade(1)
    with pytest.raises(snapshot_maker.SnapshotFailed, match=r"took longer than 0.1 s"):
        snapshot_maker.made_elsewhere(journal.path, CONFIG, last=journal.position, stopping=threading.Event())


def test_a_stop_does_not_wait_for_a_snapshot(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", _sleeping_interpreter(journal.path.parent))
    stopping = threading.Event()
    stopping.set()
    Recorder(journal).trade(1)
    assert snapshot_maker.made_elsewhere(journal.path, CONFIG, last=journal.position, stopping=stopping) is None


def _sleeping_interpreter(folder: Path) -> str:
    """A program that never ends by itself, in the place of Python."""
    program = folder / "sleeper"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    return str(program)


def test_the_keepers_thread_works_beside_the_owner(journal: Journal) -> None:
    keeper = JournalKeeper(journal, CONFIG, warn=pytest.fail, interval_seconds=0.001, snapshot_every=20)
    keeper.start()
    rig = Recorder(journal)
    rig.trade(60)
    keeper.stop()
    JournalKeeper(journal, CONFIG, warn=pytest.fail, snapshot_every=1).work()
    for snapshot in journal.fitting_snapshots():
        assert len(snapshot.body) > 100
    assert msgspec.json.encode(rig.desk.snapshot()) == msgspec.json.encode(restore(journal, CONFIG).desk.snapshot())
    assert journal.snapshots.sequences()[0] == journal.sequence
    assert not [thread for thread in threading.enumerate() if thread.name == "journal-keeper"]


def test_what_the_disk_refuses_is_said_once_and_trading_goes_on(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    keeper = JournalKeeper(journal, CONFIG, warn=said.append, snapshot_every=1)

    def refuse(snapshot: Snapshot) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal.snapshots, "save", refuse)
    for number in range(2):
        Recorder(journal).trade(1, first=number)
        keeper.work()
    assert said == ["the journal strategy.journal cannot be tidied up: [Errno 28] No space left on device"]
    Recorder(journal).trade(1)


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: shutil.rmtree(path.parent),
        lambda path: (path.rename(path.with_suffix(".bak")), shutil.copy(path.with_suffix(".bak"), path)),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
    ],
    ids=["removed", "its folder removed", "replaced", "cut"],
)
def test_a_journal_that_is_gone_takes_nothing_more(harm: Callable[[Path], Any], tmp_path: Path) -> None:
    path, said = tmp_path / "state" / "strategy.journal", list[str]()
    with closing(Journal(path, identity=IDENTITY)) as journal:
        Recorder(journal).trade(1)
        keeper = JournalKeeper(journal, CONFIG, warn=said.append)
        keeper.work()
        assert said == []
        harm(path)
        keeper.work()

        assert "the journal strategy.journal was removed, replaced or cut by somebody else" in said[0]
        with pytest.raises(JournalFailed, match="removed, replaced or cut"):
            journal.append([StateChanged(at=START, strategy_id="s", key="k", value_json="1")])


def test_old_records_go_into_an_archive_and_the_state_stays(journal: Journal, path: Path) -> None:
    rig = Recorder(journal)
    rig.trade(20)
    take_snapshot(journal, restore(journal, CONFIG))
    first = journal.sequence
    rig.trade(20, first=20)
    take_snapshot(journal, restore(journal, CONFIG))
    before, last = state(journal), journal.sequence
    archive = archive_old_records(journal, keep=30)
    assert archive is not None
    assert archive.name == f"strategy.archive-{1:012}-{first:012}"
    assert (journal.text.header.sequence, journal.sequence) == (first, last)
    assert state(journal) == before
    rig.trade(1, first=40)
    assert [record.sequence for record in JournalReader(archive).records()] == list(range(1, first + 1))
    assert [record.sequence for record in JournalReader(path).records()] == list(range(first + 1, last + 4))
    shutil.copytree(path.parent, path.parent / "copy", ignore=shutil.ignore_patterns("*.lock"))
    with closing(Journal(path.parent / "copy" / path.name, identity=IDENTITY)) as again:
        assert state(again) == state(journal)


def test_nothing_is_archived_while_a_snapshot_needs_it_or_it_is_little(journal: Journal) -> None:
    Recorder(journal).trade(20)
    assert archive_old_records(journal, keep=1) is None
    take_snapshot(journal, restore(journal, CONFIG))
    assert archive_old_records(journal, keep=1) is None
    take_snapshot(journal, restore(journal, CONFIG))
    assert archive_old_records(journal) is None


def test_without_the_snapshots_an_archived_journal_is_refused_with_a_sentence(journal: Journal) -> None:
    rig = Recorder(journal)
    for number in range(2):
        rig.trade(20, first=20 * number)
        take_snapshot(journal, restore(journal, CONFIG))
    assert archive_old_records(journal, keep=10) is not None
    for snapshot in journal.path.parent.glob("*.snapshot-*"):
        snapshot.write_bytes(b"damaged")
    with pytest.raises(
        JournalDamaged, match=r"records 1 to \d+ are archived and no snapshot fits; restore the journal"
    ):
        restore(journal, CONFIG)


def test_a_strategys_state_comes_back(journal: Journal) -> None:
    def change(key: str, value: str | None) -> StateChanged:
        return StateChanged(at=START, strategy_id="strategy", key=key, value_json=value)

    journal.append([change("a", "1"), change("b", "[2]"), change("a", None)])
    assert restore(journal, CONFIG).strategy_state == {"b": "[2]"}
    take_snapshot(journal, restore(journal, CONFIG))
    journal.append([change("c", '"x"')])
    assert restore(journal, CONFIG).strategy_state == {"b": "[2]", "c": '"x"'}


def test_a_record_of_another_version_is_refused_with_a_sentence(journal: Journal, path: Path) -> None:
    Recorder(journal).trade(1)
    journal.codec._decoders.pop("SubmitOrder")
    with pytest.raises(JournalDamaged, match="SubmitOrder is no kind of journal record this version knows"):
        restore(journal, CONFIG)


def test_a_snapshot_of_another_version_is_passed_over(journal: Journal) -> None:
    Recorder(journal).trade(3)
    whole = state(journal)
    journal.save_snapshot(b'{"desk": {"unknown": 1}}')
    assert state(journal) == whole
