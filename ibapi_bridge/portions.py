"""How many reports go on together.

Whoever is told wakes up, journals and decides for each portion anew, so that a rush is cheaper in large ones. In a calm
moment nobody has anything else to do, and what counts is how soon the strategy hears: there the first report of what
arrived goes on at once, and an execution, too, without waiting for what the gateway says around it.
"""

from collections.abc import Sequence
from typing import Final

from actors.messages.reports import ExecutionReported, Report

PORTION: Final = 8
"""What an order and its fill bring."""

LARGEST: Final = 32
RUSH: Final = 16
"""More frames than that from one wait of the link to the next are a rush, and so is what comes right after them."""


class Portions:
    """Of the frames that arrive together; used by the link's thread only."""

    def __init__(self) -> None:
        self._frames = 0
        self._enough = 1
        self.is_calm = True
        """Whether whoever heard the last portion should be let go first."""

    def begin(self) -> None:
        """Other frames follow, which arrived together."""
        self.is_calm = self._frames <= RUSH
        self._enough = 1 if self.is_calm else PORTION
        self._frames = 0

    def are_full(self, heard: Sequence[Report]) -> bool:
        """Asked after each frame: whether what was understood since the last portion goes on now."""
        self._frames += 1
        if self.is_calm:
            self.is_calm = self._frames <= RUSH
        if len(heard) < self._enough and not (self.is_calm and heard and isinstance(heard[-1], ExecutionReported)):
            return False
        self._enough = PORTION if self.is_calm else min(max(2 * self._enough, PORTION), LARGEST)
        return True
