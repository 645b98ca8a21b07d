"""Reading a journal without owning it: for people and for other programs, read-only, also while it is in use."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import attrs

from actors.journal import GENESIS, JournalDamaged, chained, crc_of
from actors.journal_files import head_of
from actors.journal_snapshots import SnapshotFiles


@attrs.frozen(kw_only=True)
class JournalSummary:
    """What a journal says about itself."""

    strategy: str
    account: str
    schema: str
    records: int
    snapshots: int


class JournalReader:
    """A read-only connection.

    Raises:
        JournalDamaged: the file is missing or no journal.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise JournalDamaged(f"journal {path}: there is no such file")
        self._path = path
        self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def summary(self) -> JournalSummary:
        """Whose journal it is and how much is in it."""
        try:
            meta = dict(self._database.execute("SELECT key, value FROM meta").fetchall())
            records = self._database.execute("SELECT count(*) FROM records").fetchone()[0]
            snapshots = len(SnapshotFiles(self._path).sequences())
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        return JournalSummary(
            strategy=meta.get("strategy", ""),
            account=meta.get("account", ""),
            schema=meta.get("schema", ""),
            records=records,
            snapshots=snapshots,
        )

    def promised(self) -> int:
        """The number of the last record that was handed to the disk, 0 when no head file says so."""
        path = self._path.with_suffix(".head")
        return head_of(path.read_bytes()) if path.is_file() else 0

    def _damaged(self, error: sqlite3.DatabaseError) -> JournalDamaged:
        foreign = "no such table" in str(error) or "not a database" in str(error)
        return JournalDamaged(f"journal {self._path}: {'this is no journal' if foreign else error}")

    def portion(self, after: int, last: int) -> list[tuple[int, str, bytes, bytes]]:
        """(sequence, kind, body, link of the chain) of the records after one and up to another, each checked.

        Raises:
            JournalDamaged: names the first record that is missing or not what was written.
        """
        query = "SELECT sequence, kind, body, crc, chain FROM records WHERE sequence BETWEEN ? AND ? ORDER BY sequence"
        found, expected = [], after
        for sequence, kind, body, crc, link in self._database.execute(query, (after + 1, last)):
            expected += 1
            if sequence != expected or crc != crc_of(sequence, kind, body):
                raise JournalDamaged(f"journal {self._path}: record {expected} is missing or damaged")
            found.append((sequence, kind, body, link))
        if expected != last:
            raise JournalDamaged(f"journal {self._path}: record {expected + 1} is missing")
        return found

    def records(self) -> Iterator[tuple[int, str, bytes]]:
        """(sequence, kind, body) of every record, each checked.

        Raises:
            JournalDamaged: names the first record that is missing or not what was written.
        """
        chain: bytes | None = GENESIS
        promised = self.promised()  # asked before the records: while an engine runs there may be more of them by now
        expected, first = 0, True
        try:
            rows = self._database.execute("SELECT sequence, kind, body, crc, chain FROM records ORDER BY sequence")
            for sequence, kind, body, crc, link in rows:
                if first and sequence > 1:  # earlier records were archived; the chain begins in the archive
                    expected, chain = sequence - 1, None
                first = False
                expected += 1
                if sequence != expected or crc != crc_of(sequence, kind, body):
                    raise JournalDamaged(f"journal {self._path}: record {expected} is missing or damaged")
                if chain is not None and link != chained(chain, kind, body):
                    raise JournalDamaged(f"journal {self._path}: record {sequence} does not follow the one before")
                chain = link
                yield sequence, kind, body
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error
        if expected < promised:
            raise JournalDamaged(
                f"journal {self._path} ends at record {expected} but {promised} were written: the tail is lost"
            )
