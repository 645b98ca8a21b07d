"""Order round trip: the bare official client, ib_async (if installed) and Callboard complete, on one simulated gateway.

    python benchmarks/round_trip.py [--orders 1000] [--burst 5000] [--rounds 5] [--durability process|power]

Every party runs in a process of its own; the parties of a round take turns on the same gateway process, which is a new
one in each round, and a ratio is the median of the rounds' ratios to the bare client. Latencies are microseconds of
real time.
"""

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FIGURES = (
    ("call_p50", "place call p50 us"),
    ("submitted_p50", "-> Submitted p50 us"),
    ("submitted_p99", "-> Submitted p99 us"),
    ("filled_p50", "-> Filled p50 us"),
    ("filled_p99", "-> Filled p99 us"),
    ("burst_seconds", "burst to last fill s"),
    ("burst_cpu_us", "CPU per order us"),
    ("settled_cpu_us", "... until all is written"),
    ("memory_mb", "peak memory MB"),
)


def main() -> int:
    """Measure and print the table."""
    arguments = _parser().parse_args()
    parties = ["bare"] + (["ib_async"] if importlib.util.find_spec("ib_async") else []) + ["callboard"]
    rounds = [_round(parties, number, arguments) for number in range(arguments.rounds)]
    _print_table(parties, rounds, arguments)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Order round trip against the simulated gateway.")
    parser.add_argument("--orders", type=int, default=1000, help="orders sent one at a time")
    parser.add_argument("--burst", type=int, default=5000, help="orders sent at once")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every party")
    parser.add_argument("--durability", choices=("process", "power"), default="process")
    return parser


def _round(parties: list[str], number: int, arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """On a gateway of its own: what the rounds before traded is not asked for again at each connect."""
    gateway = subprocess.Popen(
        [sys.executable, str(HERE / "gateway_process.py")], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert gateway.stdout is not None
        port = int(gateway.stdout.readline())
        return {party: _measure(party, port, number, arguments) for party in parties}
    finally:
        gateway.terminate()
        gateway.wait(10)


def _measure(party: str, port: int, number: int, arguments: argparse.Namespace) -> dict[str, float]:
    words = [str(HERE / f"party_{party}.py"), str(port), str(arguments.orders), str(arguments.burst)]
    words += [str(number), arguments.durability]
    done = subprocess.run(
        [sys.executable, *words], stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True, timeout=900
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"round {number + 1}: {party}: {result}", file=sys.stderr)
    return result


def _print_table(parties: list[str], rounds: list[dict[str, dict[str, float]]], arguments: Any) -> None:
    print(f"{arguments.orders} orders one at a time, a burst of {arguments.burst}, {len(rounds)} rounds, medians;")
    print(f"in brackets the ratio to the bare official client; journal durability = {arguments.durability}")
    print(f"{'':<24}" + "".join(f"{party:>22}" for party in parties))
    for key, label in FIGURES:
        cells = [_cell(key, party, rounds) for party in parties]
        print(f"{label:<24}" + "".join(f"{cell:>22}" for cell in cells))


def _cell(key: str, party: str, rounds: list[dict[str, dict[str, float]]]) -> str:
    values = [one[party][key] for one in rounds]
    ratios = [one[party][key] / one["bare"][key] for one in rounds if one["bare"][key]]
    ratio = f" ({statistics.median(ratios):.2f})" if ratios else ""
    return f"{statistics.median(values):.1f}{ratio}"


if __name__ == "__main__":
    sys.exit(main())
