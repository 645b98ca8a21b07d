"""A strategy that computes on every quote: what the switch interval during its hooks does to the order path.

    python benchmarks/busy_strategy.py [--seconds 8] [--busy-ms 20] [--signals-per-second 40] [--intervals 5,1,0.5]

While a hook computes it holds the interpreter, and every other thread gets it only after the switch interval. Each hook
ends with an order, whose way out competes with the next hook. Measured outside of the strategy, which is busy itself:
``out`` from ``submit_order`` to the request on the wire, ``back`` from there to our conclusion that it is filled (the
gateway, in a process of its own, fills at once), milliseconds; and how long the same computation takes. The first row
computes nothing. 5 ms is the interpreter's default, * marks the engine's choice.
"""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import attrs  # noqa: E402

import run  # noqa: E402
from actors import interpreter  # noqa: E402
from actors.clock import SystemClock  # noqa: E402
from actors.domain.identity import ClientId, Epoch  # noqa: E402
from actors.domain.terms import Order, Side  # noqa: E402
from actors.link import BrokerLink, HearsReports, LinkFactory  # noqa: E402
from actors.messages.events import OrderFilled  # noqa: E402
from actors.messages.reports import QuoteReported  # noqa: E402
from actors.messages.system import StopReason  # noqa: E402
from actors.messages.wire import PlaceOrder, Subscribe, WireMessage  # noqa: E402
from benchmarks.measuring import percentile  # noqa: E402
from ibapi_bridge.assembly import link_factory  # noqa: E402
from ibapi_bridge.link import LinkSettings  # noqa: E402
from strategy.base import Strategy  # noqa: E402
from strategy.config import PacingConfig, config_of  # noqa: E402
from strategy.console import Console  # noqa: E402

HERE = Path(__file__).resolve().parent
SYMBOL = "SPY"
WARM_UP_SECONDS = 2.0
DEFAULT_INTERVALS = "5,1,0.5,0.2,0.1"


class Stamps:
    """Seconds at which each order was submitted, on the wire and filled; threads write different keys."""

    submitted: dict[str, float] = {}
    sent: dict[str, float] = {}
    filled: dict[str, float] = {}
    computing: list[float] = []


class Busy(Strategy):
    """Computes on every quote, then sends an order of one share."""

    symbols = (SYMBOL,)
    loops: int = 0

    def on_start(self) -> None:
        self.orders = 0

    def on_quote(self, quote: QuoteReported) -> None:
        began = time.perf_counter()
        compute(self.loops)
        submitted = time.perf_counter()
        Stamps.computing.append(submitted - began)
        side = Side.BUY if self.orders % 2 == 0 else Side.SELL
        self.orders += 1
        oms_id = self.broker.submit_order(Order(symbol=SYMBOL, side=side, quantity=1))
        Stamps.submitted[oms_id] = submitted


def compute(loops: int) -> float:
    """Arithmetic that never lets go of the interpreter."""
    value = 1.0
    for step in range(loops):
        value = value * 1.0000001 + step % 7
    return value


def loops_in(seconds: float) -> int:
    """How many loops take so long when nobody disturbs."""
    trial, best = 100_000, float("inf")
    for _ in range(5):
        began = time.perf_counter()
        compute(trial)
        best = min(best, time.perf_counter() - began)
    return int(trial * seconds / best)


class StampingLink:
    """A link that notes when an order was written to the socket."""

    def __init__(self, link: BrokerLink) -> None:
        self._link = link

    def start(self) -> None:
        self._link.start()

    def send(self, command: WireMessage | Subscribe) -> None:
        self._link.send(command)
        if isinstance(command, PlaceOrder):
            Stamps.sent[command.oms_id] = time.perf_counter()

    def request_server_time(self) -> None:
        self._link.request_server_time()

    def close(self, reason: str = "closed by us") -> None:
        self._link.close(reason)


def stamping(make: LinkFactory) -> LinkFactory:
    """A factory of stamping links."""

    def make_stamping(epoch: Epoch, hear: HearsReports) -> BrokerLink:
        return StampingLink(make(epoch, hear))

    return make_stamping


class StampingConsole(Console):
    """Notes when the order manager said that an order is filled, on its own thread."""

    def tell(self, message: object) -> None:
        if isinstance(message, OrderFilled):
            Stamps.filled[message.order.oms_id] = time.perf_counter()
        super().tell(message)


