"""The state every part of the exchange works on, and the agenda of what is to happen.

An action is `(at, number, kind, key, payload)`; the number makes equal times first come, first served.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from random import Random
from typing import Any, TypeAlias

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Side, Touch
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig
from ibapi_bridge.gateway_simulator.exchange.events import Event
from ibapi_bridge.gateway_simulator.exchange.ledger import Account
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES, Session
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Execution, Instrument, SimulationError

Action: TypeAlias = tuple[datetime, int, str, int, Any]


class Phase:
    """Where one timetable stands: the session under way or ahead, and whether its hours have begun."""

    __slots__ = ("liquid", "open", "session")

    def __init__(self, session: Session | None, at: datetime) -> None:
        self.session = session
        self.open = session is not None and session.start <= at
        self.liquid = session is not None and session.is_liquid(at)

    def next_boundary(self, now: datetime) -> datetime | None:
        """The first opening or closing of the session after `now`."""
        session = self.session
        if session is None:
            return None
        moments = (session.start, session.liquid_start, session.liquid_end, session.end)
        return min((moment for moment in moments if moment > now), default=None)


class Floor:
    """Orders, quotes, accounts, executions, the agenda and the events not yet handed out."""

    def __init__(
        self,
        *,
        instruments: Sequence[Instrument],
        accounts: Sequence[str],
        seed: int,
        config: ExchangeConfig,
        start: datetime,
    ) -> None:
        self.now = start
        self.config = config
        self.rng = Random(seed)  # noqa: S311 - a reproducible market, not a secret
        self.instruments: dict[int, Instrument] = {}
        self.accounts = {name: Account(name, dict(config.starting_cash)) for name in accounts}
        self.orders: dict[int, LiveOrder] = {}
        self.alive: dict[int, LiveOrder] = {}
        self.pairs: dict[tuple[str, str], int] = {}
        self.books: dict[tuple[int, str], Side] = {}
        self.waiting: dict[int, list[LiveOrder]] = {}
        self.touches: dict[int, Touch] = {}
        self.pegged: dict[int, list[LiveOrder]] = {}
        self.conditional: dict[int, LiveOrder] = {}
        self.closes: dict[int, Decimal] = {}
        self.opening: set[int] = set()
        self.combos_of: dict[int, list[int]] = {}
        self.groups: dict[tuple[str, str], list[int]] = {}
        self.executions: list[Execution] = []
        self.exec_index: dict[str, int] = {}
        self.exec_base = int(start.timestamp()) + config.numbers_from
        self.agenda: list[Action] = []
        self.numbers = 0
        self.out: list[Event] = []
        self.phases: dict[str, Phase] = {}
        for instrument in instruments:
            self.list_instrument(instrument)

    def list_instrument(self, instrument: Instrument) -> None:
        """Start to trade an instrument; listing it again changes nothing."""
        con_id = instrument.con_id
        if con_id in self.instruments:
            return
        self.instruments[con_id] = instrument
        self.books[con_id, "BUY"], self.books[con_id, "SELL"] = Side(), Side()
        self.waiting[con_id] = []
        if instrument.sec_type == "CASH":
            self.pairs[instrument.symbol, instrument.currency] = con_id
        for leg in instrument.legs:
            self.combos_of.setdefault(leg.con_id, []).append(con_id)
        if instrument.schedule not in self.phases:
            self._keep_hours(instrument.schedule)

    def _keep_hours(self, schedule: str) -> None:
        session = TIMETABLES[schedule].next_session(self.now)
        phase = self.phases[schedule] = Phase(session, self.now)
        self.plan_boundary(schedule, phase)

    def plan_boundary(self, schedule: str, phase: Phase) -> None:
        """Put the next opening or closing of a timetable on the agenda."""
        moment = phase.next_boundary(self.now)
        if moment is not None:
            self.plan(moment, "boundary", 0, schedule)

    def number(self) -> int:
        """The next of the exchange's running numbers."""
        self.numbers += 1
        return self.numbers

    def plan(self, at: datetime, kind: str, key: int, payload: Any = None) -> None:  # noqa: ANN401
        """Put an action on the agenda."""
        heappush(self.agenda, (at, self.number(), kind, key, payload))

    def plan_in(self, delay: timedelta, kind: str, key: int, payload: Any = None) -> None:  # noqa: ANN401
        """Put an action on the agenda, `delay` from now."""
        self.plan(self.now + delay, kind, key, payload)

    def take_action(self) -> Action:
        """Take the earliest action off the agenda."""
        return heappop(self.agenda)

    def phase_of(self, instrument: Instrument) -> Phase:
        """Where the instrument's timetable stands."""
        return self.phases[instrument.schedule]

    def mark(self, con_id: int) -> Decimal | None:
        """The instrument's market price, None before its first quote."""
        touch = self.touches.get(con_id)
        return None if touch is None else touch.mark

    def forget_display(self, con_id: int) -> None:
        """Nothing of what an instrument's last quote showed can be traded any more."""
        touch = self.touches.get(con_id)
        if touch is not None:
            touch.bid_left = touch.ask_left = touch.print_left = ZERO

    def account(self, name: str) -> Account:
        """The account of that name.

        Raises:
            SimulationError: there is no such account.
        """
        found = self.accounts.get(name)
        if found is None:
            raise SimulationError(f"account {name[:2]}... is not one of the exchange's accounts")
        return found
