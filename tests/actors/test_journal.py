"""The journal keeps what it promised, and says plainly when it cannot."""

import errno
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.identity import OmsId
from actors.journal import (
    Durability,
    Journal,
    JournalDamaged,
    JournalFailed,
    JournalIdentity,
)
from actors.journal_files import Head, JournalLocked, RecordFile, head_of, written_aside
from actors.journal_text import BEGINNING, Header, JournalText, Position, committed
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
    middle = next(again.text.batches(BEGINNING)).end
    assert [record.sequence for record in again.records(after=middle)] == [3]
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


def written(path: Path, batches: int = 3) -> bytes:
    """The text of a journal of so many commits, of a record each."""
    with closing(opened(path)) as journal:
        for number in range(1, batches + 1):
            journal.append([cancel(number)])
    return path.read_bytes()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"demo-2", b"demo-4"),
        (b"CancelOrder", b"Tick"),
        (b"\n= 2 ", b"\n= 3 "),
        (b"\n= 2 ", b"\n= 2 0"),
        (b"\n= 2 ", b"\n= 1 "),
        (b"\n= 2 ", b" = 2 "),
        (b"demo-2", b"demo-2\n"),
    ],
)
def test_a_changed_record_is_refused(path: Path, old: bytes, new: bytes) -> None:
    text = written(path, 4)
    second = text.index(b"\n= 1 ") + 1
    path.write_bytes(text[:second] + text[second:].replace(old, new, 1))
    with pytest.raises(JournalDamaged, match="record 2 is damaged; restore the journal from a backup"):
        opened(path)


def test_a_missing_commit_is_refused(path: Path) -> None:
    text = written(path)
    second, third = (text.index(b"\n", text.index(b"\n= %d " % number) + 1) + 1 for number in (1, 2))
    path.write_bytes(text[:second] + text[third:])
    path.with_suffix(".head").unlink()
    assert opened_records(path) == [
        1
    ]  # without the head file nothing says that there was more: what follows is cut off


def opened_records(path: Path) -> list[int]:
    with closing(opened(path)) as journal:
        return [record.sequence for record in journal.records()]


@pytest.mark.parametrize("kept", [b"", b"Cancel", b"= 2 0123"])
def test_a_lost_tail_is_noticed(path: Path, kept: bytes) -> None:
    text = written(path, 2)
    path.write_bytes(text[: text.rindex(b"CancelOrder")] + kept)
    with pytest.raises(JournalDamaged, match="ends at record 1 but 2 were written"):
        opened(path)


def test_a_tail_that_vanishes_from_an_open_journal_is_noticed(path: Path) -> None:
    text = written(path, 2)
    with closing(opened(path)) as journal:
        path.write_bytes(text[: text.rindex(b"CancelOrder")])
        with pytest.raises(JournalDamaged, match="record 2 is missing"):
            list(journal.records())


