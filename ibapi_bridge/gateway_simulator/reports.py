"""How the gateway tells clients what the exchange did: which messages, in which order, to whom.

1. A status change on placement, modification or fill is an openOrder and orderStatus pair, openOrder first.
2. A cancel confirmation is an orderStatus without openOrder, then error 202.
3. A fill is execDetails, then the pair, then the commission report.
4. A resting stop is echoed twice, the first time with a synthetic limit price.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibapi.message import IN

from ibapi_bridge.gateway_simulator import order_messages as say
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.exchange import events
from ibapi_bridge.gateway_simulator.exchange.types import Execution
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.translation import HELD_BY_TRIGGER

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

LATE_EXECUTION = timedelta(milliseconds=100)
AT_ONCE = frozenset({"IOC", "FOK"})  # told by their openOrder alone, unless they have to wait
HELD_STOP_PAIRS = 4  # recorded: the stop of a bracket is told again and again while it waits for its parent
CODE_PREFIXES: Mapping[int, str] = {201: "Order rejected - reason:", 202: "Order Canceled - reason:"}


class Reporter:
    """Turns exchange events into messages; keeps each `ApiOrder` as it was last told."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._unfinished: ApiOrder | None = None
        self._handlers: dict[type, Callable[[Any, ApiOrder], None]] = {
            events.OrderAccepted: self._accepted,
            events.OrderHeld: self._held,
            events.OrderWorking: self._working,
            events.OrderTriggered: self._triggered,
            events.StopTrailed: self._trailed,
            events.OrderReplaced: self._replaced,
            events.Executed: self._executed,
            events.Commissioned: self._commissioned,
            events.OrderFilled: self._filled,
            events.CancelPending: self._cancel_pending,
            events.OrderCanceled: self._canceled,
            events.OrderRejected: self._rejected,
            events.Warned: self._warned,
            events.ReplaceRefused: self._refused,
            events.CancelRefused: self._refused,
        }

    def report(self, happened: Sequence[events.Event]) -> None:
        """Tells the clients concerned, in the order of the events."""
        for event in _in_telling_order(happened):
            if self._unfinished is not None and not _is_leg_of(event, self._unfinished):
                self._finish_combo()
            handler = self._handlers.get(type(event))
            if handler is None:
                self._gateway.other_event(event)
                continue
            order = self._gateway.book.by_perm(event.perm_id)  # type: ignore[union-attr]
            if order is not None:
                handler(event, order)
        self._finish_combo()

    def _finish_combo(self) -> None:
        order, self._unfinished = self._unfinished, None
        if order is not None:
            self.pair(order)

    def pair(self, order: ApiOrder, *, limit: float | None = None) -> None:
        """The openOrder and orderStatus pair to everyone who watches the order."""
        self._post(order, IN.OPEN_ORDER, say.open_order(order, limit=limit))
        self._post(order, IN.ORDER_STATUS, say.order_status(order))

    def status(self, order: ApiOrder, status: str, *, client_id: int | None = None) -> None:
        """Sets a status and sends orderStatus alone."""
        order.status = status
        self._post(order, IN.ORDER_STATUS, say.order_status(order, client_id=client_id))

    def error(self, order: ApiOrder, code: int, text: str) -> None:
        """An error on the order's id to everyone who watches the order."""
        for session in self._gateway.sessions.watching(order):
            session.error(order.order_id, code, text, self._gateway.now)

    def _post(self, order: ApiOrder, number: int, message: Message) -> None:
        for session in self._gateway.sessions.watching(order):
            session.post(number, message)

    def _accepted(self, event: events.OrderAccepted, order: ApiOrder) -> None:
        order.status = "PreSubmitted"
        order.units = event.order.quantity
        kind = order.order.orderType
        if order.order.parentId:
            return  # told with the reason it is held for, or when it works
        if order.order.tif in AT_ONCE:
            self._post(order, IN.OPEN_ORDER, say.open_order(order))
        elif kind in HELD_BY_TRIGGER:
            order.why_held = "trigger"
            if kind.startswith("TRAIL"):
                _show_stop(order, self._gateway.exchange.trailing_stop(event.order))
            self.pair(order, limit=_synthetic_limit(order))
        elif not _is_untold(order):
            self.pair(order)

    def _held(self, event: events.OrderHeld, order: ApiOrder) -> None:
        order.why_held = event.why_held
        self._show_place(order)
        if event.until is not None and order.order.tif in AT_ONCE and not event.why_held:
            self._post(order, IN.ORDER_STATUS, say.order_status(order))
        elif event.why_held or _is_untold(order):
            order.status = "Inactive" if "locate" in event.why_held else "PreSubmitted"
            for _ in range(HELD_STOP_PAIRS if event.why_held == "child,trigger" else 1):
                self.pair(order)

    def _working(self, _event: events.OrderWorking, order: ApiOrder) -> None:
        order.status = "Submitted"
        order.why_held = ""
        if not (order.order.orderType == "MKT" and order.order.action == "BUY") or order.terminal_first:
            self.pair(order)

    def _triggered(self, _event: events.OrderTriggered, order: ApiOrder) -> None:
        order.why_held = ""  # told when it works, which follows at once

    def _trailed(self, event: events.StopTrailed, order: ApiOrder) -> None:
        _show_stop(order, event.trigger_price)
        self.pair(order)

    def _replaced(self, event: events.OrderReplaced, order: ApiOrder) -> None:
        if event.by == "system":
            order.order.totalQuantity = say.plain(event.order.quantity)
        else:
            order.take_change()
            self._show_place(order)
        self.pair(order)

    def _show_place(self, order: ApiOrder) -> None:
        view = self._gateway.exchange.order(order.perm_id)
        if view is not None and order.order.orderType.startswith("TRAIL"):
            _show_stop(order, view.trigger_price)

    def _executed(self, event: events.Executed, order: ApiOrder) -> None:
        fill = _fill(event, order)
        contract = self._gateway.contract_of(event.con_id)
        if event.is_leg or event.corrects is not None:
            self._execution(order, fill, contract)
            return
        order.filled, order.avg_price, order.last_price = event.cum_quantity, event.avg_price, event.price
        complete = order.filled >= order.quantity > 0
        if order.status != "Cancelled":
            order.status = "Filled" if complete else "Submitted"
        if order.terminal_first and complete:
            self._post(order, IN.ORDER_STATUS, say.order_status(order))
            self._gateway.later(LATE_EXECUTION, lambda: self._execution(order, fill, contract))
            return
        self._execution(order, fill, contract)
        if order.contract.secType == "BAG":
            self._unfinished = order  # the legs' executions come before the status
        else:
            self.pair(order)

    def _execution(self, order: ApiOrder, fill: Execution, contract: Message) -> None:
        for session in self._gateway.sessions.watching(order):
            session.post(IN.EXECUTION_DATA, self._gateway.execution_message(session, fill, contract))
        self._gateway.note_fill(fill)

    def _commissioned(self, event: events.Commissioned, order: ApiOrder) -> None:
        message = commission_message(event.exec_id, event.amount, event.currency, event.realized_pnl)
        if order.terminal_first:
            later = LATE_EXECUTION * 1.2
            self._gateway.later(later, lambda: self._post(order, IN.COMMISSION_AND_FEES_REPORT, message))
        else:
            self._post(order, IN.COMMISSION_AND_FEES_REPORT, message)

    def _filled(self, event: events.OrderFilled, order: ApiOrder) -> None:
        order.completed_at = event.at
        order.completed_status = f"Filled Size: {say.plain(order.filled)}"
        if order.status != "Filled":
            order.status = "Filled"
            self.pair(order)

    def _cancel_pending(self, _event: events.CancelPending, order: ApiOrder) -> None:
        self.status(order, "PendingCancel")

    def _canceled(self, event: events.OrderCanceled, order: ApiOrder) -> None:
        order.completed_at = event.at
        by_system = event.by in {"system", "expiry", "condition"}
        order.completed_status = "Cancelled by System:\n" if by_system else "Cancelled by Trader"
        order.why_held = ""
        if event.by == "ioc":
            self._killed(order)
            return
        canceller = self._gateway.take_canceller(order)
        self.status(order, "Cancelled", client_id=canceller)
        reason = self._gateway.cancel_reasons.pop(order.perm_id, event.reason)
        self.error(order, 202, CODE_PREFIXES[202] + reason)
        self._gateway.note_end(order)

    def _killed(self, order: ApiOrder) -> None:
        if order.order.tif == "FOK":
            self.status(order, "Inactive")
            return
        if order.status != "PendingCancel":
            self.status(order, "PendingCancel")
        self.status(order, "Cancelled")

    def _rejected(self, event: events.OrderRejected, order: ApiOrder) -> None:
        order.reject_reason = event.text
        order.why_held = ""
        if event.inactive:
            order.completed_at = event.at
            order.completed_status = "Cancelled by System:\n"
            self.status(order, "Inactive")
        else:
            order.status = "Inactive"
            self._gateway.book.hide(order)  # refused before it was an order: nothing lists or finds it
        self.error(order, event.code, CODE_PREFIXES.get(event.code, "") + event.text)
        self._gateway.note_end(order)

    def _warned(self, event: events.Warned, order: ApiOrder) -> None:
        self.error(order, event.code, event.text)

    def _refused(self, event: events.ReplaceRefused | events.CancelRefused, order: ApiOrder) -> None:
        if isinstance(event, events.ReplaceRefused):
            order.drop_change()
        self.error(order, event.code, self._refusal_text(event, order))

    @staticmethod
    def _refusal_text(event: events.ReplaceRefused | events.CancelRefused, order: ApiOrder) -> str:
        subject = f"OrderId {order.order_id} that needs to be cancelled"
        if event.code == 10148 and isinstance(event, events.CancelRefused):
            return f"{subject} can not be cancelled, state: {event.state or order.status}."
        if event.code == 10147:
            return f"{subject} is not found."
        return CODE_PREFIXES.get(event.code, "") + event.text


