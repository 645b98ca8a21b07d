"""The engine: builds the actors, starts them in a readable order and stops them in reverse."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import attrs

from actors.base import Address, LateAddress, deliver, start_actor, stop_actor
from actors.clock import Clock
from actors.conflation import Mailbag, QuoteBox
from actors.connector import Connector, ConnectorRoutes
from actors.domain.contract import Contract, Session
from actors.domain.schedule import Schedule, ScheduleConfig
from actors.domain.session import SessionConfig, SessionMachine
from actors.halt import HaltSwitch
from actors.journal import Journal
from actors.link import LinkFactory
from actors.messages.events import Reconciled
from actors.messages.schedule import StopStrategy
from actors.messages.system import ActorsEnd, StopReason, Tick
from actors.messages.wire import FinishReconciliation, Subscribe
from actors.order_manager import OrderManager
from actors.position_keeper import PositionKeeper
from actors.restore import Fold
from actors.router import QuoteFan, decision_routes, report_routes
from actors.scheduler import Scheduler
from actors.strategy_host import Runs, StrategyHost
from actors.supervisor import Supervisor
from actors.ticker import Ticker


@attrs.frozen(kw_only=True)
class EngineSettings:
    """What can be chosen about the engine; times in seconds."""

    session: SessionConfig = SessionConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    messages_per_second: float = 45.0
    tick_seconds: float = 0.05


@attrs.frozen(kw_only=True)
class EngineParts:
    """What the engine is built from; the caller owns and closes them."""

    clock: Clock
    journal: Journal
    restored: Fold
    runner: Runs
    subscriptions: tuple[Contract, ...]
    make_link: LinkFactory
    calendar: Callable[[date], Session | None]
    listener: Any
    """An address that hears every event and view (``tell`` from any thread, never blocking)."""
    stop: Callable[[StopReason], None]
    """Called from any thread when the engine must end; never blocking."""
    correct_clock: Callable[[timedelta], None] | None = None
    """Makes ``clock`` follow the gateway's, where it is real time."""


class Engine:
    """All actors of one strategy."""

    def __init__(self, settings: EngineSettings, parts: EngineParts) -> None:
        self._settings = settings
        self._parts = parts
        self.halt = HaltSwitch()
        self._names = ("supervisor", "order_manager", "position_keeper", "scheduler", "strategy_host", "connector")
        self._addresses = {name: LateAddress() for name in self._names}
        self._started: list[Any] = []
        self._ticker: Ticker | None = None
        self._host_quotes, self._keeper_quotes = QuoteBox(), QuoteBox()
        to = self._addresses
        self._keeper_mail = Mailbag(to["position_keeper"], urgent=(Tick, Reconciled, FinishReconciliation))
        self._decisions = decision_routes(
            connector=to["connector"],
            order_manager=to["order_manager"],
            position_keeper=self._keeper_mail,
            scheduler=to["scheduler"],
            strategy_host=to["strategy_host"],
            listeners=(parts.listener,),
        )
        reports = report_routes(
            connector=to["connector"],
            order_manager=to["order_manager"],
            position_keeper=self._keeper_mail,
            scheduler=to["scheduler"],
            listener=parts.listener,
        )
        readers = ((self._host_quotes, to["strategy_host"]), (self._keeper_quotes, self._keeper_mail))
        self._reports = QuoteFan(readers, reports)

    def start(self) -> None:
        """Start every actor, each answering before the next begins; then let time run."""
        self._start("supervisor", Supervisor, **self._supervisor_arguments())
        self._start("position_keeper", PositionKeeper, **self._position_keeper_arguments())
        self._start("order_manager", OrderManager, **self._order_manager_arguments())
        self._start("scheduler", Scheduler, schedule=self._schedule(), dispatch=self._decisions.all)
        self._start("strategy_host", StrategyHost, **self._host_arguments())
        self._start("connector", Connector, **self._connector_arguments())
        for contract in self._parts.subscriptions:
            self._addresses["connector"].tell(Subscribe(wanted=contract))
        to: dict[str, Address[Any]] = {**self._addresses, "position_keeper": self._keeper_mail}
        recipients = [to[name] for name in self._names if name != "supervisor"]
        self._ticker = Ticker(
            clock=self._parts.clock, recipients=recipients, interval_seconds=self._settings.tick_seconds
        )
        self._ticker.start()

    def stop(self, reason: str) -> list[str]:
        """Stop everything in reverse order; returns the names of actors that did not end in time."""
        if self._ticker is not None:
            self._ticker.stop()
        if self._started:
            deliver(self._addresses["supervisor"], ActorsEnd())
            deliver(self._addresses["strategy_host"], StopStrategy(at=self._parts.clock.now(), reason=reason))
        stuck = [name for name, actor in reversed(self._started) if not stop_actor(actor, timeout_seconds=1.5)]
        self._started.clear()
        return stuck

    def address(self, name: str) -> Address[Any]:
        """Where to tell an actor something: for operators and tests."""
        return self._addresses[name]

    def inbox_depths(self) -> dict[str, int]:
        """How many messages wait for each actor."""
        return {name: actor.actor_inbox.qsize() for name, actor in self._started}

    def _start(self, name: str, actor_class: Any, **arguments: Any) -> None:  # noqa: ANN401  # Pykka is untyped here
        if name != "supervisor":
            arguments["supervisor"] = self._addresses["supervisor"]
        actor = start_actor(actor_class, **arguments)
        self._addresses[name].become(actor)
        self._started.append((name, actor))

    def _supervisor_arguments(self) -> dict[str, Any]:
        return {
            "halt": self.halt,
            "clock": self._parts.clock,
            "listeners": (self._parts.listener,),
            "stop_strategy": self._stop_strategy,
            "stop": self._parts.stop,
        }

    def _order_manager_arguments(self) -> dict[str, Any]:
        return {
            "desk": self._parts.restored.desk,
            "journal": self._parts.journal,
            "dispatch": self._decisions.all,
            "halt": self.halt,
        }

    def _position_keeper_arguments(self) -> dict[str, Any]:
        return {
            "portfolio": self._parts.restored.portfolio,
            "mail": self._keeper_mail,
            "quotes": self._keeper_quotes,
            "connector": self._addresses["connector"],
            "dispatch": self._decisions.all,
            "view_listeners": (self._addresses["strategy_host"], self._parts.listener),
        }

    def _host_arguments(self) -> dict[str, Any]:
        return {"runner": self._parts.runner, "quotes": self._host_quotes, "dispatch": self._decisions.all}

    def _connector_arguments(self) -> dict[str, Any]:
        machine = SessionMachine(
            self._settings.session,
            last_epoch=self._parts.restored.last_epoch,
            jitter=random.Random().random,  # spread reconnects of several processes; nothing decides on it
        )
        listeners = (self._addresses["strategy_host"], self._parts.listener)
        return {
            "machine": machine,
            "make_link": self._parts.make_link,
            "route": self._reports,
            "routes": ConnectorRoutes(
                order_manager=self._addresses["order_manager"],
                session_listeners=listeners,
                stop=self._parts.stop,
            ),
            "clock": self._parts.clock,
            "halt": self.halt,
            "messages_per_second": self._settings.messages_per_second,
            "correct_clock": self._parts.correct_clock,
        }

    def _schedule(self) -> Schedule:
        return Schedule(self._settings.schedule, calendar=self._parts.calendar)

    def _stop_strategy(self, reason: str) -> None:
        self._parts.stop(StopReason(text=reason, exit_code=1))
