"""Long seeded walks of the order machines: a hundred times cheaper a step than a search, so they go deeper.

Hypothesis searches and shrinks; a walk only walks. ``HYPOTHESIS_PROFILE=deep`` walks 20,000 times a hundred steps. A
failure names its seed: ``walk(OrderMachine, seed, steps)`` repeats it.
"""

import os
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis.stateful import RULE_MARKER

from actors.domain.terms import Side
from tests.machines.conversation import Conversation
from tests.machines.test_order_machine import OrderMachine
from tests.machines.test_replace_machine import ReplaceMachine

WALKS, STEPS = (20_000, 100) if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else (300, 60)

ARGUMENTS: dict[str, Callable[[Random], Any]] = {
    "pick": lambda random: random.randrange(50),
    "arrived": lambda random: random.randrange(50),
    "side": lambda random: random.choice(tuple(Side)),
    "quantity": lambda random: random.choice((random.randint(1, 8), random.randint(1, 12), random.randint(1, 40))),
    "price": lambda random: random.randint(90, 110),
    "share": lambda random: random.randint(1, 8),
    "smaller": lambda random: random.randint(0, 3),
    "seconds": lambda random: random.choice((0.5, 3.0, 11.0, 36.0)),
    "reject": lambda random: random.random() < 0.3,
    "refuse": lambda random: random.random() < 0.3,
    "keeps_mail": lambda random: random.random() < 0.5,
    "arrives": lambda random: random.random() < 0.5,
    "certain": lambda random: random.random() < 0.5,
}
WEIGHTS = {
    "connection_breaks": 0.15,
    "connection_breaks_and_returns": 0.15,
    "flatten": 0.03,
    "process_restarts": 0.3,
    "sending_fails": 0.3,
    "venue_reads": 3.0,
    "mail_arrives": 4.0,
    "connect": 3.0,
    "time_passes": 0.6,
    "venue_cancels": 0.3,
    "cancel": 0.5,
    "submit": 1.5,
}


def walk(machine: type[Conversation], seed: int, steps: int) -> None:
    """One machine, taken through random rules whose preconditions hold, and then to its end."""
    random, conversation = Random(seed), machine()
    rules = {name: getattr(getattr(machine, name), RULE_MARKER, None) for name in dir(machine)}
    for _ in range(steps):
        open_rules = {
            name: rule
            for name, rule in rules.items()
            if rule is not None and all(holds(conversation) for holds in rule.preconditions)
        }
        (name,) = random.choices(tuple(open_rules), [WEIGHTS.get(name, 1.0) for name in open_rules])
        chosen = open_rules[name]
        chosen.function(conversation, **{argument: ARGUMENTS[argument](random) for argument in chosen.arguments})
        conversation.nothing_is_booked_that_did_not_happen()
    conversation.teardown()


@pytest.mark.timeout(0)
@pytest.mark.parametrize("machine", [OrderMachine, ReplaceMachine])
def test_every_walk_ends_with_books_that_agree(machine: type[Conversation]) -> None:
    for seed in range(WALKS):
        try:
            walk(machine, seed, STEPS)
        except Exception as error:
            error.add_note(f"seed {seed}: walk({machine.__name__}, {seed}, {STEPS})")
            raise
