"""The wire as JSON lines, one for each frame, for people and independent checkers to read."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from google.protobuf.json_format import MessageToDict

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.clock import real_now
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request


class WireLog:
    """Appends one line for each frame and for each connection's beginning and end.

    Lines wait for `flush`, which the server calls after its books are saved and before anything leaves: what the log
    says was told, the books know, whenever the process dies.

    Raises:
        OSError: the file cannot be opened for appending.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._waiting: list[str] = []

    def attach(self, session: Session, market_now: Callable[[], datetime]) -> None:
        """Writes down everything sent to a session from now on."""
        session.tap = lambda session, number, message, frame: self.sent(session, number, message, frame, market_now())

    def flush(self) -> None:
        """Hands what waits to the operating system, in one piece."""
        if self._waiting:
            self._file.write("".join(self._waiting))
            self._file.flush()
            self._waiting.clear()

    def close(self) -> None:
        """Ends the file."""
        self.flush()
        self._file.close()

    def received(self, session: Session, request: Request, payload: bytes, market_at: datetime) -> None:
        """A request that was understood."""
        form = "protobuf" if request.protobuf else "text"
        self._line(session, "in", form, market_at, name=request.name, number=request.number,
                   fields=_fields(request.message), hex=payload.hex())  # fmt: skip

    def unreadable(self, session: Session, reason: str, payload: bytes, market_at: datetime) -> None:
        """A request that was not understood."""
        self._line(session, "in", "unreadable", market_at, error=reason, hex=payload.hex())

    def sent(self, session: Session, number: int, message: Message, frame: bytes, market_at: datetime) -> None:
        """A reply; `frame` includes the length in front."""
        kind = REPLIES[number]
        form = "protobuf" if session.version >= kind.protobuf_from else "text"
        self._line(session, "out", form, market_at, name=kind.name, number=number,
                   fields=_fields(message), hex=frame[4:].hex())  # fmt: skip

    def greeting(self, session: Session, direction: str, payload: bytes, market_at: datetime) -> None:
        """One half of the handshake."""
        self._line(session, direction, "handshake", market_at, text=payload.decode("ascii", "replace"))

    def closed(self, session: Session | None, peer: str, reason: str, market_at: datetime) -> None:
        """The end of a connection and why; `session` is None when no version had been agreed."""
        self._line(session, "", "closed", market_at, peer=peer, reason=reason)

    def _line(self, session: Session | None, direction: str, form: str, market_at: datetime, **rest: object) -> None:
        line = {
            "at": real_now().isoformat(),
            "market_at": market_at.isoformat(),
            "connection": session and session.number,
            "client_id": session and session.client_id,
            "version": session and session.version,
            "dir": direction,
            "form": form,
            **rest,
        }
        self._waiting.append(json.dumps(line) + "\n")


def _fields(message: Message) -> dict[str, object]:
    fields: dict[str, object] = MessageToDict(message, preserving_proto_field_name=True)
    return fields
