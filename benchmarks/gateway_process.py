"""A simulated gateway without artificial latency, in a process of its own; prints its port and serves until ended."""

import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.gateway_settings import benchmark_gateway  # noqa: E402


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    simulator = benchmark_gateway()
    simulator.start()
    print(simulator.port, flush=True)
    stopping.wait()
    simulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
