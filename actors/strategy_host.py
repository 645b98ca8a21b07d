"""The strategy host: runs one strategy on its own thread.

Owns: the runner with its strategy and its read-only view of the world.
Hears: order events, quotes, PortfolioSnapshot, timers, sessions.
Says: what the strategy commanded, to the order manager; timer wishes, to the scheduler; failures, as events.
Dies when: the runner itself breaks; a strategy's own exception is an event, never a death.
"""

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

from actors.base import Actor, Address
from actors.conflation import QuoteBox, QuotesWaiting
from actors.domain.start_gate import StartGate
from actors.fault_points import reached
from actors.interpreter import strategy_begins, strategy_has_ended
from actors.urgency import begin_urgent, end_urgent

_QUOTES = 4
"""So many quotes are heard before what waits in the inbox: news of orders waits no longer behind market data."""


class Runs(Protocol):
    """What the host needs of a strategy runner."""

    def hear(self, message: Any) -> tuple[Any, ...]:  # noqa: ANN401  # the runner's own signature names its messages
        """What the strategy wants after a message."""


class UrgentInbox(SimpleQueue[Any]):
    """News may lead to an order: it is urgent once it is told, not only once the thread is awake. Quotes are not."""

    def __init__(self) -> None:
        self._urgent: deque[None] = deque()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002
        """As of any inbox."""
        if not isinstance(item.message, QuotesWaiting):
            self._urgent.append(None)
            begin_urgent(self)
        super().put(item, block, timeout)

    def has_heard(self, message: object) -> None:
        """One message fewer, and nothing is urgent any more if it was the last."""
        if self._urgent and not isinstance(message, QuotesWaiting):
            self._urgent.pop()
        if not self._urgent:
            end_urgent(self)


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
        inbox: Any = self.actor_inbox
        self._inbox: UrgentInbox = inbox
        self._runner = runner
        self._quotes = quotes
        self._dispatch = dispatch
        self._gate = StartGate()

    @staticmethod
    def _create_actor_inbox() -> Any:  # noqa: ANN401  # Pykka's type of it names less
        """Pykka's hook."""
        return UrgentInbox()

    def on_receive(self, message: object) -> object:
        """Pykka's hook."""
        try:
            return super().on_receive(message)
        finally:
            self._inbox.has_heard(message)

    def release(self) -> None:
        """Nothing that was told is urgent any more."""
        end_urgent(self._inbox)

    def hear(self, message: object) -> None:
        """Let the strategy hear it and pass on what it wants."""
        if isinstance(message, QuotesWaiting):
            for quote in self._quotes.take_some(_QUOTES, self.actor_ref):
                self._let_hear(quote)
            return
        reached("strategy_host.hears", message)
        self._let_hear(message)
        for start in self._gate.decide(message):
            self._let_hear(start)

    def _let_hear(self, message: object) -> None:
        strategy_begins()
        try:
            wanted = self._runner.hear(message)
        finally:
            strategy_has_ended()
        if wanted:
            self._dispatch(wanted)
