"""What the broker says the accounts are worth, what quotes say positions are worth, and what trading has cost."""

from decimal import Decimal, InvalidOperation
from types import MappingProxyType

from actors.domain.frozen import frozen
from actors.domain.identity import Account
from actors.messages.portfolio import Amounts
from actors.messages.reports import AccountValueReported, QuoteReported

EQUITY_KEY = "NetLiquidation"
CASH_KEY = "TotalCashValue"
_FEES_KEPT = 10_000
_ZERO = Decimal(0)


@frozen(kw_only=True)
class ValuationState:
    """Account values and fees as plain values."""

    values: tuple[tuple[Account, str, Decimal], ...] = ()
    currency: str = "USD"
    fees: tuple[tuple[str, str, Decimal], ...] = ()
    """Execution family, currency and amount."""
    commissions: tuple[tuple[str, Decimal], ...] = ()


class Valuation:
    """Cash and equity summed over the accounts, in the currency the broker states them in."""

    def __init__(self, state: ValuationState) -> None:
        self._values = {(account, key): value for account, key, value in state.values}
        self._fees = {family: (currency, amount) for family, currency, amount in state.fees}
        self.currency = state.currency
        self._commissions = dict(state.commissions)

    def state(self) -> ValuationState:
        """Everything as plain values."""
        return ValuationState(
            values=tuple((account, key, value) for (account, key), value in self._values.items()),
            currency=self.currency,
            fees=tuple((family, *fee) for family, fee in self._fees.items()),
            commissions=tuple(self._commissions.items()),
        )

    def hear(self, report: AccountValueReported) -> None:
        """Keep what is needed; text that is no number is ignored."""
        if report.key not in (EQUITY_KEY, CASH_KEY):
            return
        try:
            value = Decimal(report.value)
        except InvalidOperation:
            return
        if value.is_finite():
            self._values[report.account, report.key] = value
            self.currency = report.currency or self.currency

    def charge(self, family: str, commission: Decimal, currency: str) -> Decimal:
        """Count the commission of an execution family; returns by how much it changed."""
        known_in, known = self._fees.pop(family, (currency, _ZERO))
        self._fees[family] = currency, commission
        self._commissions[known_in] = self._commissions.get(known_in, _ZERO) - known
        self._commissions[currency] = self._commissions.get(currency, _ZERO) + commission
        if len(self._fees) > _FEES_KEPT:
            del self._fees[next(iter(self._fees))]
        return commission - known

    @property
    def commissions(self) -> Amounts:
        """What was charged so far, by currency."""
        return MappingProxyType(dict(self._commissions))

    @property
    def equity(self) -> Decimal | None:
        """Net liquidation value; None before the broker said it."""
        return self._sum(EQUITY_KEY)

    @property
    def cash(self) -> Decimal | None:
        """Total cash; None before the broker said it."""
        return self._sum(CASH_KEY)

    def _sum(self, wanted: str) -> Decimal | None:
        values = [value for (_, key), value in self._values.items() if key == wanted]
        return sum(values, _ZERO) if values else None


def has_price(quote: QuoteReported) -> bool:
    """Whether a quote says what a position is worth."""
    return quote.last is not None or (quote.bid is not None and quote.ask is not None)


class Quotes:
    """The price a position is valued at: the middle of bid and ask, else the last trade."""

    def __init__(self) -> None:
        self._prices: dict[str, Decimal] = {}

    def hear(self, key: str, quote: QuoteReported) -> None:
        """Remember the price of an instrument."""
        if quote.bid is not None and quote.ask is not None:
            self._prices[key] = (quote.bid + quote.ask) / 2
        elif quote.last is not None:
            self._prices[key] = quote.last

    def rename(self, old: str, new: str) -> None:
        """What was quoted under the one key is known under the other."""
        if old in self._prices:
            self._prices.setdefault(new, self._prices.pop(old))

    def price(self, key: str) -> Decimal | None:
        """The last price; None before the first quote."""
        return self._prices.get(key)
