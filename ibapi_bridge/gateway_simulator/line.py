"""What may be wrong with one connection's bytes: how many leave, when, and how damaged."""

from collections.abc import Callable

import attrs


@attrs.define(kw_only=True)
class Line:
    """One connection's line; by default nothing is wrong with it.

    `limit` is how many more bytes leave before the line pauses for `pause_seconds` of real time or, if `abort` is
    set, is reset. `mangle` changes the next `mangle_times` frames. `burst` pads what waits to that many bytes.
    """

    reading: bool = True
    limit: int | None = None
    pause_seconds: float = 0.0
    abort: bool = False
    mangle: Callable[[bytes], bytes] | None = None
    mangle_times: int = 0
    burst: int | None = None
    burst_silence: float = 0.0
    _resume_at: float | None = None

    @property
    def dead(self) -> bool:
        """Whether nothing will ever leave again."""
        return self.limit == 0 and self.pause_seconds == float("inf")

    def allowance(self, waiting: int, now: float) -> int:
        """How many of the waiting bytes may leave now, by monotonic seconds."""
        if self.limit is None:
            return waiting
        if self.limit > 0 or self.abort:
            return min(waiting, self.limit)
        if self._resume_at is None:
            self._resume_at = now + self.pause_seconds
        if now < self._resume_at:
            return 0
        self.limit = self._resume_at = None
        return waiting

    def spend(self, count: int) -> None:
        """Notes that bytes have left."""
        if self.limit is not None:
            self.limit -= count

    def must_abort(self) -> bool:
        """Whether the line is to be reset now."""
        return self.abort and self.limit is not None and self.limit <= 0

    def damaged(self, frame: bytes) -> bytes:
        """The frame as it leaves."""
        if self.mangle is None or self.mangle_times <= 0 or not frame:
            return frame
        self.mangle_times -= 1
        return self.mangle(frame)
