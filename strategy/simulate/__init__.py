"""Thousands of adversarial sessions for a strategy, in virtual time, and the smallest one that breaks it.

``check`` is for a user's own tests, ``run.py simulate`` for the command line; ``docs/simulate.md`` explains both.
"""

from strategy.simulate.campaign import Campaign
from strategy.simulate.checking import PropertyViolated, check
from strategy.simulate.generate import Profile, plan_of
from strategy.simulate.plan import Disturbance, Event, Fate, MarketMood, OrderFate, Plan, Regime
from strategy.simulate.properties import Demands, property_of_session
from strategy.simulate.record import SessionView
from strategy.simulate.tally import Tally

__all__ = [
    "Campaign",
    "Demands",
    "Disturbance",
    "Event",
    "Fate",
    "MarketMood",
    "OrderFate",
    "Plan",
    "Profile",
    "PropertyViolated",
    "Regime",
    "SessionView",
    "Tally",
    "check",
    "plan_of",
    "property_of_session",
]
