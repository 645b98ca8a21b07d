"""Bars of the past: what was quoted since the start, and before that a seeded path that ends at the opening price."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import attrs

from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES, Session
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, Quote

BASE = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
OLDEST_DAYS = 366 * 2
KEPT_QUOTES = 5_000
KEPT_BARS = 25_000
SIZES = {
    "1 secs": timedelta(seconds=5),
    "5 secs": timedelta(seconds=5),
    "10 secs": timedelta(seconds=10),
    "15 secs": timedelta(seconds=15),
    "30 secs": timedelta(seconds=30),
    "1 min": MINUTE,
    "2 mins": 2 * MINUTE,
    "3 mins": 3 * MINUTE,
    "5 mins": 5 * MINUTE,
    "10 mins": 10 * MINUTE,
    "15 mins": 15 * MINUTE,
    "20 mins": 20 * MINUTE,
    "30 mins": 30 * MINUTE,
    "1 hour": 60 * MINUTE,
    "2 hours": 120 * MINUTE,
    "3 hours": 180 * MINUTE,
    "4 hours": 240 * MINUTE,
    "8 hours": 480 * MINUTE,
    "1 day": DAY,
    "1W": 7 * DAY,
    "1 week": 7 * DAY,
    "1M": 30 * DAY,
    "1 month": 30 * DAY,
}
DURATIONS = {"S": timedelta(seconds=1), "D": DAY, "W": 7 * DAY, "M": 30 * DAY, "Y": 365 * DAY}
KINDS = ("TRADES", "MIDPOINT", "BID", "ASK", "ADJUSTED_LAST", "BID_ASK")
_DURATION = re.compile(r"^(\d+) ([SDWMY])$")


@attrs.define(kw_only=True)
class Bar:
    """Prices from `start` on, for as long as the series says."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    count: int = 0

    @property
    def average(self) -> Decimal:
        """The volume-weighted average price, the close where nothing traded."""
        return self.value / self.volume if self.volume else self.close

    def add(self, price: Decimal, size: Decimal) -> None:
        """Takes one more price into the bar."""
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self._trade(price, size)

    def merge(self, later: "Bar") -> None:
        """Takes a later bar into this one."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.value += later.value
        self.count += later.count

    def _trade(self, price: Decimal, size: Decimal) -> None:
        if size:
            self.volume += size
            self.value += size * price
            self.count += 1

    @classmethod
    def first(cls, start: datetime, price: Decimal, size: Decimal) -> "Bar":
        """A bar of one price."""
        bar = cls(start=start, open=price, high=price, low=price, close=price)
        bar._trade(price, size)
        return bar


def parse_duration(text: str) -> timedelta | None:
    """The span of a duration such as `1 D`, None when it is not one."""
    match = _DURATION.match(text.strip())
    return None if match is None else int(match[1]) * DURATIONS[match[2]]


def floor_to(at: datetime, size: timedelta) -> datetime:
    """The start of the bar of that size that `at` falls into."""
    seconds = int(size.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=UTC)


class Recorder:
    """One instrument's latest quotes, and its five-second bars, which are made of them when somebody asks."""

    def __init__(self) -> None:
        self.quotes: list[Quote] = []
        self._in_bars = 0
        self._series: dict[str, list[Bar]] = {}
        self._current: dict[str, Bar] = {}
        self._start = self._until = datetime.min.replace(tzinfo=UTC)

    def add(self, quote: Quote) -> None:
        """Takes one more quote."""
        self.quotes.append(quote)
        if len(self.quotes) > 2 * KEPT_QUOTES:
            self._make_bars()
            del self.quotes[:KEPT_QUOTES]
            self._in_bars -= KEPT_QUOTES

    def bars(self, kind: str) -> list[Bar]:
        """The bars of a kind, oldest first, the last one in progress."""
        self._make_bars()
        return self._series.get(kind, [])

    def _make_bars(self) -> None:
        for quote in self.quotes[self._in_bars :]:
            self._take(quote)
        self._in_bars = len(self.quotes)

    def _take(self, quote: Quote) -> None:
        if not self._start <= quote.at < self._until:
            self._start = floor_to(quote.at, BASE)
            self._until = self._start + BASE
            self._current = {}
        bid, ask = quote.bid, quote.ask
        if quote.last is not None and quote.last_size:
            self._add("TRADES", quote.last, quote.last_size)
        if bid is not None:
            self._add("BID", bid, ZERO)
        if ask is not None:
            self._add("ASK", ask, ZERO)
            if bid is not None:
                self._add("MIDPOINT", (bid + ask) / 2, ZERO)

    def _add(self, kind: str, price: Decimal, size: Decimal) -> None:
        bar = self._current.get(kind)
        if bar is not None:
            bar.add(price, size)
            return
        self._current[kind] = bar = Bar.first(self._start, price, size)
        bars = self._series.setdefault(kind, [])
        bars.append(bar)
        if len(bars) > 2 * KEPT_BARS:
            del bars[:KEPT_BARS]


