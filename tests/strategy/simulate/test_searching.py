"""Hypothesis over plans, steered towards drawdown."""

from hypothesis import given, settings, target

from strategy.simulate import Plan, Profile, check
from strategy.simulate.searching import drawdown_of, plans
from tests.strategy.simulate.subjects import Churner


@settings(deadline=None, max_examples=15, derandomize=True)
@given(plan=plans(Profile(minutes=30, quiet_minutes=12)))
def test_hypothesis_finds_nothing_wrong_with_a_plain_strategy(plan: Plan) -> None:
    tally = check(Churner, plan=plan)
    target(drawdown_of(tally), label="drawdown")
    assert tally.sessions == 1
