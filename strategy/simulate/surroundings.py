"""What one life of our process is made of, and what it finds around it."""

from collections import deque
from collections.abc import Callable
from typing import Any

import attrs

from actors.domain.desk import Desk
from actors.domain.identity import Epoch
from actors.domain.portfolio import Portfolio
from actors.domain.session import SessionMachine
from strategy.runner import StrategyRunner
from strategy.simulate.agenda import Agenda
from strategy.simulate.line import Line
from strategy.simulate.narrator import Narrator
from strategy.simulate.punctual import PunctualSchedule

Message = Any
"""What travels between the parts; each has its own table of what it hears."""

Hear = Callable[[Message], None]
Dispatch = Callable[[tuple[Message, ...]], None]
Inbox = deque[tuple[Hear, Message]]
"""What waits at this moment, and who is to hear it."""


@attrs.frozen(kw_only=True)
class Parts:
    """What one life is made of."""

    desk: Desk
    portfolio: Portfolio
    schedule: PunctualSchedule
    machine: SessionMachine
    runner: StrategyRunner


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a life finds: the line, who takes requests at its other end, who listens."""

    agenda: Agenda
    line: Line
    take: Callable[[Any], None]
    greet: Callable[[Epoch], None]
    listener: Any
    narrator: Narrator | None = None
    lag: int = 0
    snapshot_lag: bool = False
