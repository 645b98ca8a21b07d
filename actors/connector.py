"""The connector: the session, the pacing and the last gate before the wire. Broker-neutral; it drives a ``BrokerLink``.

Owns: the session machine, the link of the current epoch, the pacing and the queue of what waits for it.
Hears: PlaceOrder, ReplacePlacedOrder, CancelPlacedOrder, QuerySnapshot, QualifyContract, FinishReconciliation,
    SeekConnection, Subscribe, Tick, and what the link reports about itself.
Says: SessionChanged, SendFailed, SnapshotEnded (when a query outlived its deadline), AlertOutage, ClockDiffers,
    StopReason.
Dies when: our code is wrong; a broken link is a state of the session, never an exception.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs

from actors.base import Address, HelpedActor
from actors.clock import Clock
from actors.domain.pacing import Pacing
from actors.domain.send_queue import Sendable, SendQueue
from actors.domain.session import (
    AlertOutage,
    AskServerTime,
    CloseLink,
    GiveUp,
    OpenLink,
    Resubscribe,
    SessionAction,
    SessionInput,
    SessionMachine,
)
from actors.domain.timekeeping import ClockDiffers
from actors.fault_points import reached
from actors.halt import HaltSwitch
from actors.link import BrokerLink, HearsReports, LinkFactory, SendError
from actors.messages.reports import (
    AccountsReported,
    ConnectionLost,
    LinkConditionReported,
    NextOrderIdReported,
    ServerTimeReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import SendFailed, SessionChanged, SessionState, StopReason, Tick
from actors.messages.wire import (
    CancelPlacedOrder,
    FinishReconciliation,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
    SeekConnection,
    Subscribe,
)


@attrs.frozen(kw_only=True)
class ConnectorRoutes:
    """Whom the connector tells what."""

    order_manager: Address[Any]
    session_listeners: tuple[Address[Any], ...]
    stop: Callable[[StopReason], None]


class Connector(HelpedActor):
    """See the module."""

    name = "connector"
    quick = frozenset({PlaceOrder, ReplacePlacedOrder, CancelPlacedOrder})

    def __init__(
        self,
        *,
        machine: SessionMachine,
        make_link: LinkFactory,
        route: HearsReports,
        routes: ConnectorRoutes,
        clock: Clock,
        halt: HaltSwitch,
        messages_per_second: float,
        correct_clock: Callable[[timedelta], None] | None = None,
        supervisor: Address[Any],
    ) -> None:
        super().__init__(supervisor=supervisor)
        self._machine = machine
        self._make_link = make_link
        self._route = route
        self._routes = routes
        self._clock = clock
        self._halt = halt
        self._correct_clock = correct_clock
        self._pacing = Pacing(rate=messages_per_second)
        self._queue = SendQueue()
        self._link: BrokerLink | None = None
        self._subscriptions: dict[Any, Subscribe] = {}
        self._queries: dict[SnapshotKind, float] = {}

    def hear(self, message: object) -> None:
        """One message: a command for the wire, the time, or news of the link."""
        match message:
            case PlaceOrder() | ReplacePlacedOrder():
                self._send_if_allowed(message)
            case FinishReconciliation() | SeekConnection():
                self._advance(message)
            case Subscribe():
                self._subscriptions[message.wanted] = message
                self._send_or_queue(message)
            case CancelPlacedOrder() | QuerySnapshot():
                self._send_or_queue(message)
            case Tick():
                self._drain()
                self._expire_queries()
                self._advance(message)
            case SnapshotEnded():
                self._queries.pop(message.kind, None)
            case QualifyContract():
                self._send_or_queue(message)
            case (
                AccountsReported()
                | NextOrderIdReported()
                | ConnectionLost()
                | LinkConditionReported()
                | ServerTimeReported()
            ):
                self._advance(message)
            case _:
                super().hear(message)

    def release(self) -> None:
        """Close the link, on a wanted stop and on a death."""
        self._close_link()

    # -- the gate ----------------------------------------------------------------------------------------------------

    def _send_if_allowed(self, command: PlaceOrder | ReplacePlacedOrder) -> None:
        refusal = self._refusal(command)
        if refusal is not None:
            self._failed(command, refusal, uncertain=False)
        else:
            self._send_or_queue(command)

    def _refusal(self, command: PlaceOrder | ReplacePlacedOrder) -> str | None:
        if self._halt.reason is not None:
            return f"trading is halted: {self._halt.reason}"
        if command.epoch != self._machine.epoch or not self._machine.takes_new_orders:
            return f"the session is {self._machine.state.value}"
        return None

    def _send_or_queue(self, command: Sendable) -> None:
        if len(self._queue) == 0 and self._pacing.take(self._clock.elapsed()):
            self._send(command)
            return
        unsent = self._queue.put(command)
        if unsent is not None:
            self._failed(unsent, "cancelled before it was sent", uncertain=False)

    def _drain(self) -> None:
        while len(self._queue) and self._pacing.take(self._clock.elapsed()):
            command = self._queue.take()
            if isinstance(command, PlaceOrder | ReplacePlacedOrder) and (refusal := self._refusal(command)):
                self._failed(command, refusal, uncertain=False)
            elif command is not None:
                self._send(command)

    def _send(self, command: Sendable) -> None:
        if self._link is None or not self._machine.is_connected:
            self._not_sent(command, "not connected", uncertain=False)
            return
        try:
            if isinstance(command, QuerySnapshot):
                self._queries[command.kind] = self._clock.elapsed() + command.deadline_seconds
            reached("connector.sends", command)
            self._link.send(command)
            reached("connector.sent", command)
        except SendError as error:
            self._not_sent(command, error.text, uncertain=error.uncertain)

    def _not_sent(self, command: Sendable, text: str, *, uncertain: bool) -> None:
        match command:
            case PlaceOrder() | ReplacePlacedOrder() | CancelPlacedOrder():
                self._failed(command, text, uncertain=uncertain)
            case QuerySnapshot():
                self._end_query(command.kind, text)
            case _:
                return  # subscriptions and qualifications are asked again after the next connect

    def _failed(
        self, command: PlaceOrder | ReplacePlacedOrder | CancelPlacedOrder, text: str, *, uncertain: bool
    ) -> None:
        failure = SendFailed(
            at=self._clock.now(),
            epoch=command.epoch,
            oms_id=command.oms_id,
            uncertain=uncertain,
            text=text,
            is_order=isinstance(command, PlaceOrder),
        )
        self.post(self._routes.order_manager, failure)

    # -- queries -----------------------------------------------------------------------------------------------------

    def _expire_queries(self) -> None:
        elapsed = self._clock.elapsed()
        for kind in [kind for kind, due in self._queries.items() if elapsed >= due]:
            self._end_query(kind, "no end of the answer within its deadline")

    def _end_query(self, kind: SnapshotKind, reason: str) -> None:
        self._queries.pop(kind, None)
        self._route(
            SnapshotEnded(at=self._clock.now(), epoch=self._machine.epoch, kind=kind, complete=False, reason=reason)
        )

    # -- the session -------------------------------------------------------------------------------------------------

    def _advance(self, message: SessionInput) -> None:
        for action in self._machine.decide(message):
            self._carry_out(action)

    def _carry_out(self, action: SessionAction) -> None:
        match action:
            case SessionChanged():
                self._announce(action)
            case OpenLink():
                self._link = self._make_link(action.epoch, self._route)
                self._link.start()
            case CloseLink():
                self._close_link(action.reason)
            case AskServerTime():
                self._ask_time()
            case Resubscribe():
                self._resubscribe()
            case ClockDiffers():
                self._follow_clock(action)
            case AlertOutage():
                self._tell_listeners(action)
            case GiveUp():
                self._routes.stop(StopReason(text=action.text, exit_code=2))

    def _follow_clock(self, differs: ClockDiffers) -> None:
        if self._correct_clock is not None and differs.correction is not None:
            self._correct_clock(differs.correction)
        self._tell_listeners(differs)

    def _tell_listeners(self, message: object) -> None:
        for listener in self._routes.session_listeners:
            self.post(listener, message)

    def _resubscribe(self) -> None:
        """Streams again, and the instruments too: their hours reach some days ahead, and their rules may change."""
        for subscription in self._subscriptions.values():
            self._send_or_queue(subscription)
            wanted = QualifyContract(at=self._clock.now(), epoch=self._machine.epoch, wanted=subscription.wanted)
            self._send_or_queue(wanted)

    def _announce(self, change: SessionChanged) -> None:
        if change.state is SessionState.DISCONNECTED:
            self._forget_link(change.reason)
        self.post(self._routes.order_manager, change)
        self._tell_listeners(change)

    def _forget_link(self, reason: str) -> None:
        self._close_link()
        self._queries.clear()
        for command in self._queue.clear():
            if not isinstance(command, Subscribe):
                self._not_sent(command, reason or "the connection was lost before it was sent", uncertain=False)

    def _ask_time(self) -> None:
        if self._link is None:
            return
        try:
            self._link.request_server_time()
        except SendError:
            self._close_link("a heartbeat could not be sent")  # ConnectionLost follows

    def _close_link(self, reason: str = "closed by us") -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close(reason)
