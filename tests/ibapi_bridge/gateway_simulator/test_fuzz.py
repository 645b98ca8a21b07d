"""Nothing a client can send brings the gateway down or touches another client."""

import contextlib
import random
import socket
from datetime import timedelta
from typing import Any

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

TEXTS = [
    "", "SPY", "STK", "OPT", "BAG", "SMART", "BUY", "SELL", "LMT", "MKT", "STP", "TRAIL", "MOC", "DAY", "GTC", "GTD",
    "IOC", "OPG", "1", "-5", "1e999", "NaN", "100", "20260413 10:00:00 US/Eastern", "99999999 99:99:99 Mars/Base",
    "1 D", "1 min", "TRADES", "MIDPOINT", "BidAsk", "DU1234567", "\u00fc\0x", "x" * 300, "ISIN", "NetLiquidation",
]  # fmt: skip
INTS = [0, 1, 2, 5, 756733, 265598, 700000001, -1, 2**31 - 1, -(2**31), 17, 1000]
DOUBLES = [0.0, 1.0, 449.99, 450.001, -1.0, 1e308, float("inf"), float("nan"), 5e-324]
ORDERS = [OUT.PLACE_ORDER, OUT.PLACE_ORDER, OUT.CANCEL_ORDER, OUT.REQ_GLOBAL_CANCEL]


def fill(rng: random.Random, message: Any, depth: int = 0) -> Any:
    """Sets two thirds of a message's fields to something."""
    for field in message.DESCRIPTOR.fields:
        if rng.randrange(3):
            _set(rng, message, field, depth)
    return message


def _set(rng: random.Random, message: Any, field: Any, depth: int) -> None:
    value = getattr(message, field.name)
    if hasattr(value, "add"):
        if depth < 2:
            fill(rng, value.add(), depth + 1)
    elif hasattr(value, "items"):
        value["tag"] = rng.choice(TEXTS)
    elif hasattr(value, "append"):
        value.append(20260413 if field.name == "specificDates" else "x")
    elif field.message_type is not None:
        if depth < 2:
            fill(rng, value, depth + 1)
    elif isinstance(value, bool):
        setattr(message, field.name, rng.random() < 0.5)
    elif isinstance(value, str):
        setattr(message, field.name, rng.choice(TEXTS))
    else:
        setattr(message, field.name, rng.choice(DOUBLES if isinstance(value, float) else INTS))


def mend(rng: random.Random, message: Any) -> None:
    """Makes most orders good enough to get past the first checks."""
    message.orderId = rng.randrange(1, 12)
    if rng.random() < 0.9:
        message.contract.Clear()
        message.contract.conId = rng.choice([756733, 495512563, 12087792, 700000001])
    order = message.order
    if rng.random() < 0.7:
        order.Clear()
    order.action = rng.choice(["BUY", "SELL"])
    order.orderType = rng.choice(["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MOC", "MIT", "LIT", "MTL"])
    order.totalQuantity = rng.choice(["1", "100", "0.5", "20000"])
    order.account, order.whatIf = "DU1234567", rng.random() < 0.1
    order.tif = rng.choice(["DAY", "DAY", "GTC", "IOC", "FOK", "GTD", "OPG", ""])
    order.parentId = rng.choice([0, 0, 0, 1, 2])
    order.transmit = rng.random() < 0.8
    order.lmtPrice, order.auxPrice = rng.choice([449.0, 451.0]), rng.choice([1.0, 449.5, 450.5])


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
