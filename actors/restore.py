"""From a journal back to the state before: the last snapshot, then what came after through the same decisions."""

from collections.abc import Iterable
from typing import Any

import attrs
import msgspec

from actors.codec import Codec, UnknownKind
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig, DeskSnapshot
from actors.domain.identity import Epoch
from actors.domain.portfolio import Portfolio
from actors.domain.portfolio_state import PortfolioState
from actors.fault_points import reached
from actors.journal import Journal, JournalDamaged
from actors.journal_snapshots import Snapshot, SnapshotFiles
from actors.journal_text import BEGINNING, JournalText, Position
from actors.messages.commands import AcceptPosition, BlockInstrument, StateChanged
from actors.messages.events import CommissionCharged, FillCorrected, OrderFilled, PositionMismatched, Reconciled
from actors.messages.reports import PositionReported, SnapshotEnded
from actors.messages.system import SessionChanged


@attrs.frozen(kw_only=True)
class EngineSnapshot:
    """Everything the journal is folded into, after a known record."""

    desk: DeskSnapshot
    portfolio: PortfolioState
    strategy_state: dict[str, str]
    last_epoch: Epoch


_SNAPSHOTS = Codec((EngineSnapshot,))
_BOOKED = (OrderFilled, FillCorrected, CommissionCharged, Reconciled)
_POSITION_INPUTS = (PositionReported, SnapshotEnded, PositionMismatched, BlockInstrument, AcceptPosition)


class Fold:
    """The state that a sequence of journalled inputs leads to; the same code at start, for snapshots and for checks."""

    def __init__(self, config: DeskConfig, snapshot: EngineSnapshot | None = None) -> None:
        if snapshot is None:
            self.desk = Desk(config)
            self.portfolio = Portfolio()
            self.strategy_state: dict[str, str] = {}
            self.last_epoch = Epoch(0)
        else:
            self.desk = Desk.restore(snapshot.desk, config)
            self.portfolio = Portfolio.restore(snapshot.portfolio)
            self.strategy_state = dict(snapshot.strategy_state)
            self.last_epoch = snapshot.last_epoch

    def add(self, message: Any) -> tuple[Any, ...]:  # noqa: ANN401  # any journalled input
        """Take one input in; returns what the desk decided then."""
        if isinstance(message, StateChanged):
            self._keep(message)
            return ()
        if isinstance(message, SessionChanged):
            self.last_epoch = max(self.last_epoch, message.epoch)
        decided: tuple[Any, ...] = self.desk.decide(message)
        if isinstance(message, _POSITION_INPUTS):
            self.portfolio.decide(message)
        for event in decided:
            if isinstance(event, _BOOKED):
                self.portfolio.decide(event)
        return decided

    def _keep(self, change: StateChanged) -> None:
        if change.value_json is None:
            self.strategy_state.pop(change.key, None)
        else:
            self.strategy_state[change.key] = change.value_json

    def add_all(self, messages: Iterable[Any]) -> "Fold":
        """Take inputs in, in order."""
        for message in messages:
            self.add(message)
        return self

    def snapshot(self) -> EngineSnapshot:
        """The state as a value."""
        return EngineSnapshot(
            desk=self.desk.snapshot(),
            portfolio=self.portfolio.snapshot(),
            strategy_state=dict(self.strategy_state),
            last_epoch=self.last_epoch,
        )


def restore(journal: Journal, config: DeskConfig) -> Fold:
    """The state as of the journal's last record: the newest snapshot that can be read, and what came after.

    Raises:
        JournalDamaged: a record is missing, not what was written, or of a kind this version does not know.
    """
    after, fold = folded_from(journal.text, config)
    return fold.add_all(_inputs(journal, after=after))


def folded_from(journal: JournalText, config: DeskConfig) -> tuple[Position, Fold]:
    """The newest snapshot that fits and that this version can read, with its position; without one the empty state."""
    for stored in SnapshotFiles(journal.path).fitting(journal):
        snapshot = _read(stored)
        if snapshot is not None:
            return stored.position, Fold(config, snapshot)
    return BEGINNING, Fold(config)


def take_snapshot(journal: Journal, fold: Fold) -> None:
    """Store the state as of the journal's last record, so that the next start replays only what comes after.

    Raises:
        OSError: the disk refused.
    """
    body = encoded(fold)
    reached("snapshot.taken")
    journal.save_snapshot(body)
    reached("snapshot.saved")


def encoded(fold: Fold) -> bytes:
    """The fold's state as the bytes of a snapshot."""
    return _SNAPSHOTS.encode(fold.snapshot())[1]


def _read(stored: Snapshot) -> EngineSnapshot | None:
    """None when another version wrote it: the records say the same."""
    try:
        return _SNAPSHOTS.decode("EngineSnapshot", stored.body)  # type: ignore[return-value]  # the only class it holds
    except msgspec.MsgspecError:
        return None


def _inputs(journal: Journal, *, after: Position) -> Iterable[Any]:
    for record in journal.records(after=after):
        try:
            yield journal.codec.decode(record.kind, record.body)
        except (UnknownKind, msgspec.MsgspecError) as error:
            raise JournalDamaged(
                f"journal {journal.path}: record {record.sequence} cannot be read ({error}); it was written by another "
                "version: start that version, or move the journal away and start from the broker's books"
            ) from error
