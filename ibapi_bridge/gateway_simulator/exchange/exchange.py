"""The simulated exchange and its broker: orders in, events out, in its own time.

E1. Nothing happens outside `submit`, `replace`, `cancel`, `correct_execution` and `advance`. E2. The same seed, market
and calls give the same events on every platform. E3. No call about an order raises: what is wrong with it is an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ibapi_bridge.gateway_simulator.exchange import (
    accounts,
    auctions,
    corrections,
    day,
    endings,
    lifecycle,
    matching,
    snapshot,
    triggers,
)
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig
from ibapi_bridge.gateway_simulator.exchange.events import CancelPending, CancelRefused, Event, Quoted
from ibapi_bridge.gateway_simulator.exchange.fills import net_quote
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.market import Market
from ibapi_bridge.gateway_simulator.exchange.timetable import NEW_YORK
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

STATE_WORDS = {"filled": "Filled", "canceled": "Cancelled", "inactive": "Inactive"}

OnOrder = Callable[[Floor, LiveOrder, Any], None]
ORDER_ACTIONS: Mapping[str, OnOrder] = {
    "arrive": lambda floor, live, _: lifecycle.arrive(floor, live),
    "enter": lambda floor, live, _: lifecycle.enter(floor, live),
    "replace": lifecycle.replace,
    "cancel": endings.cancel_now,
    "reduce": lambda floor, live, payload: endings.reduce_by(floor, live, Decimal(payload)),
    "activate": lambda floor, live, _: lifecycle.activate(floor, live),
    "locate": lambda floor, live, _: lifecycle.locate(floor, live),
    "release": lambda floor, live, _: lifecycle.release(floor, live),
    "expire": lambda floor, live, _: lifecycle.expire(floor, live),
}


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
            self._show(quote)
        for stop in self._floor.config.halts:
            self._floor.plan(max(stop.start, start), "halt", stop.con_id)
            if stop.end is not None:
                self._floor.plan(max(stop.end, start), "resume", stop.con_id)
        self._start_day()

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
            self._show_combo(instrument)

    def submit(self, order: VenueOrder) -> list[Event]:
        """Hand in a new order; what follows comes out of `advance`."""
        lifecycle.submit(self._floor, order)
        return self._events()

    def replace(self, order: VenueOrder) -> list[Event]:
        """Change an order that is alive: the whole order anew, `quantity` with the filled part included."""
        lifecycle.ask_replace(self._floor, order)
        return self._events()

    def cancel(self, perm_id: int, *, by: str = "client") -> list[Event]:
        """Take an order back; it may still fill until the cancel is confirmed."""
        floor = self._floor
        live = floor.orders.get(perm_id)
        if live is None:
            floor.out.append(CancelRefused(at=floor.now, perm_id=perm_id, code=10147, text="not found"))
        elif live.is_done or live.canceling:
            self._refuse_cancel(live)
        else:
            live.canceling = True
            floor.out.append(CancelPending(at=floor.now, perm_id=perm_id))
            floor.plan_in(floor.config.cancel.draw(floor.rng), "cancel", perm_id, by)
        return self._events()

    def _refuse_cancel(self, live: LiveOrder) -> None:
        state = "PendingCancel" if live.canceling else STATE_WORDS.get(live.stage, "Submitted")
        self._floor.out.append(
            CancelRefused(
                at=self._floor.now, perm_id=live.order.perm_id, code=10148, text=f"state: {state}.", state=state
            )
        )

    def preview(self, order: VenueOrder) -> MarginPreview:
        """What an order would do to the account's margins (IBKR's what-if); nothing is kept.

        Raises:
            SimulationError: there is no such account or instrument.
        """
        return lifecycle.preview(self._floor, order)

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
                self._quote(market.pop())
                quote_at = market.next_at()
            elif agenda_at is not None and agenda_at <= until:
                floor.now = max(floor.now, agenda_at)
                self._act()
            else:
                break
        floor.now = max(floor.now, until)
        return self._events()

    def _act(self) -> None:
        floor = self._floor
        _, _, kind, key, payload = floor.take_action()
        on_order = ORDER_ACTIONS.get(kind)
        if on_order is None:
            self._act_on_market(kind, key, payload)
            return
        live = floor.orders[key]
        if not live.is_done or kind == "replace":
            on_order(floor, live, payload)
        elif kind == "cancel":
            self._refuse_cancel(live)

    def _act_on_market(self, kind: str, key: int, payload: str) -> None:
        if kind == "boundary":
            day.boundary(self._floor, payload)
        elif kind == "day":
            self._start_day()
        elif kind == "halt":
            day.halt(self._floor, key)
        else:
            day.resume(self._floor, key)

    def _start_day(self) -> None:
        """Begin a new day of profit and loss, and come back at the next midnight of New York."""
        floor = self._floor
        for account in floor.accounts.values():
            accounts.start_day(floor, account)
        tomorrow = (floor.now.astimezone(ZoneInfo(NEW_YORK)) + timedelta(days=1)).date()
        midnight = datetime.combine(tomorrow, time(0), ZoneInfo(NEW_YORK)).astimezone(UTC)
        floor.plan(midnight, "day", 0)

    def _show(self, quote: Quote) -> Touch:
        floor = self._floor
        touch = floor.touches.get(quote.con_id)
        if touch is None:
            touch = floor.touches[quote.con_id] = Touch(quote, floor.config.displayed_share)
        else:
            touch.show(quote, floor.config.displayed_share)
        return touch

    def _quote(self, quote: Quote) -> None:
        floor = self._floor
        if quote.con_id not in floor.instruments:
            return
        before = floor.touches.get(quote.con_id)
        was_halted = before is not None and before.quote.halted
        touch = self._show(quote)
        if floor.config.report_quotes:
            floor.out.append(Quoted(at=floor.now, quote=quote))
        if quote.halted != was_halted:
            (day.halt if quote.halted else day.resume)(floor, quote.con_id)
        if quote.con_id in floor.opening:
            auctions.open_cross(floor, quote.con_id)
        self._trade(quote.con_id, touch)
        for combo in floor.combos_of.get(quote.con_id, ()):
            self._show_combo(floor.instruments[combo])

    def _show_combo(self, combo: Instrument) -> None:
        floor = self._floor
        quote = net_quote(floor, combo)
        if quote is None:
            floor.forget_display(combo.con_id)
            return
        if floor.config.report_quotes:
            floor.out.append(Quoted(at=floor.now, quote=quote))
        self._trade(combo.con_id, self._show(quote))

    def _trade(self, con_id: int, touch: Touch) -> None:
        floor = self._floor
        for live in floor.books[con_id, "BUY"].orders:
            matching.match(floor, live, fresh=True)
        for live in floor.books[con_id, "SELL"].orders:
            matching.match(floor, live, fresh=True)
        for live in floor.waiting[con_id]:
            triggers.watch(floor, live, touch)

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
