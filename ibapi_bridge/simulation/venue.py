"""The simulated exchange without a socket: the same fills as behind the gateway, said in our own reports."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import attrs

from actors.domain.contract import Contract, Instrument, SecType, Session
from actors.domain.identity import Epoch, ExecId, OrderId, PermId, RequestId
from actors.domain.terms import Order, Side
from actors.messages import reports
from actors.messages.reports import BrokerStatus, SnapshotKind
from actors.messages.wire import CancelPlacedOrder, PlaceOrder, QualifyContract, QuerySnapshot, ReplacePlacedOrder
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.exchange import (
    Exchange,
    ReplayError,
    events,
    lean_days,
)
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.recordings import MARGIN, instrument_named, load_recording
from ibapi_bridge.simulation.orders import PlacedOrder, venue_order
from ibapi_bridge.simulation.words import ACCOUNT, CLIENT, Line, Words

_ANSWER = RequestId(1)


class Agenda(Protocol):
    """Virtual time."""

    @property
    def moment(self) -> datetime:
        """Now."""

    def microseconds_at(self, moment: datetime) -> int:
        """A moment in the agenda's own unit."""

    def at(self, microseconds: int, act: Callable[[Any], None], payload: object = None) -> None:
        """Let something happen."""


def recorded_days(path: Path, symbol: str | None) -> list[date]:
    """The days of a recording that are trading days, ascending.

    Raises:
        ConfigError: nothing usable is there.
    """
    try:
        if not path.is_dir():
            return [load_recording(path, symbol=symbol).day]
        days = lean_days(path)
    except ReplayError as error:
        raise ConfigError(str(error)) from error
    hours = TIMETABLES[instrument_named(symbol or path.stem).schedule]
    return [day for day in days if hours.hours(day) is not None]


class RecordedDay:
    """One recorded day of one instrument, ready to be traded on.

    Raises:
        ConfigError: nothing usable is there.
    """

    def __init__(self, path: Path, *, symbol: str | None, day: date, seed: int) -> None:
        recording = load_recording(path, symbol=symbol, day=day)
        self.day, self.symbol = day, recording.instrument.symbol
        self.opens, self.closes = recording.opens, recording.closes
        self._recording, self._seed = recording, seed

    def venue(
        self,
        *,
        agenda: Agenda,
        line: Line,
        quote: Callable[[reports.QuoteReported], None],
        accounts: Exchange | None = None,
    ) -> "ExchangeVenue":
        """The exchange of that day, with the accounts as an earlier day's left them (default: a million in cash)."""
        recording = self._recording
        start = self.opens - MARGIN
        exchange = Exchange(
            market=recording.market((recording.instrument,), start, self._seed),
            instruments=(recording.instrument,),
            accounts=(ACCOUNT,),
            seed=self._seed,
            start=start,
        )
        if accounts is not None:
            exchange.take_over(accounts)
        return ExchangeVenue(exchange, recording.instrument.con_id, agenda=agenda, line=line, quote=quote, day=self)


