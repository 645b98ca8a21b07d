"""One comparison of our orders with the broker's lists: what is asked, what came, what it proves.

Order of a full run (after every connect): open orders, executions, completed orders, positions, account. Executions are
booked as they come; completed and open orders wait until every list has ended and are applied in that order. Orders in
none of the lists make the lists of open orders be asked once more before they are doubted.
"""

from enum import StrEnum

from actors.domain.frozen import frozen
from actors.domain.identity import Epoch, OmsId
from actors.messages.reports import CompletedOrderReported, OpenOrderReported, SnapshotKind

ORDER_LISTS = (SnapshotKind.OPEN_ORDERS, SnapshotKind.EXECUTIONS, SnapshotKind.COMPLETED_ORDERS)
ALL_LISTS = (*ORDER_LISTS, SnapshotKind.POSITIONS, SnapshotKind.ACCOUNT)


class Stage(StrEnum):
    """Where a run stands."""

    IDLE = "IDLE"
    LISTING = "LISTING"
    REPEATING = "REPEATING"


@frozen(kw_only=True)
class SeenOpen:
    """An echo that waits for the end of the run; ``was_over`` when we had concluded the order before it came."""

    oms_id: OmsId
    report: OpenOrderReported
    was_over: bool


@frozen(kw_only=True)
class SeenCompleted:
    """A row of the completed list that waits for the end of the run."""

    oms_id: OmsId
    report: CompletedOrderReported


@frozen(kw_only=True)
class Absence:
    """Since when (monotonic seconds) an order is in none of the complete lists of one connection."""

    epoch: Epoch
    since: float


@frozen(kw_only=True)
class RecoverySnapshot:
    """A run as plain values."""

    stage: Stage = Stage.IDLE
    again: bool = False
    attempts: int = 0
    awaited: tuple[SnapshotKind, ...] = ()
    failed: tuple[SnapshotKind, ...] = ()
    opened: tuple[SeenOpen, ...] = ()
    completed: tuple[SeenCompleted, ...] = ()
    touched: tuple[OmsId, ...] = ()
    executions: int = 0
    missing: tuple[OmsId, ...] = ()
    absent: tuple[tuple[OmsId, Absence], ...] = ()
    lacks_positions: bool = False


class Recovery:
    """The run under way, if any, and what earlier runs did not find."""

    def __init__(self, snapshot: RecoverySnapshot | None = None) -> None:
        state = snapshot if snapshot is not None else RecoverySnapshot()
        self.stage, self.again, self.attempts = state.stage, state.again, state.attempts
        self._awaited, self._failed = list(state.awaited), list(state.failed)
        self.opened, self.completed = list(state.opened), list(state.completed)
        self.touched = dict.fromkeys(state.touched)
        self.executions = state.executions
        self.missing = state.missing
        self.absent = dict(state.absent)
        self.lacks_positions = state.lacks_positions

    @property
    def is_running(self) -> bool:
        """Whether lists are being asked."""
        return self.stage is not Stage.IDLE

    @property
    def failed(self) -> tuple[SnapshotKind, ...]:
        """Lists that did not end properly in the last attempt."""
        return tuple(self._failed)

    @property
    def proves_absence(self) -> bool:
        """Whether every list that could name an order came in full."""
        return not any(kind in ORDER_LISTS for kind in self._failed)

    def begin(self, *, full: bool) -> tuple[SnapshotKind, ...]:
        """Start a run; what an unfinished one had collected is dropped."""
        self.again, self.attempts = False, 0
        self.opened, self.completed = [], []
        self.stage = Stage.LISTING
        return self._ask(ALL_LISTS if full else ORDER_LISTS)

    def repeat(self, missing: tuple[OmsId, ...]) -> tuple[SnapshotKind, ...]:
        """Ask once more for the lists that name orders, as they did not name these."""
        self.opened, self.completed, self.attempts = [], [], 0
        self.missing = missing
        self.stage = Stage.REPEATING
        return self._ask(ORDER_LISTS)

    def retry(self) -> tuple[SnapshotKind, ...]:
        """Ask again for the lists that did not end properly."""
        self.attempts += 1
        if SnapshotKind.OPEN_ORDERS in self._failed:
            self.opened = []
        return self._ask(tuple(self._failed))

    def _ask(self, kinds: tuple[SnapshotKind, ...]) -> tuple[SnapshotKind, ...]:
        if SnapshotKind.POSITIONS in kinds:
            self.lacks_positions = True
        if SnapshotKind.EXECUTIONS in kinds:
            self.executions = 0
        self._awaited, self._failed = list(kinds), []
        if SnapshotKind.OPEN_ORDERS in kinds:
            self.touched = {}
        return kinds

    def ended(self, kind: SnapshotKind, *, complete: bool) -> bool:
        """One list ended; True when it was the last one awaited."""
        if kind not in self._awaited:
            return False
        self._awaited.remove(kind)
        if not complete:
            self._failed.append(kind)
        elif kind is SnapshotKind.POSITIONS:
            self.lacks_positions = False
        return not self._awaited

    def give_up_waiting(self) -> None:
        """Whatever is still awaited failed."""
        self._failed += self._awaited
        self._awaited = []

    def stop(self) -> None:
        """No run any more: finished, or the connection is gone."""
        self.stage = Stage.IDLE
        self.opened, self.completed, self.touched, self.missing = [], [], {}, ()
        self._awaited = []

    def collects(self, report: OpenOrderReported) -> bool:
        """Whether an echo belongs to the list being asked."""
        return self.is_running and report.snapshot and SnapshotKind.OPEN_ORDERS in self._awaited

    def is_fresh(self, oms_id: OmsId) -> bool:
        """Whether nothing was asked of the order since the lists were: the lists then answer it."""
        return oms_id not in self.touched

    def snapshot(self) -> RecoverySnapshot:
        """The run as plain values."""
        return RecoverySnapshot(
            stage=self.stage,
            again=self.again,
            attempts=self.attempts,
            awaited=tuple(self._awaited),
            failed=tuple(self._failed),
            opened=tuple(self.opened),
            completed=tuple(self.completed),
            touched=tuple(self.touched),
            executions=self.executions,
            missing=self.missing,
            absent=tuple(self.absent.items()),
            lacks_positions=self.lacks_positions,
        )
