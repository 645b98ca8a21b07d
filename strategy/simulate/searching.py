"""Plans for Hypothesis, for users who want its search: it needs the package ``hypothesis`` (extra ``simulate``).

``@given(plans())`` shrinks by itself; ``target(drawdown_of(tally))`` steers it towards trouble.
"""

from collections.abc import Mapping
from typing import TypeVar

from hypothesis import strategies as st

from strategy.simulate.generate import CALENDAR, Profile
from strategy.simulate.plan import Event, Fate, Plan, Regime
from strategy.simulate.tally import Tally

Kind = TypeVar("Kind")


def plans(profile: Profile | None = None) -> st.SearchStrategy[Plan]:
    """Sessions within a profile; kinds of weight 0 do not occur, other weights do not matter here."""
    limits = profile if profile is not None else Profile()
    latest = max(limits.minutes - limits.quiet_minutes, 1)
    seconds = st.integers(1, limits.longest_seconds)
    regimes = st.builds(Regime, mood=_kinds(limits.moods), minute=_below(latest), minutes=st.just(5))
    fates = st.builds(
        Fate,
        order=st.integers(1, limits.fated_orders),
        kind=_kinds(limits.fates),
        pieces=st.integers(1, 6),
        seconds=seconds,
    )
    last_second = max(latest * 60 - limits.longest_seconds, 1)
    events = st.builds(Event, second=_below(last_second), kind=_kinds(limits.disturbances), seconds=seconds)
    return st.builds(
        Plan,
        day=st.sampled_from(CALENDAR),
        minutes=st.just(limits.minutes),
        market_seed=st.integers(1, 2**32),
        quote_seconds=st.just(limits.quote_seconds),
        latency_ms=st.sampled_from((2, 15, 120)),
        lag_ms=st.sampled_from((0, 5, 400)),
        echoes=st.booleans(),
        snapshot_lag=st.booleans(),
        regimes=st.lists(regimes, max_size=limits.most_regimes).map(tuple),
        fates=st.lists(fates, max_size=limits.fated_orders, unique_by=lambda fate: fate.order).map(tuple),
        events=st.lists(events, max_size=limits.most_events).map(tuple),
    )


def drawdown_of(tally: Tally) -> float:
    """The largest drawdown, for ``hypothesis.target``."""
    return float(tally.extremes["largest drawdown"].value)


def position_of(tally: Tally) -> float:
    """The largest position, for ``hypothesis.target``."""
    return float(tally.extremes["largest position"].value)


def _below(limit: int) -> st.SearchStrategy[int]:
    return st.integers(0, limit - 1)


def _kinds(weights: Mapping[Kind, int]) -> st.SearchStrategy[Kind]:
    return st.sampled_from([kind for kind, weight in weights.items() if weight])
