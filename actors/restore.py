"""From a journal back to the state before: the last snapshot, then what came after through the same decisions."""

from collections.abc import Iterable
from typing import Any

import attrs

from actors.codec import Codec
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig, DeskSnapshot
from actors.domain.identity import Epoch
from actors.domain.portfolio import Portfolio, PortfolioState
from actors.fault_points import reached
from actors.journal import Journal
from actors.messages.commands import StateChanged
from actors.messages.events import CommissionCharged, FillCorrected, OrderFilled, Reconciled
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
_POSITION_INPUTS = (PositionReported, SnapshotEnded)


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
    """The state as of the journal's last record.

    Raises:
        JournalDamaged: a record is not what was written.
    """
    stored = journal.last_snapshot()
    if stored is None:
        return Fold(config).add_all(_inputs(journal, after=0))
    sequence, body = stored
    fold = Fold(config, _SNAPSHOTS.decode("EngineSnapshot", body))  # type: ignore[arg-type]  # the codec holds one class
    return fold.add_all(_inputs(journal, after=sequence))


def take_snapshot(journal: Journal, fold: Fold) -> None:
    """Store the state as of the journal's last record, so that the next start replays only what comes after."""
    _, body = _SNAPSHOTS.encode(fold.snapshot())
    reached("snapshot.taken")
    journal.save_snapshot(journal.sequence, body)
    reached("snapshot.saved")


def _inputs(journal: Journal, *, after: int) -> Iterable[Any]:
    return (journal.codec.decode(record.kind, record.body) for record in journal.records(after=after))
