"""What the simulated exchange is told and what it knows: instruments, quotes, orders, books.

Prices, quantities and money are `Decimal`; every time is an aware UTC `datetime`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, get_args

from attrs import field, frozen

Side = Literal["BUY", "SELL"]
OrderType = Literal[
    "MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MOC", "LOC", "MIT", "LIT", "MTL",
    "PEG MKT", "PEG MID", "REL", "MIDPRICE",
]  # fmt: skip
TimeInForce = Literal["DAY", "GTC", "GTD", "IOC", "FOK", "OPG"]
SecType = Literal["STK", "OPT", "FUT", "FOP", "CASH", "CFD", "CRYPTO", "BAG", "IND"]
ConditionKind = Literal["price", "time", "margin", "execution", "volume", "change"]
Liquidity = Literal["added", "removed"]

ORDER_TYPE_NAMES: tuple[OrderType, ...] = get_args(OrderType)
TIME_IN_FORCE_NAMES: tuple[TimeInForce, ...] = get_args(TimeInForce)

ZERO = Decimal(0)
ONE = Decimal(1)


class SimulationError(Exception):
    """A question the exchange cannot answer because the caller named something it never heard of."""


class ReplayError(SimulationError):
    """Recorded market data cannot be used: the sentence names what was found and what is accepted."""


@frozen(kw_only=True)
class Leg:
    """One leg of a combo, `ratio` units of `con_id` for each combo bought."""

    con_id: int
    ratio: int
    side: Side
    exchange: str = "SMART"


@frozen(kw_only=True)
class Instrument:
    """One tradable contract and the rules of its market.

    `price_increments` are (low edge, increment) rows in ascending order; empty means `min_tick` everywhere.
    `schedule` names a timetable in `timetable.TIMETABLES`. `shortable` is the number of shares to borrow, None is
    unlimited. `price_scale` is what one point is quoted as for margins: money = price * quantity * `multiplier`.
    """

    con_id: int
    symbol: str
    sec_type: SecType
    currency: str = "USD"
    exchange: str = "SMART"
    primary_exchange: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    long_name: str = ""
    min_tick: Decimal = Decimal("0.01")
    price_increments: tuple[tuple[Decimal, Decimal], ...] = ()
    market_rule_id: int = 26
    multiplier: Decimal = ONE
    min_size: Decimal = ONE
    size_increment: Decimal = ONE
    schedule: str = "us_equity"
    shortable: Decimal | None = None
    expiry: date | None = None
    strike: Decimal | None = None
    right: Literal["", "C", "P"] = ""
    underlying: int | None = None
    isin: str = ""
    legs: tuple[Leg, ...] = ()
    reference_price: Decimal = Decimal(100)

    @property
    def is_cash_settled_daily(self) -> bool:
        """Whether gains move to cash as variation margin instead of the full price being paid."""
        return self.sec_type == "FUT"


@frozen(kw_only=True)
class Quote:
    """The top of one instrument's book after a change; a market-data event.

    A side that is empty has price None and size 0. `last_size` is what traded since the previous quote, 0 if nothing
    did; `volume` is the day's total.
    """

    at: datetime
    con_id: int
    bid: Decimal | None
    bid_size: Decimal
    ask: Decimal | None
    ask_size: Decimal
    last: Decimal | None = None
    last_size: Decimal = ZERO
    volume: Decimal = ZERO
    halted: bool = False


@frozen(kw_only=True)
class Condition:
    """One condition of an order; `conjunction` joins it to the next one by AND, otherwise by OR.

    `number` is a price, a day's volume, or a percentage: of change since the last close, or of margin cushion (excess
    liquidity of equity). `is_more` accepts it and above, otherwise it and below. Execution conditions name what has to
    trade by `symbol`, `sec_type` and `exchange`, the last empty or SMART for any.
    """

    kind: ConditionKind
    conjunction: bool = True
    is_more: bool = True
    con_id: int = 0
    number: Decimal = ZERO
    at: datetime | None = None
    trigger_method: int = 0
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""


@frozen(kw_only=True)
class VenueOrder:
    """An order as it reaches the broker's back office, keyed by its permanent id.

    `stop_price` is IBKR's auxPrice: the trigger of STP, STP LMT, MIT and LIT orders, the trailing amount of TRAIL
    orders, the offset of pegged ones; `trail_percent` replaces the trailing amount when given (0..100).
    `trigger_method` is IBKR's number for what elects a stop, 0 the instrument's default. `quantity` is the new total,
    filled part included; no fill is smaller than `min_quantity`, unless less is left. With `conditions_cancel` the
    conditions cancel the order instead of setting it off. `client_id`, `order_id` and
    `order_ref` are carried along unread.
    """

    perm_id: int
    account: str
    con_id: int
    side: Side
    quantity: Decimal
    order_type: OrderType = "LMT"
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_percent: Decimal | None = None
    trail_stop_price: Decimal | None = None
    limit_offset: Decimal | None = None
    tif: TimeInForce = "DAY"
    good_till: datetime | None = None
    good_after: datetime | None = None
    outside_rth: bool = False
    display_size: Decimal | None = None
    all_or_none: bool = False
    min_quantity: Decimal | None = None
    trigger_method: int = 0
    conditions: tuple[Condition, ...] = ()
    conditions_cancel: bool = False
    conditions_ignore_rth: bool = False
    parent_perm_id: int | None = None
    oca_group: str = ""
    oca_type: int = 3
    cash_quantity: Decimal | None = None
    client_id: int = 0
    order_id: int = 0
    order_ref: str = ""


@frozen(kw_only=True)
class Execution:
    """One fill in the broker's books. For a combo the row of the BAG itself has `is_combo` set."""

    at: datetime
    exec_id: str
    perm_id: int
    account: str
    con_id: int
    side: Side
    quantity: Decimal
    price: Decimal
    cum_quantity: Decimal
    avg_price: Decimal
    venue: str
    liquidity: Liquidity
    client_id: int = 0
    order_id: int = 0
    order_ref: str = ""
    commission: Decimal = ZERO
    currency: str = "USD"
    realized_pnl: Decimal | None = None
    is_combo: bool = False
    liquidation: bool = False


