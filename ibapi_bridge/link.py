"""One connection to IBKR behind the engine's ``BrokerLink``.

The link's own thread connects, reads, decodes, translates and tells ``hear``; ``send`` runs on the caller's.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Never, assert_never

from actors import one_cpu
from actors.domain.contract import Contract
from actors.domain.identity import Epoch
from actors.link import HearsReports, SendError
from actors.messages.reports import (
    AccountsReported,
    CommissionReported,
    ConnectionLost,
    ExecutionReported,
    InstrumentReported,
    LinkConditionReported,
    NextOrderIdReported,
    NoticeKind,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    Report,
    SnapshotEnded,
)
from actors.messages.wire import (
    CancelPlacedOrder,
    FinishReconciliation,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
    Subscribe,
    WireMessage,
)
from actors.urgency import begin_urgent, end_urgent, let_pass
from ibapi_bridge import outbound
from ibapi_bridge.asking import Asker
from ibapi_bridge.backlog import Backlog
from ibapi_bridge.capture import Recorder
from ibapi_bridge.client import (
    OLDEST_SERVER_VERSION,
    UnreadableFrame,
    greeting,
    read_welcome,
    silence_official_loggers,
)
from ibapi_bridge.contracts import InstrumentCache
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.listening import Listener
from ibapi_bridge.portions import Portions
from ibapi_bridge.settings import LinkSettings
from ibapi_bridge.transport import ConnectionEnded, Garbled, NoGateway, Transport, TransportSettings

__all__ = ["IbapiLink", "LinkSettings"]

_CLOSE_SECONDS = 2.0
_LET_PASS_SECONDS = 0.001
"""So long at most what else has arrived waits for those who act on the news."""

_TICKS = 8
"""So many ticks are understood between two looks for anything more important."""

_OF_ORDERS = frozenset(
    {OrderStatusReported, OpenOrderReported, ExecutionReported, CommissionReported, PositionReported}
)
"""What comes with every order and says nothing about the connection."""

_AWAITING_ANSWER = "before its first answer: is a dialog waiting there, and are API clients of this computer allowed?"
_AWAITING_GREETING = "before it named its accounts and a free order id: is it logged in?"
_FAREWELLS = (326, 1300)
"""Notices after which the gateway hangs up: the client id is in use, the port was reset (IBKR)."""
_COMPLAINTS = (NoticeKind.CONNECTION, NoticeKind.CONFIGURATION, NoticeKind.CLIENT, NoticeKind.REQUEST_FAILED)


class IbapiLink:
    """One connection through the official client; made for one epoch and never used again."""

    def __init__(
        self,
        settings: LinkSettings,
        *,
        epoch: Epoch,
        hear: HearsReports,
        now: Callable[[], datetime],
        elapsed: Callable[[], float],
        cache: InstrumentCache | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        silence_official_loggers()
        self._settings = settings
        self._epoch = epoch
        self._hear = hear
        self._now = now
        self._elapsed = elapsed
        self._recorder = recorder
        self._context = Conversation()
        self._transport = Transport(_transport_settings(settings), elapsed=elapsed)
        self._asker = Asker(
            settings,
            transport=self._transport,
            context=self._context,
            cache=cache or InstrumentCache(None),
            recorder=recorder,
            now=now,
            elapsed=elapsed,
        )
        self._portions = Portions()
        self._answers: deque[Report] = deque()
        self._accounts: AccountsReported | None = None
        self._next_id: NextOrderIdReported | None = None
        self._received_at = now()
        self._is_ready = False
        self._complaint = ""
        self._awaited = ""
        self.moved_to: int | None = None
        """The port that the gateway said it moves to (1300)."""
        self._thread = threading.Thread(target=self._run, name=f"ibapi-link-{epoch}", daemon=True)

    # -- the port ------------------------------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Whether the gateway has named its accounts and a free order id: the connection was of use."""
        return self._is_ready

    def start(self) -> None:
        """Begin connecting; returns at once."""
        self._thread.start()

    def send(self, command: WireMessage | Subscribe) -> None:
        """Put a command on the wire.

        Raises:
            SendError: it did not leave.
        """
        match command:
            case PlaceOrder() | ReplacePlacedOrder():
                self._asker.place(command)
            case CancelPlacedOrder():
                self._asker.request(*outbound.cancel_order(command))
            case QuerySnapshot():
                self._asker.query(command)
            case QualifyContract():
                self._qualify(command.wanted)
            case Subscribe():
                self._asker.subscribe(command.wanted)
            case FinishReconciliation():
                return
            case _:
                assert_never(command)

    def request_server_time(self) -> None:
        """Ask for the broker's clock.

        Raises:
            SendError: it did not leave.
        """
        self._asker.request("reqCurrentTime", {})

    def close(self, reason: str = "closed by us") -> None:
        """End the connection from any thread; ``ConnectionLost`` is the last report."""
        self._transport.close(reason)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_SECONDS)

    def _qualify(self, wanted: Contract) -> None:
        known = self._asker.instrument(wanted)
        if known is not None:  # told on the link's thread, like every report
            self._answers.append(InstrumentReported(at=self._now(), epoch=self._epoch, wanted=wanted, instrument=known))
            self._transport.wake()

    # -- the link's thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        one_cpu.join()
        reason, reached = self._until_the_end()
        end_urgent(self)
        self._asker.closed()
        self._transport.shut()
        if self._recorder is not None:
            self._recorder.disconnected(reason, at=self._now())
            reason = f"{reason}; {self._recorder.failure}" if self._recorder.failure else reason
        with suppress(Exception):  # whoever was to hear it is gone, and there is nobody else to tell
            self._hear(ConnectionLost(at=self._now(), epoch=self._epoch, reason=reason, reached=reached))

    def _until_the_end(self) -> tuple[str, bool]:
        """Why it ended, and whether there had been a gateway."""
        try:
            self._converse()
        except NoGateway as nobody:
            return str(nobody), False
        except ConnectionEnded as end:
            return self._explained(str(end)), True
        except SendError as refused:
            return self._explained(refused.text), True
        except Exception as problem:  # noqa: BLE001 - the thread's last line: the reason must be heard, not printed
            return f"the link failed: {type(problem).__name__}: {problem}", True

    def _explained(self, reason: str) -> str:
        explanation = self._complaint or self._awaited
        return f"{reason} ({explanation})" if explanation else reason

    def _converse(self) -> Never:
        self._transport.connect()
        ready_by = self._elapsed() + self._settings.ready_seconds
        self._transport.send(greeting(self._settings.connect_options))
        self._awaited = _AWAITING_ANSWER
        frames = self._first_frames(ready_by)
        version = _version(frames.pop(0))
        listener, ticks = self._listener(version), Backlog(server_version=version)
        self._awaited = _AWAITING_GREETING
        self._hear_frames(listener, frames)
        while True:
            due, patience = None if self._is_ready else ready_by, ticks.patience(self._elapsed())
            end_urgent(self)
            arrived = self._transport.receive(due, patience=patience)
            begin_urgent(self)
            if self._hear_frames(listener, ticks.others(arrived)):
                ticks.hold(self._elapsed())
            if ticks:
                self._hear_ticks(listener, ticks.take(_TICKS, self._elapsed()))
            while self._answers:
                self._hear(self._answers.popleft())

    def _first_frames(self, ready_by: float) -> list[bytes]:
        """The welcome, and whatever is glued to it."""
        try:
            while True:
                frames = list(self._transport.receive(ready_by))
                if frames:
                    return frames
        except Garbled as problem:
            raise NoGateway(f"this is no gateway: {problem}") from None

    def _listener(self, version: int) -> Listener:
        if self._recorder is not None:
            self._recorder.connected(version, self._settings.client_id, at=self._now())
        self._asker.opened(version)
        return Listener(
            server_version=version,
            epoch=self._epoch,
            context=self._context,
            now=lambda: self._received_at,
            overheard=None if self._recorder is None else self._record,
        )

    def _record(self, name: str, args: dict[str, object]) -> None:
        if self._recorder is not None:
            self._recorder.told(name, args, at=self._now())

    def _hear_frames(self, listener: Listener, frames: Iterable[bytes]) -> bool:
        """Understand what arrived together and pass it on in portions; True when there was a frame.

        What was understood before the stream broke is passed on all the same.
        """
        heard: list[Report] = []
        is_news, portions = False, self._portions
        self._received_at = self._now()
        portions.begin()
        try:
            for frame in frames:
                is_news = True
                heard += listener.understand(frame)
                if portions.are_full(heard):
                    portion, heard = heard, []
                    self._pass_on_all(portion)
                    if portions.is_calm:
                        let_pass(self, seconds=_LET_PASS_SECONDS)
        finally:
            self._pass_on_all(heard)
        return is_news

    def _hear_ticks(self, listener: Listener, frames: Iterable[bytes]) -> None:
        self._received_at = self._now()
        self._pass_on_all([report for frame in frames for report in listener.understand(frame)])

    def _pass_on_all(self, reports: list[Report]) -> None:
        if _OF_ORDERS.issuperset(map(type, reports)):
            if reports:
                self._hear(*reports)
        else:
            self._pass_on_each(reports)
        self._asker.follow_up()

    def _pass_on_each(self, reports: list[Report]) -> None:
        heard: list[Report] = []
        try:
            for report in reports:
                heard += self._passed_on(report)
        finally:
            if heard:
                self._hear(*heard)

    def _passed_on(self, report: Report) -> tuple[Report, ...]:
        match report:
            case NextOrderIdReported():
                self._next_id = report
                return self._greeting(report)
            case AccountsReported():
                self._accounts = report
                return self._greeting(report)
            case SnapshotEnded() if not self._asker.ended(report.kind):
                return ()
            case _:
                self._look_at(report)
                return (report,)

    def _greeting(self, report: NextOrderIdReported | AccountsReported) -> tuple[Report, ...]:
        """Hold both statements back until the broker has made both: only then is the connection usable."""
        if self._is_ready:
            return (report,)
        if self._next_id is None or self._accounts is None or not self._accounts.accounts:
            return ()
        self._is_ready = True
        self._awaited = ""
        self._asker.greeted(self._next_id.order_id, self._accounts.accounts)
        return (self._next_id, self._accounts)

    def _look_at(self, report: Report) -> None:
        match report:
            case InstrumentReported():
                self._asker.learned(report.wanted, report.instrument)
            case LinkConditionReported(port=int()):
                self.moved_to = report.port
            case NoticeReported(subject=None) if not self._is_ready or report.code in _FAREWELLS:
                if report.kind in _COMPLAINTS:
                    self._complaint = f"{report.code}: {report.text}"
            case _:
                return


def _transport_settings(settings: LinkSettings) -> TransportSettings:
    return TransportSettings(
        host=settings.host,
        port=settings.port,
        connect_seconds=settings.connect_seconds,
        send_seconds=settings.send_seconds,
    )


def _version(welcome: bytes) -> int:
    try:
        version = read_welcome(welcome)
    except UnreadableFrame as problem:
        raise NoGateway(f"this is no gateway: {problem}") from None
    if version < OLDEST_SERVER_VERSION:
        raise NoGateway(
            f"the gateway speaks server version {version}: at least {OLDEST_SERVER_VERSION} is needed, update it"
        )
    return version
