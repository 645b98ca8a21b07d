"""Positions as a strategy may rely on them: the last snapshot, and on top every fill it does not include yet.

H1 after a fill was delivered, the position includes it, however late the snapshot.
H2 a fill counts once: as soon as a snapshot lists its execution (or one delivered after it), the snapshot alone
   speaks. Snapshots and fills reach us from two senders, each of which saw the fills in the same order.
"""

from collections.abc import Iterable
from decimal import Decimal

import attrs

from actors.domain.contract import Contract, SecType
from actors.domain.frozen import evolved
from actors.domain.identity import Account, ExecId
from actors.domain.matching import is_same
from actors.domain.order_state import Fill, OrderState
from actors.domain.positions import Holding
from actors.messages.events import FillCorrected, OrderFilled
from actors.messages.portfolio import PortfolioSnapshot, PositionView

ANY_ACCOUNT = Account("")

Trade = OrderFilled | FillCorrected


@attrs.frozen(kw_only=True)
class Movement:
    """One change of a position that the snapshot does not include yet; ``quantity`` is signed."""

    account: Account
    contract: Contract
    quantity: Decimal
    price: Decimal


class Holdings:
    """All positions of one account, or of all accounts where none is given; worked out when they are read."""

    def __init__(self, account: Account = ANY_ACCOUNT) -> None:
        self._account = account
        self._snapshot: PortfolioSnapshot | None = None
        self._booked: frozenset[ExecId] = frozenset()
        self._waiting: list[Trade] = []
        """What the snapshot does not include yet, oldest first."""
        self._counted = 0
        """So many of the waiting ones are in the rows."""
        self._rows: tuple[PositionView, ...] = ()

    @property
    def snapshot(self) -> PortfolioSnapshot | None:
        """The last snapshot as it came."""
        return self._snapshot

    def hear_snapshot(self, snapshot: PortfolioSnapshot) -> None:
        """Believe a newer snapshot."""
        self._snapshot, self._booked = snapshot, frozenset(snapshot.booked)
        if self._waiting:
            self._waiting = _unconfirmed(self._waiting, self._booked)
        self._rows = tuple([row for row in snapshot.positions if self._is_ours(row.account)])
        self._counted = 0

    def hear_fill(self, event: Trade) -> None:
        """Count a fill or the difference a correction makes."""
        if event.fill.exec_id not in self._booked:
            self._waiting.append(event)

    def _positions(self) -> tuple[PositionView, ...]:
        for event in self._waiting[self._counted :]:
            movement = movement_of(event)
            if movement is not None and self._is_ours(movement.account):
                self._rows = _moved(self._rows, movement)
        self._counted = len(self._waiting)
        return self._rows

    def get(self, contract: Contract) -> PositionView:
        """The position in a contract: quantity 0 when there is none."""
        for position in self._positions():
            if is_same(contract, position.contract):
                return position
        return _flat(self._account, contract)

    def all(self) -> tuple[PositionView, ...]:
        """All positions that are not flat."""
        return tuple(position for position in self._positions() if position.quantity)

    def _is_ours(self, account: Account) -> bool:
        return not self._account or not account or account == self._account


def movement_of(event: Trade) -> Movement | None:
    """What a fill does to a position; None for the summary of a combo, whose legs move positions."""
    order, fill = event.order, event.fill
    contract = fill.contract or order.contract
    if contract.sec_type is SecType.COMBO:
        return None
    change = _signed(fill)
    if isinstance(event, FillCorrected):
        change -= _signed(event.previous)
    return Movement(
        account=_account_of(fill, order),
        contract=contract,
        quantity=change,
        price=fill.price,
    )


def _account_of(fill: Fill, order: OrderState) -> Account:
    return fill.account or order.account


def _signed(fill: Fill) -> Decimal:
    return fill.quantity * fill.side.sign


def _unconfirmed(waiting: list[Trade], booked: frozenset[ExecId]) -> list[Trade]:
    """What came after the last one that is booked."""
    for index in range(len(waiting) - 1, -1, -1):
        if waiting[index].fill.exec_id in booked:
            return waiting[index + 1 :]
    return waiting


def _moved(positions: Iterable[PositionView], movement: Movement) -> tuple[PositionView, ...]:
    rows = list(positions)
    for index, row in enumerate(rows):
        if _is_row_of(row, movement):
            rows[index] = _after(row, movement)
            return tuple(rows)
    return (*rows, _after(_flat(movement.account, movement.contract), movement))


def _is_row_of(row: PositionView, movement: Movement) -> bool:
    is_same_account = not row.account or not movement.account or row.account == movement.account
    return is_same_account and (is_same(movement.contract, row.contract) or is_same(row.contract, movement.contract))


def _after(position: PositionView, movement: Movement) -> PositionView:
    before = Holding(quantity=position.quantity, cost=position.quantity * position.average_cost)
    after = before.after(movement.quantity, movement.price)
    return evolved(
        position,
        quantity=after.quantity,
        average_cost=after.average_cost,
        realized_pnl=position.realized_pnl + after.realized * position.contract.multiplier,
        unrealized_pnl=None,
    )


def _flat(account: Account, contract: Contract) -> PositionView:
    zero = Decimal(0)
    return PositionView(account=account, contract=contract, quantity=zero, average_cost=zero, realized_pnl=zero)
