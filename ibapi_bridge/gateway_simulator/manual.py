"""Orders entered or changed by hand in the gateway's own window, and how client 0 comes to own them."""

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
from ibapi.message import IN

from ibapi_bridge.gateway_simulator import order_messages as say
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.exchange.types import VenueOrder
from ibapi_bridge.gateway_simulator.protos import Order, copy_of
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.translation import RefusedOrder, to_venue

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

BINDING_CLIENT = 0


def place_manual(
    gateway: "Gateway", *, con_id: int, action: str, quantity: str, limit: str | None = None, tif: str = "DAY"
) -> ApiOrder:
    """Places an order by hand: client 0, API order id 0; client 0 is bound to it at once if it asked for that.

    Raises:
        ConfigError: an unknown contract, or an action that is neither BUY nor SELL.
    """
    if con_id not in gateway.instruments:
        raise ConfigError(f"con_id {con_id} is not listed")
    if action not in {"BUY", "SELL"}:
        raise ConfigError(f"action {action!r} must be BUY or SELL")
    order = _written_by_hand(gateway, con_id, action, (quantity, limit, tif))
    venue = VenueOrder(
        perm_id=order.perm_id,
        account=order.order.account,
        con_id=con_id,
        side="BUY" if action == "BUY" else "SELL",
        quantity=Decimal(quantity),
        order_type="MKT" if limit is None else "LMT",
        limit_price=None if limit is None else Decimal(limit),
        tif="GTC" if tif == "GTC" else "DAY",
    )
    gateway.book.add(order)
    gateway.book.hide(order)
    binder = gateway.sessions.of(BINDING_CLIENT)
    if binder is not None and binder.auto_open:
        bind(gateway, binder, order)
    gateway.report(gateway.exchange.submit(venue))
    return order


def change_manually(gateway: "Gateway", ids: tuple[int, int], *, quantity: str | None, limit: str | None) -> None:
    """Changes a client's live order; `ids` are (client id, order id).

    Raises:
        ConfigError: there is no such live order, or a value the gateway does not take.
    """
    order = gateway.book.find(*ids)
    if order is None or not order.alive:
        raise ConfigError(f"order_id {ids[1]} of client {ids[0]} is not a live order")
    terms = copy_of(order.order)
    if quantity is not None:
        terms.totalQuantity = quantity
    if limit is not None:
        terms.lmtPrice = float(limit)
    try:
        venue = to_venue(
            terms,
            gateway.instruments[order.con_id],
            perm_id=order.perm_id,
            account=terms.account,
            parent_perm_id=terms.parentPermId or None,
            default_zone=gateway.config.zone,
            ids=ids,
        )
    except RefusedOrder as refusal:
        raise ConfigError(f"order_id {ids[1]} cannot be changed so: {refusal}") from refusal
    order.asked.append(terms)
    gateway.note_order(attrs.evolve(order, order=terms))
    gateway.report(gateway.exchange.replace(venue))


def _written_by_hand(gateway: "Gateway", con_id: int, action: str, terms: tuple[str, str | None, str]) -> ApiOrder:
    quantity, limit, tif = terms
    perm_id, account = gateway.ids.new_perm_id(), gateway.config.accounts[0]
    message = Order(action=action, totalQuantity=quantity, orderType="MKT" if limit is None else "LMT", tif=tif)
    if limit is not None:
        message.lmtPrice = float(limit)
    return ApiOrder(
        client_id=BINDING_CLIENT,
        order_id=0,
        perm_id=perm_id,
        con_id=con_id,
        contract=gateway.contract_of(con_id),
        order=say.echo(message, client_id=BINDING_CLIENT, order_id=0, perm_id=perm_id, account=account),
    )


def bind(gateway: "Gateway", session: Session, order: ApiOrder) -> None:
    """Gives a manual order an API id of client 0 (negative where the gateway is set so) and tells the client."""
    order_id = gateway.ids.next_bound(negative=gateway.config.negative_bound_ids)
    gateway.book.rebind(order, client_id=BINDING_CLIENT, order_id=order_id)
    order.order.orderId = order_id
    session.send(IN.ORDER_BOUND, permId=order.perm_id, clientId=BINDING_CLIENT, orderId=order_id)


def bind_existing(gateway: "Gateway", session: Session) -> None:
    """Binds every live manual order that has no API id yet."""
    for order in gateway.book.alive():
        if order.client_id == BINDING_CLIENT and order.order_id == 0:
            bind(gateway, session, order)
