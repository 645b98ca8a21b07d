"""Reading a journal without owning it: for people and for other programs, read-only, also while it is in use."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from actors.journal_files import ARCHIVE_SUFFIX, head_of
from actors.journal_snapshots import SnapshotFiles
from actors.journal_text import JournalDamaged, JournalText, Record


@attrs.frozen(kw_only=True)
class JournalSummary:
    """What a journal says about itself."""

    strategy: str
    account: str
    records: int
    snapshots: int


class JournalReader:
    """Reads whatever is committed.

    Raises:
        JournalDamaged: the file is missing or no journal.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = JournalText(path)

    def summary(self) -> JournalSummary:
        """Whose journal it is and how much is in it."""
        header = self._text.header
        return JournalSummary(
            strategy=header.strategy,
            account=header.account,
            records=sum(len(batch.records) for batch in self._text.batches(header.start)),
            snapshots=len(SnapshotFiles(self._path).sequences()),
        )

    def promised(self) -> int:
        """The number of the last record that was handed to the disk, 0 when no head file says so (of an archive)."""
        path = self._path.with_suffix(".head")
        is_archive = self._path.suffix.startswith(ARCHIVE_SUFFIX)
        return head_of(path.read_bytes()) if path.is_file() and not is_archive else 0

    def records(self) -> Iterator[Record]:
        """Every record, each checked.

        Raises:
            JournalDamaged: names the first record that is missing or not what was written.
        """
        promised = self.promised()  # asked before the records: while an engine runs there may be more of them by now
        last = self._text.header.sequence
        for batch in self._text.batches(self._text.header.start):
            last = batch.end.sequence
            yield from batch.records
        if last < promised:
            raise JournalDamaged(
                f"journal {self._path} ends at record {last} but {promised} were written: the tail is lost"
            )
