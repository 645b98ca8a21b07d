"""Real threads of which one runs at a time, changed between any two steps of the bytecode by a seeded choice.

A race that a machine shows once in a million runs is a certain seed here.
"""

import random
import sys
import threading
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

PATIENCE = 20.0
LIKELY = (0.03, 0.06, 0.15, 0.4)
"""How likely a change is at each step: rare ones find races in which another does much between two steps."""


class _Worker:
    def __init__(self, body: Callable[[], None]) -> None:
        self.body = body
        self.baton = threading.Semaphore(0)
        self.may_go: Callable[[], bool] = lambda: True
        self.is_done = False
        self.error: BaseException | None = None


class Interleaving:
    """Runs bodies until each has ended or waits for what nobody gives.

    Args:
        seed: decides every change of threads, and how many there are.
        watched: the end of the name of the file between whose steps threads change.
    """

    def __init__(self, seed: int, *, watched: str) -> None:
        self._random = random.Random(seed)
        self._watched = watched
        self._changes = self._random.choice(LIKELY)
        self._workers: list[_Worker] = []
        self._main = threading.Semaphore(0)
        self._running: _Worker | None = None

    def run(self, *bodies: Callable[[], None]) -> None:
        """Let them run, and those of earlier calls that waited; raises what a body raised."""
        for body in bodies:
            worker = _Worker(body)
            self._workers.append(worker)
            threading.Thread(target=self._work, args=(worker,), daemon=True).start()
        while ready := [worker for worker in self._workers if not worker.is_done and worker.may_go()]:
            self._running = self._random.choice(ready)
            self._running.baton.release()
            assert self._main.acquire(timeout=PATIENCE), "a thread neither paused nor ended"
        for worker in self._workers:
            if worker.error is not None:
                raise worker.error

    def pause(self) -> None:
        """A step at which another may go on."""
        if self._random.random() < self._changes:
            self._give_way(lambda: True)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Go on when it holds."""
        while not condition():
            self._give_way(condition)

    def _give_way(self, may_go: Callable[[], bool]) -> None:
        worker = self._running
        assert worker is not None
        worker.may_go = may_go
        self._main.release()
        assert worker.baton.acquire(timeout=PATIENCE)

    def _work(self, worker: _Worker) -> None:
        assert worker.baton.acquire(timeout=PATIENCE)
        sys.settrace(self._trace)
        try:
            worker.body()
        except BaseException as error:  # noqa: BLE001 - raised again by ``run``
            worker.error = error
        finally:
            sys.settrace(None)
            worker.is_done = True
            self._main.release()

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        del argument
        if not frame.f_code.co_filename.endswith(self._watched):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.pause()
        return self._trace


class Lock:
    """A lock of an interleaving."""

    def __init__(self, turns: Interleaving) -> None:
        self._turns = turns
        self._is_taken = False

    def acquire(self, blocking: bool = True) -> bool:  # noqa: FBT001, FBT002 - as threading has it
        if self._is_taken and not blocking:
            return False
        self._turns.wait_for(lambda: not self._is_taken)
        self._is_taken = True
        return True

    def release(self) -> None:
        assert self._is_taken
        self._is_taken = False


class Queue:
    """A queue of an interleaving."""

    def __init__(self, turns: Interleaving) -> None:
        self._turns = turns
        self._entries: deque[Any] = deque()

    def put(self, entry: Any) -> None:
        self._entries.append(entry)

    def get(self) -> Any:
        self._turns.wait_for(lambda: bool(self._entries))
        return self._entries.popleft()
