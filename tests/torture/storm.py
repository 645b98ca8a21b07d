"""Everything but the engine breaks: the line is cut at every frame, the gateway restarts, loses servers and words.

``python -m tests.torture.storm`` is the long run; ``--frames N --rounds N`` shorten it. One engine (``run.py paper``, a
process of its own) lives through each storm; then it is stopped, started once more to cancel what is open, and judged.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ibapi_bridge.gateway_simulator.server import GatewaySimulator
from tests.torture.checker import Verdict
from tests.torture.engine import command, write_config
from tests.torture.gateway import ROOT, config
from tests.torture.judging import TAP_LOG, WIRE_LOG, ask_for_the_books, judge
from tests.torture.tap import Tap

Cut = tuple[str, int, float]
"""Direction, number of the frame on its connection, the part of the frame that still passes."""
SOME_TRADING = 30
"""Orders and changes of orders."""
PATIENCE_SECONDS = 200
"""With a busy machine; a storm that takes longer hangs."""
Storm = Callable[[GatewaySimulator, Tap], None]


class CutEverywhere:
    """One cut for each connection, in a given order; ``over`` is set after the last."""

    def __init__(self, cuts: Sequence[Cut]) -> None:
        self._cuts = list(cuts)
        self._current: tuple[int, Cut] | None = None
        self._lock = threading.Lock()
        self.over = threading.Event()

    def __call__(self, direction: str, connection: int, number: int, frame: bytes) -> int | None:
        """The tap's rule."""
        with self._lock:
            if self._current is None or self._current[0] < connection:
                if not self._cuts:
                    self.over.set()
                    return None
                self._current = (connection, self._cuts.pop(0))
            owner, (wanted, at, part) = self._current
            if owner != connection or direction != wanted or number != at:
                return None
            return int(len(frame) * part)


def every_frame(frames: int, seed: int) -> list[Cut]:
    """A cut at each frame, both ways, before, in the middle of and after it by turns; in a mixed order."""
    parts = (0.0, 0.5, 1.0)
    cuts = [
        (direction, number, parts[(number + turn) % 3])
        for turn, direction in enumerate(("in", "out"))
        for number in range(1, frames + 1)
    ]
    random.Random(seed).shuffle(cuts)  # early cuts make the next attempt wait longer: not all of them in a row
    return cuts


def cuts_storm(cuts: Sequence[Cut]) -> Storm:
    """The line is cut at each of the frames."""

    def storm(_simulator: GatewaySimulator, tap: Tap) -> None:
        rule = CutEverywhere(cuts)
        tap.cut = rule
        tap.cut_all()
        if not rule.over.wait(3.0 * len(cuts) + 20):
            raise TimeoutError("the engine did not come back after a cut")

    return storm


def fault_storm(names: Sequence[tuple[str, dict[str, object]]], *, seconds: float = 0.6) -> Storm:
    """Named faults of the simulator, one after the other, with trading between and after them."""

    def storm(simulator: GatewaySimulator, tap: Tap) -> None:
        pause = threading.Event()
        for name, parameters in names:
            if name in ("restart", "lose_link", "restore_link", "disconnect", "roll_back_ids"):
                simulator.faults.do(name, **parameters)
            else:
                simulator.faults.arm(name, **parameters)
            pause.wait(seconds)
        simulator.faults.clear()
        if not tap.saw_orders(SOME_TRADING, PATIENCE_SECONDS):
            raise TimeoutError(f"the engine did not trade again within {PATIENCE_SECONDS} s of the last fault")

    return storm


