"""The simulator without sockets: sessions, orders, exchange and market time, driven from one thread."""

import heapq
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Protocol

import attrs
from ibapi.message import IN

from ibapi_bridge.gateway_simulator import order_messages
from ibapi_bridge.gateway_simulator.account_feed import AccountFeed
from ibapi_bridge.gateway_simulator.book import ApiOrder, OrderBook
from ibapi_bridge.gateway_simulator.config import GatewayConfig
from ibapi_bridge.gateway_simulator.contracts import combo, to_contract
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.exchange import events
from ibapi_bridge.gateway_simulator.exchange.exchange import Exchange
from ibapi_bridge.gateway_simulator.exchange.types import Execution, Instrument, Quote, SimulationError
from ibapi_bridge.gateway_simulator.faults.actions import NO_SERVER
from ibapi_bridge.gateway_simulator.faults.board import FaultBoard
from ibapi_bridge.gateway_simulator.history import History
from ibapi_bridge.gateway_simulator.ids import OrderIds
from ibapi_bridge.gateway_simulator.market_data import MarketDataHub
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.reports import Reporter
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.sessions import Sessions
from ibapi_bridge.gateway_simulator.streams import Streams
from ibapi_bridge.gateway_simulator.wire import Request

FIRST_COMBO = 28_812_380
FARMS = {
    2104: "Market data farm connection is OK:usfarm",
    2106: "HMDS data farm connection is OK:ushmds",
    2158: "Sec-def data farm connection is OK:secdefil",
}


class Watcher(Protocol):
    """Someone who wants to know what happens here, whatever the clients are told."""

    def connection(self, text: str, at: datetime) -> None:
        """A client that came or went, in words."""

    def placed(self, order: ApiOrder, at: datetime) -> None:
        """A new or changed order."""

    def ended(self, order: ApiOrder, at: datetime) -> None:
        """An order that was cancelled or refused."""

    def filled(self, fill: Execution, symbol: str) -> None:
        """A fill."""


class Host(Protocol):
    """The server around a gateway."""

    def restart(self, down_seconds: float) -> None:
        """Resets every connection and refuses new ones for a while."""

    def move(self, port: int) -> int:
        """Listens on another port and returns it."""

    def split_next_greeting(self, at: int, seconds: float) -> None:
        """Cuts the next greeting in two."""

    def handle(self, session: Session, request: Request) -> None:
        """Answers a request."""


class NoHost:
    """A gateway without a server: nothing to restart or move."""

    def restart(self, down_seconds: float) -> None:
        """Does nothing."""

    def move(self, port: int) -> int:
        """Does nothing."""
        return port

    def split_next_greeting(self, at: int, seconds: float) -> None:
        """Does nothing."""

    def handle(self, session: Session, request: Request) -> None:
        """Does nothing."""


