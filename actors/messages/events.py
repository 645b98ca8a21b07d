"""What we conclude: past participles, each with the order as it now stands."""

from datetime import datetime
from decimal import Decimal

from actors.domain.contract import Contract
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ExecId, OmsId
from actors.domain.order_state import Fill, OrderState
from actors.domain.terms import Order


@frozen(kw_only=True)
class Event:
    """Base of all conclusions; ``recovered`` marks what happened while we were not listening."""

    at: datetime
    recovered: bool = False


@frozen(kw_only=True)
class OrderEvent(Event):
    """Base of conclusions about one order: ``order`` is its state after the event."""

    order: OrderState


@frozen(kw_only=True)
class OrderSubmitted(OrderEvent):
    """The order is durable and on its way to the wire."""


@frozen(kw_only=True)
class OrderAccepted(OrderEvent):
    """The broker has it and it works (or is held for a stated reason)."""


@frozen(kw_only=True)
class OrderHeld(OrderEvent):
    """The broker has it but does not work it now; ``order.held`` says why."""


@frozen(kw_only=True)
class OrderFilled(OrderEvent):
    """One execution was booked; partial while ``order.status`` is not FILLED."""

    fill: Fill


@frozen(kw_only=True)
class FillCorrected(OrderEvent):
    """An execution was replaced by its correction; a quantity of 0 is a bust."""

    fill: Fill
    previous: Fill


@frozen(kw_only=True)
class CommissionCharged(OrderEvent):
    """The commission of one execution became known."""

    fill: Fill


@frozen(kw_only=True)
class OrderCompleted(OrderEvent):
    """The broker says filled and all executions are in."""


@frozen(kw_only=True)
class OrderCanceled(OrderEvent):
    """The remainder is dead, by us or by others; ``order.reason`` says why."""


@frozen(kw_only=True)
class OrderRejected(OrderEvent):
    """The order never worked; ``order.reason`` says why."""


@frozen(kw_only=True)
class CancelRefused(OrderEvent):
    """The broker refused a cancel; the order stands as shown."""

    text: str


@frozen(kw_only=True)
class OrderReplaced(OrderEvent):
    """The order works with new terms (by our wish or a change at the broker's)."""

    previous: Order


@frozen(kw_only=True)
class ReplaceRefused(OrderEvent):
    """A replace was refused, by us or by the broker; the order stands with its old terms."""

    text: str


@frozen(kw_only=True)
class OrderInDoubt(OrderEvent):
    """Sent, and not known whether it lives; its instrument takes no new orders until evidence resolves it."""

    text: str


@frozen(kw_only=True)
class OrderResolved(OrderEvent):
    """The doubt is over; ``order`` shows what the evidence said."""

    text: str


@frozen(kw_only=True)
class OrderWarned(OrderEvent):
    """The broker said something about a living order that changes nothing."""

    code: int
    text: str


@frozen(kw_only=True)
class SignalRecorded(Event):
    """An order that was not sent because trading is disabled."""

    order: Order
    oms_id: OmsId = OmsId("")


@frozen(kw_only=True)
class Discrepancy(Event):
    """Something that cannot be explained from what we know; it starts a reconciliation.

    ``kind`` is a short upper-case name, ``subject`` an oms id, execution id or instrument.
    """

    kind: str
    subject: str
    text: str


@frozen(kw_only=True)
class Reconciled(Event):
    """Our books and the broker's were compared after a (re)connect."""

    open_orders: int
    executions: int
    in_doubt: int
    text: str = ""


@frozen(kw_only=True)
class TradingHalted(Event):
    """No new order leaves until a human restarts us."""

    reason: str


@frozen(kw_only=True)
class PositionMismatched(Event):
    """The broker's position is not ours; new exposure in the instrument is blocked."""

    account: Account
    contract: Contract
    ours: Decimal
    broker: Decimal


@frozen(kw_only=True)
class ExecutionUnmatched(Event):
    """An execution for an order we never saw was booked under EXTERNAL."""

    exec_id: ExecId


@frozen(kw_only=True)
class OrderInvalid(Event):
    """A strategy's order, cancel or replace was refused in its own call; nothing was sent."""

    strategy_id: str
    text: str


@frozen(kw_only=True)
class StrategyFailed(Event):
    """A hook of a strategy raised; the strategy is stopped and its open orders are cancelled."""

    strategy_id: str
    hook: str
    error: str


@frozen(kw_only=True)
class StrategyNoted(Event):
    """Something a strategy wants in the log."""

    strategy_id: str
    text: str
