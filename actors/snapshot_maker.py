"""A journal's snapshot, folded in a process of its own: ``python -m actors.snapshot_maker JOURNAL LAST``.

A fold takes a second of the interpreter for 10,000 records and as much memory as the desk itself. In a process of its
own, with low priority, it takes neither from the engine, whose memory stays the same for months.
The desk's configuration comes on stdin; the state goes to stdout, and what is wrong to stderr.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event
from typing import IO

from actors.codec import Codec
from actors.domain.desk_config import DeskConfig
from actors.journal_snapshots import Snapshot
from actors.journal_text import WAY_FORWARD, JournalDamaged, JournalText, Position
from actors.restore import encoded, folded_from

LONGEST_SECONDS = 600.0
_LOOK_SECONDS = 0.05
_CONFIGS = Codec((DeskConfig,))


class SnapshotFailed(Exception):
    """There is no snapshot; nothing is lost but the time that the next start takes."""


# -- in the engine's process -------------------------------------------------------------------------------------------


def made_elsewhere(journal: Path, config: DeskConfig, *, last: Position, stopping: Event) -> Snapshot | None:
    """The state at position ``last``; None when asked to stop meanwhile.

    Raises:
        SnapshotFailed: the other process could not be started, failed, or took longer than ``LONGEST_SECONDS``.
    """
    with TemporaryFile() as asked, TemporaryFile() as said, TemporaryFile() as complaint:
        asked.write(_CONFIGS.encode(config)[1])
        asked.seek(0)
        maker = _started(journal, last.sequence, (asked, said, complaint))
        if not _ended(maker, stopping):
            return None
        if maker.returncode:
            raise SnapshotFailed(f"the snapshot's process ended with {maker.returncode}: {_words(complaint)}")
        said.seek(0)
        return Snapshot(position=last, body=said.read())


def _started(journal: Path, last: int, files: tuple[IO[bytes], IO[bytes], IO[bytes]]) -> "subprocess.Popen[bytes]":
    """With those as stdin, stdout and stderr."""
    words = [sys.executable, "-m", "actors.snapshot_maker", str(journal.resolve()), str(last)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)}
    try:
        return subprocess.Popen(words, env=environment, stdin=files[0], stdout=files[1], stderr=files[2])
    except OSError as problem:
        raise SnapshotFailed(f"the snapshot's process cannot be started: {problem}") from problem


def _ended(maker: "subprocess.Popen[bytes]", stopping: Event) -> bool:
    """Whether it ended by itself."""
    for _ in range(int(LONGEST_SECONDS / _LOOK_SECONDS)):
        if maker.poll() is not None:
            return True
        if stopping.wait(_LOOK_SECONDS):
            _kill(maker)
            return False
    _kill(maker)
    raise SnapshotFailed(f"the snapshot's process took longer than {LONGEST_SECONDS:g} s")


def _kill(maker: "subprocess.Popen[bytes]") -> None:
    maker.kill()
    maker.wait()


def _words(complaint: IO[bytes]) -> str:
    complaint.seek(0)
    lines = complaint.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it did not say why"


# -- in a process of its own -------------------------------------------------------------------------------------------


def folded(journal: Path, config: DeskConfig, *, last: int) -> bytes:
    """The state after record ``last``, which ends a commit, from the newest snapshot on.

    Raises:
        JournalDamaged: a record is missing or not what was written.
    """
    text, codec = JournalText(journal), Codec()
    position, state = folded_from(text, config)
    for batch in text.batches(position):
        if batch.end.sequence > last:
            break
        for record in batch.records:
            state.add(codec.decode(record.kind, record.body))
        position = batch.end
    if position.sequence != last:
        raise JournalDamaged(f"journal {journal}: record {position.sequence + 1} is missing; {WAY_FORWARD}")
    return encoded(state)


def main() -> int:
    """Fold and say."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a terminal or a service manager means the engine, which ends us
        signal.signal(number, signal.SIG_IGN)
    if hasattr(os, "nice"):  # not on Windows
        os.nice(10)
    config = _CONFIGS.decode(DeskConfig.__name__, sys.stdin.buffer.read())
    assert isinstance(config, DeskConfig)
    try:
        state = folded(Path(sys.argv[1]), config, last=int(sys.argv[2]))
    except JournalDamaged as damage:
        sys.stderr.write(f"{damage}\n")
        return 1
    sys.stdout.buffer.write(state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
