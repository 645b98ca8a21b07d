"""The book: all orders, and which one a report belongs to. Every look-up costs the same however many there are."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeVar

import attrs

from actors.domain.contract import Contract, SecType
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OmsId, OrderId, PermId
from actors.domain.order_state import OrderState
from actors.domain.terms import Side

BUY, COMBO = Side.BUY, SecType.COMBO

Number = tuple[Epoch, ClientId, OrderId]


def instrument_key(contract: Contract) -> str:
    """``#conId`` of a qualified contract, the legs of a combo, otherwise what a trader calls it."""
    if contract.legs:
        return "+".join(sorted(f"{leg.side} {leg.ratio}#{leg.con_id}" for leg in contract.legs))
    return f"#{contract.con_id}" if contract.con_id else contract.name


@attrs.define(kw_only=True)
class Exposure:
    """What we hold and what may still come, in one account and instrument."""

    contract: Contract
    position: Decimal = Decimal(0)
    buying: Decimal = Decimal(0)
    selling: Decimal = Decimal(0)
    buy_orders: int = 0
    sell_orders: int = 0


@frozen(kw_only=True)
class BookSnapshot:
    """The book as plain values."""

    orders: tuple[OrderState, ...] = ()
    numbers: tuple[tuple[Epoch, ClientId, OrderId, OmsId], ...] = ()
    past_ids: tuple[OmsId, ...] = ()
    past_perm_ids: tuple[tuple[PermId, OmsId], ...] = ()
    past_families: tuple[tuple[str, ExecId], ...] = ()
    holdings: tuple[tuple[Account, Contract, Decimal], ...] = ()


