"""Decides whether a history was exactly once; shares no code with the engine and none with the simulator.

``python -m tests.torture.checker --wire-log FILE --journal FILE [--conclusions FILE]`` prints the verdict and ends with
exit code 1 when anything is wrong. The wire log is the simulator's (``run.py gateway --wire-log``); its last connection
must have asked for the gateway's books (``python -m tests.torture.audit PORT``). What the engine concluded, told by
``python -m tests.torture.conclusions JOURNAL``, is compared too when it is given: ``filled`` by order, ``fills`` by
execution family, ``positions`` by symbol, ``orders``, ``open`` and ``in_doubt``.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.torture.evidence import Evidence, Fields, Frame, Record, read

SIDES = {"BOT": 1, "BUY": 1, "SLD": -1, "SELL": -1}


@dataclass
class Verdict:
    """What was found; every list must be empty."""

    orders_sent: int = 0
    executions: int = 0
    lost_orders: list[str] = field(default_factory=list)
    duplicate_orders: list[str] = field(default_factory=list)
    unjournalled_orders: list[str] = field(default_factory=list)
    early_orders: list[str] = field(default_factory=list)
    reused_ids: list[str] = field(default_factory=list)
    lost_fills: list[str] = field(default_factory=list)
    double_fills: list[str] = field(default_factory=list)
    invented_fills: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    wrong_positions: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def problems(self) -> dict[str, list[str]]:
        """Everything that must not be."""
        return {name: found for name, found in vars(self).items() if isinstance(found, list) and found}

    def __str__(self) -> str:
        found = {name: len(value) for name, value in vars(self).items() if isinstance(value, list)}
        counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in found.items())
        return f"{self.orders_sent} orders sent, {self.executions} executions: {counts}"


@dataclass(frozen=True)
class Executed:
    """The latest version of one execution, signed by its side."""

    order: str
    symbol: str
    quantity: Decimal


def check(wire_log: Path, journal: Path, conclusions: Fields | None = None) -> Verdict:
    """Compare the wire, the gateway's books, the journal and the engine's conclusions."""
    evidence = read(wire_log, journal)
    verdict = Verdict(gaps=list(evidence.gaps))
    _check_orders(evidence, verdict)
    _check_permanent_ids(evidence, verdict)
    _check_order_of_records(evidence, verdict)
    _check_fills(evidence, verdict)
    _check_owners(evidence, conclusions, verdict)
    if conclusions is not None:
        _check_conclusions(evidence, conclusions, verdict)
    return verdict


# --- orders --------------------------------------------------------------------------------------------------------


def _check_orders(evidence: Evidence, verdict: Verdict) -> None:
    """Each order left at most once, after it was journalled, under an id that no other order ever had."""
    submitted = {record.body["oms_id"] for record in evidence.of_kind("SubmitOrder")}
    replaced = Counter(record.body["oms_id"] for record in evidence.of_kind("ReplaceOrder"))
    ids: dict[str, list[int]] = defaultdict(list)
    frames: Counter[str] = Counter()
    for frame in evidence.trading:
        if frame.name == "placeOrder":
            name, order_id = frame.fields["order"].get("orderRef", ""), int(frame.fields["orderId"])
            if order_id not in ids[name]:
                ids[name].append(order_id)
            frames[name] += 1
    verdict.orders_sent = len(ids)
    verdict.unjournalled_orders += [name for name in ids if name not in submitted]
    verdict.duplicate_orders += [f"{name} under {sorted(numbers)}" for name, numbers in ids.items() if len(numbers) > 1]
    for name, count in frames.items():
        if count > 1 + replaced[name]:
            verdict.duplicate_orders.append(f"{name} left {count} times with {replaced[name]} replaces")
    _check_ids(ids, verdict)


def _check_ids(ids: dict[str, list[int]], verdict: Verdict) -> None:
    """Numbers only rise, in the order in which they were first used."""
    highest, owner = 0, ""
    for name, numbers in ids.items():
        for number in numbers:
            if number <= highest:
                verdict.reused_ids.append(f"{name} was given {number} after {owner} had {highest}")
            if number > highest:
                highest, owner = number, name


def _check_permanent_ids(evidence: Evidence, verdict: Verdict) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for order in _echoes([*evidence.trading, *evidence.books]):
        if order.get("permId"):
            known[order.get("orderRef", "")].add(str(order["permId"]))
    known.pop("", None)  # orders of others have no name
    verdict.duplicate_orders += [f"{name} lives twice: {perm}" for name, perm in known.items() if len(perm) > 1]


def _echoes(frames: list[Frame]) -> list[Fields]:
    return [frame.fields.get("order", {}) for frame in frames if frame.name == "openOrder"]


def _check_order_of_records(evidence: Evidence, verdict: Verdict) -> None:
    """The broker cannot have spoken of an order before the record that let it leave."""
    submitted: set[str] = set()
    spoken_of: set[str] = set()
    for record in evidence.records:
        if record.kind == "SubmitOrder":
            name = record.body["oms_id"]
            if name in spoken_of and name not in submitted:
                verdict.early_orders.append(f"{name} was at the broker before its record {record.sequence}")
            submitted.add(name)
        elif record.kind in ("OpenOrderReported", "ExecutionReported"):
            spoken_of.add(record.body.get("order_ref", ""))


def _check_owners(evidence: Evidence, conclusions: Fields | None, verdict: Verdict) -> None:
    """Nothing with our name at the gateway is unknown to us, and nothing we submitted is forgotten."""
    submitted = {record.body["oms_id"] for record in evidence.of_kind("SubmitOrder")}
    named = {order.get("orderRef", "") for order in _echoes([*evidence.trading, *evidence.books])}
    verdict.orphans += sorted(named - submitted - {""})
    if conclusions is not None:
        verdict.lost_orders += sorted(submitted - set(conclusions["orders"]))


# --- fills ---------------------------------------------------------------------------------------------------------


def _family(execution_id: str) -> str:
    return execution_id.rpartition(".")[0]


def _at_gateway(evidence: Evidence) -> dict[str, Executed]:
    """Every execution the gateway ever told of, to anybody; the books come last, so that their version counts."""
    found = {}
    for frame in [*evidence.trading, *evidence.books]:
        if frame.name == "execDetails":
            execution, symbol = frame.fields["execution"], frame.fields["contract"]["symbol"]
            quantity = SIDES[execution["side"].upper()] * Decimal(execution["shares"])
            found[_family(execution["execId"])] = Executed(execution.get("orderRef", ""), symbol, quantity)
    return found


def _in_journal(records: list[Record]) -> dict[str, Executed]:
    found: dict[str, tuple[str, Executed]] = {}
    for record in records:
        if record.kind == "ExecutionReported":
            body = record.body
            quantity = SIDES[body["side"]] * Decimal(body["quantity"])
            family, version = _family(body["exec_id"]), body["exec_id"]
            if family not in found or version >= found[family][0]:
                found[family] = version, Executed(body.get("order_ref", ""), body["contract"]["symbol"], quantity)
    return {family: executed for family, (_, executed) in found.items()}


def _check_fills(evidence: Evidence, verdict: Verdict) -> None:
    """Each execution is in the journal with its quantity, no other is, and they add up to what the gateway holds."""
    theirs, ours = _at_gateway(evidence), _in_journal(evidence.records)
    verdict.executions = len(theirs)
    verdict.lost_fills += sorted(set(theirs) - set(ours))
    verdict.invented_fills += sorted(set(ours) - set(theirs))
    for family in sorted(set(theirs) & set(ours)):
        if theirs[family].quantity != ours[family].quantity:
            verdict.double_fills.append(f"{family}: {ours[family].quantity} for {theirs[family].quantity}")
    held: dict[str, Decimal] = defaultdict(Decimal)
    for executed in ours.values():
        held[executed.symbol] += executed.quantity
    _compare_positions("journal", held, _positions(evidence.books), verdict)


def _positions(books: list[Frame]) -> dict[str, Decimal]:
    held: dict[str, Decimal] = defaultdict(Decimal)
    for frame in books:
        if frame.name == "position":
            held[frame.fields["contract"]["symbol"]] = Decimal(frame.fields.get("position", "0"))
    return held


def _compare_positions(name: str, ours: dict[str, Decimal], theirs: dict[str, Decimal], verdict: Verdict) -> None:
    for symbol in sorted({*ours, *theirs}):
        mine, other = ours.get(symbol, Decimal(0)), theirs.get(symbol, Decimal(0))
        if mine != other:
            verdict.wrong_positions.append(f"{symbol}: {name} {mine}, gateway {other}")


# --- what the engine concluded -------------------------------------------------------------------------------------


def _check_conclusions(evidence: Evidence, conclusions: Fields, verdict: Verdict) -> None:
    theirs = _at_gateway(evidence)
    booked = Counter(family for family, _ in conclusions["fills"])
    verdict.double_fills += [f"{family} is booked {count} times" for family, count in booked.items() if count > 1]
    verdict.lost_fills += [f"{family} is not booked" for family in sorted(set(theirs) - set(booked))]
    for family, quantity in conclusions["fills"]:
        if family in theirs and abs(theirs[family].quantity) != Decimal(quantity):
            verdict.double_fills.append(f"{family}: {quantity} booked, {theirs[family].quantity} executed")
    _check_filled(theirs, conclusions["filled"], verdict)
    held = {symbol: Decimal(quantity) for symbol, quantity in conclusions["positions"].items()}
    _compare_positions("engine", held, _positions(evidence.books), verdict)
    verdict.doubts += conclusions["in_doubt"]
    open_there = {order.get("orderRef", "") for order in _echoes(evidence.books)} - {""}
    verdict.orphans += sorted(open_there - set(conclusions["open"]))
    verdict.lost_orders += [f"{name} is open here only" for name in sorted(set(conclusions["open"]) - open_there)]


def _check_filled(theirs: dict[str, Executed], filled: dict[str, str], verdict: Verdict) -> None:
    """What each order is filled by."""
    executed: dict[str, Decimal] = defaultdict(Decimal)
    for execution in theirs.values():
        executed[execution.order] += abs(execution.quantity)
    for name, quantity in filled.items():
        wrong = Decimal(quantity) - executed[name]
        found = verdict.double_fills if wrong > 0 else verdict.lost_fills
        if wrong:
            found.append(f"{name} is filled by {quantity} here, by {executed[name]} there")


def main(arguments: list[str] | None = None) -> int:
    """Print the verdict; exit code 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wire-log", type=Path, required=True, help="the gateway simulator's wire log")
    parser.add_argument("--journal", type=Path, required=True, help="the engine's journal")
    parser.add_argument("--conclusions", type=Path, help="what the engine made of it, as JSON")
    words = parser.parse_args(arguments)
    conclusions: Any = json.loads(words.conclusions.read_text(encoding="utf-8")) if words.conclusions else None
    verdict = check(words.wire_log, words.journal, conclusions)
    sys.stdout.write(f"{verdict}\n")
    for name, found in verdict.problems.items():
        sys.stdout.write(f"{name}:\n" + "".join(f"  {line}\n" for line in found[:20]))
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())
