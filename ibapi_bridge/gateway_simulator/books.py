"""The simulator's books in one SQLite file: orders, ids, executions, positions and market survive its own restart.

The real gateway's books are the broker's, which know what they have told whatever becomes of the gateway. So the server
saves before it tells, and a save survives the death of the process; it is not synced, the death of the machine may
take it.
"""

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.protos import Contract, Message, MessageClass, Order

FORMAT = 1
_TABLE = "CREATE TABLE IF NOT EXISTS books (format INTEGER PRIMARY KEY, state TEXT NOT NULL)"


class Books:
    """One file of books; a save replaces what was there in one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load_into(self, gateway: Gateway) -> bool:
        """Continues a gateway from the file; False when there is nothing in it yet.

        Raises:
            ConfigError: the file is not such books, or belongs to other instruments or accounts.
        """
        try:
            with closing(sqlite3.connect(self._path)) as connection, connection:
                connection.execute(_TABLE)
                row = connection.execute("SELECT state FROM books WHERE format = ?", (FORMAT,)).fetchone()
            if row is None:
                return False
            _restore(gateway, json.loads(row[0]))
        except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"books_path {self._path} cannot be continued: {error}") from error
        return True

    def save(self, gateway: Gateway) -> None:
        """Writes a gateway's state."""
        state = json.dumps(_state_of(gateway))
        with closing(sqlite3.connect(self._path)) as connection, connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("INSERT OR REPLACE INTO books VALUES (?, ?)", (FORMAT, state))


def _state_of(gateway: Gateway) -> dict[str, Any]:
    orders = [order for order in gateway.book if not order.staged]
    return {
        "exchange": gateway.exchange.save(),
        "ids": gateway.ids.save(),
        "listed_from": None if gateway.listed_from is None else gateway.listed_from.isoformat(),
        "orders": [_row(order, found=gateway.book.find(order.client_id, order.order_id) is order) for order in orders],
    }


def _restore(gateway: Gateway, state: Mapping[str, Any]) -> None:
    gateway.exchange.load(state["exchange"])
    gateway.ids.load(state["ids"])
    gateway.refresh_instruments()
    listed_from = state.get("listed_from")
    gateway.listed_from = None if listed_from is None else datetime.fromisoformat(listed_from)
    for row in state["orders"]:
        order = _order(row)
        gateway.book.add(order)
        if not row["found"]:
            gateway.book.hide(order)


def _row(order: ApiOrder, *, found: bool) -> dict[str, Any]:
    return {
        "client_id": order.client_id,
        "order_id": order.order_id,
        "perm_id": order.perm_id,
        "con_id": order.con_id,
        "contract": _packed(order.contract),
        "order": _packed(order.order),
        "units": str(order.units),
        "asked": [_packed(terms) for terms in order.asked],
        "status": order.status,
        "filled": str(order.filled),
        "avg_price": str(order.avg_price),
        "last_price": str(order.last_price),
        "why_held": order.why_held,
        "completed_at": None if order.completed_at is None else order.completed_at.isoformat(),
        "completed_status": order.completed_status,
        "reject_reason": order.reject_reason,
        "found": found,
    }


def _order(row: Mapping[str, Any]) -> ApiOrder:
    completed_at = row["completed_at"]
    return ApiOrder(
        client_id=row["client_id"],
        order_id=row["order_id"],
        perm_id=row["perm_id"],
        con_id=row["con_id"],
        contract=_unpacked(Contract, row["contract"]),
        order=_unpacked(Order, row["order"]),
        units=Decimal(row.get("units", "0")),
        asked=[_unpacked(Order, text) for text in row.get("asked", ())],
        status=row["status"],
        filled=Decimal(row["filled"]),
        avg_price=Decimal(row["avg_price"]),
        last_price=Decimal(row["last_price"]),
        why_held=row["why_held"],
        completed_at=None if completed_at is None else datetime.fromisoformat(completed_at),
        completed_status=row["completed_status"],
        reject_reason=row["reject_reason"],
    )


def _packed(message: Message) -> str:
    return b64encode(message.SerializeToString()).decode("ascii")


def _unpacked(message_class: MessageClass, text: str) -> Message:
    message = message_class()
    message.ParseFromString(b64decode(text))
    return message
