"""What the portfolio is told before it starts, and everything it knows, as plain values."""

from decimal import Decimal

from actors.domain.contract import Contract
from actors.domain.frozen import frozen
from actors.domain.identity import Account, Epoch, ExecId
from actors.domain.positions import PositionState
from actors.domain.valuation import ValuationState


@frozen(kw_only=True)
class PortfolioConfig:
    """``rest_seconds``: nothing may have moved for so long before ours is compared with the broker's.

    ``asks_first``: whether there is a broker to ask before a difference is told (in a replay there is none).
    ``answer_seconds``: how long its answer is awaited.
    """

    rest_seconds: float = 5.0
    asks_first: bool = True
    answer_seconds: float = 30.0
    keep_trades: int = 1000


@frozen(kw_only=True)
class PositionRecord:
    """One position as plain values."""

    account: Account
    contract: Contract
    position: PositionState
    commission: Decimal = Decimal(0)


@frozen(kw_only=True)
class BrokerRow:
    """The broker's own row of a position."""

    account: Account
    contract: Contract
    quantity: Decimal
    average_cost: Decimal | None
    epoch: Epoch


@frozen(kw_only=True)
class PortfolioState:
    """Everything the portfolio knows, as plain values."""

    positions: tuple[PositionRecord, ...] = ()
    rows: tuple[BrokerRow, ...] = ()
    opened: bool = False
    listed: bool = False
    mismatched: tuple[tuple[Account, Contract, Decimal], ...] = ()
    booked: tuple[ExecId, ...] = ()
    valuation: ValuationState = ValuationState()
