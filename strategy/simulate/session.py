"""One plan played: what came of it, as a value that adds up with others."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import attrs
import msgspec

from strategy.simulate.plan import Plan
from strategy.simulate.properties import Violation
from strategy.simulate.story import Story
from strategy.simulate.world import Setup, World

Spoken = tuple[datetime, str, Any]
"""When, which way (``in``, ``out``, ``connected``, ``disconnected``), and the report or wire command."""

_ENCODER = msgspec.json.Encoder(decimal_format="string")


@attrs.frozen(kw_only=True)
class Outcome:
    """The figures of one session; money in the account's currency."""

    violation: Violation | None
    pnl: Decimal
    drawdown: Decimal
    slippage: Decimal
    """Per share, against the middle of the book when the order arrived."""
    orders: int
    fills: int
    largest_position: Decimal
    busiest: int
    """Most orders within ten seconds."""
    counts: Counter[str]


def play(plan: Plan, setup: Setup) -> Outcome:
    """What comes of a plan."""
    world = World(plan, setup)
    world.run()
    return _outcome(world)


def tell(plan: Plan, setup: Setup) -> tuple[Outcome, str]:
    """The same, with the session as a story."""
    story = Story()
    world = World(plan, setup, narrator=story)
    violation = world.run()
    return _outcome(world), story.text(violation)


def overheard(plan: Plan, setup: Setup) -> tuple[Spoken, ...]:
    """Everything that went over the line."""
    spoken: list[Spoken] = []
    World(plan, setup, tap=lambda at, direction, message: spoken.append((at, direction, message))).run()
    return tuple(spoken)


def digest(plan: Plan, setup: Setup) -> str:
    """A hash of everything that was concluded: two equal ones mean the same session, event by event."""
    world = World(plan, setup)
    world.run()
    said = _ENCODER.encode((world.view.events, world.view.equity_curve))
    return sha256(said).hexdigest()


def _outcome(world: World) -> Outcome:
    view, record = world.view, world.record
    filled = record.filled_quantity
    return Outcome(
        violation=world.violation,
        pnl=view.pnl,
        drawdown=view.drawdown,
        slippage=record.slippage / filled if filled else Decimal(0),
        orders=record.orders,
        fills=len(view.broker_fills),
        largest_position=view.largest_position,
        busiest=view.busiest,
        counts=record.counts,
    )
