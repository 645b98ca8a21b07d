"""From a session that breaks something to the smallest one that still breaks it.

Elements are left out first (halves, then one by one), then values are made simple, then other markets are tried for one
that needs fewer elements or in which less happens before it breaks; and again, until nothing gets smaller. Each
candidate is played; it is kept when the same property breaks. The order of attempts is fixed, so the same failure
always shrinks to the same plan.
"""

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from strategy.simulate.generate import ORDINARY_DAY
from strategy.simulate.plan import Event, Fate, Plan, Regime

Weigh = Callable[[Plan], int | None]
"""Plays a plan: how much happens until the property breaks, None when it holds."""

MOST_PLAYS = 1_500

_PARTS = ("events", "fates", "regimes")


class _Shrinker:
    def __init__(self, plan: Plan, weigh: Weigh, most_plays: int) -> None:
        self.plan = plan
        self._weigh = weigh
        self._weight: int | None = None
        self._left = most_plays
        self._tried: set[str] = set()

    def try_plan(self, plan: Plan, *, lighter: bool = False) -> bool:
        """Keep a plan when it still breaks, with ``lighter`` only if less happens; each is played once."""
        key = repr(plan)
        if plan == self.plan or key in self._tried or self._left <= 0:
            return False
        self._tried.add(key)
        self._left -= 1
        weight = self._weigh(plan)
        if weight is None or (lighter and self._weight is not None and weight >= self._weight):
            return False
        self.plan, self._weight = plan, weight
        return True

    def run(self) -> Plan:
        """Until nothing gets smaller."""
        before = None
        while before != self.plan and self._left > 0:
            before = self.plan
            for part in _PARTS:
                self._leave_out(part)
            self._simplify()
            self._leave_out_elsewhere()
            self._find_lighter_market()
        return self.plan

    def _leave_out_elsewhere(self) -> None:
        """An element may only be needed because of the market: without it in another one."""
        for part in _PARTS:
            for place in range(len(getattr(self.plan, part))):
                elements = getattr(self.plan, part)
                fewer = _with(self.plan, part, elements[:place] + elements[place + 1 :])
                if any(self.try_plan(attrs.evolve(fewer, market_seed=seed)) for seed in range(1, _MARKETS + 1)):
                    return

    def _find_lighter_market(self) -> None:
        self._weight = self._weigh(self.plan)
        for seed in range(1, _MARKETS + 1):
            self.try_plan(attrs.evolve(self.plan, market_seed=seed), lighter=True)

    def _leave_out(self, part: str) -> None:
        size = len(getattr(self.plan, part))
        while size >= 1:
            start = 0
            while start < len(getattr(self.plan, part)):
                elements = getattr(self.plan, part)
                if not self.try_plan(_with(self.plan, part, elements[:start] + elements[start + size :])):
                    start += size
            size //= 2

    def _simplify(self) -> None:
        for changes in _PLAIN:
            self.try_plan(attrs.evolve(self.plan, **changes))
        for minutes in _MINUTES:
            if minutes < self.plan.minutes:
                self.try_plan(attrs.evolve(self.plan, minutes=minutes))
        for part in _PARTS:
            for place in range(len(getattr(self.plan, part))):
                self._simplify_element(part, place)

    def _simplify_element(self, part: str, place: int) -> None:
        for simpler in _simpler(getattr(self.plan, part)[place]):
            elements = list(getattr(self.plan, part))
            for name, value in simpler.items():
                if value < getattr(elements[place], name):
                    elements[place] = attrs.evolve(elements[place], **{name: value})
            self.try_plan(_with(self.plan, part, tuple(elements)))


def shrink(plan: Plan, weigh: Weigh, *, most_plays: int = MOST_PLAYS) -> Plan:
    """The smallest plan found that still breaks.

    Args:
        plan: one that breaks.
        weigh: plays a plan and says how much happens until the same property breaks, None when it holds.
        most_plays: how many sessions may be played to find it.
    """
    return _Shrinker(plan, weigh, most_plays).run()


_PLAIN: tuple[dict[str, Any], ...] = (
    {"lag_ms": 0},
    {"echoes": False},
    {"snapshot_lag": False},
    {"latency_ms": 2},
    {"day": ORDINARY_DAY},
)
_MINUTES = (30, 45, 60)
_MARKETS = 16


def _with(plan: Plan, part: str, elements: tuple[Any, ...]) -> Plan:
    changes: dict[str, Any] = {part: elements}
    return attrs.evolve(plan, **changes)


def _simpler(element: Event | Fate | Regime) -> Iterator[dict[str, int]]:
    """Values to try, the simplest first; only smaller ones are taken."""
    match element:
        case Event():
            yield from ({"seconds": seconds} for seconds in (1, 3, 10, 20, 30, 45))
            yield from ({"second": element.second // step * step} for step in (3600, 600, 60, 10))
        case Fate():
            yield from ({"order": number} for number in range(1, min(element.order, 6)))
            yield from ({"pieces": pieces} for pieces in (1, 2, 3))
            yield from ({"seconds": seconds} for seconds in (1, 3, 10, 20, 30, 45))
        case Regime():
            yield from ({"minutes": minutes} for minutes in (1, 2, 5, 10))
            yield from ({"minute": minute} for minute in (0, 5, 10, 20, 30))