class History:
    """Five-second bars of everything quoted, and the modelled past before the start."""

    def __init__(self, *, seed: int, start: datetime) -> None:
        self._seed = seed
        self._start = start
        self._recorders: dict[int, Recorder] = {}
        self._past: dict[int, list[Bar]] = {}
        self._past_from: dict[int, date] = {}

    def quoted(self, quote: Quote) -> None:
        """Records a quote."""
        recorder = self._recorders.get(quote.con_id)
        if recorder is None:
            recorder = self._recorders[quote.con_id] = Recorder()
        recorder.add(quote)

    def _recorded(self, con_id: int, kind: str) -> list[Bar]:
        recorder = self._recorders.get(con_id)
        return [] if recorder is None else recorder.bars(kind)

    def quotes(self, con_id: int, since: datetime, until: datetime) -> Sequence[Quote]:
        """The recorded quotes of a span, both ends included."""
        recorder = self._recorders.get(con_id)
        quotes = [] if recorder is None else recorder.quotes
        return quotes[bisect_left(quotes, since, key=_at) : bisect_right(quotes, until, key=_at)]

    def last_bar(self, con_id: int, kind: str) -> Bar | None:
        """The five-second bar in progress."""
        bars = self._recorded(con_id, _series_of(kind))
        return bars[-1] if bars else None

    def bars(
        self, instrument: Instrument, kind: str, size: timedelta, *, since: datetime, until: datetime, regular: bool
    ) -> list[Bar]:
        """Bars of a size between two times, within regular hours if asked, oldest first."""
        timetable = TIMETABLES[instrument.schedule]
        merged: list[Bar] = []
        session: Session | None = None
        for bar in self._raw(instrument, _series_of(kind), since, until):
            if session is None or not session.start <= bar.start < session.end:
                session = timetable.session_at(bar.start)
            if session is None or (regular and not session.is_liquid(bar.start)):
                continue
            start = _bar_start(bar.start, size, session, regular=regular)
            if merged and merged[-1].start == start:
                merged[-1].merge(bar)
            else:
                merged.append(attrs.evolve(bar, start=start))
        return merged

    def _raw(self, instrument: Instrument, kind: str, since: datetime, until: datetime) -> Iterator[Bar]:
        if since < self._start:
            past = self._past_of(instrument, since)
            yield from past[bisect_left(past, since, key=_start) : bisect_left(past, until, key=_start)]
        recorded = self._recorded(instrument.con_id, kind)
        yield from recorded[bisect_left(recorded, since, key=_start) : bisect_left(recorded, until, key=_start)]

    def _past_of(self, instrument: Instrument, since: datetime) -> list[Bar]:
        con_id = instrument.con_id
        first = since.date() - DAY
        oldest = self._past_from.get(con_id, self._start.date() + DAY)
        bars = self._past.setdefault(con_id, [])
        older: list[list[Bar]] = []
        price = bars[0].open if bars else self._opening(instrument)
        day = oldest - DAY
        while day >= first:
            made = self._past_day(instrument, day, price)
            if made:
                older.append(made)
                price = made[0].open
            day -= DAY
        self._past_from[con_id] = min(oldest, first)
        self._past[con_id] = bars = [bar for made in reversed(older) for bar in made] + bars
        return bars

    def _opening(self, instrument: Instrument) -> Decimal:
        series = self._recorded(instrument.con_id, "MIDPOINT")
        return series[0].open if series else instrument.reference_price

    def _past_day(self, instrument: Instrument, day: date, closing: Decimal) -> list[Bar]:
        session = TIMETABLES[instrument.schedule].hours(day)
        if session is None:
            return []
        random = Random(f"{self._seed}:{instrument.con_id}:{day}")  # noqa: S311 - a reproducible past, not a secret
        tick = instrument.min_tick
        price = max(int(closing / tick), 2)
        spread = max(price // 4000, 1)
        bars: list[Bar] = []
        start = session.liquid_end - MINUTE
        while start >= session.liquid_start:
            opening = max(price + random.randrange(-spread, spread + 1), 2)
            if start < self._start:
                bars.append(_past_bar(start, opening, price, tick, random))
                price = opening
            start -= MINUTE
        bars.reverse()
        return bars


def _past_bar(start: datetime, opening: int, closing: int, tick: Decimal, random: Random) -> Bar:
    high = max(opening, closing) + random.randrange(0, 3)
    low = max(min(opening, closing) - random.randrange(0, 3), 1)
    volume = Decimal(100 * random.randrange(5, 200))
    return Bar(
        start=start,
        open=opening * tick,
        high=high * tick,
        low=low * tick,
        close=closing * tick,
        volume=volume,
        value=volume * (high + low) * tick / 2,
        count=random.randrange(5, 100),
    )


def _series_of(kind: str) -> str:
    return {"ADJUSTED_LAST": "TRADES", "BID_ASK": "MIDPOINT"}.get(kind, kind)


def _bar_start(at: datetime, size: timedelta, session: Session, *, regular: bool) -> datetime:
    if size >= 7 * DAY:
        week = session.day - timedelta(days=session.day.weekday())
        first = session.day.replace(day=1) if size > 7 * DAY else week
        return datetime(first.year, first.month, first.day, tzinfo=UTC)
    if size == DAY:
        return session.liquid_start if regular else session.start
    return floor_to(at, size)


def _start(bar: Bar) -> datetime:
    return bar.start


def _at(quote: Quote) -> datetime:
    return quote.at
