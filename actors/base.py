"""What every actor shares: typed addresses, delivery that never raises, deaths that are heard. Only Pykka import."""

from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from traceback import extract_tb
from typing import Any, NamedTuple, Protocol, TypeVar

import pykka

from actors import one_cpu
from actors.helping import HelpedInbox, HelpFailed
from actors.messages.system import ActorDied, DeadLetter

M_contra = TypeVar("M_contra", contravariant=True)

FEW = 32
"""So many messages told together are quick: a portion of reports. More are the work of the actor's own thread."""


class Address(Protocol[M_contra]):
    """Where a message can be told; ``pykka.ActorRef`` is one, a list-backed recorder in a test is another."""

    def tell(self, message: M_contra) -> None:
        """Deliver without waiting."""


class Actor(pykka.ThreadingActor):
    """A shell around a decision: ``hear`` one message, change own state, post to others.

    An exception in ``hear`` ends the actor; the supervisor hears of it with the message that caused it.
    """

    name = "actor"

    def __init__(self, *, supervisor: Address[Any] | None) -> None:
        super().__init__()
        self._supervisor = supervisor

    @staticmethod
    def _create_actor_inbox() -> Any:
        """Pykka's hook: an inbox in C, a third of the cost of ``queue.Queue`` for each message."""
        return SimpleQueue()

    def hear(self, message: object) -> None:
        """Handle one message; overridden by every actor."""
        raise TypeError(f"{type(self).__name__} hears nothing, got {message!r}")

    def release(self) -> None:
        """Give up what the actor holds of the outside world; called once, on a wanted stop and on a death."""

    def on_start(self) -> None:
        """Pykka's hook."""
        one_cpu.join()

    def on_stop(self) -> None:
        """Pykka's hook: what cannot be given up is a death like any other."""
        try:
            self.release()
        except Exception as error:  # noqa: BLE001 - the supervisor hears it
            self._tell_death(error)

    def on_receive(self, message: Any) -> Any:
        """Pykka's hook: a ``Ping`` is answered so that a starter knows the actor runs."""
        kind = type(message)
        if kind is Ping:
            return True
        if kind is HelpFailed:
            raise message.error
        self.hear_all(message.messages if kind is Together else (message,))
        return None

    def hear_all(self, messages: tuple[Any, ...]) -> None:
        """Handle messages that were told together, in order."""
        for message in messages:
            try:
                self.hear(message)
            except Exception as error:
                error.add_note(f"while {self.name} heard {_excerpt(message)}")
                raise

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Pykka's hook: tell the supervisor, who decides."""
        del exception_type, traceback
        try:
            self.release()
        except Exception as error:  # noqa: BLE001 - the supervisor hears it with what came before
            exception_value.add_note(f"then {type(error).__name__}: {error} at {_where(error)}")
        self._tell_death(exception_value)

    def _tell_death(self, error: BaseException) -> None:
        notes = "; ".join(getattr(error, "__notes__", ()))
        text = f"{type(error).__name__}: {error} at {_where(error)}" + (f" ({notes})" if notes else "")
        if self._supervisor is not None:
            deliver(self._supervisor, ActorDied(actor=self.name, error=text))

    def post(self, address: Address[M_contra], message: M_contra) -> None:
        """Tell another actor; a dead one becomes a dead letter, never an exception here."""
        if not deliver(address, message) and self._supervisor is not None:
            deliver(self._supervisor, DeadLetter(recipient=str(address), message=_excerpt(message)))


class HelpedActor(Actor):
    """An actor on the order path: whoever tells it something quick hears it for the actor, see ``HelpedInbox``."""

    quick: frozenset[type[Any]] = frozenset()
    """The messages that whoever tells them may hear."""

    def __init__(self, *, supervisor: Address[Any] | None) -> None:
        super().__init__(supervisor=supervisor)
        inbox: Any = self.actor_inbox  # Pykka's type of it names less
        inbox.belong_to(hear=self.hear_all, quick=self._quick_part)

    @staticmethod
    def _create_actor_inbox() -> Any:
        """Pykka's hook."""
        return HelpedInbox()

    def _quick_part(self, message: Any) -> tuple[Any, ...] | None:
        if type(message) is not Together:
            return (message,) if type(message) in self.quick else None
        messages = message.messages
        return messages if len(messages) <= FEW and self.quick.issuperset(map(type, messages)) else None


class Ping:
    """Asked by a starter to learn that an actor's thread runs."""


class Together(NamedTuple):
    """Several messages told in one, for one hand-over and one wake-up."""

    messages: tuple[Any, ...]


def deliver(address: Address[M_contra], message: M_contra) -> bool:
    """Tell; False when the recipient is dead."""
    try:
        address.tell(message)
    except pykka.ActorDeadError:
        return False
    return True


def deliver_all(address: Address[M_contra], messages: Sequence[M_contra]) -> None:
    """Tell several messages, an actor all of them at once; a dead one hears nothing."""
    if isinstance(address, LateAddress) and len(messages) > 1:
        deliver(address, Together(tuple(messages)))
        return
    for message in messages:
        deliver(address, message)


class LateAddress:
    """An address handed out before its actor exists; set once while wiring."""

    def __init__(self) -> None:
        self.tell: Callable[[Any], None] = self._refuse

    def become(self, address: Address[Any]) -> None:
        """Point to the actor."""
        self.tell = address.tell

    def _refuse(self, message: object) -> None:
        raise RuntimeError(f"told {_excerpt(message)} before the wiring was done")


def _where(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _excerpt(message: object) -> str:
    text = repr(message)
    return text if len(text) <= 300 else f"{text[:300]}..."


def start_actor(actor_class: type[pykka.ThreadingActor], timeout_seconds: float = 5.0, **arguments: Any) -> Any:
    """Start an actor and wait until its thread answers, so that a failed start is an error here."""
    reference = actor_class.start(**arguments)
    reference.ask(Ping(), timeout=timeout_seconds)
    return reference


def stop_actor(reference: Any, timeout_seconds: float = 5.0) -> bool:
    """Stop an actor behind what is in its inbox; False when it did not end in time."""
    try:
        reference.stop(block=True, timeout=timeout_seconds)
    except pykka.Timeout:
        return False
    return True
