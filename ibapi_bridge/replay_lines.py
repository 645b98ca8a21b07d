"""Lines of a capture as messages of the core, with what lines written by hand leave out."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final

import attrs

from actors.domain.contract import SecType
from actors.domain.identity import Account, Epoch, OrderId
from actors.messages.commands import RecordCancel, RecordNumber, RecordPlacement
from actors.messages.reports import (
    CompletedOrderReported,
    ExecutionReported,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    Report,
)
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.figures import Untranslatable, identity, integer, quantity, read
from ibapi_bridge.inbound import translate
from ibapi_bridge.inbound_terms import contract_of, order_of
from ibapi_bridge.replay_advisors import Allocations
from ibapi_bridge.replay_contracts import KnownContracts
from ibapi_bridge.replay_names import PlacedOrders, client_id_of, client_of, only_account_of
from ibapi_bridge.transcript import Line

Recorded = RecordPlacement | RecordNumber | RecordCancel

_ABOUT_ORDERS: Final = (OrderStatusReported, OpenOrderReported, ExecutionReported)
_MUST_TELL: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = MappingProxyType(
    {
        "openOrder": ("order", {"action": "action", "totalQuantity": "totalQuantity"}),
        "execDetails": ("execution", {"side": "action"}),
    }
)
"""Where an answer has what it must tell, by the names of an ``Order``."""
_WITH_CONTRACT: Final = (OpenOrderReported, CompletedOrderReported, ExecutionReported, PositionReported)


@attrs.define
class Connection:
    """What a capture told of the connection it is about."""

    epoch: Epoch = Epoch(0)
    next_id: OrderId | None = None
    accounts: tuple[Account, ...] = ()
    linked: set[OrderId] = attrs.field(factory=set)
    talk: Conversation = attrs.field(factory=lambda: Conversation(presume_asked=True))

    @property
    def only_account(self) -> Account:
        """The account, where there is but one."""
        return self.accounts[0] if len(self.accounts) == 1 else Account("")


class Reader:
    """Understands the lines of one capture."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self.client_id = client_id_of(lines)
        self._placed = PlacedOrders(lines)
        self._contracts = KnownContracts(lines)
        self._account = only_account_of(lines)
        self._allocations = Allocations(lines)

    def left(self, line: Line, here: Connection) -> Iterable[Recorded]:
        """What a request that left means for our orders.

        Raises:
            Untranslatable: the order cannot be understood.
            InvalidOrder: likewise.
        """
        match line.name:
            case "placeOrder":
                return self._place(line, here)
            case "cancelOrder":
                return self._cancel(line, here)
            case "reqGlobalCancel":
                return [RecordCancel(at=line.at, oms_id=placed.oms_id) for placed in self._placed.all()]
            case _:
                here.talk.note(line.name, line.args)
                return ()

    def came(self, line: Line, here: Connection) -> Iterable[Report | Recorded]:
        """What a callback says, after what must be known to understand it."""
        if self._allocations.repeat(line):
            return
        for report in translate(line.name, self._with_terms(line), at=line.at, epoch=here.epoch, context=here.talk):
            whole = self._whole(report, line, here)
            if isinstance(whole, NoticeReported) and whole.subject is not None:
                yield from self._link(OrderId(whole.subject), line, here)
            elif isinstance(whole, _ABOUT_ORDERS) and not whole.perm_id and whole.order_id is not None:
                yield from self._link(whole.order_id, line, here)
            yield whole

    def _with_terms(self, line: Line) -> Mapping[str, object]:
        """The arguments with what an echo or an execution must tell and a log may leave out: what we had sent."""
        said, wanted = _MUST_TELL.get(line.name, ("", {}))
        source = line.args.get(said)
        order_id = OrderId(integer(line.args.get("orderId") or read(source, "orderId")))
        placed, sent = self._placed.find(order_id), self._placed.sent(order_id)
        missing = {name: read(sent, ours) for name, ours in wanted.items() if read(source, name) in (None, "")}
        is_strangers = client_of(line.args) not in (None, self.client_id)
        is_leg = line.name == "execDetails" and placed is not None and placed.contract.sec_type is SecType.COMBO
        if sent is None or not missing or is_strangers or is_leg:
            return line.args
        told = {} if source is None else vars(source)
        return {**line.args, said: SimpleNamespace(**{**told, **missing})}

    def _place(self, line: Line, here: Connection) -> Iterable[Recorded]:
        source = line.args.get("order")
        if read(source, "whatIf") is True:
            return ()
        ref = identity(read(source, "orderRef"))
        order_id = OrderId(integer(line.args.get("orderId")) or integer(read(source, "orderId")))
        contract = self._contracts.whole(contract_of(line.args.get("contract")))
        _check_quantity(source)
        terms = order_of(contract, source)
        self._placed.send(order_id, source)
        placed = self._placed.find_modified(here.epoch, order_id, ref, here.next_id)
        if placed is None:
            account = Account(identity(read(source, "account"))) or here.only_account or self._account
            placed = self._placed.add(here.epoch, order_id, ref, contract, account)
        left = RecordPlacement(
            at=line.at,
            oms_id=placed.oms_id,
            order_id=order_id,
            epoch=here.epoch,
            order=terms,
            contract=placed.contract,
            account=placed.account,
            client_id=self.client_id,
        )
        return (left,)

    def _cancel(self, line: Line, here: Connection) -> Iterable[Recorded]:
        order_id = OrderId(integer(line.args.get("orderId")))
        placed = self._placed.find(order_id)
        if placed is not None:
            yield from self._link(order_id, line, here)
            yield RecordCancel(at=line.at, oms_id=placed.oms_id)

    def _link(self, order_id: OrderId, line: Line, here: Connection) -> Iterable[RecordNumber]:
        """An order keeps its id on the next connection, unless the id is given out again there."""
        placed = self._placed.find_older(here.epoch, order_id, here.next_id)
        if placed is not None and order_id not in here.linked:
            here.linked.add(order_id)
            yield RecordNumber(
                at=line.at, oms_id=placed.oms_id, order_id=order_id, epoch=here.epoch, client_id=self.client_id
            )

    def _whole(self, report: Report, line: Line, here: Connection) -> Report:
        """The report with what the line leaves out, as far as the capture itself tells it."""
        changes: dict[str, Any] = {}
        placed = self._placed.find(getattr(report, "order_id", None))
        if placed is not None and isinstance(report, _ABOUT_ORDERS) and client_of(line.args) is None:
            changes["client_id"] = self.client_id
        if isinstance(report, _WITH_CONTRACT):
            named = self._contracts.whole(report.contract)
            changes["contract"] = named if named.name or placed is None else placed.contract
        if isinstance(report, OpenOrderReported | CompletedOrderReported | ExecutionReported):
            if not report.account:
                changes["account"] = placed.account if placed is not None else here.only_account or self._account
            if report.order_ref in self._placed.shared_refs:
                changes["order_ref"] = ""
        return attrs.evolve(report, **changes) if changes else report


def _check_quantity(source: object) -> None:
    """Refuse a quantity that is there and no number, such as ``1,000`` or ``-100``: it must not pass for zero.

    Raises:
        Untranslatable: it cannot be read, and the order has no value in cash instead.
    """
    size = read(source, "totalQuantity")
    if size not in (None, "") and quantity(size) is None and not quantity(read(source, "cashQty")):
        raise Untranslatable(f"totalQuantity is {str(size)[:64]!r}: it must be a number, not negative")
