"""The simulated exchange and its broker: orders in, events out, in its own time.

E1. Nothing happens outside `submit`, `replace`, `cancel` and `advance`. E2. The same seed, market and calls give the
same events on every platform. E3. No call about an order raises: what is wrong with it is an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ibapi_bridge.gateway_simulator.exchange import accounts, margins
from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig
from ibapi_bridge.gateway_simulator.exchange.events import (
    CancelPending,
    CancelRefused,
    Event,
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    OrderReplaced,
    OrderWorking,
    Quoted,
    ReplaceRefused,
)
from ibapi_bridge.gateway_simulator.exchange.fills import match
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
            self._floor.touches[quote.con_id] = Touch(quote, self._floor.config.displayed_share)

    @property
    def now(self) -> datetime:
        """The exchange's present."""
        return self._floor.now

    def submit(self, order: VenueOrder) -> list[Event]:
        """Hand in a new order; what follows comes out of `advance`."""
        floor = self._floor
        if order.con_id not in floor.instruments or order.account not in floor.accounts:
            floor.out.append(
                OrderRejected(
                    at=floor.now,
                    perm_id=order.perm_id,
                    code=200,
                    text="No security definition has been found for the request",
                )
            )
            return self._events()
        live = LiveOrder(order, floor.number(), floor.now)
        floor.orders[order.perm_id] = live
        floor.out.append(OrderAccepted(at=floor.now, perm_id=order.perm_id, order=order))
        floor.plan_in(floor.config.ack.draw(floor.rng), "arrive", order.perm_id)
        return self._events()

    def replace(self, order: VenueOrder) -> list[Event]:
        """Change an order that is alive."""
        floor = self._floor
        live = floor.orders.get(order.perm_id)
        if live is None or live.is_done:
            floor.out.append(
                ReplaceRefused(at=floor.now, perm_id=order.perm_id, code=104, text="Cannot modify a filled order.")
            )
        else:
            floor.plan_in(floor.config.ack.draw(floor.rng), "replace", order.perm_id, order)
        return self._events()

    def cancel(self, perm_id: int, *, by: str = "client") -> list[Event]:
        """Take an order back; it may still fill until the cancel is confirmed."""
        floor = self._floor
        live = floor.orders.get(perm_id)
        if live is None or live.is_done:
            code, state = (10147, "") if live is None else (10148, _state_word(live))
            floor.out.append(CancelRefused(at=floor.now, perm_id=perm_id, code=code, text="", state=state))
        else:
            live.canceling = True
            floor.out.append(CancelPending(at=floor.now, perm_id=perm_id))
            floor.plan_in(floor.config.cancel.draw(floor.rng), "cancel", perm_id, by)
        return self._events()

    def next_event_at(self) -> datetime | None:
        """When `advance` next has something to do, None if never."""
        agenda, quote_at = self._floor.agenda, self._market.next_at()
        if not agenda:
            return quote_at
        return agenda[0][0] if quote_at is None else min(agenda[0][0], quote_at)

    def advance(self, until: datetime) -> list[Event]:
        """Let everything happen that happens up to and including `until`."""
        floor = self._floor
        while True:
            agenda_at = floor.agenda[0][0] if floor.agenda else None
            quote_at = self._market.next_at()
            if quote_at is not None and quote_at <= until and (agenda_at is None or quote_at < agenda_at):
                floor.now = max(floor.now, quote_at)
                self._quote(self._market.pop())
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
        live = floor.orders[key]
        if live.is_done:
            if kind == "cancel":
                text = f"state: {_state_word(live)}."
                floor.out.append(
                    CancelRefused(at=floor.now, perm_id=key, code=10148, text=text, state=_state_word(live))
                )
        elif kind == "arrive":
            live.stage = "working"
            floor.out.append(OrderWorking(at=floor.now, perm_id=key))
            floor.plan_in(floor.config.fill.draw(floor.rng), "enter", key)
        elif kind == "enter":
            floor.books[live.order.con_id, live.order.side].add(live)
            match(floor, live)
        elif kind == "replace":
            floor.books[live.order.con_id, live.order.side].remove(live)
            live.order, live.limit = payload, payload.limit_price
            floor.out.append(OrderReplaced(at=floor.now, perm_id=key, order=payload))
            floor.plan_in(floor.config.fill.draw(floor.rng), "enter", key)
        else:
            live.stage, live.done_at = "canceled", floor.now
            floor.books[live.order.con_id, live.order.side].remove(live)
            floor.out.append(OrderCanceled(at=floor.now, perm_id=key, filled=live.filled, by=payload))

    def _quote(self, quote: Quote) -> None:
        floor = self._floor
        touch = floor.touches.get(quote.con_id)
        if touch is None:
            floor.touches[quote.con_id] = Touch(quote, floor.config.displayed_share)
        else:
            touch.show(quote, floor.config.displayed_share)
        if floor.config.report_quotes:
            floor.out.append(Quoted(at=floor.now, quote=quote))
        for side in ("BUY", "SELL"):
            for live in floor.books[quote.con_id, side].orders:
                match(floor, live)

    def _events(self) -> list[Event]:
        events, self._floor.out = self._floor.out, []
        return events

    def preview(self, order: VenueOrder) -> MarginPreview:
        """What an order would do to the account's margins (IBKR's what-if); nothing is kept."""
        return margins.preview(self._floor, order, (0, ""))

    def positions(self, account: str) -> list[Position]:
        """What an account holds or held today.

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

    def quote(self, con_id: int) -> Quote | None:
        """The latest quote of an instrument."""
        touch = self._floor.touches.get(con_id)
        return None if touch is None else touch.quote

    def orders(self, account: str = "") -> list[OrderView]:
        """Orders still alive, oldest first."""
        return [v for v in self._views(account) if v.done_at is None]

    def completed(self, account: str = "") -> list[OrderView]:
        """Orders that are done, oldest first."""
        return [v for v in self._views(account) if v.done_at is not None]

    def order(self, perm_id: int) -> OrderView | None:
        """One order, alive or done."""
        live = self._floor.orders.get(perm_id)
        return None if live is None else live.view()

    def _views(self, account: str) -> list[OrderView]:
        return [live.view() for live in self._floor.orders.values() if not account or live.order.account == account]

    def executions(self, wanted: ExecutionFilter | None = None) -> list[Execution]:
        """Executions that pass the filter, oldest first."""
        rule = wanted or ExecutionFilter()
        return [e for e in self._floor.executions if _passes(e, rule)]


def _passes(execution: Execution, rule: ExecutionFilter) -> bool:
    return (
        (not rule.account or execution.account == rule.account)
        and (rule.client_id is None or execution.client_id == rule.client_id)
        and (rule.con_id is None or execution.con_id == rule.con_id)
        and (rule.side is None or execution.side == rule.side)
        and (rule.since is None or execution.at >= rule.since)
    )


def _state_word(live: LiveOrder) -> str:
    return {"filled": "Filled", "canceled": "Cancelled", "inactive": "Inactive"}.get(live.stage, "Submitted")
