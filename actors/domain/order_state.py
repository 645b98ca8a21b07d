"""What became of an order: its status, its fills and what is still open about it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from actors.domain.contract import Contract
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OmsId, OrderId, PermId
from actors.domain.terms import Order, Side

_ZERO, _ANY_ACCOUNT = Decimal(0), Account("")
_new, _set = object.__new__, object.__setattr__


class ExecStatus(StrEnum):
    """Where an order stands: NEW -> WORKING -> PARTIALLY_FILLED -> FILLED | CANCELED | REJECTED."""

    NEW = "NEW"
    WORKING = "WORKING"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"

    is_terminal: bool
    """True when nothing but late fills and corrections can still happen."""

    def __init__(self, name: str) -> None:
        self.is_terminal = name in ("FILLED", "CANCELED", "REJECTED")


class Pending(StrEnum):
    """A request of ours that the broker has not answered yet."""

    SUBMIT = "SUBMIT"
    REPLACE = "REPLACE"
    CANCEL = "CANCEL"


@frozen(kw_only=True)
class Fill:
    """One execution as last corrected; its family is its key."""

    exec_id: ExecId
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime
    account: Account = Account("")
    venue: str = ""
    commission: Decimal | None = None
    commission_currency: str = ""
    realized_pnl: Decimal | None = None
    """Realised profit as the broker computed it; None where it computes none (openings)."""
    perm_id: PermId = PermId(0)
    liquidity: int = 0
    superseded: tuple[ExecId, ...] = ()
    """Executions of the family that this one replaced, oldest first."""
    contract: Contract | None = None
    """The leg's own contract where it is not the order's (combos)."""


@attrs.frozen(kw_only=True, slots=False)
class OrderState:
    """One order of ours or a stranger's, as far as the evidence goes.

    Without slots, because ``with_changes`` copies a dict five times as fast as it could build an object.
    """

    oms_id: OmsId
    order: Order
    contract: Contract
    account: Account = Account("")
    client_id: ClientId = ClientId(0)
    epoch: Epoch = Epoch(0)
    order_id: OrderId | None = None
    perm_ids: tuple[PermId, ...] = ()
    external: bool = False
    status: ExecStatus = ExecStatus.NEW
    pending: Pending | None = None
    wanted: Order | None = None
    """The terms asked for by a replace that is still pending."""
    in_doubt: bool = False
    held: str = ""
    """Why the order is accepted but not working (locate, trigger, child, session, inactive); empty if it works."""
    reason: str = ""
    """Why it was rejected or cancelled, in the broker's or our words."""
    fills: Mapping[str, Fill] = attrs.field(factory=dict)
    """By execution family; derived figures never come from anywhere else."""
    filled: Decimal = attrs.field(default=_ZERO, init=False, eq=False)
    """Sum of the unique executions, derived whenever they change; legs of a combo count in their own contracts."""
    paid: Decimal = attrs.field(default=_ZERO, init=False, eq=False)
    """Sum of quantity times price of the same executions."""
    reported_filled: Decimal = Decimal(0)
    """The largest filled quantity any status claimed: a cross-check, never a source of fills."""
    created_at: datetime
    updated_at: datetime
    reported_done: bool = False
    """The broker said completely filled; believed when the executions add up."""
    last_request: Pending | None = None
    """The last thing we asked for, answered or not: it tells what a doubled refusal may mean."""
    past_terms: tuple[Order, ...] = ()
    """Terms that were replaced, newest last: an echo of them is late, not a change by hand."""
    asked_terms: tuple[Order, ...] = ()
    """Terms we asked for and then other ones before an answer came, newest last: they may still come true."""

    def __attrs_post_init__(self) -> None:
        self.__dict__["filled"], self.__dict__["paid"] = _sums(self.fills)

    def with_changes(self, at: datetime, changes: dict[str, Any]) -> "OrderState":
        """The order as of ``at`` with some fields changed; the same object when nothing differs."""
        known = self.__dict__
        for name, value in changes.items():
            before = known[name]
            if before is not value and before != value:
                return self.changed(at, changes)
        return self

    def changed(self, at: datetime, changes: dict[str, Any]) -> "OrderState":
        """As ``with_changes``, where it is known that something differs.

        Names are not checked, as ``attrs.evolve`` would. Fills change by ``with_fill``.
        """
        fields = self.__dict__ | changes
        fields["updated_at"] = at
        order = _new(OrderState)
        _set(order, "__dict__", fields)
        return order

    def with_fill(self, family: str, fill: Fill) -> dict[str, Any]:
        """The changes when this is what is known of an execution: a new one costs the same after thousands of them."""
        fills = {**self.fills, family: fill}
        if family in self.fills:
            filled, paid = _sums(fills)
        else:
            quantity, price = (fill.quantity, fill.price) if fill.contract is None else (_ZERO, _ZERO)
            filled, paid = self.filled + quantity, self.paid + quantity * price
        return {"fills": fills, "filled": filled, "paid": paid}

    def charged(self, at: datetime, family: str, fill: Fill) -> "OrderState":
        """The order as of ``at`` with what one of its fills cost; quantities and prices stay."""
        order = _new(OrderState)
        _set(order, "__dict__", self.__dict__ | {"fills": {**self.fills, family: fill}, "updated_at": at})
        return order

    @property
    def average_price(self) -> Decimal | None:
        """Quantity-weighted price of the executions; None before the first."""
        filled = self.filled
        if not filled:
            return None
        if len(self.fills) == 1:
            return next(iter(self.fills.values())).price
        return self.paid / filled

    @property
    def remaining(self) -> Decimal:
        """What may still fill: 0 once the order is terminal."""
        if self.status.is_terminal:
            return _ZERO
        return max(self.order.quantity - self.filled, _ZERO)

    @property
    def commission(self) -> Decimal:
        """Sum of the commissions reported so far, in their own currency."""
        return sum((fill.commission for fill in self.fills.values() if fill.commission is not None), Decimal(0))

    @property
    def number(self) -> OrderId:
        """The order id it was sent under.

        Raises:
            LookupError: it was never sent.
        """
        if self.order_id is None:
            raise LookupError(f"order {self.oms_id} was never sent")
        return self.order_id

    @property
    def is_open(self) -> bool:
        """True while it can still fill."""
        return not self.status.is_terminal

    @property
    def is_untold(self) -> bool:
        """Whether a stranger's order is known by its executions only: what it wanted, and if it lives, is not told."""
        return self.external and self.order.is_untold


def new_order(  # noqa: PLR0913  # what is known of it from the beginning
    oms_id: OmsId,
    order: Order,
    contract: Contract,
    *,
    at: datetime,
    account: Account = _ANY_ACCOUNT,
    pending: Pending | None = None,
) -> OrderState:
    """An order before anything happened."""
    return _BLANK.changed(
        at,
        {
            "oms_id": oms_id,
            "order": order,
            "contract": contract,
            "account": account,
            "pending": pending,
            "created_at": at,
        },
    )


def _sums(fills: Mapping[str, Fill]) -> tuple[Decimal, Decimal]:
    """Quantity of all fills in the order's own contract, and what was paid for it."""
    filled = paid = _ZERO
    for fill in fills.values():
        if fill.contract is None:
            filled += fill.quantity
            paid += fill.quantity * fill.price
    return filled, paid


_NO_TIME = datetime.min.replace(tzinfo=UTC)
_BLANK = OrderState(
    oms_id=OmsId(""),
    order=Order(side=Side.BUY, quantity=0),
    contract=Contract(symbol=""),
    created_at=_NO_TIME,
    updated_at=_NO_TIME,
)
"""Copying it costs a third of building an order anew."""
