"""Evidence about one order: what was asked for and what was seen, without ids, epochs of the book or wire details.

``order.transition`` turns an order and one piece of evidence into the order as it then stands.
"""

from datetime import datetime
from decimal import Decimal

from actors.domain.contract import Contract
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OrderId, PermId
from actors.domain.order_state import ExecStatus, Fill
from actors.domain.terms import Order
from actors.messages.reports import BrokerStatus


@frozen(kw_only=True)
class Evidence:
    """Base: when we learned it (aware UTC)."""

    at: datetime


@frozen(kw_only=True)
class Sent(Evidence):
    """We put a new order on its way, with these snapped terms, under this order id."""

    order: Order
    contract: Contract
    account: Account
    client_id: ClientId
    epoch: Epoch
    order_id: OrderId


@frozen(kw_only=True)
class CancelRequested(Evidence):
    """We asked for a cancel."""


@frozen(kw_only=True)
class ReplaceRequested(Evidence):
    """We asked for other terms."""

    wanted: Order


@frozen(kw_only=True)
class StatusSeen(Evidence):
    """The broker's word on where the order stands; ``terms`` when it came with an echo of the order.

    ``fresh`` marks an answer to a query that was asked after every pending request: it settles doubts.
    """

    epoch: Epoch
    status: BrokerStatus
    perm_id: PermId = PermId(0)
    filled: Decimal | None = None
    why_held: str = ""
    reject_reason: str = ""
    reason: str = ""
    terms: Order | None = None
    fresh: bool = False


@frozen(kw_only=True)
class ExecutionSeen(Evidence):
    """One execution, keyed by its family; a quantity of 0 is a bust."""

    epoch: Epoch
    family: str
    fill: Fill


@frozen(kw_only=True)
class CommissionSeen(Evidence):
    """Commission of one execution; None where the broker did not compute it."""

    family: str
    exec_id: ExecId
    commission: Decimal | None
    currency: str
    realized_pnl: Decimal | None


@frozen(kw_only=True)
class RejectionSeen(Evidence):
    """Proof that the order as submitted is dead."""

    reason: str


@frozen(kw_only=True)
class RefusalSeen(Evidence):
    """A cancel or a replace was refused, or never left.

    The order lives on with its terms, unless ``lives`` is False: then it is not known whether it does.
    """

    text: str
    lives: bool = True


@frozen(kw_only=True)
class PermIdSeen(Evidence):
    """The broker's account-wide number became known by another way than a status."""

    perm_id: PermId


@frozen(kw_only=True)
class Doubted(Evidence):
    """It is not known whether the order (or the request that is pending) lives."""

    text: str


@frozen(kw_only=True)
class Concluded(Evidence):
    """The order is over by proof of ours: never sent, never arrived, or gone with its session."""

    status: ExecStatus
    reason: str


@frozen(kw_only=True)
class AdoptionWanted(Evidence):
    """A stranger's order is ours from now on."""


AnyEvidence = (
    Sent
    | CancelRequested
    | ReplaceRequested
    | StatusSeen
    | ExecutionSeen
    | CommissionSeen
    | RejectionSeen
    | RefusalSeen
    | PermIdSeen
    | Doubted
    | Concluded
    | AdoptionWanted
)
