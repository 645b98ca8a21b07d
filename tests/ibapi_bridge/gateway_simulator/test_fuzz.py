"""Nothing a client can send brings the gateway down or touches another client."""

import contextlib
import random
import socket
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.message import OUT

from ibapi_bridge.gateway_simulator import GatewayConfig
from ibapi_bridge.gateway_simulator.catalogue import REQUESTS
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.requests.table import dispatch
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request, UnreadableRequest, decode_request

from .conftest import Connect, StartGateway
from .fuzz import ORDERS, fill, mend, storm


def connected(gateway: Gateway, client_id: int, version: int) -> Session:
    session = Session(number=client_id + 1, version=version)
    gateway.join(session)
    start = REQUESTS[OUT.START_API].message(clientId=client_id)
    dispatch(gateway, session, Request(number=OUT.START_API, name="startApi", message=start, protobuf=True))
    return session


def converse(seed: int) -> bytes:
    """What a gateway says to 150 odd requests."""
    said = bytearray()
    rng = random.Random(seed)
    gateway = Gateway(GatewayConfig(seed=seed))
    session = connected(gateway, seed % 2, rng.choice([178, 200, 207, 225]))
    for _ in range(150):
        number = rng.choice(ORDERS * 20 + sorted(REQUESTS))
        message = fill(rng, REQUESTS[number].message())
        if number == OUT.PLACE_ORDER and rng.random() < 0.9:
            mend(rng, message)
        request = Request(number=number, name=REQUESTS[number].name, message=message, protobuf=True)
        dispatch(gateway, session, request)
        gateway.advance(gateway.now + timedelta(seconds=rng.choice([0, 0, 1, 3])))
        said += session.outbound
        session.outbound.clear()
    return bytes(said)


@pytest.mark.parametrize("seed", range(6))
def test_no_sequence_of_well_formed_requests_raises(seed: int) -> None:
    assert converse(seed)


def test_the_same_seed_and_requests_give_the_same_bytes() -> None:
    assert converse(11) == converse(11)
    assert converse(11) != converse(12)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.sampled_from([157, 178, 200, 201, 207, 213, 225]))
def test_any_bytes_are_a_request_or_unreadable(payload: bytes, version: int) -> None:
    try:
        request = decode_request(version, payload)
    except UnreadableRequest:
        return
    assert request.name


@pytest.mark.socket
def test_garbage_on_one_socket_does_not_disturb_the_others(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway(speed=200.0)
    client = connect(gateway, 1)
    rng = random.Random(7)
    for size in (1, 3, 4, 8, 50, 5000):
        for greeting in (b"", b"API\0", b"API\0\0\0\0\x09v100..225", b"API\0\0\0\0\x09v100..178"):
            with socket.create_connection(("127.0.0.1", gateway.port)) as stream:
                stream.sendall(greeting + rng.randbytes(size))
    for version in (b"v100..178", b"v100..225"):
        with socket.create_connection(("127.0.0.1", gateway.port)) as stream:
            stream.sendall(b"API\0\0\0\0\x09" + version)
            stream.recv(100)
            for _ in range(50):
                payload = rng.randbytes(rng.randrange(1, 60))
                with contextlib.suppress(OSError):  # the gateway may have closed it already
                    stream.sendall(len(payload).to_bytes(4, "big") + payload)

    client.api.reqCurrentTime()
    client.wait_for("currentTime")
    assert client.named("connectionClosed") == []


@pytest.mark.socket
def test_a_storm_of_fuzzed_frames_ends_no_connection_without_a_reason_and_disturbs_nobody() -> None:
    tally = storm(frames=2_000, seed=3)

    assert tally.frames >= 2_000
    assert tally.unexplained == []
    assert tally.served == tally.connections - len(tally.reasons)
