"""``run.py reconcile``: positions that differ from the broker's and orders that are not ours, and what a human decides.

A decision is a journal record like any other input; the engine must not be running.
"""

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from actors.domain.desk_config import DeskConfig
from actors.domain.identity import OmsId, mask_account
from actors.domain.order_state import OrderState
from actors.domain.terms import format_quantity
from actors.journal import Journal
from actors.messages.commands import AcceptPosition, AdoptOrder, Books
from actors.messages.events import Discrepancy
from actors.restore import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--config", type=Path, required=True, help="the configuration, a TOML file")
    parser.add_argument("--strategy", help="module:Class, a file, or file.py:Class; instead of the configured one")
    parser.add_argument("--state", type=Path, help="directory of the journal; instead of the configured one")
    parser.add_argument("--accept", choices=[books.value for books in Books], help="whose positions are right")
    parser.add_argument("--instrument", help="settle this one only, by its name")
    parser.add_argument("--adopt", metavar="ORDER", help="make this living order of the client id ours, by its name")


def strangers(journal: Journal, config: DeskConfig, *, adopt: str | None, now: Callable[[], datetime]) -> int:
    """Show living orders that are not ours, and adopt one if told so; exit code 2 when it cannot be adopted.

    Raises:
        JournalDamaged: the journal cannot be read.
        JournalFailed: the disk refused.
    """
    desk = restore(journal, config).desk
    for order in desk.open_strangers():
        sys.stdout.write(f"{order.oms_id}: {_described(order)}, of client {order.client_id}, not ours\n")
    if adopt is None:
        return 0
    command = AdoptOrder(at=now(), oms_id=OmsId(adopt))
    refusals = [said.text for said in desk.decide(command) if isinstance(said, Discrepancy)]
    if refusals:
        sys.stderr.write(f"callboard: --adopt is {adopt!r}: {refusals[0]}\n")
        return 2
    journal.append([command])
    sys.stdout.write(f"adopted: {adopt}\n")
    return 0


def _described(order: OrderState) -> str:
    price = "" if order.order.limit_price is None else f" @ {order.order.limit_price}"
    quantity = format_quantity(order.order.quantity)
    return f"{order.order.side.value} {quantity} {order.contract.name} {order.order.order_type.value}{price}"


def reconcile(
    journal: Journal,
    config: DeskConfig,
    *,
    accept: str | None,
    instrument: str | None,
    now: Callable[[], datetime],
) -> int:
    """Show the disputes, and settle them if told how; exit code 1 when some are left.

    Raises:
        JournalDamaged: the journal cannot be read.
        JournalFailed: the disk refused.
    """
    fold = restore(journal, config)
    every = fold.portfolio.disputes()
    disputes = [entry for entry in every if instrument in (None, entry[1].name)]
    for account, contract, ours, broker in disputes:
        place = f"{contract.name} in account {mask_account(account)}"
        figures = f"ours is {format_quantity(ours)}, the broker's {format_quantity(broker)}"
        sys.stdout.write(f"{place}: {figures}\n")
        if accept is not None:
            command = AcceptPosition(
                at=now(), account=account, contract=contract, ours=ours, broker=broker, accepted=Books(accept)
            )
            journal.append([command])
            sys.stdout.write(f"  accepted: {accept}\n")
    if not disputes:
        others = f", but in {', '.join(sorted({entry[1].name for entry in every}))}" if every else ""
        sys.stdout.write(f"no position differs{'' if instrument is None else f' in {instrument}'}{others}\n")
    return 1 if disputes and accept is None else 0
