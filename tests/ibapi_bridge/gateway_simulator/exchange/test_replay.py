"""Recorded markets: real files where they are at hand, small ones made here otherwise."""

from __future__ import annotations

import os
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange import (
    Exchange,
    Instrument,
    Quote,
    ReplayError,
    ReplayMarket,
    csv_quotes,
    default_instruments,
    lean_days,
    lean_quotes,
)
from ibapi_bridge.gateway_simulator.exchange.instruments import ES, EUR_USD, SPY
from tests.ibapi_bridge.gateway_simulator.exchange.desk import ACCOUNT, FIXED, order

LISTED = {i.con_id: i for i in default_instruments()}
OCTOBER_7 = date(2013, 10, 7)


@pytest.fixture
def lean() -> Path:
    beside = Path(__file__).resolve().parents[4].parent / "shared" / "marketdata"
    root = Path(os.environ.get("CALLBOARD_MARKETDATA", beside)) / "lean"
    if not root.is_dir():
        pytest.skip("recorded market data is not here: set CALLBOARD_MARKETDATA to its folder")
    return root


def spy_at(directory: Path) -> list[Quote]:
    return list(lean_quotes(directory, day=OCTOBER_7, instrument=LISTED[SPY]))


@pytest.mark.parametrize("resolution", ["minute", "second"])
def test_recorded_shares_have_sane_books_in_order_of_time(lean: Path, resolution: str) -> None:
    quotes = spy_at(lean / "equity" / "usa" / resolution / "spy")
    assert all(a.at <= b.at for a, b in zip(quotes, quotes[1:], strict=False))
    assert all(q.bid is not None and q.ask is not None and q.bid <= q.ask for q in quotes)
    regular = [q.bid for q in quotes if q.at >= datetime(2013, 10, 7, 13, 30, tzinfo=UTC) and q.bid]
    assert Decimal(166) < min(regular) < max(regular) < Decimal(170)
    assert quotes[0].at == datetime(2013, 10, 7, 8, 0, tzinfo=UTC)


def test_recorded_volume_is_that_of_the_bars(lean: Path) -> None:
    directory = lean / "equity" / "usa" / "minute" / "spy"
    with zipfile.ZipFile(directory / "20131007_trade.zip") as archive:
        rows = archive.read(archive.namelist()[0]).decode().split()
    assert spy_at(directory)[-1].volume == sum(Decimal(row.split(",")[5]) for row in rows)


def test_recorded_prints_become_quotes_one_tick_wide(lean: Path) -> None:
    quotes = islice(lean_quotes(lean / "equity" / "usa" / "tick" / "spy", day=OCTOBER_7, instrument=LISTED[SPY]), 5000)
    assert {q.ask - q.bid for q in quotes if q.ask is not None and q.bid is not None} == {Decimal("0.01")}


def test_recorded_currency_and_future_are_in_utc(lean: Path) -> None:
    euro = next(
        lean_quotes(lean / "forex" / "oanda" / "minute" / "eurusd", day=date(2014, 5, 7), instrument=LISTED[EUR_USD])
    )
    future = evolve(LISTED[ES], expiry=date(2013, 12, 20))
    mini = next(lean_quotes(lean / "future" / "cme" / "minute" / "es", day=OCTOBER_7, instrument=future))
    assert (euro.at, euro.bid, euro.bid_size) == (
        datetime(2014, 5, 7, tzinfo=UTC),
        Decimal("1.39286"),
        Decimal(1_000_000),
    )
    assert mini.at == datetime(2013, 10, 7, tzinfo=UTC)


def test_orders_fill_inside_the_recorded_book(lean: Path) -> None:
    start = datetime(2013, 10, 7, 14, 0, tzinfo=UTC)
    directory = lean / "equity" / "usa" / "second" / "spy"
    feed = lean_quotes(directory, day=OCTOBER_7, instrument=LISTED[SPY])
    exchange = Exchange(
        market=ReplayMarket([feed], start=start),
        instruments=[LISTED[SPY]],
        accounts=(ACCOUNT,),
        seed=1,
        config=FIXED,
        start=start,
    )
    exchange.submit(order(1, quantity=10_000))
    exchange.advance(start + timedelta(minutes=2))
    fills = exchange.executions()
    assert sum(f.quantity for f in fills) == 10_000
    asks = {q.ask for q in spy_at(directory) if start - timedelta(seconds=5) <= q.at <= exchange.now}
    assert {f.price for f in fills} <= asks


def test_days_of_a_folder_are_listed(lean: Path) -> None:
    days = lean_days(lean / "equity" / "usa" / "second" / "spy")
    assert days[:2] == [date(2013, 10, 7), date(2013, 10, 8)]


def _folder(tmp_path: Path, rows: str, kind: str = "quote") -> Path:
    directory = tmp_path / "minute" / "spy"
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(directory / f"20131007_{kind}.zip", "w") as archive:
        archive.writestr("20131007_spy_minute.csv", rows)
    return directory


def test_bar_that_rose_visits_its_low_first(tmp_path: Path) -> None:
    row = "34200000,1000000,1000300,999900,1000200,300,1000100,1000400,1000000,1000300,200\n"
    quotes = spy_at(_folder(tmp_path, row))
    assert [str(q.bid) for q in quotes] == ["100", "99.99", "100.03", "100.02"]
    assert [q.at.second for q in quotes] == [0, 15, 30, 45]
    assert quotes[0].at == datetime(2013, 10, 7, 13, 30, tzinfo=UTC)


