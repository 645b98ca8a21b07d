"""Order events beside a flood of market data: they must not wait behind it.

    python benchmarks/flood.py [--seconds 60] [--rate 10000] [--instruments 40] [--orders-per-second 50]

One engine trades single shares all the time while the gateway, in a process of its own, is quiet, floods, and is quiet
again. A quote is one tick message of a changed price. Latencies are microseconds of real time from ``submit_order`` to
the strategy's hook; the ratio compares the flood with the median of the quiet phases. Linux tells the memory.
"""

import argparse
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import attrs  # noqa: E402

import run  # noqa: E402
from actors.clock import SystemClock  # noqa: E402
from actors.domain.identity import ClientId  # noqa: E402
from actors.domain.order_state import OrderState  # noqa: E402
from actors.domain.terms import Order, Side  # noqa: E402
from actors.messages.events import OrderAccepted, OrderEvent, OrderFilled  # noqa: E402
from actors.messages.reports import QuoteReported  # noqa: E402
from actors.messages.system import StopReason  # noqa: E402
from actors.system import Engine  # noqa: E402
from benchmarks.gateway_settings import benchmark_gateway  # noqa: E402
from benchmarks.measuring import now_ns, percentile  # noqa: E402
from ibapi_bridge.assembly import link_factory  # noqa: E402
from ibapi_bridge.gateway_simulator.config import GatewayConfig  # noqa: E402
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments  # noqa: E402
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Quote  # noqa: E402
from ibapi_bridge.gateway_simulator.server import GatewaySimulator  # noqa: E402
from ibapi_bridge.link import LinkSettings  # noqa: E402
from strategy.base import Strategy  # noqa: E402
from strategy.config import PacingConfig, config_of  # noqa: E402

BEAT_SECONDS = 0.005
SAMPLE_SECONDS = 0.02
WARM_UP_SECONDS = 5.0
TRADED = "SPY"


# -- the gateway's process -------------------------------------------------------------------------------------------


def flooded_instruments(number: int) -> tuple[Instrument, ...]:
    """SPY and so many copies of it under other names."""
    spy = next(one for one in default_instruments() if one.symbol == TRADED)
    copies = (attrs.evolve(spy, con_id=900_000 + n, symbol=f"Q{n:03}", local_symbol=f"Q{n:03}") for n in range(number))
    return (spy, *copies)


class Due:
    """How many of something are due, so many a second."""

    def __init__(self) -> None:
        self.rate = 0.0
        self._owed = 0.0

    def after(self, seconds: float) -> int:
        """How many more since the last time."""
        self._owed += seconds * self.rate
        whole = int(self._owed)
        self._owed -= whole
        return whole


class Flood:
    """Changes the bid of one instrument after the other, evenly over time, on the server's own thread.

    Quotes of the traded instrument, each of which brings an order, come in the middle of the others.
    """

    def __init__(self, simulator: GatewaySimulator, instruments: tuple[Instrument, ...]) -> None:
        self._simulator = simulator
        self._traded = next(one.con_id for one in instruments if one.symbol == TRADED)
        self._others = cycle([one.con_id for one in instruments if one.symbol != TRADED])
        self._turns: Counter[int] = Counter()
        self.quotes, self.signals = Due(), Due()
        self.sent = 0
        self.most_waiting = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flood", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        last = time.perf_counter()
        while not self._stopping.wait(BEAT_SECONDS):
            now = time.perf_counter()
            half, rest = divmod(self.quotes.after(now - last), 2)
            con_ids = list(islice(self._others, half + rest))
            con_ids += [self._traded] * self.signals.after(now - last)
            con_ids += islice(self._others, half)
            last = now
            if con_ids:
                self._simulator.call(partial(self._send, con_ids))

    def _send(self, con_ids: list[int]) -> None:
        gateway = self._simulator.gateway
        for con_id in con_ids:
            gateway.hub.quoted(self._quote(con_id, gateway.now))
        self.sent += len(con_ids)
        self.most_waiting = max([self.most_waiting, *(len(one.outbound) for one in gateway.sessions)])

    def _quote(self, con_id: int, at: datetime) -> Quote:
        self._turns[con_id] += 1
        bid = Decimal("449.00") + Decimal(self._turns[con_id] % 50) / 100
        ask, size = Decimal("450.00"), Decimal(100)
        return Quote(at=at, con_id=con_id, bid=bid, bid_size=size, ask=ask, ask_size=size)


