"""The 18 flaws of the bare official client's connection, shown on it.

    python -m tests.ibapi_bridge.bare_client_flaws [NUMBER ...]

Not a test: it takes half a minute, depends on the installed release and shows what the transport is there for. The
numbers are those of ``test_client_flaws.py``, where each is shown not to be ours.
"""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.decoder import Decoder
from ibapi.order import Order
from ibapi.wrapper import EWrapper

from ibapi_bridge.client import silence_official_loggers
from ibapi_bridge.framing import framed
from tests.ibapi_bridge.scripted_gateway import READY, ScriptedGateway, protobuf, raw, status

WELCOME = framed(b"213\x0020260415 18:28:40 EST\0")


class Ears(EWrapper):
    """Counts what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []
        self.protobuf_statuses = 0
        self.errors: list[int] = []
        self.raising = False
        self.closed = 0
        self.seconds = 0.0

    def connectionClosed(self) -> None:  # noqa: N802
        self.closed += 1

    def orderStatus(self, orderId: int, *_: object) -> None:  # noqa: N802, N803
        time.sleep(self.seconds)
        if self.raising:
            raise RuntimeError("a mistake in a callback")
        self.statuses.append(orderId)

    def orderStatusProtoBuf(self, _: object) -> None:  # noqa: N802
        self.protobuf_statuses += 1

    def error(self, _id: int, _time: int, code: int, *_: object) -> None:
        self.errors.append(code)


class Bare:
    """The official client as its documentation uses it, and a scripted gateway."""

    def __init__(self, gateway: ScriptedGateway) -> None:
        self.gateway = gateway
        self.ears = Ears()
        self.client: Any = EClient(self.ears)
        self.failure: BaseException | None = None
        self.connecting = threading.Thread(target=self._connect, daemon=True)
        self.running = threading.Thread(target=self._run, daemon=True)

    def _connect(self) -> None:
        with contextlib.suppress(AttributeError):  # what connect() itself ends with when it is disconnected
            self.client.connect("127.0.0.1", self.gateway.port, 7)

    def _run(self) -> None:
        try:
            self.client.run()
        except BaseException as problem:  # noqa: BLE001 - shown to the reader
            self.failure = problem

    def open(self) -> None:
        self.connecting.start()
        self.gateway.accept()
        self.gateway.send(WELCOME)
        self.gateway.read_frame()
        self.connecting.join(2)
        self.running.start()
        self.gateway.send(READY)


@contextlib.contextmanager
def bare() -> Iterator[Bare]:
    with ScriptedGateway() as gateway:
        shown = Bare(gateway)
        try:
            yield shown
        finally:
            if shown.client.conn is not None:
                shown.client.disconnect()


def silent_gateway() -> str:
    with bare() as shown:
        shown.connecting.start()
        shown.gateway.accept()
        shown.connecting.join(3)
        return f"connect() still waits after 3 s: {shown.connecting.is_alive()}"


def split_handshake() -> str:
    with bare() as shown:
        shown.connecting.start()
        shown.gateway.accept()
        shown.gateway.send(WELCOME[:9])
        time.sleep(0.3)
        shown.gateway.send(WELCOME[9:])
        shown.connecting.join(3)
        return f"connect() still waits after the whole handshake came: {shown.connecting.is_alive()}"


def glued_bytes() -> str:
    with bare() as shown:
        shown.connecting.start()
        shown.gateway.accept()
        shown.gateway.send(WELCOME + status(1) + status(2))
        shown.gateway.read_frame()
        shown.connecting.join(2)
        shown.running.start()
        time.sleep(1)
        return f"of 2 messages glued to the handshake {len(shown.ears.statuses)} arrived"


def burst_of_4096() -> str:
    with bare() as shown:
        shown.open()
        time.sleep(0.5)
        burst = b"".join(status(number) for number in range(1, 100))
        filler = 4096 - len(burst)
        last = status(100, whyHeld="x" * (filler - len(status(100, whyHeld="x" * 200)) + 200))
        shown.gateway.send(burst + last)
        time.sleep(2.5)
        return (
            f"of 100 messages in 4096 bytes {len(shown.ears.statuses)} arrived, connected: {shown.client.isConnected()}"
        )


def request_without_connection() -> str:
    with bare() as shown:
        shown.client.reqAllOpenOrders()
        return f"no exception, only an error callback on the caller's thread: {shown.ears.errors}"


def exception_in_a_callback() -> str:
    with bare() as shown:
        shown.open()
        shown.ears.raising = True
        shown.gateway.send(status())
        shown.running.join(2)
        return f"run() ended with {shown.failure!r}, connected: {shown.client.isConnected()}"


def malformed_message() -> str:
    with bare() as shown:
        shown.open()
        shown.gateway.send(raw(3, b"7\0Filled\0") + status())
        shown.running.join(2)
        return f"run() ended with {shown.failure!r}; the message behind it arrived: {bool(shown.ears.statuses)}"


def disconnect_amid_messages() -> str:
    with bare() as shown:
        shown.open()
        shown.gateway.send(status() * 20_000)
        time.sleep(0.3)
        shown.client.disconnect()
        shown.running.join(5)
        return f"{len(shown.ears.statuses)} of 20000 messages heard, run() ended with {shown.failure!r}"


def two_callbacks() -> str:
    with bare() as shown:
        shown.open()
        shown.gateway.send(status())
        time.sleep(0.5)
        return f"one message: {shown.ears.protobuf_statuses} protobuf and {len(shown.ears.statuses)} classic callback"


def absent_is_zero() -> str:
    with bare() as shown:
        shown.open()
        shown.gateway.send(raw(203, protobuf(3, "OrderStatus", status="Filled")[8:]))
        time.sleep(0.5)
        return f"a status without an order id arrives as order {shown.ears.statuses}"


def part_of_a_send() -> str:
    with bare() as shown:
        shown.open()
        squeeze_socket(shown.client.conn.socket, shown.gateway)
        shown.ears.errors.clear()
        order = sample_order()
        order.orderRef = "x" * 1_000_000
        shown.client.placeOrder(5, sample_contract(), order)
        arrived = len(drained(shown.gateway))
        return (
            f"of a request of a million bytes {arrived} arrived, errors {shown.ears.errors}, the next one follows in it"
        )


def failed_send() -> str:
    with bare() as shown:
        shown.open()
        shown.client.conn.socket.shutdown(socket.SHUT_WR)
        shown.ears.errors.clear()
        try:
            shown.client.placeOrder(5, sample_contract(), sample_order())
        except OSError as raised:
            return f"placeOrder raised {raised!r}"
        return f"error codes about order 5, as the broker's rejections are told: {shown.ears.errors}"


def reused_client() -> str:
    with bare() as shown:
        shown.open()
        shown.gateway.send(status(1) * 20_000)
        time.sleep(0.3)
        shown.client.disconnect()
        shown.running.join(5)
        shown.ears.statuses.clear()
        with ScriptedGateway() as second:
            again = threading.Thread(target=shown.client.connect, args=("127.0.0.1", second.port, 7), daemon=True)
            again.start()
            second.accept()
            second.send(WELCOME)
            second.read_frame()
            again.join(2)
            threading.Thread(target=shown._run, daemon=True).start()
            second.send(READY + status(2))
            time.sleep(1)
            stale = shown.ears.statuses.count(1)
            return f"the new connection said one status, {stale} of the old connection came with it"


def late_close() -> str:
    with bare() as shown:
        shown.open()
        shown.ears.seconds = 0.05
        shown.gateway.send(status() * 40)
        time.sleep(0.2)
        shown.gateway.hang_up()
        begun = time.monotonic()
        shown.running.join(10)
        return f"connectionClosed() came {time.monotonic() - begun:.1f} s after the close, behind the queued messages"


def dead_peer() -> str:
    with bare() as shown:
        shown.open()
        time.sleep(3)
        keepalive = shown.client.conn.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        return f"after 3 silent seconds connected: {shown.client.isConnected()}, TCP keepalive: {bool(keepalive)}"


def refused_connection() -> str:
    with ScriptedGateway() as gateway:
        port = gateway.port
    ears = Ears()
    client: Any = EClient(ears)
    client.connect("127.0.0.1", port, 7)
    return f"connect() returned normally, errors {ears.errors}, connectionClosed() called {ears.closed} times"


def unknown_and_monstrous() -> str:
    with bare() as shown:
        shown.open()
        shown.ears.errors.clear()
        shown.gateway.send(raw(399, b"new"))
        time.sleep(0.5)
        unknown = list(shown.ears.errors)
        monster = (0x1000000).to_bytes(4, "big")
        assert shown.gateway.peer is not None
        shown.gateway.peer.settimeout(30)
        with contextlib.suppress(OSError):  # it may stop reading before the end
            shown.gateway.send(monster + b"x" * 0x1000000 + status(4))
        shown.running.join(10)
        monstrous, ended = shown.ears.errors[len(unknown) :], not shown.running.is_alive()
        return f"unknown: error {unknown}; monstrous: error {monstrous}, run() ended: {ended}"


class OldEars(EWrapper):
    """Overrides error() as programs written before 10.33 do."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[object, ...]] = []

    def error(  # type: ignore[override]
        self,
        reqId: int,  # noqa: N803
        errorCode: int,  # noqa: N803
        errorString: str,  # noqa: N803
        advancedOrderRejectJson: str = "",  # noqa: N803
    ) -> None:
        self.heard.append((reqId, errorCode, errorString, advancedOrderRejectJson))


