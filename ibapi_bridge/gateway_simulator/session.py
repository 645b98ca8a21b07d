"""One API connection after the handshake: who it is, what it subscribed to, what is still to be sent."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.line import Line
from ibapi_bridge.gateway_simulator.pacing import Pace
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.wire import encode_reply

Outlet: TypeAlias = Callable[["Session", int, Message], None]
Tap: TypeAlias = Callable[["Session", int, Message, bytes], None]


class Session:
    """A connected client; `client_id` is None until it has sent startApi.

    Replies are appended to `outbound`; the server writes them out. `closing` asks the server to close the
    connection once everything is written, `aborting` to reset it at once; `ending` says why.
    """

    def __init__(self, *, number: int, version: int, options: str = "") -> None:
        self.number = number
        self.version = version
        self.options = options
        self.client_id: int | None = None
        self.outbound = bytearray()
        self.closing = False
        self.aborting = False
        self.ending = ""
        self.market_data_type = 1
        self.account_updates: str | None = None
        self.positions = False
        self.auto_open = False
        self.id_floor = 0
        self.pace: Pace | None = None
        self.time_told: datetime | None = None
        self.time_told_real = 0.0
        self.line = Line()
        self.abort_after_request = False
        self.outlet: Outlet | None = None
        self.tap: Tap | None = None

    def send(self, number: int, **fields: object) -> None:
        """Sends a reply built from plain field values; fields that are None stay absent."""
        message = REPLIES[number].message()
        for name, value in fields.items():
            if value is not None:
                setattr(message, name, value)
        self.post(number, message)

    def post(self, number: int, message: Message) -> None:
        """Sends a finished reply, through the fault outlet when there is one."""
        if self.outlet is None:
            self.write(number, message)
        else:
            self.outlet(self, number, message)

    def write(self, number: int, message: Message) -> None:
        """Encodes a reply and queues its bytes, past every fault."""
        if self.over or self.line.dead:
            return
        frame = encode_reply(self.version, number, message)
        if self.line.mangle is not None:
            frame = self.line.damaged(frame)
        if self.tap is not None:
            self.tap(self, number, message, frame)
        self.outbound += frame

    @property
    def over(self) -> bool:
        """Whether nothing more is taken from the client."""
        return self.closing or self.aborting

    def close(self, reason: str) -> None:
        """Asks the server to close the connection once everything is written."""
        self.closing, self.ending = True, self.ending or reason

    def abort(self, reason: str) -> None:
        """Asks the server to send what waits and then reset the connection; nothing more is taken."""
        self.aborting, self.ending = True, self.ending or reason

    def error(self, message_id: int, code: int, text: str, at: datetime, *, advanced: str = "") -> None:
        """Sends the error callback; `at` becomes the error time in milliseconds."""
        self.send(
            IN.ERR_MSG,
            id=message_id,
            errorTime=int(at.timestamp() * 1000),
            errorCode=code,
            errorMsg=text,
            advancedOrderRejectJson=advanced or None,
        )
