"""Who is at work on an order's way: what can wait (the log) leaves the interpreter to them.

Process-wide, because the interpreter is: Python runs one thread at a time, whichever engine it belongs to.
"""

_at_work: set[object] = set()


def begin_urgent(who: object) -> None:
    """``who`` works on an order's way from here to ``end_urgent``."""
    _at_work.add(who)


def end_urgent(who: object) -> None:
    """It waits for something outside again."""
    _at_work.discard(who)


def is_anything_urgent() -> bool:
    """Whether the interpreter is wanted by somebody who cannot wait."""
    return bool(_at_work)
