"""Damages a journal's files in every small way: never a wrong state, always the whole state or a named refusal.

``python -m tests.torture.damage`` is the long run: truncation at every byte and every single bit flipped, in the
journal as a crash leaves it and in its head file. ``--stride N`` takes every N-th case only.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import attrs

from actors.domain.identity import OmsId
from actors.journal import Journal, JournalDamaged, JournalFailed, JournalIdentity
from actors.messages.commands import CancelOrder

IDENTITY = JournalIdentity(strategy_id="demo", account="DU1234567")
AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
RECORDS = 12
FILES = ("demo.journal", "demo.head")
WHOLE, REFUSED = "the whole state", "refused with a sentence"


@attrs.frozen(kw_only=True)
class Case:
    """One damage: a file, a byte, and the bit to flip in it; None cuts the file off there."""

    file: str
    position: int
    bit: int | None


def message(number: int) -> CancelOrder:
    """What record ``number`` says."""
    return CancelOrder(at=AT, oms_id=OmsId(f"demo-{number:04}"))


def image_of(folder: Path) -> None:
    """The files of a journal whose process died."""
    (folder / "live").mkdir(parents=True)
    with closing(Journal(folder / "live" / "demo.journal", identity=IDENTITY)) as journal:
        for number in range(1, RECORDS + 1, 2):
            journal.append([message(number), message(number + 1)])
        for name in FILES:
            shutil.copy(folder / "live" / name, folder / name)


def cases_of(folder: Path) -> Iterator[Case]:
    """Every byte of the journal and of its head file."""
    for name in FILES:
        yield from _cases(name, 0, (folder / name).stat().st_size)


def _cases(file: str, first: int, last: int) -> Iterator[Case]:
    for position in range(first, last):
        yield Case(file=file, position=position, bit=None)
        for bit in range(8):
            yield Case(file=file, position=position, bit=bit)


def apply(case: Case, image: Path, folder: Path) -> None:
    """A copy of the image with one damage."""
    for name in FILES:
        shutil.copy(image / name, folder / name)
    path = folder / case.file
    data = bytearray(path.read_bytes())
    if case.bit is None:
        del data[case.position :]
    else:
        data[case.position] ^= 1 << case.bit
    path.write_bytes(data)


def outcome(folder: Path) -> str:
    """What a start makes of it; anything but the two words is a failure."""
    try:
        with closing(Journal(folder / "demo.journal", identity=IDENTITY)) as journal:
            found = [journal.codec.decode(record.kind, record.body) for record in journal.records()]
    except (JournalDamaged, JournalFailed) as refusal:
        return REFUSED if str(refusal).startswith(("journal ", "the journal ")) else f"no sentence: {refusal}"
    if found != [message(number) for number in range(1, RECORDS + 1)]:
        return f"a wrong state: {len(found)} records"
    return WHOLE


def sweep(folder: Path, *, stride: int = 1) -> tuple[Counter[str], list[str]]:
    """How often which outcome came, and every failure."""
    counts: Counter[str] = Counter()
    failures = []
    image, work = folder / "image", folder / "work"
    image_of(image)
    work.mkdir()
    for case in islice(cases_of(image), 0, None, stride):
        apply(case, image, work)
        found = outcome(work)
        counts[found] += 1
        if found not in (WHOLE, REFUSED):
            failures.append(f"{case}: {found}")
    return counts, failures


def main() -> int:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stride", type=int, default=1)
    memory = Path("/dev/shm")  # noqa: S108 - a disk in memory, where there is one: a hundred thousand starts
    with tempfile.TemporaryDirectory(prefix="damage-", dir=memory if memory.is_dir() else None) as folder:
        counts, failures = sweep(Path(folder), stride=parser.parse_args().stride)
    sys.stdout.write("".join(f"{count:7} {name}\n" for name, count in sorted(counts.items())))
    sys.stdout.write("".join(f"  {line}\n" for line in failures[:50]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
