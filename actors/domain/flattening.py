"""Flatten: our open orders go first, then our positions are closed at the market; asked twice it happens once."""

from datetime import datetime

import attrs

from actors.domain.book import instrument_key
from actors.domain.contract import Contract
from actors.domain.desk_config import Flattening
from actors.domain.desk_core import DeskCore
from actors.domain.identity import Account, OmsId
from actors.domain.order_state import OrderState
from actors.domain.requests import cancel
from actors.domain.submission import submit
from actors.domain.terms import Order, Side
from actors.messages.commands import CancelOrder, FlattenAll, SubmitOrder


def flatten(core: DeskCore, command: FlattenAll) -> None:
    """Begin; one that is under way goes on as it is."""
    if core.flattening is None:
        core.flattening = Flattening(reason=command.reason)
        go_on(core, command.at)


def go_on(core: DeskCore, at: datetime) -> None:
    """Do the next step of a flatten, if it can be done now; looked at after every decision while one is under way."""
    state = core.flattening
    if state is None or not core.is_ready:
        return
    if state.closing:
        if all(_is_over(core.book.get(oms_id)) for oms_id in state.closing):
            core.flattening = None
        return
    waiting = [order for order in core.book.open_orders() if not order.in_doubt]
    if waiting:
        _cancel_all(core, state, waiting, at)
    else:
        _close_all(core, state, at)


def _is_over(order: OrderState | None) -> bool:
    return order is None or order.status.is_terminal


def _cancel_all(core: DeskCore, state: Flattening, waiting: list[OrderState], at: datetime) -> None:
    fresh = [order for order in waiting if order.oms_id not in state.asked]
    core.flattening = attrs.evolve(state, asked=(*state.asked, *(order.oms_id for order in fresh)))
    for order in fresh:
        cancel(core, CancelOrder(at=at, oms_id=order.oms_id))


def _close_all(core: DeskCore, state: Flattening, at: datetime) -> None:
    """Close what we hold; what is held in an instrument with a doubt waits until the doubt is over."""
    holdings = tuple(core.book.holdings())
    free = [holding for holding in holdings if not core.book.doubted_in(instrument_key(holding[1]))]
    if not holdings:
        core.flattening = None
        return
    closing = tuple(_close(core, account, contract, at) for account, contract, _ in free)
    core.flattening = attrs.evolve(state, closing=closing)


def _close(core: DeskCore, account: Account, contract: Contract, at: datetime) -> OmsId:
    exposure = core.book.exposure(account, instrument_key(contract))
    held = exposure.position if exposure is not None else 0
    core.flattened += 1
    oms_id = OmsId(f"{core.config.strategy_id[:20]}-flat-{core.flattened}")
    order = Order(side=Side.SELL if held > 0 else Side.BUY, quantity=abs(held), contract=contract)
    submit(core, SubmitOrder(at=at, oms_id=oms_id, order=order, account=account, closing=True))
    return oms_id
