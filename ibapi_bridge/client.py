"""The official client, used for what it does well: encoding requests and decoding answers. It owns no socket here.

Relied on (``compatibility`` checks it): ``EClient``'s request methods write through ``self.conn.sendMsg`` and complain
through ``self.wrapper.error``; ``Decoder.interpret`` and ``Decoder.processProtoBuf`` call the EWrapper.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from ibapi.client import EClient
from ibapi.decoder import Decoder
from ibapi.server_versions import MAX_CLIENT_VER, MIN_CLIENT_VER
from ibapi.wrapper import EWrapper

from actors.link import SendError
from ibapi_bridge.framing import framed

FIRST_RAW_ID_VERSION: Final = 201
"""From this server version on a body begins with its message id as 4 bytes (ibapi: MIN_SERVER_VER_PROTOBUF)."""

OLDEST_SERVER_VERSION: Final = 157
PROTOBUF_OFFSET: Final = 200

_SEPARATOR: Final = b"\0"


class Unencodable(Exception):
    """The official client refused a request; nothing was written."""


class _Outlet:
    """What EClient takes for its connection: collects what it writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, data: bytes) -> int:
        self.written.append(data)
        return len(data)

    def disconnect(self) -> None:
        self.written.clear()


class _Refusals(EWrapper):
    """What EClient complains to while encoding: a complaint means that nothing was written."""

    def error(self, *complaint: object) -> None:
        raise Unencodable(" ".join(str(word) for word in complaint[2:] if word))


class RequestEncoder:
    """Requests as bytes for one connection; not thread safe, its owner holds a lock."""

    def __init__(self, *, client_id: int, server_version: int) -> None:
        self._outlet = _Outlet()
        self._client: Any = EClient(_Refusals())
        self._client.conn = self._outlet
        self._client.clientId = client_id
        self._client.optCapab = ""
        self._client.serverVersion_ = server_version
        self._client.setConnState(EClient.CONNECTED)

    def encode(self, name: str, args: Mapping[str, Any]) -> bytes:
        """The frames of one request.

        Args:
            name: of the EClient method.
            args: by its official parameter names.

        Raises:
            SendError: the official client cannot encode it for this server; nothing was sent.
        """
        self._outlet.written.clear()
        try:
            getattr(self._client, name)(**args)
        except Exception as problem:  # noqa: BLE001 - whatever it is, nothing has left
            raise SendError(f"{name} cannot be encoded: {problem}", uncertain=False) from problem
        if not self._outlet.written:
            raise SendError(f"{name} cannot be encoded for this gateway", uncertain=False)
        return b"".join(self._outlet.written)


class UnreadableFrame(ValueError):
    """A frame without a message id."""


class FrameDecoder:
    """Bodies of frames -> calls of an EWrapper, by the official decoder."""

    def __init__(self, wrapper: EWrapper, *, server_version: int) -> None:
        self._decoder: Any = Decoder(wrapper, server_version)
        self._raw_ids = server_version >= FIRST_RAW_ID_VERSION

    def split(self, body: bytes) -> tuple[int, bytes]:
        """Message id (above 200: protobuf) and content.

        Raises:
            UnreadableFrame: there is no id.
        """
        if self._raw_ids:
            if len(body) < 4:
                raise UnreadableFrame(f"a frame of {len(body)} bytes has no message id")
            return int.from_bytes(body[:4], "big"), body[4:]
        word, separator, content = body.partition(_SEPARATOR)
        if not separator or not word.isdigit() or len(word) > 9:
            raise UnreadableFrame("a frame begins with no message id")
        return int(word), content

    def decode(self, message_id: int, content: bytes) -> None:
        """Call the wrapper; raises whatever the official decoder raises on a bad frame."""
        if message_id > PROTOBUF_OFFSET:
            self._decoder.processProtoBuf(content, message_id - PROTOBUF_OFFSET)
        else:
            self._decoder.interpret(tuple(content.split(_SEPARATOR)[:-1]), message_id)


def greeting(connect_options: str = "") -> bytes:
    """The first bytes of a connection: the range of versions this client speaks."""
    versions = f"v{MIN_CLIENT_VER}..{MAX_CLIENT_VER}"
    return b"API\0" + framed(f"{versions} {connect_options}".rstrip().encode("ascii"))


def read_welcome(body: bytes) -> int:
    """The server version of the first answer (version and connection time, both text).

    Raises:
        UnreadableFrame: it is no such answer.
    """
    fields = body.split(_SEPARATOR)
    if len(fields) < 2 or not fields[0].isdigit() or len(fields[0]) > 9:
        raise UnreadableFrame(f"the first answer is {body[:40]!r}: a server version was expected")
    return int(fields[0])


def silence_official_loggers() -> None:
    """The official client logs every message at INFO (a third of its throughput) and callback data at ERROR."""
    logger = logging.getLogger("ibapi")
    logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
