"""Leads gateway and engine through trading days, nights, weekends and holidays, and compares their books."""

import time as stopwatch
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs

from actors.messages.system import SessionState
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES, Session
from tests.soak.gateway import STARTING_CASH, Books, SoakGateway
from tests.soak.vitals import Vitals, vitals
from tests.soak.witness import DayHeard, Witness

NEW_YORK = ZoneInfo("America/New_York")
PATIENCE_SECONDS = 40.0
FLATTEN_BEFORE_CLOSE = timedelta(minutes=10)
TICK_TOLERANCE = timedelta(minutes=8)
"""Market time a busy machine may need for one tick at the speed of a soak run."""
_DAY = timedelta(days=1)


class Stuck(Exception):
    """What had to happen did not."""


@attrs.frozen(kw_only=True)
class DayReport:
    """One trading day: what was wrong with it, and what the engine held in the evening."""

    day: date
    executions: int
    connections: int
    troubles: dict[str, int]
    problems: tuple[str, ...]
    vitals: Vitals
    seconds: float


def trading_days(first: date, count: int) -> list[date]:
    """That many trading days of the New York Stock Exchange, from ``first`` on."""
    days: list[date] = []
    day = first
    while len(days) < count:
        if hours_of(day) is not None:
            days.append(day)
        day += _DAY
    return days


def hours_of(day: date) -> Session | None:
    """The session of a day."""
    return TIMETABLES["us_equity"].hours(day)


def moment(day: date, at: time) -> datetime:
    """A New York time of day in UTC."""
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)


