"""Continuous data other than plain ticks: five-second bars, tick-by-tick, P&L, bars kept up to date."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import attrs
from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.exchange.types import Quote
from ibapi_bridge.gateway_simulator.history import BASE, Bar, floor_to
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

Key: TypeAlias = tuple[int, str, int]
PNL_PERIOD = timedelta(seconds=1)


@attrs.frozen(kw_only=True)
class Stream:
    """One stream: what to do on each quote of its instrument, or each second of market time when it has none."""

    session: Session
    con_id: int | None
    act: Callable[[Quote | None], None]


class Streams:
    """All running streams by (session, kind, request id)."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._streams: dict[Key, Stream] = {}
        self._due: datetime = gateway.now + PNL_PERIOD

    def is_open(self, session: Session, kind: str, request_id: int) -> bool:
        """Whether that stream runs."""
        return (session.number, kind, request_id) in self._streams

    def count(self, session: Session, kind: str) -> int:
        """How many streams of a kind a session has."""
        return sum(key[:2] == (session.number, kind) for key in self._streams)

    def start(self, kind: str, request_id: int, stream: Stream) -> None:
        """Runs a stream from now on."""
        self._streams[stream.session.number, kind, request_id] = stream

    def stop(self, session: Session, kind: str, request_id: int) -> bool:
        """Ends a stream; False when there was none."""
        return self._streams.pop((session.number, kind, request_id), None) is not None

    def drop(self, session: Session) -> None:
        """Ends every stream of a session."""
        for key in [key for key in self._streams if key[0] == session.number]:
            del self._streams[key]

    def drop_all(self) -> None:
        """Ends every stream, as after a 1101."""
        self._streams.clear()

    def quoted(self, quote: Quote) -> None:
        """Lets the instrument's streams act."""
        if not self._streams:
            return
        for stream in list(self._streams.values()):
            if stream.con_id == quote.con_id:
                stream.act(quote)

    def tick(self) -> None:
        """Lets the streams of time act, once a second."""
        if not self._streams or self._gateway.now < self._due:
            return
        self._due = self._gateway.now + PNL_PERIOD
        for stream in list(self._streams.values()):
            if stream.con_id is None:
                stream.act(None)


class FiveSecondBars:
    """Sends each five-second bar when the first quote after it comes."""

    def __init__(self, gateway: "Gateway", session: Session, request_id: int, *, con_id: int, kind: str) -> None:
        self._gateway = gateway
        self._session = session
        self._request_id = request_id
        self._con_id = con_id
        self._kind = kind
        self._current: Bar | None = None

    def act(self, _quote: Quote | None) -> None:
        """Looks whether the bar in progress has changed."""
        latest = self._gateway.history.last_bar(self._con_id, self._kind)
        done, self._current = self._current, latest
        if done is not None and latest is not done:
            self._send(done)

    def _send(self, bar: Bar) -> None:
        self._session.send(
            IN.REAL_TIME_BARS,
            reqId=self._request_id,
            time=int(bar.start.timestamp()),
            open=float(bar.open),
            high=float(bar.high),
            low=float(bar.low),
            close=float(bar.close),
            volume=plain(bar.volume),
            WAP=plain(round(bar.average, 6)),
            count=bar.count,
        )


class UpdatingBar:
    """Sends the bar in progress of a historical request that is kept up to date, at most every five seconds."""

    def __init__(
        self, session: Session, request_id: int, *, latest: Callable[[], Bar | None], date_of: Callable[[datetime], str]
    ) -> None:
        self._session = session
        self._request_id = request_id
        self._latest = latest
        self._date_of = date_of
        self._sent: datetime | None = None

    def act(self, quote: Quote | None) -> None:
        """Sends the bar unless one was sent in these five seconds."""
        if quote is None or self._sent == floor_to(quote.at, BASE):
            return
        self._sent = floor_to(quote.at, BASE)
        bar = self._latest()
        if bar is not None:
            message = REPLIES[IN.HISTORICAL_DATA_UPDATE].message(reqId=self._request_id)
            fill_bar(message.historicalDataBar, bar, self._date_of(bar.start))
            self._session.post(IN.HISTORICAL_DATA_UPDATE, message)


def fill_bar(target: Message, bar: Bar, date: str) -> None:
    """Copies a bar into its protobuf form."""
    target.date = date
    target.open = float(bar.open)
    target.high = float(bar.high)
    target.low = float(bar.low)
    target.close = float(bar.close)
    target.volume = plain(bar.volume)
    target.WAP = plain(round(bar.average, 6))
    target.barCount = bar.count


def fill_last(tick: Message, quote: Quote) -> bool:
    """Copies a quote's trade into its protobuf form; False when it has none."""
    if quote.last is None or not quote.last_size:
        return False
    tick.time = int(quote.at.timestamp())
    tick.price = float(quote.last)
    tick.size = plain(quote.last_size)
    tick.exchange = "ARCA"
    return True


def fill_bid_ask(tick: Message, quote: Quote) -> bool:
    """Copies a quote's two sides into their protobuf form; an empty side has price 0."""
    tick.time = int(quote.at.timestamp())
    tick.priceBid = float(quote.bid or 0)
    tick.priceAsk = float(quote.ask or 0)
    tick.sizeBid = plain(quote.bid_size)
    tick.sizeAsk = plain(quote.ask_size)
    return True


def fill_midpoint(tick: Message, quote: Quote) -> bool:
    """Copies a quote's midpoint into its protobuf form; False when a side is missing."""
    if quote.bid is None or quote.ask is None:
        return False
    tick.time = int(quote.at.timestamp())
    tick.price = float((quote.bid + quote.ask) / 2)
    tick.size = "0"
    return True


class TickByTick:
    """Sends every trade, quote change or midpoint."""

    TYPES = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}

    def __init__(self, session: Session, request_id: int, *, kind: str, ignore_size: bool) -> None:
        self._session = session
        self._request_id = request_id
        self._type = self.TYPES[kind]
        self._ignore_size = ignore_size
        self._last: Quote | None = None

    def act(self, quote: Quote | None) -> None:
        """Sends what the quote means for this type of tick."""
        if quote is None:
            return
        message = REPLIES[IN.TICK_BY_TICK].message(reqId=self._request_id, tickType=self._type)
        if self._fill(message, quote):
            self._session.post(IN.TICK_BY_TICK, message)
        self._last = quote

    def _fill(self, message: Message, quote: Quote) -> bool:
        if self._type in {1, 2}:
            return fill_last(message.historicalTickLast, quote)
        if self._type == 3:
            return not self._unchanged(quote) and fill_bid_ask(message.historicalTickBidAsk, quote)
        return fill_midpoint(message.historicalTickMidPoint, quote)

    def _unchanged(self, quote: Quote) -> bool:
        last = self._last
        return self._ignore_size and last is not None and (last.bid, last.ask) == (quote.bid, quote.ask)
