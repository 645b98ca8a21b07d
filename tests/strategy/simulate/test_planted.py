"""Three plausible strategies, each with a real bug: it is found, and the story of it is short."""

import pytest

from strategy.simulate import Demands, OrderFate, Plan, Profile, PropertyViolated, check
from tests.strategy.simulate.subjects import PLANTED

CUTS = Profile(most_events=0, fates={OrderFate.CUT_OFF: 1, OrderFate.CUT_AT_FILL: 1})
CASES = [
    ("double_sell.py", Demands(), Profile(), "never_short"),
    ("forgotten_stop.py", Demands(stop_within=60), Profile(), "position_has_its_stop"),
    ("forgotten_stop.py", Demands(stop_within=60), CUTS, "position_has_its_stop"),
    ("resubmits.py", Demands(), Profile(), "one_entry_at_a_time"),
]


@pytest.mark.parametrize(("name", "demands", "profile", "expected"), CASES)
def test_a_planted_bug_is_found_and_told_in_a_few_events(
    name: str, demands: Demands, profile: Profile, expected: str
) -> None:
    with pytest.raises(PropertyViolated) as caught:
        check(str(PLANTED / name), sequences=2_000, demands=demands, profile=profile)
    found = caught.value
    assert found.name == expected
    assert found.plan.size <= 6
    assert len(found.story.splitlines()) <= 20
    with pytest.raises(PropertyViolated, match=expected):
        check(str(PLANTED / name), plan=Plan.from_json(found.plan.to_json()), demands=demands)
