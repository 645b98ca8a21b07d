"""The gateway simulator under load: official clients in processes of their own, one and then several at once.

    python benchmarks/gateway.py [--clients 8] [--orders 2000] [--seconds 3]

Orders: every client sends its market orders as fast as it can; the figure counts from the first order sent to the last
`Filled` heard, over all clients. Market data: every client watches all symbols while market time runs as fast as the
clients take it. CPU figures come from the processes themselves, so they hold on a busy machine too.
"""

import argparse
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ibapi.client import EClient  # noqa: E402
from ibapi.contract import Contract  # noqa: E402
from ibapi.order import Order  # noqa: E402
from ibapi.wrapper import EWrapper  # noqa: E402

from benchmarks.measuring import peak_memory_mb  # noqa: E402
from ibapi_bridge.gateway_simulator.config import GatewayConfig  # noqa: E402
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig, Latency  # noqa: E402
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments  # noqa: E402
from ibapi_bridge.gateway_simulator.exchange.types import Instrument  # noqa: E402
from ibapi_bridge.gateway_simulator.server import GatewaySimulator  # noqa: E402

PATIENCE = 300
SYMBOLS = ("SPY", "AAPL", "MSFT")


class Trader(EWrapper, EClient):
    """The official client as it comes, counting."""

    def __init__(self) -> None:
        EWrapper.__init__(self)
        EClient.__init__(self, self)
        self.next_id = 0
        self.ready = threading.Event()
        self.filled: set[int] = set()
        self.goal = 0
        self.all_filled = threading.Event()
        self.ticks = 0

    def nextValidId(self, orderId: int) -> None:  # noqa: N802, N803
        self.next_id = orderId
        self.ready.set()

    def orderStatus(self, orderId: int, status: str, *rest: Any) -> None:  # noqa: N802, N803
        del rest
        if status == "Filled":
            self.filled.add(orderId)
            if len(self.filled) == self.goal:
                self.all_filled.set()

    def tickPrice(self, *rest: Any) -> None:  # noqa: N802
        del rest
        self.ticks += 1

    def tickSize(self, *rest: Any) -> None:  # noqa: N802
        del rest
        self.ticks += 1

    def tickString(self, *rest: Any) -> None:  # noqa: N802
        del rest
        self.ticks += 1

    def error(self, *arguments: Any) -> None:
        if not 2100 <= arguments[2] < 2200:
            print("error", arguments, file=sys.stderr)


def stock(symbol: str) -> Contract:
    wanted = Contract()
    wanted.symbol, wanted.secType, wanted.exchange, wanted.currency = symbol, "STK", "SMART", "USD"
    return wanted


def market_order(number: int) -> Order:
    order = Order()
    order.action = "BUY" if number % 2 == 0 else "SELL"
    order.totalQuantity, order.orderType, order.tif = Decimal(1), "MKT", "DAY"
    return order


def trade(client: Trader, orders: int) -> None:
    """Sends the orders and waits for the last fill."""
    client.goal, spy = orders, stock("SPY")
    for index in range(orders):
        client.placeOrder(client.next_id + index, spy, market_order(index))
    if not client.all_filled.wait(PATIENCE):
        raise TimeoutError(f"{len(client.filled)} of {orders} orders filled within {PATIENCE} seconds")


def watch(client: Trader, seconds: float) -> None:
    """Watches every symbol for that long."""
    for number, symbol in enumerate(SYMBOLS):
        client.reqMktData(number, stock(symbol), "", False, False, [])  # noqa: FBT003 - the official signature
    time.sleep(seconds)
    for number in range(len(SYMBOLS)):
        client.cancelMktData(number)


def leave(client: Trader) -> None:
    """Disconnects with nothing left to read: the stock ``run()`` stumbles over messages it finds afterwards."""
    while not client.msg_queue.empty():
        time.sleep(0.05)
    client.disconnect()


def client_process(arguments: argparse.Namespace) -> int:
    """One client: says that it is ready, starts when told, prints what it did."""
    logging.getLogger("ibapi").setLevel(logging.WARNING)
    client = Trader()
    client.connect("127.0.0.1", arguments.port, arguments.number)
    threading.Thread(target=client.run, daemon=True).start()
    if not client.ready.wait(PATIENCE):
        raise TimeoutError("no nextValidId")
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu = time.time(), time.process_time()
    trade(client, arguments.orders) if arguments.orders else watch(client, arguments.seconds)
    figures = {
        "started": started,
        "ended": time.time(),
        "cpu": time.process_time() - cpu,
        "ticks": client.ticks,
        "fills": len(client.filled),
    }
    print(json.dumps(figures), flush=True)
    leave(client)
    return 0


