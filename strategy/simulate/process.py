"""One life of our process: desk, portfolio, schedule, session and strategy, with the engine's own routing.

One message comes after the other instead of one thread beside the other.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import attrs

from actors.domain.desk import Desk
from actors.domain.identity import Epoch
from actors.domain.portfolio import Portfolio
from actors.domain.schedule import Schedule
from actors.domain.session import (
    AlertOutage,
    AskServerTime,
    CloseLink,
    GiveUp,
    OpenLink,
    Resubscribe,
    SessionAction,
    SessionMachine,
)
from actors.domain.start_gate import StartGate
from actors.domain.timekeeping import ClockDiffers
from actors.messages.commands import StateChanged
from actors.messages.events import CommissionCharged, FillCorrected, OrderFilled, Reconciled
from actors.messages.reports import ConnectionLost, QuoteReported, Report, ServerTimeReported, SnapshotEnded
from actors.messages.schedule import StopStrategy
from actors.messages.system import SendFailed, SessionChanged, SessionState, Tick
from actors.messages.wire import FinishReconciliation, PlaceOrder, ReplacePlacedOrder, SeekConnection, Subscribe
from actors.order_manager import decided_by_time
from actors.router import decision_routes, report_routes
from strategy.runner import StrategyRunner
from strategy.simulate.agenda import SECOND, Agenda
from strategy.simulate.line import Line
from strategy.simulate.narrator import Narrator

Message = Any
"""What travels between the parts; each has its own table of what it hears."""

MOST_AT_ONCE = 2_000
"""Messages that may follow from one at the same moment: answering each refusal with a new order takes more."""

_TICK_GRAIN = SECOND // 20
_PATIENCE = SECOND


class NeverAtRest(Exception):
    """What the strategy does makes it do the same again, at once and for ever."""


@attrs.frozen(kw_only=True)
class Parts:
    """What one life is made of."""

    desk: Desk
    portfolio: Portfolio
    schedule: Schedule
    machine: SessionMachine
    runner: StrategyRunner


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a life finds: the line, who takes requests at its other end, who listens."""

    agenda: Agenda
    line: Line
    take: Callable[[Any], None]
    greet: Callable[[Epoch], None]
    listener: Any
    narrator: Narrator | None = None
    lag: int = 0
    snapshot_lag: bool = False


class _Post:
    """An address whose messages wait in the one inbox."""

    def __init__(self, tell: Callable[[Any], None]) -> None:
        self.tell = tell