def test_a_line_that_is_just_being_written_is_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads beside the owner may see half a line, and the other half as the next one."""

    class Growing(io.BytesIO):
        def __iter__(self) -> Iterator[bytes]:
            for line in iter(self.readline, b""):
                yield from (line[:9], line[9:]) if b"demo-2" in line else (line,)

    text = written(path)
    journal = JournalText(path)
    monkeypatch.setattr(Path, "open", lambda _, mode: Growing(text))
    assert [record.sequence for batch in journal.batches(BEGINNING) for record in batch.records] == [1]


def test_a_file_that_was_closed_takes_nothing_whoever_has_its_number_now(path: Path, tmp_path: Path) -> None:
    written(path)
    file = RecordFile(path)
    file.close()
    file.close()
    with (tmp_path / "other").open("wb"), pytest.raises(OSError, match="Bad file descriptor"):
        file.append(b"x")
    assert (tmp_path / "other").read_bytes() == b""


def test_what_could_not_be_written_aside_takes_no_place(path: Path) -> None:
    def refused() -> Iterator[bytes]:
        yield b"begun"
        raise OSError(28, "No space left on device")

    path.parent.mkdir()
    with pytest.raises(OSError, match="No space left"):
        written_aside(path, refused())
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("torn", range(1, 140, 7))
def test_a_commit_that_was_cut_off_is_as_if_it_had_never_been(path: Path, torn: int) -> None:
    """The process was killed within the write: nothing that follows from it has left."""
    text = written(path, 2)
    rest, end = committed(
        Position(2, bytes.fromhex(text[-33:-1].decode()), 0), [("CancelOrder", b'{"a": "' + b"b" * 90 + b'"}')]
    )
    assert torn < len(rest)
    path.write_bytes(text + rest[:torn])
    with closing(opened(path)) as journal:
        assert contents(journal) == [cancel(1), cancel(2)]
        assert path.read_bytes() == text
        journal.append([cancel(3)])
        assert contents(journal) == [cancel(1), cancel(2), cancel(3)]


def test_a_file_that_is_no_journal_is_refused_with_a_way_forward(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a journal at all" * 100)
    with pytest.raises(JournalDamaged, match="from a backup, or move it away"):
        opened(path)
    path.unlink()
    opened(path).close()


def test_a_folder_that_cannot_be_written_is_named_with_its_cause(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(JournalFailed, match=r"the journal .*demo\.journal cannot be opened: "):
        opened(tmp_path / "state" / "demo.journal")


@pytest.mark.parametrize(
    "first_line",
    [
        b"callboard journal 1 {}\n",
        b"callboard journal 2 {}\n",
        b"callboard journal 2 {",
        b"callboard journal two\n",
        Header(strategy="demo", account="DU1234567", chain="xy").line(),
    ],
)
def test_a_first_line_that_cannot_be_read_is_refused(path: Path, first_line: bytes) -> None:
    text = written(path)
    path.write_bytes(first_line + text[text.index(b"\n") + 1 :])
    with pytest.raises(JournalDamaged, match="this is no journal; restore"):
        opened(path)


def test_a_journal_of_an_older_version_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\0" + b"\0" * 4080)
    with pytest.raises(JournalDamaged, match="is of an older version: let that version end its orders"):
        opened(path)


def test_a_full_disk_at_the_start_is_not_called_a_damage(path: Path) -> None:
    opened(path).close()

    def full(path: Path) -> RecordFile:
        raise OSError(28, "No space left on device")

    with pytest.raises(JournalFailed, match="cannot be opened: .*No space left on device"):
        opened(path, opener=full)
    opened(path).close()


def test_snapshots_keep_the_last_two_and_skip_a_damaged_one(path: Path) -> None:
    journal = opened(path)
    assert list(journal.fitting_snapshots()) == []
    for number in (1, 2, 3):
        journal.append([cancel(number)])
        journal.save_snapshot(f"state {number}".encode())
    assert [found.body for found in journal.fitting_snapshots()] == [b"state 3", b"state 2"]
    newest = path.parent / "demo.snapshot-000000000003"
    newest.write_bytes(newest.read_bytes().replace(b"state 3", b"state 4"))
    assert [found.body for found in journal.fitting_snapshots()] == [b"state 2"]
    journal.close()


def test_a_damaged_lock_is_named_so_that_nobody_looks_for_the_damage_in_the_journal(path: Path) -> None:
    opened(path).close()
    path.with_suffix(".lock").write_bytes(b"\xff" * 5000)
    with pytest.raises(JournalFailed, match="cannot be opened: its lock demo.lock: file is not a database"):
        opened(path)


@pytest.mark.parametrize(
    "head", [b'{"sequence":1e400,"chain":"","offset":0,"crc":0}', b"[" * 100_000, b"[1]", b""], ids=len
)
def test_a_snapshot_whose_head_is_anything_is_passed_over(path: Path, head: bytes) -> None:
    with closing(opened(path)) as journal:
        journal.append([cancel(1)])
        journal.save_snapshot(b"state 1")
        (path.parent / "demo.snapshot-000000000002").write_bytes(head + b"\n")
        assert [found.body for found in journal.fitting_snapshots()] == [b"state 1"]


def test_a_snapshot_that_cannot_be_read_is_passed_over(path: Path) -> None:
    (path.parent / "demo.snapshot-000000000002").mkdir(parents=True)
    with closing(opened(path)) as journal:
        assert list(journal.fitting_snapshots()) == []


def test_snapshots_that_a_restored_journal_left_behind_do_not_crowd_out_its_own(path: Path) -> None:
    with closing(opened(path)) as journal:
        for number in (1, 2):
            journal.append([cancel(number)])
            journal.save_snapshot(b"lost")
    path.unlink()
    path.with_suffix(".head").unlink()
    with closing(opened(path)) as journal:
        journal.append([cancel(7)])
        journal.save_snapshot(b"ours")
        assert journal.snapshots.sequences() == [1]
        assert [found.body for found in journal.fitting_snapshots()] == [b"ours"]


def test_a_snapshot_of_another_history_is_passed_over(path: Path) -> None:
    journal = opened(path)
    journal.append([cancel(1), cancel(2)])
    journal.save_snapshot(b"state")
    journal.close()
    path.unlink()
    path.with_suffix(".head").unlink()
    journal = opened(path)
    journal.append([cancel(7), cancel(8)])
    assert list(journal.fitting_snapshots()) == []
    journal.close()


class FailingFile(RecordFile):
    """A file whose n-th write takes so many bytes more, and then fails as a full disk does."""

    def __init__(self, path: Path, *, fails_at: int, taken: int = 0, lasting: bool = False) -> None:
        super().__init__(path)
        self._left, self._taken, self._lasting = fails_at, taken, lasting

    def append(self, data: bytes) -> None:
        self._left -= 1
        if self._left == 0:
            super().append(data[: self._taken])
            raise OSError(28, "No space left on device")
        super().append(data)

    def cut(self, size: int) -> None:
        if self._lasting and self._left <= 0:
            raise OSError(5, "Input/output error")
        super().cut(size)


@pytest.mark.parametrize("fails_at", range(1, 6))
@pytest.mark.parametrize("taken", [0, 1, 60, 150])
def test_a_batch_that_failed_is_taken_back_as_a_whole(path: Path, fails_at: int, taken: int) -> None:
    """An error is named, what was committed before is all there, and the journal can be written again afterwards."""
    batches = [[cancel(10 * number), cancel(10 * number + 1)] for number in range(1, 6)]
    kept: list[object] = []
    with closing(opened(path, opener=lambda path: FailingFile(path, fails_at=fails_at, taken=taken))) as journal:
        for number, batch in enumerate(batches, 1):
            if number == fails_at:
                with pytest.raises(JournalFailed, match=r"demo.journal cannot be written: .*No space left"):
                    journal.append(batch)
            else:
                journal.append(batch)
                kept += batch
        assert contents(journal) == kept
    with closing(opened(path)) as again:
        assert contents(again) == kept


def test_a_batch_that_cannot_be_taken_back_is_the_last(path: Path) -> None:
    """Behind half a commit nothing may be written; the next start cuts it off."""
    with closing(opened(path, opener=lambda path: FailingFile(path, fails_at=2, taken=20, lasting=True))) as journal:
        journal.append([cancel(1)])
        for _ in range(2):
            with pytest.raises(JournalFailed, match="No space left on device"):
                journal.append([cancel(2)])
        assert contents(journal) == [cancel(1)]
    with closing(opened(path)) as again:
        assert contents(again) == [cancel(1)]


def test_a_promise_is_in_the_head_file_at_once(tmp_path: Path) -> None:
    head = Head(tmp_path / "demo.head")
    assert (head.read(), head.path.read_bytes()) == (0, bytes(8))
    head.write(258)
    assert (head.read(), head_of(head.path.read_bytes())) == (258, 258)
    head.close()
    again = Head(head.path)
    assert again.read() == 258
    again.close()


@pytest.mark.parametrize("left", range(8))
def test_a_head_that_is_not_whole_promises_nothing(tmp_path: Path, left: int) -> None:
    path = tmp_path / "demo.head"
    path.write_bytes(b"\xff" * left)
    head = Head(path)
    assert head.read() == 0
    head.write(5)
    assert head_of(path.read_bytes()) == 5
    head.close()


def test_a_head_that_the_disk_has_no_room_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    closed: list[int] = []
    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        disk.setattr(os, "close", closed.append)
        with pytest.raises(OSError, match="No space"):
            Head(tmp_path / "demo.head")
    (descriptor,) = closed
    os.close(descriptor)


def test_a_head_that_cannot_be_written_takes_the_batch_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sequence: int) -> None:
        raise OSError(5, "Input/output error")

    with closing(opened(path)) as journal:
        journal.append([cancel(1)])
        monkeypatch.setattr(journal._head, "write", refuse)
        with pytest.raises(JournalFailed, match="Input/output error"):
            journal.append([cancel(2)])
        monkeypatch.undo()
        journal.append([cancel(3)])
        assert contents(journal) == [cancel(1), cancel(3)]


def test_a_disk_that_takes_a_part_of_each_write_gets_all_of_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
    written(path)
    monkeypatch.undo()
    assert opened_records(path) == [1, 2, 3]


@given(st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=5), max_size=6), st.data())
def test_any_cut_leaves_whole_commits_and_any_change_is_noticed(sizes: list[list[int]], data: st.DataObject) -> None:
    """Without a head file: a prefix of the commits comes back, or a refusal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.journal"
        with closing(opened(path)) as journal:
            for numbers in sizes:
                journal.append([cancel(number) for number in numbers])
        prefixes = [[cancel(n) for numbers in sizes[:count] for n in numbers] for count in range(len(sizes) + 1)]
        path.with_suffix(".head").unlink()
        text = bytearray(path.read_bytes())
        place = data.draw(st.integers(text.index(b"\n") + 1, len(text)))
        if place < len(text) and data.draw(st.booleans()):
            text[place] ^= 1 << data.draw(st.integers(0, 7))
        else:
            del text[place:]
        path.write_bytes(text)
        with suppress(JournalDamaged), closing(opened(path)) as journal:
            assert contents(journal) in prefixes
