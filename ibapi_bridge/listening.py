"""From the body of a frame to reports: by the direct protobuf readers, or by the official decoder."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from actors.domain.identity import Epoch
from actors.messages.reports import Report
from ibapi_bridge.client import FIRST_RAW_ID_VERSION, PROTOBUF_OFFSET, FrameDecoder
from ibapi_bridge.conversation import UNKNOWN_MESSAGE, Conversation
from ibapi_bridge.direct import UNHEARD, read_message
from ibapi_bridge.hot_reports import READERS, Reader
from ibapi_bridge.inbound import damaged, translate
from ibapi_bridge.redaction import redacted_bytes
from ibapi_bridge.wrapper import HearingWrapper

Told = Callable[[str, dict[str, object]], None]

_SHOWN_BYTES = 200
_ID = 4
_QUICK: dict[bytes, tuple[Any, Reader]] = {
    (number + PROTOBUF_OFFSET).to_bytes(_ID, "big"): (kind, read) for number, (_, kind, read) in READERS.items()
}
"""How the messages of orders and quotes are read, by the bytes a frame of theirs begins with."""

_UNHEARD = frozenset((number + PROTOBUF_OFFSET).to_bytes(_ID, "big") for number in UNHEARD)


class Listener:
    """Understands the frames of one connection; whatever is in them, it answers with reports.

    Args:
        server_version: agreed on in the handshake; decides how frames are laid out.
        epoch: of the connection.
        context: what was asked on it.
        now: the receive clock, aware UTC.
        overheard: called with every callback's name and official arguments (for a capture); the official decoder is
            used for everything then, because only it has them.
    """

    def __init__(
        self,
        *,
        server_version: int,
        epoch: Epoch,
        context: Conversation,
        now: Callable[[], datetime],
        overheard: Told | None = None,
    ) -> None:
        self._epoch = epoch
        self._context = context
        self._now = now
        self._overheard = overheard
        self._decoder = FrameDecoder(HearingWrapper(self._told), server_version=server_version)
        self._reports: list[Report] = []
        is_quick = overheard is None and server_version >= FIRST_RAW_ID_VERSION
        self._quick = _QUICK if is_quick else {}
        self._unheard = _UNHEARD if is_quick else frozenset[bytes]()

    def understand(self, body: bytes) -> list[Report]:
        """The reports behind one frame; an unreadable one is reported as ``FrameDamaged``."""
        begins = body[:_ID]
        reader = self._quick.get(begins)
        if reader is None:
            return [] if begins in self._unheard else self._understand_any(body)
        kind, read = reader
        try:
            report = read(kind.FromString(body[_ID:]), self._now(), self._epoch, self._context)
        except Exception:  # noqa: BLE001 - read once more, where what is wrong with it is said
            return self._understand_any(body)
        return [] if report is None else [report]

    def _understand_any(self, body: bytes) -> list[Report]:
        self._reports = []
        name = UNKNOWN_MESSAGE
        try:
            message_id, content = self._decoder.split(body)
            name = f"message {message_id}"
            self._decode(message_id, content)
        except Exception as problem:  # noqa: BLE001 - the boundary: one bad frame must not end the connection
            self._context.tear(name)
            report = damaged(name, problem, redacted_bytes(body[:_SHOWN_BYTES]), at=self._now(), epoch=self._epoch)
            self._reports.append(report)
        return self._reports

    def _decode(self, message_id: int, content: bytes) -> None:
        protobuf_id = message_id - PROTOBUF_OFFSET
        if self._overheard is None and protobuf_id > 0:
            if protobuf_id in READERS:
                self._read(*READERS[protobuf_id], content)
                return
            read = read_message(protobuf_id, content)
            if read is not None:
                self._told(*read)
                return
        self._decoder.decode(message_id, content)

    def _read(self, name: str, kind: Any, read: Reader, content: bytes) -> None:  # noqa: ANN401 - a generated class
        message, at = kind.FromString(content), self._now()
        try:
            report = read(message, at, self._epoch, self._context)
        except Exception as problem:  # noqa: BLE001 - as in ``translate``: one bad statement must not end the connection
            self._context.tear(name)
            report = damaged(name, problem, repr(message), at=at, epoch=self._epoch)
        if report is not None:
            self._reports.append(report)

    def _told(self, name: str, args: dict[str, object]) -> None:
        if self._overheard is not None:
            self._overheard(name, args)
        self._reports += translate(name, args, at=self._now(), epoch=self._epoch, context=self._context)
