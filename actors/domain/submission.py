"""From a strategy's wish to the wire: checks, qualification, order id, the command to place."""

from datetime import datetime

import attrs

from actors.domain.book import instrument_key
from actors.domain.contract import Contract, Instrument
from actors.domain.desk_config import Waiting
from actors.domain.desk_core import QUALIFY, DeskCore
from actors.domain.evidence import Concluded, ReplaceRequested, Sent
from actors.domain.frozen import evolved
from actors.domain.identity import Account, OmsId
from actors.domain.limits import refusal_of_exposure, refusal_of_size
from actors.domain.order_state import ExecStatus, OrderState, new_order
from actors.domain.terms import OMS_ID_PATTERN, InvalidOrder, Order, Side, check_order, format_quantity
from actors.messages.commands import RecordPlacement, SubmitOrder
from actors.messages.events import Discrepancy, SignalRecorded
from actors.messages.reports import InstrumentRefused, InstrumentReported
from actors.messages.system import SessionState
from actors.messages.wire import PlaceOrder, QualifyContract, SeekConnection

Wish = SubmitOrder | Waiting
"""What a strategy asked for, just now or while its contract was looked up."""


def submit(core: DeskCore, command: SubmitOrder) -> None:
    """Place an order, or say at once why not; a name that was used before changes nothing."""
    if core.book.is_used(command.oms_id):
        text = "an order of this name exists already; the new one was not sent"
        core.say(Discrepancy(at=command.at, kind="DUPLICATE_OMS_ID", subject=command.oms_id, text=text))
        return
    order = core.add(_begun(command.at, command))
    refusal = refusal_of_wish(core, command)
    if refusal:
        core.apply(order, Concluded(at=command.at, status=ExecStatus.REJECTED, reason=refusal))
        if core.session is SessionState.DISCONNECTED:
            core.say(SeekConnection(at=command.at, epoch=core.epoch))
    elif not core.config.trading_enabled:
        _record_signal(core, order, command)
    else:
        _place_or_qualify(core, order, command)


def _begun(at: datetime, wish: Wish | RecordPlacement) -> OrderState:
    return new_order(wish.oms_id, wish.order, wish.order.wanted_contract, at=at, account=wish.account)


def refusal_of_wish(core: DeskCore, wish: Wish) -> str:
    """Why an order may not even be looked up, or nothing."""
    if not core.is_ready:
        return f"not connected: the session is {core.session.value}; orders are never queued"
    if not OMS_ID_PATTERN.fullmatch(wish.oms_id):
        return f"oms_id is {wish.oms_id!r}: accepted are 1 to 32 letters, digits, dots, dashes and underscores"
    if not wish.closing and (core.locked or core.flattening is not None):
        return f"no new exposure: {core.locked or 'everything is being closed'}"
    try:
        check_order(wish.order)
    except InvalidOrder as error:
        return str(error)
    return ""


def _record_signal(core: DeskCore, order: OrderState, command: SubmitOrder) -> None:
    """Trading is off: the order counts as used and over, and only the signal is told."""
    off = attrs.evolve(order, status=ExecStatus.REJECTED, reason="trading is disabled: recorded as a signal, not sent")
    core.book.put(order, off)
    core.changes.append((order, off))
    core.say(SignalRecorded(at=command.at, order=command.order, oms_id=command.oms_id))


def _place_or_qualify(core: DeskCore, order: OrderState, command: SubmitOrder) -> None:
    instrument = core.instrument_for(command.order)
    if instrument is not None:
        place(core, order, command, instrument)
        return
    wish = Waiting(
        oms_id=command.oms_id,
        order=command.order,
        account=command.account,
        closing=command.closing,
        market_price=command.market_price,
    )
    wanted = wish.order.wanted_contract
    asked = any(other.order.wanted_contract == wanted for other in core.waiting.values())
    core.waiting[wish.oms_id] = wish
    core.deadlines.expect((wish.oms_id, QUALIFY), core.config.patience.qualification)
    if not asked:
        core.say(QualifyContract(at=order.created_at, epoch=core.epoch, wanted=wanted))


def place(core: DeskCore, order: OrderState, wish: Wish, instrument: Instrument) -> None:
    """Send an order whose instrument is known, if nothing speaks against it."""
    at = order.updated_at
    account = core.account_for(wish.account)
    terms = snapped(wish.order, instrument)
    refusal = refusal_of_placing(core, wish, account, instrument, terms)
    order_id = None if refusal else core.next_order_id()
    if account is None or order_id is None:
        reason = refusal or "the order ids of this client id are used up: take another client id"
        core.apply(order, Concluded(at=at, status=ExecStatus.REJECTED, reason=reason))
        return
    sent = Sent(
        at=at,
        order=terms,
        contract=instrument.contract,
        account=account,
        client_id=core.config.client_id,
        epoch=core.epoch,
        order_id=order_id,
    )
    after = core.apply(order, sent)
    core.recovery.touched[order.oms_id] = None
    core.book.link_number(after, (core.epoch, core.config.client_id, order_id))
    core.say(
        PlaceOrder(
            at=at,
            epoch=core.epoch,
            oms_id=order.oms_id,
            order_id=order_id,
            account=account,
            instrument=instrument,
            order=terms,
            closing=wish.closing,
        )
    )


