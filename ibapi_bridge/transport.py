"""The socket under the official client: connects by a deadline, never blocks a sender, never loses or mixes bytes.

One thread, the reader, owns the socket and waits for it in the operating system; it polls nothing. Any other thread may
``send`` and ``close`` at any time. A send goes straight to the socket when nothing waits; what the peer does not take
is kept (bounded) and written by the reader, whole frames in order. A peer that takes nothing for too long is dead.
"""

import errno
import os
import selectors
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final

import attrs

from actors.link import SendError
from ibapi_bridge.framing import FrameBuffer, OutOfStep

_CHUNK: Final = 262_144
_LINGER_SECONDS: Final = 0.5
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
_UNDER_WAY: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, 10035)  # the last is Windows' own number
_DARWIN_ONLY: Final = "TCP_KEEPALIVE"


class ConnectionEnded(Exception):
    """The connection does not come about or is over; the text says why."""


class Garbled(ConnectionEnded):
    """What arrives are no frames."""


class NoGateway(ConnectionEnded):
    """There is nobody at that address, or somebody who speaks no language of ours."""


@attrs.frozen(kw_only=True)
class TransportSettings:
    """Where to connect and how patient to be; all in seconds and bytes."""

    host: str
    port: int
    connect_seconds: float = 10.0
    send_seconds: float = 5.0
    most_unsent_bytes: int = 1 << 20


