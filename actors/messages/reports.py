"""What the broker said: facts as reported, in our names, not yet believed."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from actors.domain.contract import Contract, Instrument
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OrderId, PermId, RequestId
from actors.domain.terms import Order, Side


class BrokerStatus(StrEnum):
    """A broker's order status in neutral words; the bridge maps its own vocabulary to these."""

    PENDING = "PENDING"  # received, not acknowledged by the destination
    HELD = "HELD"  # acknowledged, not yet at the exchange
    WORKING = "WORKING"
    CANCEL_PENDING = "CANCEL_PENDING"
    CANCELED = "CANCELED"
    FILLED = "FILLED"
    INACTIVE = "INACTIVE"  # accepted but not working: several meanings
    UNKNOWN = "UNKNOWN"


class NoticeEffect(StrEnum):
    """What a notice proves about the order (or request) that it names."""

    NONE = "NONE"  # information or warning: the order lives on
    REJECTED = "REJECTED"  # proves a new order dead
    REFUSED = "REFUSED"  # the modification or cancel was refused, the order lives on
    REQUEST_OFF = "REQUEST_OFF"  # the modification or cancel did nothing; ask whether the order lives
    CANCELED = "CANCELED"  # confirms the end of the remainder
    FILLED = "FILLED"  # proves the order completely filled
    NOT_SENT = "NOT_SENT"  # the client library did not send it
    VERIFY = "VERIFY"  # proves nothing: ask


class NoticeKind(StrEnum):
    """Classes of broker notices."""

    INFO = "INFO"
    WARNING = "WARNING"
    REJECT = "REJECT"
    MODIFY_REFUSED = "MODIFY_REFUSED"
    CANCEL_CONFIRMED = "CANCEL_CONFIRMED"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    REQUEST_FAILED = "REQUEST_FAILED"
    MARKET_DATA = "MARKET_DATA"
    PACING = "PACING"
    CONNECTION = "CONNECTION"
    FARM = "FARM"
    CONFIGURATION = "CONFIGURATION"
    CLIENT = "CLIENT"
    UNKNOWN = "UNKNOWN"


class SnapshotKind(StrEnum):
    """What a reconciliation asks the broker for."""

    OPEN_ORDERS = "OPEN_ORDERS"
    EXECUTIONS = "EXECUTIONS"
    COMPLETED_ORDERS = "COMPLETED_ORDERS"
    POSITIONS = "POSITIONS"
    ACCOUNT = "ACCOUNT"


@frozen(kw_only=True)
class Report:
    """Base of all broker statements: when we received it (aware UTC) and on which connection."""

    at: datetime
    epoch: Epoch


@frozen(kw_only=True)
class OrderStatusReported(Report):
    """A status of an order; None where the broker left a figure out."""

    order_id: OrderId
    status: BrokerStatus
    raw_status: str = ""
    perm_id: PermId = PermId(0)
    client_id: ClientId = ClientId(0)
    filled: Decimal | None = None
    remaining: Decimal | None = None
    average_price: Decimal | None = None
    last_price: Decimal | None = None
    parent_id: OrderId = OrderId(0)
    why_held: str = ""
    price_cap: Decimal | None = None


@frozen(kw_only=True)
class OpenOrderReported(Report):
    """The broker's echo of a live order with its terms; ``snapshot`` when it answers a query of ours."""

    order_id: OrderId
    contract: Contract
    order: Order
    status: BrokerStatus
    raw_status: str = ""
    perm_id: PermId = PermId(0)
    client_id: ClientId = ClientId(0)
    account: Account = Account("")
    order_ref: str = ""
    parent_id: OrderId = OrderId(0)
    filled: Decimal | None = None
    why_held: str = ""
    reject_reason: str = ""
    warning: str = ""
    what_if: bool = False
    snapshot: bool = False


@frozen(kw_only=True)
class CompletedOrderReported(Report):
    """An order that ended today, from the broker's list of completed orders; it has no order id."""

    contract: Contract
    order: Order
    status: BrokerStatus
    raw_status: str = ""
    perm_id: PermId = PermId(0)
    account: Account = Account("")
    order_ref: str = ""
    filled: Decimal | None = None
    completed_status: str = ""
    reject_reason: str = ""


@frozen(kw_only=True)
class ExecutionReported(Report):
    """One execution; ``request_id`` is None when pushed live, else it answers a query of ours."""

    exec_id: ExecId
    contract: Contract
    side: Side
    quantity: Decimal
    price: Decimal
    executed_at: datetime | None = None
    request_id: RequestId | None = None
    order_id: OrderId | None = None
    perm_id: PermId = PermId(0)
    client_id: ClientId = ClientId(0)
    account: Account = Account("")
    order_ref: str = ""
    cumulative_quantity: Decimal | None = None
    average_price: Decimal | None = None
    venue: str = ""
    liquidity: int = 0
    liquidation: bool = False


