"""Market data as QuantConnect's LEAN keeps it: one folder a symbol, one zip file a day and kind.

Times in the files are milliseconds since midnight, in New York for shares and in UTC for futures and currencies. Share
prices are multiplied by 10,000.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.bars import Prices, QuoteBar, QuoteMaker, TradeBar
from ibapi_bridge.gateway_simulator.exchange.timetable import NEW_YORK
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, Quote, ReplayError

PERIODS = {"minute": timedelta(minutes=1), "second": timedelta(seconds=1)}
RESOLUTIONS = (*PERIODS, "tick")
SCALED = frozenset({"STK", "OPT"})
SCALE = Decimal(10_000)
Bar = TypeVar("Bar", bound=QuoteBar | TradeBar)


@frozen(kw_only=True)
class _File:
    """One CSV in one zip, and how to read it."""

    path: Path
    instrument: Instrument
    midnight: datetime

    def at(self, milliseconds: str) -> datetime:
        return self.midnight + timedelta(milliseconds=int(milliseconds))

    def price(self, text: str) -> Decimal:
        number = Decimal(text)
        return number / SCALE if self.instrument.sec_type in SCALED else number

    def prices(self, cells: Sequence[str]) -> Prices | None:
        if not all(cells):
            return None
        opened, high, low, close = (self.price(cell) for cell in cells)
        return Prices(open=opened, high=high, low=low, close=close)


def lean_days(directory: Path) -> list[date]:
    """The days for which a folder has quotes or trades, ascending.

    Raises:
        ReplayError: there is no such folder.
    """
    _resolution(directory)
    names = {p.name[:8] for kind in ("quote", "trade") for p in directory.glob(f"*_{kind}.zip")}
    return sorted(datetime.strptime(n, "%Y%m%d").date() for n in names if n.isdigit())  # noqa: DTZ007 - a bare day


def lean_quotes(directory: Path, *, day: date, instrument: Instrument) -> Iterator[Quote]:
    """One day's quotes from a folder such as `.../equity/usa/minute/spy`.

    Raises:
        ReplayError: the folder, the day or the symbol is not there, or a file cannot be read.
    """
    resolution = _resolution(directory)
    if instrument.sec_type != "CASH" and directory.name != instrument.symbol.lower():
        raise ReplayError(
            f"replay directory {str(directory)!r} holds {directory.name!r}; "
            f"accepted for {instrument.symbol} is a folder named {instrument.symbol.lower()!r}"
        )
    files = {kind: _file(directory, day, kind, instrument) for kind in ("quote", "trade")}
    if files["quote"] is None and files["trade"] is None:
        raise ReplayError(_no_day(directory, day))
    if resolution == "tick":
        return _ticks(_needed(files["trade"], directory, day), QuoteMaker(instrument))
    return _bars(files["quote"], files["trade"], PERIODS[resolution], QuoteMaker(instrument))


def _resolution(directory: Path) -> str:
    if not directory.is_dir():
        raise ReplayError(
            f"replay directory {str(directory)!r} does not exist; accepted is a LEAN folder such as "
            "'equity/usa/minute/spy'"
        )
    name = directory.parent.name
    if name not in RESOLUTIONS:
        raise ReplayError(
            f"replay directory {str(directory)!r} lies in {name!r}; accepted are folders in {', '.join(RESOLUTIONS)}"
        )
    return name


def _no_day(directory: Path, day: date) -> str:
    days = lean_days(directory)
    if not days:
        return (
            f"replay directory {str(directory)!r} has no quotes or trades; accepted are LEAN *_quote.zip, *_trade.zip"
        )
    return (
        f"replay date {day.isoformat()} is not in {str(directory)!r}; accepted are {len(days)} days from "
        f"{days[0].isoformat()} to {days[-1].isoformat()}"
    )


def _file(directory: Path, day: date, kind: str, instrument: Instrument) -> _File | None:
    path = directory / f"{day:%Y%m%d}_{kind}.zip"
    if not path.is_file():
        return None
    zone = ZoneInfo(NEW_YORK) if instrument.sec_type in SCALED else UTC
    midnight = datetime.combine(day, time(0), zone).astimezone(UTC)
    return _File(path=path, instrument=instrument, midnight=midnight)


def _needed(file: _File | None, directory: Path, day: date) -> _File:
    if file is None:
        raise ReplayError(f"replay of ticks needs {day:%Y%m%d}_trade.zip in {str(directory)!r}, which is not there")
    return file


def _rows(file: _File) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(file.path) as archive, archive.open(_member(archive, file)) as raw:
            yield from csv.reader(io.TextIOWrapper(raw, encoding="ascii"))
    except (zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ReplayError(f"{file.path.name} is not a readable LEAN zip file: {error}") from error


def _member(archive: zipfile.ZipFile, file: _File) -> str:
    """The CSV of the instrument: the only one, or for futures that of the contract month, else the nearest month."""
    names = sorted(archive.namelist())
    if not names:
        raise ReplayError(f"{file.path.name} is empty; accepted is a zip file with one CSV")
    expiry = file.instrument.expiry
    wanted = "" if expiry is None else f"_{expiry:%Y%m}.csv"
    return next((name for name in names if wanted and name.endswith(wanted)), names[0])


class _Reader(Generic[Bar]):
    """Bars of one file, one looked ahead."""

    def __init__(self, bars: Iterator[Bar]) -> None:
        self._bars = bars
        self.ahead = next(bars, None)

    def take(self, at: datetime) -> Bar | None:
        """The bar at that time, if the next one is."""
        bar = self.ahead
        if bar is None or bar.at != at:
            return None
        self.ahead = next(self._bars, None)
        return bar


def _bars(quote: _File | None, trade: _File | None, period: timedelta, maker: QuoteMaker) -> Iterator[Quote]:
    quotes: _Reader[QuoteBar] = _Reader(_quote_bars(quote) if quote else iter(()))
    trades: _Reader[TradeBar] = _Reader(_trade_bars(trade) if trade else iter(()))
    while True:
        due = [reader.ahead.at for reader in (quotes, trades) if reader.ahead is not None]
        if not due:
            return
        at = min(due)
        quote_bar, trade_bar = quotes.take(at), trades.take(at)
        yield from maker.bar(period, quote_bar, trade_bar)


def _quote_bars(file: _File) -> Iterator[QuoteBar]:
    for row in _rows(file):
        try:
            yield QuoteBar(
                at=file.at(row[0]),
                bid=file.prices(row[1:5]),
                bid_size=Decimal(row[5] or 0),
                ask=file.prices(row[6:10]),
                ask_size=Decimal(row[10] or 0),
            )
        except (ValueError, IndexError, InvalidOperation) as error:
            raise _unreadable(file, row, "time,bid OHLC,bid size,ask OHLC,ask size") from error


def _trade_bars(file: _File) -> Iterator[TradeBar]:
    for row in _rows(file):
        try:
            prices = file.prices(row[1:5])
            at, volume = file.at(row[0]), Decimal(row[5] or 0)
        except (ValueError, IndexError, InvalidOperation) as error:
            raise _unreadable(file, row, "time,open,high,low,close,volume") from error
        if prices is not None:
            yield TradeBar(at=at, prices=prices, volume=volume)


def _ticks(file: _File, maker: QuoteMaker) -> Iterator[Quote]:
    for row in _rows(file):
        try:
            at, price, size = file.at(row[0]), file.price(row[1]), Decimal(row[2])
            suspicious = row[5] != "0"
        except (ValueError, IndexError, InvalidOperation) as error:
            raise _unreadable(file, row, "time,price,size,exchange,condition,suspicious") from error
        if not suspicious and size > ZERO:
            yield maker.print(at, price, size)


def _unreadable(file: _File, row: Sequence[str], accepted: str) -> ReplayError:
    return ReplayError(f"{file.path.name} has the line {','.join(row)!r}; accepted is {accepted}")
