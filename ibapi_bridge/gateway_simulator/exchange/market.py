"""Where quotes come from: the `Market` protocol and a seeded model of an intraday market.

The model uses whole numbers and `random.Random.getrandbits` only, so a seed gives the same quotes on every platform.
Prices are kept in thousandths of a tick ("millitick").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from math import isqrt
from random import Random
from typing import Any, Protocol

from attrs import field, frozen

from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES, Session
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, Quote

MICROSECOND = timedelta(microseconds=1)


class Market(Protocol):
    """Quotes in the order of their time."""

    def opening(self) -> Sequence[Quote]:
        """What the book of each instrument shows at the start."""

    def next_at(self) -> datetime | None:
        """When the next quote is due, None when there are no more."""

    def pop(self) -> Quote:
        """Take the next quote."""

    def save(self) -> dict[str, Any]:
        """The state as plain JSON values."""

    def load(self, saved: Mapping[str, Any]) -> None:
        """Continue from a saved state."""


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


_SPECS = {
    "STK": ModelSpec(),
    "FUT": ModelSpec(volatility=500, lot=1, lots=60, correlation=90),
    "CASH": ModelSpec(volatility=400, spread=1, lot=100_000, lots=30, correlation=10),
    "OPT": ModelSpec(volatility=0, spread=3, lot=1, lots=40, correlation=0),
}


@frozen(kw_only=True)
class ModelSettings:
    """The model's common dials: seconds (as a timedelta) between quotes, and specs by contract id."""

    interval: timedelta = timedelta(seconds=1)
    specs: Mapping[int, ModelSpec] = field(factory=dict)


class _Path:
    """One instrument's wandering midpoint, spread and day volume."""

    __slots__ = ("instrument", "last", "mid", "spec", "spread", "volume")

    def __init__(self, instrument: Instrument, spec: ModelSpec) -> None:
        self.instrument = instrument
        self.spec = spec
        self.mid = int(instrument.reference_price / instrument.min_tick) * 1000
        self.spread = spec.spread
        self.last: int | None = None
        self.volume = 0

    def move(self, step: int) -> None:
        """Shift the midpoint by `step` milliticks, never below ten ticks; near the floor it drifts up."""
        self.mid = max(self.mid + step, 10_000)

    def touch(self) -> tuple[int, int]:
        bid = (self.mid - self.spread * 500) // 1000
        return bid, bid + self.spread


