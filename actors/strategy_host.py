"""The strategy host: runs one strategy on its own thread.

Owns: the runner with its strategy and its read-only view of the world.
Hears: order events, quotes, PortfolioSnapshot, timers, sessions.
Says: what the strategy commanded, to the order manager; timer wishes, to the scheduler; failures, as events.
Dies when: the runner itself breaks; a strategy's own exception is an event, never a death.
"""

from collections.abc import Callable
from typing import Any, Protocol

from actors.base import Actor, Address
from actors.conflation import QuoteBox, QuotesWaiting
from actors.domain.start_gate import StartGate
from actors.fault_points import reached
from actors.urgency import begin_urgent, end_urgent

_QUOTES = 4
"""So many quotes are heard before what waits in the inbox: news of orders waits no longer behind market data."""


class Runs(Protocol):
    """What the host needs of a strategy runner."""

    def hear(self, message: Any) -> tuple[Any, ...]:  # noqa: ANN401  # the runner's own signature names its messages
        """What the strategy wants after a message."""


class StrategyHost(Actor):
    """See the module."""

    name = "strategy_host"

    def __init__(
        self,
        *,
        runner: Runs,
        quotes: QuoteBox,
        dispatch: Callable[[tuple[Any, ...]], None],
        supervisor: Address[Any],
    ) -> None:
        super().__init__(supervisor=supervisor)
        self._runner = runner
        self._quotes = quotes
        self._dispatch = dispatch
        self._gate = StartGate()

    def hear_all(self, messages: tuple[Any, ...]) -> None:
        """What it hears may lead to an order, so nobody should want the interpreter meanwhile."""
        begin_urgent(self)
        try:
            super().hear_all(messages)
        finally:
            end_urgent(self)

    def hear(self, message: object) -> None:
        """Let the strategy hear it and pass on what it wants."""
        if isinstance(message, QuotesWaiting):
            for quote in self._quotes.take_some(_QUOTES, self.actor_ref):
                self._dispatch(self._runner.hear(quote))
            return
        reached("strategy_host.hears", message)
        self._dispatch(self._runner.hear(message))
        for start in self._gate.decide(message):
            self._dispatch(self._runner.hear(start))
