"""What can be traded: a contract as a user names it, an instrument as the broker knows it."""

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Final

import attrs

from actors.domain.frozen import frozen

_WEEK: Final = timedelta(days=7)


class SecType(StrEnum):
    """Kinds of security, by the field's usual short names."""

    STOCK = "STK"
    FUTURE = "FUT"
    OPTION = "OPT"
    FUTURE_OPTION = "FOP"
    CASH = "CASH"
    INDEX = "IND"
    CFD = "CFD"
    CRYPTO = "CRYPTO"
    COMBO = "BAG"
    BOND = "BOND"
    FUND = "FUND"
    WARRANT = "WAR"
    COMMODITY = "CMDTY"
    OTHER = "OTHER"


_CALLED_BY_SYMBOL = (SecType.STOCK, SecType.OTHER)


@frozen(kw_only=True)
class Leg:
    """One part of a combo: ``ratio`` units of the contract ``con_id`` for each combo, on ``side`` BUY or SELL."""

    con_id: int
    ratio: int = 1
    side: str = "BUY"
    exchange: str = "SMART"


@frozen(kw_only=True)
class Contract:
    """A contract as named by a user or by the broker; ``con_id`` 0 means not yet qualified.

    A combo has legs and no ``con_id``: to buy it is to trade each leg on its side, to sell it on the other.
    """

    symbol: str
    sec_type: SecType = SecType.STOCK
    currency: str = "USD"
    exchange: str = "SMART"
    primary_exchange: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    expiry: str = ""
    strike: Decimal | None = None
    right: str = ""
    multiplier: Decimal = Decimal(1)
    con_id: int = 0
    legs: tuple[Leg, ...] = ()

    def __hash__(self) -> int:
        """Of what tells most contracts apart: it is asked for with every order and every quote."""
        return hash((self.symbol, self.con_id, self.expiry, self.strike))

    @property
    def name(self) -> str:
        """What a trader calls it: the symbol of a stock, the local symbol of anything else or what stands for it."""
        if self.sec_type in _CALLED_BY_SYMBOL:
            return self.symbol or self._number
        return self.local_symbol or self._spelled or self._number

    @property
    def _spelled(self) -> str:
        """Such as ``SPY 20270115 450C``; a combo's underlying alone would name many."""
        strike = "" if self.strike is None else f"{self.strike:f}{self.right}"
        kind = "combo" if self.legs else ""
        return " ".join(word for word in (self.symbol, kind, self.expiry, strike) if word)

    @property
    def _number(self) -> str:
        return f"#{self.con_id}" if self.con_id else ""


@frozen(kw_only=True)
class Session:
    """One trading period of an instrument, as aware UTC instants."""

    opens: datetime
    closes: datetime


@frozen(kw_only=True)
class Instrument:
    """A qualified contract with the rules of its market."""

    contract: Contract
    min_tick: Decimal = Decimal("0.01")
    price_increments: tuple[tuple[Decimal, Decimal], ...] = ()
    """Rows (lowest price, increment) of the market rule, ascending; empty means ``min_tick`` everywhere."""
    min_size: Decimal = Decimal(1)
    size_increment: Decimal = Decimal(1)
    time_zone: str = "America/New_York"
    liquid_sessions: tuple[Session, ...] = ()
    trading_sessions: tuple[Session, ...] = ()

    def after(self, before: "Instrument | None") -> "Instrument":
        """With the sessions of the last week that were known before: IBKR's hours begin with today's."""
        if before is None:
            return self
        return attrs.evolve(
            self,
            liquid_sessions=_joined(before.liquid_sessions, self.liquid_sessions),
            trading_sessions=_joined(before.trading_sessions, self.trading_sessions),
        )

    def increment_at(self, price: Decimal) -> Decimal:
        """The price increment that rules at ``price`` (IBKR: reqMarketRule rows by low edge)."""
        increment = self.min_tick
        for low_edge, row_increment in self.price_increments:
            if abs(price) >= low_edge:
                increment = row_increment
        return increment

    def snap(self, price: Decimal, *, passive_buy: bool | None = None) -> Decimal:
        """The grid price next to ``price``: never more aggressive for a side, nearest when no side is given.

        Args:
            price: any finite price, negative too (combos).
            passive_buy: True rounds down (a buy never pays more), False up, None to the nearest.
        """
        increment = self.increment_at(price)
        rounding = {True: ROUND_FLOOR, False: ROUND_CEILING, None: ROUND_HALF_EVEN}[passive_buy]
        return (price / increment).to_integral_value(rounding=rounding) * increment


def _joined(past: tuple[Session, ...], told: tuple[Session, ...]) -> tuple[Session, ...]:
    first = min((session.opens for session in told), default=None)
    if first is None:
        return told
    return (*(session for session in past if first - _WEEK < session.closes <= first), *told)
