"""The way between the engine and the broker: it takes time, stalls, breaks, and loses what was under way."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from actors.domain.identity import Epoch
from actors.messages.reports import Report
from strategy.simulate.agenda import SECOND, Agenda

Hear = Callable[[Any], None]
Burst = list[Report]
"""What arrives at one moment, in order."""
_PROMPT = SECOND
"""A longer way there may outlast the patience of whoever waits for an answer."""

Tap = Callable[[datetime, str, Any], None]
"""Overhears what we hear and say: when, ``in``, ``out``, ``connected`` or ``disconnected``, and the message."""


class Line:
    """One way there and back; what is put on it arrives in order, or not at all when it breaks meanwhile."""

    def __init__(self, *, agenda: Agenda, latency: int, tap: Tap | None = None) -> None:
        self._agenda = agenda
        self._tap = tap
        self._latency = latency
        self._hear: Callable[[Burst], None] | None = None
        self._burst: tuple[int, Burst] = (-1, [])
        """The latest one that is under way, and when it arrives."""
        self._known_arrival = (0, agenda.start)
        self._blocked_until = 0
        self._stalls: list[int] = []
        self._cuts = 0
        self._down_until = 0
        self._away = 0
        self.is_connected = False
        self.epoch = Epoch(0)
        self.lost = 0
        """Reports that never arrived."""

    @property
    def arrival(self) -> datetime:
        """When what is sent now arrives."""
        arrives = self._arrival()
        if arrives != self._known_arrival[0]:
            self._known_arrival = (arrives, self._agenda.moment_at(arrives))
        return self._known_arrival[1]

    def _arrival(self) -> int:
        free = self._agenda.now + self._latency
        return free if free > self._blocked_until else self._blocked_until

    @property
    def is_reachable(self) -> bool:
        """Whether a connection can be made."""
        return self._agenda.now >= self._down_until

    @property
    def is_away(self) -> bool:
        """Whether the gateway has lost the broker."""
        return self._away > 0

    def connect(self, epoch: Epoch, hear: Callable[[Burst], None]) -> None:
        """A connection is made."""
        self._cuts += 1
        self._burst = (-1, [])
        self.epoch, self._hear, self.is_connected = epoch, hear, True
        self._overhear("connected", epoch)

    def cut(self) -> None:
        """The connection ends; what is under way is lost."""
        if self.is_connected:
            self._overhear("disconnected", self.epoch)
        self._cuts += 1
        self._burst = (-1, [])
        self.is_connected = False

    def _overhear(self, direction: str, message: Any) -> None:  # noqa: ANN401 - reports and wire commands
        if self._tap is not None:
            self._tap(self._agenda.moment, direction, message)

    def take_down(self, microseconds: int) -> None:
        """No connection can be made for a while."""
        self._down_until = max(self._down_until, self._agenda.now + microseconds)

    def foresee_stall(self, moment: int) -> None:
        """A stall will begin then."""
        self._stalls.append(moment)

    @property
    def answers_surely(self) -> bool:
        """Whether the gateway's answer to a question of now can be held up by nothing, and nobody overhears it."""
        now = self._agenda.now
        if self._blocked_until > now or self._tap is not None or self._latency > _PROMPT:
            return False
        return not self._stalls or not any(now <= moment <= now + self._latency for moment in self._stalls)

    def stall(self, microseconds: int) -> None:
        """Nothing arrives for a while, either way."""
        self._blocked_until = max(self._blocked_until, self._agenda.now + microseconds)

    def lose_broker(self) -> None:
        """The gateway lost its own line."""
        self._away += 1

    def regain_broker(self) -> None:
        """And has it again."""
        self._away = max(self._away - 1, 0)

    def say(self, report: Report) -> None:
        """From the broker to us; lost while the broker is away."""
        if self._away:
            self.lost += 1
        else:
            self.say_from_gateway(report)

    def say_from_gateway(self, report: Report) -> None:
        """From the gateway itself to us."""
        if not self.is_connected:
            self.lost += 1
            return
        arrives = self._arrival()
        if self._burst[0] == arrives:
            self._burst[1].append(report)
            return
        self._burst = (arrives, [report])
        self._agenda.at(arrives, self._arrive, (self._cuts, self._burst[1]))

    def say_alone(self, report: Report) -> None:
        """From the gateway itself to us, and not together with anything else: the rest comes as it would without."""
        self._agenda.at(self._arrival(), self._arrive, (self._cuts, [report]))

    def _arrive(self, under_way: tuple[int, Burst]) -> None:
        cuts, burst = under_way
        if burst is self._burst[1]:
            self._burst = (-1, [])
        if cuts != self._cuts or self._hear is None:
            self.lost += len(burst)
            return
        if self._tap is not None:
            for report in burst:
                self._overhear("in", report)
        self._hear(burst)

    def send(self, command: Any, take: Hear) -> None:  # noqa: ANN401 - wire commands
        """From us to the broker; lost while the broker is away."""
        self._overhear("out", command)
        self._agenda.at(self._arrival(), self._reach, (self._cuts, command, take))

    def _reach(self, under_way: tuple[int, Any, Hear]) -> None:
        if not self._away:
            self._reach_gateway(under_way)

    def send_to_gateway(self, command: Any, take: Hear) -> None:  # noqa: ANN401 - what the gateway answers itself
        """From us to the gateway, which answers whether the broker is away or not."""
        self._agenda.at(self._arrival(), self._reach_gateway, (self._cuts, command, take))

    def _reach_gateway(self, under_way: tuple[int, Any, Hear]) -> None:
        cuts, command, take = under_way
        if cuts == self._cuts:
            take(command)
