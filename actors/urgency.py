"""Who is at work on an order's way: what can wait leaves the interpreter to them.

Process-wide, because the interpreter is: Python runs one thread at a time, whoever it belongs to. It is advice:
nothing depends on it but who comes first.
"""

import time
from typing import Final

_BREATH_SECONDS: Final = 0.0001
_at_work: set[object] = set()


def begin_urgent(who: object) -> None:
    """``who`` is on an order's way from here to ``end_urgent``."""
    _at_work.add(who)


def end_urgent(who: object) -> None:
    """It waits for something outside again."""
    _at_work.discard(who)


def is_anything_urgent(*, besides: object = None) -> bool:
    """Whether somebody else wants the interpreter who cannot wait."""
    return len(_at_work) > (besides in _at_work)


def step_aside(who: object = None, *, most: int) -> int:
    """Leave the interpreter to the others until none of them is on an order's way.

    Args:
        who: does not wait for itself.
        most: so many times a tenth of a millisecond at most.

    Returns:
        How many times it was.
    """
    for waited in range(most):
        if not is_anything_urgent(besides=who):
            return waited
        time.sleep(_BREATH_SECONDS)
    return most
