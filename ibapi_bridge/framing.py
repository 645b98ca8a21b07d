"""Frames cut out of a byte stream, whatever its segmentation: 4 bytes big-endian length, then the body."""

from collections.abc import Iterator
from typing import Final

LONGEST_FRAME: Final = 0xFFFFFF
"""A longer length is no frame but a stream out of step (the official client's own bound)."""

_HEADER: Final = 4
_COMPACT_AFTER: Final = 1 << 20


class OutOfStep(Exception):
    """The stream can no longer be cut into frames; only a new connection helps."""


class FrameBuffer:
    """Collects bytes and gives back whole frames; the cost grows with the bytes, not with their square."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._start = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Add a chunk and give back every frame that is whole now.

        Raises:
            OutOfStep: a length beyond ``LONGEST_FRAME``.
        """
        self._bytes += chunk
        while (frame := self._next()) is not None:
            yield frame
        self._compact()

    def _next(self) -> bytes | None:
        begin = self._start + _HEADER
        if len(self._bytes) < begin:
            return None
        length = int.from_bytes(self._bytes[self._start : begin], "big")
        if length > LONGEST_FRAME:
            raise OutOfStep(f"a frame of {length} bytes is announced, at most {LONGEST_FRAME} are possible")
        end = begin + length
        if len(self._bytes) < end:
            return None
        self._start = end
        return bytes(memoryview(self._bytes)[begin:end])

    def _compact(self) -> None:
        if self._start == len(self._bytes):
            self._bytes.clear()
            self._start = 0
        elif self._start > _COMPACT_AFTER:
            del self._bytes[: self._start]
            self._start = 0


def framed(body: bytes) -> bytes:
    """A body with its length before it."""
    return len(body).to_bytes(_HEADER, "big") + body
