"""The sockets of a simulator: accepting, reading whole requests, writing what is queued."""

import os
import selectors
import socket
import struct
from collections.abc import Iterator

from ibapi_bridge.gateway_simulator.framing import FrameBuffer
from ibapi_bridge.gateway_simulator.handshake import PREFIX
from ibapi_bridge.gateway_simulator.session import Session

RECEIVE_BYTES = 65536
SEND_BYTES = 65536
BUFFER_BYTES = 65536
LINGER_NONE = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Connection:
    """One accepted socket; `session` is None until the version is agreed.

    `stuck_since` and `behind_since` are the monotonic seconds since which the socket has taken nothing, and since
    which more bytes wait than may.
    """

    def __init__(self, stream: socket.socket, peer: str, opened_at: float) -> None:
        self.stream = stream
        self.peer = peer
        self.opened_at = opened_at
        self.inbound = FrameBuffer()
        self.session: Session | None = None
        self.greeted = False
        self.stuck_since: float | None = None
        self.behind_since: float | None = None

    @property
    def started(self) -> bool:
        """Whether the client has got as far as startApi."""
        return self.session is not None and self.session.client_id is not None

    @property
    def reading(self) -> bool:
        """Whether the client's bytes are wanted."""
        return self.session is None or self.session.line.reading

    def backlog(self) -> int:
        """Bytes waiting for the client to take them."""
        return 0 if self.session is None else len(self.session.outbound)

    @property
    def open(self) -> bool:
        """Whether the socket has not been closed."""
        return self.stream.fileno() >= 0

    def prefix(self) -> bool | None:
        """Whether the stream begins as the API does; None while too little has come."""
        return self.inbound.take_prefix(PREFIX)

    def write(self, now: float, max_backlog: int) -> bool:
        """Sends what fits; False when the connection is gone."""
        if self.session is None:
            return True
        outbound, line = self.session.outbound, self.session.line
        try:
            while outbound and (allowed := line.allowance(len(outbound), now)):
                sent = self.stream.send(outbound[: min(SEND_BYTES, allowed)])
                del outbound[:sent]
                line.spend(sent)
                self.stuck_since = None
        except BlockingIOError:
            if self.stuck_since is None:
                self.stuck_since = now
        except OSError:
            return False
        if line.must_abort():
            self.session.abort("fault: cut_after_bytes")
            outbound.clear()
        if len(outbound) <= max_backlog:
            self.behind_since = None
        elif self.behind_since is None:
            self.behind_since = now
        return True

    def stalled(self, now: float, seconds: float) -> bool:
        """Whether the client has not kept up for that long, and no fault is the reason."""
        since = [moment for moment in (self.stuck_since, self.behind_since) if moment is not None]
        faulty = self.session is not None and self.session.line.limit is not None
        return bool(since) and not faulty and now - min(since) > seconds


class Connections:
    """All sockets of one simulator behind one selector."""

    def __init__(self) -> None:
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._wakers: tuple[socket.socket, socket.socket] | None = None
        self._all: dict[int, Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def listen(self, host: str, port: int) -> int:
        """Opens the server socket and returns its port.

        Raises:
            OSError: the address cannot be used.
        """
        self._listener = socket.create_server((host, port), backlog=64)
        if self._wakers is None:
            self._wakers = socket.socketpair()
            for waker in self._wakers:
                waker.settimeout(0)
            self._selector.register(self._wakers[0], selectors.EVENT_READ, None)
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ, self._listener)
        return int(self._listener.getsockname()[1])

    def stop_listening(self) -> None:
        """Refuses new connections from now on."""
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def wake(self) -> None:
        """Ends a running `wait`, from any thread."""
        if self._wakers is None:
            return
        try:
            self._wakers[1].send(b"!")
        except OSError:
            return  # a full pipe wakes just as well, behind a closed one nobody sleeps

    def wait(self, seconds: float) -> tuple[bool, list[Connection]]:
        """Waits for something to do: whether a client knocks, and the connections with bytes to read."""
        knocking, ready = False, []
        for key, mask in self._selector.select(seconds):
            if key.data is None and self._wakers is not None:
                self._wakers[0].recv(4096)
            elif isinstance(key.data, Connection):
                if mask & selectors.EVENT_READ:
                    ready.append(key.data)
            else:
                knocking = True
        return knocking, ready

    def accept(self, now: float) -> Connection | None:
        """The next waiting client, None when it has gone again."""
        if self._listener is None:
            return None
        try:
            stream, address = self._listener.accept()
            stream.settimeout(0)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # A small buffer, so that a client that reads slowly shows as a backlog here and not in the kernel.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        except OSError:
            return None  # it is gone already
        connection = Connection(stream, f"{address[0]}:{address[1]}", now)
        self._all[stream.fileno()] = connection
        self._selector.register(stream, selectors.EVENT_READ, connection)
        return connection

    def watch_writes(self, connection: Connection) -> None:
        """Asks the selector about writing only while something waits, about reading only while wanted."""
        events = selectors.EVENT_READ if connection.reading else 0
        if connection.backlog() and connection.stuck_since is not None:
            events |= selectors.EVENT_WRITE
        known = self._selector.get_map().get(connection.stream.fileno())
        if known is None:
            if events:
                self._selector.register(connection.stream, events, connection)
        elif not events:
            self._selector.unregister(connection.stream)
        elif known.events != events:
            self._selector.modify(connection.stream, events, connection)

    def close(self, connection: Connection, *, reset: bool = False) -> None:
        """Closes one connection, with a TCP reset when asked."""
        if reset:
            connection.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        self._all.pop(connection.stream.fileno(), None)
        if connection.stream.fileno() in self._selector.get_map():
            self._selector.unregister(connection.stream)
        connection.stream.close()

    def shut(self) -> None:
        """Closes everything, for good."""
        self.stop_listening()
        for connection in self:
            self.close(connection)
        self._selector.close()
        for waker in self._wakers or ():
            waker.close()
