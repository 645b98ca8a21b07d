"""Decides whether a history was exactly once: reads the wire's record and the journal's database, and nothing of ours.

It shares no code with the engine. Input: the JSON lines of a wire log whose last connection asked for the gateway's
books, the journal (SQLite), and what the engine concluded (JSON: ``fills`` by execution family, ``positions`` by
symbol, ``open``, ``in_doubt``). ``python -m tests.torture.checker WIRE_LOG JOURNAL [CONCLUSIONS]`` prints the verdict.
"""

import json
import sqlite3
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Line = dict[str, Any]


@dataclass
class Verdict:
    """What was found; every list must be empty."""

    orders_sent: int = 0
    executions: int = 0
    lost_orders: list[str] = field(default_factory=list)
    duplicate_orders: list[str] = field(default_factory=list)
    unjournalled_orders: list[str] = field(default_factory=list)
    reused_ids: list[str] = field(default_factory=list)
    lost_fills: list[str] = field(default_factory=list)
    double_fills: list[str] = field(default_factory=list)
    invented_fills: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    wrong_positions: list[str] = field(default_factory=list)
    journal_gaps: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def problems(self) -> dict[str, list[str]]:
        """Everything that must not be."""
        return {name: found for name, found in vars(self).items() if isinstance(found, list) and found}

    def __str__(self) -> str:
        found = {name: len(value) for name, value in vars(self).items() if isinstance(value, list)}
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items())
        return f"{self.orders_sent} orders sent, {self.executions} executions: {counts}"


def check(wire_log: Path, journal: Path, conclusions: Line | None = None) -> Verdict:
    """Compare the wire, the gateway's books, the journal and the engine's conclusions."""
    verdict = Verdict()
    lines = [json.loads(text) for text in wire_log.read_text(encoding="utf-8").splitlines()]
    records = _records(journal, verdict)
    audit = max((line["connection"] for line in lines), default=0)
    trading = [line for line in lines if line["connection"] != audit]
    books = [line for line in lines if line["connection"] == audit]
    _check_orders(trading, records, verdict)
    _check_fills(_executions(books), records, verdict)
    _check_outcomes(lines, records, conclusions, verdict)
    _check_positions(books, records, verdict)
    if conclusions is not None:
        _check_conclusions(books, conclusions, verdict)
    return verdict


def _records(journal: Path, verdict: Verdict) -> list[tuple[str, Line]]:
    database = sqlite3.connect(journal)
    try:
        rows = database.execute("SELECT sequence, kind, body FROM records ORDER BY sequence").fetchall()
    finally:
        database.close()
    for expected, (sequence, _, _) in enumerate(rows, rows[0][0] if rows else 1):
        if sequence != expected:
            verdict.journal_gaps.append(f"record {expected} is missing")
            break
    return [(kind, json.loads(body)) for _, kind, body in rows]


# --- orders --------------------------------------------------------------------------------------------------------


def _check_orders(trading: list[Line], records: list[tuple[str, Line]], verdict: Verdict) -> None:
    """Each order left at most once, after it was journalled, under an id that no other order ever had."""
    submitted = Counter(body["oms_id"] for kind, body in records if kind == "SubmitOrder")
    replaced = Counter(body["oms_id"] for kind, body in records if kind == "ReplaceOrder")
    placed = [line["fields"] for line in trading if line["name"] == "placeOrder"]
    ids: dict[str, set[int]] = defaultdict(set)
    owners: dict[int, set[str]] = defaultdict(set)
    frames: Counter[str] = Counter()
    highest = 0
    for fields in placed:
        name, order_id = fields["order"].get("orderRef", ""), int(fields["orderId"])
        if order_id not in ids[name]:
            if order_id <= highest:
                verdict.reused_ids.append(f"{name} was given {order_id} after {highest}")
            highest = max(highest, order_id)
        ids[name].add(order_id)
        owners[order_id].add(name)
        frames[name] += 1
    verdict.orders_sent = len(ids)
    verdict.unjournalled_orders += [name for name in ids if name not in submitted]
    verdict.duplicate_orders += [f"{name} under {sorted(numbers)}" for name, numbers in ids.items() if len(numbers) > 1]
    verdict.reused_ids += [f"{number} for {sorted(names)}" for number, names in owners.items() if len(names) > 1]
    for name, count in frames.items():
        if count > 1 + replaced[name]:
            verdict.duplicate_orders.append(f"{name} left {count} times with {replaced[name]} replaces")
    _check_permanent_ids(trading, verdict)


def _check_permanent_ids(trading: list[Line], verdict: Verdict) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for line in trading:
        if line["name"] == "openOrder":
            order = line["fields"].get("order", {})
            if order.get("permId"):
                known[order.get("orderRef", "")].add(str(order["permId"]))
    verdict.duplicate_orders += [f"{name} lives twice: {perm}" for name, perm in known.items() if len(perm) > 1]


