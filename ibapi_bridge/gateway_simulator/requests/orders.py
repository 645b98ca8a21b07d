"""Placing, changing and cancelling orders."""

import attrs
from ibapi.message import IN

from ibapi_bridge.gateway_simulator import order_messages as say
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.contracts import find, to_contract
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, SimulationError, VenueOrder
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests import what_if
from ibapi_bridge.gateway_simulator.requests.contracts import NO_DEFINITION
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.translation import RefusedOrder, decimal_of, price_of, to_venue

READ_ONLY = "Error validating request.-'bF' : cause - The API interface is currently in Read-Only mode."
HIGHEST_ORDER_ID = 2**31 - 1
NO_ATTACHMENTS = "Error validating request.-'bF' : cause - Attached orders are not supported by this gateway"
NO_PARENT = "Missing parent order."
MONEY = (
    "Order Quantity is expressed in monetary terms. Modification is not supported via API. "
    "Please use desktop version to revise this order."
)
NO_ALLOCATION = "Order rejected - reason:Allocation groups and methods are for advisors, and exclude an account"
NO_DELTA_NEUTRAL = "Delta neutral orders are only supported for combos (BAG security type)."
PRESET_TIF = "Order TIF was set to DAY based on order preset."
PARENT_GONE = "Can't find order with id ="


def place(gateway: Gateway, session: Session, message: Message) -> None:
    """Takes a new order, a change of a live one, or an order to be staged."""
    try:
        _place(gateway, session, message)
    except RefusedOrder as refusal:
        session.error(message.orderId, refusal.code, refusal.text, gateway.now)


def _place(gateway: Gateway, session: Session, message: Message) -> None:
    if gateway.config.read_only:
        raise RefusedOrder(321, READ_ONLY)
    client_id = session.client_id or 0
    known = gateway.book.find(client_id, message.orderId)
    if known is None:
        _place_new(gateway, session, message)
    elif message.order.whatIf and not known.done:
        _preview_change(gateway, session, known, message)
    elif known.staged:
        _change_staged(gateway, known, message)
    elif known.alive and message.order.transmit:
        _change(gateway, known, message)
    elif known.alive:
        return  # staged in the window: the change is sent, whole, with the transmit that follows
    elif known.status == "Filled":
        raise RefusedOrder(104, "Cannot modify a filled order.")
    else:
        raise RefusedOrder(103, "Duplicate order id")


def _place_new(gateway: Gateway, session: Session, message: Message) -> None:
    client_id = session.client_id or 0
    if not gateway.ids.usable(client_id, message.orderId) or message.orderId < session.id_floor:
        raise RefusedOrder(103, "Duplicate order id")
    if message.orderId >= HIGHEST_ORDER_ID:
        raise RefusedOrder(321, "Error validating request.-'bF' : cause - Invalid order id")
    gateway.ids.use(client_id, message.orderId)
    if message.attachedOrders.ListFields():
        raise RefusedOrder(321, NO_ATTACHMENTS)
    if message.order.faGroup or message.order.faMethod or message.order.faPercentage:
        raise RefusedOrder(201, NO_ALLOCATION)
    instrument = _instrument(gateway, message.contract)
    if message.contract.HasField("deltaNeutralContract") and instrument.sec_type != "BAG":
        raise RefusedOrder(429, NO_DELTA_NEUTRAL)
    account = _account(gateway, message.order.account)
    perm_id = gateway.ids.new_perm_id()
    echoed = say.echo(message.order, client_id=client_id, order_id=message.orderId, perm_id=perm_id, account=account)
    order = ApiOrder(
        client_id=client_id,
        order_id=message.orderId,
        perm_id=perm_id,
        con_id=instrument.con_id,
        contract=to_contract(instrument, exchange=message.contract.exchange or None),
        order=echoed,
        staged=True,
        preset_tif=not message.order.tif,
    )
    if gateway.config.direct_routing_precaution and _is_direct(instrument, message.contract.exchange):
        _discard(gateway, session, order)
        return
    venue = _venue(gateway, order)
    if message.order.whatIf:
        _preview(gateway, session, order, venue, transmit=message.order.transmit)
        return
    gateway.book.add(order)
    if message.order.transmit:
        _transmit_family(gateway, order)


