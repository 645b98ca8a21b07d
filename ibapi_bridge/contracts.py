"""Which contract a user's symbol means, and the instruments found out today, kept across restarts."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import msgspec

from actors.domain.contract import Contract, Instrument

_FILE = "instruments.json"


def resolved(wanted: Contract, symbols: Mapping[str, Contract]) -> Contract:
    """The configured contract behind a bare symbol; a contract that says more than its symbol stays as it is."""
    mapped = symbols.get(wanted.symbol)
    return mapped if mapped is not None and wanted == Contract(symbol=wanted.symbol) else wanted


@attrs.frozen(kw_only=True)
class _Entry:
    wanted: Contract
    instrument: Instrument


class InstrumentCache:
    """Instruments qualified today (UTC); hours and rules change over night, so older ones are forgotten.

    Args:
        folder: where to keep them, None for memory only. A file that cannot be read counts as empty, one that cannot
            be written is given up on: the broker can always be asked again.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _FILE
        self._day = ""
        self._known: dict[Contract, Instrument] = {}

    def find(self, wanted: Contract, now: datetime) -> Instrument | None:
        """The instrument behind a contract, if it was qualified on the day of ``now``."""
        self._turn_to(now)
        return self._known.get(wanted)

    def put(self, wanted: Contract, instrument: Instrument, now: datetime) -> None:
        """Keep an instrument for the rest of the day."""
        self._turn_to(now)
        if self._known.get(wanted) == instrument:
            return
        self._known = {**self._known, wanted: instrument}
        self._write()

    def _turn_to(self, now: datetime) -> None:
        day = now.date().isoformat()
        if day != self._day:
            self._day, self._known = day, self._read(day)

    def _read(self, day: str) -> dict[Contract, Instrument]:
        try:
            stored = json.loads(self._path.read_text("utf-8")) if self._path is not None else {}
            rows = stored["rows"] if stored.get("day") == day else []
            entries = [msgspec.convert(row, _Entry) for row in rows]
        except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
            return {}
        return {entry.wanted: entry.instrument for entry in entries}

    def _write(self) -> None:
        if self._path is None:
            return
        rows = [_Entry(wanted=wanted, instrument=found) for wanted, found in self._known.items()]
        document: dict[str, Any] = {"day": self._day, "rows": rows}
        partial = self._path.with_suffix(".partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(msgspec.json.encode(document))
            partial.replace(self._path)
        except OSError:
            self._path = None
