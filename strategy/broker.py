"""BrokerAPI: what a strategy may ask for and read. Nothing here waits; every read is of the latest snapshot."""

from collections.abc import Callable
from datetime import datetime, time
from decimal import Decimal
from typing import Any, TypeGuard, TypeVar

import attrs

from actors.domain.contract import Contract
from actors.domain.frozen import evolved
from actors.domain.identity import OmsId
from actors.domain.matching import is_same
from actors.domain.order_state import Fill, OrderState, Pending, new_order
from actors.domain.terms import OMS_ID_PATTERN, InvalidOrder, Order, check_order, to_optional_decimal
from actors.messages.commands import CancelOrder, FlattenAll, ReplaceOrder, StateChanged, SubmitOrder
from actors.messages.events import OrderEvent, OrderInvalid, StrategyFailed, StrategyNoted
from actors.messages.portfolio import PositionView
from actors.messages.reports import QuoteReported
from actors.messages.schedule import ScheduleTimer
from actors.messages.system import SessionState
from strategy.kinds import check_kinds, check_name
from strategy.naming import OrderNames
from strategy.view import View

_Checked = TypeVar("_Checked")

FillCallback = Callable[[OrderState, Fill], None]
StatusCallback = Callable[[OrderState, OrderEvent], None]

StrategyOutput = (
    SubmitOrder
    | CancelOrder
    | ReplaceOrder
    | FlattenAll
    | StateChanged
    | ScheduleTimer
    | OrderInvalid
    | StrategyNoted
    | StrategyFailed
)
"""Everything a strategy can cause."""

MIN_TIMER_SECONDS = 0.001
MAX_TIMER_SECONDS = 7 * 86_400


