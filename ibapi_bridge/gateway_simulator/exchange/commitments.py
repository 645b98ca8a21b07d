"""What working orders may still add to positions; the broker reserves margin for it.

Children count from when their parent has filled. Each order of a one-cancels-all group counts for itself.
"""

from __future__ import annotations

from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.book import DONE, LiveOrder
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.ledger import Account
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, VenueOrder


def order_changes(instrument: Instrument, order: VenueOrder, quantity: Decimal) -> dict[int, Decimal]:
    """The signed change of each contract's position were `quantity` of the order filled."""
    signed = quantity if order.side == "BUY" else -quantity
    if not instrument.legs:
        return {order.con_id: signed}
    changes: dict[int, Decimal] = {}
    for leg in instrument.legs:
        step = signed * leg.ratio if leg.side == "BUY" else -signed * leg.ratio
        changes[leg.con_id] = changes.get(leg.con_id, ZERO) + step
    return changes


def recount(floor: Floor, live: LiveOrder) -> None:
    """Count what is left of an order now, after anything that may have changed it."""
    order = live.order
    waits = order.parent_perm_id is not None and not live.parent_filled
    left = ZERO if waits or live.stage in DONE else order.quantity - live.filled
    more = left - live.committed
    if not more:
        return
    live.committed = left
    account, instrument = floor.accounts[order.account], floor.instruments[order.con_id]
    if not instrument.legs:
        _add(account, order.con_id, more, buying=order.side == "BUY")
        return
    for con_id, change in order_changes(instrument, order, Decimal(1)).items():
        _add(account, con_id, abs(change) * more, buying=change > 0)


def _add(account: Account, con_id: int, more: Decimal, *, buying: bool) -> None:
    buys, sells = account.working.get(con_id, (ZERO, ZERO))
    ends = (buys + more, sells) if buying else (buys, sells + more)
    if any(ends):
        account.working[con_id] = ends
    else:
        del account.working[con_id]
