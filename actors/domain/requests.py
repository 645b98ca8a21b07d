"""Cancels and replaces: what is refused by us, what leaves, what is awaited."""

from datetime import datetime
from decimal import Decimal

import attrs

from actors.domain.book import instrument_key
from actors.domain.contract import Instrument
from actors.domain.desk_core import DeskCore
from actors.domain.evidence import CancelRequested
from actors.domain.identity import OmsId
from actors.domain.limits import refusal_of_growth, refusal_of_size
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.domain.submission import end_waiting, request_terms, snapped
from actors.domain.terms import InvalidOrder, Order, check_order, format_quantity
from actors.messages.commands import CancelOrder, RecordCancel, ReplaceOrder
from actors.messages.events import CancelRefused, Discrepancy, ReplaceRefused
from actors.messages.system import SessionState
from actors.messages.wire import CancelPlacedOrder, ReplacePlacedOrder

_CONNECTED = (SessionState.RECONCILING, SessionState.READY, SessionState.DEGRADED)


def cancel(core: DeskCore, command: CancelOrder) -> None:
    """Cancel what is left of an order; one that never left is cancelled at once."""
    order = _named(core, command.oms_id, command.at)
    if order is None:
        return
    wish = core.waiting.get(order.oms_id)
    if wish is not None:
        end_waiting(core, wish, command.at, ExecStatus.CANCELED, "cancelled before it was sent")
        return
    refusal = refusal_of_cancel(core, order)
    if refusal:
        core.say(CancelRefused(at=command.at, order=order, text=refusal))
    elif order.pending is not Pending.CANCEL or order.in_doubt:
        send_cancel(core, order, command.at)


def refusal_of_cancel(core: DeskCore, order: OrderState) -> str:
    """Why a cancel cannot leave, or nothing."""
    if order.status.is_terminal:
        return f"the order is {order.status.value} already"
    if order.external or order.client_id != core.config.client_id or order.order_id is None:
        return "the order belongs to another client: only its owner may cancel it"
    if core.session not in _CONNECTED:
        return f"not connected: the session is {core.session.value}"
    return ""


def send_cancel(core: DeskCore, order: OrderState, at: datetime) -> None:
    """Put a cancel on its way; its answer is awaited if the order is open."""
    core.recovery.touched[order.oms_id] = None
    core.apply(order, CancelRequested(at=at))
    core.book.link_number(order, (core.epoch, core.config.client_id, order.number))
    core.say(CancelPlacedOrder(at=at, epoch=core.epoch, oms_id=order.oms_id, order_id=order.number))


def record_cancel(core: DeskCore, command: RecordCancel) -> None:
    """A cancel that a capture shows to have left."""
    order = _named(core, command.oms_id, command.at)
    if order is not None:
        core.recovery.touched[order.oms_id] = None
        core.apply(order, CancelRequested(at=command.at))


def replace(core: DeskCore, command: ReplaceOrder) -> None:
    """Change quantity or prices of a working order."""
    order = _named(core, command.oms_id, command.at)
    if order is None:
        return
    instrument = core.instruments.get(order.contract)
    wanted, refusal = _wanted(order, command, instrument)
    refusal = refusal or refusal_of_replace(core, order, wanted, command.market_price)
    if refusal or instrument is None:
        core.say(ReplaceRefused(at=command.at, order=order, text=refusal or "its contract is not qualified"))
        return
    after = request_terms(core, order, command.at, wanted)
    core.book.link_number(after, (core.epoch, core.config.client_id, order.number))
    core.say(
        ReplacePlacedOrder(
            at=command.at,
            epoch=core.epoch,
            oms_id=order.oms_id,
            order_id=order.number,
            account=order.account,
            instrument=instrument,
            order=wanted,
        )
    )


def _wanted(order: OrderState, command: ReplaceOrder, instrument: Instrument | None) -> tuple[Order, str]:
    given = {
        name: value
        for name in ("quantity", "limit_price", "stop_price")
        if (value := getattr(command, name)) is not None
    }
    try:
        wanted = attrs.evolve(order.order, **given)
        check_order(wanted)
    except InvalidOrder as error:
        return order.order, str(error)
    return (snapped(wanted, instrument) if instrument is not None else wanted), ""


def refusal_of_replace(core: DeskCore, order: OrderState, wanted: Order, market_price: Decimal | None) -> str:
    """Why a replace may not leave, or nothing."""
    if not core.is_ready:
        return f"the session is {core.session.value}: orders are changed only when it is READY"
    if order.status.is_terminal or order.status is ExecStatus.NEW:
        return f"the order is {order.status.value}"
    if order.external or order.client_id != core.config.client_id:
        return "the order belongs to another client"
    if order.in_doubt:
        return "the order is in doubt"
    if order.pending is not None or order.wanted is not None:
        return f"a {order.pending or Pending.REPLACE} is not answered yet"
    if wanted == order.order:
        return "nothing would change"
    if wanted.quantity <= order.filled:
        filled = format_quantity(order.filled)
        return f"quantity is {format_quantity(wanted.quantity)} but {filled} are filled: cancel the order instead"
    return _refusal_of_risk(core, order, wanted, market_price)


def _refusal_of_risk(core: DeskCore, order: OrderState, wanted: Order, market_price: Decimal | None) -> str:
    key = instrument_key(order.contract)
    grows = wanted.quantity > order.order.quantity
    reason = core.locked or core.block_reason(order.account, order.contract)
    if grows and reason:
        return f"no new exposure: {reason}"
    limits = core.config.limits
    held = core.book.exposure(order.account, key)
    return refusal_of_size(limits, wanted, order.contract, market_price) or refusal_of_growth(
        limits, order, wanted, held
    )


def _named(core: DeskCore, oms_id: OmsId, at: datetime) -> OrderState | None:
    order = core.book.get(oms_id)
    if order is None:
        core.say(Discrepancy(at=at, kind="NO_SUCH_ORDER", subject=oms_id, text="no order of this name is known"))
    return order
