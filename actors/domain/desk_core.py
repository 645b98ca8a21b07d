"""What the parts of the desk share: its state, and the one way to change an order."""

from collections.abc import Iterator
from datetime import datetime

import attrs

from actors.domain.book import Book, Exposure, instrument_key
from actors.domain.conclusions import alarms, conclude
from actors.domain.contract import Contract, Instrument
from actors.domain.deadlines import Deadlines
from actors.domain.desk_config import Commission, DeskConfig, DeskSnapshot, Flattening, Waiting
from actors.domain.disputes import Dispute, closes
from actors.domain.evidence import AnyEvidence
from actors.domain.identity import Account, Epoch, OmsId, OrderId, correction_number
from actors.domain.order import HELD_CANCELING, HELD_INACTIVE, transition
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.domain.recovery import Recovery
from actors.domain.terms import Order, format_quantity
from actors.messages.events import Discrepancy
from actors.messages.reports import ExecutionReported, OpenOrderReported, OrderStatusReported
from actors.messages.system import SessionState

MAX_ORDER_ID = 2**31 - 2
"""The largest order id: one below what the official client uses for "not set"."""

_STRANGER_ID_CEILING = MAX_ORDER_ID - 1_000_000
"""Ids of strangers above this do not lift ours: they must not use up our numbers."""

SUBMIT, REPLACE, FILLED, READY = Pending.SUBMIT, Pending.REPLACE, ExecStatus.FILLED, SessionState.READY
_COMMISSIONS_KEPT = 10_000
_COMPLAINTS_KEPT = 1_000
_LISTS_ASKED_FOR_OWED = 2

ANSWER, FILLS_QUERY, FILLS, INACTIVE, QUALIFY, VERIFY, RUN, RUN_AGAIN = (
    "answer",
    "fills query",
    "fills",
    "inactive",
    "qualify",
    "verify",
    "run",
    "run again",
)


Numbered = OrderStatusReported | OpenOrderReported | ExecutionReported
"""Reports that name an order by its number."""