class Transport:
    """One connection's bytes; used once."""

    def __init__(self, settings: TransportSettings, *, elapsed: Callable[[], float]) -> None:
        self._settings = settings
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._unsent = bytearray()
        self._progress_at = 0.0
        self._closing = ""
        self._selector: selectors.BaseSelector = selectors.DefaultSelector()
        self._watched = selectors.EVENT_READ
        self._frames = FrameBuffer()
        self._waker: _Waker | None = None

    # -- any thread ------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Hand over whole frames; returns at once.

        Raises:
            SendError: not connected, or the peer has left too much unread; no byte of ``data`` was or will be written.
        """
        with self._lock:
            if self._socket is None or self._closing:
                raise SendError("not connected", uncertain=False)
            waiting = len(self._unsent)
            if waiting and waiting + len(data) > self._settings.most_unsent_bytes:
                raise SendError(f"the gateway does not read: {waiting} bytes wait already", uncertain=False)
            if not waiting:
                taken = self._write(data)
                if taken == len(data):
                    return
                data = data[taken:]
                self._progress_at = self._elapsed()
            self._unsent += data
        self.wake()

    def _write(self, data: bytes | bytearray) -> int:
        if self._socket is None:
            return 0
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as problem:
            raise SendError(f"the connection is broken: {_words(problem)}", uncertain=False) from None

    def close(self, reason: str = "closed by us") -> None:
        """Ask the reader to end; returns at once. The first reason counts."""
        with self._lock:
            self._closing = self._closing or reason
        self.wake()

    def wake(self) -> None:
        """Make the reader look up from its wait."""
        waker = self._waker
        if waker is not None:
            waker.wake()

    # -- the reader's thread -------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Open the connection within the deadline, trying every address of the host.

        Raises:
            NoGateway: refused, unreachable or too late.
            ConnectionEnded: closed meanwhile.
        """
        due = self._elapsed() + self._settings.connect_seconds
        self._waker = _Waker(self._selector)
        reason = "no address"
        for family, kind, protocol, _, address in self._addresses():
            attempt = socket.socket(family, kind, protocol)
            try:
                self._attempt(attempt, address, due)
            except OSError as problem:
                attempt.close()
                reason = _words(problem)
            except BaseException:
                attempt.close()
                raise
            else:
                self._adopt(attempt)
                return
        raise NoGateway(f"cannot connect to {self._place}: {reason}")

    @property
    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _addresses(self) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[object, ...]]]:
        try:
            found = socket.getaddrinfo(self._settings.host, self._settings.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            raise NoGateway(f"cannot connect to {self._place}: {_words(problem)}") from None
        return [(family, kind, protocol, name, tuple(address)) for family, kind, protocol, name, address in found]

    def _attempt(self, attempt: socket.socket, address: tuple[object, ...], due: float) -> None:
        attempt.settimeout(0)
        code = attempt.connect_ex(address)
        if code not in _UNDER_WAY:
            raise OSError(code, os.strerror(code))
        self._selector.register(attempt, selectors.EVENT_WRITE)
        try:
            self._await_connected(attempt, due)
        finally:
            self._selector.unregister(attempt)

    def _await_connected(self, attempt: socket.socket, due: float) -> None:
        while True:
            ready = {key.fileobj for key, _ in self._wait(due - self._elapsed())}
            if attempt in ready:
                code = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code))
                return
            if self._elapsed() >= due:
                seconds = self._settings.connect_seconds
                raise NoGateway(f"cannot connect to {self._place}: no answer in {seconds:g} s")

    def _adopt(self, connected: socket.socket) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name) and (name != _DARWIN_ONLY or sys.platform == "darwin"):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._selector.register(connected, selectors.EVENT_READ)
        with self._lock:
            self._socket = connected

    def receive(self, due: float | None, *, patience: float | None = None) -> Iterator[bytes]:
        """Wait for bytes and give back the frames that they complete; none when woken for another reason.

        Args:
            due: monotonic time after which waiting is in vain; None waits for ever.
            patience: wait no longer than so many seconds; None waits for bytes.

        Raises:
            ConnectionEnded: closed by us or by the peer, broken, out of step, or too late.
        """
        connection = self._socket
        if connection is None:
            raise ConnectionEnded("not connected")
        is_busy = due is not None or self._unsent or self._watched != selectors.EVENT_READ
        for key, mask in self._wait_in_time(due, patience) if is_busy else self._wait(patience):
            if key.fileobj is connection and mask & selectors.EVENT_READ:
                return self._arrived(connection)
        return iter(())

    def _wait_in_time(self, due: float | None, patience: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait until an answer is due, or until the peer should have taken what is still unsent."""
        with self._lock:
            stalled_at = self._progress_at + self._settings.send_seconds if self._unsent else None
            self._watch(selectors.EVENT_READ | selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ)
        limits = [limit - self._elapsed() for limit in (due, stalled_at) if limit is not None]
        limits += [] if patience is None else [patience]
        ready = self._wait(min(limits, default=None))
        if any(mask & selectors.EVENT_WRITE for _, mask in ready):
            self._flush()
        now = self._elapsed()
        if due is not None and now >= due:
            raise ConnectionEnded("the gateway did not answer in time")
        if self._unsent and now >= self._progress_at + self._settings.send_seconds:
            raise ConnectionEnded(f"the gateway has read nothing for {self._settings.send_seconds:g} s")
        return ready

    def _watch(self, events: int) -> None:
        if self._socket is not None and events != self._watched:
            self._selector.modify(self._socket, events)
            self._watched = events

    def _wait(self, seconds: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        self._check_open()  # a close before there was anybody to wake
        ready = self._selector.select(None if seconds is None else max(seconds, 0.0))
        for key, _ in ready:
            if self._waker is not None and key.fileobj is self._waker.reader:
                self._waker.drain()
        self._check_open()
        return ready

    def _check_open(self) -> None:
        if self._closing:
            raise ConnectionEnded(self._closing)

    def _flush(self) -> None:
        with self._lock:
            try:
                taken = self._write(self._unsent)
            except SendError as problem:
                raise ConnectionEnded(problem.text) from None
            if taken:
                del self._unsent[:taken]
                self._progress_at = self._elapsed()

    def _chunk(self, connection: socket.socket) -> bytes:
        try:
            chunk = connection.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError as problem:
            raise ConnectionEnded(f"the connection broke: {_words(problem)}") from None
        if not chunk:
            raise ConnectionEnded("the gateway closed the connection")
        return chunk

    def _arrived(self, connection: socket.socket) -> Iterator[bytes]:
        """Read when the first frame is asked for: the caller has something urgent to do from before that."""
        try:
            yield from self._frames.feed(self._chunk(connection))
        except OutOfStep as problem:
            raise Garbled(f"the stream is out of step: {problem}") from None

    def shut(self) -> None:
        """Release everything; what was sent still reaches a peer that reads it within half a second."""
        with self._lock:
            self._closing = self._closing or "over"
            connection, self._socket = self._socket, None
            unsent = bytes(self._unsent)
        if connection is not None:
            self._part(connection, unsent)
        if self._waker is not None:
            self._waker.close()
        self._selector.close()

    def _part(self, connection: socket.socket, unsent: bytes) -> None:
        """Close so that unread input does not make the system throw our last frames away (a reset would)."""
        due = self._elapsed() + _LINGER_SECONDS
        try:
            if unsent:
                connection.settimeout(_LINGER_SECONDS)
                connection.sendall(unsent)
            connection.shutdown(socket.SHUT_WR)
            while (left := due - self._elapsed()) > 0:
                connection.settimeout(left)
                if not connection.recv(_CHUNK):
                    return
        except OSError:
            return  # gone already, or still talking after the linger
        finally:
            connection.close()


class _Waker:
    """A pair of sockets through which any thread can end a wait of the selector."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self.reader, self._writer = socket.socketpair()
        self.reader.settimeout(0)
        self._writer.settimeout(0)
        selector.register(self.reader, selectors.EVENT_READ)

    def wake(self) -> None:
        try:
            self._writer.send(b"\0")
        except OSError:
            return  # a full pipe wakes as well, and a closed one has nobody to wake

    def drain(self) -> None:
        try:
            self.reader.recv(_CHUNK)
        except BlockingIOError:
            return

    def close(self) -> None:
        self.reader.close()
        self._writer.close()


def _words(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