def error_signature() -> str:
    ears = OldEars()
    decoder = Decoder(ears, 213)
    notice = protobuf(4, "ErrorMessage", id=40, errorTime=1_776_000_000_000, errorCode=201, errorMsg="Order rejected")
    try:
        decoder.processProtoBuf(notice[8:], 4)
    except TypeError as raised:
        return f"an override of four arguments raises {raised!r}"
    return f"an override of four arguments hears code {ears.heard[0][1]} and text {ears.heard[0][2]!r}"


def unchecked_requests() -> str:
    with bare() as shown:
        shown.open()
        shown.ears.errors.clear()
        order = sample_order()
        order.orderRef = "Gr\u00f6\u00dfe"
        order.lmtPrice = float("nan")
        shown.client.placeOrder(5, sample_contract(), order)
        frame = shown.gateway.read_frame()
        sent = "Gr\u00f6\u00dfe".encode() in frame
        return f"errors {shown.ears.errors}; an order with a non-ASCII name at the price NaN left: {sent}"


# -- what they share ---------------------------------------------------------------------------------------------------


def sample_contract() -> Any:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "SPY", "STK", "SMART", "USD"
    return contract


def sample_order() -> Any:
    order = Order()
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = "BUY", "LMT", Decimal(1), 450.0
    return order


