"""Moves old records out of a journal into archive files, so that it does not grow for ever; done before a start.

An archive is a journal of its own, named after its first and last record. It is complete and renamed into place before
anything is forgotten, so that a record is in one place or in both, never in none.
"""

from itertools import chain
from pathlib import Path

from actors.fault_points import reached
from actors.journal import Journal
from actors.journal_files import ARCHIVE_SUFFIX, put_in_place, written_aside
from actors.journal_text import Position

KEEP_RECORDS = 200_000


def archive_old_records(journal: Journal, *, keep: int = KEEP_RECORDS) -> Path | None:
    """Archive what both snapshots make superfluous, once that is more than ``keep`` records; the archive, if any.

    Raises:
        OSError: the disk refused; the journal is as it was.
    """
    text, last = journal.text, _superfluous(journal)
    start = text.header.start
    if last.sequence - start.sequence <= keep:
        return None
    target = journal.path.with_suffix(f"{ARCHIVE_SUFFIX}{start.sequence + 1:012}-{last.sequence:012}")
    unfinished = written_aside(target, chain([text.header.line()], text.portions(start, last)))
    reached("archive.written")
    put_in_place(unfinished, target)
    reached("archive.renamed")
    journal.forget(last)
    return target


def _superfluous(journal: Journal) -> Position:
    """Up to where no snapshot needs a record."""
    fitting = [snapshot.position for snapshot in journal.fitting_snapshots()]
    return min(fitting) if len(fitting) > 1 else journal.text.header.start
