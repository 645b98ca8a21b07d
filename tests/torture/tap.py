"""A wire tap: a TCP relay between a client and the gateway that writes down every frame and can cut the line.

One JSON line for each frame that matters to orders, in the form of the gateway simulator's own wire log; the frames
are cut and decoded here with the official client's protobuf classes, so that neither end is believed. Streamed prices
are relayed and not written down.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

PROTOBUF = 200


def _message(name: str) -> Any:
    return getattr(import_module(f"ibapi.protobuf.{name}_pb2"), name)


REQUESTS: dict[int, tuple[str, Any]] = {
    3: ("placeOrder", _message("PlaceOrderRequest")),
    4: ("cancelOrder", _message("CancelOrderRequest")),
}
REPLIES: dict[int, tuple[str, Any]] = {
    3: ("orderStatus", _message("OrderStatus")),
    5: ("openOrder", _message("OpenOrder")),
    11: ("execDetails", _message("ExecutionDetails")),
    53: ("openOrderEnd", _message("OpenOrdersEnd")),
    55: ("execDetailsEnd", _message("ExecutionDetailsEnd")),
    61: ("position", _message("Position")),
    62: ("positionEnd", _message("PositionEnd")),
}
CutRule = Callable[[str, int, int, bytes], int | None]
"""Direction, connection, number of the frame, the frame: how many bytes of it still pass before the cut, or None."""


def never_cut(_direction: str, _connection: int, _number: int, _frame: bytes) -> int | None:
    """Relays everything."""
    return None


class Frames:
    """Cuts a byte stream into frames, the client's opening prefix included in its first."""

    def __init__(self, prefix: int) -> None:
        self._waiting = b""
        self._prefix = prefix

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The whole frames, as they travel."""
        self._waiting += data
        while len(self._waiting) >= self._prefix + 4:
            (length,) = struct.unpack_from(">I", self._waiting, self._prefix)
            end = self._prefix + 4 + length
            if len(self._waiting) < end:
                return
            yield self._waiting[:end]
            self._waiting, self._prefix = self._waiting[end:], 0


class Tap:
    """Listens on a port of its own and relays to the gateway's; usable as a context manager."""

    def __init__(self, gateway_port: int, log: Path, *, cut: CutRule = never_cut, port: int = 0) -> None:
        self.gateway_port = gateway_port
        self.cut = cut
        self.orders = 0
        """Orders and changes of orders that went by."""
        self._trading = threading.Condition()
        self._log = log.open("a", encoding="utf-8", buffering=1)
        self._writing = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=16)
        self.port = int(self._listener.getsockname()[1])
        self._connections = 0
        self._lines: list[socket.socket] = []
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Tap":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cuts every line and ends."""
        self._closed = True
        self._listener.close()
        self.cut_all()
        with self._writing:
            self._log.close()

    def saw_orders(self, number: int, seconds: float) -> bool:
        """Wait until so many more orders or changes have gone by; False when they did not in time."""
        with self._trading:
            wanted = self.orders + number
            return self._trading.wait_for(lambda: self.orders >= wanted, seconds)

    def cut_all(self) -> None:
        """Resets every connection."""
        while self._lines:
            _reset(self._lines.pop())

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                gateway = socket.create_connection(("127.0.0.1", self.gateway_port), timeout=5)
            except OSError:
                _reset(client)
                continue
            gateway.settimeout(None)
            for line in (client, gateway):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines += [client, gateway]
            self._connections += 1
            for direction, source, target in (("in", client, gateway), ("out", gateway, client)):
                arguments = (direction, self._connections, source, target)
                threading.Thread(target=self._relay, args=arguments, daemon=True).start()

    def _relay(self, direction: str, connection: int, source: socket.socket, target: socket.socket) -> None:
        frames, number = Frames(prefix=4 if direction == "in" else 0), 0
        try:
            while data := source.recv(65536):
                for frame in frames.feed(data):
                    number += 1
                    passing = self.cut(direction, connection, number, frame)
                    if passing is not None:
                        target.sendall(frame[:passing])
                        if passing == len(frame):
                            self._note(direction, connection, number, frame)
                        return
                    self._note(direction, connection, number, frame)
                    target.sendall(frame)
        except OSError:
            return  # an end that went away ends the other one too
        finally:
            for line in (target, source):
                _end(line)

    def _note(self, direction: str, connection: int, number: int, frame: bytes) -> None:
        """Writes the frame down; called before it is relayed, so that what was relayed is on record."""
        if number == 1:
            return
        (kind,) = struct.unpack_from(">I", frame, 4)
        name, message = (REQUESTS if direction == "in" else REPLIES).get(kind - PROTOBUF, ("", None))
        if message is None:
            return
        if name == "placeOrder":
            with self._trading:
                self.orders += 1
                self._trading.notify_all()
        fields = MessageToDict(message.FromString(frame[8:]), preserving_proto_field_name=True)
        line = {"at": datetime.now(UTC).isoformat(), "connection": connection, "dir": direction, "name": name}
        with self._writing:
            if not self._log.closed:
                self._log.write(json.dumps({**line, "fields": fields}) + "\n")


def _end(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # gone already


def _reset(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _end(line)
    line.close()
