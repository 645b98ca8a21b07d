"""A trading desk for tests: a scripted market, an exchange with fixed delays, and what it said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve

from ibapi_bridge.gateway_simulator.exchange import (
    Exchange,
    ExchangeConfig,
    Instrument,
    Latency,
    Quote,
    VenueOrder,
    default_instruments,
)
from ibapi_bridge.gateway_simulator.exchange.events import Event
from ibapi_bridge.gateway_simulator.exchange.instruments import SPY
from ibapi_bridge.gateway_simulator.exchange.types import OrderView

ACCOUNT = "DU1234567"
MORNING = datetime(2023, 11, 6, 15, 0, tzinfo=UTC)  # Monday 10:00 in New York
MILLISECOND = Latency(low=1000, high=1000)
FIXED = ExchangeConfig(ack=MILLISECOND, fill=MILLISECOND, cancel=MILLISECOND, report_quotes=False)


class ScriptedMarket:
    """Exactly the quotes it was given."""

    def __init__(self, quotes: Sequence[Quote], start: datetime) -> None:
        ordered = sorted(quotes, key=lambda quote: quote.at)
        self._opening = [quote for quote in ordered if quote.at <= start]
        self._due = [quote for quote in ordered if quote.at > start]
        self._taken = 0

    def opening(self) -> Sequence[Quote]:
        return self._opening

    def next_at(self) -> datetime | None:
        return self._due[self._taken].at if self._taken < len(self._due) else None

    def pop(self) -> Quote:
        self._taken += 1
        return self._due[self._taken - 1]

    def save(self) -> dict[str, Any]:
        return {"taken": self._taken}

    def load(self, saved: Mapping[str, Any]) -> None:
        self._taken = saved["taken"]


def quote(
    seconds: float,
    bid: str,
    ask: str,
    sizes: tuple[int, int] = (1000, 1000),
    *,
    trade: tuple[str, int] | None = None,
    con_id: int = SPY,
    start: datetime = MORNING,
    halted: bool = False,
) -> Quote:
    """A quote some seconds after the start, with a print if `trade` says so."""
    return Quote(
        at=start + timedelta(seconds=seconds),
        con_id=con_id,
        bid=Decimal(bid),
        bid_size=Decimal(sizes[0]),
        ask=Decimal(ask),
        ask_size=Decimal(sizes[1]),
        last=None if trade is None else Decimal(trade[0]),
        last_size=Decimal(0) if trade is None else Decimal(trade[1]),
        halted=halted,
    )


class Desk:
    """An exchange and everything it has said."""

    def __init__(
        self,
        *quotes: Quote,
        config: ExchangeConfig = FIXED,
        start: datetime = MORNING,
        instruments: Sequence[Instrument] | None = None,
    ) -> None:
        self.start = start
        self.exchange = Exchange(
            market=ScriptedMarket(quotes or [quote(0, "99.99", "100.01", start=start)], start),
            instruments=default_instruments() if instruments is None else instruments,
            accounts=(ACCOUNT,),
            seed=1,
            config=config,
            start=start,
        )
        self.log: list[Event] = []

    def submit(self, perm_id: int = 1, **terms: Any) -> list[Event]:
        """Hand in an order; numbers may be given as text."""
        return self._note(self.exchange.submit(order(perm_id, **terms)))

    def replace(self, perm_id: int = 1, **terms: Any) -> list[Event]:
        """Change some terms of an order."""
        held = self.view(perm_id).order
        return self._note(self.exchange.replace(evolve(held, **_terms(terms))))

    def cancel(self, perm_id: int = 1) -> list[Event]:
        """Cancel an order."""
        return self._note(self.exchange.cancel(perm_id))

    def run(self, seconds: float) -> list[Event]:
        """Let market time pass up to so many seconds after the start."""
        return self._note(self.exchange.advance(self.start + timedelta(seconds=seconds)))

    def _note(self, events: list[Event]) -> list[Event]:
        self.log += events
        return events

    def story(self, perm_id: int = 1) -> list[str]:
        """The names of what was said about an order, in order."""
        return [type(e).__name__ for e in self.log if getattr(e, "perm_id", None) == perm_id]

    def said(self, kind: type, perm_id: int = 1) -> Any:
        """The last event of a kind about an order."""
        found = [e for e in self.log if isinstance(e, kind) and getattr(e, "perm_id", None) == perm_id]
        assert found, f"nothing of {kind.__name__} about {perm_id} in {self.story(perm_id)}"
        return found[-1]

    def view(self, perm_id: int = 1) -> OrderView:
        """An order as the broker sees it."""
        view = self.exchange.order(perm_id)
        assert view is not None
        return view

    def fills(self, perm_id: int = 1) -> list[tuple[str, str]]:
        """Quantity and price of each fill of an order."""
        own = [e for e in self.exchange.executions() if e.perm_id == perm_id]
        return [(str(e.quantity), str(e.price)) for e in own]


def order(perm_id: int = 1, **terms: Any) -> VenueOrder:
    """An order of 100 SPY, a buy at the market unless told otherwise."""
    defaults: dict[str, Any] = {"side": "BUY", "quantity": Decimal(100), "order_type": "MKT", "con_id": SPY}
    return VenueOrder(perm_id=perm_id, account=ACCOUNT, **(defaults | _terms(terms)))


PRICES = {"quantity", "limit_price", "stop_price", "trail_percent", "trail_stop_price", "limit_offset"}


def _terms(terms: Mapping[str, Any]) -> dict[str, Any]:
    numbers = PRICES | {"display_size", "cash_quantity", "min_quantity"}
    return {k: Decimal(v) if k in numbers and v is not None else v for k, v in terms.items()}
