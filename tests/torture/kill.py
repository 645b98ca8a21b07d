"""Kills a trading engine at every fault point and at random instants, and lets the checker judge what is left.

``python -m tests.torture.kill`` is the long run: every point, then 2,000 instants; options shorten it.
One gateway lives through a campaign while the engine is killed and started again; at its end the engine comes up once
more, finds out what became of everything, cancels what is open and stops, and the gateway's books are asked for.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from actors.fault_points import LIST_VARIABLE, POINT_VARIABLE
from tests.torture.checker import Verdict
from tests.torture.engine import EngineProcess, preload, write_config
from tests.torture.gateway import GatewayProcess
from tests.torture.judging import WIRE_LOG, ask_for_the_books, judge

KILLS_IN_A_CAMPAIGN = 50
SETTLING_SECONDS = 60.0
TRADING = "connector.sent:CancelPlacedOrder"
"""An engine that comes here has connected, reconciled, sent orders, and heard of them."""
_QUALIFYING = ("QualifyContract", "InstrumentReported")


@attrs.frozen(kw_only=True)
class Kill:
    """One death: at a fault point's n-th time, or so many seconds after the start at the latest."""

    point: str = ""
    count: int = 1
    after: float


@attrs.define(kw_only=True)
class Outcome:
    """What a campaign came to."""

    kills: int = 0
    at_points: set[str] = attrs.field(factory=set)
    not_reached: set[str] = attrs.field(factory=set)
    failures: list[str] = attrs.field(factory=list)
    orders: int = 0
    executions: int = 0
    verdicts: list[Verdict] = attrs.field(factory=list)

    def add(self, other: "Outcome") -> None:
        """Take another campaign in."""
        self.kills += other.kills
        self.at_points |= other.at_points
        self.not_reached |= other.not_reached
        self.failures += other.failures
        self.verdicts += other.verdicts
        self.orders += other.orders
        self.executions += other.executions

    @property
    def report(self) -> str:
        """The figures."""
        missed = sorted(self.not_reached - self.at_points)
        lines = [
            f"{self.kills} kills, {len(self.at_points)} fault points hit; "
            f"{self.orders} orders sent, {self.executions} executions",
            f"{len(self.failures)} failures",
            *([f"not reached: {', '.join(missed)}"] if missed else []),
        ]
        totals: dict[str, int] = {}
        for verdict in self.verdicts:
            for name, found in vars(verdict).items():
                if isinstance(found, list):
                    totals[name] = totals.get(name, 0) + len(found)
        lines.append(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in totals.items()))
        return "\n".join([*lines, *self.failures])


def campaign(folder: Path, kills: Sequence[Kill]) -> Outcome:
    """One gateway, many deaths, one judgement."""
    outcome = Outcome()
    folder.mkdir(parents=True, exist_ok=True)
    with GatewayProcess(folder / WIRE_LOG) as gateway:
        trading = write_config(folder, gateway.port, trading=True)
        for kill in kills:
            _die(folder, trading, kill, outcome)
        settling = write_config(folder, gateway.port, trading=False)
        _settle(folder, settling, outcome)
        ask_for_the_books(gateway.port)
    verdict, failures = judge(folder, settling)
    outcome.failures += failures
    outcome.verdicts.append(verdict)
    outcome.orders += verdict.orders_sent
    outcome.executions += verdict.executions
    return outcome


def _die(folder: Path, config: Path, kill: Kill, outcome: Outcome) -> None:
    environment = {POINT_VARIABLE: f"{kill.point}:{kill.count}"} if kill.point else {}
    engine = EngineProcess(folder, config, environment)
    if not engine.died_within(kill.after):
        engine.kill()
        outcome.kills += 1
        if kill.point:
            outcome.not_reached.add(kill.point)
    elif engine.exit_code == -9:
        outcome.kills += 1
        outcome.at_points.add(kill.point)
    else:
        outcome.failures.append(f"{folder}: the engine ended by itself with {engine.exit_code} ({kill})")


