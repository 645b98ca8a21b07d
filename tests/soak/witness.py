"""What the engine says during a soak run, heard on its main thread and looked at by the director's."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import attrs

from actors.domain.identity import OmsId
from actors.messages.commands import FlattenAll
from actors.messages.events import (
    Discrepancy,
    OrderEvent,
    OrderFilled,
    OrderInDoubt,
    OrderRejected,
    PositionMismatched,
    TradingHalted,
)
from actors.messages.portfolio import PortfolioSnapshot
from actors.messages.schedule import MarketClosed, MarketOpened
from actors.messages.system import SessionChanged, SessionState, StopReason

NO_SESSION = "NO_SESSION"
"""An order refused here because the line was down: what a strategy must expect of an outage."""


@attrs.define(kw_only=True)
class DayHeard:
    """What one day brought."""

    opened: list[MarketOpened] = attrs.field(factory=list)
    closed: list[datetime] = attrs.field(factory=list)
    flattened: list[datetime] = attrs.field(factory=list)
    executions: set[str] = attrs.field(factory=set)
    doubled: list[str] = attrs.field(factory=list)
    troubles: Counter[str] = attrs.field(factory=Counter)
    texts: list[str] = attrs.field(factory=list)


class Witness:
    """The watch of a run (see ``strategy.watch.SessionWatch``) that a director can wait with."""

    def __init__(self, direct: Callable[[], None]) -> None:
        self._direct = direct
        self._news = threading.Condition()
        self.day = DayHeard()
        self.open_orders: set[OmsId] = set()
        self.session = SessionState.DISCONNECTED
        self.epoch = 0
        self.snapshot = PortfolioSnapshot(at=datetime.min)  # noqa: DTZ901 - before anything was heard
        self.failures = 0
        self.stop_reason: StopReason | None = None
        self.error: BaseException | None = None

    def on_end(self, stop: Callable[[StopReason], None]) -> None:
        """Let the director begin on a thread of its own; when it is through, the run ends."""
        threading.Thread(target=self._run_director, args=(stop,), name="director", daemon=True).start()

    def _run_director(self, stop: Callable[[StopReason], None]) -> None:
        try:
            self._direct()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever started the run
            self.error = error
        stop(StopReason(text="the director is through"))

    def see(self, message: object) -> None:
        """Take one message of the engine in."""
        with self._news:
            self._hear(message)
            self._news.notify_all()

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds; False when it did not in time."""
        with self._news:
            return self._news.wait_for(condition, seconds)

    def next_day(self) -> DayHeard:
        """What the day brought; the next one begins."""
        with self._news:
            day, self.day = self.day, DayHeard()
            return day

    def _hear(self, message: object) -> None:
        match message:
            case PortfolioSnapshot():
                self.snapshot = message
            case SessionChanged():
                self.session, self.epoch = message.state, message.epoch
                self.failures += message.state is SessionState.DISCONNECTED
            case OrderEvent():
                self._hear_order(message)
            case MarketOpened():
                self.day.opened.append(message)
            case MarketClosed():
                self.day.closed.append(message.at)
            case FlattenAll():
                self.day.flattened.append(message.at)
            case Discrepancy():
                self._trouble(message.kind, message.text, message.subject)
            case PositionMismatched() | TradingHalted():
                self._trouble(type(message).__name__, repr(message), "")
            case _:
                pass

    def _hear_order(self, event: OrderEvent) -> None:
        change = self.open_orders.add if event.order.is_open else self.open_orders.discard
        change(event.order.oms_id)
        if isinstance(event, OrderInDoubt | OrderRejected):
            self._trouble(_name_of(event), event.order.reason, event.order.oms_id)
        if isinstance(event, OrderFilled):
            if event.fill.exec_id in self.day.executions:
                self.day.doubled.append(event.fill.exec_id)
            self.day.executions.add(event.fill.exec_id)

    def _trouble(self, kind: str, text: str, subject: str) -> None:
        self.day.troubles[kind] += 1
        self.day.texts.append(f"{kind} {subject}: {text}")

    def positions(self) -> dict[str, Decimal]:
        """Our positions that are not flat, by symbol."""
        return {row.contract.symbol: row.quantity for row in self.snapshot.positions if row.quantity}

    def show_line(self, text: str) -> None:
        """Nobody looks."""

    def finish(self, reason: StopReason) -> None:
        """Remember why the run ended."""
        self.stop_reason = reason


def _name_of(event: OrderInDoubt | OrderRejected) -> str:
    """An order refused for want of a session, or lost with the connection it left on: the books show whether it is."""
    unsent = event.order.reason.startswith(("not connected", "not sent: ", "never reached the broker"))
    return NO_SESSION if isinstance(event, OrderRejected) and unsent else type(event).__name__
