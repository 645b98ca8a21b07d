"""Requests for market depth."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.market_depth import DepthBook
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.contracts import STOCK_VENUES
from ibapi_bridge.gateway_simulator.requests.refusals import INVALID, Refused, answering, instrument_of
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.streams import Stream

MAX_BOOKS = 3
MAX_ROWS = 60


def exchanges(gateway: Gateway, session: Session, _message: Message) -> None:
    """The exchanges that show their depth, by type of security."""
    listed = {(i.exchange, i.sec_type) for i in gateway.instruments.values() if i.exchange != "SMART"}
    reply = REPLIES[IN.MKT_DEPTH_EXCHANGES].message()
    for exchange, sec_type in [*((venue, "STK") for venue in STOCK_VENUES[1:]), *sorted(listed)]:
        reply.depthMarketDataDescriptions.add(exchange=exchange, secType=sec_type, serviceDataType="Deep")
    session.post(IN.MKT_DEPTH_EXCHANGES, reply)


@answering
def subscribe(gateway: Gateway, session: Session, message: Message) -> None:
    """Starts a book of 1 to 60 rows a side; at most three at once (309), none for indices and combos (10092)."""
    instrument = instrument_of(gateway, message.contract)
    if gateway.streams.is_open(session, "depth", message.reqId):
        raise Refused(322, "Error processing request.-'bR' : cause - Duplicate ticker id")
    if not 1 <= message.numRows <= MAX_ROWS:
        raise Refused(321, f"{INVALID}Invalid number of rows {message.numRows}, accepted are 1 to {MAX_ROWS}")
    if instrument.sec_type in {"IND", "BAG"}:
        raise Refused(10092, "Deep market data is not supported for this combination of security type/exchange")
    if gateway.streams.count(session, "depth") >= MAX_BOOKS:
        raise Refused(309, f"Max number ({MAX_BOOKS}) of market depth requests has been reached")
    book = DepthBook(session, message.reqId, instrument, rows=message.numRows, smart=message.isSmartDepth)
    book.act(gateway.hub.latest.get(instrument.con_id))
    stream = Stream(session=session, con_id=instrument.con_id, act=book.act)
    gateway.streams.start("depth", message.reqId, stream)


@answering
def cancel(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends a book; an unknown id is error 310."""
    if not gateway.streams.stop(session, "depth", message.reqId):
        raise Refused(310, f"Can't find the subscribed market depth with tickerId:{message.reqId}")
