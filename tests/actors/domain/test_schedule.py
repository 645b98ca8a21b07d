"""Sessions and timers in market time, with half days and the change of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import Contract, Instrument, Session
from actors.domain.identity import Epoch
from actors.domain.schedule import Schedule, ScheduleConfig, ScheduleOutput
from actors.messages.commands import FlattenAll, LockNewExposure
from actors.messages.reports import InstrumentReported
from actors.messages.schedule import MarketClosed, MarketOpened, ScheduleTimer, TimerFired
from actors.messages.system import Tick

NEW_YORK = ZoneInfo("America/New_York")
CONFIG = ScheduleConfig(flatten_at=time(15, 50), lock_at=time(15, 45))


def weekdays(day: date) -> Session | None:
    if day.weekday() >= 5:
        return None
    return session(day, time(9, 30), time(16, 0))


def session(day: date, opens: time, closes: time) -> Session:
    return Session(
        opens=datetime.combine(day, opens, tzinfo=NEW_YORK).astimezone(UTC),
        closes=datetime.combine(day, closes, tzinfo=NEW_YORK).astimezone(UTC),
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def tick(text: str) -> Tick:
    return Tick(at=at(text), elapsed=0.0)


def run(schedule: Schedule, *moments: str) -> list[ScheduleOutput]:
    return [output for moment in moments for output in schedule.decide(tick(moment))]


def kinds(outputs: list[ScheduleOutput]) -> list[type]:
    return [type(output) for output in outputs]


def test_a_session_opens_locks_flattens_and_closes_once() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    assert run(schedule, "2026-03-02 09:29:59") == []
    assert kinds(run(schedule, "2026-03-02 09:30:00", "2026-03-02 09:30:01")) == [LockNewExposure, MarketOpened]
    assert kinds(run(schedule, "2026-03-02 15:45:00", "2026-03-02 15:45:01")) == [LockNewExposure]
    assert kinds(run(schedule, "2026-03-02 15:50:00", "2026-03-02 15:59:59")) == [FlattenAll]
    assert kinds(run(schedule, "2026-03-02 16:00:00", "2026-03-02 20:00:00")) == [MarketClosed]


def test_a_half_day_keeps_the_distance_to_the_close() -> None:
    half = session(date(2026, 11, 27), time(9, 30), time(13, 0))
    schedule = Schedule(CONFIG, calendar=lambda day: half if day == date(2026, 11, 27) else None)
    run(schedule, "2026-11-27 10:00:00")
    assert kinds(run(schedule, "2026-11-27 12:49:59")) == [LockNewExposure]
    assert kinds(run(schedule, "2026-11-27 12:50:00", "2026-11-27 13:00:00")) == [FlattenAll, MarketClosed]


def test_the_brokers_liquid_hours_win_over_the_calendar() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    instrument = Instrument(
        contract=Contract(symbol="SPY"), liquid_sessions=(session(date(2026, 11, 27), time(9, 30), time(13, 0)),)
    )
    schedule.decide(
        InstrumentReported(at=at("2026-11-27 08:00"), epoch=Epoch(1), wanted=instrument.contract, instrument=instrument)
    )
    run(schedule, "2026-11-27 09:30:00")
    assert MarketClosed in kinds(run(schedule, "2026-11-27 13:00:00"))


def reported(at_text: str, *sessions: Session, symbol: str = "SPY") -> InstrumentReported:
    instrument = Instrument(contract=Contract(symbol=symbol), liquid_sessions=sessions)
    return InstrumentReported(at=at(at_text), epoch=Epoch(1), wanted=instrument.contract, instrument=instrument)


def regular(day: date) -> Session:
    return session(day, time(9, 30), time(16, 0))


def test_a_day_between_two_reported_sessions_is_closed_whatever_the_calendar_says() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    schedule.decide(reported("2026-09-04 08:00", regular(date(2026, 9, 4)), regular(date(2026, 9, 8))))
    assert run(schedule, "2026-09-07 12:00:00") == []
    assert MarketOpened in kinds(run(schedule, "2026-09-08 09:30:00"))


def test_the_calendar_rules_days_the_broker_said_nothing_about() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    schedule.decide(reported("2026-03-02 08:00", regular(date(2026, 3, 2)), regular(date(2026, 3, 3))))
    assert MarketOpened in kinds(run(schedule, "2026-03-04 09:30:00"))


def test_newer_hours_of_the_ruling_instrument_replace_older_ones_and_those_of_others_do_not() -> None:
    day = date(2026, 3, 3)
    early, late = session(day, time(9, 30), time(12, 0)), session(day, time(8, 0), time(18, 0))
    schedule = Schedule(CONFIG, calendar=weekdays)
    schedule.decide(reported("2026-03-02 08:00", regular(day)))
    schedule.decide(reported("2026-03-03 07:00", early))
    schedule.decide(reported("2026-03-03 07:01", late, symbol="ES"))
    run(schedule, "2026-03-03 09:30:00")
    assert MarketClosed in kinds(run(schedule, "2026-03-03 12:00:00"))


def test_an_instrument_without_liquid_hours_changes_nothing() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    instrument = Instrument(contract=Contract(symbol="EUR.USD"))
    schedule.decide(
        InstrumentReported(at=at("2026-03-02 08:00"), epoch=Epoch(1), wanted=instrument.contract, instrument=instrument)
    )
    assert MarketOpened in kinds(run(schedule, "2026-03-02 09:30:00"))


def test_two_sessions_of_one_day_count_as_one_from_the_first_open_to_the_last_close() -> None:
    day = date(2026, 3, 2)
    parts = (session(day, time(9, 30), time(11, 30)), session(day, time(13, 0), time(15, 0)))
    instrument = Instrument(contract=Contract(symbol="7203"), liquid_sessions=parts)
    schedule = Schedule(ScheduleConfig(), calendar=lambda _: None)
    schedule.decide(
        InstrumentReported(at=at("2026-03-02 08:00"), epoch=Epoch(1), wanted=instrument.contract, instrument=instrument)
    )
    assert kinds(run(schedule, "2026-03-02 09:30:00", "2026-03-02 12:00:00")) == [LockNewExposure, MarketOpened]
    assert kinds(run(schedule, "2026-03-02 15:00:00")) == [MarketClosed]


def test_the_session_follows_new_york_through_the_change_of_the_clocks() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    winter = Tick(at=datetime(2026, 3, 6, 14, 30, tzinfo=UTC), elapsed=0.0)
    summer = Tick(at=datetime(2026, 3, 9, 13, 30, tzinfo=UTC), elapsed=0.0)
    assert MarketOpened in [type(output) for output in schedule.decide(winter)]
    outputs = [type(output) for output in schedule.decide(summer)]
    assert outputs == [MarketClosed, LockNewExposure, MarketOpened]


def test_starting_late_in_the_session_opens_and_flattens_at_once() -> None:
    outputs = run(Schedule(CONFIG, calendar=weekdays), "2026-03-02 15:55:00")
    assert kinds(outputs) == [LockNewExposure, MarketOpened, LockNewExposure, FlattenAll]


def test_starting_after_the_close_does_nothing() -> None:
    assert run(Schedule(CONFIG, calendar=weekdays), "2026-03-02 16:00:00") == []


def test_no_session_on_a_weekend() -> None:
    assert run(Schedule(CONFIG, calendar=weekdays), "2026-03-07 10:00:00") == []


def test_a_repeating_timer_fires_once_per_period_and_makes_nothing_up() -> None:
    schedule = Schedule(ScheduleConfig(), calendar=lambda _: None)
    schedule.decide(ScheduleTimer(name="scan", every_seconds=60))
    run(schedule, "2026-03-02 10:00:00")
    assert run(schedule, "2026-03-02 10:00:59") == []
    assert kinds(run(schedule, "2026-03-02 10:01:00", "2026-03-02 10:01:30")) == [TimerFired]
    assert kinds(run(schedule, "2026-03-02 10:09:59", "2026-03-02 10:10:00")) == [TimerFired, TimerFired]


def test_a_daily_timer_fires_at_its_exchange_time_each_day() -> None:
    schedule = Schedule(ScheduleConfig(), calendar=lambda _: None)
    schedule.decide(ScheduleTimer(name="noon", at_time=time(12, 0)))
    assert run(schedule, "2026-03-06 13:00:00", "2026-03-07 11:59:59") == []
    assert kinds(run(schedule, "2026-03-07 12:00:00", "2026-03-07 12:00:01")) == [TimerFired]
    assert kinds(run(schedule, "2026-03-08 12:00:00")) == [TimerFired]


def test_timers_go_on_when_the_clock_is_set_back() -> None:
    """A system clock ahead of the gateway's is corrected; what was due by the wrong clock would never come."""
    schedule = Schedule(ScheduleConfig(), calendar=lambda _: None)
    schedule.decide(ScheduleTimer(name="scan", every_seconds=60))
    schedule.decide(ScheduleTimer(name="noon", at_time=time(12, 0)))
    run(schedule, "2026-11-26 19:03:00")

    assert run(schedule, "2026-04-13 10:04:00", "2026-04-13 10:04:59") == []
    assert kinds(run(schedule, "2026-04-13 10:05:00", "2026-04-13 10:05:01")) == [TimerFired]
    assert [fired.name for fired in run(schedule, "2026-04-13 12:00:00") if isinstance(fired, TimerFired)] == [
        "scan",
        "noon",
    ]


