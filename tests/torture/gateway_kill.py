"""Kills the gateway under a trading engine, over and over, and starts it again on its books, with order ids gone back.

``python -m tests.torture.gateway_kill`` does it 60 times; ``--kills N`` more or less often. Both are real: the gateway
is ``run.py gateway`` and dies by SIGKILL at random instants, the engine is ``run.py paper`` and lives through it. At
the end the engine is stopped, started once more to cancel what is open, and judged.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.torture.checker import Verdict
from tests.torture.engine import write_config
from tests.torture.judging import ask_for_the_books, judge
from tests.torture.real_gateway import RealGateway
from tests.torture.storm import engine_process

LISTED = ("SPY", "AAPL", "MSFT")
ROLL_BACKS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"fault": "roll_back_ids", "client_id": 1, "to": 1},
    {"fault": "roll_back_ids", "client_id": 1, "to": 25},
)


def kill_the_gateway(folder: Path, kills: int, seed: int) -> tuple[Verdict, list[str]]:
    """One engine, many gateways, one judgement."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    with RealGateway(folder) as gateway:
        gateway.start()
        with engine_process(folder, write_config(folder, gateway.port, trading=True, symbols=LISTED)):
            for number in range(kills):
                _wait_for_an_order(gateway)
                time.sleep(chance.uniform(0.0, 0.5))
                gateway.kill()
                gateway.start(first_fault=ROLL_BACKS[number % len(ROLL_BACKS)])
            _wait_for_an_order(gateway)
        settling = write_config(folder, gateway.port, trading=False, symbols=LISTED)
        with engine_process(folder, settling) as engine:
            engine.wait(60)
        ask_for_the_books(gateway.port)
    return judge(folder, settling)


def _wait_for_an_order(gateway: RealGateway, seconds: float = 60.0) -> None:
    """Until a new order has come in since this was asked."""
    before, due = gateway.orders_seen(), time.monotonic() + seconds
    while gateway.orders_seen() == before:
        if time.monotonic() > due:
            raise TimeoutError("the engine did not trade again after the gateway had come back")
        time.sleep(0.02)


def main() -> int:
    """The long run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work (default a temporary folder, removed)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-kill-") as temporary:
        verdict, failures = kill_the_gateway(arguments.folder or Path(temporary), arguments.kills, arguments.seed)
    sys.stdout.write(f"{arguments.kills} kills of the gateway; {verdict}\n")
    sys.stdout.write("".join(f"  {line}\n" for line in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
