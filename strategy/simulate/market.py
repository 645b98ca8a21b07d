"""Quotes of one symbol through a session's moods, from a seed; whole numbers only, prices in cents."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import NamedTuple

from actors.domain.contract import Contract
from actors.domain.identity import Epoch
from actors.messages.reports import QuoteReported
from strategy.simulate.plan import MarketMood, Plan, Regime

CENT = Decimal("0.01")
CALM, HALT, STALE = MarketMood.CALM, MarketMood.HALT, MarketMood.STALE
THIN, WIDE = MarketMood.THIN, MarketMood.WIDE


class Top(NamedTuple):
    """The top of a book at a second of the session; prices in cents, sizes in shares."""

    second: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int
    last: int
    halted: bool = False


def tops(plan: Plan, *, symbol: str, start_cents: int = 40_000) -> Iterator[Top]:
    """The quotes of a symbol, one every ``plan.quote_seconds``, none where the market is stale."""
    bits_of = Random(plan.market_seed ^ _number_of(symbol)).getrandbits  # noqa: S311 - reproducible, not a secret
    mid, jumped, step, regimes = start_cents * 2, set[int](), plan.quote_seconds, plan.regimes
    place, regime, mood = -1, None, CALM
    swing, lean = _pace(mood, step)
    for second in range(0, plan.minutes * 60 + 1, step):
        if regimes:
            place, regime = _regime_at(regimes, second // 60)
            mood = CALM if regime is None else regime.mood
            swing, lean = _pace(mood, step)
        bits = bits_of(64)
        # A step of half cents: the sum of three even ones, scaled with the square of time in a rough way.
        even = (bits & 0xFF) + (bits >> 8 & 0xFF) + (bits >> 16 & 0xFF) - 381
        mid = max(mid + even * swing * max(mid // 20_000, 1) // 256 + lean, 200)
        if regime is not None:
            mid += _leap(mid, second - regime.minute * 60, regime, first=place not in jumped, step=step)
            jumped.add(place)
        if mood is not STALE:
            yield _top(second, mid, mood, bits >> 24)


def quote_of(top: Top, contract: Contract, *, at: datetime, epoch: Epoch) -> QuoteReported:
    """The top as it is reported to us."""
    return QuoteReported(
        at=at,
        epoch=epoch,
        contract=contract,
        bid=top.bid * CENT,
        bid_size=Decimal(top.bid_size),
        ask=top.ask * CENT,
        ask_size=Decimal(top.ask_size),
        last=top.last * CENT,
        halted=top.halted,
    )


_JUMPS = {MarketMood.GAP_UP: 10, MarketMood.GAP_DOWN: -10}
_DRIFTS = {MarketMood.TREND_UP: 8, MarketMood.TREND_DOWN: -8}
_SWINGS = {MarketMood.CHOPPY: 60, MarketMood.HALT: 0, MarketMood.STALE: 0}


def _number_of(symbol: str) -> int:
    """A number for a name; Python's own hash differs from process to process."""
    return int.from_bytes(symbol.encode(), "big")


def _regime_at(regimes: tuple[Regime, ...], minute: int) -> tuple[int, Regime | None]:
    for place, regime in enumerate(regimes):
        if regime.minute <= minute < regime.minute + regime.minutes:
            return place, regime
    return -1, None


def _pace(mood: MarketMood, step: int) -> tuple[int, int]:
    """How far a step swings, and where it leans to."""
    if mood is CALM:
        return 8 * (1 + step // 20), 0
    return _SWINGS.get(mood, 12) * (1 + step // 20), _DRIFTS.get(mood, 0) * (1 + step // 10)


def _leap(mid: int, into: int, regime: Regime, *, first: bool, step: int) -> int:
    """What a regime adds so many seconds into it: a gap the first time, a crash at its beginning and its end."""
    if first and regime.mood in _JUMPS:
        return mid * _JUMPS[regime.mood] // 1000
    return _crash(mid, into, regime, step) if regime.mood is MarketMood.FLASH_CRASH else 0


def _crash(mid: int, into: int, regime: Regime, step: int) -> int:
    """Down 5 % at the beginning, 4 % up again at the end of the regime."""
    if into < step:
        return -mid // 20
    if into >= regime.minutes * 60 - step:
        return mid // 25
    return 0


def _top(second: int, mid: int, mood: MarketMood, bits: int) -> Top:
    spread = 20 + bits % 41 if mood is WIDE else 1 + bits % 2
    bid = (mid - spread) // 2
    ask = bid + spread
    size = 100 if mood is THIN else 5_000
    return Top(
        second,
        bid,
        ask,
        size * (1 + (bits >> 8) % 3),
        size * (1 + (bits >> 12) % 3),
        bid if (bits >> 16) & 1 else ask,
        mood is HALT,
    )
