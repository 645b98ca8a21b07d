"""The simulated exchange and its broker: orders in, events out, in its own time.

E1. Nothing happens outside `submit`, `replace`, `cancel`, `correct_execution` and `advance`. E2. The same seed, market
and calls give the same events on every platform. E3. No call about an order raises: what is wrong with it is an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from decimal import Decimal
from typing import Any

from ibapi_bridge.gateway_simulator.exchange import (
    accounts,
    changes,
    corrections,
    course,
    intake,
    snapshot,
    triggers,
)
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig
from ibapi_bridge.gateway_simulator.exchange.events import Event
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.market import Market
from ibapi_bridge.gateway_simulator.exchange.types import (
    AccountValues,
    Execution,
    ExecutionFilter,
    Instrument,
    MarginPreview,
    OrderView,
    Position,
    Quote,
    VenueOrder,
)


class Exchange:
    """A deterministic exchange with a broker's back office behind it."""

    def __init__(
        self,
        *,
        market: Market,
        instruments: Sequence[Instrument],
        accounts: Sequence[str] = ("DU1234567",),
        seed: int,
        config: ExchangeConfig | None = None,
        start: datetime,
    ) -> None:
        self._market = market
        self._floor = Floor(
            instruments=instruments, accounts=accounts, seed=seed, config=config or ExchangeConfig(), start=start
        )
        for quote in market.opening():
            course.show(self._floor, quote)
        for stop in self._floor.config.halts:
            self._floor.plan(max(stop.start, start), "halt", stop.con_id)
            if stop.end is not None:
                self._floor.plan(max(stop.end, start), "resume", stop.con_id)
        course.start_day(self._floor)

    @property
    def now(self) -> datetime:
        """The exchange's present."""
        return self._floor.now

    @property
    def instruments(self) -> Mapping[int, Instrument]:
        """What is listed, by contract id."""
        return self._floor.instruments

    def list_instrument(self, instrument: Instrument) -> None:
        """List an instrument that was not there from the start, such as a combo."""
        self._floor.list_instrument(instrument)
        if instrument.legs:
            course.show_combo(self._floor, instrument)

    def submit(self, order: VenueOrder) -> list[Event]:
        """Hand in a new order; what follows comes out of `advance`."""
        intake.submit(self._floor, order)
        return self._events()

    def replace(self, order: VenueOrder) -> list[Event]:
        """Change an order that is alive: the whole order anew, `quantity` with the filled part included."""
        changes.ask_replace(self._floor, order)
        return self._events()

    def cancel(self, perm_id: int, *, by: str = "client") -> list[Event]:
        """Take an order back; it may still fill until the cancel is confirmed."""
        changes.ask_cancel(self._floor, perm_id, by)
        return self._events()

    def preview(self, order: VenueOrder) -> MarginPreview:
        """What an order would do to the account's margins (IBKR's what-if); nothing is kept.

        Raises:
            SimulationError: there is no such account or instrument.
        """
        return intake.preview(self._floor, order)

    def correct_execution(
        self, exec_id: str, *, price: Decimal | None = None, quantity: Decimal | None = None
    ) -> list[Event]:
        """Correct a fill's price or quantity; quantity 0 busts it, which shows in positions and cash alone.

        Raises:
            SimulationError: there is no such execution.
        """
        corrections.correct(self._floor, exec_id, price=price, quantity=quantity)
        return self._events()

    def next_event_at(self) -> datetime | None:
        """When `advance` next has something to do, None if never."""
        agenda, quote_at = self._floor.agenda, self._market.next_at()
        if not agenda:
            return quote_at
        return agenda[0][0] if quote_at is None else min(agenda[0][0], quote_at)

    def advance(self, until: datetime) -> list[Event]:
        """Let everything happen that happens up to and including `until`, in the order of time."""
        floor, market = self._floor, self._market
        quote_at = market.next_at()
        while True:
            agenda_at = floor.agenda[0][0] if floor.agenda else None
            if quote_at is not None and quote_at <= until and (agenda_at is None or quote_at < agenda_at):
                floor.now = max(floor.now, quote_at)
                course.quote(floor, market.pop())
                quote_at = market.next_at()
            elif agenda_at is not None and agenda_at <= until:
                floor.now = max(floor.now, agenda_at)
                course.act(floor)
            else:
                break
        floor.now = max(floor.now, until)
        return self._events()

    def _events(self) -> list[Event]:
        events, self._floor.out = self._floor.out, []
        return events

    def quote(self, con_id: int) -> Quote | None:
        """The latest quote of an instrument."""
        touch = self._floor.touches.get(con_id)
        return None if touch is None else touch.quote

    def orders(self, account: str = "") -> list[OrderView]:
        """Orders still alive, oldest first; all accounts' when none is named."""
        return [o.view() for o in self._floor.alive.values() if account in ("", o.order.account)]

    def completed(self, account: str = "") -> list[OrderView]:
        """Orders that are done, oldest first; all accounts' when none is named."""
        done = (o for o in self._floor.orders.values() if o.is_done and account in ("", o.order.account))
        return [live.view() for live in done]

    def order(self, perm_id: int) -> OrderView | None:
        """One order, alive or done."""
        live = self._floor.orders.get(perm_id)
        return None if live is None else live.view()

    def trailing_stop(self, order: VenueOrder) -> Decimal | None:
        """Where a trailing stop would begin in this market, None while nothing is quoted."""
        return triggers.first_stop(self._floor, order)

    def executions(self, wanted: ExecutionFilter | None = None) -> list[Execution]:
        """Executions that pass the filter, oldest first; busted ones are gone."""
        rule = wanted or ExecutionFilter()
        return [e for e in self._floor.executions if e.quantity and _passes(e, rule)]

    def positions(self, account: str) -> list[Position]:
        """What an account holds or has held.

        Raises:
            SimulationError: there is no such account.
        """
        return accounts.positions(self._floor, account)

    def account_values(self, account: str) -> AccountValues:
        """One account's money, valued at the market.

        Raises:
            SimulationError: there is no such account.
        """
        return accounts.account_values(self._floor, account)

    def take_over(self, before: Exchange) -> None:
        """Go on with the accounts as they stood at the end of an exchange of an earlier day; its orders are gone."""
        self._floor.accounts = {name: copy(account) for name, account in before._floor.accounts.items()}
        for account in self._floor.accounts.values():
            account.holdings = {con_id: copy(holding) for con_id, holding in account.holdings.items()}
            account.cash, account.working = dict(account.cash), {}
            accounts.start_day(self._floor, account)

    def save(self) -> dict[str, Any]:
        """The whole state, market included, as plain JSON values."""
        return {"floor": snapshot.save(self._floor), "market": self._market.save()}

    def load(self, saved: Mapping[str, Any]) -> None:
        """Continue from a saved state; instruments, seed and market must be those it was saved with.

        Raises:
            ValueError: the state was saved by another version.
        """
        snapshot.load(self._floor, saved["floor"])
        self._market.load(saved["market"])


def _passes(execution: Execution, rule: ExecutionFilter) -> bool:
    return (
        (not rule.account or execution.account == rule.account)
        and (rule.client_id is None or execution.client_id == rule.client_id)
        and (rule.con_id is None or execution.con_id == rule.con_id)
        and (rule.side is None or execution.side == rule.side)
        and (rule.since is None or execution.at >= rule.since)
    )