def _is_direct(instrument: Instrument, exchange: str) -> bool:
    return instrument.sec_type == "STK" and exchange not in {"", "SMART"}


def _discard(gateway: Gateway, session: Session, order: ApiOrder) -> None:
    text = f"This order will be directly routed to {order.contract.exchange}."
    session.error(order.order_id, 10311, text, gateway.now)
    session.post(IN.ORDER_STATUS, say.order_status(order, status="Cancelled"))
    session.error(order.order_id, 201, "Order rejected - reason:Order was discarded", gateway.now)


def _preview_change(gateway: Gateway, session: Session, known: ApiOrder, message: Message) -> None:
    changed = attrs.evolve(known, order=_new_terms(gateway, known, message))
    _preview(gateway, session, changed, _venue(gateway, changed), transmit=message.order.transmit)


def _preview(gateway: Gateway, session: Session, order: ApiOrder, venue: VenueOrder, *, transmit: bool) -> None:
    if not transmit:
        raise RefusedOrder(413, "What-if order should have the transmit flag set to true.")
    if order.preset_tif:
        raise RefusedOrder(10349, PRESET_TIF)
    order.perm_id = order.order.permId = 0
    what_if.preview(gateway, session, order, venue)


def _transmit_family(gateway: Gateway, order: ApiOrder) -> None:
    """Sends an order and its staged relatives; what is refused of them is each one's own affair."""
    for relative in gateway.book.staged_family(order):
        try:
            _transmit(gateway, relative, _venue(gateway, relative))
        except RefusedOrder as refusal:
            gateway.book.forget(relative)
            gateway.reporter.error(relative, refusal.code, refusal.text)


def _transmit(gateway: Gateway, order: ApiOrder, venue: VenueOrder) -> None:
    order.staged = False
    if order.preset_tif:
        gateway.reporter.error(order, 10349, PRESET_TIF)
    gateway.note_order(order)
    gateway.report(gateway.exchange.submit(venue))


def _venue(gateway: Gateway, order: ApiOrder) -> VenueOrder:
    parent_perm_id = None
    if order.order.parentId:
        parent = _parent(gateway, order)
        parent_perm_id = parent.perm_id
        order.order.parentPermId = parent.perm_id
        order.order.ocaGroup = order.order.ocaGroup or str(parent.perm_id)
    return to_venue(
        order.order,
        gateway.instruments[order.con_id],
        perm_id=order.perm_id,
        account=order.order.account,
        parent_perm_id=parent_perm_id,
        default_zone=gateway.config.zone,
        ids=(order.client_id, order.order_id),
    )


def _parent(gateway: Gateway, order: ApiOrder) -> ApiOrder:
    parent = gateway.book.find(order.client_id, order.order.parentId)
    if parent is None and order.order.parentPermId:
        raise RefusedOrder(135, PARENT_GONE)
    if parent is None:
        raise RefusedOrder(10006, NO_PARENT)
    return parent


def _instrument(gateway: Gateway, contract: Message) -> Instrument:
    found = find(gateway.instruments, contract)
    if not found and contract.secType == "BAG":
        return _new_combo(gateway, contract)
    if not found:
        raise RefusedOrder(200, NO_DEFINITION)
    if len(found) > 1:
        raise RefusedOrder(200, f"The contract description specified for {contract.symbol} is ambiguous.")
    return found[0]


def _new_combo(gateway: Gateway, contract: Message) -> Instrument:
    try:
        return gateway.list_combo(contract)
    except SimulationError as error:
        raise RefusedOrder(200, f"{NO_DEFINITION}: {error}") from error


