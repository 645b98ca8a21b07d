"""What a replay found out, as plain values for JSON and as a table for people."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from actors.domain.conclusions import is_overfilled
from actors.domain.desk_core import lacks_fills
from actors.domain.identity import Account
from actors.domain.order_state import Fill, OrderState
from actors.messages.events import Discrepancy
from actors.messages.portfolio import PositionView
from actors.messages.reports import ExecutionReported
from ibapi_bridge.replay_driver import Replay

Row = dict[str, Any]
_PLACES: Final = Decimal(1).scaleb(-12)


def report(file: str, replay: Replay) -> Row:
    """One object: orders in the order in which they appeared, positions, discrepancies, the session's state."""
    view = replay.books.portfolio.snapshot_view(replay.now)
    return {
        "file": file,
        "orders": [_order(order, replay.books.executions) for order in replay.books.orders()],
        "positions": [_position(position) for position in view.positions],
        "discrepancies": [_discrepancy(found) for found in _standing(replay)],
        "session": replay.session.value,
    }


def plain(number: Decimal | None) -> str | None:
    """Plain digits without an exponent or trailing zeros; endless fractions are rounded to twelve places."""
    if number is None:
        return None
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -12:
        number = number.quantize(_PLACES)
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _order(order: OrderState, executions: Mapping[str, ExecutionReported]) -> Row:
    return {
        "oms_id": order.oms_id,
        "order_id": order.order_id,
        "perm_ids": list(order.perm_ids),
        "symbol": order.contract.symbol or order.contract.name,
        "side": order.order.side.value,
        "quantity": plain(order.order.quantity),
        "status": order.status.value,
        "pending": order.pending.value if order.pending is not None else None,
        "in_doubt": order.in_doubt,
        "external": order.external,
        "filled": plain(order.filled),
        "avg_price": plain(order.average_price),
        "remaining": plain(order.remaining),
        "commission": plain(order.commission),
        "reason": order.reason,
        "fills": [row for fill in order.fills.values() for row in _fills(fill, executions)],
    }


def _fills(fill: Fill, executions: Mapping[str, ExecutionReported]) -> list[Row]:
    """What a correction replaced, oldest first, and then what counts."""
    replaced = [
        _fill(exec_id, executions[exec_id].quantity, executions[exec_id].price, superseded=True)
        for exec_id in fill.superseded
    ]
    return [*replaced, _fill(fill.exec_id, fill.quantity, fill.price, superseded=False)]


def _fill(exec_id: str, quantity: Decimal, price: Decimal, *, superseded: bool) -> Row:
    return {"exec_id": exec_id, "quantity": plain(quantity), "price": plain(price), "superseded": superseded}


def _position(position: PositionView) -> Row:
    return {
        "account": position.account,
        "symbol": position.contract.symbol or position.contract.name,
        "quantity": plain(position.quantity),
        "avg_cost": plain(position.average_cost),
        "realized_pnl": plain(position.realized_pnl),
    }


def _standing(replay: Replay) -> list[Discrepancy]:
    """What still cannot be explained at the end.

    Executions that came late or were taken back and orders seen later explain themselves; a broker's position is
    compared only where it is newer than the last fill.
    """
    orders, found = replay.books.orders(), replay.books.discrepancies
    complete = {order.oms_id for order in orders if not lacks_fills(order)}
    right = {order.oms_id for order in orders if not is_overfilled(order)}
    seen = {f"permId {perm_id}" for order in orders for perm_id in order.perm_ids}
    seen |= {f"client {order.client_id} id {order.order_id}" for order in orders}
    explained = {("MISSING_EXECUTIONS", name) for name in complete} | {("UNKNOWN_ORDER", name) for name in seen}
    explained |= {("OVERFILL", name) for name in right}
    return [
        found[kind, name, account]
        for kind, name, account in found
        if (kind, name) not in explained and not (kind == "POSITION_MISMATCH" and _is_settled(replay, name, account))
    ]


def _is_settled(replay: Replay, name: str, account: Account) -> bool:
    """Whether a position agrees again, or was filled since the broker last told it."""
    books = replay.books
    apart = {(contract.name, account) for account, contract, _ in books.portfolio.snapshot().mismatched}
    told = max(books.last_rows.get((name, account), 0), books.last_list)
    return (name, account) not in apart or books.last_fills.get((name, account), 0) > told


def _discrepancy(discrepancy: Discrepancy) -> Row:
    return {"kind": discrepancy.kind, "subject": discrepancy.subject, "text": discrepancy.text}


# --- for people ----------------------------------------------------------------------------------------------------


def show(console: Console, found: Row) -> None:
    """The same as tables."""
    console.print(Text.assemble((PurePath(found["file"]).name, "bold"), f": session {found['session']}"))
    if found["orders"]:
        console.print(_table("Orders", _ORDER_COLUMNS, [_shown_order(order) for order in found["orders"]]))
    if found["positions"]:
        console.print(_table("Positions", _POSITION_COLUMNS, found["positions"]))
    for discrepancy in found["discrepancies"]:
        console.print(Text(f"  {discrepancy['kind']} {discrepancy['subject']}: {discrepancy['text']}"))


_ORDER_COLUMNS: Final = (
    ("oms_id", "order"),
    ("order_id", "id"),
    ("symbol", "symbol"),
    ("side", "side"),
    ("quantity", "quantity"),
    ("state", "status"),
    ("filled", "filled"),
    ("avg_price", "average"),
    ("remaining", "remaining"),
    ("commission", "commission"),
    ("reason", "reason"),
)
_POSITION_COLUMNS: Final = (
    ("account", "account"),
    ("symbol", "symbol"),
    ("quantity", "quantity"),
    ("avg_cost", "average cost"),
    ("realized_pnl", "realized P&L"),
)
_NUMBERS: Final = frozenset(
    {"quantity", "filled", "avg_price", "remaining", "commission", "avg_cost", "realized_pnl", "order_id"}
)


def _shown_order(order: Row) -> Row:
    marks = [order["status"], *(word for word in (order["pending"],) if word)]
    marks += ["in doubt"] if order["in_doubt"] else []
    marks += ["external"] if order["external"] else []
    return {**order, "state": ", ".join(marks)}


def _table(title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    for key, heading in columns:
        table.add_column(heading, justify="right" if key in _NUMBERS else "left")
    for row in rows:
        table.add_row(*(Text("" if row[key] is None else str(row[key])) for key, _ in columns))
    return table
