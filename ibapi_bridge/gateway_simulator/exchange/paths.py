"""How the prices of the modelled market wander: one path for each instrument.

Whole numbers and `random.Random.getrandbits` only, so a seed gives the same path on every platform. Prices are kept in
thousandths of a tick ("millitick"); an activity of 100 is that of mid-session.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import isqrt
from random import Random

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, Quote


@frozen(kw_only=True)
class ModelSpec:
    """How one instrument moves.

    `volatility` is the standard deviation of the midpoint a second at mid-session, in milliticks; `spread` is typical,
    in ticks; `lot` and `lots` shape displayed sizes; `correlation` is the part (percent) of each move that comes from
    the common factor.
    """

    volatility: int = 1500
    spread: int = 1
    lot: int = 100
    lots: int = 12
    correlation: int = 60


SPECS = {
    "STK": ModelSpec(),
    "FUT": ModelSpec(volatility=500, lot=1, lots=60, correlation=90),
    "CASH": ModelSpec(volatility=400, spread=1, lot=100_000, lots=30, correlation=10),
    "OPT": ModelSpec(volatility=0, spread=3, lot=1, lots=40, correlation=0),
    "FOP": ModelSpec(volatility=0, spread=3, lot=1, lots=40, correlation=0),
    "CFD": ModelSpec(),
    "IND": ModelSpec(),
    "CRYPTO": ModelSpec(volatility=1_000, lot=1, lots=20, correlation=20),
}
FLOOR = 10_000  # no price falls below ten ticks


def normal(rng: Random) -> int:
    """A nearly normal number with mean 0 and standard deviation 1000: the sum of four even ones."""
    bits = rng.getrandbits(64)
    total = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
    return (total - 131_070) * 1000 // 37_837


class Path:
    """One instrument's wandering midpoint, spread and day volume."""

    __slots__ = ("instrument", "last", "mid", "spec", "spread", "volume")

    def __init__(self, instrument: Instrument, spec: ModelSpec) -> None:
        self.instrument = instrument
        self.spec = spec
        self.mid = int(instrument.reference_price / instrument.min_tick) * 1000
        self.spread = spec.spread
        self.last: int | None = None
        self.volume = 0

    def wander(self, rng: Random, factor: int, activity: int, interval: int) -> None:
        """Move the midpoint by what an interval of so many microseconds brings, and the spread towards its mean."""
        spec = self.spec
        mixed = (factor * spec.correlation + normal(rng) * (100 - spec.correlation)) // 100
        # Variance grows with time: the interval scales a step by its square root, here in whole thousandths.
        scale = _thousandths_of_root(interval)
        self.mid = max(self.mid + spec.volatility * mixed * activity // 100_000 * scale // 1_000_000, FLOOR)
        self._widen(rng.getrandbits(6), activity)

    def _widen(self, roll: int, activity: int) -> None:
        typical = self.spec.spread if activity >= 100 else self.spec.spread * 3
        if roll < 6:
            self.spread += 1
        elif self.spread > typical and roll < 36:
            self.spread -= 1
        self.spread = min(max(self.spread, 1), typical + 4)

    def follow(self, underlying: Path, day: date) -> None:
        """Price an option: what it is worth exercised, and a time value like a bell around the strike."""
        option = self.instrument
        spot = underlying.mid * int(underlying.instrument.min_tick * 10_000) // 1000
        strike = int((option.strike or ZERO) * 10_000)
        moneyness = spot - strike if option.right == "C" else strike - spot
        days = max((option.expiry - day).days, 0) if option.expiry else 30
        # At the money the time value is about 1.2 % of spot at a month.
        at_money = spot * 12 // 1000 * _thousandths_of_root(days * 1_000_000 // 30) // 1_000_000
        width = at_money * 2 + 1
        value = max(moneyness, 0) + at_money * width * width // (width * width + moneyness * moneyness)
        self.mid = max(value * 1000 // int(option.min_tick * 10_000), FLOOR)

    def quote(self, rng: Random, at: datetime, activity: int) -> Quote:
        """The book at a moment, with random sizes and perhaps a print."""
        bits = rng.getrandbits(48)
        bid = (self.mid - self.spread * 500) // 1000
        ask = bid + self.spread
        spec, tick = self.spec, self.instrument.min_tick
        lots = max(spec.lots * min(activity, 200) // 100, 2)
        bid_lots, ask_lots = 1 + (bits & 0xFFF) % lots, 1 + (bits >> 12 & 0xFFF) % lots
        traded = self._trade(bits >> 24, (bid, ask), lots)
        return Quote(
            at=at,
            con_id=self.instrument.con_id,
            bid=tick * bid,
            bid_size=Decimal(spec.lot * bid_lots),
            ask=tick * ask,
            ask_size=Decimal(spec.lot * ask_lots),
            last=None if self.last is None else tick * self.last,
            last_size=Decimal(traded) if traded else ZERO,
            volume=Decimal(self.volume),
        )

    def _trade(self, bits: int, touch: tuple[int, int], lots: int) -> int:
        """Five quotes in eight come with a trade at the bid or the ask."""
        if self.last is not None and bits & 7 > 4:
            return 0
        self.last = touch[bits >> 3 & 1]
        traded = self.spec.lot * (1 + (bits >> 4 & 0xFFF) % max(lots // 2, 1))
        self.volume += traded
        return traded


def _thousandths_of_root(value: int) -> int:
    """1000 * sqrt(value), in whole numbers."""
    return isqrt(value * 1_000_000)
