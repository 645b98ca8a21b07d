"""Does the simulation notice a broken engine? Breaks it in one place at a time, in a copy, and lets the campaign play.

``python -m benchmarks.mutants [SEQUENCES] [WORD]`` prints a table: what was broken, which property noticed, after how
many sessions; a word chooses those with it in their name.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("actors", "ibapi_bridge", "strategy", "tests/__init__.py", "tests/simulation")
PLAY = """
import sys
from strategy.simulate.campaign import CHUNK, play_range
from tests.simulation.campaigns import CALM, engine_campaign
count = int(sys.argv[1])
storm, calm = engine_campaign(count), engine_campaign(count, profile=CALM)
setup = storm.subject.setup()
plans = [plan for index in range(count) for plan in (storm.plan(index), calm.plan(index))]
from strategy.simulate.session import play
for index, plan in enumerate(plans, start=1):
    violation = play(plan, setup).violation
    if violation is not None:
        print(index, violation.name, violation.text, sep="|")
        break
"""


class Mutant(NamedTuple):
    """One change of the engine's source."""

    name: str
    file: str
    before: str
    after: str


DOMAIN = "actors/domain/"
MUTANTS = (
    Mutant(
        "executions are not told apart by family",
        DOMAIN + "identity.py",
        "return family if dot else exec_id",
        "return exec_id",
    ),
    Mutant(
        "corrections are ignored",
        DOMAIN + "order.py",
        "if correction_number(seen.exec_id) <= correction_number(known.exec_id):",
        "if correction_number(seen.exec_id) >= correction_number(known.exec_id):",
    ),
    Mutant(
        "a corrected commission is charged again",
        DOMAIN + "valuation.py",
        "change = commission - self._fees.pop(family, _ZERO)",
        "change = commission",
    ),
    Mutant(
        "a cancelled order does not become terminal",
        DOMAIN + "order.py",
        "if seen.status is SAID_CANCELED or seen.status is SAID_INACTIVE:",
        "if seen.status is SAID_INACTIVE:",
    ),
    Mutant(
        "late fills after a cancel are ignored",
        DOMAIN + "order.py",
        "    if fill is not known:\n        changes |=",
        "    if fill is not known and not order.status.is_terminal:\n        changes |=",
    ),
    Mutant("order ids are given twice", DOMAIN + "desk_core.py", "        self.high_water += 1\n", ""),
    Mutant(
        "positions ignore sales",
        DOMAIN + "book.py",
        "exposure.position += after.order.side.sign * (",
        "exposure.position += abs(after.order.side.sign) * (",
    ),
    Mutant(
        "no deadline for an answer",
        DOMAIN + "desk_core.py",
        "return patience.acknowledgement",
        "return 1e9",
    ),
    Mutant(
        "a lost connection leaves no doubt",
        DOMAIN + "reconciling.py",
        'if order.pending is not None and not order.in_doubt:\n            text = f"the connection',
        'if False:\n            text = f"the connection',
    ),
    Mutant(
        "missing orders are believed to live",
        DOMAIN + "reconciling.py",
        "        _judge_missing(core, order, at)",
        "        pass",
    ),
    Mutant("completed rows are dropped", DOMAIN + "reconciling.py", "    _apply_completed(core)\n", ""),
    Mutant(
        "open orders of the list are dropped",
        DOMAIN + "reconciling.py",
        "    zombies = _apply_opened(core)",
        "    zombies = []",
    ),
    Mutant(
        "a reconnect does not reconcile",
        DOMAIN + "reconciling.py",
        "begin(core, change.at, full=True)",
        "core.say(FinishReconciliation(at=change.at, epoch=core.epoch))",
    ),
    Mutant(
        "a correction is not booked",
        DOMAIN + "portfolio.py",
        "            entry.position.correct(_trade(fill), _trade(event.previous))",
        "            pass",
    ),
    Mutant(
        "a sale adds to the position",
        DOMAIN + "portfolio.py",
        "quantity=fill.side.sign * fill.quantity",
        "quantity=fill.quantity",
    ),
    Mutant(
        "orders pass while the session is not READY",
        DOMAIN + "desk_core.py",
        "return self.session is READY",
        "return True",
    ),
    Mutant(
        "an order in doubt does not block",
        DOMAIN + "submission.py",
        '    if doubted:\n        return f"order {doubted}',
        '    if False:\n        return f"order {doubted}',
    ),
    Mutant("a name may be used twice", DOMAIN + "submission.py", "if core.book.is_used(command.oms_id):", "if False:"),
    Mutant(
        "reports of an old connection are believed",
        DOMAIN + "session.py",
        "if message.epoch != self.epoch:",
        "if False:",
    ),
    Mutant(
        "the backend's return is not heard",
        DOMAIN + "session.py",
        "            case LinkCondition.BACKEND_RESTORED | LinkCondition.BACKEND_RESTORED_DATA_LOST:",
        "            case LinkCondition.BACKEND_RESTORED_DATA_LOST:",
    ),
    Mutant(
        "a restart forgets the strategy's state",
        "actors/restore.py",
        "            self.strategy_state[change.key] = change.value_json",
        "            pass",
    ),
    Mutant(
        "an epoch is used twice after a restart",
        "actors/restore.py",
        "self.last_epoch = max(self.last_epoch, message.epoch)",
        "pass",
    ),
    Mutant(
        "the strategy sees fills twice",
        "strategy/holdings.py",
        "            return waiting[index + 1 :]",
        "            return waiting",
    ),
    Mutant(
        "the view keeps closed orders open",
        "strategy/view.py",
        "        self._open.pop(order.oms_id, None)\n        self._closed[order.oms_id] = order",
        "        self._closed[order.oms_id] = order",
    ),
)


def outcome(mutant: Mutant, sequences: int) -> str:
    """What the campaign said of one mutant, or why it could not be tried."""
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    if mutant.before not in source:
        return "not there any more"
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for name in COPIED:
            _copy(name, copy)
        (copy / mutant.file).write_text(source.replace(mutant.before, mutant.after), encoding="utf-8")
        words = [sys.executable, "-c", PLAY, str(sequences)]
        try:
            ran = subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False, timeout=300)
        except subprocess.TimeoutExpired:
            return "noticed: does not come to an end"
    if ran.returncode:
        return "noticed: " + ran.stderr.strip().splitlines()[-1][:90]
    if not ran.stdout.strip():
        return f"SURVIVED {2 * sequences} sessions"
    number, name, text = ran.stdout.strip().split("|", 2)
    return f"session {number}: {name}: {text[:80]}"


def _copy(name: str, copy: Path) -> None:
    target = copy / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if (ROOT / name).is_dir():
        shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(ROOT / name, target)


def main() -> None:
    """Try every mutant."""
    sequences = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for mutant in (mutant for mutant in MUTANTS if word in mutant.name):
        print(f"| {mutant.name} | `{mutant.file}` | {outcome(mutant, sequences)} |", flush=True)


if __name__ == "__main__":
    main()
