"""Time, sessions, lifecycle: what the system says about itself."""

from datetime import datetime
from enum import StrEnum

from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, OrderId


@frozen(kw_only=True)
class Tick:
    """The clock: ``at`` is market time (aware UTC), ``elapsed`` monotonic seconds since the process began."""

    at: datetime
    elapsed: float


class SessionState(StrEnum):
    """DISCONNECTED -> CONNECTING -> RECONCILING -> READY <-> DEGRADED."""

    DISCONNECTED = "DISCONNECTED"
    CONNECTING = "CONNECTING"
    RECONCILING = "RECONCILING"
    READY = "READY"
    DEGRADED = "DEGRADED"


@frozen(kw_only=True)
class SessionChanged:
    """The session moved; on RECONCILING the floor of order ids and the accounts are known."""

    at: datetime
    epoch: Epoch
    state: SessionState
    reason: str = ""
    client_id: ClientId = ClientId(0)
    next_order_id: OrderId | None = None
    accounts: tuple[Account, ...] = ()


@frozen(kw_only=True)
class SendFailed:
    """A wire command did not (surely) leave; ``uncertain`` when bytes may have left."""

    at: datetime
    epoch: Epoch
    oms_id: str
    uncertain: bool
    text: str
    is_order: bool = False
    """The order itself did not leave, whatever was asked of it meanwhile; otherwise a change or a cancel of it."""


@frozen(kw_only=True)
class ActorDied:
    """An actor ended by an exception."""

    actor: str
    error: str


@frozen(kw_only=True)
class DeadLetter:
    """A message that could not be delivered."""

    recipient: str
    message: str


@frozen(kw_only=True)
class ActorsEnd:
    """From here on actors end one after the other; what one of them is told after its end is no loss."""


@frozen(kw_only=True)
class StopReason:
    """Why the process ends and with which exit code."""

    text: str
    exit_code: int = 0
