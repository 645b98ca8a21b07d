"""What clients send: greetings agreed, requests paced, decoded, logged and handed on."""

from collections.abc import Callable
from typing import TypeAlias

from ibapi.message import OUT

from ibapi_bridge.gateway_simulator.clock import real_seconds
from ibapi_bridge.gateway_simulator.config import OWN_MIN_SERVER_VERSION, GatewayConfig
from ibapi_bridge.gateway_simulator.connections import RECEIVE_BYTES, Connection
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.framing import FramingError
from ibapi_bridge.gateway_simulator.handshake import HandshakeError, agree, greeting
from ibapi_bridge.gateway_simulator.pacing import PACE_OPTION, Pace
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request, UnreadableRequest, decode_request
from ibapi_bridge.gateway_simulator.wire_log import WireLog

Handle: TypeAlias = Callable[[Session, Request], None]


class Intake:
    """Turns received bytes into handled requests.

    `log` is None unless the wire is logged. `next_greeting_split` cuts the next greeting after so many bytes for so
    many seconds.
    """

    def __init__(self, gateway: Gateway, config: GatewayConfig, handle: Handle) -> None:
        self._gateway = gateway
        self._config = config
        self._handle_request = handle
        self._numbers = 0
        self._waiting: set[Connection] = set()
        self.log: WireLog | None = None
        self.next_greeting_split: tuple[int, float] | None = None

    def receive(self, connection: Connection) -> bool:
        """Reads what has come and serves it; False when the connection has to be closed."""
        try:
            data = connection.stream.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        connection.inbound.feed(data)
        return bool(data) and self._serve(connection)

    def serve_waiting(self) -> list[Connection]:
        """Serves what pacing held back; returns the connections that have to be closed."""
        waiting, self._waiting = self._waiting, set()
        return [connection for connection in waiting if connection.open and not self._serve(connection)]

    def _serve(self, connection: Connection) -> bool:
        try:
            if not connection.greeted and not self._begins(connection):
                return True
            while (payload := self._next_payload(connection)) is not None:
                if connection.session is None:
                    self._greet(connection, payload)
                elif self._paced(connection.session):
                    self._handle(connection.session, payload)
        except (FramingError, HandshakeError):
            return False
        return True

    @staticmethod
    def _begins(connection: Connection) -> bool:
        prefix = connection.prefix()
        if prefix is False:
            raise HandshakeError("the connection does not begin with the API prefix")
        connection.greeted = prefix is True
        return connection.greeted

    def _next_payload(self, connection: Connection) -> bytes | None:
        pace = None if connection.session is None else connection.session.pace
        if pace is not None and pace.waits and connection.inbound.complete() and not pace.admits(real_seconds()):
            self._waiting.add(connection)
            return None
        return connection.inbound.take() if connection.reading else None

    def _paced(self, session: Session) -> bool:
        pace = session.pace
        if pace is None or pace.waits or pace.admits(real_seconds()):
            return True
        text = f"Max rate of messages per second has been exceeded:max={self._config.messages_per_second:g}"
        session.error(-1, 100, text, self._gateway.now)
        session.closing = session.closing or pace.exhausted
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
        self._handle_request(session, request)
        if request.number == OUT.REQ_CURRENT_TIME_IN_MILLIS:
            session.time_told_real = real_seconds()

    def _unreadable(self, session: Session, problem: UnreadableRequest) -> None:
        if session.client_id is None:
            session.closing = True
            return
        if problem.code is not None:
            session.error(problem.message_id, problem.code, str(problem), self._gateway.now)
            return
        code = 320 if problem.number is None or problem.known else 505
        text = f"Error reading request. {problem}" if code == 320 else f"Fatal Error: Unknown message id. {problem}"
        session.error(problem.message_id, code, text, self._gateway.now)
