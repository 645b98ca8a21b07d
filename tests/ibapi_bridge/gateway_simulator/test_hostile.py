"""Strangers on the port: whatever one connection does, it is answered or closed with a reason, and the others go on."""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ibapi_bridge.gateway_simulator import GatewaySimulator
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.exchange.types import Execution
from ibapi_bridge.gateway_simulator.requests import table

from .conftest import StartGateway
from .raw_client import (
    CURRENT_TIME,
    MANAGED_ACCOUNTS,
    NEXT_VALID_ID,
    PLACE_ORDER,
    REQ_IDS,
    START_API,
    RawClient,
    framed,
    protobuf,
)

pytestmark = pytest.mark.socket
SPY = 756733


class Doorman:
    """Writes down who came and went, and why."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def connection(self, text: str, at: datetime) -> None:
        self.seen.append(text)

    def placed(self, order: ApiOrder, at: datetime) -> None: ...

    def ended(self, order: ApiOrder, at: datetime) -> None: ...

    def filled(self, fill: Execution, symbol: str) -> None: ...


@pytest.fixture
def gateway(start_gateway: StartGateway) -> GatewaySimulator:
    return start_gateway(speed=1.0)


@pytest.fixture
def doorman(gateway: GatewaySimulator) -> Doorman:
    gateway.gateway.watchers.append(watcher := Doorman())
    return watcher


@pytest.fixture
def dial(gateway: GatewaySimulator) -> Iterator[Callable[[], RawClient]]:
    clients: list[RawClient] = []

    def one_more() -> RawClient:
        clients.append(RawClient(gateway.port))
        return clients[-1]

    yield one_more
    for client in clients:
        client.stream.close()


Dial = Callable[[], RawClient]


def spy_order(order_id: int, **fields: Any) -> Any:
    wanted = {"action": "BUY", "totalQuantity": "1", "orderType": "LMT", "lmtPrice": 430.0, "tif": "DAY"}
    request = protobuf("PlaceOrderRequest", orderId=order_id)
    request.contract.conId, request.contract.exchange = SPY, "SMART"
    for name, value in {**wanted, "transmit": True, **fields}.items():
        setattr(request.order, name, value)
    return request


@pytest.mark.parametrize(
    ("versions", "agreed"),
    [
        ("v100..225", 225),
        ("v100..226", 225),
        ("v100..999999999", 225),
        ("v157..178", 178),
        ("v201..212", 212),
        ("v213", 213),
        ("v100..225 +PACEAPI", 225),
        ("v100..193 some;other=options", 193),
    ],
)
def test_the_newest_common_version_is_spoken(dial: Dial, versions: str, agreed: int) -> None:
    client = dial()
    fields = client.greet(versions)

    assert fields[0] == str(agreed)
    assert datetime.strptime(fields[1], "%Y%m%d %H:%M:%S %Z").year == 2026  # noqa: DTZ007 - the label is the point
    assert fields[2] == ""
    client.start()
    numbers = [client.hear()[0] % 200 for _ in range(5)]
    assert numbers == [MANAGED_ACCOUNTS, NEXT_VALID_ID, 4, 4, 4]


@pytest.mark.parametrize(
    "versions",
    ["v100..156", "v226..300", "v226", "v225..100", "", "v", "v100..", "V100..225", "v-1..225", "hello", "v9..9x",
     "v1.." + "9" * 4000, "v" + "\u0663" * 3],
)  # fmt: skip
def test_a_greeting_without_a_common_version_is_hung_up_on_with_a_reason(
    dial: Dial, doorman: Doorman, versions: str
) -> None:
    witness, stranger = dial(), dial()
    witness.connect()
    with pytest.raises(ConnectionError):
        stranger.greet(versions)

    assert witness.is_served()
    assert "versions" in doorman.seen[-1] or "not a version range" in doorman.seen[-1]


@pytest.mark.parametrize(
    "opening", [b"GET / HTTP/1.1\r\n\r\n", b"API\1", b"api\0", b"\0\0\0\4", b"63\0", b"\x16\x03\x01"]
)
def test_what_does_not_begin_as_the_api_is_hung_up_on(dial: Dial, doorman: Doorman, opening: bytes) -> None:
    stranger = dial()
    stranger.send(opening)

    assert stranger.is_closed()
    assert doorman.seen[-1].endswith("the connection does not begin with the API prefix")


def test_a_greeting_that_announces_too_much_is_hung_up_on(dial: Dial, doorman: Doorman) -> None:
    stranger = dial()
    stranger.send(b"API\0" + struct.pack("!I", 5000) + b"v100..225")

    assert stranger.is_closed()
    assert "announces 5000 bytes" in doorman.seen[-1]


def test_a_greeting_may_come_byte_by_byte(dial: Dial) -> None:
    client = dial()
    for byte in b"API\0" + framed(b"v100..213"):
        client.send(bytes([byte]))

    assert client.frame().startswith(b"213\0")


def test_greeting_start_and_requests_may_come_in_one_piece(dial: Dial) -> None:
    client = dial()
    start = struct.pack("!I", 200 + START_API) + protobuf("StartApiRequest", clientId=7).SerializeToString()
    ids = framed(struct.pack("!I", 200 + REQ_IDS))
    client.send(b"API\0" + framed(b"v100..225") + framed(start) + ids + ids)
    client.frame()
    client.version = 225

    assert [client.hear()[0] - 200 for _ in range(7)] == [15, 9, 4, 4, 4, 9, 9]


def test_who_never_says_anything_is_cut_off_in_time(start_gateway: StartGateway) -> None:
    gateway = start_gateway(greeting_seconds=0.3)
    gateway.gateway.watchers.append(doorman := Doorman())
    with RawClient(gateway.port) as silent, RawClient(gateway.port) as prefix_only, RawClient(gateway.port) as greeted:
        prefix_only.send(b"API\0")
        greeted.greet()
        with RawClient(gateway.port) as served:
            served.connect()
            assert silent.is_closed()
            assert prefix_only.is_closed()
            assert greeted.is_closed()
            assert served.is_served()

    assert sum("no startApi within 0.3 seconds" in line for line in doorman.seen) == 3


def test_nothing_is_served_before_start_api_and_starting_twice_is_an_error(dial: Dial) -> None:
    client = dial()
    client.greet()
    client.ask(REQ_IDS, "IdsRequest")
    assert client.hear_error() == (-1, 321)
    client.start(7, capabilities="anything")
    assert [client.hear()[0] for _ in range(5)] == [215, 209, 204, 204, 204]
    client.start(8)
    assert client.hear_error() == (-1, 321)


def test_a_refused_client_id_takes_no_second_try_on_the_same_connection(dial: Dial, doorman: Doorman) -> None:
    owner, second, third = dial(), dial(), dial()
    owner.connect(5)
    second.greet()
    starts = [
        framed(struct.pack("!I", 271) + protobuf("StartApiRequest", clientId=n).SerializeToString()) for n in (5, 6)
    ]
    second.send(b"".join(starts))

    assert second.hear_error() == (-1, 326)
    assert second.is_closed()
    assert doorman.seen[-1].endswith("client id 5 is in use")
    third.connect(6)
    owner.stream.close()
    again = dial()
    again.connect(5)


def test_the_thirty_third_client_is_refused(dial: Dial, doorman: Doorman) -> None:
    clients = [dial() for _ in range(32)]
    for number, client in enumerate(clients):
        client.connect(number)
    late = dial()
    late.greet()
    late.start(99)

    assert late.hear_error() == (-1, 502)
    assert late.is_closed()
    assert all(client.is_served() for client in clients)


def test_fifty_messages_a_second_pass_and_the_third_breach_ends_the_connection(start_gateway: StartGateway) -> None:
    gateway = start_gateway(messages_per_second=50.0)
    with RawClient(gateway.port) as fast, RawClient(gateway.port) as other:
        fast.connect(1)
        other.connect(2)
        time.sleep(1.0)  # the window the greeting was counted in passes
        ask = framed(struct.pack("!I", 249))
        fast.send(ask * 51)
        assert [fast.hear()[0] for _ in range(50)] == [249] * 50
        assert fast.hear_error() == (-1, 100)
        fast.send(ask * 102)
        assert fast.is_closed()
        assert other.is_served()


@pytest.mark.parametrize("number", [0, 111, 200, 399, 1000, 2**32 - 1])
def test_an_unknown_number_is_505_and_the_connection_goes_on(dial: Dial, number: int) -> None:
    client = dial()
    client.connect(versions="v100..200")
    client.send(framed(f"{number}\0".encode()))
    assert client.hear_error() == (-1, 320 if number > 999_999_999 else 505)
    assert client.is_served()


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\0", b"\0\0\0\x03", b"\0\0\0\xcb\xff\xff", b"\0\0\0\x03zzz"])
def test_an_unreadable_message_is_320_and_the_connection_goes_on(dial: Dial, payload: bytes) -> None:
    client = dial()
    client.connect()
    client.send(framed(payload))

    assert client.hear_error() == (-1, 320)
    assert client.is_served()


@pytest.mark.parametrize(("version", "answer"), [(191, (-1, 320)), (192, None), (200, None)])
def test_a_cancel_without_its_tagging_fields_is_dropped_in_silence_from_192_on(
    dial: Dial, version: int, answer: tuple[int, int] | None
) -> None:
    client = dial()
    client.connect(versions=f"v100..{version}")
    client.say(4, *(() if version >= 192 else (1,)), 17)
    if answer is not None:
        assert client.hear_error() == answer
    client.ask_time()

    assert client.hear()[0] == CURRENT_TIME


def test_an_execution_request_of_an_older_client_is_320_at_200(dial: Dial) -> None:
    client = dial()
    client.connect(versions="v100..200")
    client.say(7, 3, 1, "", "", "", "", "", "", "")

    assert client.hear_error() == (-1, 320)


def test_a_length_beyond_the_limit_ends_the_connection_and_a_long_message_is_320(dial: Dial, doorman: Doorman) -> None:
    long, announced, witness = dial(), dial(), dial()
    witness.connect(1)
    announced.connect(2)
    long.connect(3)
    announced.send(struct.pack("!I", 0x1000000) + b"x" * 100)
    assert announced.is_closed()
    assert "at most 16777215 are accepted" in doorman.seen[-1]
    long.send(framed(struct.pack("!I", 203) + b"x" * 2_000_000))
    assert long.hear_error() == (-1, 320)

    assert witness.is_served()
    assert long.is_served()


def test_a_connection_reset_in_the_middle_of_a_frame_disturbs_nobody(dial: Dial, doorman: Doorman) -> None:
    witness, rude = dial(), dial()
    witness.connect(1)
    rude.connect(2)
    rude.send(struct.pack("!I", 500) + b"half")
    rude.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    rude.stream.close()

    assert witness.is_served()
    again = dial()
    again.connect(2)
    assert any("client 2 disconnected" in line for line in doorman.seen)


def test_a_crowd_of_strangers_leaves_room_for_those_who_are_in(gateway: GatewaySimulator, dial: Dial) -> None:
    witness = dial()
    witness.connect(1)
    crowd = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(300)]
    assert witness.is_served()
    for stranger in crowd:
        stranger.close()
    assert witness.is_served()
    dial().connect(2)


def test_a_flood_of_heavy_requests_lets_others_in_between(start_gateway: StartGateway, tmp_path: Path) -> None:
    log = tmp_path / "wire.jsonl"
    gateway = start_gateway(wire_log=log)
    heavy = protobuf("ContractDataRequest", reqId=1, contract=protobuf("Contract", conId=SPY)).SerializeToString()
    with RawClient(gateway.port) as flooding, RawClient(gateway.port) as witness:
        witness.connect(1)
        flooding.connect(2)
        flooding.send(framed(struct.pack("!I", 209) + heavy) * 1000)
        assert witness.is_served()
        assert flooding.is_served()
    gateway.stop()

    rows = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [row["name"] for row in rows if row["dir"] == "in" and "name" in row]
    last_heavy_one = len(asked) - 1 - asked[::-1].index("reqContractDetails")
    assert asked.index("reqContractDetails") < asked.index("reqCurrentTime") < last_heavy_one


def test_what_one_client_writes_cannot_break_the_messages_of_another(dial: Dial) -> None:
    modern, text, third = dial(), dial(), dial()
    modern.connect(1)
    text.connect(2, "v100..178")
    third.connect(3)
    nonsense = spy_order(1, orderRef="a\0b\0c", filledQuantity="much", shareholder="me", parentPermId=77)
    modern.post(PLACE_ORDER, nonsense)
    assert modern.hear()[0] == 205
    text.say(16, 1)
    third.ask(16, "AllOpenOrdersRequest")

    number, body = text.hear()
    fields = body.split(b"\0")
    assert (number, len(fields) - 1) == (5, 126)
    assert b"abc" in fields
    number, body = third.hear()
    seen = protobuf("OpenOrder")
    seen.ParseFromString(body)
    assert number == 205
    assert not seen.order.HasField("filledQuantity")
    assert (seen.order.shareholder, seen.order.parentPermId) == ("", 0)


def test_a_request_that_fails_in_here_ends_its_own_connection_and_is_raised_at_the_end(
    start_gateway: StartGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_anything: object) -> None:
        raise ArithmeticError("our own mistake")

    monkeypatch.setattr(table, "HANDLERS", {**table.HANDLERS, REQ_IDS: broken})
    gateway = start_gateway()
    gateway.gateway.watchers.append(doorman := Doorman())
    with RawClient(gateway.port) as unlucky, RawClient(gateway.port) as witness:
        witness.connect(1)
        unlucky.connect(2)
        unlucky.ask(REQ_IDS, "IdsRequest")
        assert unlucky.hear_error() == (-1, 322)
        assert unlucky.is_closed()
        assert witness.is_served()
        assert "reqIds failed" in doorman.seen[-1]
    with pytest.raises(ArithmeticError, match="our own mistake"):
        gateway.stop()


def test_the_wire_log_says_why_each_connection_ended(start_gateway: StartGateway, tmp_path: Path) -> None:
    log = tmp_path / "wire.jsonl"
    gateway = start_gateway(wire_log=log)
    with RawClient(gateway.port) as stranger, RawClient(gateway.port) as client:
        stranger.send(b"SSH-2.0")
        assert stranger.is_closed()
        client.connect(4)
        gateway.stop()

    ends = [row for row in map(json.loads, log.read_text().splitlines()) if row["form"] == "closed"]
    assert [(row["client_id"], row["reason"].split(":")[0]) for row in ends] == [
        (None, "the connection does not begin with the API prefix"),
        (4, "the gateway stops"),
    ]
