"""A fast, honest broker with a scripted temper: it fills against the top of the book.

It does to each order what its plan says. Everything it says may be lost on the way; its own books are the truth of the
session.
"""

from datetime import datetime
from decimal import Decimal

from actors.domain.contract import Contract
from actors.domain.identity import ClientId, Epoch, OmsId, OrderId, PermId
from actors.domain.terms import TimeInForce
from actors.messages.reports import AccountsReported, BrokerStatus, InstrumentReported, NextOrderIdReported
from actors.messages.wire import (
    CancelPlacedOrder,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
    WireMessage,
)
from strategy.simulate.agenda import SECOND, Agenda
from strategy.simulate.market import CENT, Top
from strategy.simulate.plan import OrderFate, Plan
from strategy.simulate.venue_books import Books
from strategy.simulate.venue_lists import answer, listed
from strategy.simulate.venue_order import (
    ACCOUNT,
    VenueExecution,
    VenueOrder,
    available,
    odd_part,
    patience_of,
    price_anyway,
    price_of,
)
from strategy.simulate.venue_ports import VenueListener, Wire
from strategy.simulate.venue_reports import Words

_THINKING = 1_000
"""Microseconds the broker takes for anything."""


class Venue:
    """The broker of one session."""

    def __init__(
        self, *, plan: Plan, agenda: Agenda, line: Wire, listener: VenueListener, fair_from: datetime | None
    ) -> None:
        self._agenda, self._line, self._say = agenda, line, line.say
        self._listener, self._fair_from = listener, fair_from
        self.is_talkative = plan.echoes
        """Whether echoes come with each status and figures with completed orders; brokers do either."""
        self._fates = {fate.order: fate for fate in plan.fates}
        self.words = Words(ClientId(1))
        self.orders: dict[OrderId, VenueOrder] = {}
        self.alive: dict[OrderId, VenueOrder] = {}
        self.books = Books()
        self.arrivals: dict[OmsId, int] = {}
        """How often each order came: more than once is a sin."""
        self._sent = 0
        self.is_open = False

    # --- the connection ---

    def greet(self, epoch: Epoch) -> None:
        """A client connected."""
        self.words.epoch = epoch
        at = self._line.arrival
        highest = max(self.orders, default=0)
        self._say(NextOrderIdReported(at=at, epoch=epoch, order_id=OrderId(highest + 1)))
        self._say(AccountsReported(at=at, epoch=epoch, accounts=(ACCOUNT,)))

    def take(self, command: WireMessage) -> None:
        """A request arrived."""
        match command:
            case PlaceOrder():
                self._take_order(command)
            case CancelPlacedOrder():
                self._take_cancel(command)
            case ReplacePlacedOrder():
                self._take_replace(command)
            case QuerySnapshot():
                answer(self, self._line, command.kind)
            case QualifyContract():
                self._qualify(command.wanted)
            case _:
                raise TypeError(f"the simulated broker does not take {type(command).__name__}")

    def _qualify(self, wanted: Contract) -> None:
        at, epoch = self._line.arrival, self.words.epoch
        self._say(InstrumentReported(at=at, epoch=epoch, wanted=wanted, instrument=listed(wanted)))

    @property
    def _is_fair(self) -> bool:
        """Whether no tricks are played any more."""
        return self._fair_from is not None and self._agenda.moment >= self._fair_from

    # --- orders ---

    def _take_order(self, command: PlaceOrder) -> None:
        self.arrivals[command.oms_id] = self.arrivals.get(command.oms_id, 0) + 1
        self._sent += 1
        fate = self._fates.get(self._sent)
        if command.closing and self._is_fair:
            fate = None
        order = VenueOrder(
            number=self._sent,
            oms_id=command.oms_id,
            order_id=command.order_id,
            perm_id=PermId(1_000_000 + self._sent),
            account=command.account,
            contract=command.instrument.contract,
            terms=command.order,
            fate=fate,
            is_closing=command.closing,
            arrived_at=self._agenda.moment,
        )
        self._listener.placed(order)
        if order.has_fate(OrderFate.LOST):
            order.is_alive = False
            return
        self.orders[order.order_id] = self.alive[order.order_id] = order
        delay = _THINKING
        if fate is not None and fate.kind is OrderFate.LATE:
            delay = fate.seconds * SECOND
        self._agenda.after(delay, self._acknowledge, order)

    def _acknowledge(self, order: VenueOrder) -> None:
        if not order.is_alive:
            return
        match None if order.fate is None else order.fate.kind:
            case OrderFate.REJECTED:
                self._reject(order)
                return
            case OrderFate.WARNED:
                self._note(order, 399)
            case OrderFate.PRESET:
                self._note(order, 10349)
            case OrderFate.HELD:
                self._hold(order)
                return
            case _:
                pass
        self._work(order)

    def _reject(self, order: VenueOrder) -> None:
        order.status, order.reject_reason = BrokerStatus.INACTIVE, "not accepted today"
        self._note(order, 201)
        self._end(order, BrokerStatus.INACTIVE)

    def _hold(self, order: VenueOrder) -> None:
        order.status = BrokerStatus.INACTIVE
        self._note(order, 404)
        self._tell(order)
        self._agenda.after(patience_of(order), self._work, order)

    def _work(self, order: VenueOrder) -> None:
        if not order.is_alive:
            return
        order.is_working, order.status = True, BrokerStatus.WORKING
        self._tell(order)
        self._match(order)
        if order.has_fate(OrderFate.BROKER_CANCELS):
            self._agenda.after(patience_of(order), self._cancel_unasked, order)
        if order.order_id in self.alive and order.terms.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            self._end(order, BrokerStatus.CANCELED)

    def _cancel_unasked(self, order: VenueOrder) -> None:
        if order.order_id in self.alive and not self._is_fair:
            self._end(order, BrokerStatus.CANCELED)
            self._note(order, 202)

    def _take_cancel(self, command: CancelPlacedOrder) -> None:
        order = self.orders.get(command.order_id)
        if order is None:
            return
        order.cancels += 1
        self._listener.asked_to_cancel(order)
        if not order.is_alive:
            self._note(order, 10148 if order.status is BrokerStatus.FILLED else 202)
            return
        if order.has_fate(OrderFate.CANCEL_IGNORED) and order.cancels == 1:
            return
        if order.has_fate(OrderFate.FILL_AFTER_CANCEL):
            self._fill_against_cancel(order)
            if not order.is_alive:
                self._note(order, 10148)
                return
        delay = patience_of(order) if order.has_fate(OrderFate.CANCEL_SLOW) else _THINKING
        self._agenda.after(delay, self._confirm_cancel, order)

    def _fill_against_cancel(self, order: VenueOrder) -> None:
        price = self._price(order)
        whole = order.fate is not None and order.fate.pieces == 1
        if price:
            self._fill(order, order.remaining if whole else odd_part(order.remaining, 2), price)

    def _confirm_cancel(self, order: VenueOrder) -> None:
        if not order.is_alive:
            self._note(order, 10148 if order.status is BrokerStatus.FILLED else 202)
            return
        late = order.has_fate(OrderFate.LATE_FILL) and not self._is_fair
        price = self._price(order) if late else None
        execution = None if price is None else self._book(order, odd_part(order.remaining, 2), price, reported=False)
        self._end(order, BrokerStatus.CANCELED)
        self._note(order, 202)
        if execution is not None:
            self._agenda.after(patience_of(order), self._publish, execution)

    def _take_replace(self, command: ReplacePlacedOrder) -> None:
        order = self.orders.get(command.order_id)
        if order is None:
            return
        if not order.is_alive:
            self._note(order, 10148 if order.status is BrokerStatus.FILLED else 202)
            return
        order.terms = command.order
        self._say(self.words.echo(order, self._line.arrival))
        if order.remaining <= 0:
            self._end(order, BrokerStatus.FILLED)
        else:
            self._match(order)

    def _end(self, order: VenueOrder, status: BrokerStatus) -> None:
        order.is_alive, order.status, order.ended_at = False, status, self._agenda.moment
        self.alive.pop(order.order_id, None)
        self._listener.ended(order)
        self._tell(order)

    # --- the market ---

    def show(self, symbol: str, top: Top) -> None:
        """The book of a symbol changed; orders that can trade do."""
        self.books.tops[symbol] = top
        for order in tuple(self.alive.values()):
            if order.contract.symbol == symbol:
                self._match(order)

    def open(self) -> None:
        """The session begins."""
        self.is_open = True

    def close(self) -> None:
        """The session ends: what is good for the day is over."""
        self.is_open = False
        for order in tuple(self.alive.values()):
            if order.terms.time_in_force is not TimeInForce.GTC:
                self._end(order, BrokerStatus.CANCELED)

    def _match(self, order: VenueOrder) -> None:
        top = self.books.tops.get(order.contract.symbol)
        if not order.is_working or not order.is_alive or not self.is_open or top is None or top.halted:
            return
        kind = None if order.fate is None else order.fate.kind
        rests = kind in _RESTING and not (order.is_closing and self._is_fair)
        if rests or order.pieces_left:
            return
        price = price_of(order, top)
        if price is None:
            return
        if kind is OrderFate.PIECES and order.fate is not None:
            order.pieces_left = order.fate.pieces
            self._fill_piece(order)
        else:
            self._fill(order, available(order, top), price)

    def _fill_piece(self, order: VenueOrder) -> None:
        top = self.books.tops[order.contract.symbol]
        if not order.is_alive:
            return
        price = None if top.halted else self._price(order)
        if price is not None:
            last = order.pieces_left <= 1
            self._fill(order, order.remaining if last else odd_part(order.remaining, order.pieces_left), price)
            order.pieces_left -= 1
        if order.pieces_left and order.order_id in self.alive:
            self._agenda.after(patience_of(order), self._fill_piece, order)

    def _price(self, order: VenueOrder) -> Decimal | None:
        """A price the order agrees with, wherever the market stands; None without a market."""
        top = self.books.tops.get(order.contract.symbol)
        return None if top is None or not self.is_open else price_anyway(order, top)

    # --- fills ---

    def _fill(self, order: VenueOrder, quantity: Decimal, price: Decimal) -> None:
        if quantity <= 0:
            return
        early = order.has_fate(OrderFate.FILLED_BEFORE_EXECUTION)
        execution = self._book(order, quantity, price, reported=not early)
        if early:
            self._agenda.after(patience_of(order), self._publish, execution)
        else:
            self._push(execution)
        if not order.remaining:
            self._end(order, BrokerStatus.FILLED)
        elif not order.has_fate(OrderFate.SILENT):
            self._tell(order)
        self._correct_later(execution)

    def _book(self, order: VenueOrder, quantity: Decimal, price: Decimal, *, reported: bool) -> VenueExecution:
        at = self._agenda.moment
        execution = self.books.book(order, quantity, price, at=at, published_at=at if reported else None)
        self._listener.filled(execution)
        return execution

    def _publish(self, execution: VenueExecution) -> None:
        execution.published_at = self._agenda.moment
        self._push(execution)

    def _push(self, execution: VenueExecution) -> None:
        times = 2 if execution.order.has_fate(OrderFate.DOUBLED) else 1
        at = self._line.arrival
        for _ in range(times):
            self._say(self.words.execution(execution, at))
            self._say(self.words.commission(execution, at))
        contract = execution.order.contract
        self._say(self.words.position(ACCOUNT, contract, self.books.holdings[contract], at))

    def _correct_later(self, execution: VenueExecution) -> None:
        order = execution.order
        if order.has_fate(OrderFate.CORRECTED_PRICE) or order.has_fate(OrderFate.CORRECTED_QUANTITY):
            self._agenda.after(patience_of(order), self._correct, execution)

    def _correct(self, execution: VenueExecution) -> None:
        order = execution.order
        smaller = order.has_fate(OrderFate.CORRECTED_QUANTITY)
        if smaller and (order.is_alive or self._is_fair):
            return
        quantity = max(execution.quantity - 1, Decimal(1)) if smaller else execution.quantity
        price = execution.price if smaller else execution.price + CENT
        self.books.correct(execution, quantity, price)
        self._listener.filled(execution)
        self._push(execution)

    # --- saying ---

    def _tell(self, order: VenueOrder) -> None:
        if order.has_fate(OrderFate.SILENT):
            return
        at = self._line.arrival
        for _ in range(2 if order.has_fate(OrderFate.DOUBLED) else 1):
            if self.is_talkative:
                self._say(self.words.echo(order, at))
            self._say(self.words.status(order, at))

    def _note(self, order: VenueOrder, code: int) -> None:
        self._say(self.words.notice(order.order_id, code, self._line.arrival))


_RESTING = (OrderFate.NEVER, OrderFate.FILL_AFTER_CANCEL, OrderFate.LATE_FILL)
