"""How long a restart takes: ``python -m benchmarks.recovery [--records N] [--orders N]``.

An engine (``run.py paper``, a process of its own) leaves open orders at the simulated gateway. Its journal is filled up
with what the broker said, said again, to the wanted length. Then it is started once more: from the whole journal,
and from the snapshot that an engine leaves which dies just before its next. "Consistent" is when the state is back,
"reconciled" when new orders may pass again.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

from actors.domain.desk_config import DeskConfig
from actors.domain.identity import Account, ClientId
from actors.domain.terms import Order, OrderType, Side
from actors.journal import Journal, JournalIdentity
from actors.journal_keeper import SNAPSHOT_EVERY
from actors.journal_snapshots import Snapshot
from actors.messages.reports import OpenOrderReported, OrderStatusReported
from actors.messages.system import SessionChanged, SessionState
from actors.restore import Fold, encoded, restore
from ibapi_bridge.gateway_simulator.config import GatewayConfig
from ibapi_bridge.gateway_simulator.server import GatewaySimulator
from strategy.base import Strategy

ROOT = Path(__file__).resolve().parents[1]
ACCOUNT = "DU1234567"
IDENTITY = JournalIdentity(strategy_id="recovery", account=ACCOUNT)
CONFIG = DeskConfig(strategy_id="recovery", account=Account(ACCOUNT), client_id=ClientId(1))
SYMBOLS = ("SPY", "AAPL", "MSFT")


class Resting(Strategy):
    """Leaves buy orders far below the market, and ends the process once the broker has them all."""

    symbols: tuple[str, ...] = SYMBOLS
    orders: int = 500

    def on_start(self) -> None:
        missing = self.orders - len(self.broker.open_orders())
        for number in range(missing):
            price = Decimal(100) + Decimal(number % 50) / 100
            order = Order(symbol=SYMBOLS[number % 3], side=Side.BUY, quantity=Decimal(1),
                          order_type=OrderType.LIMIT, limit_price=price)  # fmt: skip
            self.broker.submit_order(order)
        self.broker.every(0.5, "look")

    def on_timer(self, name: str, at: object) -> None:
        if sum(1 for order in self.broker.open_orders() if order.perm_ids) >= self.orders:
            os.kill(os.getpid(), signal.SIGTERM)


def run_engine(folder: Path, port: int, orders: int) -> tuple[float, float]:
    """Start the engine and wait for its end; seconds to READY, and the process's largest memory in MB."""
    config = folder / "recovery.toml"
    config.write_text(
        f'[connection]\nport = {port}\naccount = "{ACCOUNT}"\n'
        '[trading]\nflatten_at = "off"\nlock_at = "off"\n'
        '[strategy]\npath = "benchmarks.recovery:Resting"\nid = "recovery"\n'
        f"[strategy.parameters]\norders = {orders}\n"
        f'[logging]\nconsole = false\ndirectory = "{(folder / "logs").as_posix()}"\n'
        "[pacing]\nmessages_per_second = 1000\norders_per_contract = 'off'\n",
        encoding="utf-8",
    )
    words = [sys.executable, "run.py", "paper", "--config", str(config), "--state", str(folder)]
    began = time.time()
    subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=120)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    with closing(Journal(folder / "recovery.journal", identity=IDENTITY)) as journal:
        ready = max(
            message.at.timestamp()
            for message in inputs(journal)
            if isinstance(message, SessionChanged) and message.state is SessionState.READY
        )
    return ready - began, memory


def inputs(journal: Journal) -> Iterator[object]:
    """Everything journalled."""
    return (journal.codec.decode(record.kind, record.body) for record in journal.records())


def fill_up(folder: Path, records: int) -> int:
    """Let the broker repeat itself until the journal has so many records; the number of open orders."""
    with closing(Journal(folder / "recovery.journal", identity=IDENTITY)) as journal:
        said = [message for message in inputs(journal) if isinstance(message, OrderStatusReported | OpenOrderReported)]
        rest = islice(cycle(said), max(0, records - journal.sequence))
        while batch := list(islice(rest, 500)):
            journal.append(batch)
        return len(restore(journal, CONFIG).desk.open_orders())


def forget_snapshots(folder: Path) -> None:
    """Make the next start replay everything."""
    for snapshot in folder.glob("recovery.snapshot-*"):
        snapshot.unlink()


def snapshot_as_the_keeper_left_it(folder: Path) -> None:
    """The snapshot of an engine that died just before the next one was due: the most that is left to replay."""
    with closing(Journal(folder / "recovery.journal", identity=IDENTITY)) as journal:
        position, fold = journal.text.header.start, Fold(CONFIG)
        for batch in journal.text.batches(position):
            if batch.end.sequence > journal.sequence - SNAPSHOT_EVERY:
                break
            fold.add_all(journal.codec.decode(record.kind, record.body) for record in batch.records)
            position = batch.end
        journal.snapshots.save(Snapshot(position=position, body=encoded(fold)))


def restore_seconds(folder: Path) -> float:
    """How long it takes until the state is back."""
    began = perf_counter()
    with closing(Journal(folder / "recovery.journal", identity=IDENTITY)) as journal:
        restore(journal, CONFIG)
    return perf_counter() - began


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=500)
    arguments = parser.parse_args()
    simulator = GatewaySimulator(GatewayConfig(speed=1.0))
    simulator.start()
    with tempfile.TemporaryDirectory(prefix="recovery-") as temporary:
        folder = Path(temporary)
        run_engine(folder, simulator.port, arguments.orders)
        open_orders = fill_up(folder, arguments.records)
        print(f"{arguments.records} records, {open_orders} open orders, journal "
              f"{(folder / 'recovery.journal').stat().st_size / 1e6:.0f} MB")  # fmt: skip
        forget_snapshots(folder)
        print(f"consistent from the whole journal   {restore_seconds(folder):6.2f} s (snapshots lost)")
        snapshot_as_the_keeper_left_it(folder)
        print(f"consistent as an engine leaves it   {restore_seconds(folder):6.2f} s "
              f"({min(SNAPSHOT_EVERY, arguments.records):,} records after the last snapshot)")  # fmt: skip
        ready, memory = run_engine(folder, simulator.port, open_orders)
        print(f"process start to reconciled         {ready:6.2f} s, at most {memory:.0f} MB")
        forget_snapshots(folder)
        ready, memory = run_engine(folder, simulator.port, open_orders)
        print(f"process start to reconciled         {ready:6.2f} s (snapshots lost), at most {memory:.0f} MB")
    simulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