class BrokerAPI:
    """The broker as a strategy sees it.

    Quantities are in shares, contracts or units, prices in the instrument's currency; ints, Decimals, decimal strings
    and floats are taken, Decimals are given back.
    """

    def __init__(
        self, *, view: View, names: OrderNames, say: Callable[[StrategyOutput], None], strategy_id: str
    ) -> None:
        self._view = view
        self._names = names
        self._say = say
        self._strategy_id = strategy_id
        self.fill_callbacks: list[FillCallback] = []
        self.status_callbacks: list[StatusCallback] = []

    def submit_order(self, order: Order, *, oms_id: str | None = None) -> OmsId:
        """Hand an order over and get its name at once; what became of it arrives in ``on_order`` and ``on_fill``.

        Args:
            order: what is wanted.
            oms_id: a name of your own, at most 32 of ``[A-Za-z0-9_.-]``: the same order under the same name is
                never sent twice, not even after a restart.

        Raises:
            InvalidOrder: the order cannot be meant; nothing was sent.
        """
        meant = self._valid(lambda: self._checked(order))
        known = None if oms_id is None else self._valid(lambda: self._known(oms_id, meant))
        if known is not None:
            return known.oms_id
        name = self._names.next() if oms_id is None else OmsId(oms_id)
        contract = meant.contract or self._view.contract_of(meant.symbol)
        self._view.put_order(new_order(name, meant, contract, at=self._view.now, pending=Pending.SUBMIT))
        price = self._price_at_the_market(meant, contract)
        self._say(SubmitOrder(at=self._view.now, oms_id=name, order=meant, market_price=price))
        return name

    def cancel(self, oms_id: str) -> bool:
        """Ask to cancel what is left of an order; False when it is closed or a cancel is already on its way.

        Raises:
            InvalidOrder: no order of ours has this name.
        """
        state = self._valid(lambda: self._own(oms_id))
        if state is None or not state.is_open or state.pending is Pending.CANCEL:
            return False
        self._view.put_order(attrs.evolve(state, pending=Pending.CANCEL))
        self._say(CancelOrder(at=self._view.now, oms_id=state.oms_id))
        return True

    def replace(
        self, oms_id: str, *, quantity: object = None, limit_price: object = None, stop_price: object = None
    ) -> bool:
        """Change an order: ``quantity`` is the new total, fills included; None keeps a term. False when it is closed.

        Raises:
            InvalidOrder: no order of ours has this name, or the new terms cannot be meant.
        """
        state = self._valid(lambda: self._own(oms_id))
        if state is None or not state.is_open:
            return False
        command = self._valid(lambda: self._replacement(state, quantity, limit_price, stop_price))
        self._say(command)
        return True

    def order(self, oms_id: str) -> OrderState | None:
        """An order as it now stands; None when unknown or closed long ago."""
        return self._view.order(OmsId(oms_id))

    def open_orders(self, symbol: str | Contract | None = None) -> tuple[OrderState, ...]:
        """Every order that can still fill, oldest first, of one instrument or all."""
        orders = self._view.open_orders()
        if symbol is None:
            return orders
        contract = self._view.contract_of(symbol)
        return tuple(order for order in orders if _trades(order, contract))

    def get_position(self, symbol: str | Contract) -> PositionView:
        """The position in an instrument, every delivered fill included; quantity 0 when flat."""
        return self._view.holdings.get(self._view.contract_of(symbol))

    def positions(self) -> tuple[PositionView, ...]:
        """All positions that are not flat."""
        return self._view.holdings.all()

    def quote(self, symbol: str | Contract) -> QuoteReported | None:
        """The latest quote; None before the first."""
        return self._view.quote(self._view.contract_of(symbol))

    def now(self) -> datetime:
        """Market time of the latest message, aware UTC; in a simulation the simulated time."""
        return self._view.now

    @property
    def cash(self) -> Decimal | None:
        """Cash in the account's currency; None before the broker said."""
        snapshot = self._view.holdings.snapshot
        return None if snapshot is None else snapshot.cash

    @property
    def equity(self) -> Decimal | None:
        """Net liquidation value in the account's currency; None before the broker said."""
        snapshot = self._view.holdings.snapshot
        return None if snapshot is None else snapshot.equity

    @property
    def is_ready(self) -> bool:
        """Whether new orders pass: connected, reconciled and not halted."""
        return self._view.session is SessionState.READY and not self._view.is_halted

    def flatten_all(self, reason: str) -> None:
        """Cancel every open order of ours and close what they left us with at the market; what others hold stays.

        Raises:
            InvalidOrder: the reason is no text.
        """
        self._valid(lambda: check_name("reason", reason))
        self._say(FlattenAll(at=self._view.now, reason=reason))

    def every(self, seconds: float, name: str) -> None:
        """Call ``on_timer(name, at)`` every so many seconds of market time."""
        _check_timer(name, seconds)
        self._say(ScheduleTimer(name=name, every_seconds=float(seconds)))

    def daily_at(self, at: time, name: str) -> None:
        """Call ``on_timer(name, at)`` once each trading day at an exchange time such as ``time(15, 40)``."""
        _check_timer(name, 1)
        given: object = at
        if not isinstance(given, time) or given.tzinfo is not None:
            raise ValueError(f"at is {given!r}: give an exchange time such as time(15, 40), without a zone")
        self._say(ScheduleTimer(name=name, at_time=at))

    def on_fill(self, callback: FillCallback) -> None:
        """Also call ``callback(order, fill)`` after each ``Strategy.on_fill``."""
        self.fill_callbacks.append(callback)

    def on_status(self, callback: StatusCallback) -> None:
        """Also call ``callback(order, event)`` after each ``Strategy.on_order``."""
        self.status_callbacks.append(callback)

    def _valid(self, check: Callable[[], _Checked]) -> _Checked:
        try:
            return check()
        except InvalidOrder as error:
            self._say(OrderInvalid(at=self._view.now, strategy_id=self._strategy_id, text=str(error)))
            raise

    def _checked(self, order: Order) -> Order:
        check_kinds(order)
        check_order(order)
        if order.contract is not None or order.symbol not in self._view.configured:
            return order
        return evolved(order, symbol="", contract=self._view.configured[order.symbol])

    def _price_at_the_market(self, order: Order, contract: Contract) -> Decimal | None:
        """For the limit on an order's value, where the order has no price of its own."""
        if order.limit_price is not None or order.stop_price is not None:
            return None
        quote = self._view.quote(contract)
        return None if quote is None else _worth(quote)

    def _known(self, oms_id: str, order: Order) -> OrderState | None:
        check_name("oms_id", oms_id)
        if not OMS_ID_PATTERN.fullmatch(oms_id):
            raise InvalidOrder(f"oms_id is {oms_id!r}: it must have 1 to 32 letters, digits, '_', '.' or '-'")
        known = self._view.order(OmsId(oms_id))
        if known is not None and order != known.order and order not in known.past_terms:
            raise InvalidOrder(f"oms_id is {oms_id!r}: it already names another order ({known.order.describe()})")
        return known

    def _own(self, oms_id: str) -> OrderState | None:
        """The order; None for one of this run that closed long ago."""
        check_name("oms_id", oms_id)
        state = self._view.order(OmsId(oms_id))
        if state is None and not oms_id.startswith(self._names.prefix):
            raise InvalidOrder(f"oms_id is {oms_id!r}: no order of this strategy has this name")
        return state

    def _replacement(self, state: OrderState, quantity: object, limit: object, stop: object) -> ReplaceOrder:
        terms = {
            "quantity": to_optional_decimal("quantity", quantity),
            "limit_price": to_optional_decimal("limit_price", limit),
            "stop_price": to_optional_decimal("stop_price", stop),
        }
        changes: dict[str, Any] = {name: value for name, value in terms.items() if value is not None}
        if not changes:
            raise InvalidOrder("replace changes nothing: give quantity, limit_price or stop_price")
        meant = attrs.evolve(state.order, **changes)
        check_order(meant)
        price = self._price_at_the_market(meant, state.contract)
        return ReplaceOrder(at=self._view.now, oms_id=state.oms_id, **terms, market_price=price)


def _worth(quote: QuoteReported) -> Decimal | None:
    """What the market says an instrument is worth: the last trade, else the middle of bid and ask."""
    if quote.last is None and quote.bid is not None and quote.ask is not None:
        return (quote.bid + quote.ask) / Decimal(2)
    return quote.last


def _trades(state: OrderState, contract: Contract) -> bool:
    return is_same(contract, state.contract)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_timer(name: object, seconds: object) -> None:
    if not isinstance(name, str) or not name:
        raise ValueError(f"name is {name!r}: a timer needs a name")
    if not _is_number(seconds) or not MIN_TIMER_SECONDS <= seconds <= MAX_TIMER_SECONDS:
        accepted = f"it must be a number from {MIN_TIMER_SECONDS} to {MAX_TIMER_SECONDS}"
        raise ValueError(f"seconds is {seconds!r}: {accepted}")
