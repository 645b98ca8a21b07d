"""The official client on a real socket, writing down every callback it gets."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.order_cancel import OrderCancel
from ibapi.wrapper import EWrapper

logging.getLogger("ibapi").setLevel(logging.ERROR)

Callback = tuple[Any, ...]
NOT_CALLBACKS = {"logAnswer"}


class Recorder(EWrapper):
    """Keeps every callback as a tuple of its name and arguments, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callback] = []
        self.changed = threading.Condition()

    def keep(self, name: str, *arguments: Any) -> None:
        with self.changed:
            self.calls.append((name, *arguments))
            self.changed.notify_all()


def _recording(name: str) -> Callable[..., None]:
    def callback(self: Recorder, *arguments: Any) -> None:
        self.keep(name, *arguments)

    return callback


for _name in dir(EWrapper):
    if not _name.startswith("_") and not _name.endswith("ProtoBuf") and _name not in NOT_CALLBACKS:
        setattr(Recorder, _name, _recording(_name))


class OfficialClient:
    """One connected official client with its reader thread."""

    def __init__(self, port: int, client_id: int = 1, *, wait: bool = True, options: str = "") -> None:
        self.wrapper = Recorder()
        self.api = EClient(self.wrapper)
        if options:
            self.api.connectOptions = options
        self.api.connect("127.0.0.1", port, client_id)
        self._closing = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if wait:
            self.wait_for("nextValidId")
            self.wait_until(lambda calls: any(c[0] == "error" and c[3] == 2158 for c in calls))

    def _run(self) -> None:
        try:
            self.api.run()
        except TypeError:
            # The stock client forgets its server version when it is closed with messages still waiting.
            if not self._closing:
                raise

    def close(self) -> None:
        self._closing = True
        if self.api.conn is not None and self.api.conn.socket is not None:
            with contextlib.suppress(OSError):  # the peer may have closed it already
                self.api.conn.socket.shutdown(socket.SHUT_RDWR)
        self.api.disconnect()
        self._thread.join(3)

    @property
    def version(self) -> int:
        return int(self.api.serverVersion_ or 0)

    @property
    def calls(self) -> list[Callback]:
        with self.wrapper.changed:
            return list(self.wrapper.calls)

    def named(self, *names: str) -> list[Callback]:
        return [call for call in self.calls if call[0] in names]

    def wait_until(self, condition: Callable[[list[Callback]], Any], seconds: float = 5.0) -> Any:
        deadline = time.monotonic() + seconds
        with self.wrapper.changed:
            while True:
                found = condition(self.wrapper.calls)
                if found:
                    return found
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"not seen in {seconds} s; got {self.summary()[-30:]}")
                self.wrapper.changed.wait(left)

    def wait_for(self, name: str, count: int = 1, seconds: float = 5.0) -> Callback:
        """The last of the first `count` callbacks of that name."""

        def enough(calls: list[Callback]) -> Any:
            found = [call for call in calls if call[0] == name]
            return found[count - 1] if len(found) >= count else None

        call: Callback = self.wait_until(enough, seconds)
        return call

    def wait_error(self, code: int, message_id: int | None = None, seconds: float = 5.0) -> Callback:
        """The first error callback with that code: (name, id, time, code, text, advanced)."""

        def matching(calls: list[Callback]) -> Any:
            for call in calls:
                if call[0] == "error" and call[3] == code and message_id in {None, call[1]}:
                    return call
            return None

        call: Callback = self.wait_until(matching, seconds)
        return call

    def wait_status(self, order_id: int, status: str, seconds: float = 5.0) -> Callback:
        def matching(calls: list[Callback]) -> Any:
            return next((c for c in calls if c[:3] == ("orderStatus", order_id, status)), None)

        call: Callback = self.wait_until(matching, seconds)
        return call

    def catch_up(self) -> None:
        """Waits until the gateway has answered everything sent so far."""
        before = len(self.named("nextValidId"))
        self.api.reqIds(-1)
        self.wait_for("nextValidId", before + 1)

    def forget(self) -> None:
        with self.wrapper.changed:
            self.wrapper.calls.clear()

    def summary(self) -> list[str]:
        return [short(call) for call in self.calls]

    def trace(self, order_id: int | None = None) -> list[str]:
        """What was said about orders, in order, in the notation of the golden traces."""
        lines = [(_order_of(call), short(call)) for call in self.calls]
        wanted = [(number, line) for number, line in lines if number is not None and line]
        return [line for number, line in wanted if order_id is None or number == order_id]

    def place(self, order_id: int, contract: Contract, order: Order) -> None:
        self.api.placeOrder(order_id, contract, order)

    def cancel(self, order_id: int) -> None:
        self.api.cancelOrder(order_id, OrderCancel())


def _order_of(call: Callback) -> int | None:
    name = call[0]
    if name in {"openOrder", "orderStatus"}:
        return int(call[1])
    if name == "error" and call[1] >= 0:
        return int(call[1])
    if name == "execDetails":
        return int(call[3].orderId)
    if name == "commissionAndFeesReport":
        return -1
    return None


def short(call: Callback) -> str:
    name = call[0]
    if name == "openOrder":
        return f"openOrder {call[4].status}"
    if name == "orderStatus":
        held = f" {call[10]}" if call[10] else ""
        return f"orderStatus {call[2]} {call[3]}/{call[4]}{held}"
    if name == "error":
        return f"error {call[3]}"
    if name == "execDetails":
        return f"execDetails {call[3].side} {call[3].shares}"
    return str(name)


def contract(symbol: str = "SPY", sec_type: str = "STK", exchange: str = "SMART") -> Contract:
    made = Contract()
    made.symbol, made.secType, made.exchange, made.currency = symbol, sec_type, exchange, "USD"
    return made


def order(action: str, order_type: str, quantity: object, **fields: object) -> Order:
    made = Order()
    made.action, made.orderType, made.totalQuantity = action, order_type, Decimal(str(quantity))
    made.tif = "DAY"
    for name, value in fields.items():
        assert hasattr(made, name), name
        setattr(made, name, value)
    return made
