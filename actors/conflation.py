"""What waits before an inbox: the latest quote of each contract, and mail for whoever is beside the order path.

Others put, one actor takes.
"""

import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any

import attrs

from actors.base import Address, deliver
from actors.domain.contract import Contract
from actors.messages.reports import QuoteReported


@attrs.frozen(kw_only=True)
class QuotesWaiting:
    """Told once per wake-up: take the quotes from the box."""


class QuoteBox:
    """At most one ``QuotesWaiting`` is under way; quotes that come meanwhile replace those of their contract."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[Contract, QuoteReported] = {}
        self._told = False
        self.conflated = 0

    def put(self, quotes: Sequence[QuoteReported], owner: Address[QuotesWaiting]) -> None:
        """Store quotes that arrived together and wake the owner unless it is awake already."""
        with self._lock:
            waiting = len(self._latest)
            for quote in quotes:
                self._latest[quote.contract] = quote  # the one hash of a contract that a quote costs here
            self.conflated += waiting + len(quotes) - len(self._latest)
            wake, self._told = not self._told, True
        if wake:
            deliver(owner, QuotesWaiting())

    def take(self) -> tuple[QuoteReported, ...]:
        """All waiting quotes, oldest contract first; the box is empty afterwards."""
        with self._lock:
            quotes = tuple(self._latest.values())
            self._latest.clear()
            self._told = False
        return quotes

    def take_some(self, count: int, owner: Address[QuotesWaiting]) -> tuple[QuoteReported, ...]:
        """The oldest contracts' quotes, so many at most; when more wait, the owner is told again, behind its inbox."""
        with self._lock:
            quotes = tuple([self._latest.pop(contract) for contract in list(islice(self._latest, count))])
            self._told = rest = bool(self._latest)
        if rest:
            deliver(owner, QuotesWaiting())
        return quotes


@attrs.frozen(kw_only=True)
class MailWaiting:
    """Told when something cannot wait: take the mail from the bag."""


class Mailbag:
    """An address that wakes its owner only for some messages; the others wait for those, in order.

    Waking a sleeping thread costs the teller more than most messages cost their hearer.

    Args:
        owner: the actor that takes.
        urgent: classes of messages that wake it, such as the tick.
    """

    def __init__(self, owner: Address[MailWaiting], *, urgent: tuple[type[Any], ...]) -> None:
        self._owner = owner
        self._urgent = urgent
        self._waiting: deque[Any] = deque()

    def tell(self, message: Any) -> None:  # noqa: ANN401  # whatever the owner hears
        """Put a message into the bag, from any thread."""
        self._waiting.append(message)
        if isinstance(message, self._urgent):
            deliver(self._owner, MailWaiting())

    def take(self) -> tuple[Any, ...]:
        """What waits now, oldest first."""
        return tuple([self._waiting.popleft() for _ in range(len(self._waiting))])