def refusal_of_placing(
    core: DeskCore, wish: Wish, account: Account | None, instrument: Instrument, terms: Order
) -> str:
    """Why an order with a known instrument may not leave, or nothing."""
    if account is None:
        return "account is not clear: name one of the accounts of this login"
    key = instrument_key(instrument.contract)
    doubted = core.book.doubted_in(key)
    if doubted:
        return f"order {doubted} in this instrument is in doubt: nothing new is sent before it is resolved"
    if wish.closing:
        return ""
    blocked = core.block_reason(account, instrument.contract)
    if blocked and not core.may_close(account, key, terms):
        return f"no new exposure in {instrument.contract.name}: {blocked}"
    refusal = refusal_of_grid(terms, instrument)
    if refusal:
        return refusal
    limits = core.config.limits
    return refusal_of_size(limits, terms, instrument.contract, wish.market_price) or refusal_of_exposure(
        limits, terms, core.book.exposure(account, key), core.book.open_count - 1
    )


def refusal_of_grid(terms: Order, instrument: Instrument) -> str:
    """Why the instrument's sizes forbid the quantity, or nothing."""
    if terms.cash_quantity is not None:
        return ""
    if terms.quantity < instrument.min_size:
        return f"quantity is {format_quantity(terms.quantity)}: at least {format_quantity(instrument.min_size)}"
    if terms.quantity % instrument.size_increment:
        step = format_quantity(instrument.size_increment)
        return f"quantity is {format_quantity(terms.quantity)}: it must be a multiple of {step}"
    return ""


def snapped(order: Order, instrument: Instrument) -> Order:
    """Prices on the instrument's grid: a limit never more aggressive, a stop to the nearest price."""
    limit, stop = order.limit_price, order.stop_price
    if limit is None and stop is None:
        return order
    if limit is not None:
        limit = instrument.snap(limit, passive_buy=order.side is Side.BUY)
    if stop is not None:
        stop = instrument.snap(stop)
    if limit == order.limit_price and stop == order.stop_price:
        return order
    return evolved(order, limit_price=limit, stop_price=stop)


def instrument_reported(core: DeskCore, report: InstrumentReported) -> None:
    """The broker named the instrument: place what waited for it."""
    core.learn_instrument(report.wanted, report.instrument)
    for wish in _waiting_for(core, report.wanted):
        order = _stop_waiting(core, wish)
        refusal = refusal_of_wish(core, wish)
        if refusal:
            core.apply(order, Concluded(at=report.at, status=ExecStatus.REJECTED, reason=refusal))
        else:
            place(core, attrs.evolve(order, updated_at=report.at), wish, report.instrument)


def instrument_refused(core: DeskCore, report: InstrumentRefused) -> None:
    """The broker knows no such contract: what waited for it is over."""
    for wish in _waiting_for(core, report.wanted):
        end_waiting(core, wish, report.at, ExecStatus.REJECTED, report.text)


def end_waiting(core: DeskCore, wish: Waiting, at: datetime, status: ExecStatus, reason: str) -> None:
    """An order that never left is over."""
    core.apply(_stop_waiting(core, wish), Concluded(at=at, status=status, reason=reason))


def _waiting_for(core: DeskCore, wanted: Contract) -> list[Waiting]:
    return [wish for wish in core.waiting.values() if wish.order.wanted_contract == wanted]


def _stop_waiting(core: DeskCore, wish: Waiting) -> OrderState:
    del core.waiting[wish.oms_id]
    core.deadlines.forget((wish.oms_id, QUALIFY))
    return core.book.known(wish.oms_id)


def qualification_missed(core: DeskCore, oms_id: OmsId, at: datetime) -> None:
    """No answer about the contract in time."""
    wish = core.waiting[oms_id]
    reason = f"the broker did not say in time which contract {wish.order.name} is and which prices it takes"
    end_waiting(core, wish, at, ExecStatus.REJECTED, reason)


def record_placement(core: DeskCore, command: RecordPlacement) -> None:
    """An order (or a modification of it) that a capture shows to have left."""
    order = core.book.get(command.oms_id)
    if order is None:
        order = core.add(_begun(command.at, command))
        sent = Sent(
            at=command.at,
            order=command.order,
            contract=command.contract,
            account=command.account,
            client_id=command.client_id,
            epoch=command.epoch,
            order_id=command.order_id,
        )
        order = core.apply(order, sent)
    else:
        request_terms(core, order, command.at, command.order)
    core.saw_order_id(command.order_id, ours=True)
    core.book.link_number(order, (command.epoch, command.client_id, command.order_id))


def request_terms(core: DeskCore, order: OrderState, at: datetime, wanted: Order) -> OrderState:
    """Other terms were asked for; what the lists say from before that does not answer it."""
    core.recovery.touched[order.oms_id] = None
    return core.apply(order, ReplaceRequested(at=at, wanted=wanted))
