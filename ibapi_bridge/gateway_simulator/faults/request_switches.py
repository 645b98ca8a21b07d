"""Switches on requests: what each of them arms. A builder takes the gateway and the switch's parameters."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES, REQUESTS
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.faults.rules import Drop, RequestRule, Scope, before_or_after, whole, whole_or_none
from ibapi_bridge.gateway_simulator.protos import Message, copy_of
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

Parameters: TypeAlias = dict[str, Any]
ANY = "any"
NAMES = frozenset(kind.name for kind in REQUESTS.values())
RequestBuilder: TypeAlias = Callable[["Gateway", Parameters], RequestRule]


def _request(parameters: Parameters, name: str, act: Callable[[Session, Request], bool]) -> RequestRule:
    return RequestRule(
        name=name,
        act=act,
        times=whole(parameters, "n", 1),
        skip=whole(parameters, "skip", 0),
        client_id=whole_or_none(parameters, "client_id"),
    )


def _kind(parameters: Parameters, default: str) -> str:
    name = str(parameters.pop("kind", default))
    if name not in {*NAMES, ANY}:
        raise ConfigError(f"kind {name!r} must be 'any' or a request such as placeOrder, cancelOrder, reqExecutions")
    return "" if name == ANY else name


def _lose_order(_gateway: "Gateway", parameters: Parameters) -> RequestRule:
    return _request(parameters, "placeOrder", lambda _session, _request: True)


def _ignore_request(_gateway: "Gateway", parameters: Parameters) -> RequestRule:
    return _request(parameters, _kind(parameters, ANY), lambda _session, _request: True)


def _mute_order(gateway: "Gateway", parameters: Parameters) -> RequestRule:
    """The order is taken and trades, but nothing is ever said about it."""

    def act(session: Session, request: Request) -> bool:
        about = _AboutOrder(request.message.orderId)
        gateway.faults.arm("muted order", Drop(scope=Scope(times=0, client_id=session.client_id, test=about)))
        return False

    return _request(parameters, "placeOrder", act)


class _AboutOrder:
    """Tells the replies about one order, the commissions of its executions included."""

    def __init__(self, order_id: int) -> None:
        self._order_id = order_id
        self._executions: set[str] = set()

    def __call__(self, message: Message) -> bool:
        kind = message.DESCRIPTOR.name
        if kind == "CommissionAndFeesReport":
            return message.execId in self._executions
        if kind == "ExecutionDetails" and message.execution.orderId == self._order_id:
            self._executions.add(message.execution.execId)
            return True
        if kind == "ErrorMessage":
            return bool(message.id == self._order_id)
        return kind in {"OpenOrder", "OrderStatus"} and bool(message.orderId == self._order_id)


def _reject_order(gateway: "Gateway", parameters: Parameters) -> RequestRule:
    code, text = int(parameters.pop("code", 201)), str(parameters.pop("text", "Order rejected - reason:"))

    def act(session: Session, request: Request) -> bool:
        gateway.ids.use(session.client_id or 0, request.message.orderId)
        session.error(request.message.orderId, code, text, gateway.now)
        return True

    return _request(parameters, "placeOrder", act)


def _kill_around_request(_gateway: "Gateway", parameters: Parameters) -> RequestRule:
    before = before_or_after(parameters, "before") == "before"

    def act(session: Session, _request: Request) -> bool:
        if before:
            session.abort("fault: kill_on_request")
        else:
            session.abort_after_request = True
        return before

    return _request(parameters, _kind(parameters, "placeOrder"), act)


def _client_id_in_use(gateway: "Gateway", parameters: Parameters) -> RequestRule:
    def act(session: Session, _request: Request) -> bool:
        text = "Unable to connect as the client id is already in use. Retry with a unique client id."
        session.error(-1, 326, text, gateway.now)
        session.close("fault: client_id_in_use")
        return True

    return _request(parameters, "startApi", act)


def _pending_submit(gateway: "Gateway", parameters: Parameters) -> RequestRule:
    """As paper futures at the weekend: PendingSubmit and nothing else, cancels hang in PendingCancel."""

    def act(session: Session, request: Request) -> bool:
        gateway.ids.use(session.client_id or 0, request.message.orderId)
        told = _pending(session, request.message, gateway.ids.new_perm_id())
        session.post(IN.ORDER_STATUS, told)
        gateway.faults.arm_request("pending cancel", _hanging_cancel(told))
        return True

    return _request(parameters, "placeOrder", act)


def _pending(session: Session, placed: Message, perm_id: int) -> Message:
    return REPLIES[IN.ORDER_STATUS].message(
        orderId=placed.orderId,
        status="PendingSubmit",
        filled="0",
        remaining=placed.order.totalQuantity or "0",
        permId=perm_id,
        clientId=session.client_id or 0,
        parentId=placed.order.parentId,
        avgFillPrice=0.0,
        lastFillPrice=0.0,
        whyHeld="",
        mktCapPrice=0.0,
    )


def _hanging_cancel(told: Message) -> RequestRule:
    def is_meant(session: Session, request: Request) -> bool:
        return bool((session.client_id, request.message.orderId) == (told.clientId, told.orderId))

    def act(session: Session, _request: Request) -> bool:
        told.status = "PendingCancel"
        session.post(IN.ORDER_STATUS, copy_of(told))
        return True

    return RequestRule(name="cancelOrder", act=act, times=0, test=is_meant)


def _two_perm_ids(gateway: "Gateway", parameters: Parameters) -> RequestRule:
    """The next change makes a second live order under the same API id while the first lives on."""

    def changes_a_live_order(session: Session, request: Request) -> bool:
        known = gateway.book.find(session.client_id or 0, request.message.orderId)
        return known is not None and known.alive

    def act(session: Session, request: Request) -> bool:
        known = gateway.book.find(session.client_id or 0, request.message.orderId)
        if known is not None:
            gateway.book.hide(known)
            gateway.ids.allow_again(session.client_id or 0, request.message.orderId)
        return False

    rule = _request(parameters, "placeOrder", act)
    rule.test = changes_a_live_order
    return rule


REQUEST_RULES: Mapping[str, RequestBuilder] = {
    "lose_order": _lose_order,
    "ignore_request": _ignore_request,
    "mute_order": _mute_order,
    "reject_order": _reject_order,
    "kill_on_request": _kill_around_request,
    "client_id_in_use": _client_id_in_use,
    "pending_submit": _pending_submit,
    "two_perm_ids": _two_perm_ids,
}
