"""The orders as the API knows them: whose they are, what the client wrote, what it was last told."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs

from ibapi_bridge.gateway_simulator.protos import Message

ALIVE = frozenset({"PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel", "ApiPending"})


@attrs.define(kw_only=True, slots=True)
class ApiOrder:
    """One API order; `contract` and `order` are the messages echoed in openOrder, `told` what was last reported.

    `staged` orders (transmit=False) live in this gateway only and are never reported. `asked` are the changes under
    way to the exchange, oldest first: until one is there, the order is what it was.
    """

    client_id: int
    order_id: int
    perm_id: int
    con_id: int
    contract: Message
    order: Message
    asked: list[Message] = attrs.field(factory=list)
    units: Decimal = Decimal(0)
    staged: bool = False
    status: str = ""
    filled: Decimal = Decimal(0)
    avg_price: Decimal = Decimal(0)
    last_price: Decimal = Decimal(0)
    why_held: str = ""
    terminal_first: bool = False
    preset_tif: bool = False
    completed_at: datetime | None = None
    completed_status: str = ""
    reject_reason: str = ""

    @property
    def alive(self) -> bool:
        """Whether it can still be filled."""
        return self.status in ALIVE or (self.status == "Inactive" and "locate" in self.why_held)

    @property
    def done(self) -> bool:
        """Whether it has ended; a staged order has neither begun nor ended."""
        return not self.staged and not self.alive and self.status != ""

    def take_change(self) -> None:
        """The oldest change under way is in force."""
        if not self.asked:
            return  # books of an earlier release hold the new terms already
        before, self.order = self.order, self.asked.pop(0)
        if before.orderType != self.order.orderType and self.order.orderType == "MKT":
            self.terminal_first = True

    def drop_change(self) -> None:
        """The latest change was refused."""
        del self.asked[-1:]

    @property
    def quantity(self) -> Decimal:
        """The total quantity wanted, filled part included; `units` is what an amount of money came to."""
        return Decimal(self.order.totalQuantity or "0") or self.units


class OrderBook:
    """Every order of every client, by (client id, order id) and by permanent id, in order of arrival."""

    def __init__(self) -> None:
        self._by_perm: dict[int, ApiOrder] = {}
        self._by_id: dict[tuple[int, int], ApiOrder] = {}
        self._staged: dict[int, ApiOrder] = {}

    def __iter__(self) -> Iterator[ApiOrder]:
        return iter(list(self._by_perm.values()))

    def add(self, order: ApiOrder) -> None:
        """Enters an order; a second one under the same ids hides the first in `find`, not in `by_perm`."""
        self._by_perm[order.perm_id] = order
        self._by_id[order.client_id, order.order_id] = order
        if order.staged:
            self._staged[order.perm_id] = order

    def rebind(self, order: ApiOrder, *, client_id: int, order_id: int) -> None:
        """Gives an order a new owner and API id."""
        self._by_id.pop((order.client_id, order.order_id), None)
        order.client_id = client_id
        order.order_id = order_id
        self._by_id[client_id, order_id] = order

    def hide(self, order: ApiOrder) -> None:
        """Makes `find` forget an order that lives on; a new one may take its API id."""
        self._by_id.pop((order.client_id, order.order_id), None)

    def forget(self, order: ApiOrder) -> None:
        """Removes an order as if it had never been known here."""
        self._by_perm.pop(order.perm_id, None)
        self._staged.pop(order.perm_id, None)
        self._by_id.pop((order.client_id, order.order_id), None)

    def find(self, client_id: int, order_id: int) -> ApiOrder | None:
        """The order a client calls by that id."""
        return self._by_id.get((client_id, order_id))

    def by_perm(self, perm_id: int) -> ApiOrder | None:
        """The order with that permanent id."""
        return self._by_perm.get(perm_id)

    def alive(self) -> list[ApiOrder]:
        """All orders that can still be filled, staged ones excluded."""
        return [order for order in self._by_perm.values() if order.alive and not order.staged]

    def staged_family(self, order: ApiOrder) -> list[ApiOrder]:
        """The staged relatives that go out together with an order, parents first."""
        self._staged = {perm_id: staged for perm_id, staged in self._staged.items() if staged.staged}
        root = order.order.parentId or order.order_id
        return [
            relative
            for relative in self._staged.values()
            if relative.client_id == order.client_id and root in {relative.order_id, relative.order.parentId}
        ]
