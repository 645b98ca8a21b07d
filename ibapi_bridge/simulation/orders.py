"""Our orders as the simulated exchange takes them, and what it knows of them in our words."""

from decimal import Decimal
from types import MappingProxyType
from typing import Final

import attrs

from actors.domain.contract import Contract
from actors.domain.identity import Account, OmsId, OrderId, PermId
from actors.domain.terms import Order, OrderType, Side
from actors.messages.reports import BrokerStatus
from ibapi_bridge.gateway_simulator.exchange import VenueOrder
from ibapi_bridge.gateway_simulator.exchange import types as exchange_types

_TYPES: Final = MappingProxyType(
    {OrderType.MARKET: "MKT", OrderType.LIMIT: "LMT", OrderType.STOP: "STP", OrderType.STOP_LIMIT: "STP LMT"}
)


@attrs.define(kw_only=True, eq=False)
class PlacedOrder:
    """One order at the exchange, as it was last told.

    `asked` are the changes under way to the exchange, oldest first: until one is there, the order is what it was.
    """

    oms_id: OmsId
    order_id: OrderId
    perm_id: PermId
    account: Account
    contract: Contract
    terms: Order
    asked: list[Order] = attrs.field(factory=list)
    status: BrokerStatus = BrokerStatus.PENDING
    filled: Decimal = Decimal(0)
    why_held: str = ""
    reject_reason: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether it can still fill."""
        if self.status is BrokerStatus.INACTIVE:
            return not self.reject_reason
        return self.status not in (BrokerStatus.CANCELED, BrokerStatus.FILLED)

    def take_change(self) -> None:
        """The oldest change under way is in force."""
        self.terms = self.asked.pop(0)

    def drop_change(self) -> None:
        """The latest change was refused."""
        del self.asked[-1:]


def venue_order(placed: PlacedOrder, terms: Order, *, con_id: int) -> VenueOrder:
    """The order as the exchange takes it."""
    side: exchange_types.Side = "BUY" if terms.side is Side.BUY else "SELL"
    return VenueOrder(
        perm_id=placed.perm_id,
        account=placed.account,
        con_id=con_id,
        side=side,
        quantity=terms.quantity,
        order_type=_TYPES[terms.order_type],  # type: ignore[arg-type]  # the table's values are the literal's
        limit_price=terms.limit_price,
        stop_price=terms.stop_price,
        tif=terms.time_in_force.value,
        good_till=terms.good_till,
        outside_rth=terms.outside_rth,
        cash_quantity=terms.cash_quantity,
        client_id=1,
        order_id=placed.order_id,
        order_ref=placed.oms_id,
    )
