"""The CPU on which the engine's threads stay together.

Python runs one of them at a time, whoever it belongs to. On one CPU each finds in its cache what the one before has
touched, and waking it takes no other CPU: an order's round trip is some per cent shorter, the slowest ones a fifth. The
operating system alone would spread them, as if they could run at once. Only Linux can be asked; elsewhere nothing
changes.

Process-wide, because the interpreter is. A thread that an engine's thread starts stays on its CPU, too; the main thread
and what it starts may run anywhere.
"""

import os
from contextlib import suppress

_chosen: set[int] = set()


def choose() -> None:
    """From here on threads that ``join`` stay together; several engines of a computer hardly choose the same CPU."""
    if hasattr(os, "sched_getaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        _chosen.add(allowed[os.getpid() % len(allowed)])


def join() -> None:
    """The calling thread stays with the others, if a CPU was chosen."""
    if _chosen and hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # taken away since: then it runs where it may
            os.sched_setaffinity(0, _chosen)


def leave() -> None:
    """Nobody joins any more; who did stays."""
    _chosen.clear()
