"""Requests for bars and ticks of the past, and the streams that continue them."""

from datetime import datetime, timedelta

from ibapi.message import IN

from ibapi_bridge.gateway_simulator import times
from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.exchange.types import Instrument
from ibapi_bridge.gateway_simulator.history import DAY, KINDS, OLDEST_DAYS, SIZES, Bar, parse_duration
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.contracts import ZONE_LABELS
from ibapi_bridge.gateway_simulator.requests.refusals import (
    INVALID,
    Refused,
    answering,
    instrument_of,
    not_subscribed,
)
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.streams import (
    FiveSecondBars,
    Stream,
    TickByTick,
    UpdatingBar,
    fill_bar,
    fill_bid_ask,
    fill_last,
    fill_midpoint,
)

SERVICE = "Historical Market Data Service error message:"


@answering
def bars(gateway: Gateway, session: Session, message: Message) -> None:
    """Historical bars, or the trading schedule; optionally kept up to date."""
    if gateway.streams.is_open(session, "bars", message.reqId):
        raise Refused(386, "Duplicate ticker ID for API historical data query")
    instrument = instrument_of(gateway, message.contract)
    span = parse_duration(message.duration)
    if span is None or span > timedelta(days=OLDEST_DAYS):
        raise Refused(321, f"{INVALID}Invalid duration '{message.duration}', accepted are 1 S to 2 Y")
    until = _end(gateway, message)
    since = _trading_days_back(instrument, until, span) if message.duration.endswith("D") else until - span
    if message.whatToShow == "SCHEDULE":
        _schedule(gateway, session, message, instrument, since, until)
        return
    if message.whatToShow not in KINDS:
        raise Refused(321, f"{INVALID}Invalid what-to-show '{message.whatToShow}'")
    size = SIZES.get(message.barSizeSetting)
    if size is None:
        legal = ", ".join(SIZES)
        raise Refused(321, f"{INVALID}Historical data bar size setting is invalid. Legal ones are: {legal}")
    found = gateway.history.bars(instrument, message.whatToShow, size, since=since, until=until, regular=message.useRTH)
    if not found:
        what = message.whatToShow.capitalize()
        raise Refused(162, f"{SERVICE}HMDS query returned no data: {instrument.symbol}@{instrument.exchange} {what}")
    _send_bars(gateway, session, message, found)
    if message.keepUpToDate:
        _keep_up(gateway, session, message, instrument, size)


def _trading_days_back(instrument: Instrument, until: datetime, span: timedelta) -> datetime:
    timetable = TIMETABLES[instrument.schedule]
    day = until.astimezone(times.zone(timetable.zone)).date() + DAY
    since, left = until, span.days
    for _ in range(2 * OLDEST_DAYS):
        hours = timetable.hours(day)
        if hours is not None and hours.start < until:
            since, left = hours.start, left - 1
        if left == 0:
            break
        day -= DAY
    return since


def _end(gateway: Gateway, message: Message) -> datetime:
    if not message.endDateTime:
        return gateway.now
    try:
        return min(times.parse(message.endDateTime, gateway.config.zone), gateway.now)
    except ValueError as error:
        raise Refused(321, f"{INVALID}{error}") from error


def _date(gateway: Gateway, message: Message, session: Session, start: datetime, size: timedelta) -> str:
    if size >= DAY:
        return start.astimezone(times.zone(gateway.config.zone)).strftime("%Y%m%d")
    if message.formatDate == 2:
        return str(int(start.timestamp()))
    return times.stamp(start, gateway.config.zone, session.version)


def _send_bars(gateway: Gateway, session: Session, message: Message, found: list[Bar]) -> None:
    size = SIZES[message.barSizeSetting]
    reply = REPLIES[IN.HISTORICAL_DATA].message(reqId=message.reqId)
    for bar in found:
        fill_bar(reply.historicalDataBars.add(), bar, _date(gateway, message, session, bar.start, size))
    session.post(IN.HISTORICAL_DATA, reply)
    session.send(
        IN.HISTORICAL_DATA_END,
        reqId=message.reqId,
        startDateStr=times.stamp(found[0].start, gateway.config.zone, session.version),
        endDateStr=times.stamp(_end(gateway, message), gateway.config.zone, session.version),
    )


def _keep_up(gateway: Gateway, session: Session, message: Message, instrument: Instrument, size: timedelta) -> None:
    def latest() -> Bar | None:
        now = gateway.now
        made = gateway.history.bars(
            instrument, message.whatToShow, size, since=now - min(size, DAY), until=now + size, regular=message.useRTH
        )
        return made[-1] if made else None

    def date_of(start: datetime) -> str:
        return _date(gateway, message, session, start, size)

    updating = UpdatingBar(session, message.reqId, latest=latest, date_of=date_of)
    stream = Stream(session=session, con_id=instrument.con_id, act=updating.act)
    gateway.streams.start("bars", message.reqId, stream)


def _schedule(
    gateway: Gateway, session: Session, message: Message, instrument: Instrument, since: datetime, until: datetime
) -> None:
    timetable = TIMETABLES[instrument.schedule]
    zone = times.zone(timetable.zone)
    reply = REPLIES[IN.HISTORICAL_SCHEDULE].message(reqId=message.reqId)
    reply.timeZone = ZONE_LABELS.get(timetable.zone, timetable.zone)
    day = since.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        hours = timetable.hours(day)
        if hours is not None:
            row = reply.historicalSessions.add(refDate=f"{day:%Y%m%d}")
            row.startDateTime = f"{hours.liquid_start.astimezone(zone):%Y%m%d-%H:%M:%S}"
            row.endDateTime = f"{hours.liquid_end.astimezone(zone):%Y%m%d-%H:%M:%S}"
        day += DAY
    if len(reply.historicalSessions):
        reply.startDateTime = reply.historicalSessions[0].startDateTime
        reply.endDateTime = reply.historicalSessions[-1].endDateTime
    session.post(IN.HISTORICAL_SCHEDULE, reply)


