"""Plans from seeds: which moods, fates and disturbances, how often. Whole numbers only: the same on every platform."""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import TypeVar

import attrs

from strategy.simulate.plan import Disturbance, Event, Fate, MarketMood, OrderFate, Plan, Regime

Choice = TypeVar("Choice")

ORDINARY_DAY = date(2026, 4, 13)
CALENDAR = (
    ORDINARY_DAY,
    date(2026, 3, 9),  # the first trading day of daylight saving time
    date(2026, 11, 2),  # the first after it
    date(2026, 11, 27),  # the day after Thanksgiving, an early close
    date(2026, 12, 31),
)


_COMMON = {
    OrderFate.PIECES: 10,
    OrderFate.NEVER: 4,
    OrderFate.FILL_AFTER_CANCEL: 4,
    OrderFate.REJECTED: 3,
}


@attrs.frozen(kw_only=True)
class Profile:
    """What a campaign throws at a strategy. Weights are relative; a weight of 0 switches a kind off.

    ``minutes`` is the length of a session from the 9:30 open; a full day is 390. ``fate_chance`` is the percentage of
    orders that meet anything but an honest fill, ``fated_orders`` how many orders from the first may. The last
    ``quiet_minutes`` before the end of the session are free of new disturbances and of moods that stop trading, so that
    being flat at the close is a fair demand.
    """

    minutes: int = 90
    quote_seconds: int = 30
    most_regimes: int = 3
    most_events: int = 3
    fate_chance: int = 60
    fated_orders: int = 12
    longest_seconds: int = 90
    quiet_minutes: int = 18
    moods: Mapping[MarketMood, int] = attrs.field(factory=lambda: dict.fromkeys(MarketMood, 2))
    fates: Mapping[OrderFate, int] = attrs.field(factory=lambda: dict.fromkeys(OrderFate, 2) | _COMMON)
    disturbances: Mapping[Disturbance, int] = attrs.field(factory=lambda: dict.fromkeys(Disturbance, 2))


def plan_of(seed: int, profile: Profile) -> Plan:
    """The plan that a seed stands for under a profile."""
    rng = Random(seed)  # noqa: S311 - a reproducible session, not a secret
    return Plan(
        day=_one_of(rng, CALENDAR) if _chance(rng, 25) else ORDINARY_DAY,
        minutes=profile.minutes,
        market_seed=rng.getrandbits(32),
        quote_seconds=profile.quote_seconds,
        latency_ms=_one_of(rng, (1, 2, 15, 120)),
        lag_ms=_one_of(rng, (0, 0, 0, 5, 400)),
        echoes=_chance(rng, 40),
        snapshot_lag=_chance(rng, 30),
        regimes=_regimes(rng, profile),
        fates=_fates(rng, profile),
        events=_events(rng, profile),
    )


def _regimes(rng: Random, profile: Profile) -> tuple[Regime, ...]:
    made = [_regime(rng, profile) for _ in range(_below(rng, profile.most_regimes + 1))]
    return tuple(sorted(made, key=lambda regime: regime.minute))


def _regime(rng: Random, profile: Profile) -> Regime:
    latest = max(profile.minutes - profile.quiet_minutes, 1)
    mood = _weighted(rng, profile.moods)
    minute = _below(rng, latest)
    minutes = min(1 + _below(rng, 30), latest - minute)
    return Regime(mood=mood, minute=minute, minutes=max(minutes, 1))


def _fates(rng: Random, profile: Profile) -> tuple[Fate, ...]:
    return tuple(
        _fate(rng, profile, number)
        for number in range(1, profile.fated_orders + 1)
        if _chance(rng, profile.fate_chance)
    )


def _fate(rng: Random, profile: Profile, number: int) -> Fate:
    kind = _weighted(rng, profile.fates)
    pieces = 1 + _below(rng, 2) if kind is OrderFate.FILL_AFTER_CANCEL else 2 + _below(rng, 5)
    return Fate(order=number, kind=kind, pieces=pieces, seconds=_seconds(rng, profile))


def _events(rng: Random, profile: Profile) -> tuple[Event, ...]:
    made = [_event(rng, profile) for _ in range(_below(rng, profile.most_events + 1))]
    return tuple(sorted(made, key=lambda event: event.second))


def _event(rng: Random, profile: Profile) -> Event:
    latest = max((profile.minutes - profile.quiet_minutes) * 60 - profile.longest_seconds, 1)
    kind = _weighted(rng, profile.disturbances)
    return Event(second=_below(rng, latest), kind=kind, seconds=_seconds(rng, profile))


def _seconds(rng: Random, profile: Profile) -> int:
    """Short ones as often as long ones."""
    longest = profile.longest_seconds
    for limit in (3, 20):
        if _chance(rng, 40):
            return 1 + _below(rng, min(limit, longest))
    return 1 + _below(rng, longest)


def _chance(rng: Random, percent: int) -> bool:
    return _below(rng, 100) < percent


def _below(rng: Random, limit: int) -> int:
    """From 0 to below ``limit``; the small unevenness of a remainder does not matter, sameness everywhere does."""
    return rng.getrandbits(32) % max(limit, 1)


def _one_of(rng: Random, choices: Sequence[Choice]) -> Choice:
    return choices[_below(rng, len(choices))]


def _weighted(rng: Random, weights: Mapping[Choice, int]) -> Choice:
    """One of the names, as often as its weight says.

    Raises:
        ValueError: every weight is 0.
    """
    roll = _below(rng, sum(weights.values()))
    for choice, weight in weights.items():
        roll -= weight
        if roll < 0:
            return choice
    raise ValueError("every weight is 0: at least one kind must be allowed")
