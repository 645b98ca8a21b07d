"""Plans, shrinking, tallies, failures and the page: plain values."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy.errors import UserError
from strategy.simulate.campaign import Campaign, is_deterministic, run, smallest
from strategy.simulate.cli import pace
from strategy.simulate.failures import keep, kept_in
from strategy.simulate.generate import Profile, plan_of
from strategy.simulate.page import page
from strategy.simulate.plan import Disturbance, Fate, OrderFate, Plan
from strategy.simulate.properties import Demands, Violation, property_of_session
from strategy.simulate.record import SessionView
from strategy.simulate.session import play
from strategy.simulate.shrink import shrink
from strategy.simulate.subject import Subject
from strategy.simulate.tally import Tally, tally_of
from tests.strategy.simulate.subjects import PLANTED, SHORT, Churner, OneOrder, setup_of

SMALL = Profile(minutes=30, quiet_minutes=12)
SUBJECT = Subject(strategy=str(PLANTED / "double_sell.py"))


@settings(deadline=None)
@given(seed=st.integers(0, 2**40))
def test_a_plan_survives_its_json_text(seed: int) -> None:
    plan = plan_of(seed, Profile())
    assert Plan.from_json(plan.to_json()) == plan


@settings(deadline=None)
@given(seed=st.integers(0, 2**40))
def test_a_plan_keeps_to_its_profile(seed: int) -> None:
    plan = plan_of(seed, Profile(minutes=60, quiet_minutes=20, longest_seconds=30))
    assert all(event.second + event.seconds <= 40 * 60 for event in plan.events)
    assert all(regime.minute + regime.minutes <= 40 for regime in plan.regimes)


def test_text_that_is_no_plan_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"this is no plan of a session: .*fates\[0\].kind"):
        Plan.from_json('{"day": "2026-04-13", "fates": [{"order": 1, "kind": "NONSENSE"}]}')


def test_a_weight_of_nothing_switches_a_kind_off() -> None:
    only = Profile(disturbances={Disturbance.STALL: 1, Disturbance.RESTART: 0})
    kinds = {event.kind for seed in range(50) for event in plan_of(seed, only).events}
    assert kinds == {Disturbance.STALL}


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_shrinking_leaves_only_what_breaks(seed: int) -> None:
    plan = attrs.evolve(plan_of(seed, Profile()), fates=(*plan_of(seed, Profile()).fates, LATE))
    small = shrink(plan, lambda candidate: 1 if any(fate.kind is OrderFate.LATE for fate in candidate.fates) else None)
    assert small.size == 1
    assert (small.fates[0].kind, small.fates[0].order, small.fates[0].seconds) == (OrderFate.LATE, 1, 1)
    assert (small.lag_ms, small.echoes, small.minutes) == (0, False, 30)


LATE = Fate(order=9, kind=OrderFate.LATE, seconds=77)


def test_shrinking_a_pair_keeps_the_pair() -> None:
    plan = attrs.evolve(plan_of(3, Profile()), fates=tuple(Fate(order=n, kind=OrderFate.NEVER) for n in range(1, 9)))
    small = shrink(plan, lambda candidate: 1 if {fate.order for fate in candidate.fates} >= {3, 6} else None)
    assert [fate.order for fate in small.fates] == [3, 6]


def test_tallies_add_up_in_any_grouping() -> None:
    plans = [plan_of(seed, SMALL) for seed in range(4)]
    one, two, three, four = (tally_of(index, plan, play(plan, setup_of(Churner))) for index, plan in enumerate(plans))
    assert (one + two) + (three + four) == one + (two + (three + four))
    assert (one + two).sessions == 2


def test_a_campaign_is_the_same_on_one_process_and_on_two() -> None:
    campaign = Campaign(subject=SUBJECT, profile=SMALL, sequences=100, keep_going=True)
    alone, together = run(campaign), run(attrs.evolve(campaign, jobs=2))
    assert alone == together
    assert alone.failures["never_short"].index < 100


def test_a_strategy_that_shares_state_between_its_lives_is_noticed() -> None:
    seen: list[int] = []

    class Forgetful(OneOrder):
        def on_start(self) -> None:
            super().on_start()
            seen.append(1)
            self.quantity = 100 + len(seen)

    assert is_deterministic(SHORT, setup_of(OneOrder))
    assert not is_deterministic(SHORT, setup_of(Forgetful))


def test_a_failure_is_kept_with_its_test_and_found_again(tmp_path: Path) -> None:
    setup = SUBJECT.setup()
    tally = run(Campaign(subject=SUBJECT, sequences=100))
    failure = tally.failures["never_short"]
    plan = smallest(failure.plan, "never_short", setup)
    path = keep(tmp_path, subject=SUBJECT, plan=plan, violation=failure.violation, story="a story", save_capture=None)
    (kept,) = kept_in(tmp_path, SUBJECT)
    assert (kept.path, kept.plan, kept.property) == (path, plan, "never_short")
    text = (tmp_path / f"test_{path.stem}.py").read_text(encoding="utf-8")
    compile(text, "test", "exec")
    namespace: dict[str, object] = {}
    exec(text.replace("from strategy.simulate import Demands, Plan, check", _FAKE), namespace)  # noqa: S102
    namespace[f"test_{path.stem}"]()  # type: ignore[operator]  # what was written is a test function


_FAKE = """
from strategy.simulate import Demands, Plan, PropertyViolated
from strategy.simulate import check as real_check

