"""Market data fan-out: who gets which instrument's ticks, and only what changed."""

from collections.abc import Iterator
from decimal import Decimal

import attrs
from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Quote
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, HIGH, LOW, VOLUME, CLOSE, OPEN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14
LAST_TIMESTAMP, HALTED = 45, 49
DELAYED = {
    BID: 66,
    ASK: 67,
    LAST: 68,
    BID_SIZE: 69,
    ASK_SIZE: 70,
    LAST_SIZE: 71,
    HIGH: 72,
    LOW: 73,
    VOLUME: 74,
    CLOSE: 75,
    OPEN: 76,
    LAST_TIMESTAMP: 88,
}
_PRICE = REPLIES[IN.TICK_PRICE].message
_SIZE = REPLIES[IN.TICK_SIZE].message
_STRING = REPLIES[IN.TICK_STRING].message
_GENERIC = REPLIES[IN.TICK_GENERIC].message


@attrs.define(kw_only=True)
class DayBar:
    """One instrument's prices so far."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@attrs.define(kw_only=True)
class Subscription:
    """One reqMktData; `last` is the quote its client has, None before the first."""

    session: Session
    request_id: int
    instrument: Instrument
    data_type: int
    last: Quote | None = None


class MarketDataHub:
    """Streams quotes to the subscriptions of all sessions."""

    def __init__(self) -> None:
        self.latest: dict[int, Quote] = {}
        self.days: dict[int, DayBar] = {}
        self._by_instrument: dict[int, list[Subscription]] = {}
        self._by_request: dict[tuple[int, int], Subscription] = {}

    def is_open(self, session: Session, request_id: int) -> bool:
        """Whether that request id streams already."""
        return (session.number, request_id) in self._by_request

    def holds(self, subscription: Subscription) -> bool:
        """Whether that very subscription still streams."""
        return self._by_request.get((subscription.session.number, subscription.request_id)) is subscription

    def count(self, session: Session) -> int:
        """How many lines a session uses."""
        return sum(1 for number, _ in self._by_request if number == session.number)

    def subscribe(self, subscription: Subscription) -> None:
        """Starts a stream with whatever is known now."""
        self._by_request[subscription.session.number, subscription.request_id] = subscription
        self._by_instrument.setdefault(subscription.instrument.con_id, []).append(subscription)
        self.snapshot(subscription)

    def snapshot(self, subscription: Subscription) -> None:
        """Sends all ticks of the latest quote."""
        quote = self.latest.get(subscription.instrument.con_id)
        if quote is not None:
            self._day_ticks(subscription, self.days[quote.con_id])
            _tell(subscription, quote)

    def unsubscribe(self, session: Session, request_id: int) -> bool:
        """Ends a stream; False when there was none."""
        subscription = self._by_request.pop((session.number, request_id), None)
        if subscription is None:
            return False
        self._by_instrument[subscription.instrument.con_id].remove(subscription)
        return True

    def drop(self, session: Session) -> None:
        """Ends every stream of a session."""
        for number, request_id in list(self._by_request):
            if number == session.number:
                self.unsubscribe(session, request_id)

    def drop_all(self) -> None:
        """Forgets every stream, as after a 1101."""
        self._by_request.clear()
        self._by_instrument.clear()

    def quoted(self, quote: Quote) -> None:
        """Takes a new quote and streams it."""
        self.latest[quote.con_id] = quote
        self._update_day(quote)
        for subscription in self._by_instrument.get(quote.con_id, ()):
            _tell(subscription, quote)

    def _update_day(self, quote: Quote) -> None:
        price = quote.last
        if price is None:
            price = quote.bid if quote.bid is not None else quote.ask
        if price is None:
            return
        day = self.days.get(quote.con_id)
        if day is None:
            self.days[quote.con_id] = DayBar(open=price, high=price, low=price, close=price)
            return
        if price > day.high:
            day.high = price
        elif price < day.low:
            day.low = price

    def _day_ticks(self, subscription: Subscription, day: DayBar) -> None:
        for tick, price in ((HIGH, day.high), (LOW, day.low), (CLOSE, day.close), (OPEN, day.open)):
            _post(subscription, IN.TICK_PRICE, _price(subscription, tick, price, Decimal(0)))


def _tell(subscription: Subscription, quote: Quote) -> None:
    for number, message in _ticks(subscription, quote):
        _post(subscription, number, message)
    subscription.last = quote


def _post(subscription: Subscription, number: int, message: Message) -> None:
    subscription.session.post(number, message)


def _tick_type(subscription: Subscription, tick: int) -> int:
    return DELAYED.get(tick, tick) if subscription.data_type >= 3 else tick


def _price(subscription: Subscription, tick: int, price: Decimal | None, size: Decimal) -> Message:
    return _PRICE(
        reqId=subscription.request_id,
        tickType=_tick_type(subscription, tick),
        price=-1.0 if price is None else float(price),
        size=plain(size),
        attrMask=1 if tick in {BID, ASK} else 0,
    )


def _size(subscription: Subscription, tick: int, size: Decimal) -> Message:
    return _SIZE(reqId=subscription.request_id, tickType=_tick_type(subscription, tick), size=plain(size))


def _ticks(subscription: Subscription, quote: Quote) -> Iterator[tuple[int, Message]]:
    last = subscription.last
    yield from _side(
        subscription, (BID, BID_SIZE), (quote.bid, quote.bid_size), None if last is None else (last.bid, last.bid_size)
    )
    yield from _side(
        subscription, (ASK, ASK_SIZE), (quote.ask, quote.ask_size), None if last is None else (last.ask, last.ask_size)
    )
    if quote.last is not None and quote.last_size > 0 or (last is None and quote.last is not None):
        yield from _last(subscription, quote, None if last is None else last.last)
    if last is None or quote.volume != last.volume:
        yield IN.TICK_SIZE, _size(subscription, VOLUME, quote.volume)
    if last is None or quote.halted != last.halted:
        yield IN.TICK_GENERIC, _GENERIC(reqId=subscription.request_id, tickType=HALTED, value=float(quote.halted))


def _side(
    subscription: Subscription,
    ticks: tuple[int, int],
    now: tuple[Decimal | None, Decimal],
    before: tuple[Decimal | None, Decimal] | None,
) -> Iterator[tuple[int, Message]]:
    if before is None or now[0] != before[0]:
        yield IN.TICK_PRICE, _price(subscription, ticks[0], now[0], now[1])
    elif now[1] != before[1]:
        yield IN.TICK_SIZE, _size(subscription, ticks[1], now[1])


def _last(subscription: Subscription, quote: Quote, before: Decimal | None) -> Iterator[tuple[int, Message]]:
    tick = _tick_type(subscription, LAST_TIMESTAMP)
    seconds = str(int(quote.at.timestamp()))
    yield IN.TICK_STRING, _STRING(reqId=subscription.request_id, tickType=tick, value=seconds)
    if before is None or quote.last != before:
        yield IN.TICK_PRICE, _price(subscription, LAST, quote.last, quote.last_size)
    else:
        yield IN.TICK_SIZE, _size(subscription, LAST_SIZE, quote.last_size)
