"""Moves old records out of a journal into archive files, so that it does not grow for ever; done before a start.

An archive is a journal database of its own, named after its first and last record. It is complete and renamed into
place before anything is deleted, so that a record is in one place or in both, never in none.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from actors.fault_points import reached
from actors.journal import RECORDS_TABLE, Journal

KEEP_RECORDS = 200_000


def archive_old_records(journal: Journal, *, keep: int = KEEP_RECORDS) -> Path | None:
    """Archive what both snapshots make superfluous, once that is more than ``keep`` records; the archive, if any.

    Raises:
        sqlite3.Error: the disk refused; the journal is as it was.
        OSError: likewise.
    """
    first, last = journal.first_sequence(), _superfluous(journal)
    if last - first < keep:
        return None
    target = journal.path.with_suffix(f".archive-{first:012}-{last:012}")
    unfinished = target.with_suffix(".archive-unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as archive:
        archive.executescript(RECORDS_TABLE)
        archive.execute("BEGIN")
        archive.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", journal.rows(first, last))
        archive.execute("COMMIT")
    reached("archive.written")
    unfinished.replace(target)
    reached("archive.renamed")
    journal.forget(last)
    return target


def _superfluous(journal: Journal) -> int:
    """The last record that no snapshot needs: the record a snapshot stands on is kept, with its link of the chain."""
    fitting = [snapshot.sequence for snapshot in journal.fitting_snapshots()]
    return min(fitting) - 1 if len(fitting) > 1 else 0
