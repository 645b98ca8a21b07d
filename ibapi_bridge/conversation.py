"""What was asked on one connection: without it the answers cannot be understood.

``note`` is called for every request before it leaves, on the sender's thread; everything else on the reader's. Each
dict entry is written by one of them only, and single dict operations are atomic.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from actors.domain.contract import Contract
from actors.messages.reports import SnapshotKind
from ibapi_bridge.figures import integer
from ibapi_bridge.inbound_terms import contract_of
from ibapi_bridge.instruments import Candidate
from ibapi_bridge.quotes import QuoteFold

FIRST_REQUEST_ID: Final = 10_000_000
"""Request ids start here, order ids stay below: the broker's notices name either by the same field (IBKR)."""

_HIGH_REQUEST_ID: Final = 2_000_000_000
_HIGH_ORDER_ID: Final = 5_000_000


def first_request_id(next_order_id: int) -> int:
    """Where request ids start when order ids have come as far as this."""
    return FIRST_REQUEST_ID if next_order_id < _HIGH_ORDER_ID else _HIGH_REQUEST_ID


@attrs.define(kw_only=True)
class Qualification:
    """A contract that is being qualified, with what the broker offered so far."""

    wanted: Contract
    candidates: list[Candidate] = attrs.field(factory=list)
    torn: bool = False
    """Whether a row could not be read: what it offered may be the one that is meant, or a second one."""


@attrs.frozen(kw_only=True)
class Listing:
    """A list asked for under a request id."""

    kind: SnapshotKind


@attrs.frozen(kw_only=True)
class Reroute:
    """The broker streams the quotes of ``wanted`` under another contract (CFDs: those of the underlying)."""

    wanted: Contract
    con_id: int
    exchange: str


Asked = Qualification | Listing | QuoteFold

_LISTS: Final = {
    "reqAllOpenOrders": SnapshotKind.OPEN_ORDERS,
    "reqOpenOrders": SnapshotKind.OPEN_ORDERS,
    "reqCompletedOrders": SnapshotKind.COMPLETED_ORDERS,
    "reqPositions": SnapshotKind.POSITIONS,
}
_LISTS_BY_ID: Final = {"reqExecutions": SnapshotKind.EXECUTIONS, "reqAccountSummary": SnapshotKind.ACCOUNT}
_ROWS: Final = {
    SnapshotKind.OPEN_ORDERS: ("openOrder", "message 5", "message 205"),
    SnapshotKind.EXECUTIONS: ("execDetails", "message 11", "message 211"),
    SnapshotKind.COMPLETED_ORDERS: ("completedOrder", "message 101", "message 301"),
}
"""What the rows of a list that names orders are called when one cannot be read: by callback, or by message id as text
and protobuf. A position that cannot be read differs from ours and blocks its own instrument: the others still count."""
_OFFERS: Final = frozenset(
    {"contractDetails", "bondContractDetails", "message 10", "message 210", "message 18", "message 218"}
)
UNKNOWN_MESSAGE: Final = "frame"
"""The name of a frame that does not even tell its message id."""


class Conversation:
    """The open questions of one connection.

    Args:
        presume_asked: ends of lists count although the question was not seen (captures may hold answers only).
    """

    def __init__(self, *, presume_asked: bool = False) -> None:
        self.presume_asked = presume_asked
        self.asked: dict[int, Asked] = {}
        self.awaiting_rule: dict[int, list[Qualification]] = {}
        self.rules_to_ask: list[int] = []
        self.reroutes: list[Reroute] = []
        self._pending: set[SnapshotKind] = set()
        self._torn: set[SnapshotKind] = set()

    def note(self, name: str, args: Mapping[str, object], *, wanted: Contract | None = None) -> None:
        """Remember a request by its official name and parameter names.

        Args:
            name: such as ``reqMktData``.
            args: its parameters; a contract may be an official object.
            wanted: the contract as our side named it, where that differs from what is sent.
        """
        request_id = integer(args.get("reqId"))
        if name in _LISTS:
            self._pending.add(_LISTS[name])
        elif name == "reqAccountUpdates" and args.get("subscribe", True):
            self._pending.add(SnapshotKind.ACCOUNT)
        elif name in _LISTS_BY_ID:
            self._note_listing(request_id, _LISTS_BY_ID[name])
        elif name == "reqContractDetails":
            self.asked[request_id] = Qualification(wanted=wanted or contract_of(args.get("contract")))
        elif name == "reqMktData":
            self.asked[request_id] = QuoteFold(wanted or contract_of(args.get("contract")))
        elif name == "cancelMktData":
            self.asked.pop(request_id, None)

    def _note_listing(self, request_id: int, kind: SnapshotKind) -> None:
        for known, asked in tuple(self.asked.items()):
            if isinstance(asked, Listing) and asked.kind is kind:
                self.asked.pop(known, None)
        self.asked[request_id] = Listing(kind=kind)

    def is_pending(self, kind: SnapshotKind) -> bool:
        """True while an answer without request id is on its way."""
        return kind in self._pending

    def tear(self, name: str) -> None:
        """A message could not be read: the list on its way whose row it may have been does not come in full."""
        if name in _OFFERS or name == UNKNOWN_MESSAGE:
            self._tear_offers()
        listed = {asked.kind for asked in tuple(self.asked.values()) if isinstance(asked, Listing)}
        for kind, rows in _ROWS.items():
            if (name in rows or name == UNKNOWN_MESSAGE) and (kind in self._pending or kind in listed):
                self._torn.add(kind)

    def _tear_offers(self) -> None:
        for asked in tuple(self.asked.values()):
            if isinstance(asked, Qualification):
                asked.torn = True

    def came_in_full(self, kind: SnapshotKind) -> bool:
        """Whether every row of the answer that has just ended could be read; asked once for each answer."""
        is_whole = kind not in self._torn
        self._torn.discard(kind)
        return is_whole

    def ended(self, kind: SnapshotKind) -> bool:
        """An end marker came; False when nobody waits for it."""
        if kind not in self._pending:
            return self.presume_asked
        self._pending.discard(kind)
        return True

    def ended_by_id(self, request_id: int, kind: SnapshotKind) -> bool:
        """As ``ended`` for lists with a request id; an end of an older question is not one of the newest."""
        asked = self.asked.get(request_id)
        if isinstance(asked, Listing) and asked.kind is kind:
            self.asked.pop(request_id, None)
            return True
        return self.presume_asked
