"""The supervisor: hears of deaths and undeliverable messages, and applies the policy table.

Owns: the policy and the halt flag's writing end.
Hears: ActorDied, DeadLetter, ActorsEnd.
Says: TradingHalted to the listeners, StopReason to the main thread.
Dies when: never by itself; it is started first and stopped last.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from actors.base import Actor, Address
from actors.clock import Clock
from actors.halt import HaltSwitch
from actors.messages.events import TradingHalted
from actors.messages.system import ActorDied, ActorsEnd, DeadLetter, StopReason


class Policy(Enum):
    """What the death of an actor means."""

    FAIL_STOP = "fail stop"  # halt, journal, non-zero exit; the process manager restarts, start-up reconciles
    HALT_STRATEGY = "halt strategy"  # its open orders are cancelled, nothing new is accepted; the engine lives on


POLICY: Mapping[str, Policy] = {
    "connector": Policy.FAIL_STOP,
    "order_manager": Policy.FAIL_STOP,
    "position_keeper": Policy.FAIL_STOP,
    "scheduler": Policy.FAIL_STOP,
    "strategy_host": Policy.HALT_STRATEGY,
}


class Supervisor(Actor):
    """See the module."""

    name = "supervisor"

    def __init__(
        self,
        *,
        halt: HaltSwitch,
        clock: Clock,
        listeners: tuple[Address[Any], ...],
        stop_strategy: Callable[[str], None],
        stop: Callable[[StopReason], None],
    ) -> None:
        super().__init__(supervisor=None)
        self._halt = halt
        self._clock = clock
        self._listeners = listeners
        self._stop_strategy = stop_strategy
        self._end_process = stop
        self._actors_end = False

    def hear(self, message: object) -> None:
        """Apply the policy."""
        match message:
            case ActorDied():
                self._on_death(message)
            case DeadLetter():
                self._on_dead_letter(message)
            case ActorsEnd():
                self._actors_end = True
            case _:
                super().hear(message)

    def _on_death(self, death: ActorDied) -> None:
        text = f"{death.actor} died: {death.error}"
        self._announce(text)
        if POLICY.get(death.actor, Policy.FAIL_STOP) is Policy.HALT_STRATEGY:
            self._stop_strategy(text)
        else:
            self._end_process(StopReason(text=text, exit_code=1))

    def _on_dead_letter(self, letter: DeadLetter) -> None:
        # The death itself was reported; a letter alone means a message was lost without one.
        if self._halt.reason is None and not self._actors_end:
            text = f"undeliverable to {letter.recipient}: {letter.message}"
            self._announce(text)
            self._end_process(StopReason(text=text, exit_code=1))

    def _announce(self, text: str) -> None:
        if self._halt.set(text):
            for listener in self._listeners:
                self.post(listener, TradingHalted(at=self._clock.now(), reason=text))
