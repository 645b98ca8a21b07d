"""The disk fills up while an engine trades: it halts with the cause, cancels still leave, and a restart loses nothing.

``python -m tests.torture.full_disk`` does it at many fillings. The disk is full because the system lets no file of the
engine grow beyond a limit: a real write fails, in the journal or a snapshot.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.torture.checker import Verdict
from tests.torture.engine import EngineProcess, preload, write_config
from tests.torture.gateway import GatewayProcess
from tests.torture.judging import WIRE_LOG, ask_for_the_books, judge

HALT = "cannot be written: "


def fill(folder: Path, limits: Sequence[int]) -> tuple[Verdict, list[str]]:
    """One life of an engine for each limit, in bytes beyond what is there; then the judgement."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    with GatewayProcess(folder / WIRE_LOG) as gateway:
        trading = write_config(folder, gateway.port, trading=True)
        for limit in limits:
            failures += _live_on_a_full_disk(folder, trading, limit)
        settling = write_config(folder, gateway.port, trading=False)
        engine = EngineProcess(folder, settling)
        if not engine.died_within(30):
            engine.kill()
            failures.append(f"{folder}: not settled in 30 s")
        ask_for_the_books(gateway.port)
    verdict, found = judge(folder, settling)
    return verdict, failures + found


def _live_on_a_full_disk(folder: Path, config: Path, limit: int) -> list[str]:
    log = folder / "logs" / "execution.log"
    log.unlink(missing_ok=True)
    (folder / "logs" / "execution.jsonl").unlink(missing_ok=True)
    largest = max((path.stat().st_size for path in (folder / "state").glob("*")), default=0)
    engine = EngineProcess(folder, config, file_bytes=largest + limit)
    if engine.died_within(4.0):
        refused = engine.exit_code == 2  # a start that finds no room says so
        return [] if refused else [f"{folder}: at {limit} the engine ended with {engine.exit_code}"]
    engine.terminate()
    if not engine.died_within(15.0):
        engine.kill()
        return [f"{folder}: at {limit} the engine did not stop"]
    text = log.read_text(encoding="utf-8")
    return [] if HALT in text else [f"{folder}: at {limit} nothing was said about the disk"]


def main() -> int:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lives", type=int, default=20)
    arguments = parser.parse_args()
    preload()
    with tempfile.TemporaryDirectory(prefix="full-disk-") as folder:
        verdict, failures = fill(Path(folder), [60_000 * number + 4_096 for number in range(arguments.lives)])
    sys.stdout.write(f"{verdict}\n" + "".join(f"  {line}\n" for line in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
