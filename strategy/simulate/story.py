"""A session told for a trader: what the strategy did, what the broker did, what broke."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from actors.domain.identity import OmsId
from actors.domain.terms import format_price, format_quantity
from actors.messages.commands import CancelOrder, FlattenAll, ReplaceOrder, SubmitOrder
from actors.messages.events import (
    Discrepancy,
    OrderCanceled,
    OrderFilled,
    OrderInDoubt,
    OrderInvalid,
    OrderRejected,
    OrderWarned,
    Reconciled,
    StrategyFailed,
)
from actors.messages.reports import BrokerStatus, QuoteReported
from actors.messages.schedule import MarketClosed, MarketOpened, StartStrategy, StopStrategy, TimerFired
from actors.messages.system import SessionChanged, SessionState, Tick
from strategy.simulate.agenda import Agenda
from strategy.simulate.plan import Disturbance, Event
from strategy.simulate.properties import Violation
from strategy.simulate.record import SessionView
from strategy.simulate.venue_order import VenueExecution, VenueOrder

_SHOWN = 30
_ZONE = ZoneInfo("America/New_York")
_DISTURBANCES = {
    Disturbance.DISCONNECT: "the connection is lost for {0} s",
    Disturbance.STALL: "nothing passes for {0} s",
    Disturbance.BROKER_AWAY: "the gateway loses the broker for {0} s (1100)",
    Disturbance.BROKER_AWAY_DATA_LOST: "the gateway loses the broker for {0} s (1100, then 1101)",
    Disturbance.GATEWAY_RESTART: "the gateway restarts, {0} s and 15 s more",
    Disturbance.RESTART: "our process is killed and starts again after {0} s",
}


class Story:
    """A narrator that writes lines: time, who, what."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._agenda: Agenda | None = None
        self._view: SessionView | None = None
        self._numbers: dict[OmsId, int] = {}
        self._revisions: dict[str, int] = {}
        self._opened = False

    def begin(self, agenda: Agenda, view: SessionView) -> None:
        """A session begins."""
        self._agenda, self._view = agenda, view

    def text(self, violation: Violation | None) -> str:
        """Everything so far, and how it ended."""
        lines = _shortened(self.lines)
        if violation is not None:
            lines.append(_line(violation.at, "VIOLATED", f"{violation.name}: {violation.text}"))
        return "\n".join(lines) + "\n"

    def _say(self, who: str, what: str) -> None:
        if self._agenda is not None:
            self.lines.append(_line(self._agenda.moment, who, what))

    def _name(self, oms_id: OmsId) -> str:
        return f"#{self._numbers.setdefault(oms_id, len(self._numbers) + 1)}"

    def wanted(self, cause: Any, commands: tuple[Any, ...]) -> None:  # noqa: ANN401 - the runner's own messages
        """The strategy reacted to a message."""
        hook = _hook(cause)
        for command in commands:
            match command:
                case SubmitOrder():
                    self._say(hook, f"{command.order.describe()} ({self._name(command.oms_id)})")
                case CancelOrder():
                    self._say(hook, f"cancel {self._name(command.oms_id)}")
                case ReplaceOrder():
                    self._say(hook, f"change {self._name(command.oms_id)}{_changes(command)}")
                case FlattenAll():
                    self._say(hook, f"flatten everything: {command.reason}")
                case _:
                    continue

    def told(self, message: Any) -> None:  # noqa: ANN401, C901 - whatever the engine tells its listeners
        """The engine concluded something."""
        match message:
            case OrderFilled(recovered=True):
                self._say("engine", f"learns of {_amount(message.fill)} of {self._name(message.order.oms_id)}")
            case OrderFilled() if self._is_late(message):
                self._say("engine", f"tells of {_amount(message.fill)} of {self._name(message.order.oms_id)}")
            case OrderRejected():
                self._say("engine", f"{self._name(message.order.oms_id)} is rejected: {message.order.reason}")
            case OrderCanceled():
                self._say(
                    "engine", f"{self._name(message.order.oms_id)} is over: {message.order.reason or 'cancelled'}"
                )
            case OrderWarned():
                self._say("engine", f"{self._name(message.order.oms_id)}: warning {message.code} {message.text}")
            case OrderInDoubt():
                self._say("engine", f"{self._name(message.order.oms_id)} is in doubt: {message.text}")
            case Discrepancy():
                self._say("engine", f"{message.kind} {message.subject}: {message.text}")
            case StrategyFailed():
                self._say("engine", f"{message.hook} raised {message.error}: the strategy is stopped")
            case OrderInvalid():
                self._say("engine", f"refuses: {message.text}")
            case FlattenAll():
                self._say("schedule", "flattens everything")
            case SessionChanged(state=SessionState.READY) if self._opened:
                self._say("engine", "connected and reconciled")
            case SessionChanged(state=SessionState.READY):
                self._opened = True
            case _:
                return

    def _is_late(self, filled: OrderFilled) -> bool:
        return self._agenda is not None and (self._agenda.moment - filled.fill.at).total_seconds() >= 1

    def disturbed(self, at: datetime, event: Event) -> None:
        """The line or the process was disturbed."""
        del at
        self._say("line", _DISTURBANCES[event.kind].format(event.seconds))

    def placed(self, order: VenueOrder) -> None:
        """The broker received an order; only one that flattens was not told of before."""
        if order.oms_id not in self._numbers:
            self._say("schedule", f"{order.terms.describe()} ({self._name(order.oms_id)})")

    def filled(self, execution: VenueExecution) -> None:
        """The broker booked an execution, or its correction."""
        order = execution.order
        name = self._name(order.oms_id)
        verb = "corrects a fill to" if execution.revision > 1 else "fills"
        amount = f"{format_quantity(execution.quantity)} at {format_price(execution.price)}"
        held = self._view.position(order.contract.symbol) if self._view is not None else execution.quantity
        self._say("broker", f"{verb} {amount} of {name}; the position is {format_quantity(held)}")

    def ended(self, order: VenueOrder) -> None:
        """The remainder of an order is dead at the broker."""
        if order.status is not BrokerStatus.FILLED:
            word = "rejects" if order.reject_reason else "ends"
            self._say("broker", f"{word} {self._name(order.oms_id)} with {format_quantity(order.filled)} filled")


