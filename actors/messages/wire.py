"""What the order manager tells the connector to do; nothing here exists without its journal record."""

from datetime import datetime

from actors.domain.contract import Contract, Instrument
from actors.domain.frozen import frozen
from actors.domain.identity import Account, Epoch, OmsId, OrderId
from actors.domain.terms import Order
from actors.messages.reports import SnapshotKind


@frozen(kw_only=True)
class WireCommand:
    """Base of wire commands: decided at (aware UTC), for the connection ``epoch`` and no other."""

    at: datetime
    epoch: Epoch


@frozen(kw_only=True)
class PlaceOrder(WireCommand):
    """Send an order that was never sent before."""

    oms_id: OmsId
    order_id: OrderId
    account: Account
    instrument: Instrument
    order: Order
    closing: bool = False


@frozen(kw_only=True)
class ReplacePlacedOrder(WireCommand):
    """Send an order again under the same order id with changed terms."""

    oms_id: OmsId
    order_id: OrderId
    account: Account
    instrument: Instrument
    order: Order


@frozen(kw_only=True)
class CancelPlacedOrder(WireCommand):
    """Ask the broker to cancel."""

    oms_id: OmsId
    order_id: OrderId


@frozen(kw_only=True)
class QuerySnapshot(WireCommand):
    """Ask the broker for one of its lists; ``SnapshotEnded`` of the same kind answers."""

    kind: SnapshotKind
    deadline_seconds: float = 10.0


@frozen(kw_only=True)
class QualifyContract(WireCommand):
    """Ask which instrument a contract is; ``InstrumentReported`` or ``InstrumentRefused`` answers."""

    wanted: Contract


@frozen(kw_only=True)
class FinishReconciliation:
    """The books agree (or the differences are named): the session may become READY.

    Nothing of it reaches the wire, so it keeps its place behind ``Reconciled``.
    """

    at: datetime
    epoch: Epoch


@frozen(kw_only=True)
class SeekConnection(WireCommand):
    """An order was refused because there is no connection: try now instead of at the next attempt's time."""


@frozen(kw_only=True)
class Subscribe:
    """Stream quotes of a contract; survives reconnects until unsubscribed."""

    wanted: Contract


WireMessage = (
    PlaceOrder | ReplacePlacedOrder | CancelPlacedOrder | QuerySnapshot | QualifyContract | FinishReconciliation
)
