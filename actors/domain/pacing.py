"""How many messages may leave now."""

from collections import deque
from typing import Final

WINDOW_SECONDS: Final = 1.1
"""A tenth more than the second in which they are counted: messages are not equally long under way."""


class Pacing:
    """At most ``rate`` messages, and at least one, in any ``WINDOW_SECONDS``.

    Source: IBKR limits a connection to about 50 messages in a second (100 market-data lines / 2), tells a breach with
    error 100 and ends the session after the third. A bucket that fills at that rate would let twice as many leave in
    the first second of a burst.
    """

    def __init__(self, *, rate: float) -> None:
        self._most = max(int(rate), 1)
        self._times: deque[float] = deque()

    def take(self, elapsed: float) -> bool:
        """Whether one more message may leave at that monotonic time; it is counted if so.

        A clock that steps back lets nothing leave that would not have left before.
        """
        times = self._times
        now = max(elapsed, times[-1]) if times else elapsed
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now)
        return True
