"""What a process holds: memory, threads, descriptors, objects."""

import gc
import os
import threading
from pathlib import Path

import attrs

_STATUS, _DESCRIPTORS = Path("/proc/self/status"), Path("/proc/self/fd")


@attrs.frozen(kw_only=True)
class Vitals:
    """``memory_mb`` and ``descriptors`` are 0 where the platform does not tell (they are read from /proc)."""

    memory_mb: float
    threads: int
    descriptors: int
    objects: int


def vitals() -> Vitals:
    """The vitals now, after a garbage collection."""
    gc.collect()
    return Vitals(
        memory_mb=resident_memory_mb(),
        threads=threading.active_count(),
        descriptors=len(os.listdir(_DESCRIPTORS)) if _DESCRIPTORS.exists() else 0,
        objects=len(gc.get_objects()),
    )


def resident_memory_mb() -> float:
    """Resident memory now."""
    if not _STATUS.exists():
        return 0.0
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