def watched() -> tuple[Instrument, ...]:
    """The instruments the clients watch, so that no other one's market is made."""
    return tuple(one for one in default_instruments() if one.symbol in SYMBOLS and one.sec_type == "STK")


def server_process(arguments: argparse.Namespace) -> int:
    """The simulator: prints its port, and its CPU time and peak memory on every line it reads."""
    at_once = Latency(low=0, high=0)
    exchange = ExchangeConfig(
        ack=at_once,
        fill=at_once,
        cancel=at_once,
        starting_cash={"USD": Decimal(1_000_000_000)},
        check_margin=False,
        displayed_share=Decimal(arguments.depth),
    )
    start = datetime(2026, 4, 13, 14, 0, tzinfo=UTC)
    speed = None if arguments.fast else 1.0
    simulator = GatewaySimulator(GatewayConfig(speed=speed, start=start, exchange=exchange, instruments=watched()))
    simulator.start()
    print(simulator.port, flush=True)
    for _ in sys.stdin:
        print(json.dumps({"cpu": time.process_time(), "memory_mb": peak_memory_mb()}), flush=True)
    simulator.stop()
    return 0


@contextmanager
def role(name: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """This file again, in another role; it ends when its input does."""
    command = [sys.executable, __file__, "--role", name, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
            process.communicate(timeout=20)
        finally:
            process.kill()


def hear(process: "subprocess.Popen[str]") -> str:
    """The process's next line."""
    assert process.stdout is not None
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"a process of the benchmark ended with code {process.wait()}")
    return answer


def tell(process: "subprocess.Popen[str]", line: str) -> None:
    """Sends the process a line."""
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def measured(clients: int, *words: str, fast: bool = False) -> dict[str, Any]:
    """All clients at once against a fresh simulator."""
    with ExitStack() as running:
        simulator = running.enter_context(role("server", *(["--fast"] if fast else [])))
        common = ("--port", hear(simulator).strip(), *words)
        traders = [
            running.enter_context(role("client", *common, "--number", str(number + 1))) for number in range(clients)
        ]
        for trader in traders:
            hear(trader)
        before = figures_of(simulator)
        for trader in traders:
            tell(trader, "go")
        results = [json.loads(hear(trader)) for trader in traders]
        after = figures_of(simulator)
    return {
        "seconds": max(one["ended"] for one in results) - min(one["started"] for one in results),
        "fills": sum(one["fills"] for one in results),
        "ticks": sum(one["ticks"] for one in results),
        "client_cpu": sum(one["cpu"] for one in results),
        "server_cpu": after["cpu"] - before["cpu"],
        "memory_mb": after["memory_mb"],
    }


def figures_of(simulator: "subprocess.Popen[str]") -> dict[str, float]:
    """The simulator's CPU seconds and peak memory so far."""
    tell(simulator, "figures")
    figures: dict[str, float] = json.loads(hear(simulator))
    return figures


def row(label: str, count: float, unit: str, figures: dict[str, Any]) -> str:
    """One line of the table."""
    server_us, client_us = figures["server_cpu"] / count * 1e6, figures["client_cpu"] / count * 1e6
    return (
        f"{label:<24}{count / figures['seconds']:>12,.0f} {unit:<12}"
        f"simulator {server_us:>7.1f} us CPU each, client {client_us:>7.1f} ({server_us / client_us:.2f}), "
        f"simulator {figures['memory_mb']:.0f} MB"
    )


def main() -> int:
    """Measure and print the table."""
    arguments = _parser().parse_args()
    if arguments.role == "client":
        return client_process(arguments)
    if arguments.role == "server":
        return server_process(arguments)
    counts = sorted({1, arguments.clients})
    for clients in counts:
        traded = measured(clients, "--orders", str(arguments.orders // clients))
        print(row(f"orders, {clients} client(s)", traded["fills"], "orders/s", traded), flush=True)
    for clients in counts:
        watched = measured(clients, "--orders", "0", "--seconds", str(arguments.seconds), fast=True)
        print(row(f"quotes, {clients} client(s)", watched["ticks"], "messages/s", watched), flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Official clients against the gateway simulator.")
    parser.add_argument("--clients", type=int, default=8, help="clients at once (default 8)")
    parser.add_argument("--orders", type=int, default=4000, help="orders in all (default 4000)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to watch market data (default 3)")
    for name in ("--role", "--port", "--number"):
        parser.add_argument(name, type=str if name == "--role" else int, help=argparse.SUPPRESS)
    parser.add_argument("--fast", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--depth", type=int, default=1000, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
