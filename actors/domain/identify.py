"""Which order a report belongs to: by permId, by our name, by execution family, and by number on one connection only.

Whatever belongs to no order of ours belongs to a stranger's: it is booked as EXTERNAL, counted, and never touched.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs

from actors.domain.contract import Contract, SecType
from actors.domain.desk_core import DeskCore
from actors.domain.identity import Account, ClientId, Epoch, OmsId, OrderId, execution_family
from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.reports import CompletedOrderReported, ExecutionReported, OpenOrderReported, OrderStatusReported

COMBO = SecType.COMBO
EXTERNAL_PREFIX = "EXT-"


def of_status(core: DeskCore, report: OrderStatusReported) -> OrderState | None:
    """The order a status speaks of."""
    known = core.book.by_perm_id(report.perm_id) if report.perm_id else None
    return known or core.book.by_number(report.epoch, report.client_id, report.order_id)


def of_open_order(core: DeskCore, report: OpenOrderReported) -> OrderState | None:
    """The order an echo shows; a stranger's is put into the book, one of ours that was evicted is None."""
    order = (core.book.by_perm_id(report.perm_id) if report.perm_id else None) or _by_name(core, report.order_ref)
    if order is None:
        numbered = core.book.by_number(report.epoch, report.client_id, report.order_id)
        order = numbered if numbered and fits(numbered, report.contract, report.order.side) else None
    if order is None:
        if core.book.past_owner(report.perm_id, report.order_ref) is not None:
            return None
        order = core.add(_unknown(core, report))
    _link(core, order, report.epoch, report.client_id, report.order_id)
    return order


def of_completed(core: DeskCore, report: CompletedOrderReported) -> OrderState | None:
    """The order a row of the completed list speaks of; rows of unknown orders are history of strangers."""
    return (core.book.by_perm_id(report.perm_id) if report.perm_id else None) or _by_name(core, report.order_ref)


def of_execution(core: DeskCore, report: ExecutionReported, family: str) -> OrderState | None:
    """The order an execution of that family belongs to, None if it is not in the book.

    An execution in another instrument is none of an order's fills, whatever it bears: numbers are given out again, and
    with them a permId can have been linked to the wrong order.
    """
    order = core.book.by_family(family) or _named_by(core, report)
    if order is None and report.order_id:
        numbered = core.book.by_number(report.epoch, report.client_id, report.order_id)
        order = numbered if numbered and fits(numbered, report.contract, report.side) else None
    if order is not None and report.order_id:
        _link(core, order, report.epoch, report.client_id, report.order_id)
    return order


def _named_by(core: DeskCore, report: ExecutionReported) -> OrderState | None:
    """The order with the execution's permId or our name on it."""
    for order in _bearers(core, report):
        if order is not None and is_in(order, report.contract):
            return order
        if order is not None:
            text = f"execution {report.exec_id} bears its permId or name but is in {report.contract.name}"
            core.complain(report.at, "CONTRADICTION", order.oms_id, text)
    return None


def _bearers(core: DeskCore, report: ExecutionReported) -> Iterator[OrderState | None]:
    if report.perm_id:
        yield core.book.by_perm_id(report.perm_id)
    yield _by_name(core, report.order_ref)


def stranger_of_execution(core: DeskCore, report: ExecutionReported) -> OrderState:
    """A stranger's order as far as one of its executions shows it."""
    filled = max(report.cumulative_quantity or Decimal(0), report.quantity)
    terms = Order(side=report.side, quantity=filled, contract=report.contract, order_type=OrderType.OTHER)
    oms_id = external_id(report.perm_id, (report.epoch, report.client_id, report.order_id or OrderId(0)))
    if not report.perm_id and not report.order_id:
        oms_id = OmsId(EXTERNAL_PREFIX + execution_family(report.exec_id)[-28:])
    if _is_our_lost_name(core, report.order_ref, report.client_id):
        oms_id = OmsId(report.order_ref)  # the name is used up: what traded under it is never sent again
    known = core.book.get(oms_id)
    if known is not None:
        return known
    order = _external(oms_id, terms, report.contract, report.account, report.at)
    return core.add(attrs.evolve(order, epoch=report.epoch, client_id=report.client_id, order_id=report.order_id))


def fits(order: OrderState, contract: Contract, side: Side) -> bool:
    """Whether a report found by its number alone can be about the order: numbers are used again, contracts are not."""
    return is_in(order, contract) and (order.order.side is side or _is_combo(order.contract, contract))


def _is_combo(ordered: Contract, contract: Contract) -> bool:
    return ordered.sec_type is COMBO or contract.sec_type is COMBO


def is_in(order: OrderState, contract: Contract) -> bool:
    """Whether a contract can be the order's or a leg of it, as far as both are told."""
    ordered = order.contract
    if _is_combo(ordered, contract):
        return True
    if ordered.con_id and contract.con_id:
        return ordered.con_id == contract.con_id
    return not ordered.symbol or not contract.symbol or ordered.symbol == contract.symbol


def _is_our_lost_name(core: DeskCore, order_ref: str, client_id: ClientId) -> bool:
    """Whether only this strategy can have given the name, with our client id and our id in front, and we forgot it."""
    ours = client_id == core.config.client_id and order_ref.startswith(f"{core.config.strategy_id}-")
    return ours and not core.book.is_used(OmsId(order_ref))


def _unknown(core: DeskCore, report: OpenOrderReported) -> OrderState:
    """A stranger's order; or ours under its own name when only our books do not know it, as after a lost journal."""
    order = _stranger(report, report.epoch, report.client_id, report.order_id)
    if not _is_our_lost_name(core, report.order_ref, report.client_id):
        return order
    text = f"{order.order.describe()} is ours by its name but not in our journal: taken over, not sent again"
    core.complain(report.at, "LOST_ORDER", report.order_ref, text)
    return attrs.evolve(order, oms_id=OmsId(report.order_ref), external=False)


def external_id(perm_id: int, number: tuple[Epoch, ClientId, OrderId]) -> OmsId:
    """Our name of a stranger's order."""
    return OmsId(EXTERNAL_PREFIX + (str(perm_id) if perm_id else ".".join(str(part) for part in number)))


def _stranger(report: OpenOrderReported, epoch: Epoch, client_id: ClientId, order_id: OrderId) -> OrderState:
    oms_id = external_id(report.perm_id, (epoch, client_id, order_id))
    order = _external(oms_id, report.order, report.contract, report.account, report.at)
    return attrs.evolve(order, epoch=epoch, client_id=client_id, order_id=order_id)


def _external(oms_id: OmsId, terms: Order, contract: Contract, account: Account, at: datetime) -> OrderState:
    return OrderState(
        oms_id=oms_id,
        order=terms,
        contract=contract,
        account=account,
        external=True,
        status=ExecStatus.NEW,
        created_at=at,
        updated_at=at,
    )


def _by_name(core: DeskCore, order_ref: str) -> OrderState | None:
    order = core.book.get(OmsId(order_ref)) if order_ref else None
    return order if order is not None and order.order_id is not None and not order.external else None


def _link(core: DeskCore, order: OrderState, epoch: Epoch, client_id: ClientId, order_id: OrderId) -> None:
    if order_id > 0:
        core.book.link_number(order, (epoch, client_id, order_id))
