"""What a strategy sees of the world: one plain object, moved on by messages, read by BrokerAPI."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime

from actors.domain.contract import Contract
from actors.domain.identity import Account, OmsId
from actors.domain.matching import is_same
from actors.domain.order_state import OrderState
from actors.messages.events import FillCorrected, OrderEvent, OrderFilled
from actors.messages.reports import QuoteReported
from actors.messages.system import SessionState
from strategy.holdings import ANY_ACCOUNT, Holdings

CLOSED_ORDERS_KEPT = 1_000


class View:
    """Orders, positions, quotes, session and market time of one strategy."""

    def __init__(
        self,
        *,
        at: datetime,
        account: Account = ANY_ACCOUNT,
        contracts: Mapping[str, Contract] | None = None,
        orders: Iterable[OrderState] = (),
    ) -> None:
        self.now = at
        self.holdings = Holdings(account)
        self.session = SessionState.DISCONNECTED
        self.is_halted = False
        self.configured = dict(contracts or {})
        self._contracts = dict(self.configured)
        self._open: dict[OmsId, OrderState] = {}
        self._closed: OrderedDict[OmsId, OrderState] = OrderedDict()
        self._quotes: dict[Contract, QuoteReported] = {}
        for order in orders:
            self.put_order(order)

    def order(self, oms_id: OmsId) -> OrderState | None:
        """An open order or one of the last closed ones."""
        return self._open.get(oms_id) or self._closed.get(oms_id)

    def open_orders(self) -> tuple[OrderState, ...]:
        """Every order that can still fill, oldest first."""
        return tuple(self._open.values())

    def quote(self, contract: Contract) -> QuoteReported | None:
        """The last quote of a contract."""
        exact = self._quotes.get(contract)
        if exact is not None:
            return exact
        return next((quote for known, quote in self._quotes.items() if is_same(contract, known)), None)

    def contract_of(self, symbol: str | Contract) -> Contract:
        """The contract a user means: from the configured symbols, else a US stock of that symbol."""
        if isinstance(symbol, Contract):
            return symbol
        contract = self._contracts.get(symbol)
        if contract is None:
            contract = self._contracts[symbol] = Contract(symbol=symbol)
        return contract

    def put_quote(self, quote: QuoteReported) -> None:
        """Remember the newest quote."""
        self._quotes[quote.contract] = quote

    def hear_order_event(self, event: OrderEvent) -> None:
        """Move an order on, and the position when it filled."""
        self.put_order(event.order)
        if isinstance(event, (OrderFilled, FillCorrected)):
            self.holdings.hear_fill(event)

    def put_order(self, order: OrderState) -> None:
        """Remember an order as it now stands; the oldest closed ones are forgotten."""
        if order.is_open and not order.is_untold:
            self._open[order.oms_id] = order
            return
        self._open.pop(order.oms_id, None)
        self._closed[order.oms_id] = order
        self._closed.move_to_end(order.oms_id)
        while len(self._closed) > CLOSED_ORDERS_KEPT:
            self._closed.popitem(last=False)

    def drop_order(self, oms_id: OmsId) -> None:
        """Forget an order that never left the strategy."""
        self._open.pop(oms_id, None)
