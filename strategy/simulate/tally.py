"""What many sessions came to: adds up, whoever played which of them."""

from collections import Counter
from decimal import Decimal

import attrs

from strategy.simulate.plan import Plan
from strategy.simulate.properties import Violation
from strategy.simulate.session import Outcome

PNL_STEP = 50
DRAWDOWN_STEP = 50
SLIPPAGE_STEP = Decimal("0.005")
"""Widths of the classes of the distributions, in the account's currency."""


@attrs.frozen(kw_only=True)
class Failure:
    """The first session, by its number, in which a property broke."""

    index: int
    plan: Plan
    violation: Violation


@attrs.frozen(kw_only=True)
class Extreme:
    """The largest figure of any session, and of which."""

    value: Decimal
    index: int

    def larger(self, other: "Extreme") -> "Extreme":
        """The larger of two, the earlier of two equals."""
        return max((self, other), key=lambda extreme: (extreme.value, -extreme.index))


@attrs.frozen(kw_only=True)
class Tally:
    """Sums, distributions and firsts; ``a + b`` is the tally of both."""

    sessions: int = 0
    orders: int = 0
    fills: int = 0
    counts: Counter[str] = attrs.field(factory=Counter)
    """How often each event, transition, fate and disturbance was visited."""
    pnl: Counter[int] = attrs.field(factory=Counter)
    drawdown: Counter[int] = attrs.field(factory=Counter)
    slippage: Counter[int] = attrs.field(factory=Counter)
    extremes: dict[str, Extreme] = attrs.field(factory=dict)
    failures: dict[str, Failure] = attrs.field(factory=dict)
    failed_sessions: Counter[str] = attrs.field(factory=Counter)

    def __add__(self, other: "Tally") -> "Tally":
        extremes, failures = dict(self.extremes), dict(self.failures)
        for name, extreme in other.extremes.items():
            extremes[name] = extreme.larger(extremes[name]) if name in extremes else extreme
        for name, failure in other.failures.items():
            if name not in failures or failure.index < failures[name].index:
                failures[name] = failure
        return Tally(
            sessions=self.sessions + other.sessions,
            orders=self.orders + other.orders,
            fills=self.fills + other.fills,
            counts=self.counts + other.counts,
            pnl=self.pnl + other.pnl,
            drawdown=self.drawdown + other.drawdown,
            slippage=self.slippage + other.slippage,
            extremes=extremes,
            failures=failures,
            failed_sessions=self.failed_sessions + other.failed_sessions,
        )


def tally_of(index: int, plan: Plan, outcome: Outcome) -> Tally:
    """The tally of one session."""
    violation = outcome.violation
    return Tally(
        sessions=1,
        orders=outcome.orders,
        fills=outcome.fills,
        counts=Counter(outcome.counts),
        pnl=Counter([_class_of(outcome.pnl, Decimal(PNL_STEP))]),
        drawdown=Counter([_class_of(outcome.drawdown, Decimal(DRAWDOWN_STEP))]),
        slippage=Counter([_class_of(outcome.slippage, SLIPPAGE_STEP)]) if outcome.fills else Counter(),
        extremes={
            "largest position": Extreme(value=outcome.largest_position, index=index),
            "largest drawdown": Extreme(value=outcome.drawdown, index=index),
            "largest loss": Extreme(value=-outcome.pnl, index=index),
            "most orders within 10 s": Extreme(value=Decimal(outcome.busiest), index=index),
        },
        failures={} if violation is None else {violation.name: Failure(index=index, plan=plan, violation=violation)},
        failed_sessions=Counter() if violation is None else Counter([violation.name]),
    )


def _class_of(value: Decimal, step: Decimal) -> int:
    return int((value / step).to_integral_value(rounding="ROUND_FLOOR"))
