"""The journal: every input of the order manager, on disk before anything it decided leaves.

An append-only SQLite database (WAL) per strategy and account. A record is (sequence, kind, body) with a CRC of its own
and a hash chained to the one before. A small head file beside it names the last sequence handed to the disk, so that a
tail that went missing is noticed. Inputs are recorded, not state: replaying them through the desk gives the state back.
Old records may be moved into archives (``journal_archive``); what is left begins at or before the older snapshot.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import attrs

from actors.codec import Codec
from actors.fault_points import reached
from actors.journal_files import Head, ProcessLock
from actors.journal_snapshots import Snapshot, SnapshotFiles

SCHEMA_VERSION = 1
GENESIS = b"\0" * 16
_WAY_FORWARD = "restore the journal from a backup, or move it away and start from the broker's books"
RECORDS_TABLE = """
CREATE TABLE IF NOT EXISTS records (
    sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL, chain BLOB NOT NULL);
"""
_COLUMNS = 5
_MOST_VALUES = 16 * _COLUMNS
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
{RECORDS_TABLE}
"""


class Durability(StrEnum):
    """What a committed record survives."""

    PROCESS = "process"  # kill -9
    POWER = "power"  # power loss: fsync before the wire


class JournalFailed(Exception):
    """The disk refused; nothing of the batch may be sent."""


class JournalDamaged(Exception):
    """The journal cannot be trusted; one sentence with a way forward."""


@attrs.frozen(kw_only=True)
class Record:
    """One journalled input."""

    sequence: int
    kind: str
    body: bytes


@attrs.frozen(kw_only=True)
class JournalIdentity:
    """Whose journal it is; a journal of somebody else is refused."""

    strategy_id: str
    account: str


