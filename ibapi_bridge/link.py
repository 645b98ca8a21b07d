"""One connection to IBKR behind the engine's ``BrokerLink``.

Threads: the link's own thread connects, reads, decodes, translates and tells ``hear``; ``send`` runs on the caller's.
Both encode requests under one lock, because the official client is not thread safe.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any, assert_never

import attrs

from actors.domain.contract import Contract
from actors.domain.identity import ClientId, Epoch
from actors.link import SendError
from actors.messages.reports import (
    AccountsReported,
    ConnectionLost,
    InstrumentReported,
    NextOrderIdReported,
    NoticeKind,
    NoticeReported,
    Report,
    SnapshotEnded,
    SnapshotKind,
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
from ibapi_bridge import outbound
from ibapi_bridge.capture import Recorder
from ibapi_bridge.client import (
    OLDEST_SERVER_VERSION,
    RequestEncoder,
    UnreadableFrame,
    greeting,
    read_welcome,
    silence_official_loggers,
)
from ibapi_bridge.contracts import InstrumentCache, resolved
from ibapi_bridge.conversation import FIRST_REQUEST_ID, Conversation
from ibapi_bridge.listening import Listener
from ibapi_bridge.queries import ListQueries, Step
from ibapi_bridge.transport import ConnectionEnded, Transport, TransportSettings

_CLOSE_SECONDS = 2.0
_COMPLAINTS = (NoticeKind.CONNECTION, NoticeKind.CONFIGURATION, NoticeKind.CLIENT, NoticeKind.REQUEST_FAILED)


@attrs.frozen(kw_only=True)
class LinkSettings:
    """How to reach a gateway and what to ask of it.

    Times are seconds; ``market_data_type`` is IBKR's 1 live, 2 frozen, 3 delayed, 4 delayed frozen.
    """

    host: str = "127.0.0.1"
    port: int = 4002
    client_id: ClientId = ClientId(1)
    connect_seconds: float = 10.0
    ready_seconds: float = 15.0
    send_seconds: float = 5.0
    market_data_type: int = 1
    connect_options: str = ""
    symbols: Mapping[str, Contract] = attrs.field(factory=dict)
    """Contracts that stand for a bare symbol of a user, such as ``ES`` for one future."""


class IbapiLink:
    """One connection through the official client; made for one epoch and never used again."""

    def __init__(
        self,
        settings: LinkSettings,
        *,
        epoch: Epoch,
        hear: Callable[[Report], None],
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
        self._cache = cache or InstrumentCache(None)
        self._recorder = recorder
        self._context = Conversation()
        self._request_ids = count(FIRST_REQUEST_ID)
        self._encoder: RequestEncoder | None = None
        self._server_version = 0
        self._sending = threading.Lock()
        self._answers: deque[Report] = deque()
        self._streams: dict[Contract, int] = {}
        self._lists = ListQueries()
        self._summary_id: int | None = None
        self._accounts: AccountsReported | None = None
        self._next_id: NextOrderIdReported | None = None
        self._is_ready = False
        self._complaint = ""
        self._thread = threading.Thread(target=self._run, name=f"ibapi-link-{epoch}", daemon=True)
        self._transport = Transport(
            TransportSettings(
                host=settings.host,
                port=settings.port,
                connect_seconds=settings.connect_seconds,
                send_seconds=settings.send_seconds,
            ),
            elapsed=elapsed,
        )

    # -- the port ----------------------------------------------------------------------------------------------------

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
                self._request(*outbound.place_order(command, self._settings.client_id))
            case CancelPlacedOrder():
                self._request(*outbound.cancel_order(command))
            case QuerySnapshot():
                self._query(command)
            case QualifyContract():
                self._qualify(command.wanted)
            case Subscribe():
                self._subscribe(command.wanted)
            case FinishReconciliation():
                return
            case _:
                assert_never(command)

    def request_server_time(self) -> None:
        """Ask for the broker's clock.

        Raises:
            SendError: it did not leave.
        """
        self._request("reqCurrentTime", {})

    def close(self) -> None:
        """End the connection from any thread; ``ConnectionLost`` is the last report."""
        self._transport.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(_CLOSE_SECONDS)

    # -- requests, on the caller's thread ------------------------------------------------------------------------------

    def _request(self, name: str, args: dict[str, Any], *, wanted: Contract | None = None) -> None:
        with self._sending:
            if self._encoder is None:
                raise SendError("not connected", uncertain=False)
            data = self._encoder.encode(name, args)
            if self._recorder is not None:
                self._recorder.asked(name, args, at=self._now())
            self._context.note(name, args, wanted=wanted)
            self._transport.send(data)

    def _query(self, query: QuerySnapshot) -> None:
        if query.kind is SnapshotKind.EXECUTIONS:
            self._request(*outbound.executions(next(self._request_ids)))
            return
        match self._lists.ask(query.kind, elapsed=self._elapsed(), seconds=query.deadline_seconds):
            case Step.ASK:
                self._ask_list(query.kind)
            case Step.WAIT:
                return
            case Step.RECONNECT:
                reason = f"the gateway never ended its answer about {query.kind.value}"
                self._transport.close(reason)
                raise SendError(reason, uncertain=False)

    def _ask_list(self, kind: SnapshotKind) -> None:
        match kind:
            case SnapshotKind.OPEN_ORDERS:
                self._request("reqAllOpenOrders", {})
            case SnapshotKind.COMPLETED_ORDERS:
                self._request("reqCompletedOrders", {"apiOnly": False})
            case SnapshotKind.POSITIONS:
                self._request("cancelPositions", {})
                self._request("reqPositions", {})
            case _:
                self._ask_account()

    def _ask_account(self) -> None:
        accounts = self._accounts.accounts if self._accounts is not None else ()
        if len(accounts) == 1:
            self._request("reqAccountUpdates", {"subscribe": False, "acctCode": accounts[0]})
            self._request("reqAccountUpdates", {"subscribe": True, "acctCode": accounts[0]})
            return
        if self._summary_id is not None:
            self._request("cancelAccountSummary", {"reqId": self._summary_id})
        self._summary_id = next(self._request_ids)
        tags = outbound.SUMMARY_TAGS
        self._request("reqAccountSummary", {"reqId": self._summary_id, "groupName": "All", "tags": tags})

    def _qualify(self, wanted: Contract) -> None:
        meant = resolved(wanted, self._settings.symbols)
        known = self._cache.find(meant, self._now())
        if known is not None:
            self._answer(InstrumentReported(at=self._now(), epoch=self._epoch, wanted=wanted, instrument=known))
            return
        self._request(*outbound.contract_details(next(self._request_ids), meant), wanted=wanted)

    def _answer(self, report: Report) -> None:
        """Say something ourselves, on the link's thread like every report."""
        self._answers.append(report)
        self._transport.wake()

    def _subscribe(self, wanted: Contract) -> None:
        previous = self._streams.pop(wanted, None)
        if previous is not None:
            self._request("cancelMktData", {"reqId": previous})
        request_id = next(self._request_ids)
        meant = resolved(wanted, self._settings.symbols)
        known = self._cache.find(meant, self._now())
        self._request(*outbound.quotes(request_id, meant if known is None else known.contract), wanted=wanted)
        self._streams[wanted] = request_id

    # -- the link's thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            reason = self._converse()
        except ConnectionEnded as end:
            reason = str(end)
        except SendError as refused:
            reason = refused.text
        except Exception as problem:  # noqa: BLE001 - the thread's last line: the reason must be heard, not printed
            reason = f"the link failed: {type(problem).__name__}: {problem}"
        with self._sending:
            self._encoder = None
        self._transport.shut()
        if self._complaint:
            reason = f"{reason} ({self._complaint})"
        if self._recorder is not None:
            self._recorder.disconnected(reason, at=self._now())
        self._hear(ConnectionLost(at=self._now(), epoch=self._epoch, reason=reason))

    def _converse(self) -> str:
        self._transport.connect()
        ready_by = self._elapsed() + self._settings.ready_seconds
        listener, frames = self._shake_hands(ready_by)
        for frame in frames:
            self._hear_frame(listener, frame)
        while True:
            for frame in self._transport.receive(None if self._is_ready else ready_by):
                self._hear_frame(listener, frame)
            while self._answers:
                self._hear(self._answers.popleft())

    def _shake_hands(self, due: float) -> tuple[Listener, list[bytes]]:
        self._transport.send(greeting(self._settings.connect_options))
        frames: list[bytes] = []
        while not frames:
            frames = list(self._transport.receive(due))
        version = _version(frames.pop(0))
        if self._recorder is not None:
            self._recorder.connected(version, self._settings.client_id, at=self._now())
        with self._sending:
            self._server_version = version
            self._encoder = RequestEncoder(client_id=self._settings.client_id, server_version=version)
        self._request("startApi", {})
        if self._settings.market_data_type != 1:
            self._request("reqMarketDataType", {"marketDataType": self._settings.market_data_type})
        overheard = None if self._recorder is None else self._record
        listener = Listener(
            server_version=version, epoch=self._epoch, context=self._context, now=self._now, overheard=overheard
        )
        return listener, frames

    def _record(self, name: str, args: dict[str, object]) -> None:
        if self._recorder is not None:
            self._recorder.told(name, args, at=self._now())

    def _hear_frame(self, listener: Listener, frame: bytes) -> None:
        for report in listener.understand(frame):
            self._pass_on(report)
        while self._context.rules_to_ask:
            self._request("reqMarketRule", {"marketRuleId": self._context.rules_to_ask.pop()})

    def _pass_on(self, report: Report) -> None:
        match report:
            case NextOrderIdReported():
                self._next_id = report
                self._greet(report)
            case AccountsReported():
                self._accounts = report
                self._greet(report)
            case SnapshotEnded() if self._lists.ended(report.kind, elapsed=self._elapsed()):
                self._ask_list(report.kind)  # for a question that waited; its own answer is the one to report
            case _:
                self._look_at(report)
                self._hear(report)

    def _greet(self, report: NextOrderIdReported | AccountsReported) -> None:
        """Hold both statements back until the broker has made both: only then is the connection usable."""
        if self._is_ready:
            self._hear(report)
        elif self._next_id is not None and self._accounts is not None:
            self._is_ready = True
            self._hear(self._next_id)
            self._hear(self._accounts)

    def _look_at(self, report: Report) -> None:
        match report:
            case InstrumentReported():
                self._cache.put(resolved(report.wanted, self._settings.symbols), report.instrument, self._now())
            case NoticeReported() if report.subject is None and report.kind in _COMPLAINTS:
                self._complaint = f"{report.code}: {report.text}"
            case _:
                return


def _version(welcome: bytes) -> int:
    try:
        version = read_welcome(welcome)
    except UnreadableFrame as problem:
        raise ConnectionEnded(f"this is no gateway: {problem}") from None
    if version < OLDEST_SERVER_VERSION:
        raise ConnectionEnded(
            f"the gateway speaks server version {version}: at least {OLDEST_SERVER_VERSION} is needed, update it"
        )
    return version
