"""Flatten: our open orders go first, then our positions are closed at the market; asked twice it happens once."""

from datetime import datetime
from decimal import Decimal

import attrs

from actors.domain.book import instrument_key
from actors.domain.contract import Contract, SecType
from actors.domain.desk_config import Flattening
from actors.domain.desk_core import DeskCore, lacks_fills
from actors.domain.identity import Account, OmsId
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.domain.requests import cancel
from actors.domain.submission import submit
from actors.domain.terms import Order, Side, TimeInForce
from actors.messages.commands import CancelOrder, FlattenAll, SubmitOrder
from actors.messages.events import Discrepancy

FLATTEN = "flatten"
_KEY = ("", FLATTEN)


def flatten(core: DeskCore, command: FlattenAll) -> None:
    """Begin; one that is under way goes on as it is."""
    if core.flattening is None:
        core.flattening = Flattening(reason=command.reason)
        core.deadlines.expect(_KEY, core.config.patience.flatten)
        go_on(core, command.at)


def go_on(core: DeskCore, at: datetime) -> None:
    """Do the next step of a flatten, if it can be done now; looked at after every decision while one is under way."""
    if core.flattening is not None and core.is_ready:
        _go_on(core, core.flattening, at)
    if core.flattening is None:
        core.deadlines.forget(_KEY)


def _go_on(core: DeskCore, begun: Flattening, at: datetime) -> None:
    state: Flattening | None = begun
    if begun.closing:
        _closing_ended(core, begun, at)
        state = core.flattening
    if state is None or state.closing:
        return
    state = _without_doubted(core, state)
    waiting = [order for order in core.book.open_orders() if _is_awaited(order, state)]
    if waiting:
        _cancel_all(core, state, waiting, at)
    else:
        _close_all(core, state, at)


def overdue(core: DeskCore, at: datetime) -> None:
    """It takes long: said once, for nobody may be looking, and a position that should be closed is open."""
    state = core.flattening
    if state is not None:
        text = f"{state.reason}: not done after {core.config.patience.flatten:g} s, {_obstacle(core, state)}"
        core.say(Discrepancy(at=at, kind="FLATTEN_SLOW", subject=",".join(state.closing), text=text))


def _obstacle(core: DeskCore, state: Flattening) -> str:
    if not core.is_ready:
        return f"the session is {core.session.value}"
    if state.closing:
        return "the closing orders are not filled"
    return "orders are still open or in doubt"


def _is_awaited(order: OrderState, state: Flattening) -> bool:
    """Whether its cancel must be asked for or answered first; a doubt may take for ever and a refusal is an answer.

    While executions are owed, what we hold is not known: closing it then would close it twice.
    """
    awaited = order.oms_id not in state.asked or order.pending is Pending.CANCEL or lacks_fills(order)
    return awaited and not order.in_doubt


def _without_doubted(core: DeskCore, state: Flattening) -> Flattening:
    """A cancel that was lost is asked again once its order turns out to live: it would fill beside the close."""
    orders = (core.book.get(oms_id) for oms_id in state.asked)
    asked = tuple(order.oms_id for order in orders if order is not None and not order.in_doubt)
    if asked == state.asked:
        return state
    core.flattening = attrs.evolve(state, asked=asked)
    return core.flattening


def _closing_ended(core: DeskCore, state: Flattening, at: datetime) -> None:
    """Once the closing orders are over: done, or once more for what had to wait, or failed."""
    orders = [core.book.get(oms_id) for oms_id in state.closing]
    if any(order is not None and order.is_open for order in orders):
        return
    failed = [order for order in orders if order is not None and order.status is not ExecStatus.FILLED]
    again = not failed and any(True for _ in core.book.holdings())
    core.flattening = attrs.evolve(state, closing=()) if again else None
    for order in failed:
        text = f"the closing order is {order.status.value}: {order.reason}; the position is still open"
        core.say(Discrepancy(at=at, kind="FLATTEN_FAILED", subject=order.oms_id, text=text))


def _cancel_all(core: DeskCore, state: Flattening, waiting: list[OrderState], at: datetime) -> None:
    fresh = [order for order in waiting if order.oms_id not in state.asked]
    core.flattening = attrs.evolve(state, asked=(*state.asked, *(order.oms_id for order in fresh)))
    for order in fresh:
        cancel(core, CancelOrder(at=at, oms_id=order.oms_id))


def _close_all(core: DeskCore, state: Flattening, at: datetime) -> None:
    """Close what we hold; what is held in an instrument with a doubt waits until the doubt is over.

    Nothing held is not the end while an order is in doubt: it may live, or have filled.
    """
    holdings = tuple(core.book.holdings())
    if not holdings:
        core.flattening = state if core.book.doubt_count else None
        return
    free = [holding for holding in holdings if not core.book.doubted_in(instrument_key(holding[1]))]
    closing = tuple(_close(core, holding, at) for holding in free)
    core.flattening = attrs.evolve(state, closing=closing)


def _close(core: DeskCore, holding: tuple[Account, Contract, Decimal], at: datetime) -> OmsId:
    account, contract, held = holding
    core.flattened += 1
    oms_id = OmsId(f"{core.config.strategy_id[:20]}-flat-{core.flattened}")
    order = Order(
        side=Side.SELL if held > 0 else Side.BUY,
        quantity=abs(held),
        contract=contract,
        time_in_force=_life_of_market_orders(contract),
    )
    submit(core, SubmitOrder(at=at, oms_id=oms_id, order=order, account=account, closing=True))
    return oms_id


def _life_of_market_orders(contract: Contract) -> TimeInForce:
    """Crypto currencies take market orders only to be executed at once (IBKR)."""
    return TimeInForce.IOC if contract.sec_type is SecType.CRYPTO else TimeInForce.DAY