def _settle(folder: Path, config: Path, outcome: Outcome) -> None:
    engine = EngineProcess(folder, config)
    if not engine.died_within(SETTLING_SECONDS):
        engine.kill()
        outcome.failures.append(f"{folder}: not settled in {SETTLING_SECONDS} s")
    elif engine.exit_code != 0:
        outcome.failures.append(f"{folder}: the settling engine ended with {engine.exit_code}")


def points_in(folder: Path, *, patience_seconds: float = 90.0) -> tuple[list[str], float]:
    """The names of every fault point that a trading engine passes, over a start, a kill and a second start.

    Also the seconds that the second took from its start to its trading: how fast this machine is now.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = folder / "points.txt"
    pace = 0.0
    with GatewayProcess(folder / WIRE_LOG) as gateway:
        config = write_config(folder, gateway.port, trading=True)
        for life in (1, 2):
            began = time.monotonic()
            engine = EngineProcess(folder, config, {LIST_VARIABLE: str(found)})
            while _names(found).count(TRADING) < life and time.monotonic() - began < patience_seconds:
                engine.died_within(0.02)
            pace = time.monotonic() - began
            if not engine.died_within(3 * pace):
                engine.kill()
    return sorted(set(_names(found))), pace


def _names(found: Path) -> list[str]:
    return found.read_text(encoding="utf-8").split() if found.exists() else []


def spread(points: Sequence[str], most: int) -> list[str]:
    """At most so many of them, from everywhere."""
    return [points[number * len(points) // most] for number in range(most)] if most < len(points) else list(points)


def at_points(points: Sequence[str], counts: Sequence[int], *, pace: float) -> Iterator[Kill]:
    """Every point, at each of its first, second, ... times."""
    for count in counts:
        yield from (Kill(point=point, count=count, after=max(2.5, 4 * pace)) for point in points)


def at_random(number: int, seed: int, *, pace: float) -> Iterator[Kill]:
    """Random instants, most of them while the engine starts, reconciles or sends its first orders."""
    chance = random.Random(seed)
    for _ in range(number):
        early = chance.random() < 0.7
        yield Kill(after=pace * (chance.uniform(0.0, 1.25) if early else chance.uniform(1.25, 4.0)))


def in_campaigns(kills: Sequence[Kill], each: int) -> list[list[Kill]]:
    """So many kills each; contracts are asked for in an engine's first life only, so kills around that come first."""
    first = [kill for kill in kills if kill.point.endswith(_QUALIFYING)]
    later = [kill for kill in kills if kill not in first]
    campaigns = [later[start : start + each] for start in range(0, len(later), each)]
    campaigns += [[] for _ in range(len(first) - len(campaigns))]
    return [first[number : number + 1] + some for number, some in enumerate(campaigns)]


def torture(folder: Path, kills: Sequence[Kill], *, each: int = KILLS_IN_A_CAMPAIGN) -> Outcome:
    """All kills, in campaigns."""
    total = Outcome()
    for number, some in enumerate(in_campaigns(kills, each)):
        began = time.monotonic()
        one = campaign(folder / f"campaign-{number:03}", some)
        total.add(one)
        sys.stdout.write(f"{total.kills:5} kills, {len(total.failures)} failures, {time.monotonic() - began:.1f} s\n")
        sys.stdout.write("".join(f"  {line}\n" for line in one.failures))
        sys.stdout.flush()
    return total


def main() -> int:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="1,2,7", help="at which times each point kills (default 1,2,7)")
    parser.add_argument("--points", type=int, default=10_000, help="how many points (default all)")
    parser.add_argument("--random", type=int, default=2000, help="how many random instants (default 2000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work (default a temporary folder, removed)")
    arguments = parser.parse_args()
    preload()
    with tempfile.TemporaryDirectory(prefix="torture-") as temporary:
        folder = arguments.folder or Path(temporary)
        points, pace = points_in(folder / "points")
        sys.stdout.write(
            f"{len(points)} fault points, trading {pace:.2f} s after a start\n"
            + "".join(f"  {point}\n" for point in points)
        )
        counts = [int(count) for count in arguments.counts.split(",")]
        some = spread(points, arguments.points)
        kills = [*at_points(some, counts, pace=pace), *at_random(arguments.random, arguments.seed, pace=pace)]
        total = torture(folder, kills)
    sys.stdout.write(f"{total.report}\n")
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
