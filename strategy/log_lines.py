"""What the log says about each event: level, component, verb and text. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import attrs

from actors.domain.order_state import Fill, OrderState
from actors.domain.session import AlertOutage
from actors.domain.terms import format_price, format_quantity
from actors.domain.timekeeping import ClockDiffers
from actors.messages import events
from actors.messages.commands import FlattenAll, LockNewExposure
from actors.messages.reports import NoticeReported
from actors.messages.system import SessionChanged, SessionState
from strategy.masking import clean

ENGINE, SESSION, PORTFOLIO, SCHEDULER = (
    "execution.engine",
    "execution.session",
    "execution.portfolio",
    "execution.scheduler",
)


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
    line = _LINES.get(type(event), _unknown)(event)
    text = clean(f"{line.text} (while away)" if getattr(event, "recovered", False) else line.text)
    return line if text is line.text else line._replace(text=text)


def _unknown(event: object) -> Line:
    return Line("INFO", ENGINE, "STATUS", repr(event))


# --- the session and the books ---


def _session_changed(event: SessionChanged) -> Line:
    is_down = event.state in (SessionState.DISCONNECTED, SessionState.DEGRADED)
    level, verb = ("WARNING", "DISCONNECT") if is_down else ("INFO", "CONNECT")
    return Line(level, SESSION, verb, _with_reason(event.state.value, event.reason))


def _reconciled(event: events.Reconciled) -> Line:
    counts = f"{event.open_orders} open orders, {event.executions} executions, {event.in_doubt} in doubt"
    return Line("WARNING" if event.in_doubt else "INFO", ENGINE, "RECONCILE", _with_reason(counts, event.text))


def _mismatched(event: events.PositionMismatched) -> Line:
    ours, broker = format_quantity(event.ours), format_quantity(event.broker)
    text = f"{event.contract.name}: ours {ours}, broker's {broker}; new exposure is blocked"
    return Line("ERROR", PORTFOLIO, "RECONCILE", text)


# --- one order ---


def _engine(verb: str, text: str, level: str = "INFO") -> Line:
    return Line(level, ENGINE, verb, text)


def _trouble(verb: str, text: str, reason: str, level: str = "WARNING") -> Line:
    return Line(level, ENGINE, verb, _with_reason(text, reason))


def _filled(event: events.OrderFilled) -> Line:
    order, fill = event.order, event.fill
    name = (fill.contract or order.contract).name
    return _engine("FILL", f"{_one(fill)} {name} @ {format_price(fill.price)}, {_so_far(order)}")


def _corrected(event: events.FillCorrected) -> Line:
    previous, fill, name = event.previous, event.fill, event.order.contract.name
    before = f"{_one(previous)} {name} @ {format_price(previous.price)}"
    after = f"corrected to {_one(fill)} {name} @ {format_price(fill.price)}" if fill.quantity else "busted"
    return _engine("FILL", f"{before} was {after}", "WARNING")


def _commission(event: events.CommissionCharged) -> Line:
    fill = event.fill
    amount = "unknown" if fill.commission is None else format_price(fill.commission)
    name = event.order.contract.name
    return _engine("STATUS", f"commission {amount} {fill.commission_currency} for {_one(fill)} {name}")


def _completed(event: events.OrderCompleted) -> Line:
    average = event.order.average_price
    shown = "" if average is None else f", average {format_price(round(average, 6))}"
    return _engine("STATUS", f"{event.order.status} {_wanted(event)}{shown}")


def _canceled(event: events.OrderCanceled) -> Line:
    return _engine("CANCEL", _with_reason(f"{_wanted(event)}, {_so_far(event.order)}", event.order.reason))


def _resolved(event: events.OrderResolved) -> Line:
    return _engine("STATUS", _with_reason(f"RESOLVED as {event.order.status} {_wanted(event)}", event.text))


def _wanted(event: events.OrderEvent) -> str:
    state = event.order
    return f"{state.order.describe()} (external)" if state.external else state.order.describe()


def _with_reason(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text


def _one(fill: Fill) -> str:
    return f"{fill.side} {format_quantity(fill.quantity)}"


def _so_far(order: OrderState) -> str:
    return f"{format_quantity(order.filled)} of {format_quantity(order.order.quantity)} filled"


_LINES: Final[Mapping[type[Any], Callable[[Any], Line]]] = MappingProxyType(
    {
        SessionChanged: _session_changed,
        AlertOutage: lambda event: Line("ERROR", SESSION, "DISCONNECT", event.text),
        ClockDiffers: lambda event: Line("ERROR", SESSION, "STATUS", f"CLOCK: {event.text}"),
        NoticeReported: lambda event: Line("WARNING", SESSION, "STATUS", f"broker notice {event.code}: {event.text}"),
        events.Reconciled: _reconciled,
        events.Discrepancy: lambda event: _engine(
            "RECONCILE", f"{event.kind} {event.subject}: {event.text}", "WARNING"
        ),
        events.PositionMismatched: _mismatched,
        events.ExecutionUnmatched: lambda event: _engine(
            "RECONCILE", f"execution {event.exec_id} belongs to no order of ours", "WARNING"
        ),
        events.TradingHalted: lambda event: _engine("HALT", event.reason, "CRITICAL"),
        events.OrderSubmitted: lambda event: _engine("SUBMIT", _wanted(event)),
        events.OrderAccepted: lambda event: _engine("STATUS", f"{event.order.status} {_wanted(event)}"),
        events.OrderHeld: lambda event: _engine("STATUS", _with_reason(f"HELD {_wanted(event)}", event.order.held)),
        events.OrderFilled: _filled,
        events.FillCorrected: _corrected,
        events.CommissionCharged: _commission,
        events.OrderCompleted: _completed,
        events.OrderCanceled: _canceled,
        events.OrderReplaced: lambda event: _engine(
            "STATUS", f"REPLACED {event.previous.describe()} by {_wanted(event)}"
        ),
        events.OrderRejected: lambda event: _trouble("REJECT", _wanted(event), event.order.reason),
        events.CancelRefused: lambda event: _trouble("REJECT", f"cancel of {_wanted(event)}", event.text),
        events.ReplaceRefused: lambda event: _trouble("REJECT", f"replace of {_wanted(event)}", event.text),
        events.OrderInDoubt: lambda event: _trouble("STATUS", f"IN DOUBT {_wanted(event)}", event.text, "ERROR"),
        events.OrderResolved: _resolved,
        events.OrderWarned: lambda event: _engine(
            "STATUS", f"{_wanted(event)}: notice {event.code}: {event.text}", "WARNING"
        ),
        LogNote: lambda event: Line(event.level, event.component, event.verb, event.text),
        events.SignalRecorded: lambda event: _engine(
            "SIGNAL", f"{event.order.describe()} (trading is disabled: not sent)"
        ),
        FlattenAll: lambda event: _engine("FLATTEN", event.reason, "WARNING"),
        LockNewExposure: lambda event: Line(
            "INFO", SCHEDULER, "STATUS", f"{'LOCKED' if event.locked else 'UNLOCKED'}: {event.reason}"
        ),
        events.OrderInvalid: lambda event: Line("WARNING", f"strategy.{event.strategy_id}", "REJECT", event.text),
        events.StrategyFailed: lambda event: Line(
            "ERROR", f"strategy.{event.strategy_id}", "HALT", f"{event.hook} raised {event.error}"
        ),
        events.StrategyNoted: lambda event: Line("INFO", f"strategy.{event.strategy_id}", "SIGNAL", event.text),
    }
)