class ExchangeVenue:
    """Takes requests, says reports; asks the agenda for the exchange's next moment."""

    def __init__(  # noqa: PLR0913 - the exchange, and what it is wired to
        self,
        exchange: Exchange,
        con_id: int,
        *,
        agenda: Agenda,
        line: Line,
        quote: Callable[[reports.QuoteReported], None],
        day: RecordedDay,
    ) -> None:
        self._exchange, self._agenda, self._line = exchange, agenda, line
        self._on_quote, self._day = quote, day
        self._planned: int | None = None
        self._orders: dict[int, PlacedOrder] = {}
        self._by_number: dict[OrderId, PlacedOrder] = {}
        self._listed = exchange.instruments[con_id]
        self._contract = Contract(
            symbol=self._listed.symbol,
            sec_type=SecType(self._listed.sec_type),
            currency=self._listed.currency,
            multiplier=self._listed.multiplier,
            local_symbol=self._listed.local_symbol,
            con_id=con_id,
        )
        self._words = Words(line, self._contract)
        self._next_perm_id = day.day.toordinal() * 10_000
        self._plan()

    @property
    def accounts(self) -> Exchange:
        """Where the accounts stand, for the venue of a later day."""
        return self._exchange

    # --- time ---

    def _plan(self) -> None:
        due = self._exchange.next_event_at()
        if due is None:
            return
        at = self._agenda.microseconds_at(due)
        if self._planned is None or at < self._planned:
            self._planned = at
            self._agenda.at(at, self._advance, at)

    def _advance(self, planned: int) -> None:
        if planned != self._planned:
            return
        self._planned = None
        self._tell(self._exchange.advance(self._agenda.moment))
        self._plan()

    # --- requests ---

    def greet(self, epoch: Epoch) -> None:
        """A client connected."""
        self._words.epoch = epoch
        at = self._line.arrival
        self._line.say(reports.NextOrderIdReported(at=at, epoch=epoch, order_id=OrderId(1)))
        self._line.say(reports.AccountsReported(at=at, epoch=epoch, accounts=(ACCOUNT,)))

    def take(self, command: object) -> None:
        """A request arrived.

        Raises:
            TypeError: the exchange has no answer to it.
        """
        self._tell(self._exchange.advance(self._agenda.moment))
        match command:
            case PlaceOrder():
                self._place(command)
            case CancelPlacedOrder() if command.order_id in self._by_number:
                self._tell(self._exchange.cancel(self._by_number[command.order_id].perm_id))
            case ReplacePlacedOrder() if command.order_id in self._by_number:
                self._change(self._by_number[command.order_id], command.order)
            case CancelPlacedOrder() | ReplacePlacedOrder():
                self._words.note(command.order_id, 10147, "OrderId that needs to be cancelled is not found.")
            case QuerySnapshot():
                self._answer(command.kind)
            case QualifyContract():
                self._qualify(command.wanted)
            case _:
                raise TypeError(f"the simulated exchange does not take {type(command).__name__}")
        self._plan()

    def _place(self, command: PlaceOrder) -> None:
        self._next_perm_id += 1
        placed = PlacedOrder(
            oms_id=command.oms_id,
            order_id=command.order_id,
            perm_id=PermId(self._next_perm_id),
            account=command.account,
            contract=self._contract,
            terms=command.order,
        )
        self._orders[placed.perm_id] = self._by_number[placed.order_id] = placed
        self._tell(self._exchange.submit(venue_order(placed, placed.terms, con_id=self._listed.con_id)))

    def _change(self, placed: PlacedOrder, terms: Order) -> None:
        placed.asked.append(terms)
        self._tell(self._exchange.replace(venue_order(placed, terms, con_id=self._listed.con_id)))

    def _qualify(self, wanted: Contract) -> None:
        at, epoch = self._line.arrival, self._words.epoch
        if wanted.symbol != self._listed.symbol:
            text = f"no contract: the recording has {self._listed.symbol} only"
            self._line.say(reports.InstrumentRefused(at=at, epoch=epoch, wanted=wanted, text=text))
            return
        instrument = Instrument(
            contract=self._contract,
            min_tick=self._listed.min_tick,
            price_increments=self._listed.price_increments,
            min_size=self._listed.min_size,
            size_increment=self._listed.size_increment,
            liquid_sessions=(Session(opens=self._day.opens, closes=self._day.closes),),
        )
        self._line.say(reports.InstrumentReported(at=at, epoch=epoch, wanted=wanted, instrument=instrument))

    # --- lists ---

    def _answer(self, kind: SnapshotKind) -> None:
        match kind:
            case SnapshotKind.OPEN_ORDERS:
                for placed in self._orders.values():
                    if placed.is_alive:
                        self._words.echo(placed, snapshot=True)
            case SnapshotKind.EXECUTIONS:
                for execution in self._exchange.executions():
                    self._line.say(self._words.execution(execution, _ANSWER))
                    self._words.commission(execution.exec_id, execution.commission, execution.realized_pnl)
            case SnapshotKind.COMPLETED_ORDERS:
                for placed in self._orders.values():
                    if not placed.is_alive:
                        self._words.completed(placed)
            case SnapshotKind.POSITIONS:
                for position in self._exchange.positions(ACCOUNT):
                    self._words.position(position.quantity, position.average_cost)
            case SnapshotKind.ACCOUNT:
                self._list_account()
        self._line.say(reports.SnapshotEnded(at=self._line.arrival, epoch=self._words.epoch, kind=kind))

    def _list_account(self) -> None:
        values = self._exchange.account_values(ACCOUNT)
        self._words.account_value("TotalCashValue", values.total_cash_value)
        self._words.account_value("NetLiquidation", values.net_liquidation)

    # --- what happened ---

    def _tell(self, happened: list[events.Event]) -> None:
        for event in happened:
            perm_id = getattr(event, "perm_id", None)
            if perm_id is None:
                self._tell_of_market(event)
            elif perm_id in self._orders:
                self._tell_of_order(event, self._orders[perm_id])

    def _tell_of_market(self, event: events.Event) -> None:
        match event:
            case events.Quoted():
                self._on_quote(self._words.quote(event.quote))
            case events.PositionChanged():
                self._words.position(event.quantity, event.average_cost)
            case events.AccountChanged():
                self._list_account()
            case _:
                return

    def _tell_of_order(self, event: events.Event, placed: PlacedOrder) -> None:  # noqa: C901, PLR0912 - the table
        match event:
            case events.OrderAccepted():
                self._move(placed, BrokerStatus.HELD)
            case events.OrderHeld():
                placed.why_held = event.why_held
                self._move(placed, BrokerStatus.INACTIVE if "locate" in event.why_held else BrokerStatus.HELD)
            case events.OrderWorking() | events.OrderTriggered():
                placed.why_held = ""
                self._move(placed, BrokerStatus.WORKING)
            case events.OrderReplaced():
                self._replaced(event, placed)
            case events.Executed():
                self._executed(event, placed)
            case events.Commissioned():
                self._words.commission(event.exec_id, event.amount, event.realized_pnl)
            case events.OrderFilled():
                self._move(placed, BrokerStatus.FILLED)
            case events.CancelPending():
                self._move(placed, BrokerStatus.CANCEL_PENDING)
            case events.OrderCanceled():
                self._move(placed, BrokerStatus.CANCELED)
                self._words.note(placed.order_id, 202, f"Order Canceled - reason:{event.reason}")
            case events.OrderRejected():
                placed.reject_reason = event.text
                self._words.note(placed.order_id, event.code, event.text)
                self._move(placed, BrokerStatus.INACTIVE)
            case events.CancelRefused():
                self._words.note(placed.order_id, event.code, f"can not be cancelled, state: {event.state}.")
            case events.ReplaceRefused():
                placed.drop_change()
                self._words.note(placed.order_id, event.code, event.text)
            case events.Warned():
                self._words.note(placed.order_id, event.code, event.text)
            case _:
                return

    def _move(self, placed: PlacedOrder, status: BrokerStatus) -> None:
        placed.status = status
        self._words.echo(placed)
        self._line.say(
            reports.OrderStatusReported(
                at=self._line.arrival,
                epoch=self._words.epoch,
                order_id=placed.order_id,
                status=status,
                perm_id=placed.perm_id,
                client_id=CLIENT,
                filled=placed.filled,
                remaining=placed.terms.quantity - placed.filled,
                why_held=placed.why_held,
            )
        )

    def _replaced(self, event: events.OrderReplaced, placed: PlacedOrder) -> None:
        if event.by == "system":
            placed.terms = attrs.evolve(placed.terms, quantity=event.order.quantity)
        else:
            placed.take_change()
        self._words.echo(placed)

    def _executed(self, event: events.Executed, placed: PlacedOrder) -> None:
        placed.filled = event.cum_quantity
        self._line.say(
            reports.ExecutionReported(
                at=self._line.arrival,
                epoch=self._words.epoch,
                exec_id=ExecId(event.exec_id),
                contract=self._contract,
                side=Side(event.side),
                quantity=event.quantity,
                price=event.price,
                executed_at=event.at,
                order_id=placed.order_id,
                perm_id=placed.perm_id,
                client_id=CLIENT,
                account=placed.account,
                order_ref=placed.oms_id,
                cumulative_quantity=event.cum_quantity,
                average_price=event.avg_price,
                venue=event.venue,
            )
        )
        if placed.filled < placed.terms.quantity and placed.status is not BrokerStatus.CANCEL_PENDING:
            self._move(placed, BrokerStatus.WORKING)