def test_bar_that_fell_visits_its_high_first(tmp_path: Path) -> None:
    quotes = spy_at(_folder(tmp_path, "34200000,1000000,1000300,999800,999900,300\n", "trade"))
    assert [str(q.last) for q in quotes] == ["100", "100.03", "99.98", "99.99"]
    assert [(str(q.bid), str(q.ask)) for q in quotes[1:3]] == [("100.02", "100.03"), ("99.98", "99.99")]


@pytest.mark.parametrize(
    ("row", "kind"), [("a,b,c\n", "quote"), ("34200000,1,x,1,1,1\n", "trade"), ("34200000,1\n", "trade")]
)
def test_unreadable_line_is_named(tmp_path: Path, row: str, kind: str) -> None:
    with pytest.raises(ReplayError, match=f"20131007_{kind}.zip has the line"):
        spy_at(_folder(tmp_path, row, kind))


def test_file_that_is_no_zip_is_named(tmp_path: Path) -> None:
    directory = _folder(tmp_path, "")
    (directory / "20131007_quote.zip").write_bytes(b"not a zip")
    with pytest.raises(ReplayError, match="20131007_quote.zip is not a readable LEAN zip"):
        spy_at(directory)


def test_missing_day_names_the_days_there_are(tmp_path: Path) -> None:
    directory = _folder(tmp_path, "34200000,1,1,1,1,1\n")
    with pytest.raises(ReplayError, match="2013-10-12 is not in .* 1 days from 2013-10-07 to 2013-10-07"):
        lean_quotes(directory, day=date(2013, 10, 12), instrument=LISTED[SPY])


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"nowhere' does not exist; accepted is a LEAN folder"):
        lean_quotes(tmp_path / "nowhere", day=OCTOBER_7, instrument=LISTED[SPY])


def test_folder_of_another_symbol_is_refused(tmp_path: Path) -> None:
    msft = evolve(LISTED[SPY], symbol="MSFT")
    with pytest.raises(ReplayError, match="accepted for MSFT is a folder named 'msft'"):
        lean_quotes(_folder(tmp_path, ""), day=OCTOBER_7, instrument=msft)


def test_folder_outside_a_resolution_is_refused(tmp_path: Path) -> None:
    (tmp_path / "yearly" / "spy").mkdir(parents=True)
    with pytest.raises(ReplayError, match="accepted are folders in minute, second, tick"):
        lean_days(tmp_path / "yearly" / "spy")


HEADER = "time,bid,bid_size,ask,ask_size,last,last_size\n"


def _csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spy.csv"
    path.write_text(text)
    return path


def _read(path: Path, instrument: Instrument = LISTED[SPY]) -> list[Quote]:
    return list(csv_quotes(path, instrument=instrument))


def test_csv_times_are_exchange_time_unless_they_say_otherwise(tmp_path: Path) -> None:
    rows = "2023-11-06T09:30:00,99.99,100,100.01,200,,\n2023-11-06T14:30:01Z,99.98,100,100.01,200,100.00,50\n"
    first, second = _read(_csv(tmp_path, HEADER + rows))
    assert (first.at, second.at - first.at) == (datetime(2023, 11, 6, 14, 30, tzinfo=UTC), timedelta(seconds=1))
    assert (first.last, second.last, second.last_size, second.volume) == (
        None,
        Decimal(100),
        Decimal(50),
        Decimal(50),
    )


def test_csv_side_without_a_price_is_empty(tmp_path: Path) -> None:
    (only,) = _read(_csv(tmp_path, HEADER + "2023-11-06T09:30:00,,,100.01,200,,\n"))
    assert (only.bid, only.bid_size) == (None, Decimal(0))


@pytest.mark.parametrize(
    "row",
    [
        "yesterday,1,1,1,1,,",
        "2023-11-06,1,one,1,1,,",
        "2023-11-06,NaN,1,1,1,,",
        "2023-11-06,1",
        "2023-11-06,1,-1,1,1,,",
    ],
)
def test_csv_line_that_cannot_be_read_is_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(ReplayError, match="spy.csv line 2"):
        _read(_csv(tmp_path, HEADER + row + "\n"))


def test_csv_line_back_in_time_is_named(tmp_path: Path) -> None:
    rows = "2023-11-06T09:30:01,1,1,2,1,,\n2023-11-06T09:30:00,1,1,2,1,,\n"
    with pytest.raises(ReplayError, match="line 3 is at 2023-11-06T09:30:00, before the line above"):
        _read(_csv(tmp_path, HEADER + rows))


def test_csv_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="begins with 'date,price'; accepted is 'time,bid"):
        _read(_csv(tmp_path, "date,price\n"))


@pytest.mark.parametrize("content", [b"\xff", HEADER.encode() + b"2023-11-06,\xff", HEADER.encode() + b"1" * 200_000])
def test_csv_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spy.csv").write_bytes(content)
    with pytest.raises(ReplayError, match="spy.csv cannot be read .*; accepted is a CSV file in UTF-8"):
        _read(tmp_path / "spy.csv")


def test_csv_without_a_quote_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="spy.csv has no line below the first"):
        _read(_csv(tmp_path, HEADER))


def test_missing_csv_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"spy.csv' does not exist"):
        _read(tmp_path / "spy.csv")


def test_empty_recording_is_refused() -> None:
    with pytest.raises(ReplayError, match="empty"):
        ReplayMarket([[]])


def test_recording_goes_on_from_where_it_was_saved(tmp_path: Path) -> None:
    rows = "".join(f"2023-11-06T09:30:0{n},{n + 1},1,{n + 2},1,,\n" for n in range(5))
    path = _csv(tmp_path, HEADER + rows)
    market = ReplayMarket([_read(path)])
    market.pop()
    again = ReplayMarket([_read(path)])
    again.load(market.save())
    assert again.pop() == market.pop()
