"""An inbox whose tellers help: what is quick is heard at once, on the thread of whoever told it.

Waking another thread, and waiting until it has the interpreter, may take as long as what it was woken for.

H1 one message at a time, in the order told: whoever hears has the turn, and takes what is told meanwhile too.
H2 telling never waits: while another has the turn, a message is left to him.
H3 the actor's own thread hears what is not quick, what is asked (a stop too) and what is much; while it is called,
   nobody helps.
H4 an exception while helping is the actor's: its own thread raises it again and dies of it, the teller goes on.
"""

import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, NamedTuple, Protocol

MOST_HELPED: Final = 16
"""So many messages are heard by a helper at a time; then the actor's own thread takes over."""

_MAIN = threading.main_thread().ident


class Envelope(Protocol):
    """What Pykka puts into an inbox."""

    @property
    def message(self) -> Any:  # noqa: ANN401  # whatever the actor hears
        """What was told."""

    @property
    def reply_to(self) -> Any:  # noqa: ANN401  # Pykka's future
        """Where the answer is awaited; None for what was told."""


class HelpFailed(NamedTuple):
    """Left for the actor's own thread, which raises it."""

    error: BaseException


class _Left(NamedTuple):
    message: HelpFailed
    reply_to: None = None


def _nobody_hears(message: object) -> None:
    raise RuntimeError(f"told {type(message).__name__} before the actor was made")


class HelpedInbox:
    """What Pykka wants of an inbox; the main thread helps nobody, a signal may end what it does."""

    def __init__(self) -> None:
        self._hear: Callable[[Any], object] = _nobody_hears
        self._quick: Callable[[Any], Any] = lambda _: None
        self._mail: deque[Envelope] = deque()
        self._turn = threading.Lock()
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._is_called = self._is_mine = False

    def belong_to(self, *, hear: Callable[[Any], object], quick: Callable[[Any], Any]) -> None:
        """Name the actor.

        Args:
            hear: hears what ``quick`` makes of a message.
            quick: what whoever tells a message may hear himself; None when he may not, as of a ``HelpFailed``.
        """
        self._hear, self._quick = hear, quick

    # -- whoever tells ---------------------------------------------------------------------------------------------

    def put(self, envelope: Envelope) -> None:
        """Leave a message, and help."""
        self._mail.append(envelope)
        if threading.get_ident() == _MAIN:
            self._call()
            return
        while self._mail and not self._is_called and self._turn.acquire(blocking=False):
            try:
                self._help()
            finally:
                self._turn.release()

    def _help(self) -> None:
        for _ in range(MOST_HELPED):
            if not self._mail:
                return
            envelope = self._mail[0]
            quick = self._quick(envelope.message) if envelope.reply_to is None else None
            if quick is None:
                break
            self._mail.popleft()
            try:
                self._hear(quick)
            except BaseException as error:  # noqa: BLE001 - H4: nothing is swallowed, the actor's own thread raises it
                self._mail.appendleft(_Left(HelpFailed(error)))
                break
        if self._mail:
            self._call()

    def _call(self) -> None:
        """Wake the actor's own thread; a call too many does no harm."""
        if not self._is_called:
            self._is_called = True
            self._calls.put(None)

    # -- the actor's own thread ------------------------------------------------------------------------------------

    def get(self) -> Envelope:
        """The next message for the actor's own thread, which has the turn from here to the next ``get``."""
        while not (self._is_mine and self._mail):
            if self._is_mine:
                self._give_turn()
            self._calls.get()
            self._is_mine = self._turn.acquire()
        return self._mail.popleft()

    def _give_turn(self) -> None:
        """Let others help again; what is told in the meantime is seen by them or by us."""
        self._is_called = self._is_mine = False
        self._turn.release()
        if self._mail:
            self._call()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._mail

    def qsize(self) -> int:
        """How many messages wait."""
        return len(self._mail)
