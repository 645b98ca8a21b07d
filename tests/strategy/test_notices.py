"""What the runner says nobody notices, nobody notices; what time passes for is as if it had been heard."""

from decimal import Decimal
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.contract import Contract
from actors.domain.identity import Epoch
from actors.messages.reports import QuoteReported
from actors.messages.schedule import MarketClosed, StopStrategy
from actors.messages.system import SessionChanged, SessionState, Tick
from strategy.bars import Bar, BarSource
from strategy.base import Strategy
from strategy.runner import StrategyRunner
from tests.strategy.support import OPEN, later, run

Heard = QuoteReported | Tick | MarketClosed | StopStrategy

SYMBOLS = ("SPY", "QQQ")


class Barred(Strategy):
    """Counts the calls of its hooks and answers each bar; quotes do not call it."""

    symbols: tuple[str, ...] = SYMBOLS

    def __init__(self) -> None:
        self.calls: list[object] = []

    def on_bar(self, bar: Bar) -> None:
        self.calls.append(bar)
        self.log(f"{bar.symbol} {bar.close} at {self.broker.now()}")


class Quoted(Barred):
    """Quotes call it too."""

    def on_quote(self, quote: QuoteReported) -> None:
        self.calls.append(quote)


prices = st.none() | st.integers(44_990, 45_010).map(lambda cents: Decimal(cents) / 100)
symbols = st.sampled_from((*SYMBOLS, "IWM"))
steps = st.sampled_from((0.0, 0.5, 1.0, 4.0, 5.0, 9.0, 10.0, 61.0, -0.5, -6.0, -9.0, -11.0, -70.0))


def quote_at(seconds: float, symbol: str, bid: Decimal | None, ask: Decimal | None, size: int) -> QuoteReported:
    return QuoteReported(
        at=later(seconds),
        epoch=Epoch(1),
        contract=Contract(symbol=symbol),
        bid=bid,
        ask=ask,
        last=bid,
        last_size=Decimal(size),
    )


@st.composite
def sequences(draw: st.DrawFn) -> list[Heard]:
    """Quotes and ticks that overtake each other or jump back with the clock; at times the market or all of it ends."""
    now, heard = 0.0, list[Heard]()
    for kind in draw(st.lists(st.sampled_from(("quote",) * 5 + ("tick",) * 4 + ("close",)), max_size=40)):
        now += draw(steps)
        match kind:
            case "quote":
                heard.append(quote_at(now, draw(symbols), draw(prices), draw(prices), draw(st.integers(1, 3))))
            case "tick":
                heard.append(Tick(at=later(now), elapsed=now))
            case _:
                heard.append(MarketClosed(at=later(now)))
    ends = draw(st.integers(0, 60))
    return [*heard[:ends], StopStrategy(at=later(now)), *heard[ends:]] if ends < len(heard) else heard


def seen_by(runner: StrategyRunner) -> tuple[Any, ...]:
    broker = runner.broker
    quotes = [broker.quote(symbol) for symbol in SYMBOLS]
    return broker.now(), quotes, broker.is_ready, broker.positions(), broker.open_orders(), runner.is_running


def started(kind: type[Barred], bar_seconds: int, source: BarSource) -> tuple[Barred, StrategyRunner]:
    strategy = kind()
    strategy.bar_seconds, strategy.bar_source = bar_seconds, source
    return strategy, run(strategy)


@settings(max_examples=150)
@given(
    heard=sequences(),
    kind=st.sampled_from((Barred, Barred, Quoted)),
    bar_seconds=st.sampled_from((5, 10, 60)),
    source=st.sampled_from(("mid", "last")),
)
def test_what_is_not_noticed_calls_nothing_and_ticks_may_pass_unheard(
    heard: list[Heard], kind: type[Barred], bar_seconds: int, source: BarSource
) -> None:
    whole, hearer = started(kind, bar_seconds, source)
    spared, sparing = started(kind, bar_seconds, source)
    for message in heard:
        calls = len(whole.calls)
        is_noticed = not isinstance(message, QuoteReported | Tick) or sparing.notices(message)
        said = hearer.hear(message)
        if not is_noticed:
            assert (said, len(whole.calls)) == ((), calls)
        if not is_noticed and isinstance(message, Tick):
            sparing.pass_time(message)
        else:
            assert sparing.hear(message) == said
        assert seen_by(sparing) == seen_by(hearer)
    assert spared.calls == whole.calls


def test_quiet_time_is_spared_and_a_bar_that_ends_is_not() -> None:
    _, runner = started(Barred, 60, "mid")
    first = quote_at(1, "SPY", Decimal(450), Decimal(451), 1)
    assert not runner.notices(first)
    runner.hear(first)
    assert not runner.notices(Tick(at=later(59), elapsed=59.0))
    assert runner.notices(Tick(at=later(60), elapsed=60.0))
    assert runner.notices(attrs.evolve(first, at=later(60)))


def test_everything_is_noticed_where_quotes_have_a_hook_and_before_the_start() -> None:
    first = quote_at(1, "SPY", Decimal(450), Decimal(451), 1)
    assert started(Quoted, 60, "mid")[1].notices(first)
    waiting = StrategyRunner(Barred(), "test", "s1", at=OPEN)
    waiting.hear(SessionChanged(at=OPEN, epoch=Epoch(1), state=SessionState.READY))
    assert waiting.notices(first)
    assert waiting.notices(Tick(at=later(1), elapsed=1.0))