def _check_outcomes(
    lines: list[Line], records: list[tuple[str, Line]], conclusions: Line | None, verdict: Verdict
) -> None:
    """Nothing the gateway has is unknown to us, and nothing we submitted is without an end."""
    submitted = {body["oms_id"] for kind, body in records if kind == "SubmitOrder"}
    at_gateway = {line["fields"].get("order", {}).get("orderRef", "") for line in lines if line["name"] == "openOrder"}
    verdict.orphans += sorted(at_gateway - submitted)
    if conclusions is not None:
        known = conclusions["orders"]
        verdict.lost_orders += sorted(name for name in submitted if name not in known)


# --- fills ---------------------------------------------------------------------------------------------------------


def _family(execution_id: str) -> str:
    return execution_id.rpartition(".")[0]


def _executions(books: list[Line]) -> dict[str, tuple[str, str, Decimal, str]]:
    found = {}
    for line in books:
        if line["name"] == "execDetails":
            execution, contract = line["fields"]["execution"], line["fields"]["contract"]
            sign = 1 if execution["side"].upper() in ("BOT", "BUY") else -1
            family = _family(execution["execId"])
            quantity = sign * Decimal(execution["shares"])
            found[family] = (execution.get("orderRef", ""), contract["symbol"], quantity, execution["execId"])
    return found


def _check_fills(
    at_gateway: dict[str, tuple[str, str, Decimal, str]], records: list[tuple[str, Line]], verdict: Verdict
) -> None:
    verdict.executions = len(at_gateway)
    journalled = {_family(body["exec_id"]) for kind, body in records if kind == "ExecutionReported"}
    verdict.lost_fills += sorted(set(at_gateway) - journalled)
    verdict.invented_fills += sorted(journalled - set(at_gateway))


def _check_positions(books: list[Line], records: list[tuple[str, Line]], verdict: Verdict) -> None:
    """What the journal's executions add up to is what the gateway holds."""
    sides = {"BUY": 1, "SELL": -1}
    latest: dict[str, tuple[str, Decimal]] = {}
    for kind, body in records:
        if kind == "ExecutionReported":
            quantity = sides[body["side"]] * Decimal(body["quantity"])
            latest[_family(body["exec_id"])] = (body["contract"]["symbol"], quantity)
    ours: dict[str, Decimal] = defaultdict(Decimal)
    for symbol, quantity in latest.values():
        ours[symbol] += quantity
    _compare_positions("journal", ours, _positions(books), verdict)


def _positions(books: list[Line]) -> dict[str, Decimal]:
    held: dict[str, Decimal] = defaultdict(Decimal)
    for line in books:
        if line["name"] == "position":
            held[line["fields"]["contract"]["symbol"]] = Decimal(line["fields"].get("position", "0"))
    return held


def _compare_positions(name: str, ours: dict[str, Decimal], theirs: dict[str, Decimal], verdict: Verdict) -> None:
    for symbol in sorted({*ours, *theirs}):
        if ours.get(symbol, Decimal(0)) != theirs.get(symbol, Decimal(0)):
            verdict.wrong_positions.append(f"{symbol}: {name} {ours.get(symbol, 0)}, gateway {theirs.get(symbol, 0)}")


# --- what the engine concluded -------------------------------------------------------------------------------------


def _check_conclusions(books: list[Line], conclusions: Line, verdict: Verdict) -> None:
    at_gateway = _executions(books)
    booked = Counter(family for family, _ in conclusions["fills"])
    quantities = {family: Decimal(quantity) for family, quantity in conclusions["fills"]}
    verdict.double_fills += [family for family, count in booked.items() if count > 1]
    verdict.lost_fills += [f"{family} is not booked" for family in sorted(set(at_gateway) - set(booked))]
    for family in sorted(set(at_gateway) & set(booked)):
        if abs(at_gateway[family][2]) != quantities[family]:
            verdict.double_fills.append(f"{family}: {quantities[family]} booked, {at_gateway[family][2]} executed")
    held = {symbol: Decimal(quantity) for symbol, quantity in conclusions["positions"].items()}
    _compare_positions("engine", held, _positions(books), verdict)
    verdict.doubts += conclusions["in_doubt"]
    open_there = {line["fields"].get("order", {}).get("orderRef", "") for line in books if line["name"] == "openOrder"}
    verdict.orphans += sorted(open_there - set(conclusions["open"]))
    verdict.lost_orders += [f"{name} is open here only" for name in sorted(set(conclusions["open"]) - open_there)]


def main() -> int:
    """Print the verdict; exit code 1 when something is wrong."""
    paths = [Path(word) for word in sys.argv[1:]]
    conclusions = json.loads(paths[2].read_text(encoding="utf-8")) if len(paths) > 2 else None
    verdict = check(paths[0], paths[1], conclusions)
    sys.stdout.write(f"{verdict}\n")
    for name, found in verdict.problems.items():
        sys.stdout.write(f"{name}:\n" + "".join(f"  {line}\n" for line in found[:20]))
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
