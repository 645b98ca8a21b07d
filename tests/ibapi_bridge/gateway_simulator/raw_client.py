"""A client that knows the wire and nothing else: bytes in, frames out, with no code of the simulator's."""

import importlib
import socket
import struct
from types import TracebackType
from typing import Any, Self

PROTOBUF = 200
RAW_NUMBERS = 201
START_API, REQ_IDS, CURRENT_TIME, PLACE_ORDER = 71, 8, 49, 3
ERROR, NEXT_VALID_ID, MANAGED_ACCOUNTS = 4, 9, 15

Heard = tuple[int, bytes]


def protobuf(name: str, **fields: Any) -> Any:
    """A message of the official client's protobuf modules."""
    return getattr(importlib.import_module(f"ibapi.protobuf.{name}_pb2"), name)(**fields)


def framed(payload: bytes) -> bytes:
    return struct.pack("!I", len(payload)) + payload


class RawClient:
    """One socket to a gateway. `hear` gives message numbers with their bodies, the protobuf offset left in."""

    def __init__(self, port: int, *, seconds: float = 5.0) -> None:
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self.version = 0
        self._left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stream.close()

    def send(self, data: bytes) -> None:
        self.stream.sendall(data)

    def greet(self, versions: str = "v100..225") -> list[str]:
        """The server's two fields: version and time. Raises ConnectionError when the server hangs up instead."""
        self.send(b"API\0" + framed(versions.encode()))
        fields = self.frame().decode().split("\0")
        self.version = int(fields[0])
        return fields

    def start(self, client_id: int = 7, capabilities: str = "") -> None:
        if self.version >= 213:
            self.ask(START_API, "StartApiRequest", clientId=client_id, optionalCapabilities=capabilities)
        else:
            self.say(START_API, 2, client_id, capabilities)

    def connect(self, client_id: int = 7, versions: str = "v100..225") -> list[Heard]:
        """Greets, starts and hears the gateway out: accounts, next id, three notices."""
        self.greet(versions)
        self.start(client_id)
        return [self.hear() for _ in range(5)]

    def say(self, number: int, *fields: object) -> None:
        """A text message."""
        rest = "".join(f"{field}\0" for field in fields).encode()
        head = struct.pack("!I", number) if self.version >= RAW_NUMBERS else f"{number}\0".encode()
        self.send(framed(head + rest))

    def ask(self, number: int, name: str, **fields: Any) -> None:
        """A protobuf message."""
        self.post(number, protobuf(name, **fields))

    def post(self, number: int, message: Any) -> None:
        self.send(framed(struct.pack("!I", number + PROTOBUF) + message.SerializeToString()))

    def frame(self) -> bytes:
        """The next payload.

        Raises:
            ConnectionError: the server has closed the connection.
        """
        (length,) = struct.unpack("!I", self._exactly(4))
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        while len(self._left) < count:
            data = self.stream.recv(65536)
            if not data:
                raise ConnectionError("closed by the server")
            self._left += data
        taken, self._left = self._left[:count], self._left[count:]
        return taken

    def hear(self) -> Heard:
        payload = self.frame()
        if self.version >= RAW_NUMBERS:
            return struct.unpack("!I", payload[:4])[0], payload[4:]
        number, _, body = payload.partition(b"\0")
        return int(number), body

    def hear_error(self) -> tuple[int, int]:
        """Id and code of the next message, which has to be an error."""
        number, body = self.hear()
        if number == ERROR + PROTOBUF:
            error = protobuf("ErrorMessage")
            error.ParseFromString(body)
            return error.id, error.errorCode
        assert number == ERROR, (number, body)
        fields = body.decode().split("\0")
        first = 1 if self.version < 194 else 0
        return int(fields[first]), int(fields[first + 1])

    def ask_time(self) -> None:
        if self.version >= 213:
            self.ask(CURRENT_TIME, "CurrentTimeRequest")
        else:
            self.say(CURRENT_TIME, 1)

    def is_served(self) -> bool:
        """Whether the time is told when asked for, past whatever else is said."""
        self.ask_time()
        while self.hear()[0] not in {CURRENT_TIME, CURRENT_TIME + PROTOBUF}:
            pass
        return True

    def is_closed(self) -> bool:
        """Whether the server hangs up, after whatever else it says."""
        try:
            while True:
                self.frame()
        except ConnectionError:
            return True