def squeeze_socket(sender: socket.socket, gateway: ScriptedGateway) -> None:
    """Buffers so small that a send is soon taken in part."""
    assert gateway.peer is not None
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2_048)
    gateway.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)


def drained(gateway: ScriptedGateway) -> bytes:
    """Everything that arrives until there is silence."""
    assert gateway.peer is not None
    gateway.peer.settimeout(0.5)
    received = b""
    with contextlib.suppress(TimeoutError):
        while chunk := gateway.peer.recv(65_536):
            received += chunk
    return received


FLAWS: dict[str, tuple[str, Callable[[], str]]] = {
    "1": ("connect() waits for ever for a silent gateway", silent_gateway),
    "2": ("a handshake in two segments is never put together", split_handshake),
    "3": ("bytes glued to the handshake are thrown away", glued_bytes),
    "4": ("a burst of 4096 bytes before a silence is lost", burst_of_4096),
    "5": ("send() takes a part, the rest is forgotten", part_of_a_send),
    "6": ("a request without a connection is dropped", request_without_connection),
    "7": ("a failed send is told like a rejection", failed_send),
    "8": ("an exception in a callback ends run()", exception_in_a_callback),
    "9": ("a malformed message ends run()", malformed_message),
    "10": ("disconnect() amid messages loses them", disconnect_amid_messages),
    "11": ("a client used again hears the old connection", reused_client),
    "12": ("a close is noticed behind the queue", late_close),
    "13": ("a dead peer looks connected for ever", dead_peer),
    "14": ("a refused connection looks closed, connect() fine", refused_connection),
    "15": ("an unknown id is a notice, a monster the end", unknown_and_monstrous),
    "16": ("error() has one more argument than it had", error_signature),
    "17": ("each protobuf message calls two callbacks", two_callbacks),
    "17b": ("what is absent arrives as zero", absent_is_zero),
    "18": ("protobuf requests are not checked", unchecked_requests),
}


def main() -> None:
    """Show the flaws named on the command line, or all: number, flaw, what was seen."""
    silence_official_loggers()
    for number in sys.argv[1:] or FLAWS:
        flaw, show = FLAWS[number]
        sys.stdout.write(f"{number:>3} | {flaw:<49} | {show()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
