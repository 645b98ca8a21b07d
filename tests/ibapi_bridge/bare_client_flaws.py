"""The flaws of the bare official client's connection, shown on it: ``python -m tests.ibapi_bridge.bare_client_flaws``.

Not a test: it takes seconds, depends on the installed release and shows what the transport is there for. The numbers
are those of ``test_client_flaws.py``, where each is shown not to be ours:

 1 connect() waits for ever for a silent gateway          10 disconnect() amid messages loses them
 2 a handshake in two segments is never put together      11 a client used again hears the old connection
 3 bytes glued to the handshake are thrown away           12 a close is noticed when run() has emptied its queue
 4 a burst of 4096 bytes before a silence is lost         13 a dead peer looks connected for ever
 5 send() may take a part only, the rest is forgotten     14 a refused connection says 502 and that it was closed
 6 a request without a connection is silently dropped     15 an unknown message is a notice, a monstrous one the end
 7 a failed send is reported as if the order were dead    16 error() has one more argument in newer releases
 8 an exception in a callback ends run()                  17 each protobuf message calls two callbacks
 9 a malformed message ends run() in its own handler      18 protobuf requests are not checked for what can be sent
"""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ibapi.client import EClient
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

    def orderStatus(self, orderId: int, *_: object) -> None:  # noqa: N802, N803
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


FLAWS: dict[str, Callable[[], str]] = {
    "1": silent_gateway,
    "2": split_handshake,
    "3": glued_bytes,
    "4": burst_of_4096,
    "6": request_without_connection,
    "8": exception_in_a_callback,
    "9": malformed_message,
    "10": disconnect_amid_messages,
    "17": two_callbacks,
    "17b": absent_is_zero,
}


def main() -> None:
    """Show the flaws named on the command line, or all."""
    silence_official_loggers()
    for number in sys.argv[1:] or FLAWS:
        sys.stdout.write(f"{number:>3} {FLAWS[number].__name__:<28} {FLAWS[number]()}\n")


if __name__ == "__main__":
    main()
