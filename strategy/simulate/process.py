"""One life of our process: desk, portfolio, schedule, session and strategy, with the engine's own routing.

One message comes after the other instead of one thread beside the other. A tick that finds nothing due is kept back
from the desk until it hears something else: it would decide nothing, and only the latest tells the time.
"""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from actors.messages.commands import StateChanged
from actors.messages.reports import QuoteReported, Report
from actors.messages.schedule import StopStrategy
from actors.messages.system import SessionChanged, SessionState, Tick
from actors.messages.wire import FinishReconciliation, PlaceOrder, ReplacePlacedOrder
from actors.order_manager import decided_by_time
from actors.router import decision_routes, report_routes
from strategy.simulate.agenda import SECOND
from strategy.simulate.connector import Connector
from strategy.simulate.sight import Sight
from strategy.simulate.surroundings import Hear, Inbox, Message, Parts, Surroundings

MOST_AT_ONCE = 2_000
"""Messages that may follow from one at the same moment: answering each refusal with a new order takes more."""

_TICK_GRAIN = SECOND // 20
_PATIENCE = SECOND


class NeverAtRest(Exception):
    """What the strategy does makes it do the same again, at once and for ever."""


class _Post:
    """An address whose messages wait in the one inbox for who hears them."""

    def __init__(self, tell: Hear, hear: Hear | None = None) -> None:
        self.tell, self.hear = tell, hear


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
        self._schedule, self._agenda, self._line = parts.schedule, around.agenda, around.line
        self._born = self._ticked_at = self._agenda.now
        self._inbox: Inbox = deque()
        self._is_quiet = False
        """The desk heard nothing since a tick at which it decided nothing."""
        self._kept_back: Tick | None = None
        self._quiet_tick: Tick | None = None
        self._told_state = SessionState.DISCONNECTED
        self._tick_at: int | None = None
        self._awaited: float | None = None
        self._awaits_anew = True
        """Whether what is awaited, or the session, may have changed since the next tick was planned."""
        self._sight = Sight(parts, around, inbox=self._inbox, drain=self.drain)
        self._connector = Connector(
            parts,
            around,
            inbox=self._inbox,
            desk=self._hear_order_manager,
            host=self._sight.tell,
            report=self.report,
        )
        self._wire(around)

    def _wire(self, around: Surroundings) -> None:
        hearers = {
            "connector": self._connector.hear,
            "order_manager": self._hear_order_manager,
            "position_keeper": self._hear_keeper,
            "scheduler": self._hear_scheduler,
        }
        posts = {name: _Post(self._teller(hear), hear) for name, hear in hearers.items()}
        host = _Post(self._sight.tell)
        self._decided = decision_routes(**posts, strategy_host=host, listeners=(around.listener,))
        self._reported = report_routes(**posts, listener=around.listener)
        self._tells = {kind: tuple(address.tell for address in row) for kind, row in self._decided.rows.items()}
        rows = self._reported.rows.items()
        self._hears: dict[type[Any], Hear] = {
            kind: row[0].hear for kind, row in rows if len(row) == 1 and isinstance(row[0], _Post) and row[0].hear
        }
        """Reports that only one of the parts hears."""
        self._sight.dispatch = self._dispatch

    def _teller(self, hear: Hear) -> Hear:
        inbox = self._inbox
        return lambda message: inbox.append((hear, message))

    @property
    def now(self) -> datetime:
        """Market time."""
        return self._agenda.moment

    # --- from outside ---

    def report(self, burst: Iterable[Report]) -> None:
        """The link heard something; the portfolio tells once of what came at the same moment."""
        hears = self._hears
        for report in burst:
            if self.is_alive:
                hear = hears.get(type(report))
                if hear is None or self._inbox:
                    self._reported(report)
                    self._empty_inbox()
                else:
                    hear(report)
                    self._empty_inbox(1)
        self.drain()

    def quote(self, quote: QuoteReported) -> None:
        """A quote arrived."""
        if self.is_alive and self._connector.is_subscribed and self._line.is_connected:
            self._sight.quote(quote)
            if self._inbox:
                self.drain()

    def tick(self) -> None:
        """Time passes."""
        if not self.is_alive:
            return
        tick = self._tick()
        self._pass_time_at_desk(tick)
        self._sight.pass_time_at_keeper(tick)
        self._hear_scheduler(tick)
        self._sight.pass_time_at_host(tick)
        self._connector.pass_time(tick)
        self.drain()

    def _tick(self) -> Tick:
        """The desk measures its patience from the last tick, so it must not be an old one."""
        self._ticked_at = self._agenda.now
        return Tick(at=self._agenda.moment, elapsed=(self._agenda.now - self._born) / SECOND)

    def stop(self) -> None:
        """A wanted end: the strategy's last hook."""
        self._catch_up()
        self._sight.tell(StopStrategy(at=self._agenda.moment, reason="the session is over"))
        self._sight.catch_up()
        self.drain()

    def die(self) -> None:
        """Killed: nothing more is heard or said."""
        self.is_alive = False
        self._sight.is_closed = self._connector.is_closed = True
        self._inbox.clear()

    def lose_connection(self, reason: str) -> None:
        """The socket is gone."""
        self._connector.lose(reason)

    def drain(self) -> None:
        """Handle what waits, and make sure that time passes when something is awaited."""
        if not self.is_alive:
            return
        handled = self._empty_inbox()
        while self._sight.view_is_due:
            self._sight.tell_view()
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

    # --- time ---

    def _plan_tick(self) -> None:
        """The tick that was planned comes soon enough while the desk hears nothing."""
        if not self._awaits_anew:
            return
        self._awaits_anew = False
        due = self._tick_due()
        if due is not None and (self._tick_at is None or due < self._tick_at):
            self._tick_at = due
            self._agenda.at(due, self._planned_tick, due)

    def _tick_due(self) -> int | None:
        """When time must pass next, None while nothing is awaited."""
        awaited = self._awaited = self.desk.next_due
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
        self._awaits_anew = True
        awaited = self.desk.next_due
        overdue = awaited is not None and self._born + int(awaited * SECOND) + 1 <= planned
        if overdue or self.machine.state is not SessionState.READY:
            self.tick()
        elif self.is_alive:
            self._plan_tick()

    def _pass_time_at_desk(self, tick: Tick) -> None:
        due = self.desk.next_due if self._awaits_anew else self._awaited
        if self._is_quiet and (due is None or tick.elapsed < due):
            self._kept_back = tick
        else:
            self._catch_up()
            self._let_desk_hear_tick(tick)

    def _let_desk_hear_tick(self, tick: Tick) -> None:
        self._awaits_anew = True
        decided = decided_by_time(self.desk, tick)
        self._is_quiet = decided is None
        if decided is None:
            self._quiet_tick = tick
        else:
            self._conclude(tick, decided)

    def _catch_up(self) -> None:
        """The desk hears of the time that passed while nothing else did."""
        if self._kept_back is not None:
            tick, self._kept_back = self._kept_back, None
            self._let_desk_hear_tick(tick)

    # --- the shells ---

    def _dispatch(self, messages: tuple[Message, ...]) -> None:
        if len(messages) > 1:
            self._decided.all(messages)
            return
        (message,) = messages
        for tell in self._tells[type(message)]:
            tell(message)

    def _hear_order_manager(self, message: Message) -> None:
        if isinstance(message, StateChanged):
            self._catch_up()
            self._remember(message)
            return
        if self._agenda.now - self._ticked_at > _TICK_GRAIN:
            self._pass_time_at_desk(self._tick())
        self._catch_up()
        self._is_quiet, self._awaits_anew = False, True
        if isinstance(message, SessionChanged):
            self._told_state = message.state
        self._conclude(message, self.desk.decide(message))

    def _conclude(self, message: Message, decided: tuple[Message, ...]) -> None:
        if self._told_state is not SessionState.READY:
            sends = (said.oms_id for said in decided if isinstance(said, PlaceOrder | ReplacePlacedOrder))
            self.sent_unready.extend(sends)
        self._remember(message)
        if decided:
            self._dispatch(decided)

    def _remember(self, message: object) -> None:
        if self._quiet_tick is not None:
            self.inputs.append(self._quiet_tick)
            self._quiet_tick = None
        self.inputs.append(message)

    def _hear_keeper(self, message: Message) -> None:
        if isinstance(message, FinishReconciliation):
            self._inbox.append((self._connector.hear, message))
        else:
            self._sight.hear(message)

    def _hear_scheduler(self, message: Message) -> None:
        decided = self._schedule.decide(message)
        if decided:
            self._dispatch(decided)
