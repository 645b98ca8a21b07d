"""Time bars from quotes, aligned to exchange time; a bar is closed by the next quote or by a tick."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from actors.domain.contract import Contract
from actors.domain.frozen import evolved, frozen
from actors.messages.reports import QuoteReported

BarSource = Literal["mid", "last"]

SECONDS_PER_DAY = 86_400
_NOTHING = Decimal(0)
SET_BACK = timedelta(seconds=10)
"""Messages overtake each other by less; a moment before that means that the clock was set back."""


@frozen(kw_only=True)
class Bar:
    """One bar: [opens, closes) as aware UTC instants, prices in the contract's currency, volume in units."""

    symbol: str
    contract: Contract
    opens: datetime
    closes: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = Decimal(0)
    quotes: int = 1
    """How many quotes it was made of, at least 1: a period without quotes has no bar."""


class BarBuilder:
    """Makes the bars of one instrument."""

    def __init__(self, *, symbol: str, seconds: int, zone: ZoneInfo, source: BarSource = "mid") -> None:
        if not 1 <= seconds <= SECONDS_PER_DAY:
            raise ValueError(f"bar_seconds is {seconds}: it must be from 1 to {SECONDS_PER_DAY}")
        self._symbol = symbol
        self._seconds = seconds
        self._zone = zone
        self._source = source
        self._bar: Bar | None = None
        self._trades = _TradedVolume()

    def add(self, quote: QuoteReported) -> Bar | None:
        """Take a quote in; returns the bar that ended before it. A quote older than the open bar is left out.

        When the clock was set back, the open bar is: it was made of quotes at wrong times.
        """
        bar = self._bar
        if bar is not None and quote.at < bar.opens and bar.opens - quote.at > max(bar.closes - bar.opens, SET_BACK):
            self._bar = None
        volume = self._trades.since(quote)
        price = price_of(quote, self._source)
        finished = self.close_due(quote.at)
        if price is None or (self._bar is not None and quote.at < self._bar.opens):
            return finished
        self._bar = self._opened(quote, price, volume) if self._bar is None else _extended(self._bar, price, volume)
        return finished

    def close_due(self, at: datetime) -> Bar | None:
        """The open bar if it has ended by ``at``."""
        if self._bar is None or at < self._bar.closes:
            return None
        finished, self._bar = self._bar, None
        return finished

    def is_due(self, at: datetime) -> bool:
        """Whether the open bar ends by ``at``."""
        return self._bar is not None and at >= self._bar.closes

    def _opened(self, quote: QuoteReported, price: Decimal, volume: Decimal) -> Bar:
        opens = bar_start(quote.at, seconds=self._seconds, zone=self._zone)
        return Bar(
            symbol=self._symbol,
            contract=quote.contract,
            opens=opens,
            closes=opens + timedelta(seconds=self._seconds),
            open=price,
            high=price,
            low=price,
            close=price,
            volume=volume,
        )


def bar_start(at: datetime, *, seconds: int, zone: ZoneInfo) -> datetime:
    """The start of the bar that holds ``at``: bars count from local midnight, in the wall-clock time of ``zone``."""
    local = at.astimezone(zone)
    into_day = local.hour * 3600 + local.minute * 60 + local.second
    return at - timedelta(seconds=into_day % seconds, microseconds=at.microsecond)


def price_of(quote: QuoteReported, source: BarSource) -> Decimal | None:
    """The middle of an uncrossed two-sided quote, or its last trade; None where the quote has none."""
    if source == "last":
        return quote.last
    if quote.bid is None or quote.ask is None or quote.bid > quote.ask:
        return None
    return (quote.bid + quote.ask) / 2


def _extended(bar: Bar, price: Decimal, volume: Decimal) -> Bar:
    return evolved(
        bar,
        high=max(bar.high, price),
        low=min(bar.low, price),
        close=price,
        volume=bar.volume + volume,
        quotes=bar.quotes + 1,
    )


class _TradedVolume:
    """What was traded between two quotes: the growth of the day's volume, else the size of a new last trade."""

    def __init__(self) -> None:
        self._volume: Decimal | None = None
        self._last: tuple[Decimal | None, Decimal | None] = (None, None)

    def since(self, quote: QuoteReported) -> Decimal:
        last, self._last = self._last, (quote.last, quote.last_size)
        if quote.volume is None:
            return quote.last_size if quote.last_size is not None and self._last != last else _NOTHING
        before, self._volume = self._volume, quote.volume
        if before is None:
            return _NOTHING
        # The day's volume restarts at each session: a fall means a new day.
        return quote.volume - before if quote.volume >= before else quote.volume
