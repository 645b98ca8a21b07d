"""Switches on replies: what each of them arms. A builder takes the gateway and the switch's parameters."""

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
    DropPair,
    Duplicate,
    Hold,
    RequestRule,
    Rewrite,
    Rule,
    Scope,
    Then,
    before_or_after,
    whole,
    whole_or_none,
)
from ibapi_bridge.gateway_simulator.order_messages import UNSET_DOUBLE
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session

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
        times=whole(parameters, "n", 1),
        skip=whole(parameters, "skip", 0),
        client_id=whole_or_none(parameters, "client_id"),
        order_id=whole_or_none(parameters, "order_id"),
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


def _seconds(parameters: Parameters) -> timedelta:
    seconds = float(parameters.pop("seconds", 1.0))
    if not 0 <= seconds < float("inf"):
        raise ConfigError(f"seconds {seconds:g} must be a number from 0")
    return timedelta(seconds=seconds)


def _drop(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return Drop(scope=_scope(parameters, _kind(parameters)))


def _duplicate(_gateway: "Gateway", parameters: Parameters) -> Rule:
    copies = whole(parameters, "copies", 1)
    return Duplicate(copies=copies, scope=_scope(parameters, _kind(parameters)))


def _delay(gateway: "Gateway", parameters: Parameters) -> Rule:
    delay = _seconds(parameters)
    return Delay(later=gateway.later, delay=delay, scope=_scope(parameters, _kind(parameters)))


def _reorder(_gateway: "Gateway", parameters: Parameters) -> Rule:
    until = frozenset({NUMBERS[str(parameters.pop("after", "orderStatus"))]})
    return Hold(until=until, scope=_scope(parameters, _kind(parameters)))


def _duplicate_status(_gateway: "Gateway", parameters: Parameters) -> Rule:
    copies = whole(parameters, "copies", 1)
    return Duplicate(copies=copies, scope=_scope(parameters, STATUS))


def _skip_status(_gateway: "Gateway", parameters: Parameters) -> Rule:
    return DropPair(scope=_scope(parameters, PAIR))


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
    becomes = int(parameters.pop("becomes", code))

    def change(message: Message) -> None:
        message.errorCode, message.errorMsg = becomes, text

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
        session.abort("fault: kill_on_reply")

    when = before_or_after(parameters, "after")
    scope = _scope(parameters, _kind(parameters))
    return Then(scope=scope, before=kill if when == "before" else None, after=kill if when == "after" else None)


def _correction(gateway: "Gateway", parameters: Parameters) -> Rule:
    """The fill is reported, and a second of market time later corrected to another price."""
    offset = Decimal(str(parameters.pop("price_change", "0.01")))
    delay = _seconds(parameters)
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
