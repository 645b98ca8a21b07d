"""One session of the real engine and strategy in virtual time, on one thread, as its plan says."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from actors.domain.contract import Contract, Session
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import ClientId, Epoch
from actors.domain.invariants import InvariantViolated
from actors.domain.schedule import ScheduleConfig
from actors.domain.session import GiveUp, SessionConfig, SessionMachine
from actors.messages.reports import ConnectionLost, LinkCondition, LinkConditionReported
from actors.messages.system import SessionChanged, SessionState
from actors.restore import Fold
from strategy.base import Strategy
from strategy.naming import run_stamp, strategy_id_of
from strategy.runner import FailurePolicy, StrategyRunner, describe_error
from strategy.simulate import audit
from strategy.simulate.agenda import SECOND, Agenda
from strategy.simulate.line import Line, Tap
from strategy.simulate.market import Top, quote_of, tops
from strategy.simulate.narrator import Narrator
from strategy.simulate.plan import Disturbance, Event, OrderFate, Plan
from strategy.simulate.process import NeverAtRest, Process
from strategy.simulate.properties import Property, Violation, first_violation
from strategy.simulate.punctual import PunctualSchedule
from strategy.simulate.record import Record, SessionView
from strategy.simulate.surroundings import Parts, Surroundings
from strategy.simulate.venue import Venue
from strategy.simulate.venue_order import ACCOUNT, VenueExecution, VenueOrder

BEFORE_OPEN = 60
AFTER_CLOSE = 300
"""Seconds simulated before the open and, to let everything come to rest, after the close."""

_RESTART_SLOWER = 15
_NOTICED_AGAIN = 3
_STARTED_AGAIN = 5
"""Seconds after which a process that ended is started again from outside."""
_NEW_YORK = ZoneInfo("America/New_York")
_OPENS = time(9, 30)


@attrs.frozen(kw_only=True)
class Setup:
    """Whom a session is for: how to make the strategy, its configuration, and what must hold.

    ``make`` gives a new strategy with its parameters each time it is called: a restarted process begins with one.
    In the last ``fair_minutes`` before the close the broker plays no tricks: it fills what flattens, and a confirmed
    cancel is the end of an order. None lets it go on.
    """

    make: Callable[[], Strategy]
    properties: tuple[Property, ...] = ()
    strategy_id: str = ""
    desk: DeskConfig = DeskConfig()
    schedule: ScheduleConfig = ScheduleConfig(flatten_at=time(15, 50), lock_at=time(15, 50))
    symbols: Mapping[str, Contract] = attrs.field(factory=dict)
    on_failure: FailurePolicy = "cancel"
    fair_minutes: int | None = 12


class World:
    """A session on its way; ``run`` it once, then read ``record`` and ``violation``."""

    def __init__(self, plan: Plan, setup: Setup, *, narrator: Narrator | None = None, tap: Tap | None = None) -> None:
        self.plan, self._setup = plan, setup
        self.opens = datetime.combine(plan.day, _OPENS, tzinfo=_NEW_YORK).astimezone(UTC)
        self.closes = self.opens + timedelta(minutes=plan.minutes)
        self.agenda = Agenda(self.opens - timedelta(seconds=BEFORE_OPEN))
        self.line = Line(agenda=self.agenda, latency=plan.latency_ms * 1_000, tap=tap)
        self.violation: Violation | None = None
        self.venue = Venue(
            plan=plan,
            agenda=self.agenda,
            line=self.line,
            listener=self,
            fair_from=None if setup.fair_minutes is None else self.closes - timedelta(minutes=setup.fair_minutes),
        )
        self.view = SessionView(venue=self.venue, opens=self.opens, closes=self.closes)
        self.record = Record(self.view, self.venue)
        self._narrator = narrator
        if narrator is not None:
            narrator.begin(self.agenda, self.view)
        self._always = tuple(demand for demand in setup.properties if demand.when == "always")
        self._at_end = tuple(demand for demand in setup.properties if demand.when == "end")
        self._inputs: list[Any] = []
        self._asked = self.opens
        self._strategy_id = setup.strategy_id
        self.process: Process = self._born(None)

    # --- running ---

    def run(self) -> Violation | None:
        """Let the session happen; the first violation ends it."""
        self._plan_everything()
        end = (BEFORE_OPEN + self.plan.minutes * 60 + AFTER_CLOSE) * SECOND
        try:
            self.process.tick()
            run_next, record = self.agenda.run_next, self.record
            while self.violation is None and run_next(end):
                if record.has_news:
                    record.has_news = False
                    self._look(self._always)
            if self.violation is None:
                self._conclude()
        except InvariantViolated as broken:
            self._violated("engine_invariants", str(broken))
        except NeverAtRest as storm:
            self._violated("comes_to_rest", str(storm))
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is what is looked for
            self._violated("engine_raises_nothing", describe_error(error))
        return self.violation

    def _conclude(self) -> None:
        self.view.now = self.agenda.moment
        self.record.mark(self.agenda.moment)
        self._look(self._at_end)
        if self.violation is None and self.process.is_alive:
            found = next(audit.complaints(self.process, self.venue, self.record), None)
            if found is not None:
                self._violated("engine_keeps_its_promises", found)

    def _look(self, demands: tuple[Property, ...]) -> None:
        self.view.now = self.agenda.moment
        if self.violation is None:
            self.violation = first_violation(demands, self.view)

    def _violated(self, name: str, text: str) -> None:
        self.violation = Violation(name=name, text=text, at=self.agenda.moment)

    # --- what is planned ---

    def _plan_everything(self) -> None:
        agenda, plan = self.agenda, self.plan
        agenda.at(BEFORE_OPEN * SECOND, lambda _: self.venue.open())
        agenda.at((BEFORE_OPEN + plan.minutes * 60) * SECOND, lambda _: self._close())
        for event in plan.events:
            begins = (BEFORE_OPEN + event.second) * SECOND
            agenda.at(begins, self._disturb, event)
            if event.kind is Disturbance.STALL:
                self.line.foresee_stall(begins)
        agenda.at(BEFORE_OPEN * SECOND, self._beat)
        for symbol in dict.fromkeys(contract.symbol for contract in self.process.runner.subscriptions):
            self._next_top((symbol, tops(plan, symbol=symbol)))

    def _beat(self, _: None) -> None:
        self.process.tick()
        self._look(self._always)
        self._audit_waiting(None)
        self.agenda.after(self.plan.quote_seconds * SECOND, self._beat)

    def _audit_waiting(self, _: None) -> None:
        late = next(audit.overdue(self.process), None) if self.process.is_alive else None
        if late is not None:
            self._violated("engine_keeps_its_promises", late)

    def _next_top(self, feed: tuple[str, Iterator[Top]]) -> None:
        top = next(feed[1], None)
        if top is not None:
            self.agenda.at((BEFORE_OPEN + top.second) * SECOND, self._show, (feed, top))

    def _show(self, shown: tuple[tuple[str, Iterator[Top]], Top]) -> None:
        feed, top = shown
        symbol = feed[0]
        self.venue.show(symbol, top)
        self.record.mark(self.agenda.moment)
        if not self.line.is_away:
            for contract in self.process.runner.subscriptions:
                if contract.symbol == symbol:
                    self.process.quote(quote_of(top, contract, at=self.agenda.moment, epoch=self.process.machine.epoch))
        self._next_top(feed)

    def _close(self) -> None:
        self.venue.close()
        self.process.tick()

    # --- disturbances ---

    def _disturb(self, event: Event) -> None:
        self.record.counts[f"disturbance {event.kind.value}"] += 1
        if self._narrator is not None:
            self._narrator.disturbed(self.agenda.moment, event)
        length = event.seconds * SECOND
        match event.kind:
            case Disturbance.DISCONNECT:
                self._cut(length)
            case Disturbance.GATEWAY_RESTART:
                self._cut(length + _RESTART_SLOWER * SECOND)
            case Disturbance.STALL:
                self.line.stall(length)
            case Disturbance.BROKER_AWAY:
                self._lose_broker(LinkCondition.BACKEND_RESTORED, length)
            case Disturbance.BROKER_AWAY_DATA_LOST:
                self._lose_broker(LinkCondition.BACKEND_RESTORED_DATA_LOST, length)
            case Disturbance.RESTART:
                self._kill(length)

    def _cut(self, length: int) -> None:
        self.line.take_down(length)
        if self.line.is_connected:
            epoch = self.process.machine.epoch
            self.process.lose_connection("the connection was reset")
            self.agenda.after(length + _NOTICED_AGAIN * SECOND, self._notice_again, (self.process, epoch))

    def _notice_again(self, lost: tuple[Process, Epoch]) -> None:
        """The thread that writes finds out later than the one that reads, when there may be a new connection."""
        process, epoch = lost
        process.report((ConnectionLost(at=self.agenda.moment, epoch=epoch, reason="broken pipe"),))

    def _lose_broker(self, restored: LinkCondition, length: int) -> None:
        self._say_condition(LinkCondition.BACKEND_LOST)
        self.line.lose_broker()
        self.agenda.after(length, self._regain_broker, restored)

    def _regain_broker(self, restored: LinkCondition) -> None:
        self.line.regain_broker()
        if not self.line.is_away:
            self._say_condition(restored)

    def _say_condition(self, condition: LinkCondition) -> None:
        epoch = self.line.epoch
        self.line.say_from_gateway(
            LinkConditionReported(at=self.line.arrival, epoch=epoch, condition=condition, text=condition.value)
        )

    def _kill(self, length: int) -> None:
        if not self.process.is_alive:
            return
        self._inputs.extend(self.process.inputs)
        self.process.die()
        self.line.cut()
        self.record.lost_engine()
        fold = audit.replayed(self._inputs, self._desk_config)
        found = audit.replay_complaint(self.process, self._inputs, fold)
        if found is not None:
            self._violated("engine_keeps_its_promises", found)
        self.agenda.after(length, self._revive, fold)

    def _revive(self, fold: Fold) -> None:
        self.process = self._born(fold)
        self.process.tick()

    # --- whom the engine and the broker tell ---

    def tell(self, message: Any) -> None:  # noqa: ANN401 - whatever the engine tells its listeners
        """The engine concluded something."""
        self.record.tell(message)
        if isinstance(message, SessionChanged):
            self._audit_session(message)
        if isinstance(message, GiveUp):
            self.agenda.after(0, self._kill, _STARTED_AGAIN * SECOND)
        if self._narrator is not None:
            self._narrator.told(message)

    def _audit_session(self, change: SessionChanged) -> None:
        if change.state is SessionState.DISCONNECTED:
            self.agenda.after(0, self._audit_waiting)
            if self.line.is_connected:
                self._violated("engine_keeps_its_promises", "A12 the session is given up while its connection stands")
        elif change.state is SessionState.RECONCILING:
            self._asked = change.at
        elif change.state is SessionState.READY:
            found = next(audit.complaints_of_reconciliation(self.process, self.venue, self.record, self._asked), None)
            if found is not None:
                self._violated("engine_keeps_its_promises", found)

    def placed(self, order: VenueOrder) -> None:
        """The broker received an order."""
        self.record.placed(order)
        if self._narrator is not None:
            self._narrator.placed(order)
        self._cut_if(order, OrderFate.CUT_OFF)

    def _cut_if(self, order: VenueOrder, fate: OrderFate) -> None:
        if order.fate is not None and order.fate.kind is fate:
            self._disturb(Event(second=0, kind=Disturbance.DISCONNECT, seconds=order.fate.seconds))

    def filled(self, execution: VenueExecution) -> None:
        """The broker booked an execution."""
        self.record.filled(execution)
        if self._narrator is not None:
            self._narrator.filled(execution)
        if execution.revision == 1 and execution.order.filled == execution.quantity:
            self._cut_if(execution.order, OrderFate.CUT_AT_FILL)

    def asked_to_cancel(self, order: VenueOrder) -> None:
        """The broker received a request to cancel."""
        if order.cancels == 1:
            self._cut_if(order, OrderFate.CANCEL_CUT_OFF)

    def ended(self, order: VenueOrder) -> None:
        """An order is over at the broker."""
        self.record.ended(order)
        if self._narrator is not None:
            self._narrator.ended(order)

    # --- a life ---

    @property
    def _desk_config(self) -> DeskConfig:
        return attrs.evolve(self._setup.desk, strategy_id=self._strategy_id, client_id=ClientId(1), account=ACCOUNT)

    def _born(self, fold: Fold | None) -> Process:
        strategy = self._setup.make()
        self._strategy_id = self._strategy_id or strategy_id_of(type(strategy).__name__)
        restored = Fold(self._desk_config) if fold is None else fold
        around = Surroundings(
            agenda=self.agenda,
            line=self.line,
            take=self.venue.take,
            greet=self.venue.greet,
            listener=self,
            narrator=self._narrator,
            lag=self.plan.lag_ms * 1_000,
            snapshot_lag=self.plan.snapshot_lag,
        )
        return Process(self._parts(strategy, restored), around)

    def _parts(self, strategy: Strategy, restored: Fold) -> Parts:
        return Parts(
            desk=restored.desk,
            portfolio=restored.portfolio,
            schedule=PunctualSchedule(self._setup.schedule, calendar=self._calendar),
            machine=SessionMachine(_SESSION, last_epoch=restored.last_epoch),
            runner=StrategyRunner(
                strategy,
                self._strategy_id,
                run_stamp(self.agenda.moment),
                at=self.agenda.moment,
                contracts=self._setup.symbols,
                orders=restored.desk.open_orders(),
                stored=restored.strategy_state,
                on_failure=self._setup.on_failure,
            ),
        )

    def _calendar(self, day: date) -> Session | None:
        return Session(opens=self.opens, closes=self.closes) if day == self.plan.day else None


_SESSION = SessionConfig(reconnect_delay_seconds=1.0, reconnect_delay_max_seconds=4.0)
