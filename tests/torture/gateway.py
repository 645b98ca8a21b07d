"""The gateway of the torture runs, a process of its own: the simulator with a dozen stocks, writing its wire log."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import attrs

from ibapi_bridge.gateway_simulator.config import GatewayConfig
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments
from ibapi_bridge.gateway_simulator.exchange.types import Instrument
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 4, 13, 14, 0, tzinfo=UTC)
SYMBOLS = ("SPY", "AAPL", "MSFT", *(f"TT{letter}" for letter in "ABCDEFGHI"))


def instruments() -> tuple[Instrument, ...]:
    """Three well-known stocks and nine made-up ones."""
    known = default_instruments()[:3]
    made = [
        attrs.evolve(known[0], con_id=900_000 + number, symbol=symbol, local_symbol=symbol, trading_class=symbol,
                     reference_price=Decimal(50 + 10 * number))
        for number, symbol in enumerate(SYMBOLS[3:])
    ]  # fmt: skip
    return (*known, *made)


def config(wire_log: Path | None = None) -> GatewayConfig:
    """The simulator's settings."""
    return GatewayConfig(speed=4.0, start=START, instruments=instruments(), wire_log=wire_log)


class GatewayProcess:
    """The simulator in a process of its own; a context manager."""

    def __init__(self, log: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.gateway", str(log)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> "GatewayProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()


def main() -> int:
    """Serve until ended; the first line printed is the port."""
    simulator = GatewaySimulator(config(Path(sys.argv[1])))
    simulator.start()
    sys.stdout.write(f"{simulator.port}\n")
    sys.stdout.flush()
    signal.sigwait([signal.SIGINT, signal.SIGTERM])
    simulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
