"""Requests about contracts."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.contracts import find, to_contract
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.exchange.timetable import Session as Hours
from ibapi_bridge.gateway_simulator.exchange.types import Instrument
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session

NO_DEFINITION = "No security definition has been found for the request"
ORDER_TYPES = (
    "ACTIVETIM,AD,ALLOC,AON,COND,DAY,FOK,GAT,GTC,GTD,ICE,IOC,LIT,LMT,LOC,MIT,MKT,MOC,MTL,OCA,OPG,STP,STPLMT,TRAIL,"
    "TRAILLMT,WHATIF"
)
PEGGED_TYPES = ",MIDPX,PEGMID,PEGMKT,REL"
ZONE_LABELS = {"America/New_York": "US/Eastern", "America/Chicago": "US/Central"}
STOCK_VENUES = ("SMART", "AMEX", "NYSE", "CBOE", "ARCA", "NASDAQ", "IEX")


def details(gateway: Gateway, session: Session, message: Message) -> None:
    """Every contract that fits, then the end marker; nothing that fits is error 200 without an end marker."""
    contract = message.contract
    if contract.secType == "BAG":
        text = "Error validating request.-'bw' : cause - Requesting BAG contract details is not supported"
        session.error(message.reqId, 321, text, gateway.now)
        return
    found = find(gateway.instruments, contract)
    if not found:
        session.error(message.reqId, 200, NO_DEFINITION, gateway.now)
        return
    for instrument in found:
        session.post(IN.CONTRACT_DATA, contract_data(gateway, message.reqId, instrument))
    session.send(IN.CONTRACT_DATA_END, reqId=message.reqId)


def venues(instrument: Instrument) -> tuple[str, ...]:
    """The exchanges an instrument can be sent to."""
    return STOCK_VENUES if instrument.exchange == "SMART" else (instrument.exchange,)


def contract_data(gateway: Gateway, request_id: int, instrument: Instrument) -> Message:
    """The contractDetails row of an instrument."""
    message = REPLIES[IN.CONTRACT_DATA].message(reqId=request_id)
    message.contract.CopyFrom(to_contract(instrument))
    message.contract.primaryExch = instrument.primary_exchange
    detail = message.contractDetails
    _rules(detail, instrument)
    _hours(detail, instrument, gateway)
    _names(detail, instrument, gateway)
    return message


def _rules(detail: Message, instrument: Instrument) -> None:
    exchanges = venues(instrument)
    detail.minTick = plain(instrument.min_tick)
    detail.orderTypes = ORDER_TYPES + (PEGGED_TYPES if instrument.sec_type == "STK" else "")
    detail.validExchanges = ",".join(exchanges)
    detail.marketRuleIds = ",".join([str(instrument.market_rule_id)] * len(exchanges))
    detail.priceMagnifier = 1
    detail.minSize = plain(instrument.min_size)
    detail.sizeIncrement = plain(instrument.size_increment)
    detail.suggestedSizeIncrement = "100" if instrument.sec_type == "STK" else plain(instrument.size_increment)
    detail.evMultiplier = 0.0
    detail.aggGroup = 1


def _names(detail: Message, instrument: Instrument, gateway: Gateway) -> None:
    detail.marketName = instrument.trading_class or instrument.symbol
    detail.longName = instrument.long_name
    if instrument.sec_type == "STK":
        detail.stockType = "COMMON"
    if instrument.isin:
        detail.secIdList["ISIN"] = instrument.isin
    if instrument.expiry is not None:
        detail.contractMonth = instrument.expiry.strftime("%Y%m")
        detail.realExpirationDate = instrument.expiry.strftime("%Y%m%d")
    underlying = gateway.instruments.get(instrument.underlying or 0)
    if underlying is not None:
        detail.underConId = underlying.con_id
        detail.underSymbol = underlying.symbol
        detail.underSecType = underlying.sec_type


def _hours(detail: Message, instrument: Instrument, gateway: Gateway) -> None:
    timetable = TIMETABLES[instrument.schedule]
    zone = ZoneInfo(timetable.zone)
    first = gateway.now.astimezone(zone).date()
    days = [first + timedelta(days=offset) for offset in range(6)]
    trading, liquid = [], []
    for day in days:
        hours: Hours | None = timetable.hours(day)
        if hours is None:
            trading.append(f"{day:%Y%m%d}:CLOSED")
            liquid.append(f"{day:%Y%m%d}:CLOSED")
        else:
            trading.append(f"{hours.start.astimezone(zone):%Y%m%d:%H%M}-{hours.end.astimezone(zone):%Y%m%d:%H%M}")
            opening, closing = hours.liquid_start.astimezone(zone), hours.liquid_end.astimezone(zone)
            liquid.append(f"{opening:%Y%m%d:%H%M}-{closing:%Y%m%d:%H%M}")
    detail.timeZoneId = ZONE_LABELS.get(timetable.zone, timetable.zone)
    detail.tradingHours = ";".join(trading)
    detail.liquidHours = ";".join(liquid)


def market_rule(gateway: Gateway, session: Session, message: Message) -> None:
    """The price increments of a market rule; an unknown rule is error 124."""
    for instrument in gateway.instruments.values():
        if instrument.market_rule_id == message.marketRuleId:
            rows = instrument.price_increments or ((0, instrument.min_tick),)
            reply = REPLIES[IN.MARKET_RULE].message(marketRuleId=message.marketRuleId)
            for low, increment in rows:
                reply.priceIncrements.add(lowEdge=float(low), increment=float(increment))
            session.post(IN.MARKET_RULE, reply)
            return
    text = f"No market rule is available for conid:{message.marketRuleId}"
    session.error(-1, 124, text, gateway.now)
