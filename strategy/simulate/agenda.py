"""Virtual time: what is to happen, in the order of its moments; equal moments first come, first served."""

from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Any

Act = Callable[[Any], None]

SECOND = 1_000_000
"""Microseconds; the unit of all virtual time."""

_MICROSECOND = timedelta(microseconds=1)


class Agenda:
    """The only clock of a simulated session: it stands still while something happens."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.now = 0
        """Microseconds since the start."""
        self.moment = start
        """Now, as an aware UTC time."""
        self._number = 0
        self._acts: list[tuple[int, int, Act, Any]] = []

    def moment_at(self, microseconds: int) -> datetime:
        """So many microseconds after the start."""
        return self.start + timedelta(0, 0, microseconds)

    def microseconds_at(self, moment: datetime) -> int:
        """The reverse of ``moment_at``."""
        return (moment - self.start) // _MICROSECOND

    def after(self, microseconds: int, act: Act, payload: Any = None) -> None:  # noqa: ANN401 - whatever the act takes
        """Let something happen in so many microseconds."""
        self.at(self.now + microseconds, act, payload)

    def at(self, microseconds: int, act: Act, payload: Any = None) -> None:  # noqa: ANN401 - whatever the act takes
        """Let something happen at a moment that is not past."""
        self._number += 1
        heappush(self._acts, (microseconds if microseconds > self.now else self.now, self._number, act, payload))

    def run_next(self, until: int) -> bool:
        """Let the next thing happen; False when nothing is left up to that moment."""
        if not self._acts or self._acts[0][0] > until:
            return False
        due, _, act, payload = heappop(self._acts)
        if due != self.now:
            self.now, self.moment = due, self.moment_at(due)
        act(payload)
        return True
