"""The scheduler: sessions, calendars and timed jobs.

Owns: the schedule.
Hears: Tick, InstrumentReported (trading hours), ScheduleTimer.
Says: FlattenAll and LockNewExposure to the order manager; MarketOpened, MarketClosed and TimerFired to the strategy.
Dies when: our code is wrong.
"""

from collections.abc import Callable
from typing import Any

from actors.base import Actor, Address
from actors.domain.schedule import Schedule
from actors.messages.reports import InstrumentReported
from actors.messages.schedule import ScheduleTimer
from actors.messages.system import Tick


class Scheduler(Actor):
    """See the module."""

    name = "scheduler"

    def __init__(
        self, *, schedule: Schedule, dispatch: Callable[[tuple[Any, ...]], None], supervisor: Address[Any]
    ) -> None:
        super().__init__(supervisor=supervisor)
        self._schedule = schedule
        self._dispatch = dispatch

    def hear(self, message: object) -> None:
        """Pass on what is due."""
        match message:
            case Tick() | InstrumentReported() | ScheduleTimer():
                self._dispatch(self._schedule.decide(message))
            case _:
                super().hear(message)
