"""The order manager: every order, behind a journal.

Owns: the desk (all orders, risk limits, the recovery gate) and the journal.
Hears: commands of the strategy and of operators, order reports, SessionChanged, SendFailed, quotes (throttled), Tick.
Says: through its journal only, what the desk decided: wire commands and order events.
Dies when: an invariant is broken; it is never restarted in place, because start-up is reconciliation.

It holds no address of the connector: a batch of inputs with what was decided goes to the journal, which commits and
only then dispatches. Commands that came while the last batch was written are committed together. Single orders and
reports are heard on the thread of whoever tells them (``actors/helping.py``), more than a few on the actor's own.
"""

from collections.abc import Callable
from typing import Any, Protocol

from actors.base import Address, HelpedActor
from actors.fault_points import reached
from actors.halt import HaltSwitch
from actors.journal import Journal, JournalFailed
from actors.messages.commands import CancelOrder, ReplaceOrder, StateChanged, SubmitOrder
from actors.messages.events import TradingHalted
from actors.messages.reports import (
    CommissionReported,
    ExecutionReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
)
from actors.messages.system import SendFailed, Tick
from actors.messages.wire import PlaceOrder, ReplacePlacedOrder

Outbox = tuple[Any, ...]

_BATCH_LIMIT = 64


class Decides(Protocol):
    """What the shell needs of the desk."""

    def decide(self, message: Any) -> Outbox:  # noqa: ANN401  # the desk's own signature names its messages
        """Everything that follows from a message."""

    @property
    def next_due(self) -> float | None:
        """When a tick would next change something, None while nothing is awaited."""


def decided_by_time(desk: Decides, tick: Tick) -> Outbox | None:
    """What follows from a tick; None when nothing changed but the time: no deadline passed, nothing was decided."""
    awaited = desk.next_due
    decided = desk.decide(tick)
    return None if not decided and desk.next_due == awaited else decided


class OrderManager(HelpedActor):
    """See the module."""

    name = "order_manager"
    quick = frozenset(
        {
            SubmitOrder,
            ReplaceOrder,
            CancelOrder,
            StateChanged,
            OpenOrderReported,
            OrderStatusReported,
            ExecutionReported,
            CommissionReported,
            PositionReported,
        }
    )

    def __init__(
        self,
        *,
        desk: Decides,
        journal: Journal,
        dispatch: Callable[[Outbox], None],
        halt: HaltSwitch,
        supervisor: Address[Any],
    ) -> None:
        super().__init__(supervisor=supervisor)
        self._desk = desk
        self._outbox = JournalledOutbox(journal=journal, dispatch=dispatch, halt=halt)

    def hear_all(self, messages: tuple[Any, ...]) -> None:
        """Commit as soon as nobody else is waiting, unless all of it may wait for the next tick."""
        super().hear_all(messages)
        if self._outbox.is_due and self.actor_inbox.empty():
            self._commit()

    def hear(self, message: Any) -> None:  # noqa: ANN401  # the desk's own signature names its messages
        """Decide, remember, and commit when that is much."""
        reached("order_manager.hears", message)
        kind = type(message)
        if kind is Tick:
            self._hear_tick(message)
        else:
            self._outbox.add(message, () if kind is StateChanged else self._desk.decide(message))
        reached("order_manager.decided", message)
        if self._outbox.size >= _BATCH_LIMIT:
            self._commit()

    def _hear_tick(self, tick: Tick) -> None:
        decided = decided_by_time(self._desk, tick)
        if decided is None:
            self._outbox.pass_time(tick)
        else:
            self._outbox.add(tick, decided)
        self._outbox.wait_no_longer()

    def release(self) -> None:
        """Commit what is left, on a wanted stop and on a death."""
        self._outbox.settle_time()
        self._commit()

    def _commit(self) -> None:
        for failure in self._outbox.commit():
            self._outbox.add(failure, self._desk.decide(failure))
        self._outbox.commit()


_MAY_WAIT = frozenset({OpenOrderReported, OrderStatusReported, PositionReported})


class JournalledOutbox:
    """Inputs and what they led to; dispatches nothing that is not committed.

    A statement of the broker that led to nothing is not worth a commit of its own: it goes with the next one, or with
    the next tick. Were it lost with the process, the broker would say it again when asked.

    When the disk refuses, trading is halted with its sentence: new orders and modifications of the batch are returned
    as failed sends, cancels and events still go out, and nothing more is journalled.
    """

    def __init__(self, *, journal: Journal, dispatch: Callable[[Outbox], None], halt: HaltSwitch) -> None:
        self._journal = journal
        self._dispatch = dispatch
        self._halt = halt
        self._inputs: list[object] = []
        self._decided: list[Any] = []
        self._quiet_tick: Tick | None = None
        self._broken = False
        self.is_due = False
        """Whether something waits to be committed that should not."""

    @property
    def size(self) -> int:
        """Inputs waiting to be committed."""
        return len(self._inputs)

    def add(self, message: object, decided: Outbox) -> None:
        """Remember an input and what was decided."""
        if self._quiet_tick is not None:
            self.settle_time()
        self._inputs.append(message)
        self._decided += decided
        self.is_due = self.is_due or bool(decided) or type(message) not in _MAY_WAIT

    def wait_no_longer(self) -> None:
        """Whatever waits is due."""
        self.is_due = bool(self._inputs)

    def pass_time(self, tick: Tick) -> None:
        """A quiet tick is written only if something follows that may depend on it, and then the last one alone."""
        self._quiet_tick = tick

    def settle_time(self) -> None:
        """Remember the last quiet tick too, so that the journal leads to the very state in memory."""
        if self._quiet_tick is not None:
            self._inputs.append(self._quiet_tick)
            self._quiet_tick = None

    def commit(self) -> tuple[SendFailed, ...]:
        """Write the batch, then dispatch it; returns the sends that must not happen."""
        if not self._inputs:
            return ()
        inputs, decided = self._inputs, tuple(self._decided)
        self._inputs, self._decided, self.is_due = [], [], False
        if not self._broken:
            try:
                self._journal.append(inputs)
            except JournalFailed as error:
                self._broken = True
                self._halt.set(str(error))
                decided = (*decided, TradingHalted(at=_time_of(inputs[-1]), reason=str(error)))
        if not self._broken:
            reached("outbox.durable")
            self._dispatch(decided)
            reached("outbox.dispatched")
            return ()
        self._dispatch(tuple(message for message in decided if not isinstance(message, _NEEDS_RECORD)))
        return tuple(_unsent(message) for message in decided if isinstance(message, _NEEDS_RECORD))


_NEEDS_RECORD = (PlaceOrder, ReplacePlacedOrder)


def _unsent(command: PlaceOrder | ReplacePlacedOrder) -> SendFailed:
    return SendFailed(
        at=command.at,
        epoch=command.epoch,
        oms_id=command.oms_id,
        uncertain=False,
        text="the journal cannot be written",
        is_order=isinstance(command, PlaceOrder),
    )


def _time_of(message: Any) -> Any:  # noqa: ANN401  # every journalled message has a time
    return message.at
