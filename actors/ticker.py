"""The thread that tells the time: one ``Tick`` per interval to everybody who has deadlines or schedules.

Owns: its thread. Says: Tick. Dies when: stopped.
"""

import threading
from collections.abc import Sequence
from typing import Any

from actors import one_cpu
from actors.base import Address, deliver
from actors.clock import Clock
from actors.messages.system import Tick


class Ticker:
    """Ticks until stopped; a dead recipient is left out, its death is the supervisor's matter."""

    def __init__(self, *, clock: Clock, recipients: Sequence[Address[Any]], interval_seconds: float) -> None:
        self._clock = clock
        self._recipients = tuple(recipients)
        self._interval = interval_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Begin ticking."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        one_cpu.join()
        while not self._stopping.wait(self._interval):
            tick = Tick(at=self._clock.now(), elapsed=self._clock.elapsed())
            for recipient in self._recipients:
                deliver(recipient, tick)