class DeskCore:
    """State of the desk and the outbox of the decision being made."""

    def __init__(self, config: DeskConfig, snapshot: DeskSnapshot | None = None) -> None:
        state = snapshot if snapshot is not None else DeskSnapshot()
        self.config = config
        self.book = Book(keep_closed=config.keep_closed, keep_names=config.keep_names)
        self.book.load(state.book)
        self.deadlines = Deadlines(state.elapsed, state.awaited)
        self.recovery = Recovery(state.recovery)
        self.epoch: Epoch = state.epoch
        self.session = state.session
        self.accounts = state.accounts
        self.high_water = state.high_water
        self.instruments: dict[Contract, Instrument] = dict(state.instruments)
        self.by_symbol = {wanted.symbol: found for wanted, found in state.instruments if is_plain(wanted)}
        self.waiting: dict[OmsId, Waiting] = {order.oms_id: order for order in state.waiting}
        self.commissions: dict[str, Commission] = dict(state.commissions)
        self.locked = state.locked
        self.blocked: dict[str, str] = dict(state.blocked)
        self.disputes: dict[str, Dispute] = dict(state.disputes)
        self.suspects: dict[tuple[Account, str], Dispute] = dict(state.suspects)
        self.owed: dict[OmsId, int] = dict(state.owed)
        self.complained = dict.fromkeys(state.complained)
        self.flattening: Flattening | None = state.flattening
        self.flattened = state.flattened
        self.damaged = state.damaged
        self.outbox: list[object] = []
        self.changes: list[tuple[OrderState | None, OrderState]] = []

    def snapshot(self) -> DeskSnapshot:
        """Everything, as plain values."""
        return DeskSnapshot(
            book=self.book.snapshot(),
            elapsed=self.deadlines.elapsed,
            awaited=self.deadlines.awaited(),
            epoch=self.epoch,
            session=self.session,
            accounts=self.accounts,
            high_water=self.high_water,
            instruments=tuple(self.instruments.items()),
            waiting=tuple(self.waiting.values()),
            commissions=tuple(self.commissions.items()),
            locked=self.locked,
            blocked=tuple(self.blocked.items()),
            disputes=tuple(self.disputes.items()),
            suspects=tuple(self.suspects.items()),
            owed=tuple(self.owed.items()),
            complained=tuple(self.complained),
            recovery=self.recovery.snapshot(),
            flattening=self.flattening,
            flattened=self.flattened,
            damaged=self.damaged,
        )

    # --- orders ---

    def add(self, order: OrderState) -> OrderState:
        """Put a new order into the book."""
        self.book.put(None, order)
        self.changes.append((None, order))
        return order

    def apply(self, order: OrderState, evidence: AnyEvidence, *, text: str = "", recovered: bool = False) -> OrderState:
        """The order after the evidence, stored, with its events in the outbox and its deadlines set."""
        after = transition(order, evidence)
        if after is not order:
            self.book.put(order, after)
            self.changes.append((order, after))
            self.outbox += conclude(order, after, evidence, text=text, recovered=recovered)
            if not after.external:
                self._watch(order, after)
                self._watch_twins(order, after)
            if (
                after.filled is not order.filled
                or after.perm_ids is not order.perm_ids
                or after.order is not order.order
            ):
                for alarm in alarms(order, after, evidence.at):
                    self.outbox.append(alarm)
                    self.ask_verification()
        return after

    def _watch_twins(self, before: OrderState, after: OrderState) -> None:
        """The end of one of several broker orders behind a name says nothing about the others: they may live on."""
        ended = after.status.is_terminal and not before.status.is_terminal
        if ended and len(after.perm_ids) > 1:
            self.ask_verification()

    def _watch(self, before: OrderState, after: OrderState) -> None:
        """Set and clear the deadlines that follow from a change."""
        patience = self.config.patience
        oms_id = after.oms_id
        if after.pending is not None or before.pending is not None:
            self._watch_answer(before, after)
        if after.held != before.held:
            if after.held == HELD_INACTIVE:
                self.deadlines.expect((oms_id, INACTIVE), patience.inactive)
            else:
                self.deadlines.forget((oms_id, INACTIVE))
        claimed = after.reported_filled is not before.reported_filled or after.reported_done != before.reported_done
        if claimed or after.filled is not before.filled or after.status is not before.status:
            self._watch_fills(before, after)

    def _watch_answer(self, before: OrderState, after: OrderState) -> None:
        """What is pending has a deadline unless it is in doubt; a cancel the broker knows of is only looked after."""
        key = (after.oms_id, ANSWER)
        if after.pending is None or after.in_doubt:
            self.deadlines.forget(key)
        elif after.held == HELD_CANCELING and before.held != HELD_CANCELING:
            self.deadlines.expect(key, self.config.patience.cancel_check)
        elif after.pending is not before.pending or not self.deadlines.is_awaited(key):
            self.deadlines.expect(key, self._patience_for(after.pending))

    def _watch_fills(self, before: OrderState, after: OrderState) -> None:
        oms_id, patience = after.oms_id, self.config.patience
        lacking = lacks_fills(after)
        if lacking and after.status.is_terminal:
            self.owed[oms_id] = 0
        elif self.owed:
            self.owed.pop(oms_id, None)
        if not lacking:
            if lacks_fills(before):
                self.deadlines.forget((oms_id, FILLS_QUERY))
                self.deadlines.forget((oms_id, FILLS))
        elif after.reported_filled != before.reported_filled or not self.deadlines.is_awaited((oms_id, FILLS)):
            self.deadlines.expect((oms_id, FILLS_QUERY), patience.fills_query)
            self.deadlines.expect((oms_id, FILLS), patience.fills_after_filled)

    def _patience_for(self, pending: Pending) -> float:
        patience = self.config.patience
        if pending is SUBMIT:
            return patience.acknowledgement
        return patience.replace if pending is REPLACE else patience.cancel

    # --- numbers ---

    def next_order_id(self) -> OrderId | None:
        """The next number, never one that was used before; None when there are none left."""
        if self.high_water >= MAX_ORDER_ID:
            return None
        self.high_water += 1
        return OrderId(self.high_water)

    def saw_order_id(self, order_id: OrderId | None, *, ours: bool) -> None:
        """Numbers that anybody used lift ours."""
        if order_id is not None and self.high_water < order_id <= (MAX_ORDER_ID if ours else _STRANGER_ID_CEILING):
            self.high_water = order_id

    def saw_number_of(self, report: Numbered) -> None:
        """As ``saw_order_id``, for the order that a report names."""
        order_id = report.order_id
        if order_id is not None and order_id > self.high_water:
            self.saw_order_id(order_id, ours=report.client_id == self.config.client_id)

    # --- saying ---

    def say(self, message: object) -> None:
        """Put a message into the outbox."""
        self.outbox.append(message)

    def complain(self, at: datetime, kind: str, subject: str, text: str) -> None:
        """Name a difference once; it makes us ask the broker for its lists."""
        name = f"{kind} {subject}"
        if name in self.complained:
            return
        self.complained[name] = None
        if len(self.complained) > _COMPLAINTS_KEPT:
            del self.complained[next(iter(self.complained))]
        self.say(Discrepancy(at=at, kind=kind, subject=subject, text=text))
        self.ask_verification()

    def ask_verification(self) -> None:
        """Compare with the broker's lists with the next tick, or again after the run under way."""
        if self.recovery.is_running:
            self.recovery.again = True
        elif not self.deadlines.is_awaited(("", VERIFY)):
            self.deadlines.expect(("", VERIFY), 0.0)

    # --- facts ---

    @property
    def is_ready(self) -> bool:
        """Whether new orders may leave."""
        return self.session is READY

    def instrument_for(self, order: Order) -> Instrument | None:
        """The qualified instrument, if the broker named it already."""
        if order.contract is None:
            return self.by_symbol.get(order.symbol)
        return self.instruments.get(order.contract)

    def learn_instrument(self, wanted: Contract, instrument: Instrument) -> None:
        """Remember what the broker calls a contract; of its hours also those of days gone by, for their orders."""
        known = instrument.after(self.instruments.get(instrument.contract))
        self.instruments[wanted] = self.instruments[instrument.contract] = known
        if is_plain(wanted):
            self.by_symbol[wanted.symbol] = known

    def account_for(self, account: Account) -> Account | None:
        """The account an order goes to; None when that is not clear."""
        wanted = account or self.config.account
        if not wanted:
            return self.accounts[0] if len(self.accounts) == 1 else None
        return wanted if not self.accounts or wanted in self.accounts else None

    def remember_commission(self, family: str, commission: Commission) -> None:
        """Keep a commission until its execution comes; bounded, because some never do."""
        known = self.commissions.pop(family, None)
        if known is not None and correction_number(known.exec_id) > correction_number(commission.exec_id):
            commission = known
        self.commissions[family] = commission
        if len(self.commissions) > _COMMISSIONS_KEPT:
            del self.commissions[next(iter(self.commissions))]

    def settle(self, key: str) -> None:
        """New exposure in the instrument is allowed again."""
        self.blocked.pop(key, None)
        self.disputes.pop(key, None)
        for order in tuple(self._owing()):
            if instrument_key(order.contract) == key:
                del self.owed[order.oms_id]

    def _owing(self) -> Iterator[OrderState]:
        return (order for oms_id in self.owed if (order := self.book.get(oms_id)) is not None)

    def owing(self, account: Account, key: str) -> OrderState | None:
        """An ended order of the instrument whose executions are not all in: what we hold is not known."""
        found = (order for order in self._owing() if (order.account, instrument_key(order.contract)) == (account, key))
        return next(found, None)

    def asked_for_owed(self) -> None:
        """A complete list of executions came; after the second one without them the positions decide (P4)."""
        known = {oms_id: runs + 1 for oms_id, runs in self.owed.items() if self.book.get(oms_id)}
        self.owed = {oms_id: runs for oms_id, runs in known.items() if runs < _LISTS_ASKED_FOR_OWED}

    def dispute(self, account: Account, key: str) -> Dispute | None:
        """What is in dispute about the position in an instrument, if anything is."""
        return self.suspects.get((account, key)) or self.disputes.get(key)

    def may_close(self, account: Account, key: str, order: Order) -> bool:
        """Whether an order closes a disputed position, by our books and by the broker's."""
        dispute, held = self.dispute(account, key), self.book.exposure(account, key)
        return dispute is not None and closes(dispute, order, held or Exposure(contract=order.wanted_contract))

    def block_reason(self, account: Account, contract: Contract) -> str:
        """Why new exposure of the account in the instrument is refused, or nothing."""
        if not (self.blocked or self.suspects or self.owed):
            return ""
        key = instrument_key(contract)
        owing = self.owing(account, key)
        if owing is not None:
            return f"order {owing.oms_id} ended and the broker did not send all the executions it speaks of"
        suspect = self.suspects.get((account, key))
        if suspect is not None:
            ours, broker = format_quantity(suspect.ours), format_quantity(suspect.broker)
            return f"the positions are being compared: ours {ours}, the broker's {broker}"
        return self.blocked.get(key, "") or self.blocked.get(contract.name, "")


def is_plain(wanted: Contract) -> bool:
    """Whether a contract says no more than its symbol."""
    return wanted == attrs.evolve(_PLAIN, symbol=wanted.symbol)


_PLAIN = Contract(symbol="")


def lacks_fills(order: OrderState) -> bool:
    """Whether the broker speaks of more fills than it sent executions for."""
    claimed_whole = order.reported_done and order.status is not FILLED
    return claimed_whole or order.reported_filled > order.filled
