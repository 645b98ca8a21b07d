"""One life's connector: the session machine, and the line it opens, closes and sends on."""

from collections.abc import Callable, Iterable

from actors.domain.identity import Epoch
from actors.domain.session import (
    AlertOutage,
    AskServerTime,
    CloseLink,
    GiveUp,
    OpenLink,
    Resubscribe,
    SessionAction,
)
from actors.domain.timekeeping import ClockDiffers
from actors.messages.reports import ConnectionLost, Report, ServerTimeReported, SnapshotEnded
from actors.messages.system import SendFailed, SessionChanged, SessionState, Tick
from actors.messages.wire import FinishReconciliation, PlaceOrder, ReplacePlacedOrder, SeekConnection, Subscribe
from strategy.simulate.agenda import SECOND
from strategy.simulate.surroundings import Hear, Inbox, Message, Parts, Surroundings


class Connector:
    """The last gate before the line.

    ``desk`` and ``host`` hear of the session, and the desk of what was not sent; ``report`` takes what arrives.
    """

    def __init__(
        self,
        parts: Parts,
        around: Surroundings,
        *,
        inbox: Inbox,
        desk: Hear,
        host: Hear,
        report: Callable[[Iterable[Report]], None],
    ) -> None:
        self.machine = parts.machine
        self.is_subscribed = False
        self.is_closed = False
        """The process is dead."""
        self._around, self._agenda, self._line = around, around.agenda, around.line
        self._inbox, self._desk, self._host, self._report = inbox, desk, host, report
        self._kept_back: Tick | None = None
        self._elapsed = 0.0
        """Of the last tick that the session heard."""
        self._answered: float | None = None
        """The tick at which the gateway was asked for its time and answered at once; None when the session changed."""

    def hear(self, message: Message) -> None:
        """Send it, advance the session by it, or say that it was not sent."""
        match message:
            case PlaceOrder() | ReplacePlacedOrder() if message.epoch != self.machine.epoch or (
                not self.machine.takes_new_orders
            ):
                self._not_sent(message)
            case Subscribe() | SnapshotEnded():
                return
            case FinishReconciliation() | SeekConnection() | Report():
                self._advance(message)
            case _ if not self._line.is_connected:
                self._not_sent(message)
            case _:
                self._line.send(message, self._around.take)

    def pass_time(self, tick: Tick) -> None:
        """What the session does about it.

        A tick at which it would ask the gateway for its time, surely be answered and do nothing else is kept back until
        the session hears something: the next such tick leaves everything as this one would.
        """
        if self._only_asks(tick):
            self._kept_back, self._answered = tick, tick.elapsed
        else:
            self._catch_up()
            self._elapsed = tick.elapsed
            self._advance(tick)

    def _only_asks(self, tick: Tick) -> bool:
        config = self.machine.config
        if self._answered is None or tick.elapsed < self._answered + config.heartbeat_interval_seconds:
            return False
        goes_by_clock = config.follows_gateway_clock or config.restart is not None
        return self.machine.takes_new_orders and not goes_by_clock and self._line.answers_surely

    def _catch_up(self) -> None:
        if self._kept_back is not None:
            tick, self._kept_back = self._kept_back, None
            self._elapsed = tick.elapsed
            self._advance(tick)

    def _not_sent(self, command: Message) -> None:
        if hasattr(command, "oms_id"):
            text = f"the session is {self.machine.state.value}"
            failed = SendFailed(
                at=self._agenda.moment,
                epoch=command.epoch,
                oms_id=command.oms_id,
                uncertain=False,
                text=text,
                is_order=isinstance(command, PlaceOrder),
            )
            self._inbox.append((self._desk, failed))

    def _advance(self, message: Message) -> None:
        self._catch_up()
        for action in self.machine.decide(message):
            self._carry_out(action)

    def _carry_out(self, action: SessionAction) -> None:
        match action:
            case SessionChanged():
                self._announce(action)
            case OpenLink():
                self._agenda.after(SECOND // 100, self._open, action.epoch)
            case CloseLink():
                self.lose(action.reason)
            case AskServerTime():
                self._ask_time(action)
            case Resubscribe():
                self.is_subscribed = True
            case AlertOutage() | ClockDiffers() | GiveUp():
                self._around.listener.tell(action)  # a process that gives up ends, and is started again from outside

    def _announce(self, change: SessionChanged) -> None:
        self._answered = None
        if change.state in (SessionState.DISCONNECTED, SessionState.CONNECTING):
            self.is_subscribed = False
        self._inbox.append((self._desk, change))
        self._host(change)
        self._around.listener.tell(change)

    def _ask_time(self, question: AskServerTime) -> None:
        """An answer that nothing can hold up but a cut, which ends the wait for it as well, is taken at once.

        Nothing else can tell: over the line it would travel alone, so that what arrives or happens at the same
        microsecond keeps its order either way, and all it does is to end the wait.
        """
        is_sure = self._line.answers_surely or self._answered == self._elapsed
        self._answered = self._elapsed if is_sure else None
        if is_sure:
            at = self._agenda.moment
            self._advance(ServerTimeReported(at=at, epoch=self.machine.epoch, server_time=at))
        else:
            self._line.send_to_gateway(question, lambda _: self._answer_time())

    def _answer_time(self) -> None:
        at = self._line.arrival
        self._line.say_alone(ServerTimeReported(at=at, epoch=self.machine.epoch, server_time=at))

    def _open(self, epoch: Epoch) -> None:
        if self.is_closed or self.machine.epoch != epoch:
            return
        if self._line.is_reachable and not self._line.is_away:
            self._line.connect(epoch, self._report)
            self._around.greet(epoch)
        else:
            self.lose("connection refused")

    def lose(self, reason: str) -> None:
        """The socket is gone."""
        self._line.cut()
        if not self.is_closed:
            self._report((ConnectionLost(at=self._agenda.moment, epoch=self.machine.epoch, reason=reason),))
