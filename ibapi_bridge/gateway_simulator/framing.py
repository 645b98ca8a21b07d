"""Length-prefixed frames: four bytes big-endian length, then the payload."""

import struct

MAX_FRAME = 0xFFFFFF  # beyond 16 MB the official client gives up
_LENGTH = struct.Struct("!I")


class FramingError(Exception):
    """A length prefix no client of the protocol can have meant."""


def frame(payload: bytes) -> bytes:
    """The payload with its length in front."""
    return _LENGTH.pack(len(payload)) + payload


class FrameBuffer:
    """Collects received bytes and hands out whole payloads, however the stream was cut."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Adds received bytes."""
        self._data += data

    def take_prefix(self, prefix: bytes) -> bool | None:
        """Removes the given first bytes: True when there, False when others are, None when too few yet."""
        if len(self._data) < len(prefix):
            return None if prefix.startswith(self._data) else False
        if not self._data.startswith(prefix):
            return False
        del self._data[: len(prefix)]
        return True

    def complete(self) -> bool:
        """Whether a whole payload is there to be taken."""
        return len(self._data) >= 4 and len(self._data) >= 4 + _LENGTH.unpack_from(self._data)[0]

    def take(self, *, longest: int = MAX_FRAME) -> bytes | None:
        """The next whole payload, or None while it is incomplete.

        Raises:
            FramingError: the announced length is beyond the longest accepted.
        """
        if len(self._data) < 4:
            return None
        (length,) = _LENGTH.unpack_from(self._data)
        if length > longest:
            raise FramingError(f"a frame announces {length} bytes, at most {longest} are accepted")
        if len(self._data) < 4 + length:
            return None
        payload = bytes(self._data[4 : 4 + length])
        del self._data[: 4 + length]
        return payload
