"""The core under replay: the desk and the portfolio that trade, told what a capture shows, and nothing sent."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import Account, ClientId, Epoch, OmsId
from actors.domain.order_state import OrderState
from actors.domain.portfolio import Portfolio
from actors.domain.portfolio_state import PortfolioConfig
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
    AccountValueReported,
    ExecutionReported,
    LinkConditionReported,
    PositionReported,
    QuoteReported,
    Report,
    ServerTimeReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import SessionChanged, SessionState, Tick
from actors.messages.wire import QuerySnapshot

KEEP_ALL: Final = 2**62
"""More orders and lines than any capture holds."""

_NOT_FOR_THE_DESK: Final = (AccountValueReported, LinkConditionReported, QuoteReported, ServerTimeReported)
_Booked = OrderFilled | FillCorrected | CommissionCharged | Reconciled

_NOBODY_TO_ASK = PortfolioConfig(asks_first=False)


class Books:
    """Desk and portfolio together; every message is followed to its end before the next.

    Args:
        client_id: of the capture.
        lists_positions: the capture holds positions, so that an opening can be told from a difference.
        ask: what to do when the core wants one of the broker's lists.
    """

    def __init__(self, *, client_id: ClientId, lists_positions: bool, ask: Callable[[SnapshotKind], None]) -> None:
        self._config = DeskConfig(strategy_id="replay", client_id=client_id, keep_closed=KEEP_ALL, keep_names=KEEP_ALL)
        self.desk = Desk(self._config)
        self.portfolio = Portfolio(_NOBODY_TO_ASK)
        self.discrepancies: dict[tuple[str, str, Account], Discrepancy] = {}
        self.executions: dict[str, ExecutionReported] = {}
        self.last_fills: dict[tuple[str, Account], int] = {}
        self.last_rows: dict[tuple[str, Account], int] = {}
        self.last_list = 0
        self.line = 0
        self._ask = ask
        self._lists_positions = lists_positions
        self._opened = False
        self._list_is_due, self._list_has_come = False, False
        self._differing = Account("")
        self._failed: set[str] = set()
        self._names: dict[OmsId, None] = {}
        self._inbox: deque[Any] = deque()

    def orders(self) -> tuple[OrderState, ...]:
        """All orders, ours and strangers', in the order in which they appeared."""
        known = {order.oms_id: order for order in self.desk.snapshot().book.orders}
        return tuple(known[oms_id] for oms_id in {**self._names, **dict.fromkeys(known)})

    def resume(self) -> None:
        """Stop and start again from snapshots, as a restart does."""
        self.desk = Desk.restore(self.desk.snapshot(), self._config)
        self.portfolio = Portfolio.restore(self.portfolio.snapshot(), _NOBODY_TO_ASK)

    # --- telling ---

    def tell(self, message: Any) -> None:  # noqa: ANN401  # whatever the desk hears
        """Something for the desk."""
        if isinstance(message, SessionChanged):
            self._list_is_due, self._list_has_come = message.state is SessionState.RECONCILING, False
        self._inbox.append(message)
        while self._inbox:
            self._follow_all(self.desk.decide(self._inbox.popleft()))

    def tick(self, tick: Tick) -> None:
        """Time passes for both."""
        self._follow_all(self.portfolio.decide(tick))
        self.tell(tick)

    def report(self, report: Report) -> None:
        """A statement of the broker, to whom it concerns."""
        match report:
            case ExecutionReported():
                self.executions.setdefault(report.exec_id, report)
            case SnapshotEnded():
                self._failed |= set() if report.complete else {report.kind.value}
                if report.kind is SnapshotKind.POSITIONS:
                    self.last_list, self._list_has_come = self.line, True
                self._follow_all(self.portfolio.decide(report))
            case PositionReported():
                self.last_rows[report.contract.name, report.account] = self.line
                self._follow_all(self.portfolio.decide(report))
            case AccountValueReported():
                self._follow_all(self.portfolio.decide(report))
            case _:
                pass
        if not isinstance(report, _NOT_FOR_THE_DESK):
            self.tell(report)

    def end_list(self, ended: SnapshotEnded) -> None:
        """A list that the capture does not hold ends without having come; heard after the decision under way."""
        self._list_is_due = self._list_is_due and ended.kind is not SnapshotKind.POSITIONS
        self._follow_all(self.portfolio.decide(ended))
        self._inbox.append(ended)

    def open(self, at: datetime) -> None:
        """Positions listed before the first fill were there before; later lists are compared with the fills.

        A capture that lists no positions has nothing to compare with.
        """
        if self._opened:
            return
        self._opened = True
        if not self._lists_positions:
            return
        ended = SnapshotEnded(at=at, epoch=Epoch(0), kind=SnapshotKind.POSITIONS)
        for message in (ended, Reconciled(at=at, open_orders=0, executions=0, in_doubt=0)):
            self._follow_all(self.portfolio.decide(message))

    # --- following ---

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
            case Discrepancy():
                self.note(message)
            case OrderFilled() | FillCorrected() | CommissionCharged() | Reconciled():
                self._book(message)
            case PositionMismatched():
                self._differing = message.account
                self._inbox.append(message)
            case _:
                pass

    def note(self, found: Discrepancy) -> None:
        """Keep a discrepancy, the last of its kind and subject; lists that no capture could hold are none.

        Positions differ by account: the portfolio has named it just before.
        """
        account = self._differing if found.kind == "POSITION_MISMATCH" else Account("")
        if found.kind != "INCOMPLETE_SNAPSHOT" or found.subject in self._failed:
            self.discrepancies[found.kind, found.subject, account] = found

    def _book(self, event: _Booked) -> None:
        if isinstance(event, OrderFilled) and not self._is_in_the_list(event):
            self.open(event.at)
        if isinstance(event, OrderFilled | FillCorrected):
            account = event.fill.account or event.order.account
            self.last_fills[(event.fill.contract or event.order.contract).name, account] = self.line
        if isinstance(event, Reconciled) and self.last_list:
            self._opened = True
        self._follow_all(self.portfolio.decide(event))

    def _is_in_the_list(self, event: OrderFilled) -> bool:
        """Whether the positions that a comparison lists hold a fill: it is an old one, or it came before they did."""
        return self._list_is_due and (event.recovered or not self._list_has_come)
