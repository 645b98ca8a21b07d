"""What waits for the wire when the broker's message rate is used up: cancels first, queries and market data last.

New orders keep their order among themselves because the broker wants order ids to rise. A modification replaces an
older one of the same order that still waits; a cancel takes an order that has not left yet, and modifications of one
that has, out of the queue.
"""

from collections import deque
from typing import assert_never

from actors.domain.identity import OmsId
from actors.messages.wire import (
    CancelPlacedOrder,
    FinishReconciliation,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
    Subscribe,
    WireMessage,
)

Sendable = WireMessage | Subscribe


def priority(command: Sendable) -> int:
    """0 leaves first."""
    match command:
        case CancelPlacedOrder():
            return 0
        case PlaceOrder():
            return 1
        case ReplacePlacedOrder():
            return 2
        case QuerySnapshot() | QualifyContract() | FinishReconciliation():
            return 3
        case Subscribe():
            return 4
        case _:
            assert_never(command)


class SendQueue:
    """Four lanes, each first in first out."""

    def __init__(self) -> None:
        self._lanes: tuple[deque[Sendable], ...] = tuple(deque() for _ in range(5))

    def __len__(self) -> int:
        return sum(map(len, self._lanes))

    def put(self, command: Sendable) -> PlaceOrder | None:
        """Queue a command; returns an unsent order that a cancel just made pointless (neither will be sent)."""
        if isinstance(command, ReplacePlacedOrder):
            self._drop_older_replace(command.oms_id)
        if isinstance(command, CancelPlacedOrder):
            self._drop_older_replace(command.oms_id)  # sent after the cancel, it would ask for the order again
            unsent = self._take_unsent(command.oms_id)
            if unsent is not None:
                return unsent
        self._lanes[priority(command)].append(command)
        return None

    def take(self) -> Sendable | None:
        """The next command to send, None when nothing waits."""
        for lane in self._lanes:
            if lane:
                return lane.popleft()
        return None

    def clear(self) -> tuple[Sendable, ...]:
        """Empty the queue (the connection is gone); returns what was never sent."""
        waiting = tuple(command for lane in self._lanes for command in lane)
        for lane in self._lanes:
            lane.clear()
        return waiting

    def _drop_older_replace(self, oms_id: OmsId) -> None:
        lane = self._lanes[2]
        older = [command for command in lane if isinstance(command, ReplacePlacedOrder) and command.oms_id == oms_id]
        for command in older:
            lane.remove(command)

    def _take_unsent(self, oms_id: OmsId) -> PlaceOrder | None:
        for command in self._lanes[1]:
            if isinstance(command, PlaceOrder) and command.oms_id == oms_id:
                self._lanes[1].remove(command)
                return command
        return None
