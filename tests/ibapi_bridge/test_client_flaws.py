"""The known flaws of the official client's connection, each shown not to be ours.

The numbers are those of the list in ``bare_client_flaws.py``, which shows each of them on the bare official client.
"""

import socket
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from actors.link import SendError
from actors.messages.reports import (
    AccountsReported,
    ConnectionLost,
    FrameDamaged,
    NextOrderIdReported,
    NoticeReported,
    OrderStatusReported,
    Report,
    ServerTimeReported,
)
from ibapi_bridge.framing import framed
from tests.ibapi_bridge.samples import place_order
from tests.ibapi_bridge.scripted_gateway import (
    PATIENCE,
    READY,
    Heard,
    ScriptedGateway,
    connection,
    last_words,
    make_link,
    protobuf,
    raw,
    squeeze,
    status,
    text,
)

pytestmark = pytest.mark.socket


def test_01_a_gateway_that_accepts_and_stays_silent_ends_the_attempt_at_its_deadline() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        make_link(gateway.port, heard, ready_seconds=0.2).start()
        gateway.accept()
        reason = last_words(heard)
        assert "did not answer in time" in reason
        assert "is a dialog waiting there" in reason


def test_02_a_handshake_split_into_single_bytes_is_reassembled() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard)
        link.start()
        assert gateway.accept().startswith(b"v100..")
        for byte in framed(b"213\x0020260415 18:28:40 EST\0"):
            gateway.send(bytes([byte]))
        assert gateway.read_frame()[:4] == (271).to_bytes(4, "big")
        gateway.send(READY)
        assert heard.next(NextOrderIdReported).order_id == 5
        link.close()


def test_03_bytes_glued_to_the_handshake_are_not_lost() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard)
        link.start()
        gateway.accept()
        gateway.send(framed(b"213\x0020260415 18:28:40 EST\0") + READY + status(9))
        assert heard.next(OrderStatusReported).order_id == 9
        link.close()


def test_04_a_burst_of_exactly_4096_bytes_before_a_silence_is_heard_at_once() -> None:
    with connection() as (gateway, _, heard):
        frames = [status(number) for number in range(1, 100)]
        burst = b"".join(frames)
        padding = 4096 - len(burst)
        whole = burst + status(100, whyHeld="x" * (padding - len(status(100, whyHeld="x" * 200)) + 200))
        assert len(whole) == 4096
        gateway.send(whole)
        numbers = [heard.next(OrderStatusReported).order_id for _ in range(100)]
        assert numbers == list(range(1, 101))


def test_05_a_peer_that_reads_slowly_gets_every_request_whole_and_in_order() -> None:
    with connection() as (gateway, link, _):
        squeeze(link, gateway)
        sent = 500
        for number in range(1, sent + 1):
            link.send(place_order(order_id=number))
        for number in range(1, sent + 1):
            frame = gateway.read_frame()
            assert frame[:4] == (203).to_bytes(4, "big")
            assert frame[4] == 0x08
            assert _varint(frame[5:]) == number


def _varint(data: bytes) -> int:
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
    return value


def test_05b_a_peer_that_reads_nothing_ends_the_connection_and_never_blocks_the_sender() -> None:
    with connection(send_seconds=0.3) as (gateway, link, heard):
        squeeze(link, gateway)
        refused: list[SendError] = []
        begun = time.monotonic()
        while not refused:
            try:
                link.send(place_order())
            except SendError as problem:
                refused.append(problem)
            assert time.monotonic() - begun < PATIENCE
        assert not refused[0].uncertain
        assert gateway.peer is not None
        assert "has read nothing" in last_words(heard)


def test_06_a_request_without_a_connection_is_refused_as_certainly_not_sent() -> None:
    link = make_link(1, Heard())
    with pytest.raises(SendError, match="not connected") as refused:
        link.send(place_order())
    assert not refused.value.uncertain


def test_07_a_request_after_the_connection_broke_is_refused_and_no_notice_pretends_a_reject() -> None:
    with connection() as (gateway, link, heard):
        gateway.hang_up()
        heard.next(ConnectionLost)
        with pytest.raises(SendError):
            link.send(place_order())
        assert not [report for report in heard.seen if isinstance(report, NoticeReported)]


