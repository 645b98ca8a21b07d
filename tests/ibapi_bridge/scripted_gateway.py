"""A gateway whose every byte a test decides, and a link connected to it."""

import queue
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Self, TypeVar

from actors.domain.identity import ClientId, Epoch
from actors.messages.reports import AccountsReported, ConnectionLost, Report
from ibapi_bridge.framing import framed
from ibapi_bridge.link import IbapiLink, LinkSettings

PATIENCE = 5.0
Kind = TypeVar("Kind", bound=Report)


def message_class(kind: str) -> Any:
    """An official protobuf class; they carry no type information."""
    return getattr(import_module(f"ibapi.protobuf.{kind}_pb2"), kind)


def protobuf(message_id: int, kind: str, **fields: object) -> bytes:
    """A frame with an official protobuf message; nested messages as dicts."""
    message = message_class(kind)()
    _fill(message, fields)
    return raw(message_id + 200, message.SerializeToString())


def _fill(message: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if isinstance(value, dict):
            _fill(getattr(message, name), value)
        elif isinstance(value, list):
            for row in value:
                _fill(getattr(message, name).add(), row)
        else:
            setattr(message, name, value)


def raw(message_id: int, content: bytes) -> bytes:
    return framed(message_id.to_bytes(4, "big") + content)


def text(*fields: object) -> bytes:
    """A frame of the text protocol (servers before 201)."""
    return framed(b"".join(str(field).encode() + b"\0" for field in fields))


def status(order_id: int = 1, word: str = "Submitted", **fields: object) -> bytes:
    shown = {"orderId": order_id, "status": word, "filled": "0", "remaining": "10", **fields}
    return protobuf(3, "OrderStatus", **shown)


READY = protobuf(15, "ManagedAccounts", accountsList="DU1234567,") + protobuf(9, "NextValidId", orderId=5)


class ScriptedGateway:
    """Listens on a free port and serves one connection, driven by the test's own thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port: int = self._listener.getsockname()[1]
        self.peer: socket.socket | None = None
        self._buffer = b""

    def accept(self) -> bytes:
        """Take the connection and answer its greeting (as text without the length)."""
        self.peer, _ = self._listener.accept()
        self.peer.settimeout(PATIENCE)
        assert self._read(4) == b"API\0"
        return self.read_frame()

    def welcome(self, version: int = 213) -> None:
        self.send(framed(b"%d\x0020260415 18:28:40 Central European Standard Time\0" % version))

    def begin(self, version: int = 213) -> None:
        """The whole handshake up to and with startApi."""
        self.accept()
        self.welcome(version)
        self.read_frame()

    def send(self, data: bytes) -> None:
        assert self.peer is not None
        self.peer.sendall(data)

    def read_frame(self) -> bytes:
        return self._read(int.from_bytes(self._read(4), "big"))

    def _read(self, size: int) -> bytes:
        assert self.peer is not None
        while len(self._buffer) < size:
            chunk = self.peer.recv(65536)
            assert chunk, "the client closed"
            self._buffer += chunk
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def hang_up(self) -> None:
        assert self.peer is not None
        self.peer.close()

    def close(self) -> None:
        self._listener.close()
        if self.peer is not None:
            self.peer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Heard:
    """Collects reports of a link's thread."""

    def __init__(self) -> None:
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self.seen: list[Report] = []

    def __call__(self, *reports: Report) -> None:
        for report in reports:
            self._reports.put(report)

    def next(self, kind: type[Kind]) -> Kind:
        """The next report of that kind; the others before it are in ``seen``."""
        while True:
            report = self._reports.get(timeout=PATIENCE)
            self.seen.append(report)
            if isinstance(report, kind):
                return report

    def drain(self) -> list[Report]:
        """Everything said so far and not looked at."""
        found: list[Report] = []
        while not self._reports.empty():
            found.append(self._reports.get())
        self.seen += found
        return found


def make_link(port: int, heard: Heard, *, epoch: int = 1, **settings: Any) -> IbapiLink:
    parts = {name: settings.pop(name) for name in ("cache", "recorder") if name in settings}
    shown = LinkSettings(**{"port": port, "client_id": ClientId(7), **settings})
    return IbapiLink(
        shown, epoch=Epoch(epoch), hear=heard, now=lambda: datetime.now(UTC), elapsed=time.monotonic, **parts
    )


@contextmanager
def connection(version: int = 213, **settings: Any) -> Iterator[tuple[ScriptedGateway, IbapiLink, Heard]]:
    """A link that has just become usable, with its gateway."""
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard, **settings)
        link.start()
        try:
            gateway.begin(version)
            gateway.send(READY if version >= 201 else text(15, 1, "DU1234567,") + text(9, 1, 5))
            heard.next(AccountsReported)
            yield gateway, link, heard
        finally:
            gateway.close()
            link.close()


def last_words(heard: Heard) -> str:
    return heard.next(ConnectionLost).reason


def squeeze(link: IbapiLink, gateway: ScriptedGateway) -> None:
    """Buffers so small that most sends are taken in part only."""
    sender = link._transport._socket
    assert sender is not None
    assert gateway.peer is not None
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2_048)
    gateway.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