class Director:
    """Runs on a thread of its own beside the engine; ``lead`` goes through all days."""

    def __init__(self, gateway: SoakGateway, days: list[date], told: Callable[[DayReport], None]) -> None:
        self._gateway = gateway
        self._days = days
        self._told = told
        self.witness = Witness(self.lead)
        self._epoch = 0

    def lead(self) -> None:
        """Every day in turn.

        Raises:
            Stuck: the engine did not do in time what it has to.
        """
        self._until("the first session", self._is_ready, moving=False)
        for number, day in enumerate(self._days):
            began = stopwatch.monotonic()
            self._trade(number, day)
            problems = self._compare(day)
            heard = self.witness.next_day()
            following = self._days[number + 1] if number + 1 < len(self._days) else None
            if following is not None:
                self._night(number, day, following)
            self._report(day, heard, tuple(problems), stopwatch.monotonic() - began)

    # -- a day -------------------------------------------------------------------------------------------------------

    def _trade(self, number: int, day: date) -> None:
        hours = hours_of(day)
        assert hours is not None
        opens, closes = hours.liquid_start, hours.liquid_end
        self._gateway.jump_to(opens - timedelta(minutes=1))
        self._gateway.run_until(opens + timedelta(minutes=30))
        self._until("the market open", lambda: bool(self.witness.day.opened))
        if number % 3 == 1:
            self._outage(opens)
        if number % 5 == 2:
            self._gateway.fault("disconnect")
        self._gateway.run_until(closes - timedelta(minutes=11))
        self._until("a session before the flatten", self._is_ready)
        self._gateway.run_until(closes - FLATTEN_BEFORE_CLOSE + timedelta(seconds=1))
        self._until("the flatten", lambda: bool(self.witness.day.flattened))
        self._until("a flat evening", lambda: not self.witness.positions() and not self.witness.open_orders)
        self._gateway.run_until(closes + timedelta(seconds=30))
        self._until("the market close", lambda: bool(self.witness.day.closed))
        self._until("the order for the night", lambda: len(self.witness.open_orders) == 1)

    def _outage(self, opens: datetime) -> None:
        self._gateway.fault("lose_link", lose_reports=False)
        self._gateway.run_until(opens + timedelta(minutes=50))
        self._gateway.fault("restore_link", data_lost=True)

    # -- a night -----------------------------------------------------------------------------------------------------

    def _night(self, number: int, day: date, following: date) -> None:
        self._gateway.jump_to(moment(day, time(23, 45)))
        self._restart(down_seconds=0.2, roll_back=(0, 3, 60)[number % 3])
        between = day + _DAY
        while between < following:
            self._free_day(between)
            between += _DAY
        self._check_night_order()

    def _free_day(self, day: date) -> None:
        """Nothing may happen on it; on Saturdays the broker is away."""
        if day.weekday() == 5:
            self._gateway.jump_to(moment(day, time(1)))
            self._weekend()
        self._gateway.jump_to(moment(day, time(12)))
        stopwatch.sleep(0.1)  # the ticks of noon: no hours are open, so nothing says when they were heard
        if self.witness.day.opened:
            raise Stuck(f"the market opened on {day}, which is no trading day")

    def _weekend(self) -> None:
        self._gateway.fault("lose_link")
        failures = self.witness.failures
        self._gateway.fault("restart", down_seconds=2.0)
        self._until("failed attempts", lambda: self.witness.failures >= failures + 2, moving=False)
        self._until("a gateway that is offline", lambda: self.witness.session is SessionState.DEGRADED, moving=False)
        self._gateway.fault("restore_link", data_lost=True)
        self._until("the session after the weekend", self._is_ready)

    def _restart(self, *, down_seconds: float, roll_back: int) -> None:
        epoch = self.witness.epoch
        self._gateway.fault("restart", down_seconds=down_seconds, roll_back=roll_back)
        self._until("a new connection", lambda: self.witness.epoch > epoch and self._is_ready(), moving=False)

    def _check_night_order(self) -> None:
        names, ours = self._gateway.books().open_orders, self.witness.open_orders
        if names != ours:
            raise Stuck(f"after the night the broker works {sorted(names)}, we know {sorted(ours)}")

    # -- both --------------------------------------------------------------------------------------------------------

    def _is_ready(self) -> bool:
        return self.witness.session is SessionState.READY

    def _until(self, what: str, condition: Callable[[], bool], *, moving: bool = True) -> None:
        """Wait for the engine; the market moves on by seconds meanwhile, so that orders can be answered."""
        due = stopwatch.monotonic() + PATIENCE_SECONDS
        while not self.witness.wait_for(condition, 0.05):
            if stopwatch.monotonic() > due:
                raise Stuck(self._describe(what))
            if moving:
                self._gateway.run_until(self._gateway.now() + timedelta(seconds=2))

    def _describe(self, what: str) -> str:
        seen, books = self.witness, self._gateway.books()
        return (
            f"waited {PATIENCE_SECONDS:g} s for {what} at {self._gateway.now()}: session {seen.session.value}; "
            f"ours {seen.positions()} {sorted(seen.open_orders)}, broker's {books.positions} "
            f"{sorted(books.open_orders)}; {seen.day.texts}"
        )

    def _compare(self, day: date) -> list[str]:
        seen, heard = self.witness, self.witness.day
        self._gateway.run_until(self._gateway.now() + timedelta(seconds=10))
        books = self._gateway.books()
        self._until_settled(books)
        pairs = {
            "positions": (books.positions, seen.positions()),
            "open orders": (books.open_orders, frozenset(seen.open_orders)),
            "executions": (books.executions, frozenset(heard.executions)),
            "commissions": (round(books.commissions, 4), round(self._commissions(), 4)),
            "profit": (round(books.cash - STARTING_CASH, 2), round(self._profit(), 2)),
        }
        problems = [f"{name}: broker {theirs}, ours {ours}" for name, (theirs, ours) in pairs.items() if theirs != ours]
        return problems + _timing_problems(day, heard)

    def _until_settled(self, books: Books) -> None:
        """Commissions come after their executions."""
        self.witness.wait_for(lambda: self._commissions() >= books.commissions, 5.0)

    def _profit(self) -> Decimal:
        return self.witness.snapshot.realized_pnl.get("USD", Decimal(0)) - self._commissions()

    def _commissions(self) -> Decimal:
        return self.witness.snapshot.commissions.get("USD", Decimal(0))

    def _report(self, day: date, heard: DayHeard, problems: tuple[str, ...], seconds: float) -> None:
        epoch, self._epoch = self._epoch, self.witness.epoch
        self._told(
            DayReport(
                day=day,
                executions=len(heard.executions),
                connections=self._epoch - epoch,
                troubles=dict(heard.troubles),
                problems=(*problems, *heard.texts),
                vitals=vitals(),
                seconds=seconds,
            )
        )


def _timing_problems(day: date, heard: DayHeard) -> list[str]:
    hours = hours_of(day)
    assert hours is not None
    problems = [f"execution {exec_id} was said twice" for exec_id in heard.doubled]
    closes = [opened.closes for opened in heard.opened]
    if closes != [hours.liquid_end]:
        problems.append(f"the market opened {len(closes)} times until {closes}, expected {hours.liquid_end}")
    for name, times, due in (
        ("opened", [opened.at for opened in heard.opened], hours.liquid_start),
        ("flattened", heard.flattened, hours.liquid_end - FLATTEN_BEFORE_CLOSE),
        ("closed", heard.closed, hours.liquid_end),
    ):
        if len(times) != 1 or not due <= times[0] <= due + TICK_TOLERANCE:
            problems.append(f"{name} at {[str(at) for at in times]}, expected once soon after {due}")
    return problems
