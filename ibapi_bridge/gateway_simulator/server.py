"""The gateway simulator as a TCP server: one thread owns the sockets, the gateway and market time."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from ibapi.message import OUT

from ibapi_bridge.gateway_simulator import times
from ibapi_bridge.gateway_simulator.books import Books
from ibapi_bridge.gateway_simulator.clock import MarketClock
from ibapi_bridge.gateway_simulator.config import OWN_MIN_SERVER_VERSION, ConfigError, GatewayConfig
from ibapi_bridge.gateway_simulator.connections import RECEIVE_BYTES, Connection, Connections
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.faults.burst import pad_to_burst
from ibapi_bridge.gateway_simulator.faults.control import ControlServer
from ibapi_bridge.gateway_simulator.faults.scenario import RequestCounter, Step
from ibapi_bridge.gateway_simulator.faults.switchboard import Faults, check_name, perform
from ibapi_bridge.gateway_simulator.framing import FramingError
from ibapi_bridge.gateway_simulator.handshake import HandshakeError, agree, greeting
from ibapi_bridge.gateway_simulator.pacing import PACE_OPTION, Pace
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.table import dispatch
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request, UnreadableRequest, decode_request
from ibapi_bridge.gateway_simulator.wire_log import WireLog

IDLE_SECONDS = 0.05
JOIN_SECONDS = 2.0
MAX_SLICES = 50
FOLLOWER_SECONDS = 1.0
SAVE_SECONDS = 2.0
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
        self._books = None if config.books_path is None else Books(config.books_path)
        if self._books is not None:
            self._books.load_into(self.gateway)
        self._save_at = 0.0
        self._clock = MarketClock(start=config.start, speed=config.speed, end=config.end)
        self._clock.paused = config.start_paused
        self._connections = Connections()
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._numbers = 0
        self._waiting: set[Connection] = set()
        self.failure: BaseException | None = None
        self.faults = Faults(self)
        self.next_greeting_split: tuple[int, float] | None = None
        self.gateway.host = self
        self._reopen_at: float | None = None
        self._log: WireLog | None = None
        self._control: ControlServer | None = None
        self._scenario = RequestCounter(config.scenario)
        self._plan(config.scenario)

    @property
    def control_port(self) -> int | None:
        """The port of the control socket, None without one."""
        return None if self._control is None else self._control.port

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
        if self.config.wire_log is not None:
            self._log = _wire_log(self.config.wire_log)
        if self.config.control_port is not None:
            self._control = ControlServer(self.faults, self.config.control_port)
        self._thread = threading.Thread(target=self._run, name="gateway-simulator", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Closes every connection and the port; returns within two seconds.

        Raises:
            BaseException: whatever made the server's thread fail earlier.
        """
        self._stopping.set()
        if self._control is not None:
            self._control.stop()
            self._control = None
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
            for connection in self._connections:
                self._close(connection)
            self._connections.shut()
            if self._books is not None:
                self._books.save(self.gateway)
            if self._log is not None:
                self._log.close()

    def _turn(self) -> None:
        knocking, ready = self._connections.wait(self._patience())
        self._run_calls()
        self._advance()
        self._reopen()
        self._save(time.monotonic())
        if knocking:
            self._connections.accept()
        for connection in ready:
            self._receive(connection)
        self._serve_waiting()
        self._flush()

    def _save(self, now: float) -> None:
        if self._books is not None and now >= self._save_at:
            self._save_at = now + SAVE_SECONDS
            self._books.save(self.gateway)

    def _plan(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            check_name(step.fault)
            due = step.due(self.config.start, times.zone(self.config.zone))
            if due is not None:
                self.gateway.later(due - self.config.start, partial(self._perform, step))

    def _perform(self, step: Step) -> None:
        perform(self.gateway, step.fault, dict(step.parameters))

    def restart(self, down_seconds: float) -> None:
        """Resets every connection and refuses new ones for that many real seconds."""
        for connection in self._connections:
            self._close(connection, reset=True)
        self._connections.stop_listening()
        self._reopen_at = time.monotonic() + down_seconds

    def _reopen(self) -> None:
        if self._reopen_at is not None and time.monotonic() >= self._reopen_at:
            self._reopen_at = None
            self._connections.listen(self.config.host, self.port)

    def move(self, port: int) -> int:
        """Listens on another port and returns it."""
        self._connections.stop_listening()
        self.port = self._connections.listen(self.config.host, port)
        return self.port

    def handle(self, session: Session, request: Request) -> None:
        """Answers a request, unless a fault or the link stands in between."""
        for step in self._scenario.saw(request.name):
            self._perform(step)
        if not self.gateway.faults.incoming(session, request):
            dispatch(self.gateway, session, request)
        if session.abort_after_request:
            session.abort()

    def _run_calls(self) -> None:
        while not self._calls.empty():
            self._calls.get()()

    def _patience(self) -> float:
        due = self.gateway.next_event_at()
        if self._clock.paused or due is None or self._held():
            return IDLE_SECONDS
        if self._clock.end is not None and self.gateway.now >= self._clock.end:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, self._clock.real_seconds_until(due, time.monotonic()))

    def _held(self) -> bool:
        return any(self._holds(connection) for connection in self._connections)

    def _holds(self, connection: Connection) -> bool:
        session, lockstep = connection.session, self.config.lockstep
        if connection.backlog() > self.config.max_backlog:
            return session is not None and session.line.limit is None
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
        if connection.stream.fileno() < 0:
            return  # closed by a fault since it was found ready
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
        while (payload := self._next_payload(connection)) is not None:
            if connection.session is None:
                self._greet(connection, payload)
            elif self._paced(connection.session):
                self._handle(connection.session, payload)

    def _next_payload(self, connection: Connection) -> bytes | None:
        session = connection.session
        pace = None if session is None else session.pace
        if pace is not None and pace.waits and connection.inbound.complete() and not pace.admits(time.monotonic()):
            self._waiting.add(connection)
            return None
        return connection.inbound.take() if connection.reading else None

    def _paced(self, session: Session) -> bool:
        pace = session.pace
        if pace is None or pace.waits or pace.admits(time.monotonic()):
            return True
        text = "Max rate of messages per second has been exceeded:max=" + f"{self.config.messages_per_second:g}"
        session.error(-1, 100, text, self.gateway.now)
        session.closing = session.closing or pace.exhausted
        return False

    def _serve_waiting(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for connection in waiting:
            if connection.open:
                self._serve(connection)

    def _greet(self, connection: Connection, payload: bytes) -> None:
        version, options = agree(payload, lowest=OWN_MIN_SERVER_VERSION, highest=self.config.max_server_version)
        self._numbers += 1
        session = connection.session = Session(number=self._numbers, version=version, options=options)
        reply = greeting(version, self.gateway.now)
        session.outbound += reply
        if self.config.messages_per_second is not None:
            session.pace = Pace(per_second=self.config.messages_per_second, waits=PACE_OPTION in options)
        if self.next_greeting_split is not None:
            session.line.limit, session.line.pause_seconds = self.next_greeting_split
            self.next_greeting_split = None
        self.gateway.join(session)
        if self._log is not None:
            session.tap = self._tap
            self._log.greeting(session, "in", payload, self.gateway.now)
            self._log.greeting(session, "out", reply[4:], self.gateway.now)

    def _tap(self, session: Session, number: int, message: Message, frame: bytes) -> None:
        if self._log is not None:
            self._log.sent(session, number, message, frame, self.gateway.now)

    def _handle(self, session: Session, payload: bytes) -> None:
        try:
            request = decode_request(session.version, payload)
        except UnreadableRequest as problem:
            if self._log is not None:
                self._log.unreadable(session, str(problem), payload, self.gateway.now)
            self._unreadable(session, problem)
        else:
            if self._log is not None:
                self._log.received(session, request, payload, self.gateway.now)
            self.handle(session, request)
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
            if session is not None and session.line.burst is not None:
                pad_to_burst(session, self.gateway.now)
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
            if self._log is not None:
                self._log.closed(connection.session, self.gateway.now)
        self._connections.close(connection, reset=reset)


def _wire_log(path: Path) -> WireLog:
    try:
        return WireLog(path)
    except OSError as error:
        raise ConfigError(f"wire_log {path} cannot be written: {error}") from error