class Book:
    """Orders by every name they may be called by.

    Closed orders and strangers' beyond ``keep_closed`` are evicted, oldest first; of them the names stay
    (``keep_names``), so that a repeated submission, a repeated execution and a late one are still recognised.
    """

    def __init__(self, *, keep_closed: int = 1000, keep_names: int = 100_000) -> None:
        self._keep_closed, self._keep_names = keep_closed, keep_names
        self._orders: dict[OmsId, OrderState] = {}
        self._open: dict[OmsId, None] = {}
        self._closed: dict[OmsId, None] = {}
        self._by_perm_id: dict[PermId, OmsId] = {}
        self._by_family: dict[str, OmsId] = {}
        self._by_number: dict[Number, OmsId] = {}
        self._numbers_of: dict[OmsId, list[Number]] = {}
        self._doubted: dict[str, set[OmsId]] = {}
        self._exposures: dict[tuple[Account, str], Exposure] = {}
        self._past_ids: dict[OmsId, None] = {}
        self._past_perm_ids: dict[PermId, OmsId] = {}
        self._past_families: dict[str, ExecId] = {}

    # --- reading ---

    def get(self, oms_id: OmsId) -> OrderState | None:
        """The order of that name, if it is not evicted."""
        return self._orders.get(oms_id)

    def known(self, oms_id: OmsId) -> OrderState:
        """The order of that name, where it cannot have been evicted.

        Raises:
            KeyError: there is none.
        """
        return self._orders[oms_id]

    def is_used(self, oms_id: OmsId) -> bool:
        """Whether an order of that name ever was (within what is remembered)."""
        return oms_id in self._orders or oms_id in self._past_ids

    def by_perm_id(self, perm_id: PermId) -> OrderState | None:
        """The order behind a permId."""
        oms_id = self._by_perm_id.get(perm_id)
        return None if oms_id is None else self._orders.get(oms_id)

    def by_family(self, family: str) -> OrderState | None:
        """The order that an execution family was booked to."""
        oms_id = self._by_family.get(family)
        return None if oms_id is None else self._orders.get(oms_id)

    def by_number(self, epoch: Epoch, client_id: ClientId, order_id: OrderId) -> OrderState | None:
        """The order that bears this number on this connection."""
        oms_id = self._by_number.get((epoch, client_id, order_id))
        return None if oms_id is None else self._orders.get(oms_id)

    def booked_as(self, family: str) -> ExecId | None:
        """The execution of that family that was booked to an order evicted since."""
        return self._past_families.get(family)

    def past_owner(self, perm_id: PermId, order_ref: str) -> OmsId | None:
        """The evicted order of ours behind a permId or an order reference."""
        owner = self._past_perm_ids.get(perm_id)
        if owner is None and order_ref in self._past_ids:
            owner = OmsId(order_ref)
        return owner

    def open_orders(self) -> tuple[OrderState, ...]:
        """Our open orders, oldest first; cost grows with their number."""
        return tuple(self._orders[oms_id] for oms_id in self._open)

    def open_strangers(self) -> tuple[OrderState, ...]:
        """Orders that are not ours and were told of as living; cost grows with all orders known."""
        strangers = (order for order in self._orders.values() if order.external and order.is_open)
        return tuple(order for order in strangers if not order.is_untold)

    @property
    def open_count(self) -> int:
        """Number of our open orders."""
        return len(self._open)

    @property
    def doubt_count(self) -> int:
        """Number of our orders in doubt."""
        return sum(len(names) for names in self._doubted.values())

    def doubted_in(self, key: str) -> str:
        """Name of an order in doubt in that instrument, empty if there is none."""
        doubted = self._doubted.get(key)
        return min(doubted) if doubted else ""

    def exposure(self, account: Account, key: str) -> Exposure | None:
        """What we hold and have open in that account and instrument."""
        return self._exposures.get((account, key))

    def holdings(self) -> Iterator[tuple[Account, Contract, Decimal]]:
        """Our positions that are not flat, as booked from our fills."""
        for (account, _), exposure in self._exposures.items():
            if exposure.position:
                yield account, exposure.contract, exposure.position

    # --- writing ---

    def link_number(self, order: OrderState, number: Number) -> None:
        """The order bears this number on this connection; the first one to bear it keeps it."""
        if number not in self._by_number:
            self._by_number[number] = order.oms_id
            self._numbers_of.setdefault(order.oms_id, []).append(number)

    def put(self, before: OrderState | None, after: OrderState) -> None:
        """Store a changed order under all its names."""
        oms_id = after.oms_id
        self._orders[oms_id] = after
        if before is None or after.perm_ids is not before.perm_ids:
            for perm_id in after.perm_ids:
                self._by_perm_id.setdefault(perm_id, oms_id)
        known = 0 if before is None else len(before.fills)
        if len(after.fills) != known:
            for family in tuple(after.fills)[known:]:
                self._by_family.setdefault(family, oms_id)
        if after.external:
            self._closed[oms_id] = None
        else:
            ours = before if before is not None and not before.external else None
            if ours is None or after.status is not ours.status or after.in_doubt is not ours.in_doubt:
                self._count(ours, after)
            if after.order_id is not None and (ours is None or not _is_alike(ours, after)):
                self._expose(ours, after)

    def _count(self, before: OrderState | None, after: OrderState) -> None:
        """Keep who is open and who is in doubt."""
        if before is None or before.status is not after.status:
            is_over = after.status.is_terminal
            here, there = (self._closed, self._open) if is_over else (self._open, self._closed)
            if after.oms_id not in here:
                here[after.oms_id] = None
                there.pop(after.oms_id, None)
        if after.in_doubt != (before is not None and before.in_doubt):
            names = self._doubted.setdefault(instrument_key(after.contract), set())
            (names.add if after.in_doubt else names.discard)(after.oms_id)

    def _expose(self, before: OrderState | None, after: OrderState) -> None:
        """Keep what our orders hold and may still bring."""
        opened = after.remaining
        if before is not None and before.order_id is not None:
            opened -= before.remaining
        exposure = self._exposure_of(after.account, after.contract)
        was_open = before is not None and before.order_id is not None and not before.status.is_terminal
        more = (not after.status.is_terminal) - was_open
        if after.order.side is BUY:
            exposure.buying += opened
            exposure.buy_orders += more
        else:
            exposure.selling += opened
            exposure.sell_orders += more
        if before is None or before.fills is not after.fills:
            self._hold(before, after, exposure)

    def _hold(self, before: OrderState | None, after: OrderState, exposure: Exposure) -> None:
        """A combo moves no position of its own, its legs do."""
        if after.contract.sec_type is not COMBO:
            exposure.position += after.order.side.sign * (after.filled - (before.filled if before is not None else 0))
            return
        known = before.fills if before is not None else {}
        for family, fill in after.fills.items():
            if fill.contract is not None and known.get(family) is not fill:
                previous = known.get(family)
                leg = self._exposure_of(after.account, fill.contract)
                leg.position += fill.side.sign * (fill.quantity - (previous.quantity if previous is not None else 0))

    def _exposure_of(self, account: Account, contract: Contract) -> Exposure:
        key = (account, instrument_key(contract))
        exposure = self._exposures.get(key)
        if exposure is None:
            exposure = self._exposures[key] = Exposure(contract=contract)
        return exposure

    def hold_late(self, account: Account, contract: Contract, quantity: Decimal) -> None:
        """A late execution of an evicted order of ours moves what we hold."""
        self._exposure_of(account, contract).position += quantity

    def hold_settled(self, account: Account, contract: Contract, ours: Decimal, broker: Decimal) -> None:
        """What we hold moves with a settled position, within the broker's: a flatten must close, never open."""
        exposure = self._exposure_of(account, contract)
        least, most = sorted((Decimal(0), broker))
        exposure.position = min(max(exposure.position + broker - ours, least), most)

    # --- forgetting ---

    @property
    def is_full(self) -> bool:
        """Whether more closed orders are kept than wanted."""
        return len(self._closed) > self._keep_closed

    def evict(self) -> None:
        """Let go of the oldest closed orders beyond the limit, keeping their names."""
        while self.is_full:
            oms_id = next(iter(self._closed))
            del self._closed[oms_id]
            self._forget(self._orders.pop(oms_id))

    def _forget(self, order: OrderState) -> None:
        for number in self._numbers_of.pop(order.oms_id, ()):
            del self._by_number[number]
        for perm_id in order.perm_ids:
            self._by_perm_id.pop(perm_id, None)
            if not order.external:
                _remember(self._past_perm_ids, perm_id, order.oms_id, self._keep_names)
        for family, fill in order.fills.items():
            self._by_family.pop(family, None)
            _remember(self._past_families, family, fill.exec_id, self._keep_names)
        if not order.external:
            _remember(self._past_ids, order.oms_id, None, self._keep_names)

    # --- snapshots ---

    def snapshot(self) -> BookSnapshot:
        """Everything, as plain values."""
        numbers = ((*number, oms_id) for oms_id, held in self._numbers_of.items() for number in held)
        return BookSnapshot(
            orders=self._in_order(),
            numbers=tuple(numbers),
            past_ids=tuple(self._past_ids),
            past_perm_ids=tuple(self._past_perm_ids.items()),
            past_families=tuple(self._past_families.items()),
            holdings=tuple(
                (account, exposure.contract, exposure.position) for (account, _), exposure in self._exposures.items()
            ),
        )

    def _in_order(self) -> tuple[OrderState, ...]:
        """Closed orders as they closed, then the open ones as they came: a restored book evicts the same ones."""
        return tuple(self._orders[oms_id] for names in (self._closed, self._open) for oms_id in names)

    def load(self, snapshot: BookSnapshot) -> None:
        """Fill an empty book from a snapshot."""
        for account, contract, _ in snapshot.holdings:
            self._exposure_of(account, contract)
        for order in snapshot.orders:
            self.put(None, order)
        for epoch, client_id, order_id, oms_id in snapshot.numbers:
            self.link_number(self._orders[oms_id], (epoch, client_id, order_id))
        self._past_ids = dict.fromkeys(snapshot.past_ids)
        self._past_perm_ids = dict(snapshot.past_perm_ids)
        self._past_families = dict(snapshot.past_families)
        for account, contract, position in snapshot.holdings:
            self._exposure_of(account, contract).position = position


def _is_alike(before: OrderState, after: OrderState) -> bool:
    """Nothing that exposure depends on changed; what fills cost it does not depend on."""
    return (
        before.filled is after.filled
        and before.order is after.order
        and before.order_id is not None
        and before.status.is_terminal is after.status.is_terminal
        and (before.fills is after.fills or after.contract.sec_type is not COMBO)
    )


_K = TypeVar("_K")
_V = TypeVar("_V")


def _remember(names: dict[_K, _V], name: _K, value: _V, limit: int) -> None:
    names[name] = value
    if len(names) > limit:
        del names[next(iter(names))]
