"""``check``: a campaign, or one plan, as an assertion for a test."""

from collections.abc import Mapping
from typing import Any

from strategy.base import Strategy
from strategy.config import Config
from strategy.simulate.campaign import Campaign, run, smallest
from strategy.simulate.generate import Profile
from strategy.simulate.plan import Plan
from strategy.simulate.properties import Demands
from strategy.simulate.session import play, tell
from strategy.simulate.subject import Subject
from strategy.simulate.tally import Tally, tally_of
from strategy.simulate.world import Setup


class PropertyViolated(AssertionError):
    """A property broke; the text is the story of the smallest session found, ``plan`` replays it."""

    def __init__(self, name: str, plan: Plan, story: str) -> None:
        super().__init__(
            f"{name} does not hold:\n{story}\nThe plan, to be given as plan=Plan.from_json(...):\n{plan.to_json()}"
        )
        self.name, self.plan, self.story = name, plan, story


def check(  # noqa: PLR0913 - one keyword for each thing that can be chosen
    strategy: str | type[Strategy],
    *,
    sequences: int = 200,
    seed: int = 1,
    jobs: int = 1,
    demands: Demands | None = None,
    profile: Profile | None = None,
    parameters: Mapping[str, Any] | None = None,
    config: Config | None = None,
    plan: Plan | None = None,
) -> Tally:
    """Play sessions against a strategy and fail with the smallest story in which a property breaks.

    Args:
        strategy: a class, or what ``--strategy`` takes.
        sequences: how many sessions.
        seed: the same seed gives the same sessions.
        jobs: processes; more than one needs a strategy that can be imported by name.
        demands: the common demands; the strategy's own properties are always looked at.
        profile: what is thrown at the strategy.
        parameters: of the strategy, over those of the configuration.
        config: trading limits, times, symbols.
        plan: play this session alone instead.

    Returns:
        What was visited, and the distributions.

    Raises:
        PropertyViolated: with the story and the plan.
    """
    subject = Subject(
        strategy=strategy,
        config=config or Config(),
        parameters=parameters or {},
        demands=demands or Demands(),
    )
    setup = subject.setup()
    if plan is not None:
        return _check_plan(plan, setup)
    campaign = Campaign(subject=subject, profile=profile or Profile(), seed=seed, sequences=sequences, jobs=jobs)
    tally = run(campaign)
    for name, failure in tally.failures.items():
        small = smallest(failure.plan, name, setup)
        raise PropertyViolated(name, small, tell(small, setup)[1])
    return tally


def _check_plan(plan: Plan, setup: Setup) -> Tally:
    outcome = play(plan, setup)
    if outcome.violation is not None:
        raise PropertyViolated(outcome.violation.name, plan, tell(plan, setup)[1])
    return tally_of(0, plan, outcome)
