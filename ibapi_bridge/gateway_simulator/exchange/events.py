"""What the simulated exchange says: one frozen value for each thing that happened.

Every event has `at` in market time; those about an order have its `perm_id`. The words of an event's `text` and
`reason` are what the broker would show after its own prefix.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.types import Liquidity, Quote, Side, VenueOrder


@frozen(kw_only=True)
class OrderAccepted:
    """The broker has the order; it is not at the exchange yet (IBKR: PreSubmitted)."""

    at: datetime
    perm_id: int
    order: VenueOrder


@frozen(kw_only=True)
class OrderHeld:
    """The order waits: for its trigger, parent, locate (`why_held`) or for a time (`until`)."""

    at: datetime
    perm_id: int
    why_held: str = ""
    until: datetime | None = None


@frozen(kw_only=True)
class OrderWorking:
    """The order is live at the exchange (IBKR: Submitted)."""

    at: datetime
    perm_id: int


@frozen(kw_only=True)
class OrderTriggered:
    """A stop or touch order was elected by the market at `trigger_price`."""

    at: datetime
    perm_id: int
    trigger_price: Decimal


@frozen(kw_only=True)
class StopTrailed:
    """The stop of a trailing order moved to `trigger_price`."""

    at: datetime
    perm_id: int
    trigger_price: Decimal


@frozen(kw_only=True)
class OrderReplaced:
    """The order now reads `order`; `by` is 'client' or 'system' (an OCA reduction, a conversion to a limit)."""

    at: datetime
    perm_id: int
    order: VenueOrder
    by: str = "client"


@frozen(kw_only=True)
class Executed:
    """A fill. `cum_quantity` and `avg_price` are those of the order after it, per leg for the legs of a combo."""

    at: datetime
    perm_id: int
    exec_id: str
    con_id: int
    account: str
    side: Side
    quantity: Decimal
    price: Decimal
    cum_quantity: Decimal
    avg_price: Decimal
    venue: str
    liquidity: Liquidity
    is_leg: bool = False
    corrects: str | None = None


@frozen(kw_only=True)
class Commissioned:
    """What one fill cost; `realized_pnl` is None for a fill that opened or added to a position."""

    at: datetime
    perm_id: int
    exec_id: str
    amount: Decimal
    currency: str
    realized_pnl: Decimal | None = None


@frozen(kw_only=True)
class OrderFilled:
    """Nothing of the order is left to fill."""

    at: datetime
    perm_id: int
    filled: Decimal
    avg_price: Decimal


@frozen(kw_only=True)
class CancelPending:
    """A cancel is on its way to the exchange; fills may still arrive."""

    at: datetime
    perm_id: int


@frozen(kw_only=True)
class OrderCanceled:
    """The remainder is dead. `by` is 'client', 'system', 'expiry', 'oca', 'parent', 'ioc' or a caller's word."""

    at: datetime
    perm_id: int
    filled: Decimal
    reason: str = ""
    by: str = "client"


@frozen(kw_only=True)
class OrderRejected:
    """The order never worked, or was thrown out. `inactive` means IBKR shows Inactive rather than nothing/Cancelled."""

    at: datetime
    perm_id: int
    code: int
    text: str
    inactive: bool = False


@frozen(kw_only=True)
class Warned:
    """A message that changes nothing by itself (399, 404, 2109...)."""

    at: datetime
    perm_id: int
    code: int
    text: str


@frozen(kw_only=True)
class ReplaceRefused:
    """A change was refused; the original order is as alive as before."""

    at: datetime
    perm_id: int
    code: int
    text: str


@frozen(kw_only=True)
class CancelRefused:
    """A cancel was refused; `state` is IBKR's word for what became of the order, "" if it is unknown."""

    at: datetime
    perm_id: int
    code: int
    text: str
    state: str = ""


@frozen(kw_only=True)
class Quoted:
    """The market moved."""

    at: datetime
    quote: Quote


@frozen(kw_only=True)
class PositionChanged:
    """A holding after a fill or a correction."""

    at: datetime
    account: str
    con_id: int
    quantity: Decimal
    average_cost: Decimal


@frozen(kw_only=True)
class AccountChanged:
    """Cash after a fill or a correction."""

    at: datetime
    account: str
    currency: str
    cash: Decimal


@frozen(kw_only=True)
class SessionOpened:
    """A timetable's session began; `liquid` tells regular from extended hours."""

    at: datetime
    schedule: str
    liquid: bool


@frozen(kw_only=True)
class SessionClosed:
    """A timetable's session ended."""

    at: datetime
    schedule: str
    liquid: bool


@frozen(kw_only=True)
class TradingHalted:
    """One instrument stopped trading."""

    at: datetime
    con_id: int


@frozen(kw_only=True)
class TradingResumed:
    """A halted instrument trades again."""

    at: datetime
    con_id: int


Event: TypeAlias = (
    OrderAccepted
    | OrderHeld
    | OrderWorking
    | OrderTriggered
    | StopTrailed
    | OrderReplaced
    | Executed
    | Commissioned
    | OrderFilled
    | CancelPending
    | OrderCanceled
    | OrderRejected
    | Warned
    | ReplaceRefused
    | CancelRefused
    | Quoted
    | PositionChanged
    | AccountChanged
    | SessionOpened
    | SessionClosed
    | TradingHalted
    | TradingResumed
)
