"""The named switches: what each of them arms. Every builder takes the board and the switch's parameters."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.faults.rules import (
    Delay,
    Drop,
    Duplicate,
    Hold,
    RequestRule,
    Rewrite,
    Rule,
    Scope,
    Then,
)
from ibapi_bridge.gateway_simulator.order_messages import UNSET_DOUBLE
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

Parameters: TypeAlias = dict[str, Any]
RuleBuilder: TypeAlias = Callable[["Gateway", Parameters], Rule]
RequestBuilder: TypeAlias = Callable[["Gateway", Parameters], RequestRule]

STATUS = frozenset({int(IN.ORDER_STATUS)})
PAIR = frozenset({int(IN.ORDER_STATUS), int(IN.OPEN_ORDER)})
FILL = frozenset({int(IN.EXECUTION_DATA)})
FILL_AND_FEE = frozenset({int(IN.EXECUTION_DATA), int(IN.COMMISSION_AND_FEES_REPORT)})
FEE = frozenset({int(IN.COMMISSION_AND_FEES_REPORT)})
NUMBERS: Mapping[str, int] = {kind.name: kind.number for kind in REPLIES.values()}
FRENCH = {
    "Filled": "Rempli",
    "Cancelled": "Annulé",
    "that needs to be cancelled can not be cancelled, state:": "qui doit être annulé ne peut pas l'être, état :",
    "that needs to be cancelled is not found.": "qui doit être annulé est introuvable.",
    "Order Canceled - reason:": "Ordre annulé - raison :",
    "Order rejected - reason:": "Ordre rejeté - raison :",
    "Market data farm connection is OK": "La connexion au serveur de données est OK",
}


def _scope(parameters: Parameters, numbers: frozenset[int], *, status: str | None = None) -> Scope:
    wanted = parameters.pop("status", status)
    return Scope(
        numbers=numbers,
        times=int(parameters.pop("n", 1)),
        skip=int(parameters.pop("skip", 0)),
        client_id=parameters.pop("client_id", None),
        order_id=parameters.pop("order_id", None),
        test=None if wanted is None else lambda message: _status_of(message) == wanted,
    )


def _status_of(message: Message) -> str:
    if message.DESCRIPTOR.name == "OpenOrder":
        return str(message.orderState.status)
    return str(getattr(message, "status", ""))


def _kind(parameters: Parameters) -> frozenset[int]:
    name = str(parameters.pop("kind", ""))
    if name == "any":
        return frozenset()
    if name not in NUMBERS:
        raise ConfigError(f"kind {name!r} must be 'any' or a reply such as orderStatus, execDetails, openOrderEnd")
    return frozenset({NUMBERS[name]})


def _drop(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Drop(scope=_scope(parameters, _kind(parameters)))


def _duplicate(_gateway: "Gateway", parameters: Parameters) -> Rule:
    copies = int(parameters.pop("copies", 1))
    return Duplicate(copies=copies, scope=_scope(parameters, _kind(parameters)))


def _delay(gateway: "Gateway", parameters: Parameters) -> Rule:
    delay = timedelta(seconds=float(parameters.pop("seconds", 1.0)))
    return Delay(later=gateway.later, delay=delay, scope=_scope(parameters, _kind(parameters)))


def _reorder(_gateway: "Gateway", parameters: Parameters) -> Rule:
    until = frozenset({NUMBERS[str(parameters.pop("after", "orderStatus"))]})
    return Hold(until=until, scope=_scope(parameters, _kind(parameters)))


def _duplicate_status(_gateway: "Gateway", parameters: Parameters) -> Rule:
    copies = int(parameters.pop("copies", 1))
    return Duplicate(copies=copies, scope=_scope(parameters, STATUS))


def _skip_status(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Drop(scope=_scope(parameters, PAIR))


def _status_before_exec(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Hold(until=STATUS, scope=_scope(parameters, FILL))


def _exec_before_status(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Hold(until=FILL, scope=_scope(parameters, PAIR, status="PreSubmitted"))


def _late_execution(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Hold(
        until=STATUS,
        release=lambda message: message.status == "Cancelled",
        scope=_scope(parameters, FILL_AND_FEE),
    )


def _commission_missing(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Drop(scope=_scope(parameters, FEE))


def _commission_early(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Hold(until=FEE, scope=_scope(parameters, FILL))


def _commission_unset(_gateway: "Gateway", parameters: Parameters) -> Rule:
    def unset(message: Message) -> None:
        message.commissionAndFees = message.realizedPNL = UNSET_DOUBLE

    return Rewrite(change=unset, scope=_scope(parameters, FEE))


def _error_text(_gateway: "Gateway", parameters: Parameters) -> Rule:
    code, text = int(parameters.pop("code", 201)), str(parameters.pop("text", ""))

    def change(message: Message) -> None:
        message.errorMsg = text

    scope = _scope(parameters, frozenset({int(IN.ERR_MSG)}))
    scope.test = lambda message: bool(message.errorCode == code)
    return Rewrite(change=change, scope=scope)


def _localized(_gateway: "Gateway", parameters: Parameters) -> Rule:
    def change(message: Message) -> None:
        for english, french in FRENCH.items():
            message.errorMsg = message.errorMsg.replace(english, french)

    parameters.setdefault("n", 0)
    return Rewrite(change=change, scope=_scope(parameters, frozenset({int(IN.ERR_MSG)})))


def _slow_open_order_end(gateway: "Gateway", parameters: Parameters) -> Rule:
    parameters.update({"kind": "openOrderEnd", "seconds": parameters.get("seconds", 30.0)})
    return _delay(gateway, parameters)


def _missing_exec_end(gateway: "Gateway", parameters: Parameters) -> Rule:
    parameters["kind"] = "execDetailsEnd"
    return _drop(gateway, parameters)


def _silence(gateway: "Gateway", parameters: Parameters) -> Rule:
    parameters["kind"] = "any"
    parameters.setdefault("n", 0)
    return _drop(gateway, parameters)


def _transient_cancel(_gateway: "Gateway", parameters: Parameters) -> Rule:
    def first_say_cancelled(message: Message) -> None:
        message.status = "Cancelled"

    return _Preceded(scope=_scope(parameters, STATUS, status="PreSubmitted"), change=first_say_cancelled)


class _Preceded(Rewrite):
    """The changed reply leaves first, the true one after it."""

    def act(self, session: Session, number: int, message: Message, forward: Any) -> bool:  # noqa: ANN401
        if not super().act(session, number, message, forward):
            return False
        forward(session, number, message)
        return True


def _kill_around_reply(_gateway: "Gateway", parameters: Parameters) -> Rule:
    def kill(session: Session) -> None:
        session.abort()

    when = str(parameters.pop("when", "after"))
    scope = _scope(parameters, _kind(parameters))
    return Then(scope=scope, before=kill if when == "before" else None, after=kill if when == "after" else None)


def _request(parameters: Parameters, name: str, act: Callable[[Session, Request], bool]) -> RequestRule:
    return RequestRule(
        name=name,
        act=act,
        times=int(parameters.pop("n", 1)),
        skip=int(parameters.pop("skip", 0)),
        client_id=parameters.pop("client_id", None),
    )


def _lose_order(_gateway: "Gateway", parameters: Parameters) -> RequestRule:
    return _request(parameters, "placeOrder", lambda _session, _request: True)


def _ignore_request(_gateway: "Gateway", parameters: Parameters) -> RequestRule:
    return _request(parameters, str(parameters.pop("kind", "")), lambda _session, _request: True)


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
    before = str(parameters.pop("when", "before")) == "before"

    def act(session: Session, _request: Request) -> bool:
        if before:
            session.abort()
        else:
            session.abort_after_request = True
        return before

    return _request(parameters, str(parameters.pop("kind", "placeOrder")), act)


def _client_id_in_use(gateway: "Gateway", parameters: Parameters) -> RequestRule:
    def act(session: Session, _request: Request) -> bool:
        text = "Unable to connect as the client id is already in use. Retry with a unique client id."
        session.error(-1, 326, text, gateway.now)
        session.closing = True
        return True

    return _request(parameters, "startApi", act)


def _pending_submit(gateway: "Gateway", parameters: Parameters) -> RequestRule:
    """As paper futures at the weekend: PendingSubmit and nothing else, cancels hang in PendingCancel."""

    def act(session: Session, request: Request) -> bool:
        message, status = request.message, "PendingSubmit"
        gateway.ids.use(session.client_id or 0, message.orderId)
        session.send(
            IN.ORDER_STATUS,
            orderId=message.orderId,
            status=status,
            filled="0",
            remaining=message.order.totalQuantity or "0",
            permId=gateway.ids.new_perm_id(),
            clientId=session.client_id or 0,
            parentId=message.order.parentId,
            avgFillPrice=0.0,
            lastFillPrice=0.0,
            whyHeld="",
            mktCapPrice=0.0,
        )
        gateway.faults.arm_request("pending cancel", _hanging_cancel(message.orderId))
        return True

    return _request(parameters, "placeOrder", act)


def _hanging_cancel(order_id: int) -> RequestRule:
    def act(session: Session, request: Request) -> bool:
        if request.message.orderId != order_id:
            return False
        session.send(IN.ORDER_STATUS, orderId=order_id, status="PendingCancel", filled="0", remaining="0")
        return True

    return RequestRule(name="cancelOrder", act=act, times=0)


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


def _correction(gateway: "Gateway", parameters: Parameters) -> Rule:
    """The fill is reported, and a second of market time later corrected to another price."""
    offset = Decimal(str(parameters.pop("price_change", "0.01")))
    delay = timedelta(seconds=float(parameters.pop("seconds", 1.0)))
    scope = _scope(parameters, FILL)
    inner = Then(scope=scope)
    last: list[tuple[str, Decimal]] = []

    def note(message: Message) -> bool:
        last[:] = [(message.execution.execId, Decimal(repr(message.execution.price)))]
        return bool(message.execution.execId.endswith(".01") and message.reqId == -1)

    def correct(_session: Session) -> None:
        exec_id, price = last[0]
        gateway.later(delay, lambda: gateway.correct(exec_id, price=price + offset))

    scope.test, inner.after = note, correct
    return inner


RULES: Mapping[str, RuleBuilder] = {
    "drop": _drop,
    "duplicate": _duplicate,
    "delay": _delay,
    "reorder": _reorder,
    "duplicate_status": _duplicate_status,
    "skip_status": _skip_status,
    "status_before_exec": _status_before_exec,
    "exec_before_status": _exec_before_status,
    "late_execution": _late_execution,
    "commission_missing": _commission_missing,
    "commission_early": _commission_early,
    "commission_unset": _commission_unset,
    "correction": _correction,
    "error_text": _error_text,
    "localized_texts": _localized,
    "slow_open_order_end": _slow_open_order_end,
    "missing_exec_end": _missing_exec_end,
    "silence": _silence,
    "transient_cancel": _transient_cancel,
    "kill_on_reply": _kill_around_reply,
}
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


def arm(gateway: "Gateway", name: str, parameters: Parameters) -> None:
    """Arms a switch by name.

    Raises:
        ConfigError: an unknown name or parameter, or a value that cannot be meant.
    """
    rest = dict(parameters)
    try:
        if name in RULES:
            gateway.faults.arm(name, RULES[name](gateway, rest))
        elif name in REQUEST_RULES:
            gateway.faults.arm_request(name, REQUEST_RULES[name](gateway, rest))
        else:
            raise ConfigError(f"fault {name!r} is unknown, accepted are {', '.join(sorted([*RULES, *REQUEST_RULES]))}")
    except (TypeError, ValueError, KeyError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"fault {name!r} does not accept {parameters}: {error}") from error
    if rest:
        gateway.faults.disarm(name)
        raise ConfigError(f"fault {name!r} has no parameter {', '.join(sorted(rest))}")