@frozen(kw_only=True)
class CommissionReported(Report):
    """Commission and realised P&L of one execution; None where not computed."""

    exec_id: ExecId
    commission: Decimal | None = None
    currency: str = ""
    realized_pnl: Decimal | None = None


@frozen(kw_only=True)
class NoticeReported(Report):
    """A coded notice of the broker with what it proves for a new order, a modification and a cancel.

    ``subject`` is the order id or request id it names, None when it names none.
    """

    code: int
    text: str
    subject: int | None = None
    kind: NoticeKind = NoticeKind.UNKNOWN
    on_new: NoticeEffect = NoticeEffect.VERIFY
    on_modify: NoticeEffect = NoticeEffect.VERIFY
    on_cancel: NoticeEffect = NoticeEffect.VERIFY
    advanced_reject: str = ""


@frozen(kw_only=True)
class OrderBoundReported(Report):
    """The broker bound a manual order to an API order id."""

    perm_id: PermId
    client_id: ClientId
    order_id: OrderId


@frozen(kw_only=True)
class NextOrderIdReported(Report):
    """The lowest order id the broker considers usable for this client id."""

    order_id: OrderId


@frozen(kw_only=True)
class AccountsReported(Report):
    """The accounts this login may trade."""

    accounts: tuple[Account, ...]


@frozen(kw_only=True)
class SnapshotEnded(Report):
    """The end of an answer; ``complete`` is False when a deadline or an error ended it instead of the broker."""

    kind: SnapshotKind
    complete: bool = True
    reason: str = ""


@frozen(kw_only=True)
class PositionReported(Report):
    """A position of an account in the broker's books; ``average_cost`` includes multiplier and commissions (IBKR)."""

    account: Account
    contract: Contract
    quantity: Decimal
    average_cost: Decimal | None = None


@frozen(kw_only=True)
class AccountValueReported(Report):
    """One account value such as NetLiquidation; ``value`` stays text as reported."""

    account: Account
    key: str
    value: str
    currency: str = ""


@frozen(kw_only=True)
class InstrumentReported(Report):
    """A contract the broker found for ``wanted``."""

    wanted: Contract
    instrument: Instrument


@frozen(kw_only=True)
class InstrumentRefused(Report):
    """The broker knows no such contract, or several; the text names them."""

    wanted: Contract
    text: str


@frozen(kw_only=True)
class QuoteReported(Report):
    """The best bid and ask with sizes and the last trade, as last known; None where unknown."""

    contract: Contract
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    last_size: Decimal | None = None
    volume: Decimal | None = None
    halted: bool = False


@frozen(kw_only=True)
class ServerTimeReported(Report):
    """The broker's clock, the answer to a heartbeat; None when what it said is no time."""

    server_time: datetime | None


@frozen(kw_only=True)
class FrameDamaged(Report):
    """A frame that could not be decoded or translated; ``excerpt`` is capped and redacted."""

    name: str
    reason: str
    excerpt: str = ""


@frozen(kw_only=True)
class ConnectionLost(Report):
    """The link ended, wanted or not; ``reached`` when a gateway was at the other end."""

    reason: str
    reached: bool = False


class LinkCondition(StrEnum):
    """What a broker's notice says about the connection itself."""

    BACKEND_LOST = "BACKEND_LOST"  # the gateway lost its own line to the broker
    BACKEND_RESTORED = "BACKEND_RESTORED"
    BACKEND_RESTORED_DATA_LOST = "BACKEND_RESTORED_DATA_LOST"  # market-data subscriptions are gone
    PORT_RESET = "PORT_RESET"  # the gateway will close; ``port`` is the new one
    CLIENT_ID_IN_USE = "CLIENT_ID_IN_USE"
    PACING_VIOLATED = "PACING_VIOLATED"
    FARM_LOST = "FARM_LOST"
    FARM_RESTORED = "FARM_RESTORED"


@frozen(kw_only=True)
class LinkConditionReported(Report):
    """The broker said something about the connection; orders are not named."""

    condition: LinkCondition
    text: str
    port: int | None = None


OrderReport = (
    OrderStatusReported
    | OpenOrderReported
    | CompletedOrderReported
    | ExecutionReported
    | CommissionReported
    | NoticeReported
    | OrderBoundReported
    | NextOrderIdReported
    | AccountsReported
    | SnapshotEnded
    | InstrumentReported
    | InstrumentRefused
    | FrameDamaged
)
"""Everything that travels the one path bridge -> order manager."""

AccountReport = PositionReported | AccountValueReported
"""What travels bridge -> position keeper."""
