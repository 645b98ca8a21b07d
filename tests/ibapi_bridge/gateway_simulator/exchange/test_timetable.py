"""Sessions, holidays, early closes and daylight saving."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ibapi_bridge.gateway_simulator.exchange.timetable import (
    TIMETABLES,
    easter,
    hours_text,
    nyse_early_closes,
    nyse_holidays,
)

# Closings by decree, which no rule foretells: a hurricane, and days of national mourning.
DECREED = {date(2012, 10, 29), date(2012, 10, 30), date(2018, 12, 5), date(2025, 1, 9)}
EQUITY, FUTURE, FOREX = (TIMETABLES[name] for name in ("us_equity", "cme_globex", "forex"))


@pytest.fixture
def recorded() -> dict[str, Any]:
    beside = Path(__file__).resolve().parents[4].parent / "shared" / "marketdata"
    root = Path(os.environ.get("CALLBOARD_MARKETDATA", beside))
    path = root / "lean" / "market-hours" / "market-hours-database.json.gz"
    if not path.is_file():
        pytest.skip("recorded market data is not here: set CALLBOARD_MARKETDATA to its folder")
    with gzip.open(path, "rt") as opened:
        entry: dict[str, Any] = json.load(opened)["entries"]["Equity-usa-[*]"]
    return entry


def days(texts: list[str]) -> set[date]:
    read = (text.split("/") for text in texts)
    return {date(int(year), int(month), int(day)) for month, day, year in read}


def test_holidays_are_those_the_exchange_kept(recorded: dict[str, Any]) -> None:
    years = range(2010, 2028)
    kept = {d for d in days(recorded["holidays"]) if d.year in years and d.weekday() < 5}
    computed = {d for year in years for d in nyse_holidays(year) if d.weekday() < 5}
    assert computed == kept - DECREED


def test_early_closes_are_those_the_exchange_kept(recorded: dict[str, Any]) -> None:
    years = range(2013, 2028)
    kept = {d for d in days(list(recorded["earlyCloses"])) if d.year in years and d.weekday() < 5}
    assert {d for year in years for d in nyse_early_closes(year)} == kept


@pytest.mark.parametrize(
    ("year", "day"), [(2008, date(2008, 3, 23)), (2024, date(2024, 3, 31)), (2038, date(2038, 4, 25))]
)
def test_easter(year: int, day: date) -> None:
    assert easter(year) == day


@pytest.mark.parametrize(("day", "hour"), [(date(2024, 3, 8), 14), (date(2024, 3, 11), 13), (date(2024, 11, 4), 14)])
def test_open_follows_daylight_saving(day: date, hour: int) -> None:
    session = EQUITY.hours(day)
    assert session is not None
    assert session.liquid_start == datetime(day.year, day.month, day.day, hour, 30, tzinfo=UTC)


def test_day_after_thanksgiving_closes_at_one() -> None:
    text = hours_text(EQUITY, date(2023, 11, 22), 4, liquid=True)
    assert text == ("20231122:0930-20231122:1600;20231123:CLOSED;20231124:0930-20231124:1300;20231125:CLOSED")


def test_future_session_begins_the_evening_before() -> None:
    text = hours_text(FUTURE, date(2023, 11, 6), 1, liquid=False)
    assert text == "20231105:1700-20231106:1600"


def test_session_that_covers_a_moment_and_the_next_one() -> None:
    friday_night = datetime(2023, 11, 4, 1, 0, tzinfo=UTC)
    assert EQUITY.session_at(friday_night) is None
    following = EQUITY.next_session(friday_night)
    assert following is not None
    assert following.day == date(2023, 11, 6)
    assert EQUITY.session_at(following.liquid_start) == following


def test_currencies_trade_from_sunday_evening() -> None:
    session = FOREX.session_at(datetime(2023, 11, 5, 23, 0, tzinfo=UTC))
    assert session is not None
    assert session.day == date(2023, 11, 6)


@pytest.mark.parametrize("name", sorted(TIMETABLES))
def test_sessions_follow_each_other_without_overlap(name: str) -> None:
    table = TIMETABLES[name]
    session = table.next_session(datetime(2023, 12, 1, tzinfo=UTC))
    for _ in range(60):
        assert session is not None
        assert session.start <= session.liquid_start < session.liquid_end <= session.end
        following = table.session_after(session)
        assert following is not None
        assert session.end <= following.start < session.end + timedelta(days=5)
        session = following
