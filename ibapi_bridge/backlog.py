"""Market data that has arrived and is not understood yet: everything else goes first.

A quote is worth less with every moment, the news of an order is not. While ticks wait here, the link looks for other
frames after every few of them, and for a moment after news it leaves them alone: whoever acts on the news needs the
interpreter. A flood that outruns us is thinned: of each stream only the latest tick of each kind stays, so what waits
is bounded by what was subscribed.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from google.protobuf.message import DecodeError

from ibapi_bridge.client import FIRST_RAW_ID_VERSION, PROTOBUF_OFFSET
from ibapi_bridge.direct import message_class

MOST_WAITING: Final = 1_000
"""Ticks beyond which a backlog is thinned: some hundredths of a second's work."""

HELD_SECONDS: Final = 0.002
"""So long ticks wait after news: about what an order takes from there to its answer on the wire."""

LONGEST_HOLD_SECONDS: Final = 0.01
"""However fast news comes, some ticks pass this often."""

_KINDS: Final = {
    1: message_class("TickPrice"),
    2: message_class("TickSize"),
    45: message_class("TickGeneric"),
    46: message_class("TickString"),
}
"""Message id (without the protobuf offset) -> how its protobuf form is read."""

_ID: Final = 4
_RAW: Final = frozenset((number + offset).to_bytes(_ID, "big") for number in _KINDS for offset in (0, PROTOBUF_OFFSET))
_TEXT: Final = frozenset(b"%d" % number for number in _KINDS)


class Backlog:
    """The ticks of one connection; used by the link's thread only.

    Args:
        server_version: agreed on in the handshake; decides how frames begin.
    """

    def __init__(self, *, server_version: int) -> None:
        self._raw_ids = server_version >= FIRST_RAW_ID_VERSION
        self._waiting: deque[bytes] = deque()
        self._held_from = self._held_until = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def hold(self, now: float) -> None:
        """There was news: let ticks wait a moment, seconds on the clock of ``now``."""
        if now >= self._held_until:
            self._held_from = now
        self._held_until = min(now + HELD_SECONDS, self._held_from + LONGEST_HOLD_SECONDS)

    def patience(self, now: float) -> float | None:
        """For how many seconds there is nothing to do here; None while no tick waits."""
        return max(self._held_until - now, 0.0) if self._waiting else None

    def others(self, frames: Iterable[bytes]) -> Iterator[bytes]:
        """Keep the ticks among frames and give back the rest, in order."""
        raw_ids = self._raw_ids
        for frame in frames:
            if frame[:_ID] in _RAW if raw_ids else frame.partition(b"\0")[0] in _TEXT:
                self._waiting.append(frame)
            else:
                yield frame

    def take(self, count: int, now: float) -> list[bytes]:
        """The oldest ticks, so many at most; none while they are held."""
        if now < self._held_until:
            return []
        if len(self._waiting) > MOST_WAITING:
            self._thin()
        return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def _thin(self) -> None:
        latest: dict[object, bytes] = {}
        for frame in self._waiting:
            key = self._key_of(frame)
            latest.pop(key, None)  # the latest of each kind, in the order in which they came
            latest[key] = frame
        self._waiting = deque(latest.values())

    def _key_of(self, frame: bytes) -> object:
        """Stream and kind of a tick; the frame itself where they cannot be read, which whoever understands it says."""
        if not self._raw_ids:
            return tuple(frame.split(b"\0", 4)[:4])  # id, version, stream, kind
        number = int.from_bytes(frame[:_ID], "big")
        if number < PROTOBUF_OFFSET:
            return number, *frame[_ID:].split(b"\0", 3)[:3]
        try:
            tick = _KINDS[number - PROTOBUF_OFFSET].FromString(frame[_ID:])
        except DecodeError:
            return frame
        return number, tick.reqId, tick.tickType
