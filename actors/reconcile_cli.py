"""``run.py reconcile``: shows the positions that differ from the broker's and lets a human say whose are right."""

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from actors.domain.desk_config import DeskConfig
from actors.domain.identity import mask_account
from actors.domain.terms import format_quantity
from actors.journal import Journal
from actors.messages.commands import AcceptPosition, Books
from actors.restore import restore


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--config", type=Path, required=True, help="the configuration, a TOML file")
    parser.add_argument("--strategy", help="module:Class, a file, or file.py:Class; instead of the configured one")
    parser.add_argument("--state", type=Path, help="directory of the journal; instead of the configured one")
    parser.add_argument("--accept", choices=[books.value for books in Books], help="whose positions are right")
    parser.add_argument("--instrument", help="settle this one only, by its name")


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
    disputes = [entry for entry in fold.portfolio.disputes() if instrument in (None, entry[1].name)]
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
        sys.stdout.write("no position differs\n")
    return 1 if disputes and accept is None else 0
