"""Turns payloads into request messages and reply messages into frames, for every server version.

The canonical form of every message is its protobuf class; `text` translates for the classic codec.
"""

import struct

import attrs
from google.protobuf.message import DecodeError
from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import (
    PROTOBUF_BASE,
    RAW_MESSAGE_ID_VERSION,
    REPLIES,
    REQUESTS,
    Kind,
)
from ibapi_bridge.gateway_simulator.framing import frame
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text import codec
from ibapi_bridge.gateway_simulator.text.layout import FieldError, RefusedField

HISTORICAL_DATA_END = int(IN.HISTORICAL_DATA_END)
HISTORICAL_DATA_END_VERSION = 196
LONGEST_REQUEST = 1_000_000  # bytes; what is echoed to other clients has to stay far below their 16 MB
_HEAD = struct.Struct("!II")
_NUMBER = struct.Struct("!I")


class UnreadableRequest(Exception):
    """A request that cannot be decoded; `number` is its message number when at least that was readable.

    `code` is set when a gateway has an error of its own for what the request says.
    """

    def __init__(
        self, reason: str, *, number: int | None = None, message_id: int = -1, code: int | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.number = number
        self.message_id = message_id

    @property
    def known(self) -> bool:
        """Whether the message number is one of the protocol."""
        return self.number in REQUESTS


@attrs.frozen(kw_only=True)
class Request:
    """One decoded request: message number, wire name, protobuf message, and whether it came as protobuf."""

    number: int
    name: str
    message: Message
    protobuf: bool


def split(version: int, payload: bytes) -> tuple[int, bool, bytes]:
    """The message number, whether it is protobuf, and the rest of a payload.

    Raises:
        UnreadableRequest: there is no message number.
    """
    if version >= RAW_MESSAGE_ID_VERSION:
        if len(payload) < 4:
            raise UnreadableRequest("the message is shorter than its number")
        (number,) = _NUMBER.unpack_from(payload)
        if number > PROTOBUF_BASE:
            return number - PROTOBUF_BASE, True, payload[4:]
        return number, False, payload[4:]
    head, _, rest = payload.partition(b"\0")
    if not head.isdigit() or len(head) > 9:
        raise UnreadableRequest("the message does not begin with its number")
    return int(head), False, rest


def decode_request(version: int, payload: bytes) -> Request:
    """The request a payload carries.

    Raises:
        UnreadableRequest: unknown number, or the content does not fit the version.
    """
    number, protobuf, body = split(version, payload)
    if len(payload) > LONGEST_REQUEST:
        raise UnreadableRequest(f"{len(payload)} bytes are too many, at most {LONGEST_REQUEST} are read")
    kind = REQUESTS.get(number)
    if kind is None:
        raise UnreadableRequest(f"unknown message number {number}", number=number)
    message = _parse(kind, body) if protobuf else _read_text(kind, body, version)
    return Request(number=number, name=kind.name, message=message, protobuf=protobuf)


def _parse(kind: Kind, body: bytes) -> Message:
    message = kind.message()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise UnreadableRequest(f"{kind.name}: {error}", number=kind.number) from error
    return message


def _read_text(kind: Kind, body: bytes, version: int) -> Message:
    if not codec.has_request_table(kind.number):
        return kind.message()  # nothing here serves such a request, so its fields do not matter
    try:
        return codec.read_request(kind.number, body, version)
    except FieldError as error:
        raise UnreadableRequest(f"{kind.name}: {error}", number=kind.number) from error
    except RefusedField as refused:
        number, asked = kind.number, refused.message_id
        raise UnreadableRequest(str(refused), number=number, message_id=asked, code=refused.code) from refused


def encode_reply(version: int, number: int, message: Message) -> bytes:
    """The frame of one reply in the codec its kind uses at that server version; empty if it has none there."""
    kind = REPLIES[number]
    if version >= kind.protobuf_from:
        body: bytes = message.SerializeToString()
        return _HEAD.pack(len(body) + 4, number + PROTOBUF_BASE) + body
    if number == HISTORICAL_DATA_END and version < HISTORICAL_DATA_END_VERSION:
        return b""
    text = codec.write_reply(number, message, version)
    if version >= RAW_MESSAGE_ID_VERSION:
        return _HEAD.pack(len(text) + 4, number) + text
    return frame(f"{number}\0".encode() + text)
