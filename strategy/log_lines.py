"""What the log says about each event: level, component, verb and text. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import attrs
import msgspec

from actors.domain.identity import mask_account
from actors.domain.order_state import Fill, OrderState
from actors.domain.session import AlertOutage
from actors.domain.terms import Order, format_price, format_quantity
from actors.domain.timekeeping import ClockDiffers
from actors.messages import events
from actors.messages.commands import FlattenAll, LockNewExposure
from actors.messages.reports import NoticeReported
from actors.messages.system import SessionChanged, SessionState

ENGINE, SESSION, PORTFOLIO, SCHEDULER = (
    "execution.engine",
    "execution.session",
    "execution.portfolio",
    "execution.scheduler",
)
MAX_TEXT = 2_000


class Line(NamedTuple):
    """One line of the log without its time."""

    level: str
    component: str
    verb: str
    text: str


@attrs.frozen(kw_only=True)
class LogNote:
    """A line that no event stands for, such as the start of the program."""

    at: datetime
    verb: str
    text: str
    level: str = "INFO"
    component: str = ENGINE


def verb_line(event: object) -> Line:
    """The line of an event; text is on one line, without control characters and full account numbers."""
    line = _session_line(event) or _order_line(event) or _other_line(event)
    recovered = " (while away)" if getattr(event, "recovered", False) else ""
    return line._replace(text=clean(line.text + recovered))


def clean(text: str) -> str:
    """Text fit for a log: account numbers masked, control and direction characters shown as escapes, capped."""
    shown = _ACCOUNT.sub(_mask, text) if _SUSPECT.search(text) else text
    if not shown.isprintable():
        shown = "".join(_escaped(character) if _is_control(character) else character for character in shown)
    return shown if len(shown) <= MAX_TEXT else f"{shown[:MAX_TEXT]}..."


def json_line(event: object, head: Mapping[str, Any]) -> str:
    """One JSON object on one line: ``head``, the event's name, its order's id and sums, and all its fields as they are.

    The fields are encoded in one go and the text is cleaned as a whole, which costs a tenth of doing it field by field.
    """
    fields = {**head, "event": type(event).__name__}
    order = getattr(event, "order", None)
    if isinstance(order, OrderState):
        fields |= {"oms_id": order.oms_id, "status": order.status} | _sums_of(order)
    if not isinstance(event, LogNote):
        fields["fields"] = msgspec.Raw(_encode(event)) if attrs.has(type(event)) else clean(repr(event))
    text = _encode(fields).decode()
    if not text.isprintable():
        text = _encode(_cleaned(msgspec.json.decode(text))).decode()
    return _masked(text, event)


# IBKR: live accounts are U or I and digits, paper DU and DF, advisors F.
_ACCOUNT = re.compile(r"\b(?:D[UF][A-Z]?|[UFI])\d{4,}[A-Z]?\b")
_SUSPECT = re.compile(r"[A-Z]\d{4}")


def _is_control(character: str) -> bool:
    return character < " " or (character > "~" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _session_line(event: object) -> Line | None:
    match event:
        case SessionChanged(state=SessionState.DISCONNECTED | SessionState.DEGRADED):
            return Line("WARNING", SESSION, "DISCONNECT", _with_reason(event.state.value, event.reason))
        case SessionChanged():
            return Line("INFO", SESSION, "CONNECT", _with_reason(event.state.value, event.reason))
        case AlertOutage():
            return Line("ERROR", SESSION, "DISCONNECT", event.text)
        case NoticeReported():
            return Line("WARNING", SESSION, "STATUS", f"broker notice {event.code}: {event.text}")
        case events.Reconciled():
            counts = f"{event.open_orders} open orders, {event.executions} executions, {event.in_doubt} in doubt"
            level = "WARNING" if event.in_doubt else "INFO"
            return Line(level, ENGINE, "RECONCILE", _with_reason(counts, event.text))
        case events.Discrepancy():
            return Line("WARNING", ENGINE, "RECONCILE", f"{event.kind} {event.subject}: {event.text}")
        case events.PositionMismatched():
            ours, broker = format_quantity(event.ours), format_quantity(event.broker)
            text = f"{event.contract.name}: ours {ours}, broker's {broker}; new exposure is blocked"
            return Line("ERROR", PORTFOLIO, "RECONCILE", text)
        case events.ExecutionUnmatched():
            return Line("WARNING", ENGINE, "RECONCILE", f"execution {event.exec_id} belongs to no order of ours")
        case events.TradingHalted():
            return Line("CRITICAL", ENGINE, "HALT", event.reason)
        case _:
            return None


def _order_line(event: object) -> Line | None:  # noqa: C901, PLR0911 - one arm for each event
    match event:
        case events.OrderSubmitted():
            return _engine("SUBMIT", _wanted(event))
        case events.OrderAccepted():
            return _engine("STATUS", f"{event.order.status.value} {_wanted(event)}")
        case events.OrderHeld():
            return _engine("STATUS", _with_reason(f"HELD {_wanted(event)}", event.order.held))
        case events.OrderFilled():
            return _engine("FILL", _filled(event))
        case events.FillCorrected():
            return _engine("FILL", _corrected(event), "WARNING")
        case events.CommissionCharged():
            return _engine("STATUS", _commission(event))
        case events.OrderCompleted():
            return _engine("STATUS", f"{event.order.status.value} {_wanted(event)}{_average(event.order)}")
        case events.OrderCanceled():
            return _engine("CANCEL", _with_reason(f"{_wanted(event)}, {_so_far(event.order)}", event.order.reason))
        case events.OrderReplaced():
            return _engine("STATUS", f"REPLACED {event.previous.describe()} by {_wanted(event)}")
        case _:
            return _trouble_line(event)


def _trouble_line(event: object) -> Line | None:
    match event:
        case events.OrderRejected():
            return _engine("REJECT", _with_reason(_wanted(event), event.order.reason), "WARNING")
        case events.CancelRefused():
            return _engine("REJECT", _with_reason(f"cancel of {_wanted(event)}", event.text), "WARNING")
        case events.ReplaceRefused():
            return _engine("REJECT", _with_reason(f"replace of {_wanted(event)}", event.text), "WARNING")
        case events.OrderInDoubt():
            return _engine("STATUS", _with_reason(f"IN DOUBT {_wanted(event)}", event.text), "ERROR")
        case events.OrderResolved():
            return _engine(
                "STATUS", _with_reason(f"RESOLVED as {event.order.status.value} {_wanted(event)}", event.text)
            )
        case events.OrderWarned():
            return _engine("STATUS", f"{_wanted(event)}: notice {event.code}: {event.text}", "WARNING")
        case _:
            return None


def _other_line(event: object) -> Line:
    match event:
        case ClockDiffers():
            return Line("ERROR", SESSION, "STATUS", f"CLOCK: {event.text}")
        case LogNote():
            return Line(event.level, event.component, event.verb, event.text)
        case events.SignalRecorded():
            return _engine("SIGNAL", f"{event.order.describe()} (trading is disabled: not sent)")
        case FlattenAll():
            return Line("WARNING", ENGINE, "FLATTEN", event.reason)
        case LockNewExposure():
            return Line("INFO", SCHEDULER, "STATUS", f"{'LOCKED' if event.locked else 'UNLOCKED'}: {event.reason}")
        case events.OrderInvalid():
            return Line("WARNING", f"strategy.{event.strategy_id}", "REJECT", event.text)
        case events.StrategyFailed():
            return Line("ERROR", f"strategy.{event.strategy_id}", "HALT", f"{event.hook} raised {event.error}")
        case events.StrategyNoted():
            return Line("INFO", f"strategy.{event.strategy_id}", "SIGNAL", event.text)
        case _:
            return Line("INFO", ENGINE, "STATUS", repr(event))


def _engine(verb: str, text: str, level: str = "INFO") -> Line:
    return Line(level, ENGINE, verb, text)


def _wanted(event: events.OrderEvent) -> str:
    return _describe(event.order.order, event.order)


def _describe(order: Order, state: OrderState) -> str:
    return f"{order.describe()}{' (external)' if state.external else ''}"


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text


def _one(fill: Fill) -> str:
    return f"{fill.side.value} {format_quantity(fill.quantity)}"


def _filled(event: events.OrderFilled) -> str:
    order, fill = event.order, event.fill
    name = (fill.contract or order.contract).name
    return f"{_one(fill)} {name} @ {format_price(fill.price)}, {_so_far(order)}"


def _corrected(event: events.FillCorrected) -> str:
    previous, fill, name = event.previous, event.fill, event.order.contract.name
    before = f"{_one(previous)} {name} @ {format_price(previous.price)}"
    return (
        f"{before} was busted"
        if not fill.quantity
        else (f"{before} was corrected to {_one(fill)} {name} @ {format_price(fill.price)}")
    )


def _commission(event: events.CommissionCharged) -> str:
    fill = event.fill
    amount = "unknown" if fill.commission is None else format_price(fill.commission)
    return f"commission {amount} {fill.commission_currency} for {_one(fill)} {event.order.contract.name}"


def _so_far(order: OrderState) -> str:
    return f"{format_quantity(order.filled)} of {format_quantity(order.order.quantity)} filled"


def _average(order: OrderState) -> str:
    return "" if order.average_price is None else f", average {format_price(round(order.average_price, 6))}"


_encode = msgspec.json.Encoder().encode


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - JSON values
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(name): _cleaned(entry) for name, entry in value.items()}
    return [_cleaned(entry) for entry in value] if isinstance(value, list) else value


def _masked(text: str, event: object) -> str:
    """The text without account numbers: those of the event whatever they look like, and whatever looks like one."""
    holders = (event, getattr(event, "order", None), getattr(event, "fill", None))
    accounts = {getattr(holder, "account", "") for holder in holders} | set(getattr(event, "accounts", ()))
    for account in accounts:
        if account:
            text = text.replace(account, mask_account(account))
    return _ACCOUNT.sub(_mask, text) if _SUSPECT.search(text) else text


def _mask(match: re.Match[str]) -> str:
    return mask_account(match[0])


def _sums_of(order: OrderState) -> dict[str, Any]:
    average = order.average_price
    sums = {"fills": len(order.fills), "filled": f"{order.filled:f}", "remaining": f"{order.remaining:f}"}
    return sums if average is None else sums | {"average_price": f"{average:f}"}
