"""A strategy over recorded days in virtual time: the real engine, and the fills of the simulated exchange."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import attrs

from actors.domain.contract import Session
from actors.domain.identity import ClientId, Epoch
from actors.domain.session import SessionConfig, SessionMachine
from actors.messages.commands import StateChanged
from actors.messages.reports import QuoteReported
from actors.restore import Fold
from strategy.naming import run_stamp, strategy_id_of
from strategy.report import SessionLedger
from strategy.runner import StrategyRunner
from strategy.simulate.agenda import SECOND, Agenda
from strategy.simulate.line import Line
from strategy.simulate.process import Process
from strategy.simulate.punctual import PunctualSchedule
from strategy.simulate.surroundings import Parts, Surroundings
from strategy.simulate.world import Setup

LATENCY = 2_000
"""Microseconds between us and the exchange, each way."""

_BEFORE_OPEN = 60
_AFTER_CLOSE = 60


class RecordedVenue(Protocol):
    """An exchange that plays a recorded day."""

    @property
    def accounts(self) -> Any:  # noqa: ANN401 - the bridge's own
        """Where cash and positions stand, for the venue of a later day."""

    def greet(self, epoch: Epoch) -> None:
        """A client connected."""

    def take(self, command: object) -> None:
        """A request arrived."""


class RecordedDay(Protocol):
    """One recorded day; made by a bridge."""

    day: date
    symbol: str
    opens: datetime
    closes: datetime

    def venue(
        self,
        *,
        agenda: Agenda,
        line: Line,
        quote: Callable[[QuoteReported], None],
        accounts: Any,  # noqa: ANN401 - the bridge's own
    ) -> RecordedVenue:
        """The exchange of that day, which goes on with the accounts of an earlier day's venue, None at first."""


class Listener:
    """Passes on what the engine tells, to the ledger and to whoever prints."""

    def __init__(self, ledger: SessionLedger, show: Callable[[Any], None]) -> None:
        self._ledger, self._show = ledger, show

    def tell(self, message: Any) -> None:  # noqa: ANN401 - whatever the engine tells its listeners
        """The engine concluded something."""
        self._ledger.hear(message)
        self._show(message)


@attrs.define(kw_only=True)
class Backtest:
    """Days one after the other; books and the strategy's durable state go on, the strategy begins anew each day."""

    setup: Setup
    ledger: SessionLedger = attrs.field(factory=SessionLedger)
    show: Callable[[Any], None] = lambda _: None
    books: Fold | None = None
    accounts: Any = None
    """The broker's, as the last day left them."""

    def run(self, days: Iterable[RecordedDay]) -> None:
        """Trade the days."""
        for day in days:
            self.trade(day)

    def trade(self, day: RecordedDay) -> Process:
        """Trade one day, from a minute before the open to a minute after the close."""
        agenda = Agenda(day.opens - timedelta(seconds=_BEFORE_OPEN))
        line = Line(agenda=agenda, latency=LATENCY)
        lives: list[Process] = []

        def quote(report: QuoteReported) -> None:
            agenda.after(LATENCY, lives[0].quote, attrs.evolve(report, at=line.arrival))

        venue = day.venue(agenda=agenda, line=line, quote=quote, accounts=self.accounts)
        self.accounts = venue.accounts
        around = Surroundings(
            agenda=agenda, line=line, take=venue.take, greet=venue.greet, listener=Listener(self.ledger, self.show)
        )
        process = Process(self._parts(day, agenda), around)
        lives.append(process)
        self._let_time_run(process, agenda, day)
        self._keep(process, agenda)
        return process

    def _let_time_run(self, process: Process, agenda: Agenda, day: RecordedDay) -> None:
        end = agenda.microseconds_at(day.closes) + _AFTER_CLOSE * SECOND

        def beat(_: None) -> None:
            process.tick()
            agenda.after(SECOND, beat)

        beat(None)
        while agenda.run_next(end):
            pass
        process.stop()
        while agenda.run_next(end):
            pass

    def _keep(self, process: Process, agenda: Agenda) -> None:
        self.ledger.hear(process.portfolio.snapshot_view(agenda.moment))
        if self.books is None:
            return
        self.books.last_epoch = process.machine.epoch
        for message in process.inputs:
            if isinstance(message, StateChanged):
                self.books.add(message)

    def _parts(self, day: RecordedDay, agenda: Agenda) -> Parts:
        setup = self.setup
        strategy = setup.make()
        name = setup.strategy_id or strategy_id_of(type(strategy).__name__)
        if self.books is None:
            self.books = Fold(attrs.evolve(setup.desk, strategy_id=name, client_id=ClientId(1)))
        books = self.books

        def calendar(asked: date) -> Session | None:
            return Session(opens=day.opens, closes=day.closes) if asked == day.day else None

        return Parts(
            desk=books.desk,
            portfolio=books.portfolio,
            schedule=PunctualSchedule(setup.schedule, calendar=calendar),
            machine=SessionMachine(SessionConfig(), last_epoch=books.last_epoch),
            runner=StrategyRunner(
                strategy,
                name,
                run_stamp(agenda.moment),
                at=agenda.moment,
                contracts=setup.symbols,
                orders=books.desk.open_orders(),
                stored=books.strategy_state,
                on_failure=setup.on_failure,
            ),
        )
