"""The engine's campaign until so many orders have lived: ``python -m tests.simulation --lifetimes 1000000``.

A lifetime is one order of the stress strategy from its submission to its final state, under faults, the invariants
checked after each decision and the engine's promises audited. With ``--progress FILE`` what was played is written down
after each chunk, and the same command goes on from there. Exit code 1 when anything broke.
"""

import argparse
import json
import sys
import time
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import attrs

from strategy.simulate.campaign import CHUNK, collect_seldom, play_range
from strategy.simulate.tally import Tally
from tests.simulation.campaigns import engine_campaign


@attrs.define(kw_only=True)
class Progress:
    """What was played so far, chunk by chunk from session 0 of the seed."""

    seed: int
    sessions: int = 0
    lifetimes: int = 0
    seconds: float = 0.0
    broken: dict[str, str] = attrs.field(factory=dict)

    def add(self, tally: Tally, seconds: float) -> None:
        """One more chunk, and the CPU seconds that it took."""
        self.sessions += tally.sessions
        self.lifetimes += tally.orders
        self.seconds += seconds
        for name, failure in tally.failures.items():
            self.broken.setdefault(name, f"session {failure.index}: {failure.violation.text}")

    def describe(self) -> str:
        """In one line."""
        rate = self.lifetimes / self.seconds if self.seconds else 0.0
        return (
            f"{self.sessions:,} sessions, {self.lifetimes:,} order lifetimes, {rate:,.0f} a CPU second, "
            f"{len(self.broken)} properties broken{_size()}"
        )


def _size() -> str:
    """The process's largest size so far; not known on Windows."""
    if find_spec("resource") is None:
        return ""
    resource = import_module("resource")
    return f", at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.1f} MiB"


def load(path: Path | None, seed: int) -> Progress:
    """What was written down for this seed, or nothing yet."""
    if path is None or not path.exists():
        return Progress(seed=seed)
    progress = Progress(**json.loads(path.read_text(encoding="utf-8")))
    if progress.seed != seed:
        raise SystemExit(f"--seed is {seed}: {path} is about seed {progress.seed}")
    return progress


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Play on until the lifetimes are there."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--lifetimes", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1_000)
    parser.add_argument("--progress", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    progress = load(arguments.progress, arguments.seed)
    campaign = attrs.evolve(engine_campaign(10**9, seed=arguments.seed), keep_going=True)
    setup = campaign.subject.setup()
    visited = Counter[str]()
    collect_seldom()
    while progress.lifetimes < arguments.lifetimes:
        began = time.process_time()
        tally = play_range(campaign, setup, progress.sessions)
        progress.add(tally, time.process_time() - began)
        visited += tally.counts
        if arguments.progress is not None:
            arguments.progress.write_text(json.dumps(attrs.asdict(progress)), encoding="utf-8")
        if progress.sessions % (10 * CHUNK) == 0:
            _say(progress.describe())
    _say(progress.describe())
    _say(f"{len(visited)} kinds of event, transition, fate and disturbance visited")
    for name, text in progress.broken.items():
        _say(f"{name}: {text}")
    return 1 if progress.broken else 0


if __name__ == "__main__":
    sys.exit(main())