def check(*args, **kwargs):
    try:
        real_check(*args, **kwargs)
    except PropertyViolated:
        return
    raise AssertionError("it did not break")
"""


def test_a_kept_failure_is_played_with_the_parameters_of_then(tmp_path: Path) -> None:
    plan = Campaign(subject=SUBJECT, sequences=1).plan(0)
    violation = Violation(name="never_short", text="short", at=datetime(2026, 4, 13, tzinfo=UTC))
    keep(tmp_path, subject=SUBJECT, plan=plan, violation=violation, story="a story", save_capture=None)
    now = attrs.evolve(SUBJECT, parameters={"quantity": 7}, demands=Demands(max_position=1))
    (kept,) = kept_in(tmp_path, now)
    assert kept.subject(now) == SUBJECT


WATCHED = """
from strategy.base import Strategy
from strategy.simulate import property_of_session

class Watched(Strategy):
    symbols: tuple[str, ...] = ("SPY",)
    started: int = 0

    def on_start(self):
        Watched.started += 1

@property_of_session
def has_started(session):
    assert Watched.started == 1
"""


def test_a_property_sees_the_strategy_that_is_played(tmp_path: Path) -> None:
    """A file that is read twice makes two classes of each name."""
    path = tmp_path / "watched.py"
    path.write_text(WATCHED, encoding="utf-8")
    assert play(SHORT, Subject(strategy=str(path)).setup()).violation is None


@pytest.mark.parametrize("when", ["sometimes", "END", ""])
def test_a_property_that_would_never_be_looked_at_is_refused(when: Any) -> None:  # noqa: ANN401 - none of the literal's
    with pytest.raises(ValueError, match=f"when is '{when}': it must be 'end' or 'always'"):
        property_of_session(when=when)


def test_a_property_whose_answer_nobody_reads_is_refused() -> None:
    async def later(session: SessionView) -> bool:
        return session.position("SPY") == 0

    def piecewise(session: SessionView) -> Iterator[str]:
        yield f"{session.now}"

    for check in (later, piecewise):
        with pytest.raises(TypeError, match=f"{check.__name__} must be a plain function"):
            property_of_session(check)


def test_a_file_that_is_no_failure_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match=r"other.json is no failure kept by run.py simulate"):
        kept_in(tmp_path, SUBJECT)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    plan = plan_of(1, SMALL)
    tally = tally_of(0, plan, play(plan, setup_of(Churner)))
    text = page(title="<Churner>", tally=tally, stories={"never_short": "a <story>"})
    assert "&lt;Churner&gt;" in text
    assert "a &lt;story&gt;" in text
    assert "http" not in text
    assert text.count("<svg") == 3


def test_a_page_of_nothing_is_a_page() -> None:
    assert "Nothing filled" in page(title="empty", tally=Tally(), stories={})


def test_demands_are_told_in_their_own_words() -> None:
    demands = Demands(max_position=Decimal(50), max_loss=Decimal(1), max_orders_in_10_seconds=1)
    names = [demand.name for demand in demands.properties()]
    assert names == [
        "strategy_raises_nothing",
        "no_order_storm",
        "position_within_limit",
        "loss_within_limit",
        "flat_at_the_close",
    ]
    setup = attrs.evolve(setup_of(OneOrder), properties=demands.properties())
    violation = play(SHORT, setup).violation
    assert violation is not None
    assert violation.text == "the position is 100 SPY, allowed are 50"


def test_counts_of_a_tally_are_plain_counters() -> None:
    assert Tally().counts == Counter()


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (0.0, "0.0/s"),
        (0.3, "0.3/s"),
        (0.96, "1.0/s"),
        (4.25, "4.2/s"),
        (9.94, "9.9/s"),
        (9.96, "10/s"),
        (10.4, "10/s"),
        (1_234.5, "1,234/s"),
    ],
)
def test_a_slow_pace_is_told_with_a_decimal(rate: float, words: str) -> None:
    assert pace(rate) == words
