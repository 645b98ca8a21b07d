"""``run.py journal verify|show|export PATH``: look into a journal without changing it."""

import argparse
import json
import sys
from pathlib import Path

from actors.domain.identity import mask_account
from actors.journal_reader import JournalReader
from actors.journal_text import Record


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of ``run.py journal``."""
    parser.add_argument("action", choices=("verify", "show", "export"), help="what to do")
    parser.add_argument("path", type=Path, help="the journal file")
    parser.add_argument("--last", type=_count, default=0, metavar="N", help="only the last N records (0: all)")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return int(text)


def main(arguments: argparse.Namespace) -> int:
    """Run the command; a damaged journal raises ``JournalDamaged`` with one sentence."""
    reader = JournalReader(arguments.path)
    if arguments.action == "verify":
        return _verify(reader)
    try:
        skipped = max(0, reader.summary().records - arguments.last) if arguments.last > 0 else 0
        for number, record in enumerate(reader.records()):
            if number >= skipped:
                _print(record, as_json=arguments.action == "export")
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has seen enough; the interpreter must not complain at its end
    return 0


def _verify(reader: JournalReader) -> int:
    summary = reader.summary()
    kinds: dict[str, int] = {}
    for record in reader.records():
        kinds[record.kind] = kinds.get(record.kind, 0) + 1
    owner = f"strategy {summary.strategy}, account {mask_account(summary.account) or 'not yet known'}"
    sys.stdout.write(f"intact: {summary.records} records, {summary.snapshots} snapshots, {owner}\n")
    for kind, count in sorted(kinds.items()):
        sys.stdout.write(f"  {kind:<24} {count}\n")
    return 0


def _print(record: Record, *, as_json: bool) -> None:
    sequence, kind, fields = record.sequence, record.kind, json.loads(record.body)
    if as_json:
        sys.stdout.write(json.dumps({"sequence": sequence, "kind": kind, "message": fields}) + "\n")
        return
    at = fields.pop("at", "")
    text = " ".join(f"{key}={_shown(key, value)}" for key, value in fields.items() if value not in (None, "", [], {}))
    sys.stdout.write(f"{sequence:>8} {at:<32} {kind:<22} {text}\n")


def _shown(key: str, value: object) -> str:
    if key == "account" and isinstance(value, str):
        return mask_account(value)
    if key == "accounts" and isinstance(value, list):
        return ",".join(mask_account(str(account)) for account in value)
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
