"""The opening of a connection: the client's version range in, the agreed version out."""

import re
from datetime import datetime

from ibapi_bridge.gateway_simulator.framing import frame

PREFIX = b"API\0"
LONGEST_GREETING = 4096  # version range and connect options
_HELLO = re.compile(r"v(\d{1,9})(?:\.\.(\d{1,9}))?(?: (.*))?", re.DOTALL)


class HandshakeError(Exception):
    """The client's greeting cannot be understood or no common version exists."""


def agree(payload: bytes, *, lowest: int, highest: int) -> tuple[int, str]:
    """The server version to speak and the client's connect options.

    Raises:
        HandshakeError: not a version range, or nothing in common with `lowest..highest`.
    """
    match = _HELLO.fullmatch(payload.decode("ascii", "replace"))
    if match is None:
        raise HandshakeError(f"the greeting {payload[:40]!r} is not a version range such as v100..225")
    client_lowest = int(match[1])
    client_highest = int(match[2] or match[1])
    version = min(client_highest, highest)
    if version < lowest or version < client_lowest:
        raise HandshakeError(f"client versions {client_lowest}..{client_highest}, ours {lowest}..{highest}")
    return version, match[3] or ""


def greeting(version: int, at: datetime) -> bytes:
    """The server's one text frame without a message id: version and connection time."""
    stamp = at.strftime("%Y%m%d %H:%M:%S ") + (at.tzname() or "UTC")
    return frame(f"{version}\0{stamp}\0".encode("ascii", "replace"))
