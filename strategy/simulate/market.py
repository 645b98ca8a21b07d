"""Quotes of one symbol through a session's moods, from a seed; whole numbers only, prices in cents."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

from actors.domain.frozen import frozen
from strategy.simulate.plan import MarketMood, Plan, Regime

CENT = Decimal("0.01")
CALM, HALT, THIN, WIDE = MarketMood.CALM, MarketMood.HALT, MarketMood.THIN, MarketMood.WIDE


@frozen(kw_only=True)
class Top:
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
    rng = Random(plan.market_seed ^ _number_of(symbol))  # noqa: S311 - a reproducible market, not a secret
    mid, jumped, step = start_cents * 2, set[int](), plan.quote_seconds
    for second in range(0, plan.minutes * 60 + 1, step):
        place, regime = _regime_at(plan.regimes, second // 60)
        mood = CALM if regime is None else regime.mood
        bits = rng.getrandbits(64)
        mid = max(mid + _drift(mood, bits, mid, step), 200)
        if mood is CALM:
            yield _top(second, mid, mood, bits >> 24)
            continue
        if place not in jumped and mood in _JUMPS:
            mid += mid * _JUMPS[mood] // 1000
            jumped.add(place)
        elif mood is MarketMood.FLASH_CRASH and regime is not None:
            mid += _crash(mid, second - regime.minute * 60, regime, step)
        if mood is not MarketMood.STALE:
            yield _top(second, mid, mood, bits >> 24)


_JUMPS = {MarketMood.GAP_UP: 10, MarketMood.GAP_DOWN: -10}
_DRIFTS = {MarketMood.TREND_UP: 8, MarketMood.TREND_DOWN: -8}
_SWINGS = {MarketMood.CALM: 8, MarketMood.CHOPPY: 60, MarketMood.HALT: 0, MarketMood.STALE: 0}


def _number_of(symbol: str) -> int:
    """A number for a name; Python's own hash differs from process to process."""
    return int.from_bytes(symbol.encode(), "big")


def _regime_at(regimes: tuple[Regime, ...], minute: int) -> tuple[int, Regime | None]:
    for place, regime in enumerate(regimes):
        if regime.minute <= minute < regime.minute + regime.minutes:
            return place, regime
    return -1, None


def _drift(mood: MarketMood, bits: int, mid: int, seconds: int) -> int:
    """A step of half cents: the sum of three even ones, scaled with the square of time in a rough way."""
    swing = _SWINGS.get(mood, 12) * max(mid // 20_000, 1) * (1 + seconds // 20)
    even = (bits & 0xFF) + (bits >> 8 & 0xFF) + (bits >> 16 & 0xFF) - 381
    return even * swing // 256 + _DRIFTS.get(mood, 0) * (1 + seconds // 10)


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
        second=second,
        bid=bid,
        ask=ask,
        bid_size=size * (1 + (bits >> 8) % 3),
        ask_size=size * (1 + (bits >> 12) % 3),
        last=bid if (bits >> 16) & 1 else ask,
        halted=mood is HALT,
    )
