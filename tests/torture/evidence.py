"""Reads the checker's two kinds of evidence: a wire log, and a journal's text with its hash chain.

Shares no code with the engine or the simulator. A wire log is JSON lines (``docs/gateway-simulator.md``). A gateway
that was ended and started again appends to it and numbers its connections from 1 again: each start is told apart by
its first greeting. The last connection to begin must be an auditor's, which asks for the gateway's books.
"""

import json
import re
from binascii import unhexlify
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

Fields = dict[str, Any]
RELEVANT = frozenset(
    ("placeOrder", "openOrder", "execDetails", "position", "openOrderEnd", "execDetailsEnd", "positionEnd")
)
ENDS = ("openOrderEnd", "execDetailsEnd", "positionEnd")
_NAME = re.compile(r'"name": "(\w+)"')


@dataclass
class Frame:
    """One message of the wire, on the n-th connection of the whole log, counted from 0."""

    connection: int
    name: str
    fields: Fields


@dataclass
class Record:
    """One journalled input."""

    sequence: int
    kind: str
    body: Fields


@dataclass
class Evidence:
    """What was said while trading, what the gateway's books are, what the journal remembers."""

    trading: list[Frame] = field(default_factory=list)
    books: list[Frame] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def of_kind(self, *kinds: str) -> list[Record]:
        """The records of some kinds, in order."""
        return [record for record in self.records if record.kind in kinds]


def read(wire_log: Path, journal: Path) -> Evidence:
    """Everything there is to know; ``gaps`` says what is missing of it."""
    evidence = Evidence()
    frames = list(_frames(wire_log))
    last = max((frame.connection for frame in frames), default=0)
    evidence.trading = [frame for frame in frames if frame.connection < last]
    evidence.books = [frame for frame in frames if frame.connection == last]
    answered = {frame.name for frame in evidence.books}
    evidence.gaps += [f"the wire log's last connection has no {name}" for name in ENDS if name not in answered]
    evidence.records = list(_records(journal, evidence.gaps))
    return evidence


def _frames(wire_log: Path) -> Iterator[Frame]:
    numbers: dict[int, int] = {}
    seen = 0
    with wire_log.open(encoding="utf-8") as lines:
        for text in lines:
            name = _NAME.search(text)
            if name is not None and name[1] not in RELEVANT:
                continue
            line = json.loads(text)
            greeted = line.get("form") == "handshake" and line["dir"] == "in"
            if greeted or line["connection"] not in numbers:
                numbers[line["connection"]] = seen
                seen += 1
            if name is not None:
                yield Frame(numbers[line["connection"]], line["name"], line["fields"])


def _records(journal: Path, gaps: list[str]) -> Iterator[Record]:
    """A line is a record; one that begins with = has the last one's number and the hash of all since the one before."""
    head, *lines = journal.read_bytes().splitlines(keepends=True)
    header, pending = json.loads(head.split(b" ", 3)[3]), []
    last, chain = header["sequence"], header["chain"].encode()
    for line in lines:
        if not line.startswith(b"= "):
            pending.append(line)
            continue
        number, _, link = line[2:-1].partition(b" ")
        if link != blake2b(unhexlify(chain) + b"".join(pending), digest_size=16).hexdigest().encode():
            gaps.append(f"record {last + 1} is not what was written, or does not follow the one before")
        if int(number) != last + len(pending):
            gaps.append(f"record {last + 1} is missing")
        for sequence, record in enumerate(pending, int(number) - len(pending) + 1):
            kind, _, body = record.partition(b" ")
            yield Record(sequence, kind.decode(), json.loads(body))
        last, chain, pending = int(number), link, []
