"""Market scanners: the listed instruments ranked by the day so far."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Quote
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.refusals import INVALID, Refused, answering
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.streams import Stream

REFRESH = timedelta(seconds=30)
MAX_ROWS = 50
MAX_SCANNERS = 10
Rank: TypeAlias = Callable[[Gateway, Quote], Decimal]


def _change(gateway: Gateway, quote: Quote) -> Decimal:
    first = gateway.hub.days[quote.con_id].open
    return (quote.last or first) / first


def _volume(_gateway: Gateway, quote: Quote) -> Decimal:
    return quote.volume


RANKS: Mapping[str, Rank] = {
    "TOP_PERC_GAIN": _change,
    "TOP_PERC_LOSE": lambda gateway, quote: -_change(gateway, quote),
    "MOST_ACTIVE": _volume,
    "HOT_BY_VOLUME": _volume,
}


def parameters(_gateway: Gateway, session: Session, _message: Message) -> None:
    """The scans there are, in the shape of the broker's XML."""
    scans = "".join(
        f"<ScanType><displayName>{code}</displayName><scanCode>{code}</scanCode></ScanType>" for code in RANKS
    )
    instruments = "<InstrumentList><Instrument><name>US Stocks</name><type>STK</type></Instrument></InstrumentList>"
    body = f"{instruments}<ScanTypeList>{scans}</ScanTypeList>"
    session.send(IN.SCANNER_PARAMETERS, xml=f"<ScanParameterResponse>{body}</ScanParameterResponse>")


@answering
def subscribe(gateway: Gateway, session: Session, message: Message) -> None:
    """Ranks now and every thirty seconds of market time; an unknown scan is error 162, the same id twice 385."""
    wanted = message.scannerSubscription
    rank = RANKS.get(wanted.scanCode)
    if gateway.streams.is_open(session, "scanner", message.reqId):
        raise Refused(385, "Duplicate ticker ID for API scanner subscription.")
    if gateway.streams.count(session, "scanner") >= MAX_SCANNERS:
        raise Refused(162, f"Historical Market Data Service error message:At most {MAX_SCANNERS} scanners run at once")
    if rank is None:
        known = ", ".join(RANKS)
        text = f"Historical Market Data Service error message:Scan code '{wanted.scanCode}' is none of {known}"
        raise Refused(162, text)
    if wanted.instrument != "STK":
        raise Refused(321, f"{INVALID}Instrument '{wanted.instrument}' cannot be scanned, STK can")
    chosen: Rank = rank
    due = [gateway.now]

    def act(_quote: Quote | None) -> None:
        if gateway.now >= due[0]:
            due[0] = gateway.now + REFRESH
            _send(gateway, session, message, chosen)

    act(None)
    gateway.streams.start("scanner", message.reqId, Stream(session=session, con_id=None, act=act))


def _send(gateway: Gateway, session: Session, message: Message, rank: Rank) -> None:
    wanted = message.scannerSubscription
    quotes = [
        quote for quote in gateway.hub.latest.values() if _passes(gateway.instruments[quote.con_id], quote, wanted)
    ]
    quotes.sort(key=lambda quote: rank(gateway, quote), reverse=True)
    rows = min(wanted.numberOfRows, MAX_ROWS) if wanted.numberOfRows > 0 else MAX_ROWS
    reply = REPLIES[IN.SCANNER_DATA].message(reqId=message.reqId)
    for place, quote in enumerate(quotes[:rows]):
        instrument = gateway.instruments[quote.con_id]
        row = reply.scannerDataElement.add(rank=place, marketName=instrument.trading_class or instrument.symbol)
        row.contract.CopyFrom(gateway.contract_of(quote.con_id))
    session.post(IN.SCANNER_DATA, reply)


def _passes(instrument: Instrument, quote: Quote, wanted: Message) -> bool:
    price = float(quote.last or 0)
    return (
        instrument.sec_type == "STK"
        and (not wanted.HasField("abovePrice") or price >= wanted.abovePrice)
        and (not wanted.HasField("belowPrice") or price <= wanted.belowPrice)
        and (not wanted.HasField("aboveVolume") or quote.volume >= wanted.aboveVolume)
    )


def cancel(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends a scanner, which is said with error 162; an unknown id is error 365."""
    if gateway.streams.stop(session, "scanner", message.reqId):
        text = f"Historical Market Data Service error message:API scanner subscription cancelled: {message.reqId}"
        session.error(message.reqId, 162, text, gateway.now)
    else:
        session.error(message.reqId, 365, f"No scanner subscription found for ticker id:{message.reqId}", gateway.now)
