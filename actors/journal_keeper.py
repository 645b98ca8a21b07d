"""Keeps a journal small and its next start quick, on a thread of its own, off the order path.

Owns: its thread and its own read-only view of the journal. Does: checkpoints of the write-ahead log, and after every so
many records a snapshot, which is the fold of the journal itself, made in small portions so that the others get to run.
While orders come in a rush the snapshot waits for quieter times, but not for ever: it shares the interpreter with them.
Says: what the disk refused, to ``warn``; trading goes on. Dies when: stopped.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

from actors.domain.desk_config import DeskConfig
from actors.journal import Journal, JournalDamaged
from actors.journal_archive import archive_old_records
from actors.journal_reader import JournalReader
from actors.journal_snapshots import Snapshot
from actors.restore import Fold, encoded, folded_from, take_snapshot

SNAPSHOT_EVERY = 10_000
OVERDUE_AFTER = 5
"""A snapshot that is this many times due is made whatever else goes on: a start replays 10,000 records a second."""

_RUSH_RECORDS = 500
"""As many records from one look to the next are a rush: twice what the broker's message limit lets one account make."""

_PORTION = 20
_BREATH_SECONDS = 0.002
_TROUBLES = (sqlite3.Error, OSError, JournalDamaged)


class JournalKeeper:
    """Started and stopped by whoever opened the journal."""

    def __init__(
        self,
        journal: Journal,
        config: DeskConfig,
        *,
        warn: Callable[[str], None],
        interval_seconds: float = 5.0,
        snapshot_every: int = SNAPSHOT_EVERY,
    ) -> None:
        self._journal = journal
        self._config = config
        self._warn = warn
        self._interval = interval_seconds
        self._every = snapshot_every
        self._last_warning = ""
        self._seen = journal.sequence
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-keeper", daemon=True)

    def prepare(self, restored: Fold) -> None:
        """Before the engine runs: snapshot what was restored, archive what no start needs any more."""
        try:
            take_snapshot(self._journal, restored)
            archive_old_records(self._journal)
        except _TROUBLES as error:
            self._say(error)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.work()

    def work(self) -> None:
        """One round: a checkpoint, and a snapshot when it is due."""
        try:
            self._journal.checkpoint()
            self._snapshot_if_due()
        except _TROUBLES as error:
            self._say(error)

    def _say(self, error: Exception) -> None:
        text = f"the journal {self._journal.path.name} cannot be tidied up: {error}"
        if text != self._last_warning:
            self._warn(text)
        self._last_warning = text

    def _snapshot_if_due(self) -> None:
        last, seen = self._journal.sequence, self._seen
        self._seen = last
        newest = next(iter(self._journal.snapshots.sequences()), 0)
        is_rush = last - seen > _RUSH_RECORDS and last - newest < OVERDUE_AFTER * self._every
        if last - newest < self._every or is_rush:
            return
        snapshot = self._snapshot_at(last)
        if snapshot is not None:
            self._journal.snapshots.save(snapshot)

    def _snapshot_at(self, last: int) -> Snapshot | None:
        """The state after record ``last``; None when stopped meanwhile."""
        with closing(JournalReader(self._journal.path)) as reader:
            after, state = folded_from(self._journal.snapshots.newest_first(), self._config)
            link = b""
            while after < last:
                for sequence, kind, body, chain in reader.portion(after, min(last, after + _PORTION)):
                    state.add(self._journal.codec.decode(kind, body))
                    after, link = sequence, chain
                if self._stopping.wait(_BREATH_SECONDS):
                    return None
            return Snapshot(sequence=last, chain=link, body=encoded(state))
