"""The journal keeps what it promised, and says plainly when it cannot."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.domain.identity import OmsId
from actors.journal import (
    Durability,
    Journal,
    JournalDamaged,
    JournalFailed,
    JournalIdentity,
    _insertion,
    open_database,
)
from actors.journal_files import JournalLocked
from actors.messages.commands import CancelOrder
from actors.messages.system import Tick

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
OURS = JournalIdentity(strategy_id="demo", account="DU1234567")


def cancel(number: int) -> CancelOrder:
    return CancelOrder(at=AT, oms_id=OmsId(f"demo-{number}"))


def opened(path: Path, **arguments: object) -> Journal:
    return Journal(path, identity=OURS, **arguments)  # type: ignore[arg-type]


def contents(journal: Journal) -> list[object]:
    return [journal.codec.decode(record.kind, record.body) for record in journal.records()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "demo.journal"


@pytest.mark.parametrize("durability", list(Durability))
def test_what_was_appended_is_read_back_in_order_after_reopening(path: Path, durability: Durability) -> None:
    journal = opened(path, durability=durability)
    journal.append([cancel(1), Tick(at=AT, elapsed=1.5)])
    journal.append([cancel(2)])
    journal.close()
    again = opened(path)
    assert contents(again) == [cancel(1), Tick(at=AT, elapsed=1.5), cancel(2)]
    assert again.sequence == 3
    assert [record.sequence for record in again.records(after=2)] == [3]
    again.close()


def test_records_survive_a_process_that_is_killed(path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from tests.actors.test_journal import opened, cancel\n"
        "journal = opened(Path(sys.argv[1])); journal.append([cancel(1)]); journal.append([cancel(2)])\n"
        "os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, 'SIGKILL') else signal.SIGTERM)"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=60)
    assert killed.returncode != 0
    journal = opened(path)
    assert contents(journal) == [cancel(1), cancel(2)]
    journal.close()


def test_a_second_owner_is_refused_and_told_who_the_first_is(path: Path) -> None:
    first = opened(path)
    with pytest.raises(JournalLocked, match=r"in use by process \d+"):
        opened(path)
    first.close()
    opened(path).close()


def test_a_journal_of_another_strategy_is_refused(path: Path) -> None:
    opened(path).close()
    with pytest.raises(JournalDamaged, match="belongs to strategy 'demo', not 'other'"):
        Journal(path, identity=JournalIdentity(strategy_id="other", account="DU1234567"))


@pytest.mark.parametrize("column", ["kind", "body", "crc", "chain"])
def test_a_changed_record_is_refused(path: Path, column: str) -> None:
    journal = opened(path)
    journal.append([cancel(1), cancel(2), cancel(3)])
    journal.close()
    database = open_database(path)
    value: object = 5 if column == "crc" else (b"x" if column != "kind" else "Tick")
    database.execute(f"UPDATE records SET {column} = ? WHERE sequence = 2", (value,))
    database.close()
    again = opened(path)
    with pytest.raises(JournalDamaged, match="record 2 is damaged"):
        list(again.records())
    again.close()


def test_a_missing_record_is_refused(path: Path) -> None:
    journal = opened(path)
    journal.append([cancel(1), cancel(2), cancel(3)])
    journal.close()
    database = open_database(path)
    database.execute("DELETE FROM records WHERE sequence = 2")
    database.close()
    again = opened(path)
    with pytest.raises(JournalDamaged, match="record 2 is damaged"):
        list(again.records())
    again.close()


def test_a_lost_tail_is_noticed(path: Path) -> None:
    journal = opened(path)
    journal.append([cancel(1), cancel(2)])
    journal.close()
    database = open_database(path)
    database.execute("DELETE FROM records WHERE sequence = 2")
    database.close()
    with pytest.raises(JournalDamaged, match="ends at record 1 but 2 were written"):
        opened(path)


def test_a_file_that_is_no_journal_is_refused_with_a_way_forward(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(JournalDamaged, match="from a backup, or move it away"):
        opened(path)
    path.unlink()
    opened(path).close()


def test_a_folder_that_cannot_be_written_is_named_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(JournalFailed, match=r"the journal .*demo\.journal cannot be opened: "):
        opened(tmp_path / "state" / "demo.journal")


def test_a_full_disk_at_the_start_is_not_called_a_damage(path: Path) -> None:
    opened(path).close()
    with pytest.raises(JournalFailed, match="cannot be opened: database or disk is full"):
        opened(path, opener=failing(1))
    opened(path).close()


def test_snapshots_keep_the_last_two_and_skip_a_damaged_one(path: Path) -> None:
    journal = opened(path)
    assert list(journal.fitting_snapshots()) == []
    journal.append([cancel(1), cancel(2), cancel(3)])
    for sequence in (1, 2, 3):
        journal.save_snapshot(sequence, f"state {sequence}".encode())
    assert [found.body for found in journal.fitting_snapshots()] == [b"state 3", b"state 2"]
    newest = path.parent / "demo.snapshot-000000000003"
    newest.write_bytes(newest.read_bytes().replace(b"state 3", b"state 4"))
    assert [found.body for found in journal.fitting_snapshots()] == [b"state 2"]
    journal.close()


def test_a_snapshot_of_another_history_is_passed_over(path: Path) -> None:
    journal = opened(path)
    journal.append([cancel(1), cancel(2)])
    journal.save_snapshot(2, b"state")
    journal.close()
    for old in path.parent.glob("demo.journal*"):
        old.unlink()
    path.with_suffix(".head").unlink()
    journal = opened(path)
    journal.append([cancel(7), cancel(8)])
    assert list(journal.fitting_snapshots()) == []
    journal.close()


def test_a_checkpoint_moves_the_log_into_the_database(path: Path) -> None:
    journal = opened(path)
    journal.append([cancel(number) for number in range(200)])
    before = path.stat().st_size
    journal.checkpoint()
    assert path.stat().st_size > before
    journal.append([cancel(201)])
    assert len(contents(journal)) == 201
    journal.close()


class FailingDatabase:
    """A connection whose n-th statement fails as a full disk does."""

    def __init__(self, database: sqlite3.Connection, fails_at: int) -> None:
        self._database = database
        self._left = fails_at

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise sqlite3.OperationalError("database or disk is full")

    def execute(self, *arguments: object) -> sqlite3.Cursor:
        self._count()
        return self._database.execute(*arguments)  # type: ignore[arg-type]

    def executemany(self, *arguments: object) -> sqlite3.Cursor:
        self._count()
        return self._database.executemany(*arguments)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)


def failing(fails_at: int) -> Callable[[Path], sqlite3.Connection]:
    return lambda path: FailingDatabase(open_database(path), fails_at)  # type: ignore[return-value]


@pytest.mark.parametrize("fails_at", range(1, 40))
def test_a_failure_at_any_statement_leaves_whole_batches_only(path: Path, fails_at: int) -> None:
    """Every N of an open and five commits: an error is named, and what was committed before is all there."""
    committed: list[object] = []
    batches = [[cancel(10 * number), cancel(10 * number + 1)] for number in range(1, 5)]
    batches.insert(1, [cancel(number) for number in range(100, 140)])
    with suppress(JournalFailed, JournalDamaged), closing(opened(path, opener=failing(fails_at))) as journal:
        for batch in batches:
            journal.append(batch)
            committed += batch
    again = opened(path)
    found = contents(again)
    again.close()
    assert found == committed


@pytest.mark.parametrize("fails_at", range(1, 6))
def test_a_long_batch_that_failed_is_taken_back_as_a_whole(path: Path, fails_at: int) -> None:
    """Forty records are a BEGIN, three statements and a COMMIT; the journal can be written again afterwards."""
    opened(path).close()
    database = FailingDatabase(open_database(path), 0)
    with closing(opened(path, opener=lambda _: database)) as journal:
        database._left = fails_at
        with pytest.raises(JournalFailed):
            journal.append([cancel(number) for number in range(40)])
        journal.append([cancel(41)])
        assert contents(journal) == [cancel(41)]


def test_batches_of_every_size_leave_only_a_few_statements_behind(path: Path) -> None:
    """SQLite keeps each kind of statement with what it last wrote: with one for each size memory grew for weeks."""
    written = [cancel(number) for number in range(120)]
    with closing(opened(path)) as journal:
        for size in range(1, 101):
            journal.append(written[:size])
        assert contents(journal) == [message for size in range(1, 101) for message in written[:size]]
    assert _insertion.cache_info().currsize <= 16
