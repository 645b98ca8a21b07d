"""What clients send: greetings agreed, requests paced, decoded, logged and handed on."""

import traceback
from collections.abc import Callable
from typing import TypeAlias

from ibapi.message import OUT

from ibapi_bridge.gateway_simulator.clock import real_seconds
from ibapi_bridge.gateway_simulator.config import OWN_MIN_SERVER_VERSION, GatewayConfig
from ibapi_bridge.gateway_simulator.connections import RECEIVE_BYTES, Connection
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.framing import FramingError
from ibapi_bridge.gateway_simulator.handshake import LONGEST_GREETING, HandshakeError, agree, greeting
from ibapi_bridge.gateway_simulator.pacing import PACE_OPTION, Pace
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request, UnreadableRequest, decode_request
from ibapi_bridge.gateway_simulator.wire_log import WireLog

Handle: TypeAlias = Callable[[Session, Request], None]
NOT_STARTED = "Error validating request.-'bF' : cause - startApi has to come first"
CLIENT_LEFT = "closed by the client"
CANCELS = frozenset({OUT.CANCEL_ORDER, OUT.REQ_GLOBAL_CANCEL})
TAGGED_CANCELS_VERSION = 192  # recorded: from here on a cancel without its two tagging fields is dropped in silence
SLICE_SECONDS = 0.02  # how long one client's requests may keep the others waiting


class Intake:
    """Turns received bytes into handled requests.

    `log` is None unless the wire is logged. `next_greeting_split` cuts the next greeting after so many bytes for so
    many seconds. `failure` is the first error of our own that a request has brought to light: it ends that client's
    connection and no other one.
    """

    def __init__(self, gateway: Gateway, config: GatewayConfig, handle: Handle) -> None:
        self._gateway = gateway
        self._config = config
        self._handle_request = handle
        self._numbers = 0
        self._paced_out: dict[Connection, None] = {}
        self._unfinished: dict[Connection, None] = {}
        self.log: WireLog | None = None
        self.next_greeting_split: tuple[int, float] | None = None
        self.failure: Exception | None = None

    def receive(self, connection: Connection) -> str | None:
        """Reads what has come and serves it; says why the connection has to be closed, if it has."""
        if connection in self._unfinished:
            return None  # what it sent before comes first
        try:
            data = connection.stream.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            return f"{CLIENT_LEFT}: {error.strerror}"
        connection.inbound.feed(data)
        return self._serve(connection) if data else CLIENT_LEFT

    @property
    def busy(self) -> bool:
        """Whether requests wait that can be served at once."""
        return bool(self._unfinished)

    def serve_waiting(self) -> list[tuple[Connection, str]]:
        """Serves what was held back; returns the connections that have to be closed, and why."""
        waiting = self._paced_out | self._unfinished
        self._paced_out, self._unfinished = {}, {}
        served = [(connection, self._serve(connection)) for connection in waiting if connection.open]
        return [(connection, reason) for connection, reason in served if reason is not None]

    def _serve(self, connection: Connection) -> str | None:
        try:
            if not connection.greeted and not self._begins(connection):
                return None
            until = real_seconds() + SLICE_SECONDS
            while (payload := self._next_payload(connection)) is not None:
                if connection.session is None:
                    self._greet(connection, payload)
                elif self._paced(connection.session):
                    self._handle(connection.session, payload)
                if real_seconds() > until:
                    self._unfinished[connection] = None
                    break
        except (FramingError, HandshakeError) as problem:
            return str(problem)
        return None

    @staticmethod
    def _begins(connection: Connection) -> bool:
        prefix = connection.prefix()
        if prefix is False:
            raise HandshakeError("the connection does not begin with the API prefix")
        connection.greeted = prefix is True
        return connection.greeted

    def _next_payload(self, connection: Connection) -> bytes | None:
        session = connection.session
        if session is None:
            return connection.inbound.take(longest=LONGEST_GREETING)
        if session.over:
            return None
        pace = session.pace
        if pace is not None and pace.waits and connection.inbound.complete() and not pace.admits(real_seconds()):
            self._paced_out[connection] = None
            return None
        return connection.inbound.take() if connection.reading else None

    def _paced(self, session: Session) -> bool:
        pace = session.pace
        if pace is None or pace.waits or pace.admits(real_seconds()):
            return True
        text = f"Max rate of messages per second has been exceeded:max={self._config.messages_per_second:g}"
        session.error(-1, 100, text, self._gateway.now)
        if pace.exhausted:
            session.close("too many messages a second, for the third time")
        return False

    def _greet(self, connection: Connection, payload: bytes) -> None:
        version, options = agree(payload, lowest=OWN_MIN_SERVER_VERSION, highest=self._config.max_server_version)
        self._numbers += 1
        session = connection.session = Session(number=self._numbers, version=version, options=options)
        reply = greeting(version, self._gateway.now)
        session.outbound += reply
        if self._config.messages_per_second is not None:
            session.pace = Pace(per_second=self._config.messages_per_second, waits=PACE_OPTION in options)
        if self.next_greeting_split is not None:
            session.line.limit, session.line.pause_seconds = self.next_greeting_split
            self.next_greeting_split = None
        self._gateway.join(session)
        if self.log is not None:
            self.log.attach(session, lambda: self._gateway.now)
            self.log.greeting(session, "in", payload, self._gateway.now)
            self.log.greeting(session, "out", reply[4:], self._gateway.now)

    def _handle(self, session: Session, payload: bytes) -> None:
        try:
            request = decode_request(session.version, payload)
        except UnreadableRequest as problem:
            if self.log is not None:
                self.log.unreadable(session, str(problem), payload, self._gateway.now)
            self._unreadable(session, problem)
            return
        if self.log is not None:
            self.log.received(session, request, payload, self._gateway.now)
        if session.client_id is None and request.number != OUT.START_API:
            session.error(-1, 321, NOT_STARTED, self._gateway.now)
            return
        self._answer(session, request)
        if request.number == OUT.REQ_CURRENT_TIME_IN_MILLIS:
            session.time_told_real = real_seconds()

    def _answer(self, session: Session, request: Request) -> None:
        try:
            self._handle_request(session, request)
        except ConfigError:
            raise  # a step of the scenario that cannot be done is its author's, not this client's
        except Exception as error:  # noqa: BLE001 - kept for stop(), which raises it
            self.failure = self.failure or error
            request_id = getattr(request.message, "orderId", 0) or getattr(request.message, "reqId", 0) or -1
            text = f"Server error when processing an API client request. {error!r}"
            session.error(request_id, 322, text, self._gateway.now)
            session.close(f"{request.name} failed: {''.join(traceback.format_exception(error))}")

    def _unreadable(self, session: Session, problem: UnreadableRequest) -> None:
        if session.client_id is None:
            session.close(f"no startApi: {problem}")
            return
        if problem.number in CANCELS and session.version >= TAGGED_CANCELS_VERSION:
            return
        if problem.code is not None:
            session.error(problem.message_id, problem.code, str(problem), self._gateway.now)
            return
        code = 320 if problem.number is None or problem.known else 505
        text = f"Error reading request. {problem}" if code == 320 else f"Fatal Error: Unknown message id. {problem}"
        session.error(problem.message_id, code, text, self._gateway.now)
