"""The campaign against the engine itself: its own promises under everything the simulation can do."""

from pathlib import Path

import attrs

from strategy.simulate.campaign import Campaign
from strategy.simulate.generate import Profile
from strategy.simulate.properties import Demands
from strategy.simulate.subject import Subject

STRESS = Path(__file__).parent / "stress.py"
PROFILE = Profile(minutes=30, quiet_minutes=12, fated_orders=60, fate_chance=50, most_events=4)


CALM = attrs.evolve(PROFILE, fate_chance=8, most_events=1, most_regimes=1)
"""So little happens that nothing else makes the engine look again: what one safeguard misses stays missed."""


def engine_campaign(sequences: int, *, seed: int = 1, jobs: int = 1, profile: Profile = PROFILE) -> Campaign:
    """Sessions of the stress strategy; being flat at the close is not asked of it."""
    subject = Subject(strategy=str(STRESS), demands=Demands(flat_at_close=False))
    return Campaign(subject=subject, profile=profile, seed=seed, sequences=sequences, jobs=jobs)
