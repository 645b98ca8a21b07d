"""Requests that list what exists: open orders, executions, completed orders."""

from collections.abc import Iterable
from datetime import datetime

from ibapi.message import IN

from ibapi_bridge.gateway_simulator import manual, times
from ibapi_bridge.gateway_simulator import order_messages as say
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.types import Execution, ExecutionFilter
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.reports import commission_message
from ibapi_bridge.gateway_simulator.session import Session


def _list(session: Session, orders: Iterable[ApiOrder]) -> None:
    for order in orders:
        session.post(IN.OPEN_ORDER, say.open_order(order))
        session.post(IN.ORDER_STATUS, say.order_status(order))
    session.send(IN.OPEN_ORDER_END)


def open_orders(gateway: Gateway, session: Session, _message: Message) -> None:
    """The client's own live orders as pairs, then the end marker; client 0 gets bound to manual orders first."""
    if session.client_id == manual.BINDING_CLIENT:
        manual.bind_existing(gateway, session)
    _list(session, [order for order in gateway.book.alive() if order.client_id == session.client_id])


def all_open_orders(gateway: Gateway, session: Session, _message: Message) -> None:
    """All clients' live orders; raises the lowest order id this client may use above every id listed."""
    orders = gateway.book.alive()
    session.id_floor = max([session.id_floor, *(order.order_id + 1 for order in orders)])
    _list(session, orders)


def auto_open_orders(gateway: Gateway, session: Session, message: Message) -> None:
    """Binds future manual orders to client 0; others are refused (327)."""
    if session.client_id != 0:
        text = "Only API connections with clientId set to 0 can set the auto bind TWS orders property."
        session.error(-1, 327, text, gateway.now)
        return
    session.auto_open = message.autoBind


def executions(gateway: Gateway, session: Session, message: Message) -> None:
    """Today's executions that pass the filter with their commissions, then the end marker."""
    wanted = message.executionFilter
    try:
        since = times.parse(wanted.time, gateway.config.zone) if wanted.time else None
    except ValueError as error:
        text = f"Error validating request.-'bD' : cause - {error}"
        session.error(message.reqId, 321, text, gateway.now)
        return
    for fill in gateway.exchange.executions(ExecutionFilter(account=wanted.acctCode)):
        if _passes(gateway, fill, wanted, since):
            contract = gateway.contract_of(fill.con_id)
            row = gateway.execution_message(session, fill, contract, request_id=message.reqId)
            session.post(IN.EXECUTION_DATA, row)
            if session.client_id in {fill.client_id, gateway.config.master_client_id}:
                report = commission_message(fill.exec_id, fill.commission, fill.currency, fill.realized_pnl)
                session.post(IN.COMMISSION_AND_FEES_REPORT, report)
    session.send(IN.EXECUTION_DATA_END, reqId=message.reqId)


def _passes(gateway: Gateway, fill: Execution, wanted: Message, since: datetime | None) -> bool:
    zone = times.zone(gateway.config.zone)
    today = gateway.now.astimezone(zone).date()
    instrument = gateway.instruments[fill.con_id]
    day = fill.at.astimezone(zone).date()
    within = (today - day).days < max(wanted.lastNDays, 1) if wanted.lastNDays < 8 else day == today
    if wanted.specificDates:
        within = int(day.strftime("%Y%m%d")) in wanted.specificDates
    return (
        within
        and (gateway.listed_from is None or fill.at > gateway.listed_from)
        and (not wanted.clientId or wanted.clientId == fill.client_id)
        and (since is None or fill.at >= since)
        and (not wanted.symbol or wanted.symbol == instrument.symbol)
        and (not wanted.secType or wanted.secType == instrument.sec_type)
        and (not wanted.exchange or wanted.exchange in {fill.venue, "SMART"})
        and (not wanted.side or wanted.side.upper() in {fill.side, say.SIDES[fill.side]})
    )


def completed_orders(gateway: Gateway, session: Session, message: Message) -> None:
    """Orders that ended today, then the end marker; manual orders are left out when `apiOnly`."""
    zone = times.zone(gateway.config.zone)
    today = gateway.now.astimezone(zone).date()
    for order in gateway.book:
        if order.completed_at is None or order.completed_at.astimezone(zone).date() != today:
            continue
        if order.done and not (message.apiOnly and order.order_id == 0):
            row = say.completed_order(order, zone=gateway.config.zone, version=session.version)
            session.post(IN.COMPLETED_ORDER, row)
    session.send(IN.COMPLETED_ORDERS_END)