@frozen(kw_only=True)
class ExecutionFilter:
    """Which executions are wanted; None or empty accepts everything. `since` is inclusive."""

    account: str = ""
    client_id: int | None = None
    con_id: int | None = None
    side: Side | None = None
    since: datetime | None = None


@frozen(kw_only=True)
class Position:
    """A holding: signed `quantity`, `average_cost` per unit times multiplier, commissions included as IBKR does.

    `market_price` is the midpoint of the latest quote, or the last trade where one side is missing.
    """

    account: str
    con_id: int
    quantity: Decimal
    average_cost: Decimal
    market_price: Decimal
    market_value: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    daily_pnl: Decimal = ZERO


@frozen(kw_only=True)
class AccountValues:
    """One account's money in its base currency; `cash` holds the balance of each currency."""

    account: str
    currency: str
    cash: Mapping[str, Decimal]
    exchange_rates: Mapping[str, Decimal]
    net_liquidation: Decimal
    total_cash_value: Decimal
    gross_position_value: Decimal
    stock_market_value: Decimal
    option_market_value: Decimal
    futures_pnl: Decimal
    unrealized_pnl: Decimal
    realized_pnl: Decimal
    equity_with_loan_value: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    available_funds: Decimal
    excess_liquidity: Decimal
    buying_power: Decimal
    daily_pnl: Decimal = ZERO


@frozen(kw_only=True)
class MarginPreview:
    """What an order would do to margins and equity (IBKR's what-if), in the base currency.

    `refused` holds the sentence of the rejection the real order would meet, or "".
    """

    initial_before: Decimal
    initial_change: Decimal
    initial_after: Decimal
    maintenance_before: Decimal
    maintenance_change: Decimal
    maintenance_after: Decimal
    equity_before: Decimal
    equity_change: Decimal
    equity_after: Decimal
    commission: Decimal
    commission_min: Decimal
    commission_max: Decimal
    currency: str
    warning: str = ""
    refused_code: int = 0
    refused: str = ""


@frozen(kw_only=True)
class OrderView:
    """An order as the broker sees it now.

    `stage` is 'pending' (sent, not acknowledged), 'held', 'working', 'filled', 'canceled' or 'inactive'. `why_held` is
    IBKR's comma list (child, trigger, locate). `canceling` is set between a cancel and its confirmation.
    """

    order: VenueOrder
    stage: str
    why_held: str = ""
    filled: Decimal = ZERO
    avg_price: Decimal = ZERO
    last_price: Decimal = ZERO
    trigger_price: Decimal | None = None
    triggered: bool = False
    canceling: bool = False
    held_until: datetime | None = None
    reason: str = ""
    reject_code: int = 0
    submitted_at: datetime
    done_at: datetime | None = None
    children: tuple[int, ...] = field(default=())

    @property
    def remaining(self) -> Decimal:
        """What is still to be filled."""
        return self.order.quantity - self.filled
