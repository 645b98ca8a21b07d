"""The message rate the gateway allows a connection."""

from collections import deque

WINDOW_SECONDS = 1.0
ALLOWED_BREACHES = 3
PACE_OPTION = "+PACEAPI"


class Pace:
    """Counts one connection's messages; breaches are told with error 100, after three the connection ends.

    A connection that asked for pacing with its connect options is never refused: its messages wait instead.
    """

    def __init__(self, *, per_second: float, waits: bool) -> None:
        self._limit = per_second
        self._waits = waits
        self._times: deque[float] = deque()
        self.breaches = 0

    def admits(self, now: float) -> bool:
        """Whether one more message may pass at that monotonic time; counts it if so, and a breach if not."""
        while self._times and self._times[0] <= now - WINDOW_SECONDS:
            self._times.popleft()
        if len(self._times) < self._limit:
            self._times.append(now)
            return True
        if not self._waits:
            self.breaches += 1
            self._times.clear()
        return False

    @property
    def waits(self) -> bool:
        """Whether messages above the limit wait instead of being refused."""
        return self._waits

    @property
    def exhausted(self) -> bool:
        """Whether the connection has to end."""
        return self.breaches >= ALLOWED_BREACHES
