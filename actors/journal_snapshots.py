"""Snapshots beside a journal: the state after a known record, in files of their own, off the order path.

A file is one line of JSON (position, CRC) and the body. It is written under another name and renamed, so that
it is there whole or not at all; the last two are kept. A snapshot is never needed to be right: one that is damaged, or
does not fit the journal, is passed over and the records say the rest.
"""

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import attrs

from actors.fault_points import reached
from actors.journal_text import JournalText, Position

SNAPSHOTS_KEPT = 2


@attrs.frozen(kw_only=True)
class Snapshot:
    """The state at a position of the journal."""

    position: Position
    body: bytes

    @property
    def sequence(self) -> int:
        """Number of the last record it knows of."""
        return self.position.sequence


class SnapshotFiles:
    """The snapshots of one journal."""

    def __init__(self, journal: Path) -> None:
        self._folder = journal.parent
        self._prefix = f"{journal.stem}.snapshot-"

    def save(self, snapshot: Snapshot, *, durable: bool = False) -> None:
        """Write a snapshot and remove all but the last two up to it: a later one is of a history that is no more.

        Raises:
            OSError: the disk refused; what was there before still is.
        """
        path = self._folder / f"{self._prefix}{snapshot.sequence:012}"
        unfinished = self._folder / f"{self._prefix}unfinished"
        with unfinished.open("wb") as file:
            file.write(_head(snapshot))
            reached("snapshot.half_written")
            file.write(snapshot.body)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        reached("snapshot.written")
        unfinished.replace(path)
        paths = self._paths()
        ours = paths.index(path)
        for other in (*paths[:ours], *paths[ours + SNAPSHOTS_KEPT :]):
            other.unlink(missing_ok=True)

    def newest_first(self) -> Iterator[Snapshot]:
        """The intact snapshots."""
        for path in self._paths():
            snapshot = _read(path)
            if snapshot is not None:
                yield snapshot

    def fitting(self, journal: JournalText) -> Iterator[Snapshot]:
        """The intact snapshots of that very history, newest first."""
        return (snapshot for snapshot in self.newest_first() if journal.holds(snapshot.position))

    def sequences(self) -> list[int]:
        """The records after which there is a snapshot, newest first, damaged or not."""
        return [int(path.name.removeprefix(self._prefix)) for path in self._paths()]

    def _paths(self) -> list[Path]:
        found = (path for path in self._folder.glob(f"{self._prefix}*") if path.name[len(self._prefix) :].isdigit())
        return sorted(found, reverse=True)


def _head(snapshot: Snapshot) -> bytes:
    sequence, chain, offset = snapshot.position
    fields = {"sequence": sequence, "chain": chain.hex(), "offset": offset, "crc": _crc(snapshot)}
    return json.dumps(fields).encode() + b"\n"


def _crc(snapshot: Snapshot) -> int:
    sequence, chain, offset = snapshot.position
    return zlib.crc32(snapshot.body, zlib.crc32(chain + f"{sequence} {offset}".encode()))


def _read(path: Path) -> Snapshot | None:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        fields = json.loads(head)
        position = Position(int(fields["sequence"]), bytes.fromhex(fields["chain"]), int(fields["offset"]))
        snapshot = Snapshot(position=position, body=body)
        intact = fields["crc"] == _crc(snapshot)
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None  # unreadable, or a damaged head: the one before it is used
    return snapshot if intact else None