def serve(number: int) -> int:
    """Print the port; each line on stdin has new rates and is answered with what the phase before it brought."""
    instruments = flooded_instruments(number)
    template = benchmark_gateway().config
    config: GatewayConfig = attrs.evolve(template, instruments=instruments, start=datetime(2026, 4, 13, 14, tzinfo=UTC))
    simulator = GatewaySimulator(config)
    simulator.start()
    print(simulator.port, flush=True)
    flood = Flood(simulator, instruments)
    began = time.perf_counter()
    for line in sys.stdin:
        now = time.perf_counter()
        told = {"quotes_per_second": flood.sent / (now - began), "most_bytes_waiting": flood.most_waiting}
        print(json.dumps(told), flush=True)
        flood.quotes.rate, flood.signals.rate = (float(word) for word in line.split())
        flood.sent, flood.most_waiting, began = 0, 0, now
    flood.stop()
    simulator.stop()
    return 0


# -- the engine's process --------------------------------------------------------------------------------------------


class Phase:
    """What one phase brought."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.submitted: list[float] = []
        self.filled: list[float] = []
        self.depths: Counter[str] = Counter()
        self.quotes_heard = 0
        self.memory_mb: list[float] = []
        self.cpu_seconds = 0.0
        self.seconds = 0.0
        self.gateway: dict[str, float] = {}


class Trades(Strategy):
    """One share on each quote of the traded instrument."""

    symbols = (TRADED,)

    phase = Phase("start")

    def on_start(self) -> None:
        self.sent = 0
        self.begun: dict[str, tuple[int, Phase]] = {}

    def on_quote(self, quote: QuoteReported) -> None:
        Trades.phase.quotes_heard += 1
        if quote.contract.symbol == TRADED:
            self._trade()

    def _trade(self) -> None:
        side = Side.BUY if self.sent % 2 == 0 else Side.SELL
        self.sent += 1
        start = now_ns()
        oms_id = self.broker.submit_order(Order(symbol=TRADED, side=side, quantity=1))
        self.begun[oms_id] = (start, Trades.phase)

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        start, phase = self.begun.get(order.oms_id, (0, Trades.phase))
        if not start:
            return
        if isinstance(event, OrderFilled):
            phase.filled.append((now_ns() - start) / 1000)
            del self.begun[order.oms_id]
        elif isinstance(event, OrderAccepted):
            phase.submitted.append((now_ns() - start) / 1000)


class ObservedEngine(Engine):
    """Lets its inboxes be looked at from outside."""

    running: "ObservedEngine | None" = None

    def start(self) -> None:
        ObservedEngine.running = self
        super().start()


class Conductor:
    """The watch of a run: leads through the phases on a thread of its own and looks at the inboxes."""

    def __init__(self, gateway: "subprocess.Popen[str]", arguments: argparse.Namespace) -> None:
        self._gateway = gateway
        self._arguments = arguments
        self.phases: list[Phase] = []

    def on_end(self, stop: Any) -> None:
        threading.Thread(target=self._lead, args=(stop,), name="conductor", daemon=True).start()

    def _lead(self, stop: Any) -> None:
        seconds, rate = self._arguments.seconds, self._arguments.rate
        self._run(Phase("warm-up"), WARM_UP_SECONDS, 0)
        for name, length, wanted in (("quiet", seconds / 2, 0), ("flood", seconds, rate), ("quiet", seconds / 2, 0)):
            phase = Phase(name)
            self._run(phase, length, wanted)
            self.phases.append(phase)
        stop(StopReason(text="measured"))

    def _run(self, phase: Phase, seconds: float, rate: int) -> None:
        self._set_rate(rate)
        Trades.phase = phase
        began, cpu = time.monotonic(), time.process_time()
        phase.memory_mb.append(resident_memory_mb())
        while (now := time.monotonic()) < began + seconds:
            self._look(phase)
            if len(phase.memory_mb) == 1 and now > began + seconds / 2:
                phase.memory_mb.append(resident_memory_mb())
            time.sleep(SAMPLE_SECONDS)
        phase.memory_mb.append(resident_memory_mb())
        phase.seconds, phase.cpu_seconds = time.monotonic() - began, time.process_time() - cpu
        phase.gateway = self._set_rate(0)

    def _look(self, phase: Phase) -> None:
        if ObservedEngine.running is not None:
            for name, depth in ObservedEngine.running.inbox_depths().items():
                phase.depths[name] = max(phase.depths[name], depth)

    def _set_rate(self, rate: int) -> dict[str, float]:
        assert self._gateway.stdin is not None
        assert self._gateway.stdout is not None
        self._gateway.stdin.write(f"{rate} {self._arguments.orders_per_second}\n")
        self._gateway.stdin.flush()
        answer: dict[str, float] = json.loads(self._gateway.stdout.readline())
        return answer

    def see(self, message: object) -> None:
        """Nothing to show."""

    def show_line(self, text: str) -> None:
        """Nothing to show."""

    def finish(self, reason: Any) -> None:
        """Nothing to print."""


def resident_memory_mb() -> float:
    """Resident memory now; 0 where /proc does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmRSS"))