def cancel_bars(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends the updates of a historical request; an unknown id is error 366."""
    if not gateway.streams.stop(session, "bars", message.reqId):
        session.error(message.reqId, 366, f"No historical data query found for ticker id:{message.reqId}", gateway.now)


@answering
def head_timestamp(gateway: Gateway, session: Session, message: Message) -> None:
    """The earliest time for which bars exist."""
    instrument_of(gateway, message.contract)
    if message.whatToShow not in KINDS:
        raise Refused(321, f"{INVALID}Invalid what-to-show '{message.whatToShow}'")
    oldest = gateway.config.start - timedelta(days=OLDEST_DAYS)
    text = str(int(oldest.timestamp())) if message.formatDate == 2 else oldest.strftime("%Y%m%d-%H:%M:%S")
    session.send(IN.HEAD_TIMESTAMP, reqId=message.reqId, headTimestamp=text)


@answering
def ticks(gateway: Gateway, session: Session, message: Message) -> None:
    """Recorded trades, quotes or midpoints since the start; at most 1000."""
    kinds = {
        "TRADES": (IN.HISTORICAL_TICKS_LAST, "historicalTicksLast", fill_last),
        "BID_ASK": (IN.HISTORICAL_TICKS_BID_ASK, "historicalTicksBidAsk", fill_bid_ask),
        "MIDPOINT": (IN.HISTORICAL_TICKS, "historicalTicks", fill_midpoint),
    }
    if message.whatToShow.upper() not in kinds:
        raise Refused(321, f"{INVALID}Invalid what-to-show '{message.whatToShow}'")
    number, field, fill = kinds[message.whatToShow.upper()]
    instrument = instrument_of(gateway, message.contract)
    since, until = _span(gateway, message)
    reply = REPLIES[number].message(reqId=message.reqId, isDone=True)
    rows = getattr(reply, field)
    for quote in gateway.history.quotes(instrument.con_id, since, until):
        if not fill(rows.add(), quote):
            del rows[-1]
    limit = min(max(message.numberOfTicks, 1), 1000)
    if message.startDateTime:
        del rows[limit:]
    else:
        del rows[:-limit]
    session.post(number, reply)


def _span(gateway: Gateway, message: Message) -> tuple[datetime, datetime]:
    if bool(message.startDateTime) == bool(message.endDateTime):
        raise Refused(321, f"{INVALID}Exactly one of start and end time is needed")
    try:
        if message.startDateTime:
            return times.parse(message.startDateTime, gateway.config.zone), gateway.now
        return gateway.config.start, times.parse(message.endDateTime, gateway.config.zone)
    except ValueError as error:
        raise Refused(321, f"{INVALID}{error}") from error


@answering
def real_time_bars(gateway: Gateway, session: Session, message: Message) -> None:
    """Starts five-second bars."""
    instrument = instrument_of(gateway, message.contract)
    _not_twice(gateway, session, message, "rtbars")
    if message.whatToShow not in {"TRADES", "MIDPOINT", "BID", "ASK"}:
        raise Refused(420, f"Invalid Real-time Query:Invalid what-to-show '{message.whatToShow}'")
    made = FiveSecondBars(gateway, session, message.reqId, con_id=instrument.con_id, kind=message.whatToShow)
    stream = Stream(session=session, con_id=instrument.con_id, act=made.act)
    gateway.streams.start("rtbars", message.reqId, stream)


def cancel_real_time_bars(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends five-second bars; an unknown id is error 300."""
    _cancel(gateway, session, message.reqId, "rtbars")


@answering
def tick_by_tick(gateway: Gateway, session: Session, message: Message) -> None:
    """Starts a tick-by-tick stream."""
    instrument = instrument_of(gateway, message.contract)
    _not_twice(gateway, session, message, "ticks")
    if message.tickType not in TickByTick.TYPES:
        accepted = ", ".join(TickByTick.TYPES)
        raise Refused(321, f"{INVALID}Invalid tick type '{message.tickType}', accepted are {accepted}")
    made = TickByTick(session, message.reqId, kind=message.tickType, ignore_size=message.ignoreSize)
    stream = Stream(session=session, con_id=instrument.con_id, act=made.act)
    gateway.streams.start("ticks", message.reqId, stream)


def cancel_tick_by_tick(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends a tick-by-tick stream; an unknown id is error 300."""
    _cancel(gateway, session, message.reqId, "ticks")


def _not_twice(gateway: Gateway, session: Session, message: Message, kind: str) -> None:
    if gateway.streams.is_open(session, kind, message.reqId):
        raise Refused(322, "Error processing request.-'bQ' : cause - Duplicate ticker id")


def _cancel(gateway: Gateway, session: Session, request_id: int, kind: str) -> None:
    if not gateway.streams.stop(session, kind, request_id):
        not_subscribed(gateway, session, request_id)


@answering
def histogram(gateway: Gateway, session: Session, message: Message) -> None:
    """How much traded at each price since the start."""
    instrument = instrument_of(gateway, message.contract)
    sizes: dict[float, int] = {}
    for quote in gateway.history.quotes(instrument.con_id, gateway.config.start, gateway.now):
        if quote.last is not None and quote.last_size:
            sizes[float(quote.last)] = sizes.get(float(quote.last), 0) + int(quote.last_size)
    reply = REPLIES[IN.HISTOGRAM_DATA].message(reqId=message.reqId)
    for price, size in sorted(sizes.items()):
        reply.histogramDataEntries.add(price=price, size=str(size))
    session.post(IN.HISTOGRAM_DATA, reply)