@pytest.mark.parametrize(
    "bad",
    [
        raw(203, b"\xff\xff\xff"),
        raw(203, b"\x1a\x01x"),
        raw(3, b"7\0Filled\0"),
        raw(3, b"seven\0Filled\0\0\0\0\0\0\0\0\0\0"),
        framed(b""),
        framed(b"\0\0"),
        protobuf(11, "ExecutionDetails", reqId=-1),
    ],
    ids=["no-protobuf", "bad-decimal", "truncated-text", "malformed-text", "empty", "no-id", "without-content"],
)
def test_08_and_09_a_bad_frame_is_reported_and_the_next_one_is_heard(bad: bytes) -> None:
    with connection() as (gateway, _, heard):
        gateway.send(bad + status(8))
        assert heard.next(OrderStatusReported).order_id in (0, 8)
        if bad != raw(203, b"\x1a\x01x"):
            assert any(isinstance(report, FrameDamaged) for report in heard.seen)


def test_08b_a_hearer_that_raises_ends_the_connection_with_its_reason() -> None:
    heard = Heard()

    def hear(*reports: Report) -> None:
        if any(isinstance(report, OrderStatusReported) for report in reports):
            raise RuntimeError("nobody is there")
        heard(*reports)

    with ScriptedGateway() as gateway:
        make_link(gateway.port, hear).start()  # type: ignore[arg-type]
        gateway.begin()
        gateway.send(READY + status())
        assert "nobody is there" in last_words(heard)


def test_10_closing_from_another_thread_amid_a_flood_ends_cleanly_and_once() -> None:
    with connection() as (gateway, link, heard):
        flood = threading.Thread(target=_flood, args=(gateway,))
        flood.start()
        heard.next(OrderStatusReported)
        begun = time.monotonic()
        link.close()
        assert time.monotonic() - begun < 2
        flood.join(PATIENCE)
        assert last_words(heard) == "closed by us"
        assert heard.drain() == []


def _flood(gateway: ScriptedGateway) -> None:
    try:
        for _ in range(2_000):
            gateway.send(status() * 50)
    except OSError:
        return


def test_10b_closing_from_inside_a_callback_ends_cleanly() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:

        def hear(*reports: Report) -> None:
            heard(*reports)
            if any(isinstance(report, OrderStatusReported) for report in reports):
                link.close()

        link = make_link(gateway.port, hear)  # type: ignore[arg-type]
        link.start()
        gateway.begin()
        gateway.send(READY + status())
        assert last_words(heard) == "closed by us"


def test_11_nothing_of_an_old_connection_reaches_a_new_one() -> None:
    with connection(epoch=1) as (old_gateway, old_link, old_heard):
        old_gateway.send(status(1) * 100)
        old_heard.next(OrderStatusReported)
        old_link.close()
        with connection(epoch=2) as (gateway, _, heard):
            gateway.send(status(2))
            assert heard.next(OrderStatusReported).order_id == 2
            assert {report.epoch for report in heard.seen} == {2}
        assert {report.epoch for report in old_heard.seen} == {1}


def test_12_a_peer_close_is_known_at_once_after_everything_before_it() -> None:
    with connection() as (gateway, _, heard):
        gateway.send(status(1) + status(2))
        gateway.hang_up()
        begun = time.monotonic()
        reason = last_words(heard)
        assert time.monotonic() - begun < 1
        assert "closed" in reason
        assert [report.order_id for report in heard.seen if isinstance(report, OrderStatusReported)] == [1, 2]


def test_13_the_socket_probes_a_silent_peer_and_sends_small_frames_at_once() -> None:
    with connection() as (_, link, _):
        connected = link._transport._socket
        assert connected is not None
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_13b_a_heartbeat_is_one_request_and_one_report() -> None:
    with connection() as (gateway, link, heard):
        link.request_server_time()
        assert gateway.read_frame()[:4] == (249).to_bytes(4, "big")
        gateway.send(protobuf(49, "CurrentTime", currentTime=1_776_000_000))
        assert heard.next(ServerTimeReported).server_time == datetime.fromtimestamp(1_776_000_000, UTC)


