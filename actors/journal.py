"""The journal: every input of the order manager, on disk before anything it decided leaves.

A text file for each strategy and account, only ever appended to (``journal_text`` has its form): a commit is one write.
A small head file beside it names the last record handed to the disk, so that a tail that went missing is noticed.
Inputs are recorded, not state: replaying them through the desk gives the state back. Old records may be moved into
archives (``journal_archive``); what is left begins at the older snapshot.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from enum import StrEnum
from itertools import chain
from pathlib import Path

import attrs

from actors.codec import Codec
from actors.fault_points import reached
from actors.journal_files import Head, ProcessLock, RecordFile, put_in_place, written_aside
from actors.journal_snapshots import Snapshot, SnapshotFiles
from actors.journal_text import (
    BEGINNING,
    WAY_FORWARD,
    Header,
    JournalDamaged,
    JournalText,
    Position,
    Record,
    committed,
)

__all__ = ["Durability", "Journal", "JournalDamaged", "JournalFailed", "JournalIdentity"]


class Durability(StrEnum):
    """What a committed record survives."""

    PROCESS = "process"  # kill -9
    POWER = "power"  # power loss: synced before the wire


class JournalFailed(Exception):
    """The disk refused; nothing of the batch may be sent."""


@attrs.frozen(kw_only=True)
class JournalIdentity:
    """Whose journal it is; a journal of somebody else is refused."""

    strategy_id: str
    account: str


class Journal:
    """Owned by the order manager, used by one thread at a time; opened before the actors start."""

    def __init__(
        self,
        path: Path,
        *,
        identity: JournalIdentity,
        durability: Durability = Durability.PROCESS,
        codec: Codec | None = None,
        opener: Callable[[Path], RecordFile] = RecordFile,
    ) -> None:
        self.path = path
        self.codec = codec if codec is not None else Codec()
        self.snapshots = SnapshotFiles(path)
        self._durable = durability is Durability.POWER
        self._opener = opener
        self._failure = ""
        with ExitStack() as undo:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = ProcessLock(path.with_suffix(".lock"))
                undo.callback(self._lock.release)
                self.text = self._prepared(identity)
                self._head = Head(path.with_suffix(".head"), durable=self._durable)
                undo.callback(self._head.close)
                self._position = self._verified_end()
                self._file = opener(path)
                undo.callback(self._file.close)
                self._cut_to(self._position)
            except (OSError, sqlite3.Error) as error:  # the lock is SQLite's
                raise JournalFailed(f"the journal {path} cannot be opened: {error}") from error
            undo.pop_all()

    @property
    def position(self) -> Position:
        """The place behind the last record."""
        return self._position

    @property
    def sequence(self) -> int:
        """Number of the last record, 0 while empty."""
        return self._position.sequence

    def append(self, messages: Iterable[object]) -> None:
        """Commit messages together, in order.

        Raises:
            JournalFailed: the disk refused; none of them is recorded.
        """
        if self._failure:
            raise JournalFailed(self._failure)
        encode = self.codec.encode
        text, position = committed(self._position, [encode(message) for message in messages])
        try:
            self._write(text)
            reached("journal.committed")
            self._head.write(position.sequence)
            reached("journal.promised")
        except OSError as error:
            self._take_back(error)
        self._position = position

    def look_after(self) -> None:
        """See that the file is where it was; on the keeper's thread.

        Raises:
            JournalFailed: it was removed, replaced or cut behind our back; from then on nothing is taken.
            OSError: the system does not say.
        """
        committed_bytes = self.text.place_of(self._position)  # asked first: the file may grow meanwhile
        if not self._file.is_at(self.path, committed_bytes):
            self._failure = f"the journal {self.path.name} was removed, replaced or cut by somebody else"
            raise JournalFailed(self._failure)

    def _write(self, text: bytes) -> None:
        self._file.append(text)
        if self._durable:
            self._file.sync()

    def _take_back(self, error: OSError) -> None:
        """Leave nothing of a batch that failed; when not even that is possible the journal takes nothing more."""
        failure = f"the journal {self.path.name} cannot be written: {error}"
        try:
            self._cut_to(self._position)
        except OSError:
            self._failure = failure
        raise JournalFailed(failure) from error

    def _cut_to(self, position: Position) -> None:
        place = self.text.place_of(position)
        if self._file.size > place:
            self._file.cut(place)

    def records(self, *, after: Position = BEGINNING) -> Iterator[Record]:
        """Records in order, behind a position or all there ever were, each checked.

        Raises:
            JournalDamaged: a record is missing, archived, or not what was written.
        """
        for batch in self.text.batches(after):
            after = batch.end
            yield from batch.records
        if after.sequence != self.sequence:
            raise JournalDamaged(f"journal {self.path}: record {after.sequence + 1} is missing; {WAY_FORWARD}")

    def save_snapshot(self, body: bytes) -> None:
        """Store the state after the last record.

        Raises:
            OSError: the disk refused; nothing is lost but the time that the next start takes.
        """
        self.snapshots.save(Snapshot(position=self._position, body=body), durable=self._durable)

    def fitting_snapshots(self) -> Iterator[Snapshot]:
        """The intact snapshots that belong to this journal, newest first."""
        return self.snapshots.fitting(self.text)

    def forget(self, position: Position) -> None:
        """Let go of the records up to a position, which are archived; not while the engine runs.

        Raises:
            OSError: the disk refused; the journal is as it was.
        """
        header = self.text.header.starting_at(position)
        shorter = written_aside(self.path, chain([header.line()], self.text.portions(position, self._position)))
        self._file.close()  # Windows replaces no open file
        try:
            put_in_place(shorter, self.path)
        finally:
            self._file = self._opener(self.path)
        self.text = JournalText(self.path)

    def close(self) -> None:
        """Close and give the lock up."""
        self._file.close()
        self._head.close()
        self._lock.release()

    def _prepared(self, identity: JournalIdentity) -> JournalText:
        if not self.path.exists() or not self.path.stat().st_size:
            header = Header(strategy=identity.strategy_id, account=identity.account)
            put_in_place(written_aside(self.path, [header.line()]), self.path)
        text = JournalText(self.path)
        for key, ours in (("strategy", identity.strategy_id), ("account", identity.account)):
            written = getattr(text.header, key)
            if ours and written != ours:
                raise JournalDamaged(
                    f"journal {self.path} belongs to {key} {written!r}, not {ours!r}; name another directory"
                )
        return text

    def _verified_end(self) -> Position:
        """The place behind the last whole commit, looked for from the newest snapshot on."""
        newest = next(self.fitting_snapshots(), None)
        end = self.text.header.start if newest is None else newest.position
        for batch in self.text.batches(end):
            end = batch.end
        promised = self._head.read()
        if promised > end.sequence:
            raise JournalDamaged(
                f"journal {self.path} ends at record {end.sequence} but {promised} were written: the tail is lost; "
                f"restore it, or delete {self._head.path.name} to go on from the broker's books"
            )
        return end
