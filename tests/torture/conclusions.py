"""What the engine makes of a journal, told to the checker: replayed from its first record, snapshots left aside.

``python -m tests.torture.conclusions CONFIG JOURNAL`` prints it as JSON; the engine that owns the journal must have
been stopped.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

import run
from actors.domain.desk_config import DeskConfig, DeskSnapshot
from actors.domain.identity import execution_family
from actors.domain.positions import Position
from actors.journal import Journal, JournalIdentity
from actors.messages.events import OrderEvent, OrderFilled
from actors.restore import Fold
from strategy.config import load_config

ACCOUNT = "DU1234567"


def replayed(path: Path, config: DeskConfig) -> tuple[Fold, dict[str, Any]]:
    """The state that the whole journal leads to, and what was said on the way."""
    journal = Journal(path, identity=JournalIdentity(strategy_id=config.strategy_id, account=ACCOUNT))
    fold, fills, orders = Fold(config), [], {}
    try:
        for record in journal.records():
            for event in fold.add(journal.codec.decode(record.kind, record.body)):
                if isinstance(event, OrderEvent):
                    orders[event.order.oms_id] = event.order
                if isinstance(event, OrderFilled):
                    fills.append((execution_family(event.fill.exec_id), str(event.fill.quantity)))
    finally:
        journal.close()
    still_open = [order for order in fold.desk.open_orders() if not order.external]
    return fold, {
        "orders": sorted(orders),
        "filled": {name: str(order.filled) for name, order in sorted(orders.items()) if not order.external},
        "fills": fills,
        "positions": {
            record.contract.symbol: str(Position(record.position).now.quantity)
            for record in fold.portfolio.snapshot().positions
        },
        "open": [order.oms_id for order in still_open],
        "in_doubt": [order.oms_id for order in still_open if order.in_doubt],
        "state": fold.strategy_state,
    }


def desk_config(config: Path, strategy_id: str) -> DeskConfig:
    """The desk's settings as ``run.py`` makes them of the configuration."""
    return run._desk_config(load_config(config), strategy_id)


def as_bytes(snapshot: DeskSnapshot) -> bytes:
    """A desk's snapshot, byte for byte."""
    return msgspec.json.encode(snapshot)


def main() -> int:
    """Print the conclusions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path, help="the engine's configuration")
    parser.add_argument("journal", type=Path, help="the journal, named after its strategy")
    arguments = parser.parse_args()
    _, conclusions = replayed(arguments.journal, desk_config(arguments.config, arguments.journal.stem))
    sys.stdout.write(json.dumps(conclusions) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
