"""Hypothesis over the same plans: it steers towards drawdown and exposure, and remembers what broke.

Its own shrinking is left to ``@given(plans())``: it takes minutes and keeps the order of choices (the seventh order
stays the seventh), where leaving out elements of the plan takes seconds and gives the story a trader would tell.

It needs the package ``hypothesis`` (extra ``simulate``); nothing else here does.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase

from strategy.base import Strategy
from strategy.config import Config
from strategy.simulate.campaign import smallest
from strategy.simulate.checking import PropertyViolated
from strategy.simulate.generate import Profile, plan_from
from strategy.simulate.plan import Plan
from strategy.simulate.properties import Demands
from strategy.simulate.session import play, tell
from strategy.simulate.subject import Subject
from strategy.simulate.tally import Tally, tally_of


class _Drawn:
    """Choices that Hypothesis makes."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def below(self, limit: int) -> int:
        return self._draw(st.integers(0, limit - 1))


@st.composite
def plans(draw: st.DrawFn, profile: Profile | None = None) -> Plan:
    """Sessions within a profile, for ``@given`` together with ``check(..., plan=plan)``."""
    return plan_from(_Drawn(draw), profile if profile is not None else Profile())


def drawdown_of(tally: Tally) -> float:
    """The largest drawdown, for ``hypothesis.target``."""
    return float(tally.extremes["largest drawdown"].value)


def position_of(tally: Tally) -> float:
    """The largest position, for ``hypothesis.target``."""
    return float(tally.extremes["largest position"].value)


class _Broken(AssertionError):
    """A property did not hold."""

    def __init__(self, name: str, plan: Plan) -> None:
        super().__init__(name)
        self.name, self.plan = name, plan


def explore(  # noqa: PLR0913 - one keyword for each thing that can be chosen
    strategy: str | type[Strategy],
    *,
    examples: int = 200,
    demands: Demands | None = None,
    profile: Profile | None = None,
    parameters: Mapping[str, Any] | None = None,
    config: Config | None = None,
    database: Path | None = None,
) -> Tally:
    """Let Hypothesis look for a session that breaks a property, towards large drawdowns and positions.

    Args:
        strategy: a class, or what ``--strategy`` takes.
        examples: how many sessions to try.
        demands: the common demands; the strategy's own properties are always looked at.
        profile: what is thrown at the strategy.
        parameters: of the strategy, over those of the configuration.
        config: trading limits, times, symbols.
        database: directory of failures, which are played first the next time; default: Hypothesis' own.

    Returns:
        What was visited, and the distributions.

    Raises:
        PropertyViolated: with the smallest story found, and its plan.
    """
    subject = Subject(
        strategy=strategy, config=config or Config(), parameters=parameters or {}, demands=demands or Demands()
    )
    setup, played = subject.setup(), [Tally()]

    def session(plan: Plan) -> None:
        outcome = play(plan, setup)
        played[0] += tally_of(played[0].sessions, plan, outcome)
        if outcome.violation is not None:
            raise _Broken(outcome.violation.name, plan)
        target(float(outcome.drawdown), label="drawdown")
        target(float(outcome.largest_position), label="position")

    session.__name__ = "session_of_" + re.sub(r"\W", "_", subject.name)  # Hypothesis remembers failures by it
    chosen = settings(
        max_examples=examples,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.target),
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    if database is not None:
        chosen = settings(chosen, database=DirectoryBasedExampleDatabase(database))
    try:
        chosen(given(plan=plans(profile))(session))()
    except _Broken as broken:
        plan = smallest(broken.plan, broken.name, setup)
        raise PropertyViolated(broken.name, plan, tell(plan, setup)[1]) from None
    return played[0]
