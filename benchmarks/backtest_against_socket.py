"""The same strategy on the same recorded days, in virtual time and through the real socket: do orders and fills agree?

``python -m benchmarks.backtest_against_socket --replay PATH --symbol SPY [--strategy S] [--speed N] DAY...`` prints a
line for each day and each order that differs. In virtual time a request takes 2 ms to the exchange; through the socket
it takes real time, which at ``--speed 60`` is worth 60 times as much market: a limit order may meet a later quote, fill
in other parts or not at all, and what the strategy does after that differs.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

ROOT = Path(__file__).resolve().parent.parent
SAME_DECISION = timedelta(seconds=90)


@attrs.define(kw_only=True)
class Filled:
    """What became of one order: when it first filled, shares, and what they cost."""

    at: datetime
    side: str
    shares: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    @property
    def price(self) -> Decimal:
        """The average."""
        return self.cost / self.shares

    def describe(self) -> str:
        """In words."""
        return f"{self.at:%H:%M:%S} {self.side} {self.shares} at {self.price:.4f}"


Day = dict[str, Filled]
"""By the order's name."""


def add(day: Day, name: str, at: datetime, side: str, shares: Decimal, price: Decimal) -> None:
    """One execution."""
    filled = day.setdefault(name, Filled(at=at, side=side))
    filled.shares += shares
    filled.cost += shares * price


def in_virtual_time(words: list[str], day: date, folder: Path) -> Day:
    """The backtest's fills."""
    fills = folder / "fills.csv"
    span = ["--from", f"{day}", "--to", f"{day}"]
    call("run.py", "backtest", *words, *span, "--fills", str(fills))
    found: Day = {}
    with fills.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["time"])
            add(found, row["order"], at, row["side"], Decimal(row["quantity"]), Decimal(row["price"]))
    return found


def through_the_socket(words: list[str], day: date, speed: str, folder: Path) -> Day:
    """The fills in a capture of a session; each execution once."""
    capture = folder / "capture.jsonl"
    call("run.py", *words, "--date", f"{day}", "--speed", speed, "--capture", str(capture))
    found: Day = {}
    seen = set[str]()
    for at, execution in executions_in(capture.read_text(encoding="utf-8").splitlines()):
        if execution["execId"] not in seen:
            seen.add(execution["execId"])
            side = "BUY" if execution["side"] == "BOT" else "SELL"
            shares, price = Decimal(str(execution["shares"])), Decimal(str(execution["price"]))
            add(found, execution["orderRef"], at, side, shares, price)
    return found


def executions_in(lines: Iterable[str]) -> Iterable[tuple[datetime, dict[str, Any]]]:
    """The executions told in a capture, and when."""
    for line in lines:
        record = json.loads(line)
        if record["name"] == "execDetails":
            yield datetime.fromisoformat(record["at"]), record["args"]["execution"]


def call(*words: str) -> None:
    """Run the command as a user would; its output is shown when it fails."""
    ran = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {ran.returncode}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")


def pairs(virtual: Day, socket: Day) -> Iterator[tuple[Filled | None, Filled | None]]:
    """The orders that are one decision: the same side, first filled within a bar and a half of each other.

    One order more or less shifts the numbers of all that follow, so they are not matched by number.
    """
    left = sorted(socket.values(), key=lambda filled: filled.at)
    for mine in sorted(virtual.values(), key=lambda filled: filled.at):
        near = [theirs for theirs in left if theirs.side == mine.side and abs(theirs.at - mine.at) <= SAME_DECISION]
        found = min(near, key=lambda theirs: abs(theirs.at - mine.at), default=None)
        if found is not None:
            left.remove(found)
        yield mine, found
    yield from ((None, theirs) for theirs in left)


def compare(day: date, virtual: Day, socket: Day) -> None:
    """Print how far they agree."""
    matched = list(pairs(virtual, socket))
    both = [(mine, theirs) for mine, theirs in matched if mine is not None and theirs is not None]
    alike = [(mine, theirs) for mine, theirs in both if mine.shares == theirs.shares]
    apart = [abs(mine.price - theirs.price) for mine, theirs in alike]
    average, most = sum(apart, Decimal(0)) / max(len(apart), 1), max(apart, default=Decimal(0))
    print(
        f"{day}: {len(virtual)} filled orders in virtual time, {len(socket)} through the socket; {len(both)} are the "
        f"same decision, {len(alike)} with the same shares, {sum(not gap for gap in apart)} at the same price; "
        f"on average {average:.4f} apart, at most {most:.4f}",
        flush=True,
    )
    for mine, theirs in matched:
        if (mine, theirs) not in alike:
            told = ["nothing" if filled is None else filled.describe() for filled in (mine, theirs)]
            print(f"  {told[0]} in virtual time, {told[1]} through the socket")


def main() -> None:
    """Compare day by day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategy", default="strategy.examples.mean_reversion:MeanReversion")
    parser.add_argument("--replay", required=True)
    parser.add_argument("--symbol", required=True)
    parser.add_argument("--speed", default="60")
    parser.add_argument("days", nargs="+", type=date.fromisoformat)
    arguments = parser.parse_args()
    words = ["--strategy", arguments.strategy, "--replay", arguments.replay, "--symbol", arguments.symbol]
    for day in arguments.days:
        with tempfile.TemporaryDirectory() as folder:
            virtual = in_virtual_time(words, day, Path(folder))
            compare(day, virtual, through_the_socket(words, day, arguments.speed, Path(folder)))


if __name__ == "__main__":
    main()
