"""Hypothesis over plans: steered towards drawdown, what broke is remembered and told as the campaign tells it."""

from pathlib import Path

import pytest
from hypothesis import given, settings, target

from strategy.simulate import Plan, Profile, PropertyViolated, check
from strategy.simulate.searching import drawdown_of, explore, plans, position_of
from tests.strategy.simulate.subjects import PLANTED, Churner

SMALL = Profile(minutes=30, quiet_minutes=12)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(plan=plans(SMALL))
def test_hypothesis_finds_nothing_wrong_with_a_plain_strategy(plan: Plan) -> None:
    tally = check(Churner, plan=plan)
    target(drawdown_of(tally), label="drawdown")
    target(position_of(tally), label="position")
    assert tally.sessions == 1


def test_exploring_finds_a_bug_and_remembers_it(tmp_path: Path) -> None:
    subject = str(PLANTED / "double_sell.py")
    with pytest.raises(PropertyViolated) as found:
        explore(subject, examples=400, database=tmp_path)
    assert found.value.name == "never_short"
    assert found.value.plan.size <= 2
    with pytest.raises(PropertyViolated):
        explore(subject, examples=1, database=tmp_path)


def test_exploring_a_plain_strategy_plays_as_many_sessions_as_were_asked_for(tmp_path: Path) -> None:
    tally = explore(Churner, examples=10, profile=SMALL, database=tmp_path)
    assert tally.sessions >= 10
    assert not tally.failures
