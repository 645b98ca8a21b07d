"""Turns payloads into request messages and reply messages into frames, for every server version.

The canonical form of every message is its protobuf class; `text` translates for the classic codec.
"""

import struct

import attrs
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtobufMessage

from ibapi_bridge.gateway_simulator.catalogue import (
    PROTOBUF_BASE,
    RAW_MESSAGE_ID_VERSION,
    REPLIES,
    REQUESTS,
)
from ibapi_bridge.gateway_simulator.protos import Message

_HEAD = struct.Struct("!II")
_NUMBER = struct.Struct("!I")


class UnreadableRequest(Exception):
    """A request that cannot be decoded; `number` is its message number when at least that was readable."""

    def __init__(self, reason: str, *, number: int | None = None, message_id: int = -1) -> None:
        super().__init__(reason)
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
    kind = REQUESTS.get(number)
    if kind is None:
        raise UnreadableRequest(f"unknown message number {number}", number=number)
    if not protobuf:
        raise UnreadableRequest("text requests are not understood", number=number)
    message = kind.message()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise UnreadableRequest(f"{kind.name}: {error}", number=number) from error
    return Request(number=number, name=kind.name, message=message, protobuf=True)


def encode_reply(version: int, number: int, message: ProtobufMessage) -> bytes:
    """The frame of one reply in the codec its kind uses at that server version."""
    kind = REPLIES[number]
    if version < kind.protobuf_from:
        raise NotImplementedError(f"{kind.name} as text")
    body = message.SerializeToString()
    return _HEAD.pack(len(body) + 4, number + PROTOBUF_BASE) + body