class ModelMarket:
    """Seeded quotes with U-shaped volatility and volume, mean-reverting spreads and correlated moves.

    Every open instrument gets one quote in each interval, at a random moment of it. Options follow their underlying.
    """

    def __init__(
        self,
        *,
        instruments: Sequence[Instrument],
        start: datetime,
        seed: int,
        settings: ModelSettings | None = None,
    ) -> None:
        self._settings = settings or ModelSettings()
        self._rng = Random(seed)  # noqa: S311 - a reproducible market, not a secret
        self._interval_us = self._settings.interval // MICROSECOND
        self._at = start
        self._paths = {i.con_id: _Path(i, self._spec_of(i)) for i in instruments if i.sec_type in _SPECS}
        self._due: deque[Quote] = deque()
        self._sessions: dict[str, Session | None] = {}

    def _spec_of(self, instrument: Instrument) -> ModelSpec:
        return self._settings.specs.get(instrument.con_id, _SPECS.get(instrument.sec_type, ModelSpec()))

    def opening(self) -> Sequence[Quote]:
        """One quote for each instrument, so that every order has a price to be measured against."""
        for path in self._paths.values():
            if self._follows(path):
                self._follow(path, self._at)
        return [self._quote(path, self._at, 100) for path in self._paths.values()]

    def _follows(self, path: _Path) -> bool:
        return path.instrument.sec_type == "OPT" and path.instrument.underlying in self._paths

    def next_at(self) -> datetime | None:
        """When the next quote is due."""
        while not self._due and self._paths:
            self._step()
        return self._due[0].at if self._due else None

    def pop(self) -> Quote:
        """Take the next quote."""
        self.next_at()
        return self._due.popleft()

    def _step(self) -> None:
        start = self._at
        open_paths = [p for p in self._paths.values() if self._is_open(p.instrument.schedule, start)]
        if not open_paths:
            self._at = self._next_opening(start)
            return
        factor = self._normal()
        batch = [self._advance(path, start, factor) for path in open_paths]
        batch.sort(key=lambda quote: (quote.at, quote.con_id))
        self._due.extend(batch)
        self._at = start + self._settings.interval

    def _is_open(self, schedule: str, at: datetime) -> bool:
        session = self._session(schedule, at)
        return session is not None and session.start <= at

    def _session(self, schedule: str, at: datetime) -> Session | None:
        session = self._sessions.get(schedule)
        if session is None or at >= session.end:
            session = TIMETABLES[schedule].next_session(at)
            self._sessions[schedule] = session
        return session

    def _next_opening(self, at: datetime) -> datetime:
        schedules = {path.instrument.schedule for path in self._paths.values()}
        sessions = [self._session(schedule, at) for schedule in schedules]
        return min((s.start for s in sessions if s is not None), default=at + timedelta(days=16))

    def _normal(self) -> int:
        """A nearly normal number with mean 0 and standard deviation 1000: the sum of four even ones."""
        bits = self._rng.getrandbits(64)
        total = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (total - 131_070) * 1000 // 37_837

    def _activity(self, schedule: str, at: datetime) -> int:
        """Percent of mid-session activity: 250 at the open and close, 100 in the middle, 30 outside regular hours."""
        session = self._session(schedule, at)
        if session is None or not session.is_liquid(at):
            return 30
        length = (session.liquid_end - session.liquid_start) // MICROSECOND
        x = (at - session.liquid_start) // MICROSECOND * 2000 // length - 1000
        return 100 + 150 * x * x // 1_000_000

    def _advance(self, path: _Path, start: datetime, factor: int) -> Quote:
        activity = self._activity(path.instrument.schedule, start)
        if self._follows(path):
            self._follow(path, start)
        else:
            self._wander(path, factor, activity)
        offset = self._rng.getrandbits(40) % self._interval_us
        return self._quote(path, start + MICROSECOND * offset, activity)

    def _wander(self, path: _Path, factor: int, activity: int) -> None:
        spec = path.spec
        own = self._normal()
        mixed = (factor * spec.correlation + own * (100 - spec.correlation)) // 100
        # Variance grows with time: the interval scales a step by its square root, here in whole thousandths.
        scale = _isqrt_thousandths(self._interval_us)
        path.move(spec.volatility * mixed * activity // 100_000 * scale // 1_000_000)
        self._reprice_spread(path, activity)

    def _reprice_spread(self, path: _Path, activity: int) -> None:
        typical = path.spec.spread if activity >= 100 else path.spec.spread * 3
        roll = self._rng.getrandbits(6)
        if roll < 6:
            path.spread += 1
        elif path.spread > typical and roll < 36:
            path.spread -= 1
        path.spread = min(max(path.spread, 1), typical + 4)

    def _follow(self, path: _Path, at: datetime) -> None:
        option = path.instrument
        underlying = self._paths[option.underlying or 0]
        spot = underlying.mid * int(underlying.instrument.min_tick * 10_000) // 1000
        strike = int((option.strike or ZERO) * 10_000)
        moneyness = spot - strike if option.right == "C" else strike - spot
        days = max((option.expiry - at.date()).days, 0) if option.expiry else 30
        # At the money the time value is about 1.2 % of spot at a month; away from it it falls off like a bell.
        at_money = spot * 12 // 1000 * _isqrt_thousandths(days * 1_000_000 // 30) // 1_000_000
        width = at_money * 2 + 1
        value = max(moneyness, 0) + at_money * width * width // (width * width + moneyness * moneyness)
        path.mid = max(value * 1000 // int(option.min_tick * 10_000), 10_000)

    def _quote(self, path: _Path, at: datetime, activity: int) -> Quote:
        bits = self._rng.getrandbits(48)
        bid, ask = path.touch()
        spec, tick = path.spec, path.instrument.min_tick
        lots = max(spec.lots * min(activity, 200) // 100, 2)
        bid_lots, ask_lots = 1 + (bits & 0xFFF) % lots, 1 + (bits >> 12 & 0xFFF) % lots
        traded = self._trade(path, bits >> 24, (bid, ask), lots)
        return Quote(
            at=at,
            con_id=path.instrument.con_id,
            bid=tick * bid,
            bid_size=Decimal(spec.lot * bid_lots),
            ask=tick * ask,
            ask_size=Decimal(spec.lot * ask_lots),
            last=None if path.last is None else tick * path.last,
            last_size=Decimal(traded) if traded else ZERO,
            volume=Decimal(path.volume),
        )

    @staticmethod
    def _trade(path: _Path, bits: int, touch: tuple[int, int], lots: int) -> int:
        """Five quotes in eight come with a trade at the bid or the ask."""
        if path.last is not None and bits & 7 > 4:
            return 0
        path.last = touch[bits >> 3 & 1]
        traded = path.spec.lot * (1 + (bits >> 4 & 0xFFF) % max(lots // 2, 1))
        path.volume += traded
        return traded

    def save(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        version, numbers, _ = self._rng.getstate()
        return {
            "at": self._at.isoformat(),
            "rng": [version, list(numbers)],
            "paths": {str(c): [p.mid, p.spread, p.last, p.volume] for c, p in self._paths.items()},
            "due": [_quote_row(quote) for quote in self._due],
        }

    def load(self, saved: Mapping[str, Any]) -> None:
        """Continue from a saved state."""
        version, numbers = saved["rng"]
        self._rng.setstate((version, tuple(numbers), None))
        self._at = datetime.fromisoformat(saved["at"])
        for con_id, (mid, spread, last, volume) in saved["paths"].items():
            path = self._paths[int(con_id)]
            path.mid, path.spread, path.last, path.volume = mid, spread, last, volume
        self._due = deque(_quote_of(row) for row in saved["due"])
        self._sessions.clear()


def _isqrt_thousandths(value: int) -> int:
    """1000 * sqrt(value), in whole numbers."""
    return isqrt(value * 1_000_000)


def _quote_row(quote: Quote) -> list[Any]:
    prices = [None if p is None else str(p) for p in (quote.bid, quote.ask, quote.last)]
    sizes = [str(s) for s in (quote.bid_size, quote.ask_size, quote.last_size, quote.volume)]
    return [quote.at.isoformat(), quote.con_id, *prices, *sizes, quote.halted]


def _quote_of(row: Sequence[Any]) -> Quote:
    at, con_id, bid, ask, last, bid_size, ask_size, last_size, volume, halted = row
    return Quote(
        at=datetime.fromisoformat(at),
        con_id=con_id,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        last=None if last is None else Decimal(last),
        bid_size=Decimal(bid_size),
        ask_size=Decimal(ask_size),
        last_size=Decimal(last_size),
        volume=Decimal(volume),
        halted=halted,
    )