def main() -> int:
    """Measure and print the table."""
    arguments = _parser().parse_args()
    if arguments.serve:
        return serve(arguments.instruments)
    logging.disable(logging.INFO)
    words = [sys.executable, __file__, "--serve", "--instruments", str(arguments.instruments)]
    gateway = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert gateway.stdout is not None
        conductor = Conductor(gateway, arguments)
        code = _trade(int(gateway.stdout.readline()), conductor, arguments)
    finally:
        gateway.terminate()
        gateway.wait(10)
    if code == 0:
        _print_table(conductor.phases)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Order events beside a flood of market data.")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the flood")
    parser.add_argument("--rate", type=int, default=10_000, help="quotes a second")
    parser.add_argument("--instruments", type=int, default=40, help="how many instruments are quoted")
    parser.add_argument("--orders-per-second", type=int, default=50, help="signals a second, in every phase")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    return parser


def _trade(port: int, conductor: Conductor, arguments: argparse.Namespace) -> int:
    run.Engine = ObservedEngine  # type: ignore[attr-defined]  # the run makes its engine itself
    symbols = [one.symbol for one in flooded_instruments(arguments.instruments)]
    with tempfile.TemporaryDirectory() as folder:
        config = config_of(
            {
                "connection": {"port": port},
                "strategy": {
                    "path": f"{__name__}:Trades",
                    "parameters": {"symbols": symbols},
                },
                "trading": {"flatten_at": "off", "lock_at": "off"},
                "logging": {"directory": folder, "console": False},
            }
        )
        config = attrs.evolve(config, pacing=PacingConfig(messages_per_second=1e6, orders_per_contract=None))
        clock = SystemClock()
        return run.run_engine(
            run.Run(
                config=config,
                mode="simulator",
                clock=clock,
                make_link=link_factory(LinkSettings(port=port, client_id=ClientId(1)), clock=clock),
                state=Path(folder),
                watch=conductor,  # type: ignore[arg-type]  # the part of a watch that a run calls
            )
        )


def _print_table(phases: list[Phase]) -> None:
    for phase in phases:
        cpu = phase.cpu_seconds / phase.seconds
        heard = phase.quotes_heard / phase.seconds
        sent, waiting = phase.gateway["quotes_per_second"], phase.gateway["most_bytes_waiting"]
        print(
            f"{phase.name}: {len(phase.filled)} orders, {sent:.0f} quotes/s sent, {heard:.0f}/s heard by the strategy"
        )
        print(f"    submitted p50 {_at(phase.submitted, 0.5)} p99 {_at(phase.submitted, 0.99)} us, ", end="")
        print(f"filled p50 {_at(phase.filled, 0.5)} p99 {_at(phase.filled, 0.99)} max {_at(phase.filled, 1.0)} us")
        print(
            f"    CPU {cpu:.2f}, memory {[round(mb, 1) for mb in phase.memory_mb]} MB, at most {waiting} bytes waiting"
        )
        print(f"    deepest inboxes {dict(phase.depths)}")
    for name in ("submitted", "filled"):
        quiet = statistics.median(percentile(getattr(one, name), 0.99) for one in phases if one.name == "quiet")
        flood = percentile(getattr(phases[1], name), 0.99)
        print(f"p99 of {name} in the flood / in the quiet: {flood / quiet:.2f}")


def _at(values: list[float], share: float) -> str:
    return f"{percentile(values, share):.0f}" if values else "-"


if __name__ == "__main__":
    sys.exit(main())
