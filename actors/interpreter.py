"""How soon a thread leaves the interpreter to another one that waits for it: Python runs one of them at a time.

What our own threads do in one go is short, and every change of threads costs time and warm caches. A hook of a strategy
may compute for as long as it likes, and orders must not wait for that.
"""

import sys

OURS_SECONDS = 0.005
"""While our own code runs: as Python comes."""

STRATEGY_SECONDS = 0.0002
"""While a strategy's own code runs; ``benchmarks/busy_strategy.py`` measures it."""


def strategy_begins() -> None:
    """The strategy's code has the interpreter from here to ``strategy_has_ended``."""
    sys.setswitchinterval(STRATEGY_SECONDS)


def strategy_has_ended() -> None:
    """Our own code goes on."""
    sys.setswitchinterval(OURS_SECONDS)
