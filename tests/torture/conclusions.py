"""What the engine makes of a journal, told to the checker: replayed from its first record, snapshots left aside."""

from pathlib import Path
from typing import Any

import msgspec

from actors.domain.desk_config import DeskConfig, DeskSnapshot
from actors.domain.identity import execution_family
from actors.domain.positions import Position
from actors.journal import Journal, JournalIdentity
from actors.messages.events import OrderEvent, OrderFilled
from actors.restore import Fold

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
        "fills": fills,
        "positions": {
            record.contract.symbol: str(Position(record.position).now.quantity)
            for record in fold.portfolio.snapshot().positions
        },
        "open": [order.oms_id for order in still_open],
        "in_doubt": [order.oms_id for order in still_open if order.in_doubt],
        "state": fold.strategy_state,
    }


def as_bytes(snapshot: DeskSnapshot) -> bytes:
    """A desk's snapshot, byte for byte."""
    return msgspec.json.encode(snapshot)
