"""ib_async with its usual bookkeeping (``IB``), throttle off."""

import asyncio
import logging
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ib_async import IB, MarketOrder, Stock  # noqa: E402

from benchmarks.measuring import Timings, now_ns, report  # noqa: E402


async def measure() -> None:
    """Orders one at a time, then a burst."""
    port, orders, burst, number = (int(word) for word in sys.argv[1:5])
    ib = IB()
    ib.client.MaxRequests = 0
    await ib.connectAsync("127.0.0.1", port, clientId=200 + number, timeout=120)  # it asks for all executions so far
    wanted, timings = Stock("SPY", "SMART", "USD"), Timings()
    for index in range(orders):
        timings.add(*await one(ib, wanted, side(index)))
    started, cpu = time.perf_counter(), time.process_time()
    done, left = asyncio.Event(), [burst]

    def filled(trade: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            done.set()

    for index in range(burst):
        ib.placeOrder(wanted, MarketOrder(side(index), 1, tif="DAY")).filledEvent += filled
    await asyncio.wait_for(done.wait(), 300)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    report(timings, burst=burst, burst_seconds=seconds, burst_cpu_seconds=cpu_seconds)
    ib.disconnect()


async def one(ib: Any, wanted: Any, action: str) -> tuple[int, int, int, int]:
    """Place one order and wait for its fill: start, returned, first status, filled."""
    stamps: dict[str, int] = {}
    done = asyncio.Event()

    def status(trade: Any) -> None:
        stamps.setdefault("submitted", now_ns())
        if trade.orderStatus.status == "Filled" and "filled" not in stamps:
            stamps["filled"] = now_ns()
            done.set()

    start = now_ns()
    trade = ib.placeOrder(wanted, MarketOrder(action, 1, tif="DAY"))
    returned = now_ns()
    trade.statusEvent += status
    await asyncio.wait_for(done.wait(), 10)
    return start, returned, stamps["submitted"], stamps["filled"]


def side(index: int) -> str:
    """Alternate, so that the position stays small."""
    return "BUY" if index % 2 == 0 else "SELL"


if __name__ == "__main__":
    logging.getLogger("ib_async").setLevel(logging.ERROR)
    asyncio.run(measure())