def open_database(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode; transactions are spelled out."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


class Journal:
    """Owned by the order manager, used by one thread at a time; opened before the actors start."""

    def __init__(
        self,
        path: Path,
        *,
        identity: JournalIdentity,
        durability: Durability = Durability.PROCESS,
        codec: Codec | None = None,
        opener: Callable[[Path], sqlite3.Connection] = open_database,
    ) -> None:
        self.path = path
        self.codec = codec if codec is not None else Codec()
        self.snapshots = SnapshotFiles(path)
        self._durable = durability is Durability.POWER
        with ExitStack() as undo:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._lock = ProcessLock(path.with_suffix(".lock"))
                undo.callback(self._lock.release)
                self._database = opener(path)
                undo.callback(self._database.close)
                self._prepare(identity)
                self._head = Head(path.with_suffix(".head"), durable=self._durable)
                undo.callback(self._head.close)
                self._sequence, self._chain = self._verified_tail()
            except (sqlite3.OperationalError, OSError) as error:
                raise JournalFailed(f"the journal {path} cannot be opened: {error}") from error
            except sqlite3.DatabaseError as error:
                raise JournalDamaged(f"journal {path}: {error}; {_WAY_FORWARD}") from error
            undo.pop_all()

    @property
    def sequence(self) -> int:
        """Number of the last record, 0 while empty."""
        return self._sequence

    def append(self, messages: Iterable[object]) -> None:
        """Commit messages as one transaction, in order: a few hundred at most.

        Raises:
            JournalFailed: the disk refused; none of them is recorded.
        """
        sequence, chain = self._sequence, self._chain
        values: list[object] = []
        for message in messages:
            kind, body = self.codec.encode(message)
            sequence += 1
            chain = chained(chain, kind, body)
            values += (sequence, kind, body, crc_of(sequence, kind, body), chain)
        try:
            self._insert(values)
            reached("journal.committed")
            self._head.write(sequence)
            reached("journal.promised")
        except (sqlite3.Error, OSError) as error:
            raise JournalFailed(f"the journal {self.path.name} cannot be written: {error}") from error
        self._sequence, self._chain = sequence, chain

    def _insert(self, values: list[object]) -> None:
        """One statement is a transaction of its own, and one wait for the interpreter; more of them make one together.

        Each number of rows is a statement that SQLite keeps, with what it last wrote: so there are only a few.
        """
        execute = self._database.execute
        if len(values) <= _MOST_VALUES:
            execute(_insertion(len(values)), values)
            return
        execute("BEGIN")
        try:
            for start in range(0, len(values), _MOST_VALUES):
                portion = values[start : start + _MOST_VALUES]
                execute(_insertion(len(portion)), portion)
            execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # SQLite rolls back by itself after some failures, and the first one is told
            self._database.execute("ROLLBACK")

    def records(self, *, after: int = 0) -> Iterator[Record]:
        """Records in order, each checked against its CRC and the chain.

        Raises:
            JournalDamaged: a record is missing or not what was written.
        """
        try:
            yield from self._checked(after)
        except sqlite3.DatabaseError as error:
            raise JournalDamaged(f"journal {self.path}: {error}; {_WAY_FORWARD}") from error

    def _checked(self, after: int) -> Iterator[Record]:
        chain, expected = self._chain_at(after), after
        query = "SELECT sequence, kind, body, crc, chain FROM records WHERE sequence > ? ORDER BY sequence"
        for sequence, kind, body, crc, link in self._database.execute(query, (after,)):
            expected += 1
            intact = sequence == expected and isinstance(kind, str) and isinstance(body, bytes)
            if not intact or crc != crc_of(sequence, kind, body) or link != (chain := chained(chain, kind, body)):
                raise JournalDamaged(f"journal {self.path}: record {expected} is damaged; {_WAY_FORWARD}")
            yield Record(sequence=sequence, kind=kind, body=body)
        if expected != self._sequence:
            raise JournalDamaged(f"journal {self.path}: record {expected + 1} is missing; {_WAY_FORWARD}")

    def save_snapshot(self, sequence: int, body: bytes) -> None:
        """Store the state after record ``sequence``.

        Raises:
            OSError: the disk refused; nothing is lost but the time that the next start takes.
        """
        snapshot = Snapshot(sequence=sequence, chain=self._chain_at(sequence), body=body)
        self.snapshots.save(snapshot, durable=self._durable)

    def first_sequence(self) -> int:
        """Number of the first record that is not archived; one more than the last while there is none."""
        row = self._database.execute("SELECT min(sequence) FROM records").fetchone()
        return self._sequence + 1 if row[0] is None else int(row[0])

    def rows(self, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        """Records as they are stored."""
        yield from self._database.execute(
            "SELECT * FROM records WHERE sequence BETWEEN ? AND ? ORDER BY sequence", (first, last)
        )

    def forget(self, last: int) -> None:
        """Delete the records up to ``last``, which are archived."""
        self._database.execute("DELETE FROM records WHERE sequence <= ?", (last,))

    def fitting_snapshots(self) -> Iterator[Snapshot]:
        """The intact snapshots that belong to this journal, newest first."""
        for snapshot in self.snapshots.newest_first():
            if snapshot.sequence <= self._sequence and self._link_of(snapshot.sequence) == snapshot.chain:
                yield snapshot

    def checkpoint(self) -> None:
        """Move the write-ahead log into the database; called from a maintenance thread on its own connection."""
        database = open_database(self.path)
        try:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            database.close()

    def close(self) -> None:
        """Close and give the lock up."""
        self._database.close()
        self._head.close()
        self._lock.release()

    def _prepare(self, identity: JournalIdentity) -> None:
        execute = self._database.execute
        execute("PRAGMA journal_mode=WAL")
        execute(f"PRAGMA synchronous={'FULL' if self._durable else 'NORMAL'}")
        execute("PRAGMA wal_autocheckpoint=0")
        self._database.executescript(_SCHEMA)
        written = dict(execute("SELECT key, value FROM meta").fetchall())
        ours = {"schema": str(SCHEMA_VERSION), "strategy": identity.strategy_id, "account": identity.account}
        for key, value in ours.items():
            if key in written and written[key] != value and value:
                raise JournalDamaged(
                    f"journal {self.path} belongs to {key} {written[key]!r}, not {value!r}; name another directory"
                )
        execute("BEGIN")
        self._database.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", ours.items())
        execute("COMMIT")

    def _verified_tail(self) -> tuple[int, bytes]:
        row = self._database.execute("SELECT sequence, chain FROM records ORDER BY sequence DESC LIMIT 1").fetchone()
        sequence, chain = row if row is not None else (0, GENESIS)
        promised = self._head.read()
        if promised > sequence:
            raise JournalDamaged(
                f"journal {self.path} ends at record {sequence} but {promised} were written: the tail is lost; restore "
                f"it, or delete {self._head.path.name} to go on from the broker's books"
            )
        return sequence, chain

    def _chain_at(self, sequence: int) -> bytes:
        link = self._link_of(sequence)
        if link is None:
            raise JournalDamaged(f"journal {self.path}: record {sequence} is missing; restore it from a backup")
        return link

    def _link_of(self, sequence: int) -> bytes | None:
        if sequence == 0:
            return GENESIS
        row = self._database.execute("SELECT chain FROM records WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else bytes(row[0])


@cache
def _insertion(values: int) -> str:
    """The statement that inserts so many values, five to a row."""
    return f"INSERT INTO records VALUES {', '.join(['(?, ?, ?, ?, ?)'] * (values // _COLUMNS))}"


def crc_of(sequence: int, kind: str, body: bytes) -> int:
    """The checksum of a record."""
    return zlib.crc32(body, zlib.crc32(f"{sequence}:{kind}:".encode()))


def chained(chain: bytes, kind: str, body: bytes) -> bytes:
    """The chain's next link: a hash over the one before and the record."""
    return blake2b(chain + kind.encode() + body, digest_size=16).digest()
