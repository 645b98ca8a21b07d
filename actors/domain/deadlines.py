"""Deadlines as data: what is awaited, and until when in monotonic seconds as told by ``Tick``."""

import heapq

Key = tuple[str, str]
"""(oms id or "", what is awaited)."""


class Deadlines:
    """Awaited things; looking at a tick costs nothing while none is due.

    A clock that goes back means another process: whatever was awaited then is due now.
    """

    def __init__(self, elapsed: float = 0.0, awaited: tuple[tuple[Key, float], ...] = ()) -> None:
        self.elapsed = elapsed
        self._due: dict[Key, float] = dict(awaited)
        self._heap = [(due, key) for key, due in awaited]
        heapq.heapify(self._heap)

    def expect(self, key: Key, seconds: float) -> None:
        """Await something within so many seconds from the last tick; a second call replaces the first."""
        due = self.elapsed + seconds
        self._due[key] = due
        heapq.heappush(self._heap, (due, key))

    def forget(self, key: Key) -> None:
        """It came, or is no longer wanted."""
        self._due.pop(key, None)

    def is_awaited(self, key: Key) -> bool:
        """Whether the key has a deadline."""
        return key in self._due

    @property
    def next_due(self) -> float | None:
        """When the next tick is needed, None while nothing is awaited."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def passed(self, elapsed: float) -> list[Key]:
        """Keys whose deadline has come, in order of their deadlines; they are forgotten."""
        restarted = elapsed < self.elapsed
        self.elapsed = elapsed
        if restarted:
            keys = sorted(self._due, key=lambda key: (self._due[key], key))
            self._due.clear()
            self._heap.clear()
            return keys
        keys = []
        while self._heap and self._heap[0][0] <= elapsed:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                keys.append(key)
        return keys

    def awaited(self) -> tuple[tuple[Key, float], ...]:
        """Everything awaited, for a snapshot."""
        return tuple(self._due.items())