def _account(gateway: Gateway, account: str) -> str:
    accounts = gateway.config.accounts
    if not account and len(accounts) == 1:
        return accounts[0]
    if not account:
        raise RefusedOrder(435, "You must specify an account.")
    if account not in accounts:
        raise RefusedOrder(321, "Error validating request.-'bF' : cause - Invalid account code")
    return account


def _same_contract(gateway: Gateway, known: ApiOrder, message: Message) -> bool:
    found = find(gateway.instruments, message.contract)
    same = any(instrument.con_id == known.con_id for instrument in found)
    return same and message.order.action == known.order.action


def _new_terms(gateway: Gateway, known: ApiOrder, message: Message) -> Message:
    if not _same_contract(gateway, known, message):
        raise RefusedOrder(105, "Order being modified does not match original order.")
    return say.echo(
        message.order,
        client_id=known.client_id,
        order_id=known.order_id,
        perm_id=known.perm_id,
        account=known.order.account,
    )


def _change_staged(gateway: Gateway, known: ApiOrder, message: Message) -> None:
    known.order = _new_terms(gateway, known, message)
    if message.order.transmit:
        _transmit_family(gateway, known)


def _change(gateway: Gateway, known: ApiOrder, message: Message) -> None:
    if price_of(known.order, "cashQty"):
        raise RefusedOrder(10241, MONEY)
    terms = _new_terms(gateway, known, message)
    if decimal_of(terms.totalQuantity or "0", "totalQuantity") <= known.filled and known.filled > 0:
        raise RefusedOrder(104, "Cannot modify a filled order.")
    changed = attrs.evolve(known, order=terms)
    venue = _venue(gateway, changed)
    known.asked.append(terms)
    gateway.note_order(changed)
    gateway.report(gateway.exchange.replace(venue))


def cancel(gateway: Gateway, session: Session, message: Message) -> None:
    """Cancels one order; says 10147 for an unknown one and 10148 for one that has ended."""
    order = find_for_cancel(gateway, session, message.orderId)
    if gateway.config.read_only:
        session.error(message.orderId, 321, READ_ONLY, gateway.now)
    elif order is None:
        text = f"OrderId {message.orderId} that needs to be cancelled is not found."
        session.error(message.orderId, 10147, text, gateway.now)
    elif order.done:
        text = f"OrderId {message.orderId} that needs to be cancelled can not be cancelled, state: {order.status}."
        session.error(message.orderId, 10148, text, gateway.now)
    else:
        _cancel(gateway, session, order)


def find_for_cancel(gateway: Gateway, session: Session, order_id: int) -> ApiOrder | None:
    """The client's own order of that id or, where that is switched on, another client's live one.

    An id that the client has used is its own for ever, and 0 is nobody's.
    """
    client_id = session.client_id or 0
    own = gateway.book.find(client_id, order_id)
    if own is not None or gateway.ids.used(client_id, order_id) or not gateway.config.cross_client_cancel:
        return own
    return next((order for order in gateway.book.alive() if order.order_id == order_id), None)


def _cancel(gateway: Gateway, session: Session, order: ApiOrder) -> None:
    if order.staged:
        order.staged = False
        order.completed_at = gateway.now
        gateway.reporter.status(order, "Cancelled")
        gateway.reporter.error(order, 202, "Order Canceled - reason:")
        return
    if order.client_id != session.client_id:
        gateway.note_canceller(order, session.client_id or 0)
        gateway.sessions.observe(order, session.client_id or 0)
    gateway.report(gateway.exchange.cancel(order.perm_id))


def global_cancel(gateway: Gateway, session: Session, _message: Message) -> None:
    """Cancels every live order of every client, each reporting for itself."""
    if gateway.config.read_only:
        session.error(-1, 321, READ_ONLY, gateway.now)
        return
    for order in gateway.book.alive():
        view = gateway.exchange.order(order.perm_id)
        if view is None or not view.canceling:  # else its answer is on the way
            gateway.report(gateway.exchange.cancel(order.perm_id))