class Watch:
    """Ends the run after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def on_end(self, stop: Any) -> None:
        timer = threading.Timer(self._seconds, stop, [StopReason(text="measured")])
        timer.daemon = True
        timer.start()

    def see(self, message: object) -> None:
        """Nothing to show."""

    def show_line(self, text: str) -> None:
        """Nothing to show."""

    def finish(self, reason: Any) -> None:
        """Nothing to print."""


def main() -> int:
    """Measure and print the table, or (as a party) one line of it."""
    arguments = _parser().parse_args()
    if arguments.port:
        return _party(arguments)
    chosen = interpreter.STRATEGY_SECONDS * 1000
    intervals = [float(word) for word in arguments.intervals.split(",")]
    print(f"{arguments.busy_ms:g} ms of computing on each of {arguments.signals_per_second:g} quotes a second")
    print(f"{'interval ms':>12}{'computing p50':>15}{'out p50':>9}{'out p99':>9}{'back p50':>10}{'back p99':>10}")
    for interval, busy in [(chosen, 0.0), *((one, arguments.busy_ms) for one in intervals)]:
        _print_row(interval, chosen, _measure(arguments, interval, busy))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The order path beside a strategy that computes.")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each measurement")
    parser.add_argument("--busy-ms", type=float, default=20.0, help="computing in each hook")
    parser.add_argument("--signals-per-second", type=float, default=40.0)
    parser.add_argument("--intervals", default=DEFAULT_INTERVALS, help="switch intervals in milliseconds")
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    return parser


def _measure(arguments: argparse.Namespace, interval: float, busy: float) -> dict[str, float]:
    serve = [sys.executable, str(HERE / "flood.py"), "--serve", "--instruments", "1"]
    gateway = subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert gateway.stdin is not None
        assert gateway.stdout is not None
        port = gateway.stdout.readline().strip()
        gateway.stdin.write(f"0 {arguments.signals_per_second}\n")
        gateway.stdin.flush()
        words = ["--port", port, "--intervals", str(interval), "--busy-ms", str(busy)]
        words += ["--seconds", str(arguments.seconds)]
        done = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
    finally:
        gateway.terminate()
        gateway.wait(10)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _print_row(interval: float, chosen: float, figures: dict[str, float]) -> None:
    mark = "*" if interval == chosen else ""
    cells = "".join(f"{figures[key]:>{width}.2f}" for key, width in (("out_p50", 9), ("out_p99", 9)))
    cells += "".join(f"{figures[key]:>{width}.2f}" for key, width in (("back_p50", 10), ("back_p99", 10)))
    print(f"{f'{interval:g}{mark}':>12}{figures['computing_p50']:>15.2f}{cells}", flush=True)


def _party(arguments: argparse.Namespace) -> int:
    logging.disable(logging.INFO)
    interpreter.STRATEGY_SECONDS = float(arguments.intervals) / 1000
    run.Console = StampingConsole  # type: ignore[attr-defined]  # the run makes its console itself
    began = time.perf_counter() + WARM_UP_SECONDS
    code = _trade(arguments.port, loops_in(arguments.busy_ms / 1000), arguments.seconds + WARM_UP_SECONDS)
    orders = [name for name, at in Stamps.submitted.items() if at > began and name in Stamps.filled]
    out = [(Stamps.sent[name] - Stamps.submitted[name]) * 1000 for name in orders]
    back = [(Stamps.filled[name] - Stamps.sent[name]) * 1000 for name in orders]
    figures = {
        "computing_p50": percentile(Stamps.computing, 0.5) * 1000,
        "out_p50": percentile(out, 0.5),
        "out_p99": percentile(out, 0.99),
        "back_p50": percentile(back, 0.5),
        "back_p99": percentile(back, 0.99),
    }
    print(json.dumps(figures), flush=True)
    return code


def _trade(port: int, loops: int, seconds: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        config = config_of(
            {
                "connection": {"port": port},
                "strategy": {"path": f"{__name__}:Busy", "parameters": {"loops": loops}},
                "trading": {"flatten_at": "off", "lock_at": "off"},
                "logging": {"directory": folder, "console": False},
            }
        )
        config = attrs.evolve(config, pacing=PacingConfig(messages_per_second=1e6, orders_per_contract=None))
        clock = SystemClock()
        make = link_factory(LinkSettings(port=port, client_id=ClientId(1)), clock=clock)
        return run.run_engine(
            run.Run(
                config=config,
                mode="simulator",
                clock=clock,
                make_link=stamping(make),
                state=Path(folder),
                watch=Watch(seconds),  # type: ignore[arg-type]  # the part of a watch that a run calls
            )
        )


if __name__ == "__main__":
    sys.exit(main())
