"""The end of every campaign: what the engine made of it, the gateway's books, and the checker's verdict."""

import json
import subprocess
import sys
from pathlib import Path

from tests.torture.checker import Verdict, check
from tests.torture.conclusions import as_bytes, desk_config, replayed
from tests.torture.engine import STRATEGY_ID
from tests.torture.gateway import ROOT

WIRE_LOG, TAP_LOG = "wire.jsonl", "tap.jsonl"
"""What the gateway says was said; where the line is cut on purpose, also what was on the line before the cut."""


def ask_for_the_books(port: int) -> None:
    """Let an auditor ask the gateway; the answers are in its wire log, which ends with them."""
    subprocess.run([sys.executable, "-m", "tests.torture.audit", str(port)], cwd=ROOT, check=True, capture_output=True)


def judge(folder: Path, config: Path) -> tuple[Verdict, list[str]]:
    """The verdict, and every failure in words: the checker's, and a replay that is not what was in memory."""
    failures = []
    journal, memory = folder / "state" / f"{STRATEGY_ID}.journal", folder / "state" / "memory.json"
    fold, conclusions = replayed(journal, desk_config(config, STRATEGY_ID))
    (folder / "conclusions.json").write_text(json.dumps(conclusions), encoding="utf-8")
    if not memory.exists():
        failures.append(f"{folder}: the engine never came to a wanted stop")
    elif memory.read_bytes() != as_bytes(fold.desk.snapshot()):
        (folder / "replayed.json").write_bytes(as_bytes(fold.desk.snapshot()))
        failures.append(f"{folder}: the journal replayed is not what was in memory")
    verdict = check(folder / WIRE_LOG, journal, conclusions)
    failures += _named(folder, verdict)
    if (folder / TAP_LOG).exists():
        failures += _named(folder / TAP_LOG, check(folder / TAP_LOG, journal, conclusions))
    return verdict, failures


def _named(where: Path, verdict: Verdict) -> list[str]:
    return [f"{where}: {name}: {line}" for name, found in verdict.problems.items() for line in found[:10]]
