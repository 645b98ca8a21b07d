"""The schedule of a simulated session decides what the engine's own decides, tick by tick."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.contract import Contract, Instrument, Session
from actors.domain.identity import Epoch
from actors.domain.schedule import Schedule, ScheduleConfig, ScheduleInput
from actors.messages.reports import InstrumentReported
from actors.messages.schedule import ScheduleTimer
from actors.messages.system import Tick
from strategy.simulate.punctual import PunctualSchedule

Calendar = Callable[[date], Session | None]

ZONES = ("America/New_York", "America/Chicago", "Europe/London", "Asia/Tokyo", "Africa/Cairo", "UTC")
FIRST_DAYS = (
    date(2026, 3, 6),  # New York changes its clocks on the 8th
    date(2026, 3, 27),  # London changes its clocks on the 29th
    date(2026, 4, 23),  # Cairo changes its clocks at midnight of the 24th
    date(2026, 6, 30),
    date(2026, 10, 30),  # New York and Cairo change theirs back
    date(2026, 12, 30),
)
USUAL = ("tick",) * 8 + ("timer", "timer", "plain")
SPY = Contract(symbol="SPY")

times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)), st.sampled_from((0, 0, 59)))
configs = st.builds(
    ScheduleConfig,
    time_zone=st.sampled_from(ZONES),
    flatten_at=st.none() | times,
    lock_at=st.none() | times,
    regular_close=st.sampled_from((time(16, 0), time(13, 0), time(23, 0))),
)
timers = st.builds(
    ScheduleTimer,
    name=st.sampled_from(("one", "two")),
    every_seconds=st.sampled_from((0.5, 7.0, 60.0, 3_600.0, 90_000.0)),
) | st.builds(ScheduleTimer, name=st.sampled_from(("one", "two")), at_time=st.none() | times)
steps = st.one_of(
    st.integers(0, 3_000).map(lambda tenths: timedelta(seconds=tenths / 10)),
    st.integers(0, 26 * 60).map(lambda minutes: timedelta(minutes=minutes)),
    st.sampled_from((timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=3))),
)
steps_back = st.sampled_from(
    (timedelta(milliseconds=1), timedelta(seconds=8), timedelta(hours=2), timedelta(days=2), timedelta(days=4))
)
hours = st.tuples(times, st.sampled_from((timedelta(hours=23), timedelta(hours=6.5), timedelta(hours=3.5))))


def session_of(day: date, opens: time, length: timedelta, zone: ZoneInfo) -> Session:
    opening = datetime.combine(day, opens, tzinfo=zone).astimezone(UTC)
    return Session(opens=opening, closes=opening + length)


def reported(at: datetime, *sessions: Session) -> InstrumentReported:
    instrument = Instrument(contract=SPY, liquid_sessions=sessions)
    return InstrumentReported(at=at, epoch=Epoch(1), wanted=SPY, instrument=instrument)


@st.composite
def calendars(draw: st.DrawFn, first: date) -> Calendar:
    """Some days short, some closed, some over midnight, in a zone that need not be the schedule's."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    usual = draw(hours)
    days = {
        first + timedelta(days=number): draw(st.sampled_from((usual, usual, None)) | hours) for number in range(-1, 5)
    }

    def session(day: date) -> Session | None:
        known = days.get(day, usual)
        return None if known is None else session_of(day, *known, zone)

    return session


@st.composite
def lives(draw: st.DrawFn) -> tuple[ScheduleConfig, Calendar, list[ScheduleInput]]:
    """What a schedule hears: mostly ticks; in some lives the clock is set back, or the broker reports hours."""
    config, first = draw(configs), draw(st.sampled_from(FIRST_DAYS))
    calendar = draw(calendars(first))
    now = datetime.combine(first, draw(times), tzinfo=UTC)
    heard: list[ScheduleInput] = []
    unusual = draw(st.sampled_from(((), ("hours",), ("back",) * 4)))
    for kind in draw(st.lists(st.sampled_from(USUAL + unusual), min_size=10, max_size=40)):
        match kind:
            case "timer":
                heard.append(draw(timers))
            case "plain":
                heard.append(reported(now))
            case "hours":
                today = now.astimezone(ZoneInfo(config.time_zone)).date()
                heard.append(reported(now, session_of(today, *draw(hours), ZoneInfo(config.time_zone))))
            case _:
                now = now - draw(steps_back) if kind == "back" else now + draw(steps)
                heard.append(Tick(at=now, elapsed=0.0))
    return config, calendar, heard


@settings(max_examples=200)
@given(life=lives())
def test_it_decides_what_the_engines_schedule_decides(
    life: tuple[ScheduleConfig, Calendar, list[ScheduleInput]],
) -> None:
    config, calendar, heard = life
    schedule, punctual = Schedule(config, calendar=calendar), PunctualSchedule(config, calendar=calendar)
    for message in heard:
        assert punctual.decide(message) == schedule.decide(message)
