"""Requests for streaming and snapshot market data."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.contracts import find
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.market_data import Subscription
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.contracts import NO_DEFINITION
from ibapi_bridge.gateway_simulator.requests.reference import BBO_EXCHANGE
from ibapi_bridge.gateway_simulator.requests.refusals import not_subscribed
from ibapi_bridge.gateway_simulator.session import Session

SNAPSHOT_TICKS = (
    "Error validating request.-'bQ' : cause - Snapshot market data subscription is not applicable to generic ticks"
)


def subscribe(gateway: Gateway, session: Session, message: Message) -> None:
    """Starts a stream or a snapshot; refuses duplicates (322), unknown contracts (200), too many (101)."""
    request_id = message.reqId
    problem = _problem(gateway, session, message)
    if problem is not None:
        session.error(request_id, *problem, gateway.now)
        return
    instrument = find(gateway.instruments, message.contract)[0]
    subscription = Subscription(
        session=session,
        request_id=request_id,
        instrument=instrument,
        data_type=session.market_data_type,
    )
    session.send(IN.MARKET_DATA_TYPE, reqId=request_id, marketDataType=session.market_data_type)
    session.send(
        IN.TICK_REQ_PARAMS,
        reqId=request_id,
        minTick=plain(instrument.min_tick),
        bboExchange=BBO_EXCHANGE,
        snapshotPermissions=3,
    )
    gateway.hub.subscribe(subscription)
    if message.snapshot:
        _end_later(gateway, subscription)


def _end_later(gateway: Gateway, snapshot: Subscription) -> None:
    """A snapshot takes what comes in its time and then ends, at once where market time has ended."""
    over = gateway.config.end is not None and gateway.now >= gateway.config.end

    def end() -> None:
        if gateway.hub.holds(snapshot):
            gateway.hub.unsubscribe(snapshot.session, snapshot.request_id)
            snapshot.session.send(IN.TICK_SNAPSHOT_END, reqId=snapshot.request_id)

    if over:
        end()
    else:
        gateway.later(gateway.config.snapshot_time, end)


def _problem(gateway: Gateway, session: Session, message: Message) -> tuple[int, str] | None:
    if gateway.hub.is_open(session, message.reqId):
        return 322, "Error processing request.-'bQ' : cause - Duplicate ticker id"
    if message.snapshot and message.genericTickList:
        return 321, SNAPSHOT_TICKS
    if not all(_is_generic_tick(tick) for tick in message.genericTickList.split(",")):
        return 321, f"Error validating request.-'bQ' : cause - Incorrect generic tick list of {message.genericTickList}"
    if gateway.hub.count(session) >= gateway.config.market_data_lines:
        return 101, "Max number of tickers has been reached"
    found = find(gateway.instruments, message.contract)
    if not found:
        return 200, NO_DEFINITION
    if len(found) > 1:
        return 200, f"The contract description specified for {message.contract.symbol} is ambiguous."
    return None


def _is_generic_tick(text: str) -> bool:
    tick = text.strip()
    return tick in {"", "mdoff"} or tick.isdigit() or tick.startswith("292:")


def cancel(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends a stream; an unknown id is error 300."""
    if not gateway.hub.unsubscribe(session, message.reqId):
        not_subscribed(gateway, session, message.reqId)


def data_type(gateway: Gateway, session: Session, message: Message) -> None:
    """Chooses live, frozen, delayed or delayed-frozen data for later subscriptions of this connection."""
    if not 1 <= message.marketDataType <= 4:
        text = f"Error validating request.-'bG' : cause - Invalid market data type {message.marketDataType}"
        session.error(-1, 321, text, gateway.now)
        return
    session.market_data_type = message.marketDataType
