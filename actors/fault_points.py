"""Named instants at which a test may end the process as a power cut would; in production one look at a global.

``CALLBOARD_FAULT_POINT=NAME:N`` kills the process when the point is reached for the N-th time; ``CALLBOARD_FAULT_LIST``
names a file to which every point that is reached is appended once. Neither is ever set outside of tests.
"""

import os
import signal
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn, Protocol

POINT_VARIABLE = "CALLBOARD_FAULT_POINT"
LIST_VARIABLE = "CALLBOARD_FAULT_LIST"


class Watcher(Protocol):
    """What is told of every point."""

    def __call__(self, name: str) -> None:
        """A point was reached."""


def reached(point: str, subject: object = None) -> None:
    """Mark an instant; its name is the point and the class of what it is about."""
    watcher = _state.watcher
    if watcher is not None:
        watcher(point if subject is None else f"{point}:{type(subject).__name__}")


def reached_all(point: str, subjects: Iterable[object]) -> None:
    """Mark an instant for each of several subjects."""
    if _state.watcher is not None:
        for subject in subjects:
            reached(point, subject)


def arm(environment: Mapping[str, str]) -> None:
    """Read what to do from environment variables.

    Raises:
        ValueError: the fault point is not of the form NAME:N.
    """
    if point := environment.get(POINT_VARIABLE):
        name, separator, count = point.rpartition(":")
        if not separator or not count.isdigit() or count == "0":
            raise ValueError(f"{POINT_VARIABLE} is {point!r}: it must be NAME:N with N from 1")
        _state.watcher = KillAt(name, int(count))
    elif path := environment.get(LIST_VARIABLE):
        _state.watcher = ListPoints(Path(path))


class KillAt:
    """Ends the process when a point is reached for the n-th time."""

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._left = count
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        """A point was reached, on any thread."""
        if name != self._name:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                end_process()


class ListPoints:
    """Appends the name of each point once to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        """A point was reached, on any thread."""
        with self._lock:
            if name not in self._seen:
                self._seen.add(name)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(f"{name}\n")


def end_process() -> NoReturn:
    """Die at once: nothing is flushed, closed or said."""
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(9)


class _State:
    watcher: Watcher | None = None


_state = _State()
arm(os.environ)
