"""The engine and the shipped examples under simulated sessions; plans that once broke something stay here."""

from datetime import date

import pytest

from strategy.simulate import Plan, Profile, check
from strategy.simulate.campaign import run, smallest
from strategy.simulate.plan import Disturbance, Event, Fate, OrderFate
from strategy.simulate.session import tell
from tests.simulation.campaigns import engine_campaign

MEAN_REVERSION = "strategy.examples.mean_reversion:MeanReversion"
BREAKOUT = "strategy.examples.opening_range_breakout:OpeningRangeBreakout"
QUICK = Profile(minutes=40, quiet_minutes=14, quote_seconds=60)


@pytest.mark.slow
def test_the_engine_keeps_its_promises_under_stress() -> None:
    campaign = engine_campaign(30)
    tally = run(campaign)
    for name, failure in tally.failures.items():
        setup = campaign.subject.setup()
        pytest.fail(tell(smallest(failure.plan, name, setup), setup)[1])
    assert tally.sessions == 30
    assert len(tally.counts) > 60, "the campaign visits most of what there is"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameters"), [(MEAN_REVERSION, {"window": 8}), (BREAKOUT, {"range_minutes": 8})])
def test_the_shipped_examples_survive(name: str, parameters: dict[str, int]) -> None:
    tally = check(name, sequences=150, profile=QUICK, parameters=parameters)
    assert tally.orders > tally.sessions, "the examples trade in most sessions"


@pytest.mark.slow
def test_a_strategy_of_somebody_new_survives() -> None:
    """Two symbols, re-pricing, a daily loss limit and a property of its own."""
    tally = check("tests/simulation/newcomer.py", sequences=60, profile=QUICK)
    assert tally.orders > tally.sessions, "it trades in most sessions"


KNOWN = {
    "a flatten while executions are owed": Plan(
        day=date(2026, 4, 13),
        minutes=40,
        market_seed=1,
        quote_seconds=60,
        fates=(Fate(order=3, kind=OrderFate.FILLED_BEFORE_EXECUTION, pieces=1, seconds=6),),
        events=(Event(second=480, kind=Disturbance.RESTART, seconds=1),),
    ),
    "a restart while the gateway restarts": Plan(
        day=date(2026, 4, 13),
        minutes=60,
        market_seed=8,
        events=(
            Event(second=2740, kind=Disturbance.GATEWAY_RESTART, seconds=1),
            Event(second=2750, kind=Disturbance.RESTART, seconds=1),
        ),
    ),
}


@pytest.mark.parametrize("plan", KNOWN.values(), ids=list(KNOWN))
def test_what_once_broke_holds(plan: Plan) -> None:
    assert check(MEAN_REVERSION, plan=plan, parameters={"window": 8}).sessions == 1
    assert check(BREAKOUT, plan=plan).sessions == 1
