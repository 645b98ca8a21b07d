"""Two days with a night restart, a Saturday outage, a holiday and a lost link between and in them."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.soak.days import FIRST, growth
from tests.soak.director import DayReport, hours_of, trading_days
from tests.soak.vitals import Vitals

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.socket
def test_one_engine_lives_through_a_long_weekend_and_its_books_agree_every_evening() -> None:
    words = [sys.executable, "-m", "tests.soak.days", "--days", "2", "--first", "2026-09-04"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 days, " in done.stdout
    assert ", 0 problems" in done.stdout.replace(";", ",")


def test_the_default_range_holds_two_holidays_a_half_day_and_the_end_of_daylight_saving_time() -> None:
    days = trading_days(FIRST, 72)
    openings = {hours.liquid_start.hour for day in days if (hours := hours_of(day)) is not None}
    closings = {hours.liquid_end.hour for day in days if (hours := hours_of(day)) is not None}
    assert date(2026, 9, 7) not in days
    assert date(2026, 11, 26) not in days
    assert openings == {13, 14}
    assert closings == {18, 20, 21}


def _report(*, memory_mb: float, threads: int) -> DayReport:
    held = Vitals(memory_mb=memory_mb, threads=threads, descriptors=20, objects=1)
    return DayReport(day=FIRST, executions=1, connections=1, troubles={}, problems=(), vitals=held, seconds=1.0)


def test_growth_after_the_warm_up_is_a_problem() -> None:
    steady = [_report(memory_mb=100, threads=10)] * 30
    assert growth(steady) == []
    assert growth([*steady, _report(memory_mb=120, threads=11)]) == [
        "memory grew from 100.0 to 120.0 MB",
        "threads grew from 10 to 11",
    ]
