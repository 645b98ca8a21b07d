"""A journal's text: what a record and a commit look like, and reading them back, each checked.

The first line is the header: whose journal it is, and what its first record follows. A record is a line, its kind and a
JSON object. A commit is a line that begins with ``=`` and names the last record and the link of the chain: a hash over
the link before and the records since. What stands behind the last commit was never promised to anybody.
"""

import re
from binascii import hexlify
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple, Self

import attrs
import msgspec

SCHEMA_VERSION: Final = 2
GENESIS: Final = b"\0" * 16
WAY_FORWARD: Final = "restore the journal from a backup, or move it away and start from the broker's books"

_FIRST_WORDS: Final = b"callboard journal "
_OLDER: Final = b"SQLite format 3\0"
_LONGEST_HEADER: Final = 4096
_COMMIT: Final = re.compile(rb"= (\d+) ([0-9a-f]{32})\n")
_PORTION: Final = 1 << 20


class JournalDamaged(Exception):
    """The journal cannot be trusted; one sentence with a way forward."""


@attrs.frozen(kw_only=True)
class Record:
    """One journalled input."""

    sequence: int
    kind: str
    body: bytes


class Position(NamedTuple):
    """The place behind a commit."""

    sequence: int
    """Number of the last record, 0 before the first."""
    chain: bytes
    """The link of the chain there, 16 bytes."""
    offset: int
    """Bytes from the first record the journal ever had, archived ones included; the header does not count."""


BEGINNING: Final = Position(0, GENESIS, 0)


@attrs.frozen(kw_only=True)
class Header:
    """The first line."""

    strategy: str
    account: str
    sequence: int = BEGINNING.sequence
    chain: str = GENESIS.hex()
    offset: int = BEGINNING.offset

    @property
    def start(self) -> Position:
        """What the first record follows; not the beginning once records were archived."""
        return Position(self.sequence, bytes.fromhex(self.chain), self.offset)

    def starting_at(self, position: Position) -> Self:
        """The header of the same journal without the records up to there."""
        return attrs.evolve(self, sequence=position.sequence, chain=position.chain.hex(), offset=position.offset)

    def line(self) -> bytes:
        """As it is written."""
        return b"%b%d %b\n" % (_FIRST_WORDS, SCHEMA_VERSION, msgspec.json.encode(self))


class Batch(NamedTuple):
    """What was committed together, and where the next begins."""

    records: tuple[Record, ...]
    end: Position


def committed(before: Position, records: Iterable[tuple[str, bytes]]) -> tuple[bytes, Position]:
    """The text of a commit of records (kind and body), and the place behind it."""
    lines = [b"%b %b\n" % (kind.encode(), body) for kind, body in records]
    text = b"".join(lines)
    sequence, chain = before.sequence + len(lines), _linked(before.chain, text)
    text += b"= %d %b\n" % (sequence, hexlify(chain))
    return text, Position(sequence, chain, before.offset + len(text))


def _linked(chain: bytes, text: bytes) -> bytes:
    return blake2b(chain + text, digest_size=len(GENESIS)).digest()


class JournalText:
    """A journal file, read only; it may grow meanwhile.

    Raises:
        JournalDamaged: the file is missing or no journal.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise JournalDamaged(f"journal {path}: there is no such file")
        with path.open("rb") as file:
            line = file.readline(_LONGEST_HEADER)
        self.header = self._parsed(line)
        self._shift = self.header.offset - len(line)

    def _parsed(self, line: bytes) -> Header:
        if line.startswith(_OLDER):
            raise JournalDamaged(
                f"journal {self.path} is of an older version: let that version end its orders, then move the file away"
            )
        with suppress(ValueError, msgspec.MsgspecError):
            version, _, fields = line.removeprefix(_FIRST_WORDS).partition(b" ")
            if line.startswith(_FIRST_WORDS) and line.endswith(b"\n") and int(version) == SCHEMA_VERSION:
                header = msgspec.json.decode(fields, type=Header)
                bytes.fromhex(header.chain)
                return header
        raise JournalDamaged(f"journal {self.path}: this is no journal; {WAY_FORWARD}")

    def place_of(self, position: Position) -> int:
        """The byte of the file that stands at a position."""
        return position.offset - self._shift

    def holds(self, position: Position) -> bool:
        """Whether there is such a commit, just there."""
        if position == self.header.start:
            return True
        place = self.place_of(position)
        line = b"\n= %d %b\n" % (position.sequence, position.chain.hex().encode())
        if place < len(line):
            return False
        with self.path.open("rb") as file:
            file.seek(place - len(line))
            return file.read(len(line)) == line

    def portions(self, after: Position, until: Position) -> Iterator[bytes]:
        """The text between two positions."""
        left = until.offset - after.offset
        with self.path.open("rb") as file:
            file.seek(self.place_of(after))
            while portion := file.read(min(left, _PORTION)):
                left -= len(portion)
                yield portion

    def batches(self, after: Position) -> Iterator[Batch]:
        """What was committed behind a position, to the last whole commit.

        Raises:
            JournalDamaged: names the first record that is missing or not what was written, or those that are archived.
        """
        start, pending = self.header.start, list[bytes]()
        if after.offset < start.offset:
            raise JournalDamaged(
                f"journal {self.path}: records {after.sequence + 1} to {start.sequence} are archived and no snapshot "
                f"fits; {WAY_FORWARD}"
            )
        with self.path.open("rb") as lines:
            lines.seek(self.place_of(after))
            for line in lines:
                if not line.endswith(b"\n"):
                    return  # its owner is just writing it, or never finished
                commit = _COMMIT.fullmatch(line)
                if commit is None:
                    pending.append(line)
                    continue
                batch = _checked(after, pending, commit)
                if batch is None:
                    if any(map(_COMMIT.fullmatch, lines)):  # otherwise it is the end of a write that was cut off
                        raise JournalDamaged(
                            f"journal {self.path}: record {after.sequence + 1} is damaged; {WAY_FORWARD}"
                        )
                    return
                yield batch
                after, pending = batch.end, []


def _checked(after: Position, lines: list[bytes], commit: re.Match[bytes]) -> Batch | None:
    """None when the commit is not of these records, or does not follow the one before."""
    text = b"".join(lines)
    end = Position(int(commit[1]), bytes.fromhex(commit[2].decode()), after.offset + len(text) + len(commit[0]))
    if end.sequence != after.sequence + len(lines) or end.chain != _linked(after.chain, text):
        return None
    return Batch(tuple(_record(number, line) for number, line in enumerate(lines, after.sequence + 1)), end)


def _record(sequence: int, line: bytes) -> Record:
    kind, _, body = line[:-1].partition(b" ")
    return Record(sequence=sequence, kind=kind.decode(), body=body)
