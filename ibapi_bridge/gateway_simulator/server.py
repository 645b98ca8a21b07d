"""The gateway simulator as a TCP server: one thread owns the sockets, the gateway and market time."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import TypeVar

from ibapi.message import OUT

from ibapi_bridge.gateway_simulator.clock import MarketClock
from ibapi_bridge.gateway_simulator.config import OWN_MIN_SERVER_VERSION, ConfigError, GatewayConfig
from ibapi_bridge.gateway_simulator.connections import RECEIVE_BYTES, Connection, Connections
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.framing import FramingError
from ibapi_bridge.gateway_simulator.handshake import HandshakeError, agree, greeting
from ibapi_bridge.gateway_simulator.requests.table import dispatch
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import UnreadableRequest, decode_request

IDLE_SECONDS = 0.05
JOIN_SECONDS = 2.0
MAX_SLICES = 50
FOLLOWER_SECONDS = 1.0
Answer = TypeVar("Answer")


class GatewaySimulator:
    """A simulated IB Gateway on a port of its own.

    `start` and `stop` may be called from any thread and more than once. All other methods run their work on the
    server's thread, so that what they see is consistent.
    """

    def __init__(self, config: GatewayConfig) -> None:
        self.config = config
        self.port = config.port
        self.gateway = Gateway(config)
        self._clock = MarketClock(start=config.start, speed=config.speed, end=config.end)
        self._clock.paused = config.start_paused
        self._connections = Connections()
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._numbers = 0
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Opens the port and starts serving.

        Raises:
            ConfigError: the port cannot be opened.
        """
        if self._thread is not None:
            return
        try:
            self.port = self._connections.listen(self.config.host, self.config.port)
        except OSError as error:
            raise ConfigError(f"port {self.config.port} on {self.config.host} cannot be opened: {error}") from error
        self._clock.rebase(self.gateway.now, time.monotonic())
        self._thread = threading.Thread(target=self._run, name="gateway-simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Closes every connection and the port; returns within two seconds.

        Raises:
            BaseException: whatever made the server's thread fail earlier.
        """
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            self._connections.wake()
            thread.join(JOIN_SECONDS)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def now(self) -> datetime:
        """Market time."""
        return self.gateway.now

    def pause(self) -> None:
        """Stops market time; requests are still answered."""
        self.call(self._pause)

    def resume(self) -> None:
        """Lets market time run on from where it stands."""
        self.call(self._resume)

    def call(self, work: Callable[[], Answer], *, seconds: float = 5.0) -> Answer:
        """Runs work on the server's thread and returns what it returns.

        Raises:
            TimeoutError: the server did not come to it in time.
        """
        if self._thread is None or not self._thread.is_alive() or self._thread is threading.current_thread():
            return work()
        done: Future[Answer] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except Exception as error:  # noqa: BLE001 - handed to the caller's thread, not swallowed
                done.set_exception(error)

        self._calls.put(run)
        self._connections.wake()
        return done.result(seconds)

    def _pause(self) -> None:
        self._clock.paused = True

    def _resume(self) -> None:
        self._clock.paused = False
        self._clock.rebase(self.gateway.now, time.monotonic())

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
        except BaseException as error:  # noqa: BLE001 - kept for stop(), which raises it
            self.failure = error
        finally:
            self._connections.shut()

    def _turn(self) -> None:
        knocking, ready = self._connections.wait(self._patience())
        self._run_calls()
        self._advance()
        if knocking:
            self._connections.accept()
        for connection in ready:
            self._receive(connection)
        self._flush()

    def _run_calls(self) -> None:
        while not self._calls.empty():
            self._calls.get()()

    def _patience(self) -> float:
        due = self.gateway.next_event_at()
        if self._clock.paused or due is None or self._held():
            return IDLE_SECONDS
        if self._clock.end is not None and self.gateway.now >= self._clock.end:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, self._clock.real_seconds_until(due, self.gateway.now))

    def _held(self) -> bool:
        return any(self._holds(connection) for connection in self._connections)

    def _holds(self, connection: Connection) -> bool:
        if connection.backlog() > self.config.max_backlog:
            return True
        session, lockstep = connection.session, self.config.lockstep
        if session is None or session.time_told is None or lockstep is None:
            return False
        if time.monotonic() - session.time_told_real > FOLLOWER_SECONDS:
            session.time_told = None  # it no longer asks, so it no longer follows
        return session.time_told is not None and self.gateway.now - session.time_told >= lockstep

    def _advance(self) -> None:
        if self._held():
            self._clock.rebase(self.gateway.now, time.monotonic())
            return
        real = time.monotonic()
        target = self._clock.target(self.gateway.now, real, self.config.step)
        self.gateway.advance(min(target, self.gateway.now + self.config.step))
        if (target - self.gateway.now) > MAX_SLICES * self.config.step:
            self._clock.rebase(self.gateway.now, real)

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.stream.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        connection.inbound.feed(data)
        try:
            self._serve(connection)
        except (FramingError, HandshakeError):
            self._close(connection)

    def _serve(self, connection: Connection) -> None:
        if not connection.greeted:
            prefix = connection.prefix()
            if prefix is None:
                return
            if not prefix:
                raise HandshakeError("the connection does not begin with the API prefix")
            connection.greeted = True
        for payload in connection.requests():
            if connection.session is None:
                self._greet(connection, payload)
            else:
                self._handle(connection.session, payload)

    def _greet(self, connection: Connection, payload: bytes) -> None:
        version, options = agree(payload, lowest=OWN_MIN_SERVER_VERSION, highest=self.config.max_server_version)
        self._numbers += 1
        connection.session = Session(number=self._numbers, version=version, options=options)
        connection.session.outbound += greeting(version, self.gateway.now)

    def _handle(self, session: Session, payload: bytes) -> None:
        try:
            request = decode_request(session.version, payload)
        except UnreadableRequest as problem:
            self._unreadable(session, problem)
        else:
            dispatch(self.gateway, session, request)
            if request.number == OUT.REQ_CURRENT_TIME_IN_MILLIS:
                session.time_told_real = time.monotonic()

    def _unreadable(self, session: Session, problem: UnreadableRequest) -> None:
        if session.client_id is None:
            session.closing = True
            return
        code = 320 if problem.number is None or problem.known else 505
        text = f"Error reading request. {problem}" if code == 320 else f"Fatal Error: Unknown message id.{problem}"
        session.error(problem.message_id, code, text, self.gateway.now)

    def _flush(self) -> None:
        now = time.monotonic()
        for connection in self._connections:
            session = connection.session
            alive = connection.write(now)
            stuck = connection.stuck_since is not None and now - connection.stuck_since > self.config.stall_seconds
            finished = session is not None and (session.aborting or (session.closing and not session.outbound))
            if not alive or stuck or finished:
                self._close(connection, reset=session is not None and session.aborting)
            else:
                self._connections.watch_writes(connection)

    def _close(self, connection: Connection, *, reset: bool = False) -> None:
        if connection.session is not None:
            self.gateway.leave(connection.session)
        self._connections.close(connection, reset=reset)
