"""What every party reports, computed the same way."""

import json
import statistics
import sys
import time
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def peak_memory_mb() -> float:
    """Peak resident memory of this process; 0 where the platform does not tell."""
    try:
        import resource  # noqa: PLC0415  # not on Windows
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024 / 1024


class Timings:
    """Nanosecond stamps of orders sent one at a time."""

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.submitted: list[float] = []
        self.filled: list[float] = []

    def add(self, start: int, returned: int, submitted: int, filled: int) -> None:
        """One order's stamps."""
        self.calls.append((returned - start) / 1000)
        self.submitted.append((submitted - start) / 1000)
        self.filled.append((filled - start) / 1000)


def report(
    timings: Timings,
    *,
    burst: int,
    burst_seconds: float,
    burst_cpu_seconds: float,
    settled_cpu_seconds: float | None = None,
) -> None:
    """Print the party's figures as one JSON line.

    Args:
        timings: of the orders sent one at a time.
        burst: orders of the burst.
        burst_seconds: until its last fill was heard of.
        burst_cpu_seconds: processor time until then.
        settled_cpu_seconds: until everything is written and closed; None for a party that writes nothing.
    """
    skip = len(timings.filled) // 10  # warm-up
    figures = {
        "call_p50": statistics.median(timings.calls[skip:]),
        "submitted_p50": statistics.median(timings.submitted[skip:]),
        "submitted_p99": percentile(timings.submitted[skip:], 0.99),
        "filled_p50": statistics.median(timings.filled[skip:]),
        "filled_p99": percentile(timings.filled[skip:], 0.99),
        "burst_seconds": burst_seconds,
        "burst_cpu_us": burst_cpu_seconds / burst * 1e6,
        "settled_cpu_us": (burst_cpu_seconds if settled_cpu_seconds is None else settled_cpu_seconds) / burst * 1e6,
        "memory_mb": peak_memory_mb(),
    }
    print(json.dumps(figures), flush=True)


def now_ns() -> int:
    """The benchmark's stopwatch."""
    return time.perf_counter_ns()
