"""The state every part of the exchange works on, and the agenda of what is to happen.

An action is `(at, number, kind, key, payload)`; the number makes equal times first come, first served.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from ibapi_bridge.gateway_simulator.exchange.types import Execution, Instrument, SimulationError

Action: TypeAlias = tuple[datetime, int, str, int, Any]


class Phase:
    """Where one timetable stands: the session under way or ahead, and whether its hours have begun."""

    __slots__ = ("liquid", "open", "session")

    def __init__(self, session: Session | None, at: datetime) -> None:
        self.session = session
        self.open = session is not None and session.start <= at
        self.liquid = session is not None and session.is_liquid(at)


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
        self.instruments: Mapping[int, Instrument] = {i.con_id: i for i in instruments}
        self.accounts = {name: Account(name, dict(config.starting_cash)) for name in accounts}
        self.orders: dict[int, LiveOrder] = {}
        self.pairs = {(i.symbol, i.currency): i.con_id for i in instruments if i.sec_type == "CASH"}
        self.books = {(con_id, side): Side() for con_id in self.instruments for side in ("BUY", "SELL")}
        self.waiting: dict[int, list[LiveOrder]] = {con_id: [] for con_id in self.instruments}
        self.touches: dict[int, Touch] = {}
        self.groups: dict[tuple[str, str], list[int]] = {}
        self.executions: list[Execution] = []
        self.exec_index: dict[str, int] = {}
        self.exec_base = int(start.timestamp())
        self.agenda: list[Action] = []
        self.numbers = 0
        self.out: list[Event] = []
        self.phases = {
            name: Phase(TIMETABLES[name].next_session(start), start)
            for name in sorted({i.schedule for i in instruments})
        }

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

    def account(self, name: str) -> Account:
        """The account of that name.

        Raises:
            SimulationError: there is no such account.
        """
        found = self.accounts.get(name)
        if found is None:
            raise SimulationError(f"account {name[:2]}... is not one of the exchange's accounts")
        return found
