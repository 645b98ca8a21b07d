"""Frames cut out of a byte stream, whatever its segmentation: 4 bytes big-endian length, then the body."""

from collections.abc import Iterator
from struct import Struct
from typing import Final

LONGEST_FRAME: Final = 0xFFFFFF
"""A longer length is no frame but a stream out of step (the official client's own bound)."""

_HEADER: Final = Struct(">I")
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
        data = self._bytes
        data += chunk
        while len(data) >= (begin := self._start + _HEADER.size):
            (length,) = _HEADER.unpack_from(data, self._start)
            if length > LONGEST_FRAME:
                raise OutOfStep(f"a frame of {length} bytes is announced, at most {LONGEST_FRAME} are possible")
            end = begin + length
            if len(data) < end:
                break
            self._start = end
            yield bytes(data[begin:end])
        self._compact()

    def _compact(self) -> None:
        if self._start == len(self._bytes):
            self._bytes.clear()
            self._start = 0
        elif self._start > _COMPACT_AFTER:
            del self._bytes[: self._start]
            self._start = 0


def framed(body: bytes) -> bytes:
    """A body with its length before it."""
    return _HEADER.pack(len(body)) + body
