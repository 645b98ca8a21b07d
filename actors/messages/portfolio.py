"""What we own and what it is worth: the read-only view every strategy holds."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from actors.domain.contract import Contract
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ExecId

Amounts = Mapping[str, Decimal]
"""Money by currency, for sums of what may be traded in several."""

NOTHING: Amounts = MappingProxyType({})


@frozen(kw_only=True)
class PositionView:
    """One position: average cost per unit without multiplier, P&L in the contract's currency."""

    account: Account
    contract: Contract
    quantity: Decimal
    average_cost: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal | None = None
    market_price: Decimal | None = None
    commission: Decimal = Decimal(0)


@frozen(kw_only=True)
class PortfolioSnapshot:
    """All positions with cash and equity in ``currency``, the account's; None where the broker has not said yet."""

    at: datetime
    positions: tuple[PositionView, ...] = ()
    currency: str = "USD"
    cash: Decimal | None = None
    equity: Decimal | None = None
    realized_pnl: Amounts = NOTHING
    unrealized_pnl: Amounts = NOTHING
    commissions: Amounts = NOTHING
    booked: tuple[ExecId, ...] = ()
    """The last executions (corrections too) that the positions include, newest last; bounded, 256 or so."""
