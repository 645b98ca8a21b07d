"""What an option is worth by Black and Scholes, without interest and dividends."""

import math
from datetime import date, datetime
from statistics import NormalDist
from zoneinfo import ZoneInfo

import attrs

YEAR_SECONDS = 365.0 * 24 * 3600
NEW_YORK = ZoneInfo("America/New_York")
CLOSE_HOUR = 16
LOWEST, HIGHEST = 1e-4, 10.0
NORMAL = NormalDist()


@attrs.frozen(kw_only=True)
class OptionTerms:
    """An option on one unit: `right` is C or P, `years` the time left, more than 0."""

    right: str
    strike: float
    years: float


@attrs.frozen(kw_only=True)
class Valuation:
    """Price and sensitivities: `vega` for one point of volatility, `theta` for one day."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


def years_left(expiry: date, now: datetime) -> float:
    """Years to the close of the day of expiry, never less than a minute's."""
    end = datetime(expiry.year, expiry.month, expiry.day, CLOSE_HOUR, tzinfo=NEW_YORK)
    return max((end - now).total_seconds(), 60.0) / YEAR_SECONDS


def value(terms: OptionTerms, underlying: float, volatility: float) -> Valuation:
    """What an option is worth at a price of its underlying and a volatility (0.2 is 20 % a year)."""
    deviation = volatility * math.sqrt(terms.years)
    d1 = math.log(underlying / terms.strike) / deviation + deviation / 2
    density = NORMAL.pdf(d1)
    call = underlying * NORMAL.cdf(d1) - terms.strike * NORMAL.cdf(d1 - deviation)
    is_call = terms.right == "C"
    return Valuation(
        price=call if is_call else call - underlying + terms.strike,
        delta=NORMAL.cdf(d1) - (0.0 if is_call else 1.0),
        gamma=density / (underlying * deviation),
        vega=underlying * density * math.sqrt(terms.years) / 100,
        theta=-underlying * density * volatility / (2 * math.sqrt(terms.years)) / 365,
    )


def implied_volatility(terms: OptionTerms, underlying: float, price: float) -> float | None:
    """The volatility at which an option is worth `price`, None where no volatility gives that price."""
    low, high = LOWEST, HIGHEST
    if not value(terms, underlying, low).price <= price <= value(terms, underlying, high).price:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        if value(terms, underlying, middle).price < price:
            low = middle
        else:
            high = middle
    return (low + high) / 2