RESTARTS: list[tuple[str, dict[str, object]]] = [
    ("restart", {"down_seconds": 0.3, "roll_back": 5}),
    ("restart", {"down_seconds": 0.1, "roll_back": 50}),
    ("disconnect", {}),
    ("restart", {"down_seconds": 0.6, "roll_back": 0}),
]
OUTAGES: list[tuple[str, dict[str, object]]] = [
    ("lose_link", {}),
    ("restore_link", {}),
    ("lose_link", {"lose_reports": True}),
    ("restore_link", {"data_lost": True}),
    ("lose_link", {"lose_orders": True, "repeats": 3}),
    ("restore_link", {}),
    ("lose_link", {"lose_reports": True}),
    ("disconnect", {}),
    ("restore_link", {"data_lost": True}),
]
LOST_WORDS: list[tuple[str, dict[str, object]]] = [
    ("lose_order", {"n": 2}),
    ("drop", {"kind": "execDetails", "n": 3}),
    ("duplicate", {"kind": "execDetails", "n": 3, "copies": 2}),
    ("drop", {"kind": "orderStatus", "n": 5}),
    ("reorder", {"kind": "execDetails", "after": "orderStatus", "n": 3}),
    ("status_before_exec", {"n": 3}),
    ("late_execution", {"n": 1}),
    ("skip_status", {"n": 2}),
    ("missing_exec_end", {"n": 1}),
    ("disconnect", {}),
    ("commission_missing", {"n": 2}),
    ("commission_early", {"n": 2}),
    ("transient_cancel", {"n": 1}),
    ("kill_on_reply", {"kind": "execDetails", "when": "before"}),
    ("kill_on_reply", {"kind": "openOrder", "when": "after"}),
    ("kill_on_request", {"kind": "placeOrder", "when": "before"}),
    ("kill_on_request", {"kind": "placeOrder", "when": "after"}),
    ("mute_order", {"n": 1}),
    ("disconnect", {}),
]


@contextmanager
def engine_process(folder: Path, configuration: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An engine that is asked to stop at the end, and must do so well."""
    with (folder / "engine.txt").open("ab") as output:
        engine = subprocess.Popen(
            command(configuration, folder / "state"), cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield engine
        finally:
            if engine.poll() is None:
                engine.terminate()
            if engine.wait(PATIENCE_SECONDS) != 0:
                raise RuntimeError(f"{folder}: the engine ended with {engine.returncode}, see engine.txt")


def weather(folder: Path, storm: Storm) -> tuple[Verdict, list[str]]:
    """One storm from a first start to the verdict."""
    folder.mkdir(parents=True, exist_ok=True)
    simulator = GatewaySimulator(config(folder / WIRE_LOG))
    simulator.start()
    try:
        with Tap(simulator.port, folder / TAP_LOG) as tap:
            with engine_process(folder, write_config(folder, tap.port, trading=True)):
                if not tap.saw_orders(SOME_TRADING, PATIENCE_SECONDS):
                    raise TimeoutError(f"the engine did not begin to trade within {PATIENCE_SECONDS} s")
                storm(simulator, tap)
            settling = write_config(folder, tap.port, trading=False)
            with engine_process(folder, settling) as engine:
                engine.wait(PATIENCE_SECONDS)
            ask_for_the_books(tap.port)
    finally:
        simulator.stop()
    return judge(folder, settling)


def storms(frames: int, rounds: int, seed: int) -> Iterator[tuple[str, Storm]]:
    """Every storm with its name."""
    cuts = every_frame(frames, seed)
    for start in range(0, len(cuts), 60):
        yield f"cuts-{start:03}", cuts_storm(cuts[start : start + 60])
    for number in range(rounds):
        yield f"restarts-{number:02}", fault_storm(RESTARTS)
        yield f"outages-{number:02}", fault_storm(OUTAGES)
        yield f"words-{number:02}", fault_storm(LOST_WORDS)


def main() -> int:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=150, help="cut at each of so many frames, both ways")
    parser.add_argument("--rounds", type=int, default=5, help="how often the other storms are repeated")
    parser.add_argument("--only", default="", help="only the storms whose name begins so")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work (default a temporary folder, removed)")
    arguments = parser.parse_args()
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="storm-") as temporary:
        folder = arguments.folder or Path(temporary)
        for name, storm in storms(arguments.frames, arguments.rounds, arguments.seed):
            if not name.startswith(arguments.only):
                continue
            began = time.monotonic()
            verdict, found = weather(folder / name, storm)
            failures += found
            sys.stdout.write(f"{name}: {verdict} ({time.monotonic() - began:.1f} s)\n")
            sys.stdout.write("".join(f"  {line}\n" for line in found))
            sys.stdout.flush()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
