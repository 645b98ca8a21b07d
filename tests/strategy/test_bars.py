from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.bars import Bar, BarBuilder, BarSource, bar_start, price_of
from tests.strategy.support import OPEN, later, quote

NEW_YORK = ZoneInfo("America/New_York")


def builder(seconds: int = 60, source: BarSource = "mid") -> BarBuilder:
    return BarBuilder(symbol="SPY", seconds=seconds, zone=NEW_YORK, source=source)


def test_a_bar_has_open_high_low_close_and_the_number_of_quotes() -> None:
    bars = builder()
    for second, bid in ((1, "450.00"), (20, "450.10"), (40, "449.90"), (59, "450.04")):
        assert bars.add(quote(second, bid=bid, ask=bid)) is None
    bar = bars.close_due(later(60))
    assert bar is not None
    assert (bar.open, bar.high, bar.low, bar.close, bar.quotes) == (
        Decimal("450.00"),
        Decimal("450.10"),
        Decimal("449.90"),
        Decimal("450.04"),
        4,
    )
    assert (bar.opens, bar.closes) == (OPEN, later(60))


def test_a_bar_is_closed_by_the_first_quote_at_or_after_its_end_and_not_before() -> None:
    bars = builder()
    bars.add(quote(1))
    assert bars.close_due(later(59.999)) is None
    finished = bars.add(quote(60))
    assert finished is not None
    assert finished.closes == later(60)
    assert bars.close_due(later(60)) is None


def test_a_period_without_quotes_has_no_bar() -> None:
    bars = builder()
    bars.add(quote(1))
    finished = bars.add(quote(300))
    assert finished is not None
    assert finished.opens == OPEN
    next_bar = bars.close_due(later(360))
    assert next_bar is not None
    assert next_bar.opens == later(300)


def test_volume_is_the_growth_of_the_days_volume_and_a_fall_is_a_new_day() -> None:
    bars = builder()
    for second, volume in ((1, 1000), (2, 1300), (3, 1300), (4, 50)):
        bars.add(quote(second, volume=Decimal(volume)))
    bar = bars.close_due(later(60))
    assert bar is not None
    assert bar.volume == 350


def test_without_a_days_volume_each_new_last_trade_counts() -> None:
    bars = builder(source="last")
    for second, last, size in ((1, "450.00", 100), (2, "450.00", 100), (3, "450.01", 200)):
        bars.add(quote(second, last=Decimal(last), last_size=Decimal(size)))
    bar = bars.close_due(later(60))
    assert bar is not None
    assert (int(bar.volume), bar.close) == (300, Decimal("450.01"))


def test_a_quote_older_than_the_open_bar_is_left_out() -> None:
    bars = builder()
    bars.add(quote(61))
    bars.add(quote(30, bid="1", ask="1"))
    bar = bars.close_due(later(120))
    assert bar is not None
    assert (bar.low, bar.quotes) == (Decimal("450.01"), 1)


def test_bars_go_on_when_the_clock_is_set_back() -> None:
    bars = builder()
    bars.add(quote(7200))
    bars.add(quote(30))
    bar = bars.close_due(later(60))
    assert bar is not None
    assert (bar.opens, bar.quotes) == (later(0), 1)


def test_a_quote_without_a_price_makes_no_bar() -> None:
    assert price_of(quote(1, bid="2", ask="1"), "mid") is None
    assert price_of(quote(1), "last") is None
    bars = builder(source="last")
    bars.add(quote(1))
    assert bars.close_due(later(60)) is None


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_a_length_that_cannot_be_meant_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match="bar_seconds is"):
        builder(seconds)


@given(
    at=st.integers(946_684_800, 2_208_988_800).map(lambda second: datetime.fromtimestamp(second, UTC)),
    seconds=st.sampled_from([1, 5, 60, 300, 900, 3600, 86_400]),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "UTC"]),
)
def test_every_instant_lies_in_its_bar_and_bars_begin_on_round_local_times(
    at: datetime, seconds: int, zone: str
) -> None:
    place = ZoneInfo(zone)
    start = bar_start(at, seconds=seconds, zone=place)
    assert start <= at < start + timedelta(seconds=seconds)
    if seconds <= 900:
        local = start.astimezone(place)
        assert (local.hour * 3600 + local.minute * 60 + local.second) % seconds == 0


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(1, 1000)), min_size=1, max_size=60))
def test_no_quote_is_lost_or_counted_twice(ticks: list[tuple[int, int]]) -> None:
    bars, finished = builder(), list[Bar]()
    for second, price in sorted(ticks):
        bar = bars.add(quote(second, bid=str(price), ask=str(price)))
        finished += [bar] if bar else []
    last = bars.close_due(later(10_000))
    finished += [last] if last else []
    assert sum(bar.quotes for bar in finished) == len(ticks)
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in finished)
    assert all(earlier.closes <= bar.opens for earlier, bar in zip(finished, finished[1:], strict=False))
