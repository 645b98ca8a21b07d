"""Keeps a journal small and its next start quick, on a thread of its own, off the order path.

Owns: its thread. Does: after every so many records a snapshot, which is the fold of the journal itself, made in a
process of its own (``snapshot_maker``). Each round it looks whether the journal's file is still there: a journal that
is gone takes nothing more, which halts trading.
Says: what the disk refused, to ``warn``; trading goes on. Dies when: stopped.
"""

import threading
from collections.abc import Callable

from actors.domain.desk_config import DeskConfig
from actors.journal import Journal, JournalDamaged, JournalFailed
from actors.journal_archive import archive_old_records
from actors.restore import Fold, take_snapshot
from actors.snapshot_maker import SnapshotFailed, made_elsewhere

SNAPSHOT_EVERY = 10_000
_TROUBLES = (OSError, JournalDamaged, JournalFailed, SnapshotFailed)


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
        self._tried_at = 0
        """The record at which a snapshot was last asked for: one that fails is tried again as many records later."""
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
        """One round: the file is still there, and a snapshot when it is due."""
        try:
            self._journal.look_after()
            self._snapshot_if_due()
        except _TROUBLES as error:
            self._say(error)

    def _say(self, error: Exception) -> None:
        text = f"the journal {self._journal.path.name} cannot be tidied up: {error}"
        if text != self._last_warning:
            self._warn(text)
        self._last_warning = text

    def _snapshot_if_due(self) -> None:
        last = self._journal.position
        newest = next(iter(self._journal.snapshots.sequences()), 0)
        if last.sequence - max(newest, self._tried_at) < self._every:
            return
        self._tried_at = last.sequence
        snapshot = made_elsewhere(self._journal.path, self._config, last=last, stopping=self._stopping)
        if snapshot is not None:
            self._journal.snapshots.save(snapshot)
