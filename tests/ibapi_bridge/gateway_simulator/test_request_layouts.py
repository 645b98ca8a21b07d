"""Every request of the official client, written by it at every server version, reads as the one it writes today."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from ibapi.client import EClient

from ibapi_bridge.gateway_simulator.config import OWN_MAX_SERVER_VERSION, OWN_MIN_SERVER_VERSION
from ibapi_bridge.gateway_simulator.wire import Request, decode_request

from .official_client import Recorder
from .test_every_request import ID, REQUESTS

VERSIONS = range(OWN_MIN_SERVER_VERSION, OWN_MAX_SERVER_VERSION + 1)
REQUEST_ID = 4711


class Wire:
    """A connection that keeps what the official client would have sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def isConnected(self) -> bool:  # noqa: N802 - the official client's name
        return True

    def sendMsg(self, message: bytes) -> int:  # noqa: N802 - the official client's name
        self.sent.append(message)
        return len(message)


def written(version: int, name: str, arguments: tuple[Any, ...]) -> Request | None:
    """What the client of that server version sends, as we read it; None if it refuses to send it at all."""
    recorder = Recorder()
    client, wire = EClient(recorder), Wire()
    client.conn, client.serverVersion_ = wire, version
    client.setConnState(EClient.CONNECTED)
    method = getattr(client, name)
    given = tuple(REQUEST_ID if argument is ID else argument for argument in arguments)
    method(*given[: len(inspect.signature(method).parameters)])
    if not wire.sent:
        assert [call[0] for call in recorder.calls] == ["error"]
        return None
    (frame,) = wire.sent
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    return decode_request(version, frame[4:])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_request_reads_the_same_at_every_server_version(version: int) -> None:
    wrong = []
    for name, arguments, _ in REQUESTS:
        if hasattr(EClient, name):
            then, now = written(version, name, arguments), written(OWN_MAX_SERVER_VERSION, name, arguments)
            if then is not None and now is not None:
                assert then.name == now.name
                wrong += [f"{name}: {field}" for field in differences(then.message, now.message)]

    assert wrong == []


def differences(then: Any, now: Any, path: str = "") -> Iterator[str]:
    """The fields that differ, absent and empty being the same."""
    for field in now.DESCRIPTOR.fields:
        mine, theirs = getattr(then, field.name), getattr(now, field.name)
        here = f"{path}{field.name}"
        if hasattr(mine, "items"):
            same = dict(mine) == dict(theirs)
        elif hasattr(mine, "add") or hasattr(mine, "append"):
            same = len(mine) == len(theirs) and all(one == other for one, other in zip(mine, theirs, strict=True))
        elif field.message_type is not None:
            yield from differences(mine, theirs, f"{here}.")
            continue
        else:
            same = mine == theirs
        if not same:
            yield here
