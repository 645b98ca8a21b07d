from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibapi_bridge.times import execution_time, from_epoch, moment, wire_time, zone_of

RECEIVED = datetime(2026, 4, 13, 20, 0, tzinfo=UTC)
MEANT = datetime(2026, 4, 13, 19, 27, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "20260413 15:27:04 US/Eastern",
        "20260413  15:27:04 US/Eastern",
        "20260413 15:27:04 America/New_York",
        "20260413 15:27:04 EST",
        "20260413 15:27:04 EDT",
        "20260413 15:27:04 EST (Eastern Standard Time)",
        "20260413 15:27:04 Eastern Daylight Time",
        "20260413-19:27:04",
        "20260413-19:27:04Z",
        "20260413 19:27:04Z",
        "20260413 19:27:04 UTC",
        "20260413 21:27:04 Central European Standard Time",
        "20260413 21:27:04 MET",
        "20260414 04:27:04 JST",
        "20260413 15:27:04 GMT-04:00",
        "20260413 15:27:04.123 US/Eastern",
    ],
)
def test_every_fashion_of_writing_means_the_same_instant(written: str) -> None:
    assert execution_time(written, RECEIVED) == MEANT


@pytest.mark.parametrize(
    "unreadable",
    [
        "",
        "yesterday",
        "20260413 15:27:04",
        "20260413 15:27:04 Mitteleurop�ische Zeit",
        "20261313 15:27:04 UTC",
        "20260413 25:27:04 UTC",
        "20260413 15:27:04 ../../etc/passwd",
        "20260413",
    ],
)
def test_a_time_without_a_known_zone_is_not_guessed(unreadable: str) -> None:
    assert execution_time(unreadable, RECEIVED) is None


def test_an_execution_from_the_future_is_not_believed() -> None:
    assert execution_time("20260413 16:30:00 US/Eastern", RECEIVED) is None
    assert execution_time("20260413 16:05:00 US/Eastern", RECEIVED) is not None


def test_the_repeated_hour_is_read_by_what_has_already_happened() -> None:
    written = "20261101 01:30:00 US/Eastern"
    first, second = datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert execution_time(written, first + timedelta(seconds=1)) == first
    assert execution_time(written, second + timedelta(seconds=1)) == second


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_makes_the_reader_raise(written: str) -> None:
    assert execution_time(written, RECEIVED) is None or written
    assert zone_of(written) is None or written


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - made aware below
def test_what_we_write_we_read(at: datetime) -> None:
    aware = at.replace(microsecond=0, tzinfo=UTC)
    assert moment(wire_time(aware)) == aware


def test_clock_values_outside_the_calendar_are_none() -> None:
    assert from_epoch(1e18) is None
    assert from_epoch(0) == datetime(1970, 1, 1, tzinfo=UTC)