class Gateway:
    """Holds the parts together; requests act on the parts, the exchange's events come back through `report`."""

    def __init__(self, config: GatewayConfig) -> None:
        self.config = config
        self.instruments: dict[int, Instrument] = {i.con_id: i for i in config.instruments}
        self.exchange = Exchange(
            market=config.market(config.instruments, config.start, config.seed),
            instruments=config.instruments,
            accounts=config.accounts,
            seed=config.seed,
            config=config.exchange,
            start=config.start,
        )
        self.sessions = Sessions(master_client_id=config.master_client_id)
        self.book = OrderBook()
        self.ids = OrderIds(first=config.first_order_id, shift=config.exchange.numbers_from)
        self.hub = MarketDataHub()
        self.reporter = Reporter(self)
        self.accounts = AccountFeed(self)
        self.history = History(seed=config.seed, start=config.start)
        self.streams = Streams(self)
        self.faults = FaultBoard(self)
        self.host: Host = NoHost()
        self.connected: list[Session] = []
        self.cancel_reasons: dict[int, str] = {}
        self.listed_from: datetime | None = None
        self.watchers: list[Watcher] = []
        self.unsaved = False
        self._show_openings()
        self._contracts: dict[int, Message] = {}
        self._cancellers: dict[int, int] = {}
        self._later: list[tuple[datetime, int, Callable[[], None]]] = []
        self._serial = count()

    def refresh_instruments(self) -> None:
        """Takes over what the exchange lists after its state was restored."""
        self.instruments.update(self.exchange.instruments)
        self._show_openings()

    def _show_openings(self) -> None:
        for con_id in self.instruments:
            quote = self.exchange.quote(con_id)
            if quote is not None:
                self._quoted(quote)

    @property
    def now(self) -> datetime:
        """Market time."""
        return self.exchange.now

    def later(self, delay: timedelta, action: Callable[[], None]) -> None:
        """Runs an action when market time has moved on by `delay`."""
        heapq.heappush(self._later, (self.now + delay, next(self._serial), action))

    def next_event_at(self) -> datetime | None:
        """When `advance` next has something to do."""
        due = [at for at in (self.exchange.next_event_at(), self._later[0][0] if self._later else None) if at]
        return min(due, default=None)

    def advance(self, until: datetime) -> None:
        """Lets market time pass up to `until` and tells the clients what happened."""
        while self._later and self._later[0][0] <= until:
            at, _, action = heapq.heappop(self._later)
            self.report(self.exchange.advance(max(at, self.now)))
            action()
        self.report(self.exchange.advance(until))
        self.accounts.tick()
        self.streams.tick()

    def report(self, happened: list[events.Event]) -> None:
        """Tells the clients what the exchange did; `unsaved` is set by anything but a quote."""
        if happened:
            self.unsaved = self.unsaved or any(type(event) is not events.Quoted for event in happened)
            self.reporter.report(happened)

    def other_event(self, event: events.Event) -> None:
        """Takes the events that are about no order: quotes and holdings."""
        if isinstance(event, events.Quoted):
            self._quoted(event.quote)
        elif isinstance(event, events.PositionChanged):
            self.accounts.position_changed(event)

    def _quoted(self, quote: Quote) -> None:
        self.hub.quoted(quote)
        self.history.quoted(quote)
        self.streams.quoted(quote)

    def join(self, session: Session) -> None:
        """Takes a connection whose version is agreed."""
        self.connected.append(session)
        session.outlet = self.faults.outlet if self.faults.active else None

    def leave(self, session: Session) -> None:
        """Forgets everything a closed connection had asked for; its orders live on."""
        if session in self.connected:
            self.connected.remove(session)
        self.hub.drop(session)
        self.accounts.drop(session)
        self.streams.drop(session)
        self.sessions.remove(session)

    def contract_of(self, con_id: int) -> Message:
        """The contract message of an instrument, built once."""
        contract = self._contracts.get(con_id)
        if contract is None:
            contract = self._contracts[con_id] = to_contract(self.instruments[con_id])
        return contract

    def list_combo(self, contract: Message) -> Instrument:
        """Lists the combo a contract describes.

        Raises:
            SimulationError: a leg is not listed.
        """
        legs = [leg.conId for leg in contract.comboLegs]
        if len(legs) < 2 or any(con_id not in self.instruments for con_id in legs):
            raise SimulationError(f"a combo needs two or more listed legs, it has {legs}")
        made = combo(contract, FIRST_COMBO + len(self.instruments))
        made = attrs.evolve(made, multiplier=self.instruments[legs[0]].multiplier)
        self.instruments[made.con_id] = made
        self.exchange.list_instrument(made)
        return made

    def execution_message(
        self, session: Session, fill: Execution, contract: Message, *, request_id: int = -1
    ) -> Message:
        """The execDetails of a fill for one session."""
        return order_messages.execution(
            fill,
            contract,
            request_id=request_id,
            zone=self.config.zone,
            version=session.version,
            submitter=self.config.username,
        )

    def note_connection(self, text: str) -> None:
        """Lets the watchers know of a client that came or went."""
        for watcher in self.watchers:
            watcher.connection(text, self.now)

    def note_fill(self, fill: Execution) -> None:
        """Lets the watchers know of a fill."""
        for watcher in self.watchers:
            watcher.filled(fill, self.instruments[fill.con_id].symbol)

    def note_order(self, order: ApiOrder) -> None:
        """Lets the watchers know of a new or changed order."""
        for watcher in self.watchers:
            watcher.placed(order, self.now)

    def note_end(self, order: ApiOrder) -> None:
        """Lets the watchers know of an order's end without a fill."""
        for watcher in self.watchers:
            watcher.ended(order, self.now)

    def correct(self, exec_id: str, *, price: Decimal | None, quantity: Decimal | None = None) -> None:
        """Corrects an execution's price or quantity and tells the clients; quantity 0 busts it in silence.

        Raises:
            ConfigError: there is no such execution.
        """
        try:
            self.report(self.exchange.correct_execution(exec_id, price=price, quantity=quantity))
        except SimulationError as error:
            raise ConfigError(str(error)) from error

    def forget_staged(self) -> None:
        """Loses every order that was never transmitted, as a restart does."""
        for order in self.book:
            if order.staged:
                self.book.forget(order)

    def forget_the_past(self) -> None:
        """Loses what a gateway keeps to itself: ids, staged and ended orders, the list of executions."""
        for order in self.book:
            if not order.alive:
                self.book.forget(order)
        self.ids.forget()
        self.listed_from = self.now

    def note_canceller(self, order: ApiOrder, client_id: int) -> None:
        """Remembers that a foreign client asked for the cancel."""
        self._cancellers[order.perm_id] = client_id

    def take_canceller(self, order: ApiOrder) -> int | None:
        """Who asked for the cancel, when it was not the owner."""
        return self._cancellers.pop(order.perm_id, None)

    def greet(self, session: Session) -> None:
        """What a client gets right after startApi."""
        self.note_connection(f"client {session.client_id} connected, server version {session.version}")
        session.send(IN.MANAGED_ACCTS, accountsList=",".join(self.config.accounts))
        session.send(IN.NEXT_VALID_ID, orderId=self.next_id(session))
        if self.faults.link_up:
            self.farm_notices([session], FARMS)
        else:
            session.error(-1, 2110, NO_SERVER, self.now)

    def farm_notices(self, sessions: Iterable[Session], codes: Iterable[int]) -> None:
        """Says that data farms are connected."""
        for session in sessions:
            for code in codes:
                session.error(-1, code, FARMS.get(code, "Data farm connection is OK"), self.now)

    def next_id(self, session: Session) -> int:
        """The lowest order id this session may use."""
        return max(self.ids.next_for(session.client_id or 0), session.id_floor)