def test_a_daily_timer_that_fired_does_not_fire_again_for_a_small_correction() -> None:
    schedule = Schedule(ScheduleConfig(), calendar=lambda _: None)
    schedule.decide(ScheduleTimer(name="noon", at_time=time(12, 0)))

    assert kinds(run(schedule, "2026-03-06 11:00:00", "2026-03-06 12:00:00")) == [TimerFired]
    assert run(schedule, "2026-03-06 11:59:30", "2026-03-06 12:00:00", "2026-03-06 13:00:00") == []


def test_a_session_of_a_later_date_ends_when_the_clock_is_set_back() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    assert kinds(run(schedule, "2026-11-27 10:00:00")) == [LockNewExposure, MarketOpened]

    assert kinds(run(schedule, "2026-04-13 10:00:00")) == [LockNewExposure, MarketOpened]
    assert FlattenAll in kinds(run(schedule, "2026-04-13 15:50:00"))


def test_a_session_opens_once_although_the_clock_is_set_back_to_before_it() -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    run(schedule, "2026-04-13 09:30:00")

    assert run(schedule, "2026-04-13 09:29:00", "2026-04-13 09:31:00") == []


@given(st.lists(st.integers(1, 7200), min_size=1, max_size=200))
def test_however_time_steps_each_session_opens_and_closes_at_most_once_in_turn(steps: list[int]) -> None:
    schedule = Schedule(CONFIG, calendar=weekdays)
    now, seen = at("2026-03-02 06:00"), []
    for step in steps:
        now += timedelta(seconds=step)
        seen += [type(output) for output in schedule.decide(Tick(at=now, elapsed=0.0))]
    turns = [kind for kind in seen if kind in (MarketOpened, MarketClosed)]
    assert turns == ([MarketOpened, MarketClosed] * len(turns))[: len(turns)]
    assert seen.count(FlattenAll) <= seen.count(MarketOpened)
