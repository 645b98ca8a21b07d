"""Plans by choice: which moods, fates and disturbances, how often; each choice is one whole number from a source.

The same generator serves the campaign, whose source is a seed and gives the same plans on every platform, and
Hypothesis, whose source steers and shrinks (``searching``). 0 is always the plainest choice.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import Protocol, TypeVar

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
    OrderFate.CORRECTED_QUANTITY: 1,
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


class Choices(Protocol):
    """Where choices come from."""

    def below(self, limit: int) -> int:
        """A whole number from 0 to below ``limit``, which is at least 1."""


class SeededChoices:
    """Choices that follow from a seed alone."""

    def __init__(self, seed: int) -> None:
        self._bits = Random(seed).getrandbits  # noqa: S311 - a reproducible session, not a secret

    def below(self, limit: int) -> int:
        """The small unevenness of a remainder does not matter, sameness everywhere does."""
        return self._bits(32) % limit


def plan_of(seed: int, profile: Profile) -> Plan:
    """The plan that a seed stands for under a profile."""
    return plan_from(SeededChoices(seed), profile)


def plan_from(source: Choices, profile: Profile) -> Plan:
    """A plan within a profile, by the choices of a source."""
    return Plan(
        day=_one_of(source, CALENDAR) if _chance(source, 25) else ORDINARY_DAY,
        minutes=profile.minutes,
        market_seed=source.below(2**32),
        quote_seconds=profile.quote_seconds,
        latency_ms=_one_of(source, (2, 1, 15, 120)),
        lag_ms=_one_of(source, (0, 0, 0, 5, 400)),
        echoes=_chance(source, 40),
        snapshot_lag=_chance(source, 30),
        regimes=_regimes(source, profile),
        fates=_fates(source, profile),
        events=_events(source, profile),
    )


def _regimes(source: Choices, profile: Profile) -> tuple[Regime, ...]:
    made = [_regime(source, profile) for _ in range(source.below(profile.most_regimes + 1))]
    return tuple(sorted(made, key=lambda regime: regime.minute))


def _regime(source: Choices, profile: Profile) -> Regime:
    latest = max(profile.minutes - profile.quiet_minutes, 1)
    mood = _weighted(source, profile.moods)
    minute = source.below(latest)
    minutes = min(1 + source.below(30), latest - minute)
    return Regime(mood=mood, minute=minute, minutes=max(minutes, 1))


def _fates(source: Choices, profile: Profile) -> tuple[Fate, ...]:
    return tuple(
        _fate(source, profile, number)
        for number in range(1, profile.fated_orders + 1)
        if _chance(source, profile.fate_chance)
    )


def _fate(source: Choices, profile: Profile, number: int) -> Fate:
    kind = _weighted(source, profile.fates)
    pieces = 1 + source.below(2) if kind is OrderFate.FILL_AFTER_CANCEL else 2 + source.below(5)
    return Fate(order=number, kind=kind, pieces=pieces, seconds=_seconds(source, profile))


def _events(source: Choices, profile: Profile) -> tuple[Event, ...]:
    made = [_event(source, profile) for _ in range(source.below(profile.most_events + 1))]
    return tuple(sorted(made, key=lambda event: event.second))


def _event(source: Choices, profile: Profile) -> Event:
    latest = max((profile.minutes - profile.quiet_minutes) * 60 - profile.longest_seconds, 1)
    kind = _weighted(source, profile.disturbances)
    return Event(second=source.below(latest), kind=kind, seconds=_seconds(source, profile))


def _seconds(source: Choices, profile: Profile) -> int:
    """Short ones as often as long ones."""
    for limit in (3, 20):
        if _chance(source, 40):
            return 1 + source.below(min(limit, profile.longest_seconds))
    return 1 + source.below(profile.longest_seconds)


def _chance(source: Choices, percent: int) -> bool:
    return source.below(100) >= 100 - percent


def _one_of(source: Choices, options: Sequence[Choice]) -> Choice:
    return options[source.below(len(options))]


def _weighted(source: Choices, weights: Mapping[Choice, int]) -> Choice:
    """One of the names, as often as its weight says.

    Raises:
        ValueError: every weight is 0.
    """
    roll = source.below(max(sum(weights.values()), 1))
    for choice, weight in weights.items():
        roll -= weight
        if roll < 0:
            return choice
    raise ValueError("every weight is 0: at least one kind must be allowed")
