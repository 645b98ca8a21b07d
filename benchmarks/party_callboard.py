"""Callboard complete: strategy, risk checks, durable journal, all actors, the link."""

import logging
import os
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import attrs  # noqa: E402

import run  # noqa: E402
from actors.clock import SystemClock  # noqa: E402
from actors.domain.identity import ClientId  # noqa: E402
from actors.domain.order_state import ExecStatus, OrderState  # noqa: E402
from actors.domain.terms import Order, OrderType, Side  # noqa: E402
from actors.messages.events import OrderEvent, OrderFilled  # noqa: E402
from actors.messages.system import StopReason  # noqa: E402
from benchmarks.measuring import Timings, now_ns, report  # noqa: E402
from ibapi_bridge.assembly import link_factory  # noqa: E402
from ibapi_bridge.link import LinkSettings  # noqa: E402
from strategy.base import Strategy  # noqa: E402
from strategy.config import PacingConfig, config_of  # noqa: E402

SETTLE_SECONDS = 30.0


class RoundTrips(Strategy):
    """Orders one at a time, then a burst; stamps inside the strategy's own hooks."""

    symbols = ("SPY",)
    orders: int = 1000
    burst: int = 5000

    timings = Timings()
    done = threading.Event()
    result: dict[str, float] = {}

    def __init__(self) -> None:
        self.start = self.returned = self.submitted = 0

    def on_start(self) -> None:
        """Wait until what the other parties traded before has been reconciled and logged."""
        self.sent = 0
        self.filled = 0
        self.current = ""
        self.broker.every(SETTLE_SECONDS, "begin")

    def on_timer(self, name: str, at: datetime) -> None:
        """Begin with the first order."""
        if self.sent == 0:
            self._next()

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        """Stamp the acknowledgement and the fill; a status of the broker counts, our own submission does not."""
        if self.sent > self.orders:
            self._count(order, event)
        elif order.oms_id == self.current:
            if order.status is not ExecStatus.NEW and self.submitted == 0:
                self.submitted = now_ns()
            if isinstance(event, OrderFilled) and order.status is ExecStatus.FILLED:
                self.timings.add(self.start, self.returned, self.submitted, now_ns())
                self._next()

    def _next(self) -> None:
        if self.sent == self.orders:
            self._burst()
            return
        self.submitted = 0
        self.start = now_ns()
        self.current = self._submit()
        self.returned = now_ns()

    def _burst(self) -> None:
        self.started = time.perf_counter()
        self.result["began"] = time.process_time()
        for _ in range(self.burst):
            self._submit()

    def _count(self, order: OrderState, event: OrderEvent) -> None:
        self.filled += isinstance(event, OrderFilled) and order.status is ExecStatus.FILLED
        if self.filled == self.burst and not self.done.is_set():
            self.result["seconds"] = time.perf_counter() - self.started
            self.result["cpu"] = time.process_time() - self.result["began"]
            self.done.set()

    def _submit(self) -> str:
        side = Side.BUY if self.sent % 2 == 0 else Side.SELL
        self.sent += 1
        return self.broker.submit_order(Order(symbol="SPY", side=side, quantity=1, order_type=OrderType.MARKET))


class Watch:
    """Ends the run when the strategy is done; shows nothing."""

    def on_end(self, stop: Any) -> None:
        """A waiter thread, so that nothing is measured on the main thread."""
        threading.Thread(target=self._wait, args=(stop,), daemon=True).start()

    def _wait(self, stop: Any) -> None:
        RoundTrips.done.wait(300)
        stop(StopReason(text="measured"))

    def see(self, message: object) -> None:
        """Nothing to show."""

    def show_line(self, text: str) -> None:
        """Nothing to show."""

    def finish(self, reason: Any) -> None:
        """Nothing to print."""


def main() -> int:
    """Measure against the gateway on the given port."""
    port, orders, burst, number = (int(word) for word in sys.argv[1:5])
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        config = config_of(
            {
                "connection": {"port": port, "client_id": 300 + number},
                "strategy": {
                    "path": f"{__name__}:RoundTrips",
                    "parameters": {"orders": orders, "burst": burst},
                },
                "trading": {"durability": sys.argv[5], "flatten_at": "off", "lock_at": "off"},
                "logging": {"directory": folder, "console": False, "level": os.environ.get("LOGLEVEL", "INFO")},
            }
        )
        config = attrs.evolve(
            config, pacing=PacingConfig(messages_per_second=1e9, orders_per_contract=None)
        )  # the bare client paces nothing
        clock = SystemClock()
        link = LinkSettings(port=port, client_id=ClientId(300 + number))
        code = run.run_engine(
            run.Run(
                config=config,
                mode="simulator",
                clock=clock,
                make_link=link_factory(link, clock=clock),
                state=Path(folder),
                watch=Watch(),  # type: ignore[arg-type]  # the part of a watch that a run calls
            )
        )
    result = RoundTrips.result
    report(
        RoundTrips.timings,
        burst=burst,
        burst_seconds=result["seconds"],
        burst_cpu_seconds=result["cpu"],
        settled_cpu_seconds=time.process_time() - result["began"],
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
