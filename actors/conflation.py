"""Quotes between the reader thread and an inbox: only the latest of each contract waits, so no inbox can fill up.

Owns: the latest quote of each contract. The reader thread puts, one actor takes.
"""

import threading

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

    def put(self, quote: QuoteReported, owner: Address[QuotesWaiting]) -> None:
        """Store a quote and wake the owner unless it is awake already."""
        with self._lock:
            waiting = len(self._latest)
            self._latest[quote.contract] = quote  # the one hash of a contract that a quote costs here
            self.conflated += len(self._latest) == waiting
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
