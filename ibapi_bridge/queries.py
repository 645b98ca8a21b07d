"""Lists that the broker answers without a request id: one question at a time, or two answers would mix.

A question that comes while the same list is on its way waits for the end of that answer and is asked then: only its own
answer tells what was true after it was asked. An answer that never ends leaves the connection unfit for another such
question, except where a mixed answer could do no harm.

The first question about open orders is asked twice: a gateway that downloads open orders on connection (a setting of
IBKR's) ends that download with the same marker, unasked. After the second marker at least one answer is whole.
"""

import threading
from enum import StrEnum
from typing import Final

from actors.messages.reports import SnapshotKind

_HARMLESS_IF_MIXED: Final = (SnapshotKind.COMPLETED_ORDERS, SnapshotKind.POSITIONS, SnapshotKind.ACCOUNT)
"""Rows of these say what is; only in the list of open orders does the absence of a row prove something within a
connection. Some gateways never end the list of completed orders."""


class Step(StrEnum):
    """What to do with a question now."""

    ASK = "ASK"
    WAIT = "WAIT"
    RECONNECT = "RECONNECT"


class ListQueries:
    """Which lists are on their way; asked on the sender's thread, ended on the reader's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[SnapshotKind, float] = {}
        self._again: dict[SnapshotKind, float] = {}
        self._never_asked = {SnapshotKind.OPEN_ORDERS}

    def begin(self, kind: SnapshotKind, *, elapsed: float, seconds: float) -> Step:
        """A question; ``seconds`` is how long its answer may take, ``elapsed`` the monotonic time."""
        with self._lock:
            due = self._due.get(kind)
            if due is not None and elapsed < due:
                self._again[kind] = seconds
                return Step.WAIT
            if due is not None and kind not in _HARMLESS_IF_MIXED:
                return Step.RECONNECT
            self._due[kind] = elapsed + seconds
            if kind in self._never_asked:
                self._never_asked.discard(kind)
                self._again[kind] = seconds
            return Step.ASK

    def ended(self, kind: SnapshotKind, *, elapsed: float) -> bool:
        """An answer ended; True when the same must be asked again for a question that waited."""
        with self._lock:
            self._due.pop(kind, None)
            seconds = self._again.pop(kind, None)
            if seconds is None:
                return False
            self._due[kind] = elapsed + seconds
            return True
