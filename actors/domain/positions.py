"""One position: quantity, cost, realised profit, as they follow from its fills.

Cost is kept as a total, not as an average, so that opening and closing is exact; only a partial close divides.
Realised profit is what fills brought beyond the cost they released, times the multiplier, before commissions.
"""

from collections.abc import Iterable
from decimal import Decimal

from actors.domain.frozen import frozen
from actors.domain.identity import ExecId

_ZERO = Decimal(0)


@frozen(kw_only=True)
class Trade:
    """One fill as a position sees it: ``quantity`` is signed, a bust is 0."""

    family: str
    exec_id: ExecId
    quantity: Decimal
    price: Decimal


@frozen(kw_only=True)
class Holding:
    """Signed quantity, signed total cost without multiplier, realised profit without multiplier."""

    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    realized: Decimal = _ZERO

    def after(self, quantity: Decimal, price: Decimal) -> "Holding":
        """The holding after a trade of a signed quantity at a price.

        What closes is the trade, clamped between nothing and all that is held; the rest of it opens.
        """
        if not quantity:
            return self
        held = self.quantity
        least, most = sorted((_ZERO, -held))
        closed = min(max(quantity, least), most)
        if not closed:
            return Holding(quantity=held + quantity, cost=self.cost + quantity * price, realized=self.realized)
        kept = self.cost * (held + closed) / held
        return Holding(
            quantity=held + quantity,
            cost=kept + (quantity - closed) * price,
            realized=self.realized - closed * price - (self.cost - kept),
        )

    @property
    def average_cost(self) -> Decimal:
        """Cost per unit without multiplier, 0 while flat."""
        return self.cost / self.quantity if self.quantity else _ZERO


@frozen(kw_only=True)
class PositionState:
    """A position as plain values."""

    opening: Decimal = _ZERO
    base: Holding = Holding()
    trades: tuple[Trade, ...] = ()


class Position:
    """A holding with enough history to correct it.

    ``base`` is what the opening and all trades before ``trades`` came to; ``now`` is ``base`` after ``trades``.
    """

    def __init__(self, state: PositionState | None = None, *, keep: int = 1000) -> None:
        state = state if state is not None else PositionState()
        self._keep = keep
        self.opening = state.opening
        self._base = state.base
        self._trades = list(state.trades)
        self.now = replayed(state.base, state.trades)

    def state(self) -> PositionState:
        """The position as plain values."""
        return PositionState(opening=self.opening, base=self._base, trades=tuple(self._trades))

    def open_with(self, quantity: Decimal, cost: Decimal) -> None:
        """A quantity and its total cost were there before all trades."""
        self.opening += quantity
        base = self._base
        self._base = Holding(quantity=base.quantity + quantity, cost=base.cost + cost, realized=base.realized)
        self.now = replayed(self._base, self._trades)

    def settle(self, quantity: Decimal, cost: Decimal) -> None:
        """A human says what is held and what it cost; what was realised until then stays."""
        self.opening += quantity - self.now.quantity
        self._base = self.now = Holding(quantity=quantity, cost=cost, realized=self.now.realized)
        self._trades = []

    def absorb(self, other: "Position") -> None:
        """The other position turned out to be this one; its trades count after ours."""
        added = other.state()
        self.opening += added.opening
        self._base = Holding(
            quantity=self._base.quantity + added.base.quantity,
            cost=self._base.cost + added.base.cost,
            realized=self._base.realized + added.base.realized,
        )
        self._trades += added.trades
        self.now = replayed(self._base, self._trades)

    def trade(self, trade: Trade) -> None:
        """One trade more; the older half is folded away when there are too many to keep."""
        self.now = self.now.after(trade.quantity, trade.price)
        self._trades.append(trade)
        if len(self._trades) > self._keep:
            folded = len(self._trades) - self._keep // 2
            self._base = replayed(self._base, self._trades[:folded])
            del self._trades[:folded]

    def correct(self, trade: Trade, previous: Trade) -> None:
        """As if the corrected trade had been there from the start; one folded away is undone and done again."""
        for index, known in enumerate(self._trades):
            if known.family == trade.family:
                self._trades[index] = trade
                break
        else:
            self._base = self._base.after(-previous.quantity, previous.price).after(trade.quantity, trade.price)
        self.now = replayed(self._base, self._trades)


def replayed(base: Holding, trades: Iterable[Trade]) -> Holding:
    """The holding after trades, in order."""
    for trade in trades:
        base = base.after(trade.quantity, trade.price)
    return base