def _shortened(lines: list[str]) -> list[str]:
    """Beginning and end of a story too long to be read."""
    if len(lines) <= 2 * _SHOWN:
        return list(lines)
    return [*lines[:_SHOWN], f"          ... {len(lines) - 2 * _SHOWN} more ...", *lines[-_SHOWN:]]


def _amount(fill: Any) -> str:  # noqa: ANN401 - a Fill
    return f"{format_quantity(fill.quantity)} at {format_price(fill.price)}"


def _changes(command: ReplaceOrder) -> str:
    values = (("quantity", command.quantity), ("limit", command.limit_price), ("stop", command.stop_price))
    return "".join(f", {name} {value}" for name, value in values if value is not None)


_HOOKS: dict[type[Any], str] = {
    QuoteReported: "on_quote",
    Tick: "on_bar",
    StartStrategy: "on_start",
    StopStrategy: "on_stop",
    TimerFired: "on_timer",
    MarketOpened: "on_market_open",
    MarketClosed: "on_market_close",
    OrderFilled: "on_fill",
    Reconciled: "on_recovered",
    SessionChanged: "on_recovered",
}


def _hook(cause: Any) -> str:  # noqa: ANN401 - the runner's own messages
    return f"your {_HOOKS.get(type(cause), 'on_order')}"


def _line(at: datetime, who: str, what: str) -> str:
    return f"{at.astimezone(_ZONE):%H:%M:%S}  {who:<18} {what}"
