"""Replaying a capture: the same desk and portfolio that trade, fed with what a connection said, and nothing sent."""

from collections import deque
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import Account, Epoch, OmsId, OrderId
from actors.domain.order_state import OrderState
from actors.domain.portfolio import Portfolio
from actors.domain.terms import InvalidOrder
from actors.messages.commands import RecordCancel, RecordNumber, RecordPlacement
from actors.messages.events import (
    CommissionCharged,
    Discrepancy,
    FillCorrected,
    OrderEvent,
    OrderFilled,
    PositionMismatched,
    Reconciled,
)
from actors.messages.reports import (
    AccountsReported,
    AccountValueReported,
    CompletedOrderReported,
    ExecutionReported,
    LinkCondition,
    LinkConditionReported,
    NextOrderIdReported,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    QuoteReported,
    Report,
    ServerTimeReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import SessionChanged, SessionState, Tick
from actors.messages.wire import QuerySnapshot
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.figures import Untranslatable, identity, integer, read
from ibapi_bridge.inbound import translate
from ibapi_bridge.inbound_terms import contract_of, order_of
from ibapi_bridge.replay_names import Placed, PlacedOrders, client_id_of, client_of
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
_HANDSHAKE: Final = frozenset({"managedAccounts", "nextValidId", "error", "connectAck", "startApi"})
_RESTORED: Final = (LinkCondition.BACKEND_RESTORED, LinkCondition.BACKEND_RESTORED_DATA_LOST)
_ABOUT_ORDERS: Final = (OrderStatusReported, OpenOrderReported, ExecutionReported)
_NOT_FOR_THE_DESK: Final = (AccountValueReported, LinkConditionReported, QuoteReported, ServerTimeReported)
_KEEP_ALL: Final = 2**62
"""More orders and lines than any capture holds."""


@attrs.define
class Connection:
    """What is known of the connection being replayed."""

    epoch: Epoch = Epoch(0)
    state: SessionState = SessionState.DISCONNECTED
    next_id: OrderId | None = None
    accounts: tuple[Account, ...] = ()
    linked: set[OrderId] = attrs.field(factory=set)
    talk: Conversation = attrs.field(factory=lambda: Conversation(presume_asked=True))


class Replay:
    """One capture on its way through the core; ``hear`` each line, then ``finish``."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self._client_id = client_id_of(lines)
        self._config = DeskConfig(
            strategy_id="replay", client_id=self._client_id, keep_closed=_KEEP_ALL, keep_names=_KEEP_ALL
        )
        self.desk = Desk(self._config)
        self.portfolio = Portfolio()
        self.discrepancies: dict[tuple[str, str], Discrepancy] = {}
        self.executions: dict[str, ExecutionReported] = {}
        self._placed = PlacedOrders(lines)
        self._ends = list_ends(lines)
        self._here = Connection()
        self._awaited: set[SnapshotKind] = set()
        self._comparing = False
        self._failed: set[str] = set()
        self._names: dict[OmsId, None] = {}
        self._lists_positions = any(line.name in ("position", "positionEnd") for line in lines)
        self._opened = False
        self.last_fills: dict[str, int] = {}
        self.last_rows: dict[str, int] = {}
        self.last_list = 0
        self._inbox: deque[Any] = deque()
        self._begun: datetime | None = None
        self._now = BEGINNING
        self._number = 0

    @property
    def session(self) -> SessionState:
        """Where the session stands."""
        return self._here.state

    @property
    def now(self) -> datetime:
        """The time of the last line, or when what was owed after it had its time."""
        return self._now

    def orders(self) -> tuple[OrderState, ...]:
        """All orders, ours and strangers', in the order in which they appeared."""
        known = {order.oms_id: order for order in self.desk.snapshot().book.orders}
        return tuple(known[oms_id] for oms_id in {**self._names, **dict.fromkeys(known)})

    def hear(self, line: Line) -> None:
        """The next line of the capture."""
        self._number = line.number
        self._tick(line.at)
        match line.direction:
            case Direction.CONN if line.name == "connected":
                self._connect()
            case Direction.CONN:
                self._disconnect()
            case Direction.OUT:
                self._ensure_connected(line)
                self._left(line)
            case Direction.IN:
                self._ensure_connected(line)
                self._came(line)
        self._drain()
        self._be_ready()

    def finish(self) -> None:
        """No more lines: lists without an end end now, and what is owed has its time to come."""
        if self._begun is None:
            return
        self._number = _KEEP_ALL
        if self._here.state is SessionState.CONNECTING:
            self._move(SessionState.READY)
        for kind in sorted(self._awaited):
            self._end_list(kind)
        self._drain()
        self._be_ready()
        if not self._opened:
            self._open_books()
        for _ in range(SETTLING_SECONDS):
            self._tick(self._now + timedelta(seconds=1))

    def resume(self) -> None:
        """Stop and start again from snapshots of the core, as a restart does."""
        self.desk = Desk.restore(self.desk.snapshot(), self._config)
        self.portfolio = Portfolio.restore(self.portfolio.snapshot())

    # --- time and connection ---

    def _tick(self, at: datetime) -> None:
        """Let time pass up to the line."""
        if self._begun is None:
            self._begun = at
        elif at <= self._now:
            return
        self._now = at
        tick = Tick(at=at, elapsed=(at - self._begun).total_seconds())
        self._follow_all(self.portfolio.decide(tick))
        self._inbox.append(tick)
        self._drain()

    def _connect(self) -> None:
        if self._here.state is not SessionState.DISCONNECTED:
            self._disconnect()
        self._begin_connection()

    def _begin_connection(self) -> None:
        self._here = Connection(epoch=Epoch(self._here.epoch + 1))
        self._move(SessionState.CONNECTING)

    def _ensure_connected(self, line: Line) -> None:
        """A capture may leave out how its connection began."""
        if self._here.state is SessionState.DISCONNECTED:
            self._begin_connection()
        if self._here.state is SessionState.CONNECTING and line.name not in _HANDSHAKE:
            self._move(SessionState.READY)

    def _disconnect(self) -> None:
        self._awaited.clear()
        self._move(SessionState.DISCONNECTED)

    def _shake_hands(self) -> None:
        if self._here.state is SessionState.CONNECTING and self._here.next_id is not None and self._here.accounts:
            self._move(SessionState.READY)

    def _compare(self) -> None:
        """The capture asks for open orders: that is when its broker's lists are compared with the core's books."""
        if SnapshotKind.OPEN_ORDERS in self._awaited or self._here.state is SessionState.DEGRADED:
            return
        self._comparing = True
        self._move(SessionState.RECONCILING)

    def _be_ready(self) -> None:
        """The session goes on when every list has come that the capture holds."""
        if self._here.state is SessionState.RECONCILING and not self._awaited:
            self._comparing = False
            self._move(SessionState.READY)

    def _move(self, state: SessionState) -> None:
        here = self._here
        here.state = state
        changed = SessionChanged(
            at=self._now,
            epoch=here.epoch,
            state=state,
            client_id=self._client_id,
            next_order_id=here.next_id,
            accounts=here.accounts,
        )
        self._inbox.append(changed)
        self._drain()

    # --- what left ---

    def _left(self, line: Line) -> None:
        """A request of the capture: an order, a cancel, or a question."""
        try:
            match line.name:
                case "placeOrder":
                    self._place(line)
                case "cancelOrder":
                    order_id = OrderId(integer(line.args.get("orderId")))
                    self._link(order_id)
                    placed = self._placed.find(order_id)
                    self._cancel(() if placed is None else (placed,))
                case "reqGlobalCancel":
                    self._cancel(self._placed.all())
                case _:
                    self._here.talk.note(line.name, line.args)
                    if line.name in ("reqAllOpenOrders", "reqOpenOrders"):
                        self._compare()
        except (Untranslatable, InvalidOrder) as problem:
            text = f"line {line.number} cannot be understood: {problem}"
            self._follow(Discrepancy(at=line.at, kind="UNREADABLE", subject=line.name, text=text))

    def _place(self, line: Line) -> None:
        source = line.args.get("order")
        if read(source, "whatIf") is True:
            return
        here, ref = self._here, identity(read(source, "orderRef"))
        order_id = OrderId(integer(line.args.get("orderId")) or integer(read(source, "orderId")))
        contract = contract_of(line.args.get("contract"))
        terms = order_of(contract, source)
        placed = self._placed.find_modified(here.epoch, order_id, ref, here.next_id)
        if placed is None:
            account = Account(identity(read(source, "account"))) or self._only_account()
            placed = self._placed.add(here.epoch, order_id, ref, contract, account)
        self._inbox.append(
            RecordPlacement(
                at=line.at,
                oms_id=placed.oms_id,
                order_id=order_id,
                epoch=here.epoch,
                order=terms,
                contract=placed.contract,
                account=placed.account,
                client_id=self._client_id,
            )
        )

    def _cancel(self, orders: tuple[Placed, ...]) -> None:
        for placed in orders:
            self._inbox.append(RecordCancel(at=self._now, oms_id=placed.oms_id))

    def _only_account(self) -> Account:
        return self._here.accounts[0] if len(self._here.accounts) == 1 else Account("")

    # --- what came ---

    def _came(self, line: Line) -> None:
        here = self._here
        for report in translate(line.name, line.args, at=line.at, epoch=here.epoch, context=here.talk):
            completed = self._completed(report, line)
            if isinstance(completed, NoticeReported) and completed.subject is not None:
                self._link(OrderId(completed.subject))
            elif isinstance(completed, _ABOUT_ORDERS) and not completed.perm_id and completed.order_id is not None:
                self._link(completed.order_id)
            self._hear_report(completed)

    def _link(self, order_id: OrderId) -> None:
        """An order keeps its id on the next connection, unless the id is given out again there."""
        here = self._here
        placed = self._placed.find_older(here.epoch, order_id, here.next_id)
        if placed is None or order_id in here.linked:
            return
        here.linked.add(order_id)
        self._inbox.append(
            RecordNumber(
                at=self._now,
                oms_id=placed.oms_id,
                order_id=order_id,
                epoch=here.epoch,
                client_id=self._client_id,
            )
        )

    def _hear_report(self, report: Report) -> None:
        match report:
            case LinkConditionReported():
                self._hear_condition(report)
            case NextOrderIdReported():
                self._here.next_id = report.order_id
                self._shake_hands()
            case AccountsReported():
                self._here.accounts = report.accounts
                self._shake_hands()
            case ExecutionReported():
                self.executions.setdefault(report.exec_id, report)
            case SnapshotEnded():
                self._awaited.discard(report.kind)
                self._failed |= set() if report.complete else {report.kind.value}
                self.last_list = self._number if report.kind is SnapshotKind.POSITIONS else self.last_list
                self._follow_all(self.portfolio.decide(report))
            case PositionReported():
                self.last_rows[report.contract.name] = self._number
                self._follow_all(self.portfolio.decide(report))
            case AccountValueReported():
                self._follow_all(self.portfolio.decide(report))
            case _:
                pass
        if not isinstance(report, _NOT_FOR_THE_DESK):
            self._inbox.append(report)
            self._drain()

    def _hear_condition(self, report: LinkConditionReported) -> None:
        if report.condition is LinkCondition.BACKEND_LOST:
            self._move(SessionState.DEGRADED)
        elif report.condition in _RESTORED and self._here.state is not SessionState.CONNECTING:
            self._move(SessionState.READY)

    def _completed(self, report: Report, line: Line) -> Report:
        """The report with what a line written by hand leaves out, as far as the capture itself tells it."""
        changes: dict[str, object] = {}
        placed = self._placed.find(getattr(report, "order_id", None))
        if placed is not None and isinstance(report, _ABOUT_ORDERS) and client_of(line.args) is None:
            changes["client_id"] = self._client_id
        if isinstance(report, OpenOrderReported | CompletedOrderReported | ExecutionReported):
            if placed is not None and not report.contract.name:
                changes["contract"] = placed.contract
            if not report.account:
                changes["account"] = placed.account if placed is not None else self._only_account()
            if report.order_ref in self._placed.shared_refs:
                changes["order_ref"] = ""
        return _evolved(report, changes) if changes else report

    # --- what follows ---

    def _drain(self) -> None:
        while self._inbox:
            self._follow_all(self.desk.decide(self._inbox.popleft()))

    def _follow_all(self, outbox: tuple[object, ...]) -> None:
        for message in outbox:
            if isinstance(message, OrderEvent):
                self._names[message.order.oms_id] = None
            self._follow(message)

    def _follow(self, message: object) -> None:
        """What the core wants: events are booked, questions answered from the capture, everything else is dropped."""
        match message:
            case QuerySnapshot():
                self._ask(message.kind)
            case Discrepancy() if message.kind == "INCOMPLETE_SNAPSHOT" and message.subject not in self._failed:
                pass
            case Discrepancy():
                self.discrepancies[message.kind, message.subject] = message
            case OrderFilled() if not self._opened and self._here.state is not SessionState.RECONCILING:
                self._open_books()
                self._book(message)
            case OrderFilled() | FillCorrected() | CommissionCharged() | Reconciled():
                self._book(message)
            case PositionMismatched():
                self._inbox.append(message)
            case _:
                pass

    def _book(self, event: OrderFilled | FillCorrected | CommissionCharged | Reconciled) -> None:
        if isinstance(event, OrderFilled | FillCorrected):
            self.last_fills[(event.fill.contract or event.order.contract).name] = self._number
        if isinstance(event, Reconciled) and self.last_list:
            self._opened = True
        self._follow_all(self.portfolio.decide(event))

    def _open_books(self) -> None:
        """Positions listed before the first fill were there before; later lists are compared with the fills.

        A capture that lists no positions has nothing to compare with.
        """
        self._opened = True
        if not self._lists_positions:
            return
        ended = SnapshotEnded(at=self._now, epoch=Epoch(0), kind=SnapshotKind.POSITIONS)
        counted = Reconciled(at=self._now, open_orders=0, executions=0, in_doubt=0)
        for message in (ended, counted):
            self._follow_all(self.portfolio.decide(message))

    def _ask(self, kind: SnapshotKind) -> None:
        """The capture answers if it asked, too, and holds the end of such a list later on this connection."""
        ends = self._ends.get((self._here.epoch, kind), ())
        if self._comparing and any(number > self._number for number in ends):
            self._awaited.add(kind)
        else:
            self._end_list(kind)

    def _end_list(self, kind: SnapshotKind) -> None:
        ended = SnapshotEnded(
            at=self._now, epoch=self._here.epoch, kind=kind, complete=False, reason="not in this capture"
        )
        self._awaited.discard(kind)
        self._follow_all(self.portfolio.decide(ended))
        self._inbox.append(ended)


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


def _evolved(report: Report, changes: dict[str, Any]) -> Report:
    return attrs.evolve(report, **changes)
