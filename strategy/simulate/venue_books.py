"""The simulated broker's books: what is held, what it cost and what it is worth, by arithmetic of their own."""

from datetime import datetime
from decimal import Decimal

from actors.domain.contract import Contract
from strategy.simulate.market import CENT, Top
from strategy.simulate.venue_order import ZERO, VenueExecution, VenueOrder

STARTING_CASH = Decimal(1_000_000)


class Books:
    """Positions and cash of the one account, and the tops of the books they are valued at."""

    def __init__(self) -> None:
        self.executions: list[VenueExecution] = []
        self.holdings: dict[Contract, Decimal] = {}
        """Signed quantities, kept apart from the engine's own arithmetic."""
        self.tops: dict[str, Top] = {}
        self.cash = STARTING_CASH

    def book(
        self, order: VenueOrder, quantity: Decimal, price: Decimal, *, at: datetime, published_at: datetime | None
    ) -> VenueExecution:
        """A fill."""
        order.filled += quantity
        order.cost += quantity * price
        execution = VenueExecution(
            order=order,
            family=f"0000e0d5.{order.number:08x}.{len(self.executions):02x}",
            quantity=quantity,
            price=price,
            at=at,
            cumulative=order.filled,
            average=order.cost / order.filled,
            published_at=published_at,
        )
        self.executions.append(execution)
        self._add(execution, 1)
        return execution

    def correct(self, execution: VenueExecution, quantity: Decimal, price: Decimal) -> None:
        """What a fill was in truth."""
        self._add(execution, -1)
        execution.order.filled += quantity - execution.quantity
        execution.quantity, execution.price, execution.revision = quantity, price, execution.revision + 1
        self._add(execution, 1)

    def _add(self, execution: VenueExecution, times: int) -> None:
        """1 for what is booked, -1 for what is taken out."""
        order = execution.order
        signed = times * execution.quantity * order.terms.side.sign
        self.holdings[order.contract] = self.holdings.get(order.contract, ZERO) + signed
        self.cash -= signed * execution.price * order.contract.multiplier + times * execution.commission

    def position(self, symbol: str) -> Decimal:
        """The true position in a symbol."""
        return sum((quantity for key, quantity in self.holdings.items() if key.symbol == symbol), ZERO)

    def middle(self, symbol: str) -> Decimal | None:
        """The middle of the book, None before the first quote."""
        top = self.tops.get(symbol)
        return None if top is None else (top.bid + top.ask) * CENT / 2

    @property
    def equity(self) -> Decimal:
        """Cash and what the positions are worth in the middle of the book."""
        worth = self.cash
        for contract, quantity in self.holdings.items():
            worth += self._value(contract, quantity)
        return worth

    def _value(self, contract: Contract, quantity: Decimal) -> Decimal:
        top = self.tops.get(contract.symbol)
        if top is None or not quantity:
            return ZERO
        return quantity * (top.bid + top.ask) * CENT / 2 * contract.multiplier
