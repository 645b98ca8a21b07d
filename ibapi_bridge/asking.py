"""The requests of one connection: encoded, recorded, remembered and sent, in that order and under one lock.

Called from the connector's thread and from the link's own; the official client's encoder is not thread safe.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Any

from actors.domain.contract import Contract, Instrument, SecType
from actors.domain.identity import Account
from actors.link import SendError
from actors.messages.reports import SnapshotKind
from actors.messages.wire import PlaceOrder, QuerySnapshot, ReplacePlacedOrder
from ibapi_bridge import outbound
from ibapi_bridge.capture import Recorder
from ibapi_bridge.client import RequestEncoder
from ibapi_bridge.contracts import InstrumentCache, resolved
from ibapi_bridge.conversation import FIRST_REQUEST_ID, Conversation, first_request_id
from ibapi_bridge.instruments import combo_instrument
from ibapi_bridge.order_templates import OrderTemplates
from ibapi_bridge.queries import ListQueries, Step
from ibapi_bridge.settings import LinkSettings
from ibapi_bridge.transport import Transport


class Asker:
    """Knows what to ask for each thing the engine wants to know, and what was asked before."""

    def __init__(
        self,
        settings: LinkSettings,
        *,
        transport: Transport,
        context: Conversation,
        cache: InstrumentCache,
        recorder: Recorder | None,
        now: Callable[[], datetime],
        elapsed: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._context = context
        self._cache = cache
        self._recorder = recorder
        self._now = now
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._encoder: RequestEncoder | None = None
        self._templates: OrderTemplates | None = None
        self._server_version = 0
        self._accounts: tuple[Account, ...] = ()
        self._request_ids = count(FIRST_REQUEST_ID)
        self._lists = ListQueries()
        self._streams: dict[Contract, int] = {}
        self._summary_id: int | None = None

    # -- the connection ------------------------------------------------------------------------------------------------

    def opened(self, server_version: int) -> None:
        """The gateway answered: requests can be encoded for its version."""
        with self._lock:
            self._server_version = server_version
            client_id = self._settings.client_id
            self._encoder = RequestEncoder(client_id=client_id, server_version=server_version)
            self._templates = OrderTemplates(self._encoder, client_id=client_id, server_version=server_version)
        self.request("startApi", {})
        if self._settings.market_data_type != 1:
            self.request("reqMarketDataType", {"marketDataType": self._settings.market_data_type})

    def greeted(self, next_order_id: int, accounts: tuple[Account, ...]) -> None:
        """The broker said which order ids are free and which accounts there are."""
        wanted = self._settings.account
        self._accounts = (wanted,) if wanted in accounts else accounts
        self._request_ids = count(first_request_id(next_order_id))

    def closed(self) -> None:
        """Nothing can be asked any more."""
        with self._lock:
            self._encoder = self._templates = None

    # -- requests ------------------------------------------------------------------------------------------------------

    def request(self, name: str, args: dict[str, Any], *, wanted: Contract | None = None) -> None:
        """Send one request by its official name and parameters.

        Raises:
            SendError: it did not leave.
        """
        with self._lock:
            if self._encoder is None:
                raise SendError("not connected", uncertain=False)
            data = self._encoder.encode(name, args)
            if self._recorder is not None:
                self._recorder.asked(name, args, at=self._now())
            self._context.note(name, args, wanted=wanted)
            self._transport.send(data)

    def place(self, command: PlaceOrder | ReplacePlacedOrder) -> None:
        """Send an order, new or changed; a recorded one goes the long way, because only that has official objects.

        Raises:
            SendError: it did not leave.
        """
        if self._recorder is not None:
            self.request(*outbound.place_order(command, self._settings.client_id))
            return
        with self._lock:
            if self._templates is None:
                raise SendError("not connected", uncertain=False)
            self._transport.send(self._templates.encode(command))

    def query(self, query: QuerySnapshot) -> None:
        """Ask for a list.

        Raises:
            SendError: it did not leave, or an earlier answer never ended and the connection must be renewed.
        """
        if query.kind is SnapshotKind.EXECUTIONS:
            days, version = self._settings.execution_days, self._server_version
            self.request(*outbound.executions(next(self._request_ids), days=days, server_version=version))
            return
        match self._lists.begin(query.kind, elapsed=self._elapsed(), seconds=query.deadline_seconds):
            case Step.ASK:
                self._ask_list(query.kind)
            case Step.WAIT:
                return
            case Step.RECONNECT:
                reason = f"the gateway never ended its answer about {query.kind.value}"
                self._transport.close(reason)
                raise SendError(reason, uncertain=False)

    def ended(self, kind: SnapshotKind) -> bool:
        """A list ended; False when its end belongs to an earlier question and the waiting one has been asked now."""
        if not self._lists.ended(kind, elapsed=self._elapsed()):
            return True
        self._ask_list(kind)
        return False

    def _ask_list(self, kind: SnapshotKind) -> None:
        match kind:
            case SnapshotKind.OPEN_ORDERS:
                self.request("reqAllOpenOrders", {})
            case SnapshotKind.COMPLETED_ORDERS:
                self.request("reqCompletedOrders", {"apiOnly": False})
            case SnapshotKind.POSITIONS:
                self.request("cancelPositions", {})
                self.request("reqPositions", {})
            case _:
                self._ask_account()

    def _ask_account(self) -> None:
        """One account has a stream of its own (IBKR allows one); several share the summary."""
        if len(self._accounts) == 1:
            self.request("reqAccountUpdates", {"subscribe": False, "acctCode": self._accounts[0]})
            self.request("reqAccountUpdates", {"subscribe": True, "acctCode": self._accounts[0]})
            return
        if self._summary_id is not None:
            self.request("cancelAccountSummary", {"reqId": self._summary_id})
        self._summary_id = next(self._request_ids)
        tags = outbound.SUMMARY_TAGS
        self.request("reqAccountSummary", {"reqId": self._summary_id, "groupName": "All", "tags": tags})

    def instrument(self, wanted: Contract) -> Instrument | None:
        """The instrument behind a contract if it is known today; otherwise the broker is asked.

        Raises:
            SendError: the question did not leave.
        """
        meant = resolved(wanted, self._settings.symbols)
        if meant.sec_type is SecType.COMBO:
            return combo_instrument(meant)
        known = self._cache.find(meant, self._now())
        if known is None:
            self.request(*outbound.contract_details(next(self._request_ids), meant), wanted=wanted)
        return known

    def learned(self, wanted: Contract, instrument: Instrument) -> None:
        """The broker told which instrument a contract is."""
        self._cache.put(resolved(wanted, self._settings.symbols), instrument, self._now())

    def subscribe(self, wanted: Contract) -> None:
        """Stream the quotes of a contract; a stream of the same contract is replaced.

        Raises:
            SendError: it did not leave.
        """
        previous = self._streams.pop(wanted, None)
        if previous is not None:
            self.request("cancelMktData", {"reqId": previous})
        meant = resolved(wanted, self._settings.symbols)
        known = self._cache.find(meant, self._now())
        self._stream(wanted, meant if known is None else known.contract)

    def follow_up(self) -> None:
        """Ask what the answers of the last frame made necessary.

        Raises:
            SendError: it did not leave.
        """
        while self._context.rules_to_ask:
            self.request("reqMarketRule", {"marketRuleId": self._context.rules_to_ask.pop()})
        while self._context.reroutes:
            reroute = self._context.reroutes.pop()
            self._stream(reroute.wanted, _by_number(reroute.con_id, reroute.exchange))

    def _stream(self, wanted: Contract, source: Contract) -> None:
        request_id = next(self._request_ids)
        self.request(*outbound.quotes(request_id, source), wanted=wanted)
        self._streams[wanted] = request_id


def _by_number(con_id: int, exchange: str) -> Contract:
    """A contract of which only the broker's number and the exchange are known."""
    return Contract(symbol="", sec_type=SecType.OTHER, currency="", con_id=con_id, exchange=exchange)