def test_14_a_refused_connection_is_one_loss_with_its_reason() -> None:
    with ScriptedGateway() as gateway:
        port = gateway.port
    heard = Heard()
    make_link(port, heard).start()
    assert "refused" in last_words(heard)
    assert heard.seen == [heard.seen[-1]]


def test_15_an_unknown_message_is_a_notice_and_a_monstrous_length_ends_the_connection() -> None:
    with connection() as (gateway, _, heard):
        gateway.send(raw(399, b"new") + status(4))
        assert heard.next(NoticeReported).code == 505
        assert heard.next(OrderStatusReported).order_id == 4
        gateway.send((0x1000000).to_bytes(4, "big"))
        assert "out of step" in last_words(heard)


def test_16_an_error_is_heard_with_or_without_its_time() -> None:
    with connection(200) as (gateway, _, heard):
        gateway.send(text(4, 40, 201, "Order rejected - reason:x", "", 1_776_000_000_000))
        notice = heard.next(NoticeReported)
        assert (notice.subject, notice.code, notice.text) == (40, 201, "Order rejected - reason:x")
    with connection(178) as (gateway, _, heard):
        gateway.send(text(4, 2, 41, 202, "Order Canceled - reason:", ""))
        notice = heard.next(NoticeReported)
        assert (notice.subject, notice.code) == (41, 202)


def test_17_one_protobuf_frame_is_one_report_and_absent_is_not_zero() -> None:
    with connection() as (gateway, _, heard):
        gateway.send(protobuf(3, "OrderStatus", orderId=6, status="Filled", filled="3") + status(7))
        report = heard.next(OrderStatusReported)
        assert (report.filled, report.remaining, report.average_price) == (Decimal(3), None, None)
        assert heard.next(OrderStatusReported).order_id == 7


def test_18_what_the_wire_cannot_carry_is_refused_before_it_leaves() -> None:
    with connection(178) as (_, link, _), pytest.raises(SendError, match="Invalid symbol") as refused:
        link.send(place_order(oms_id="Größe"))
    assert not refused.value.uncertain
    with connection() as (_, link, _), pytest.raises(SendError, match="order_id is 2147483648"):
        link.send(place_order(order_id=2**31))


def test_the_connection_is_announced_only_when_id_and_accounts_are_known() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard)
        link.start()
        gateway.begin()
        gateway.send(protobuf(9, "NextValidId", orderId=5) + status(3))
        heard.next(OrderStatusReported)
        assert len(heard.seen) == 1
        gateway.send(protobuf(15, "ManagedAccounts", accountsList="DU1"))
        assert heard.next(AccountsReported).accounts == ("DU1",)
        assert isinstance(heard.seen[1], NextOrderIdReported)
        link.close()


@pytest.mark.parametrize(
    "said",
    [b"", protobuf(15, "ManagedAccounts", accountsList=",") + protobuf(9, "NextValidId", orderId=5)],
    ids=["nothing", "no accounts"],
)
def test_a_gateway_that_is_not_logged_in_is_guessed_at(said: bytes) -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        make_link(gateway.port, heard, ready_seconds=0.2).start()
        gateway.begin()
        gateway.send(said)
        assert "is it logged in?" in last_words(heard)


def test_a_client_id_in_use_is_the_reason_of_the_loss() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        make_link(gateway.port, heard).start()
        gateway.begin()
        gateway.send(protobuf(4, "ErrorMessage", id=-1, errorCode=326, errorMsg="Unable to connect as the client id"))
        gateway.hang_up()
        assert "326" in last_words(heard)


@pytest.mark.parametrize(
    "welcome",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", framed(b"-1\0other.host:4001\0"), framed(b"56\0x\0")],
    ids=["no-frames", "no-version", "too-old"],
)
def test_what_is_no_gateway_of_ours_is_said_so(welcome: bytes) -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        make_link(gateway.port, heard).start()
        gateway.accept()
        gateway.send(welcome)
        lost = heard.next(ConnectionLost)
        assert "gateway" in lost.reason
        assert not lost.reached
