"""Replaying a capture line by line: time, connection and the lists it holds."""

from datetime import datetime, timedelta
from typing import Final

from actors.domain.identity import Epoch
from actors.domain.terms import InvalidOrder
from actors.messages.events import Discrepancy
from actors.messages.reports import (
    AccountsReported,
    LinkCondition,
    LinkConditionReported,
    NextOrderIdReported,
    Report,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import SessionChanged, SessionState, Tick
from ibapi_bridge.figures import Untranslatable
from ibapi_bridge.replay_books import KEEP_ALL, Books
from ibapi_bridge.replay_lines import Connection, Reader
from ibapi_bridge.transcript import BEGINNING, Direction, Line

SETTLING_SECONDS: Final = 7
"""Time that passes after the last line: enough for executions that are owed, too little to doubt other answers."""

_ENDS: Final = {
    "openOrderEnd": SnapshotKind.OPEN_ORDERS,
    "execDetailsEnd": SnapshotKind.EXECUTIONS,
    "completedOrdersEnd": SnapshotKind.COMPLETED_ORDERS,
    "positionEnd": SnapshotKind.POSITIONS,
    "accountDownloadEnd": SnapshotKind.ACCOUNT,
    "accountSummaryEnd": SnapshotKind.ACCOUNT,
}
_POSITIONS: Final = ("position", "positionEnd")
_OPEN_ORDERS_ASKED: Final = ("reqAllOpenOrders", "reqOpenOrders")
_HANDSHAKE: Final = frozenset({"managedAccounts", "nextValidId", "error", "connectAck", "startApi"})
_RESTORED: Final = (LinkCondition.BACKEND_RESTORED, LinkCondition.BACKEND_RESTORED_DATA_LOST)


class Replay:
    """One capture on its way through the core; ``hear`` each line, then ``finish``."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self._reader = Reader(lines)
        self.books = Books(
            client_id=self._reader.client_id,
            lists_positions=any(line.name in _POSITIONS for line in lines),
            ask=self._ask,
        )
        self.session = SessionState.DISCONNECTED
        self.now = BEGINNING
        self._ends = list_ends(lines)
        self._here = Connection()
        self._awaited: set[SnapshotKind] = set()
        self._comparing = False
        self._begun: datetime | None = None

    def hear(self, line: Line) -> None:
        """The next line of the capture; market data change nothing."""
        if line.name.startswith("tick"):
            return
        self.books.line = line.number
        self._tick(line.at)
        match line.direction:
            case Direction.CONN if line.name == "connected":
                self._connect()
            case Direction.CONN:
                self._disconnect()
            case Direction.OUT:
                self._ensure_connected(line)
                self._left(line)
            case Direction.IN if line.name == "connectionClosed":
                self._disconnect()
            case Direction.IN:
                self._ensure_connected(line)
                self._came(line)
        self._be_ready()

    def finish(self) -> None:
        """No more lines: lists without an end end now, and what is owed has its time to come."""
        if self._begun is None:
            return
        self.books.line = KEEP_ALL
        if self.session is SessionState.CONNECTING:
            self._move(SessionState.READY)
        self._comparing = False
        for kind in sorted(self._awaited):
            self.books.end_list(self._unanswered(kind))
        self._awaited.clear()
        self._be_ready()
        self.books.open(self.now)
        for _ in range(SETTLING_SECONDS):
            self._tick(self.now + timedelta(seconds=1))

    # --- time and connection ---

    def _tick(self, at: datetime) -> None:
        """Let time pass up to the line."""
        if self._begun is None:
            self._begun = at
        elif at <= self.now:
            return
        self.now = at
        self.books.tick(Tick(at=at, elapsed=(at - self._begun).total_seconds()))

    def _connect(self) -> None:
        if self.session is not SessionState.DISCONNECTED:
            self._disconnect()
        self._here = Connection(epoch=Epoch(self._here.epoch + 1))
        self._move(SessionState.CONNECTING)

    def _ensure_connected(self, line: Line) -> None:
        """A capture may leave out how its connection began."""
        if self.session is SessionState.DISCONNECTED:
            self._connect()
        if self.session is SessionState.CONNECTING and line.name not in _HANDSHAKE:
            self._move(SessionState.READY)

    def _disconnect(self) -> None:
        self._awaited.clear()
        self._comparing = False
        self._move(SessionState.DISCONNECTED)

    def _move(self, state: SessionState) -> None:
        self.session = state
        self.books.tell(
            SessionChanged(
                at=self.now,
                epoch=self._here.epoch,
                state=state,
                client_id=self._reader.client_id,
                next_order_id=self._here.next_id,
                accounts=self._here.accounts,
            )
        )

    # --- lines ---

    def _left(self, line: Line) -> None:
        try:
            for message in self._reader.left(line, self._here):
                self.books.tell(message)
        except (Untranslatable, InvalidOrder) as problem:
            text = f"line {line.number} cannot be understood: {problem}"
            self.books.note(Discrepancy(at=line.at, kind="UNREADABLE", subject=line.name, text=text))
        if line.name in _OPEN_ORDERS_ASKED:
            self._compare()

    def _came(self, line: Line) -> None:
        for message in self._reader.came(line, self._here):
            if not isinstance(message, Report):
                self.books.tell(message)
                continue
            self._hear_of_connection(message)
            self.books.report(message)

    def _hear_of_connection(self, report: Report) -> None:
        match report:
            case LinkConditionReported(condition=LinkCondition.BACKEND_LOST):
                self._move(SessionState.DEGRADED)
            case LinkConditionReported() if report.condition in _RESTORED and self.session is SessionState.DEGRADED:
                self._move(SessionState.READY)
            case NextOrderIdReported():
                self._here.next_id = report.order_id
                self._shake_hands()
            case AccountsReported():
                self._here.accounts = report.accounts
                self._shake_hands()
            case SnapshotEnded():
                self._awaited.discard(report.kind)
            case _:
                pass

    def _shake_hands(self) -> None:
        if self.session is SessionState.CONNECTING and self._here.next_id is not None and self._here.accounts:
            self._move(SessionState.READY)

    # --- lists ---

    def _compare(self) -> None:
        """The capture asks for open orders: that is when its broker's lists are compared with the core's books."""
        if SnapshotKind.OPEN_ORDERS in self._awaited or self.session is SessionState.DEGRADED:
            return
        self._comparing = True
        self._move(SessionState.RECONCILING)

    def _be_ready(self) -> None:
        """The session goes on when every list has come that the capture holds."""
        if self.session is SessionState.RECONCILING and not self._awaited:
            self._comparing = False
            self._move(SessionState.READY)

    def _ask(self, kind: SnapshotKind) -> None:
        """The capture answers if it asked, too, and holds the end of such a list later on this connection."""
        ends = self._ends.get((self._here.epoch, kind), ())
        if self._comparing and any(number > self.books.line for number in ends):
            self._awaited.add(kind)
        else:
            self.books.end_list(self._unanswered(kind))

    def _unanswered(self, kind: SnapshotKind) -> SnapshotEnded:
        return SnapshotEnded(
            at=self.now, epoch=self._here.epoch, kind=kind, complete=False, reason="not in this capture"
        )


def list_ends(lines: tuple[Line, ...]) -> dict[tuple[Epoch, SnapshotKind], list[int]]:
    """Line numbers of the ends of lists, by connection and kind; connections are counted as ``Replay`` counts them."""
    found: dict[tuple[Epoch, SnapshotKind], list[int]] = {}
    epoch, connected = 0, False
    for line in lines:
        if line.direction is Direction.CONN:
            connected = line.name == "connected"
            epoch += connected
        elif not connected:
            connected, epoch = True, epoch + 1
        if line.direction is Direction.IN and line.name in _ENDS:
            found.setdefault((Epoch(epoch), _ENDS[line.name]), []).append(line.number)
    return found
