"""Which order a line of a capture is about, for lines that went out: what the broker does not have to tell us."""

from collections.abc import Iterable, Mapping

import attrs

from actors.domain.contract import Contract
from actors.domain.identity import Account, ClientId, Epoch, OmsId, OrderId
from ibapi_bridge.figures import identity, integer, read
from ibapi_bridge.transcript import Direction, Line


@attrs.frozen(kw_only=True)
class Placed:
    """An order of ours as the capture shows it leaving."""

    oms_id: OmsId
    contract: Contract
    account: Account


class PlacedOrders:
    """The orders that left, by order id; the newest owner of an id counts.

    An order id that was placed before is a modification, except on a later connection whose ``nextValidId`` gives the
    id out again: then it is a new order. An orderRef names an order if no other order of the capture bears it.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self.shared_refs = _shared_refs(lines)
        self._by_id: dict[OrderId, tuple[Epoch, str, Placed]] = {}
        self._terms: dict[OrderId, object] = {}
        self._names: set[OmsId] = set()

    def find(self, order_id: OrderId | None) -> Placed | None:
        """The newest order of ours with that id."""
        known = self._by_id.get(order_id) if order_id is not None else None
        return known[2] if known is not None else None

    def send(self, order_id: OrderId, terms: object) -> None:
        """Remember the ``Order`` that left last under that id."""
        self._terms[order_id] = terms

    def sent(self, order_id: OrderId) -> object:
        """The ``Order`` that left last under that id; None if none did."""
        return self._terms.get(order_id)

    def find_modified(self, epoch: Epoch, order_id: OrderId, ref: str, next_id: OrderId | None) -> Placed | None:
        """The order that a second ``placeOrder`` changes; None when it is a new one."""
        known = self._by_id.get(order_id)
        if known is None:
            return None
        placed_in, known_ref, placed = known
        given_out_again = placed_in != epoch and next_id is not None and order_id >= next_id
        is_other = ref != known_ref and placed_in != epoch
        return None if is_other or (given_out_again and (not ref or ref in self.shared_refs)) else placed

    def find_older(self, epoch: Epoch, order_id: OrderId, next_id: OrderId | None) -> Placed | None:
        """The order of an earlier connection that still bears the id, as it was not given out again."""
        known = self._by_id.get(order_id)
        if known is None or known[0] == epoch or (next_id is not None and order_id >= next_id):
            return None
        return known[2]

    def add(self, epoch: Epoch, order_id: OrderId, ref: str, contract: Contract, account: Account) -> Placed:
        """Give a new order its name: the orderRef, else ``order-<orderId>``; a number follows a name already taken."""
        name = OmsId(ref or f"order-{order_id}")
        if name in self._names:
            name = OmsId(f"{name}-{order_id}" if ref else name)
        count = 2
        unique = name
        while unique in self._names:
            unique, count = OmsId(f"{name}-{count}"), count + 1
        self._names.add(unique)
        placed = Placed(oms_id=unique, contract=contract, account=account)
        self._by_id[order_id] = (epoch, ref, placed)
        return placed

    def all(self) -> tuple[Placed, ...]:
        """Every order that can still be named by its id."""
        return tuple(placed for _, _, placed in self._by_id.values())


def _shared_refs(lines: Iterable[Line]) -> frozenset[str]:
    """Order references under more than one order id: labels, not names."""
    ids: dict[str, set[int]] = {}
    for line in lines:
        if line.direction is Direction.OUT and line.name == "placeOrder":
            ref = identity(read(line.args.get("order"), "orderRef"))
            ids.setdefault(ref, set()).add(integer(line.args.get("orderId")))
    return frozenset(ref for ref, owners in ids.items() if ref and len(owners) > 1)


def client_of(args: Mapping[str, object]) -> ClientId | None:
    """The client id that a line names, anywhere in its arguments; None if it names none."""
    places = (args.get("clientId"), *(read(args.get(part), "clientId") for part in ("order", "execution")))
    return next((ClientId(integer(value)) for value in places if value is not None), None)


def client_id_of(lines: tuple[Line, ...]) -> ClientId:
    """The client id that the capture was taken under; 0 if nothing tells it.

    The connection's own line names it, or ``startApi``, or the first answer about an order that was placed before.
    """
    placed = set[int]()
    for line in lines:
        if line.direction is Direction.OUT and line.name == "placeOrder":
            placed.add(integer(line.args.get("orderId")))
        client_id = client_of(line.args)
        if client_id is None:
            continue
        if line.name in ("connected", "startApi") or (line.direction is Direction.IN and _is_answer(line, placed)):
            return client_id
    return ClientId(0)


def only_account_of(lines: Iterable[Line]) -> Account:
    """The account that a capture is about, if it names but one."""
    named = {identity(account) for line in lines for account in _accounts_of(line.args)} - {""}
    return Account(named.pop()) if len(named) == 1 else Account("")


def _accounts_of(args: Mapping[str, object]) -> Iterable[object]:
    yield from (args.get("account"), args.get("accountName"))
    yield from str(args.get("accountsList") or "").split(",")
    yield from (read(args.get("order"), "account"), read(args.get("execution"), "acctNumber"))


def _is_answer(line: Line, placed: set[int]) -> bool:
    order_id = line.args.get("orderId", read(line.args.get("execution"), "orderId"))
    return integer(order_id) in placed
