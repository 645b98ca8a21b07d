"""What a strategy or an operator wants of the order manager."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from actors.domain.contract import Contract
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, OmsId, OrderId
from actors.domain.terms import Order


@frozen(kw_only=True)
class Command:
    """Base of all commands: market time at which it was given (aware UTC)."""

    at: datetime


@frozen(kw_only=True)
class SubmitOrder(Command):
    """Send a new order under our name for it; a second one with the same name is refused, never sent."""

    oms_id: OmsId
    order: Order
    account: Account = Account("")
    closing: bool = False
    """True for orders that flatten: they pass lockouts that stop new exposure."""
    market_price: Decimal | None = None
    """What the market said when an order without a price of its own was given; None where nobody asks for quotes."""


@frozen(kw_only=True)
class CancelOrder(Command):
    """Cancel what is left of an order."""

    oms_id: OmsId


@frozen(kw_only=True)
class ReplaceOrder(Command):
    """Change quantity (the new total, fills included) or prices of an order; None keeps the value."""

    oms_id: OmsId
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    market_price: Decimal | None = None
    """As in ``SubmitOrder``."""


@frozen(kw_only=True)
class FlattenAll(Command):
    """Cancel every open order of ours and close every position of ours with market orders."""

    reason: str


@frozen(kw_only=True)
class LockNewExposure(Command):
    """Refuse orders that are not closing until the strategy's next session."""

    locked: bool
    reason: str


@frozen(kw_only=True)
class AdoptOrder(Command):
    """Treat a stranger's order as ours from now on."""

    oms_id: OmsId


@frozen(kw_only=True)
class Reconcile(Command):
    """Compare our books with the broker's now."""

    reason: str


@frozen(kw_only=True)
class BlockInstrument(Command):
    """Refuse new exposure in one instrument (or allow it again): its position is disputed."""

    instrument: str
    blocked: bool
    reason: str


@frozen(kw_only=True)
class SuspectPosition(Command):
    """The books differ after a reconciliation and the broker is asked again: no new exposure until it is settled.

    ``suspect`` is False when both say the same again. ``ours`` and ``broker`` are signed quantities.
    """

    account: Account
    contract: Contract
    ours: Decimal
    broker: Decimal
    suspect: bool


class Books(StrEnum):
    """Whose position is right."""

    BROKER = "broker"
    OURS = "ours"


@frozen(kw_only=True)
class AcceptPosition(Command):
    """A human settles a disputed position: the broker's becomes ours, or the difference is known and left alone."""

    account: Account
    contract: Contract
    ours: Decimal
    broker: Decimal
    accepted: Books


@frozen(kw_only=True)
class StateChanged(Command):
    """A strategy wrote (or with None deleted) one key of its durable state; the value is JSON text."""

    strategy_id: str
    key: str
    value_json: str | None


@frozen(kw_only=True)
class RecordPlacement(Command):
    """An order that already left for the broker under a known order id: recorded, never sent.

    A second one with the same ``oms_id`` is a modification that left; its terms are pending until answered.
    """

    oms_id: OmsId
    order_id: OrderId
    epoch: Epoch
    order: Order
    contract: Contract
    account: Account = Account("")
    client_id: ClientId = ClientId(0)


@frozen(kw_only=True)
class RecordNumber(Command):
    """An order of ours bears this order id on this connection: known by other evidence than the broker's."""

    oms_id: OmsId
    order_id: OrderId
    epoch: Epoch
    client_id: ClientId = ClientId(0)


@frozen(kw_only=True)
class RecordCancel(Command):
    """A cancel that already left for the broker: recorded, never sent."""

    oms_id: OmsId


StrategyCommand = SubmitOrder | CancelOrder | ReplaceOrder | FlattenAll
OperatorCommand = LockNewExposure | AdoptOrder | Reconcile | BlockInstrument | SuspectPosition | AcceptPosition
RecordedCommand = RecordPlacement | RecordNumber | RecordCancel
"""What a replayed capture shows to have been sent."""