class Process:
    """See the module; dead once ``die`` was called."""

    def __init__(self, parts: Parts, around: Surroundings) -> None:
        self.desk, self.portfolio, self.runner = parts.desk, parts.portfolio, parts.runner
        self.machine = parts.machine
        self.inputs: list[Any] = []
        """What the journal would hold of this life."""
        self.sent_unready: list[str] = []
        """Orders and changes that the desk wanted to send although it knew that none pass."""
        self.is_alive = True
        self.is_subscribed = False
        self._schedule, self._gate = parts.schedule, StartGate()
        self._around, self._agenda, self._line = around, around.agenda, around.line
        self._born = self._ticked_at = self._agenda.now
        self._inbox: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._quiet_tick: Tick | None = None
        self._told_state = SessionState.DISCONNECTED
        self._tick_at: int | None = None
        self._view_is_stale, self._view_is_due = True, False
        posts = {name: _Post(self._teller(hear)) for name, hear in self._hearers().items()}
        host = _Post(self._tell_host)
        self._decided = decision_routes(**posts, strategy_host=host, listeners=(around.listener,))
        self._reported = report_routes(**posts, listener=around.listener)

    def _hearers(self) -> dict[str, Callable[[Any], None]]:
        return {
            "connector": self._hear_connector,
            "order_manager": self._hear_order_manager,
            "position_keeper": self._hear_keeper,
            "scheduler": self._hear_scheduler,
        }

    def _teller(self, hear: Callable[[Any], None]) -> Callable[[Any], None]:
        inbox = self._inbox
        return lambda message: inbox.append((hear, message))

    @property
    def now(self) -> datetime:
        """Market time."""
        return self._agenda.moment

    # --- from outside ---

    def report(self, burst: Iterable[Report]) -> None:
        """The link heard something; the portfolio tells once of what came at the same moment."""
        for report in burst:
            if self.is_alive:
                self._reported(report)
                self._empty_inbox()
        self.drain()

    def quote(self, quote: QuoteReported) -> None:
        """A quote arrived."""
        if self.is_alive and self.is_subscribed and self._line.is_connected:
            self._hear_keeper(quote)
            self._tell_host(quote)
            self.drain()

    def tick(self) -> None:
        """Time passes."""
        if not self.is_alive:
            return
        tick = self._tick()
        self._hear_order_manager(tick)
        self._hear_keeper(tick)
        self._hear_scheduler(tick)
        self._tell_host(tick)
        self._hear_connector(tick)
        self.drain()

    def _tick(self) -> Tick:
        """The desk measures its patience from the last tick, so it must not be an old one."""
        self._ticked_at = self._agenda.now
        return Tick(at=self._agenda.moment, elapsed=(self._agenda.now - self._born) / SECOND)

    def stop(self) -> None:
        """A wanted end: the strategy's last hook."""
        self._tell_host(StopStrategy(at=self._agenda.moment, reason="the session is over"))
        self.drain()

    def die(self) -> None:
        """Killed: nothing more is heard or said."""
        self.is_alive = False
        self._inbox.clear()

    def drain(self) -> None:
        """Handle what waits, and make sure that time passes when something is awaited."""
        if not self.is_alive:
            return
        handled = self._empty_inbox()
        while self._view_is_due:
            self._tell_view()
            handled = self._empty_inbox(handled)
        self._plan_tick()

    def _empty_inbox(self, handled: int = 0) -> int:
        inbox = self._inbox
        while inbox:
            hear, message = inbox.popleft()
            hear(message)
            handled += 1
            if handled > MOST_AT_ONCE:
                raise NeverAtRest(f"more than {MOST_AT_ONCE} messages followed from one, without any time passing")
        return handled

    def _plan_tick(self) -> None:
        due = self._tick_due()
        if due is not None and (self._tick_at is None or due < self._tick_at):
            self._tick_at = due
            self._agenda.at(due, self._planned_tick, due)

    def _tick_due(self) -> int | None:
        """When time must pass next, None while nothing is awaited."""
        awaited = self.desk.next_due
        due = None if awaited is None else max(self._born + int(awaited * SECOND) + 1, self._agenda.now + _TICK_GRAIN)
        if self.machine.state is SessionState.READY:
            return due
        patient = self._agenda.now + _PATIENCE
        return patient if due is None else min(due, patient)

    def _planned_tick(self, planned: int) -> None:
        """What was awaited may have come meanwhile."""
        if self._tick_at != planned:
            return
        self._tick_at = None
        awaited = self.desk.next_due
        overdue = awaited is not None and self._born + int(awaited * SECOND) + 1 <= planned
        if overdue or self.machine.state is not SessionState.READY:
            self.tick()
        elif self.is_alive:
            self._plan_tick()

    # --- the shells ---

    def _hear_order_manager(self, message: Message) -> None:
        if isinstance(message, StateChanged):
            self._remember(message)
            return
        if self._agenda.now - self._ticked_at > _TICK_GRAIN and not isinstance(message, Tick):
            self._hear_order_manager(self._tick())
        decided = decided_by_time(self.desk, message) if isinstance(message, Tick) else self.desk.decide(message)
        if decided is None:
            self._quiet_tick = message
            return
        if isinstance(message, SessionChanged):
            self._told_state = message.state
        if self._told_state is not SessionState.READY:
            sends = (said.oms_id for said in decided if isinstance(said, PlaceOrder | ReplacePlacedOrder))
            self.sent_unready.extend(sends)
        self._remember(message)
        self._decided.all(decided)

    def _remember(self, message: object) -> None:
        if self._quiet_tick is not None:
            self.inputs.append(self._quiet_tick)
            self._quiet_tick = None
        self.inputs.append(message)

    def _hear_keeper(self, message: Message) -> None:
        if isinstance(message, FinishReconciliation):
            self._inbox.append((self._hear_connector, message))
            return
        decided = self.portfolio.decide(message)
        if decided:
            self._decided.all(decided)
        match message:
            case OrderFilled() | FillCorrected() | CommissionCharged() | Reconciled():
                self._view_is_stale = True
                self._view_is_due = (
                    self._view_is_due or not self._around.snapshot_lag or isinstance(message, Reconciled)
                )
            case Tick():
                self._view_is_due = self._view_is_stale
            case _:
                self._view_is_stale = True

    def _tell_view(self) -> None:
        """Once for everything that happened at the same moment: the position keeper's own thread does about that."""
        self._view_is_stale = self._view_is_due = False
        self._tell_host(self.portfolio.snapshot_view(self._agenda.moment))

    def _hear_scheduler(self, message: Message) -> None:
        self._decided.all(self._schedule.decide(message))

    def _tell_host(self, message: Message) -> None:
        if self._around.lag:
            self._agenda.after(self._around.lag, self._reach_host, message)
        else:
            self._inbox.append((self._hear_host, message))

    def _reach_host(self, message: Message) -> None:
        if self.is_alive:
            self._hear_host(message)
            self.drain()

    def _hear_host(self, message: Message) -> None:
        self._let_strategy_hear(message)
        for start in self._gate.decide(message):
            self._let_strategy_hear(start)

    def _let_strategy_hear(self, message: Message) -> None:
        wanted = self.runner.hear(message)
        if wanted:
            if self._around.narrator is not None:
                self._around.narrator.wanted(message, wanted)
            self._decided.all(wanted)

    # --- the connector ---

    def _hear_connector(self, message: Message) -> None:
        match message:
            case PlaceOrder() | ReplacePlacedOrder() if message.epoch != self.machine.epoch or (
                not self.machine.takes_new_orders
            ):
                self._not_sent(message)
            case Subscribe():
                return
            case FinishReconciliation() | SeekConnection() | Tick():
                self._advance(message)
            case SnapshotEnded():
                return
            case Report():
                self._advance(message)
            case _ if not self._line.is_connected:
                self._not_sent(message)
            case _:
                self._line.send(message, self._around.take)

    def _not_sent(self, command: Message) -> None:
        if hasattr(command, "oms_id"):
            text = f"the session is {self.machine.state.value}"
            at = self._agenda.moment
            failed = SendFailed(at=at, epoch=command.epoch, oms_id=command.oms_id, uncertain=False, text=text)
            self._inbox.append((self._hear_order_manager, failed))

    def _advance(self, message: Message) -> None:
        for action in self.machine.decide(message):
            self._carry_out(action)

    def _carry_out(self, action: SessionAction) -> None:
        match action:
            case SessionChanged():
                self._announce(action)
            case OpenLink():
                self._agenda.after(SECOND // 100, self._open, action.epoch)
            case CloseLink():
                self.lose_connection(action.reason)
            case AskServerTime():
                self._line.send_to_gateway(action, lambda _: self._answer_time())
            case Resubscribe():
                self.is_subscribed = True
            case AlertOutage() | ClockDiffers() | GiveUp():
                self._around.listener.tell(action)  # a process that gives up ends, and is started again from outside

    def _announce(self, change: SessionChanged) -> None:
        if change.state in (SessionState.DISCONNECTED, SessionState.CONNECTING):
            self.is_subscribed = False
        self._inbox.append((self._hear_order_manager, change))
        self._tell_host(change)
        self._around.listener.tell(change)

    def _answer_time(self) -> None:
        at = self._line.arrival
        self._line.say_from_gateway(ServerTimeReported(at=at, epoch=self.machine.epoch, server_time=at))

    def _open(self, epoch: Epoch) -> None:
        if not self.is_alive or self.machine.epoch != epoch:
            return
        if self._line.is_reachable and not self._line.is_away:
            self._line.connect(epoch, self.report)
            self._around.greet(epoch)
        else:
            self.lose_connection("connection refused")

    def lose_connection(self, reason: str) -> None:
        """The socket is gone."""
        self._line.cut()
        if self.is_alive:
            self.report((ConnectionLost(at=self._agenda.moment, epoch=self.machine.epoch, reason=reason),))
