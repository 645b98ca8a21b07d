"""The broker's books: cash, positions and executions of every account.

L1. A position is the sum of its signed fills. L2. Cash changes by the price of what is bought or sold (futures: by
realised gains) and by commissions, by nothing else. L3. A correction undoes a fill and books the corrected one.
"""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Execution, Instrument

MILLIONTH = Decimal("0.000001")


@frozen(kw_only=True)
class Gain:
    """What closing (part of) a position brought, before and after commissions."""

    gross: Decimal
    net: Decimal


class Holding:
    """One account's position in one contract; money is price times multiplier.

    What was paid is kept as sums, released in part by each close and whole by the last: nothing is lost to rounding.
    """

    __slots__ = ("cost", "fees", "opening_pnl", "quantity", "realized")

    def __init__(self) -> None:
        self.quantity = ZERO
        self.cost = ZERO  # paid for what is open, negative for a short position
        self.fees = ZERO  # commissions paid for what is open
        self.realized = ZERO
        self.opening_pnl = ZERO  # what was gained and still open when the day began

    @property
    def average_price(self) -> Decimal:
        """Average entry price without commissions, 0 when flat."""
        return self.cost / self.quantity if self.quantity else ZERO

    @property
    def average_cost(self) -> Decimal:
        """Average entry price with commissions: they make a long dearer and a short cheaper."""
        return (self.cost + self.fees) / self.quantity if self.quantity else ZERO

    def apply(self, signed: Decimal, unit_price: Decimal, fee: Decimal) -> Gain | None:
        """Book a signed fill; give the gain of what it closed, None if it closed nothing."""
        size = abs(signed)
        closing = min(size, abs(self.quantity)) if self.quantity * signed < 0 else ZERO
        closing_fee = _part(fee, closing, size)
        gain = self._close(closing if signed < 0 else -closing, unit_price, closing_fee) if closing else None
        opening = size - closing
        if opening:
            self.cost += unit_price * (opening if signed > 0 else -opening)
            self.fees += fee - closing_fee
        self.quantity += signed
        return gain

    def _close(self, closing: Decimal, unit_price: Decimal, fee: Decimal) -> Gain:
        """Release `closing` of the position, signed like the position."""
        cost = _part(self.cost, closing, self.quantity)
        fees = _part(self.fees, closing, self.quantity)
        self.cost -= cost
        self.fees -= fees
        gross = unit_price * closing - cost
        gain = Gain(gross=gross, net=gross - fees - fee)
        self.realized += gain.net
        return gain


def _part(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """The share `part / of` of an amount, exact to a millionth and whole when nothing else is left."""
    return whole if part == of else (whole * part / of).quantize(MILLIONTH)


class Account:
    """One account's cash by currency and its holdings by contract id."""

    __slots__ = ("cash", "holdings", "name", "opening_equity", "realized", "working")

    def __init__(self, name: str, cash: dict[str, Decimal]) -> None:
        self.name = name
        self.cash = cash
        self.holdings: dict[int, Holding] = {}
        self.working: dict[int, tuple[Decimal, Decimal]] = {}  # what orders may still buy and sell
        self.realized = ZERO
        self.opening_equity: Decimal | None = None

    def holding(self, con_id: int) -> Holding:
        """The holding in a contract, empty if there never was one."""
        found = self.holdings.get(con_id)
        if found is None:
            found = self.holdings[con_id] = Holding()
        return found

    def add_cash(self, currency: str, amount: Decimal) -> None:
        """Credit (or, negative, debit) cash."""
        self.cash[currency] = self.cash.get(currency, ZERO) + amount


def book(account: Account, instrument: Instrument, signed: Decimal, price: Decimal, fee: Decimal) -> Gain | None:
    """Book one fill of `signed` units at `price` costing `fee`; give the gain of what it closed."""
    unit_price = price * instrument.multiplier
    gain = account.holding(instrument.con_id).apply(signed, unit_price, fee)
    if instrument.is_cash_settled_daily:
        account.add_cash(instrument.currency, (gain.gross if gain else ZERO) - fee)
    else:
        account.add_cash(instrument.currency, -signed * unit_price - fee)
    if instrument.sec_type == "CASH":
        account.add_cash(instrument.symbol, signed)
    if gain is not None:
        account.realized += gain.net
    return gain


def signed_quantity(execution: Execution) -> Decimal:
    """The fill's quantity, negative for a sale."""
    return execution.quantity if execution.side == "BUY" else -execution.quantity
