"""Amounts of money by currency: added up without mixing them, and shown."""

from collections.abc import Mapping
from decimal import Decimal

from actors.messages.portfolio import Amounts

_ZERO = Decimal(0)


def net(gains: Amounts, costs: Amounts) -> Mapping[str, Decimal]:
    """Gains less costs in each currency."""
    currencies = dict.fromkeys((*gains, *costs))
    return {currency: gains.get(currency, _ZERO) - costs.get(currency, _ZERO) for currency in currencies}


def total(first: Amounts, second: Amounts) -> Mapping[str, Decimal]:
    """Both together in each currency."""
    return net(first, {currency: -amount for currency, amount in second.items()})


def money(amount: Decimal, currency: str) -> str:
    """An amount with two decimals and its currency: ``-1,234.50 USD``."""
    return f"{amount:,.2f} {currency}"


def in_words(amounts: Amounts, currency: str) -> str:
    """All that are not zero, ``1,234.50 USD and -3.00 EUR``; nothing at all is zero in the account's currency."""
    present = sorted((other != currency, other) for other, amount in amounts.items() if amount)
    return " and ".join(money(amounts[other], other) for _, other in present) or money(_ZERO, currency)
