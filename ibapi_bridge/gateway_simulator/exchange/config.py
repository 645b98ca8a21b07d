"""How the simulated exchange and broker behave: delays, charges, fills, starting money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from attrs import frozen

MILLISECOND = timedelta(milliseconds=1)


@frozen(kw_only=True)
class Latency:
    """A delay in market time, drawn evenly between two bounds in microseconds, both included."""

    low: int
    high: int

    @classmethod
    def milliseconds(cls, low: float, high: float) -> Latency:
        """The same bounds in milliseconds."""
        return cls(low=round(low * 1000), high=round(high * 1000))

    def draw(self, rng: Random) -> timedelta:
        """One delay; a fixed one costs no random number."""
        if self.high <= self.low:
            return timedelta(microseconds=self.low)
        return timedelta(microseconds=rng.randrange(self.low, self.high + 1))


@frozen(kw_only=True)
class CommissionSchedule:
    """What a fill costs, in the instrument's currency.

    Shares: `per_share`, at least `share_minimum` an order, at most `share_cap` of its value (IBKR's tiered schedule).
    CFDs as shares. Futures and options: per contract. Currencies: `fx_rate` of the value, at least `fx_minimum` an
    order; crypto currencies likewise.
    """

    per_share: Decimal = Decimal("0.0035")
    share_minimum: Decimal = Decimal("0.35")
    share_cap: Decimal = Decimal("0.01")
    per_future: Decimal = Decimal("2.25")
    per_option: Decimal = Decimal("0.65")
    option_minimum: Decimal = Decimal("1.00")
    fx_rate: Decimal = Decimal("0.00002")
    fx_minimum: Decimal = Decimal("2.00")
    crypto_rate: Decimal = Decimal("0.0018")
    crypto_minimum: Decimal = Decimal("1.75")


@frozen(kw_only=True)
class MarginRates:
    """Margin as a part of a position's value; `per_future` overrides (initial, maintenance) a contract by symbol."""

    stock_initial: Decimal = Decimal("0.50")
    stock_maintenance: Decimal = Decimal("0.25")
    option_short: Decimal = Decimal("0.20")
    future_initial: Decimal = Decimal("0.06")
    future_maintenance: Decimal = Decimal("0.05")
    fx_initial: Decimal = Decimal("0.03")
    fx_maintenance: Decimal = Decimal("0.02")
    per_future: Mapping[str, tuple[Decimal, Decimal]] = {}


@frozen(kw_only=True)
class Halt:
    """One instrument does not trade from `start` until `end` (None: for good)."""

    con_id: int
    start: datetime
    end: datetime | None = None


@frozen(kw_only=True)
class ExchangeConfig:
    """Everything that can be turned on the simulated exchange.

    `queue_share` is the part of the displayed size that stands before a new passive order (0..1), `displayed_share`
    the part of it an aggressive order gets (0 < x <= 1). `price_band` is how far through the market a limit may be
    before the order is thrown out (0.05 = 5 %). `locate_delay` is how long a short sale without shares to borrow is
    held; None holds it for good. Orders for the closing auction are refused `auction_cutoff` before it.
    `active_order_limit` is how many orders an account may have alive on one side of a contract, None is no limit
    (IBKR: 15 to 20). `report_quotes` off keeps quotes out of the events. `numbers_from` shifts permanent and execution
    ids: a run of its own has its own, for a client that remembers an earlier one must never meet a number twice.
    """

    starting_cash: Mapping[str, Decimal] = {"USD": Decimal(1_000_000)}
    base_currency: str = "USD"
    ack: Latency = Latency(low=20_000, high=80_000)
    fill: Latency = Latency(low=1_000, high=20_000)
    cancel: Latency = Latency(low=20_000, high=80_000)
    commissions: CommissionSchedule = CommissionSchedule()
    margins: MarginRates = MarginRates()
    queue_share: Decimal = Decimal(1)
    displayed_share: Decimal = Decimal(1)
    price_band: Decimal = Decimal("0.10")
    locate_delay: timedelta | None = None
    auction_cutoff: timedelta = timedelta(minutes=10)
    active_order_limit: int | None = None
    check_margin: bool = True
    report_quotes: bool = True
    halts: tuple[Halt, ...] = ()
    numbers_from: int = 0
