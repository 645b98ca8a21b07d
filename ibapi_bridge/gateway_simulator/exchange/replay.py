"""Recorded markets: LEAN's zipped bars and ticks, and plain CSV files. The formats are in docs/replay-data.md."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, Quote, ReplayError

COLUMNS = ("time", "bid", "bid_size", "ask", "ask_size", "last", "last_size")

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_Row = TypeVar("_Row")


class ReplayMarket:
    """Quotes that were recorded, of one or more feeds, in the order of their time.

    What lies before `start` is read over; the last of it is what each book shows at the opening. Without `start` the
    market opens with the first quote of each feed.
    """

    def __init__(self, feeds: Sequence[Iterable[Quote]], *, start: datetime | None = None) -> None:
        self._quotes: Iterator[Quote] = heapq.merge(*feeds, key=_time_of)
        self._taken = 0
        self._next: Quote | None = next(self._quotes, None)
        first = self.next_at()
        if first is None:
            raise ReplayError("the recorded market is empty: at least one quote is needed")
        self.start = first if start is None else start
        self._opening: dict[int, Quote] = {}
        while (at := self.next_at()) is not None and at <= self.start:
            quote = self.pop()
            self._opening[quote.con_id] = quote

    def opening(self) -> Sequence[Quote]:
        """The latest quote of each instrument at the start."""
        return list(self._opening.values())

    def next_at(self) -> datetime | None:
        """When the next quote is due, None at the end of the recording."""
        return None if self._next is None else self._next.at

    def pop(self) -> Quote:
        """Take the next quote.

        Raises:
            ReplayError: the recording is at its end.
        """
        quote = self._next
        if quote is None:
            raise ReplayError("the recorded market is at its end")
        self._next = next(self._quotes, None)
        self._taken += 1
        return quote

    def save(self) -> dict[str, Any]:
        """How much of the recording has been used."""
        return {"taken": self._taken}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Go on from where the saved market stood; only forwards, so into a market that was just made."""
        while self._taken < saved["taken"]:
            self.pop()


def _time_of(quote: Quote) -> datetime:
    return quote.at


def csv_quotes(path: Path, *, instrument: Instrument) -> Iterator[Quote]:
    """The quotes of a CSV file with the columns `COLUMNS`; times without an offset are the exchange's own.

    Raises:
        ReplayError: there is no such file, or a line that cannot be read (raised when it is reached).
    """
    if not path.is_file():
        raise ReplayError(f"replay file {str(path)!r} does not exist; accepted is a CSV file with {','.join(COLUMNS)}")
    with path.open(newline="", encoding="utf-8-sig") as opened:
        header = tuple(next(_readable(path, csv.reader(opened)), ()))
    if header != COLUMNS:
        raise ReplayError(f"{path.name} begins with {','.join(header)!r}; accepted is {','.join(COLUMNS)!r}")
    return _csv_rows(path, instrument)


def _csv_rows(path: Path, instrument: Instrument) -> Iterator[Quote]:
    zone = ZoneInfo(TIMETABLES[instrument.schedule].zone)
    volume, before = ZERO, _BEFORE_ALL
    with path.open(newline="", encoding="utf-8-sig") as opened:
        for number, row in enumerate(_readable(path, csv.DictReader(opened)), start=2):
            try:
                at = _moment(row["time"], zone)
                quote = _csv_quote(instrument, at, row, volume)
            except (ValueError, InvalidOperation, TypeError, AttributeError) as error:
                raise ReplayError(
                    f"{path.name} line {number} is {','.join(str(v) for v in row.values())!r}; accepted are an ISO "
                    "time and plain numbers"
                ) from error
            if at < before:
                raise ReplayError(f"{path.name} line {number} is at {row['time']}, before the line above it")
            before, volume = at, quote.volume
            yield quote
    if before == _BEFORE_ALL:
        raise ReplayError(f"{path.name} has no line below the first; accepted is at least one quote")


def _readable(path: Path, rows: Iterator[_Row]) -> Iterator[_Row]:
    try:
        yield from rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReplayError(f"{path.name} cannot be read ({error}); accepted is a CSV file in UTF-8") from error


def _moment(text: str, zone: ZoneInfo) -> datetime:
    read = datetime.fromisoformat(text.strip())
    return (read if read.tzinfo is not None else read.replace(tzinfo=zone)).astimezone(UTC)


def _csv_quote(instrument: Instrument, at: datetime, row: Mapping[str, str], volume: Decimal) -> Quote:
    bid, ask, last = (_price(row[name]) for name in ("bid", "ask", "last"))
    bid_size, ask_size, last_size = (_size(row[name]) for name in ("bid_size", "ask_size", "last_size"))
    return Quote(
        at=at,
        con_id=instrument.con_id,
        bid=bid,
        bid_size=ZERO if bid is None else bid_size,
        ask=ask,
        ask_size=ZERO if ask is None else ask_size,
        last=last,
        last_size=ZERO if last is None else last_size,
        volume=volume + last_size,
    )


def _price(text: str) -> Decimal | None:
    return _number(text) if text.strip() else None


def _size(text: str) -> Decimal:
    size = _number(text) if text.strip() else ZERO
    if size < 0:
        raise ValueError(text)
    return size


def _number(text: str) -> Decimal:
    number = Decimal(text.strip())
    if not number.is_finite():
        raise ValueError(text)
    return number
