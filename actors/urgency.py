"""Who is at work on an order's way: what can wait leaves the interpreter to them.

Process-wide, because the interpreter is: Python runs one thread at a time, whoever it belongs to. It is advice: nothing
depends on it but who comes first.
"""

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Final

_BREATH_SECONDS: Final = 0.0001
_LONGEST_NAP_SECONDS: Final = 0.005
_at_work: set[object] = set()
_waiting: deque[threading.Lock] = deque()
"""Each is released as soon as somebody's work has ended."""


def begin_urgent(who: object) -> None:
    """``who`` is on an order's way from here to ``end_urgent``."""
    _at_work.add(who)


def end_urgent(who: object) -> None:
    """It waits for something outside again."""
    _at_work.discard(who)
    try:
        while _waiting:
            _waiting.popleft().release()
    except IndexError:
        return  # another who ended was quicker


def is_anything_urgent(*, besides: object = None) -> bool:
    """Whether somebody else wants the interpreter who cannot wait."""
    return len(_at_work) > (besides in _at_work)


def step_aside(*, seconds: float) -> float:
    """For whoever has time: wait until nothing is urgent, and look the less often the longer that lasts.

    Args:
        seconds: to wait at most.

    Returns:
        How many it waited.
    """
    waited, nap = 0.0, _BREATH_SECONDS
    while waited < seconds and is_anything_urgent():
        time.sleep(nap)
        waited += nap
        nap = min(2 * nap, _LONGEST_NAP_SECONDS)
    return waited


def let_pass(who: object, *, seconds: float) -> None:
    """For whoever is on an order's way himself: let the others go first, and go on as soon as one of them has ended."""
    if is_anything_urgent(besides=who):
        ended = threading.Lock()
        ended.acquire()
        _waiting.append(ended)
        if not ended.acquire(timeout=seconds):
            with suppress(ValueError):  # released meanwhile
                _waiting.remove(ended)
