"""Where quotes come from: the `Market` protocol and a seeded model of an intraday market.

The model's seed gives the same quotes on every platform.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Protocol

from attrs import field, frozen

from ibapi_bridge.gateway_simulator.exchange.paths import SPECS, ModelSpec, Path, normal
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES, Session
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Quote

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
class ModelSettings:
    """The model's common dials: the time between two quotes of an instrument, and specs by contract id."""

    interval: timedelta = timedelta(seconds=1)
    specs: Mapping[int, ModelSpec] = field(factory=dict)


class Hours:
    """The sessions of one timetable, looked at in the order of time."""

    def __init__(self, schedule: str) -> None:
        self._timetable = TIMETABLES[schedule]
        self._session: Session | None = None

    def session(self, at: datetime) -> Session | None:
        """The session that covers `at`, or the next one."""
        if self._session is None or at >= self._session.end:
            self._session = self._timetable.next_session(at)
        return self._session

    def is_open(self, at: datetime) -> bool:
        """Whether a session is under way."""
        session = self.session(at)
        return session is not None and session.start <= at

    def activity(self, at: datetime) -> int:
        """Percent of mid-session activity: 250 at the open and close, 100 in the middle, 30 outside regular hours."""
        session = self.session(at)
        if session is None or not session.is_liquid(at):
            return 30
        length = (session.liquid_end - session.liquid_start) // MICROSECOND
        x = (at - session.liquid_start) // MICROSECOND * 2000 // length - 1000
        return 100 + 150 * x * x // 1_000_000


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
        self._interval = self._settings.interval // MICROSECOND
        self._at = start
        modelled = [i for i in instruments if i.sec_type in SPECS]
        self._paths = {i.con_id: Path(i, self._settings.specs.get(i.con_id, SPECS[i.sec_type])) for i in modelled}
        self._hours = {i.schedule: Hours(i.schedule) for i in modelled}
        self._due: deque[Quote] = deque()

    def opening(self) -> Sequence[Quote]:
        """One quote for each instrument, so that every order has a price to be measured against."""
        for path in self._paths.values():
            underlying = self._underlying(path)
            if underlying is not None:
                path.follow(underlying, self._at.date())
        return [path.quote(self._rng, self._at, 100) for path in self._paths.values()]

    def _underlying(self, path: Path) -> Path | None:
        option = path.instrument
        if option.sec_type not in {"OPT", "FOP"} or option.underlying is None:
            return None
        return self._paths.get(option.underlying)

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
        trading = [p for p in self._paths.values() if self._hours[p.instrument.schedule].is_open(start)]
        if not trading:
            self._at = self._next_opening(start)
            return
        factor = normal(self._rng)
        batch = [self._advance(path, start, factor) for path in trading]
        batch.sort(key=lambda quote: (quote.at, quote.con_id))
        self._due.extend(batch)
        self._at = start + self._settings.interval

    def _next_opening(self, at: datetime) -> datetime:
        sessions = [hours.session(at) for hours in self._hours.values()]
        return min((s.start for s in sessions if s is not None), default=at + timedelta(days=16))

    def _advance(self, path: Path, start: datetime, factor: int) -> Quote:
        activity = self._hours[path.instrument.schedule].activity(start)
        underlying = self._underlying(path)
        if underlying is not None:
            path.follow(underlying, start.date())
        else:
            path.wander(self._rng, factor, activity, self._interval)
        offset = self._rng.getrandbits(40) % self._interval
        return path.quote(self._rng, start + MICROSECOND * offset, activity)

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
        self._hours = {schedule: Hours(schedule) for schedule in self._hours}


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