def _is_untold(order: ApiOrder) -> bool:
    """Whether an order's acceptance is not told by itself: a market sale is told when it works, or has to wait."""
    return bool(order.order.orderType == "MKT" and order.order.action == "SELL" and not order.order.parentId)


def _in_telling_order(happened: Sequence[events.Event]) -> Sequence[events.Event]:
    """The events with the warning about an order that has to wait in front of its acceptance."""
    if len(happened) < 2 or not isinstance(happened[0], events.OrderAccepted):
        return happened
    return sorted(happened, key=lambda event: not (isinstance(event, events.Warned) and event.code == 399))


def _is_leg_of(event: events.Event, order: ApiOrder) -> bool:
    return isinstance(event, events.Executed) and event.is_leg and event.perm_id == order.perm_id


def commission_message(exec_id: str, amount: Decimal, currency: str, realized: Decimal | None) -> Message:
    """The commissionAndFeesReport of a fill; an opening fill carries the unset double as realised P&L."""
    return REPLIES[IN.COMMISSION_AND_FEES_REPORT].message(
        execId=exec_id,
        commissionAndFees=float(amount),
        currency=currency,
        realizedPNL=say.UNSET_DOUBLE if realized is None else float(realized),
        bondYield=say.UNSET_DOUBLE,
        yieldRedemptionDate="0",
    )


def _fill(event: events.Executed, order: ApiOrder) -> Execution:
    return Execution(
        at=event.at,
        exec_id=event.exec_id,
        perm_id=event.perm_id,
        account=event.account,
        con_id=event.con_id,
        side=event.side,
        quantity=event.quantity,
        price=event.price,
        cum_quantity=event.cum_quantity,
        avg_price=event.avg_price,
        venue=event.venue,
        liquidity=event.liquidity,
        client_id=order.client_id,
        order_id=order.order_id,
        order_ref=order.order.orderRef,
    )


def _show_stop(order: ApiOrder, price: Decimal | None) -> None:
    if price is not None:
        order.order.trailStopPrice = float(price)


def _synthetic_limit(order: ApiOrder) -> float:
    if order.order.lmtPrice:
        return float(order.order.lmtPrice)
    stop = order.order.trailStopPrice if order.order.orderType.startswith("TRAIL") else order.order.auxPrice
    offset = Decimal("0.03") if order.order.action == "BUY" else Decimal("-0.03")
    return float(max(Decimal(repr(stop)) + offset, Decimal("0.01")))
