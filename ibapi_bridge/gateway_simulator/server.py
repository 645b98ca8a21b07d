"""The gateway simulator as a TCP server: one thread owns the sockets, the gateway and market time."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from ibapi.message import OUT

from ibapi_bridge.gateway_simulator import times
from ibapi_bridge.gateway_simulator.books import Books
from ibapi_bridge.gateway_simulator.clock import real_seconds
from ibapi_bridge.gateway_simulator.config import ConfigError, GatewayConfig
from ibapi_bridge.gateway_simulator.connections import Connection, Connections
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.course import Course
from ibapi_bridge.gateway_simulator.faults.burst import pad_to_burst
from ibapi_bridge.gateway_simulator.faults.control import ControlServer
from ibapi_bridge.gateway_simulator.faults.scenario import RequestCounter, Step
from ibapi_bridge.gateway_simulator.faults.switchboard import Faults, check, perform
from ibapi_bridge.gateway_simulator.intake import CLIENT_LEFT, Intake
from ibapi_bridge.gateway_simulator.requests.table import dispatch
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request
from ibapi_bridge.gateway_simulator.wire_log import WireLog

JOIN_SECONDS = 2.0
MAX_CONNECTIONS = 256  # clients and strangers together; the files of a process are counted
SAVE_SECONDS = 2.0
Answer = TypeVar("Answer")


class GatewaySimulator:
    """A simulated IB Gateway on a port of its own.

    `start` and `stop` may be called from any thread and more than once. All other methods run their work on the
    server's thread, so that what they see is consistent. `on_end` is called on that thread when it ends, whether it
    was stopped or failed.

    Raises:
        ConfigError: a scenario names an unknown fault, or the books cannot be continued.
    """

    def __init__(self, config: GatewayConfig) -> None:
        self.config = config
        self.port = config.port
        self.gateway = Gateway(config)
        self.gateway.host = self
        self.faults = Faults(self)
        self.failure: BaseException | None = None
        self.on_end: Callable[[], None] | None = None
        self._books = None if config.books_path is None else Books(config.books_path)
        if self._books is not None:
            self._books.load_into(self.gateway)
        self._save_at = 0.0
        self._connections = Connections()
        self._course = Course(self.gateway, config, self._connections)
        self._intake = Intake(self.gateway, config, self.handle)
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._reopen_at: float | None = None
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
            ConfigError: the port or the wire log cannot be opened.
        """
        if self._thread is not None:
            return
        if self.config.wire_log is not None:
            self._intake.log = _wire_log(self.config.wire_log)
        try:
            self.port = self._connections.listen(self.config.host, self.config.port)
        except OSError as error:
            raise ConfigError(f"port {self.config.port} on {self.config.host} cannot be opened: {error}") from error
        if self.config.control_port is not None:
            self._control = ControlServer(self.faults, self.config.control_port)
        self._course.begin()
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
        if self._on_another_thread():
            self._connections.wake()
            if self._thread is not None:
                self._thread.join(JOIN_SECONDS)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def now(self) -> datetime:
        """Market time."""
        return self.gateway.now

    def pause(self) -> None:
        """Stops market time; requests are still answered."""
        self.call(self._course.pause)

    def resume(self) -> None:
        """Lets market time run on from where it stands."""
        self.call(self._course.resume)

    def call(self, work: Callable[[], Answer], *, seconds: float = 5.0) -> Answer:
        """Runs work on the server's thread and returns what it returns.

        Raises:
            TimeoutError: the server did not come to it in time.
        """
        if not self._on_another_thread():
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

    def restart(self, down_seconds: float) -> None:
        """Resets every connection and refuses new ones for that many real seconds."""
        for connection in self._connections:
            self._close(connection, "the gateway restarts", reset=True)
        self._connections.stop_listening()
        self._reopen_at = real_seconds() + down_seconds

    def move(self, port: int) -> int:
        """Listens on another port and returns it."""
        self._connections.stop_listening()
        self.port = self._connections.listen(self.config.host, port)
        return self.port

    def split_next_greeting(self, at: int, seconds: float) -> None:
        """Cuts the next greeting after so many bytes for so many seconds."""
        self._intake.next_greeting_split = (at, seconds)

    def handle(self, session: Session, request: Request) -> None:
        """Answers a request, unless a fault or the link stands in between."""
        for step in self._scenario.saw(request.name):
            self._perform(step)
        if not self.gateway.faults.incoming(session, request):
            self.gateway.unsaved = self.gateway.unsaved or request.number == OUT.PLACE_ORDER  # it uses an id up
            dispatch(self.gateway, session, request)
        if session.abort_after_request:
            session.abort("fault: kill_on_request")

    def _on_another_thread(self) -> bool:
        thread = self._thread
        return thread is not None and thread.is_alive() and thread is not threading.current_thread()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
        except BaseException as error:  # noqa: BLE001 - kept for stop(), which raises it
            self.failure = error
        else:
            self.failure = self._intake.failure
        finally:
            self._end()

    def _end(self) -> None:
        for connection in self._connections:
            self._close(connection, "the gateway stops")
        self._connections.shut()
        self._run_calls()
        if self._books is not None:
            self._books.save(self.gateway)
        if self._intake.log is not None:
            self._intake.log.close()
        if self.on_end is not None:
            self.on_end()

    def _turn(self) -> None:
        knocking, ready = self._connections.wait(0 if self._intake.busy else self._course.patience())
        self._run_calls()
        self._course.advance()
        self._keep_house(real_seconds())
        if knocking:
            self._accept(real_seconds())
        for connection in ready:
            if connection.open and (reason := self._intake.receive(connection)) is not None:
                self._close(connection, reason)
        for connection, reason in self._intake.serve_waiting():
            self._close(connection, reason)
        self._save_books(real_seconds())
        if self._intake.log is not None:
            self._intake.log.flush()
        self._flush(real_seconds())

    def _accept(self, now: float) -> None:
        connection = self._connections.accept(now)
        if connection is not None and len(self._connections) > MAX_CONNECTIONS:
            self._close(connection, f"{MAX_CONNECTIONS} connections are open already")

    def _run_calls(self) -> None:
        while not self._calls.empty():
            self._calls.get()()

    def _keep_house(self, now: float) -> None:
        if self._reopen_at is not None and now >= self._reopen_at:
            self._reopen_at = None
            self._connections.listen(self.config.host, self.port)

    def _save_books(self, now: float) -> None:
        """Before anything is told that must not be forgotten, and every two seconds for the market."""
        if self._books is not None and (self.gateway.unsaved or now >= self._save_at):
            self._save_at = now + SAVE_SECONDS
            self._books.save(self.gateway)
            self.gateway.unsaved = False

    def _plan(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            check(self.gateway, step.fault, step.parameters)
            due = step.due(self.config.start, times.zone(self.config.zone))
            if due is not None:
                self.gateway.later(due - self.gateway.now, partial(self._perform, step))

    def _perform(self, step: Step) -> None:
        perform(self.gateway, step.fault, dict(step.parameters))

    def _flush(self, now: float) -> None:
        for connection in self._connections:
            session = connection.session
            if session is not None and session.line.burst is not None:
                pad_to_burst(session, self.gateway.now)
            alive = connection.write(now, self.config.max_backlog)
            reason = self._reason_to_close(connection, now) if alive else CLIENT_LEFT
            if reason is not None:
                self._close(connection, reason, reset=session is not None and session.aborting)
            else:
                self._connections.watch_writes(connection)

    def _reason_to_close(self, connection: Connection, now: float) -> str | None:
        session, config = connection.session, self.config
        if session is not None and (session.aborting or (session.closing and not session.outbound)):
            return session.ending
        if connection.stalled(now, config.stall_seconds):
            return f"took too little for {config.stall_seconds:g} seconds"
        healthy = session is None or session.line.limit is None
        if not connection.started and healthy and now - connection.opened_at > config.greeting_seconds:
            return f"no startApi within {config.greeting_seconds:g} seconds"
        return None

    def _close(self, connection: Connection, reason: str, *, reset: bool = False) -> None:
        session = connection.session
        if session is not None:
            self.gateway.leave(session)
        if self._intake.log is not None:
            self._intake.log.closed(session, connection.peer, reason, self.gateway.now)
        client = connection.peer if session is None or session.client_id is None else f"client {session.client_id}"
        self.gateway.note_connection(f"{client} disconnected: {reason}")
        self._connections.close(connection, reset=reset)


def _wire_log(path: Path) -> WireLog:
    try:
        return WireLog(path)
    except OSError as error:
        raise ConfigError(f"wire_log {path} cannot be written: {error}") from error
