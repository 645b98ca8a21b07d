"""The bare official client: EClient and EWrapper as they come, ``run()`` on a thread."""

import logging
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ibapi.client import EClient  # noqa: E402
from ibapi.contract import Contract  # noqa: E402
from ibapi.order import Order  # noqa: E402
from ibapi.wrapper import EWrapper  # noqa: E402

from benchmarks.measuring import Timings, now_ns, report  # noqa: E402


class Bare(EWrapper, EClient):
    """Stamps the first status and the Filled status of each order."""

    def __init__(self) -> None:
        EWrapper.__init__(self)
        EClient.__init__(self, self)
        self.ready = threading.Event()
        self.next_id = 0
        self.submitted: dict[int, int] = {}
        self.filled: dict[int, int] = {}
        self.one = threading.Event()
        self.goal = -1
        self.all_filled = threading.Event()

    def nextValidId(self, orderId: int) -> None:  # noqa: N802, N803
        self.next_id = orderId
        self.ready.set()

    def orderStatus(self, orderId: int, status: str, *rest: Any) -> None:  # noqa: N802, N803
        del rest
        self.submitted.setdefault(orderId, now_ns())
        if status == "Filled" and orderId not in self.filled:
            self.filled[orderId] = now_ns()
            self.one.set()
            if len(self.filled) == self.goal:
                self.all_filled.set()

    def error(self, *arguments: Any) -> None:
        if arguments[2] not in (2104, 2106, 2158):
            print("error", arguments, file=sys.stderr)


def contract() -> Contract:
    wanted = Contract()
    wanted.symbol, wanted.secType, wanted.exchange, wanted.currency = "SPY", "STK", "SMART", "USD"
    return wanted


def market_order(number: int) -> Order:
    order = Order()
    order.action = "BUY" if number % 2 == 0 else "SELL"
    order.totalQuantity, order.orderType, order.tif = Decimal(1), "MKT", "DAY"
    return order


def main() -> int:
    """Measure against the gateway on the given port."""
    port, orders, burst, number = (int(word) for word in sys.argv[1:5])
    logging.getLogger("ibapi").setLevel(logging.WARNING)
    client, wanted, timings = Bare(), contract(), Timings()
    client.connect("127.0.0.1", port, 100 + number)
    threading.Thread(target=client.run, daemon=True).start()
    if not client.ready.wait(10):
        print("no nextValidId", file=sys.stderr)
        return 1
    for index in range(orders):
        order_id = client.next_id + index
        client.one.clear()
        start = now_ns()
        client.placeOrder(order_id, wanted, market_order(index))
        returned = now_ns()
        client.one.wait(10)
        timings.add(start, returned, client.submitted[order_id], client.filled[order_id])
    client.goal = orders + burst
    started, cpu = time.perf_counter(), time.process_time()
    for index in range(orders, orders + burst):
        client.placeOrder(client.next_id + index, wanted, market_order(index))
    client.all_filled.wait(300)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    report(timings, burst=burst, burst_seconds=seconds, burst_cpu_seconds=cpu_seconds)
    client.disconnect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
