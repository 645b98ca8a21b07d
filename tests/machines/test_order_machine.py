"""OrderMachine: whatever the mail service does, after one quiet reconciliation our books are the venue's.

The mail delays, doubles, reorders and loses; connections break; the process restarts from its snapshot. After every
decision the invariants hold, and at the end fills, statuses and holdings equal the venue's truth.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.domain.contract import Contract, Instrument
from actors.domain.desk import Desk, DeskConfig
from actors.domain.identity import Epoch, OmsId, OrderId
from actors.domain.order_state import ExecStatus
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import CancelOrder, FlattenAll, ReplaceOrder, SubmitOrder
from actors.messages.events import FillCorrected, OrderFilled
from actors.messages.reports import BrokerStatus, InstrumentReported
from actors.messages.system import SendFailed, SessionChanged, SessionState, Tick
from actors.messages.wire import (
    CancelPlacedOrder,
    FinishReconciliation,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
)
from tests.actors.domain.deskkit import START
from tests.machines.venue import ACCOUNT, CLIENT, Venue, VenueOrder

CONTRACTS = tuple(Contract(symbol=symbol, con_id=number) for number, symbol in enumerate(("SPY", "IBM"), start=1))
_TO_VENUE = (PlaceOrder, ReplacePlacedOrder, CancelPlacedOrder, QuerySnapshot)
_ENDED = {
    BrokerStatus.FILLED: {ExecStatus.FILLED},
    BrokerStatus.CANCELED: {ExecStatus.CANCELED, ExecStatus.REJECTED},
    BrokerStatus.WORKING: {ExecStatus.WORKING, ExecStatus.PARTIALLY_FILLED},
}

picks = st.integers(min_value=0, max_value=50)
sizes = st.integers(min_value=1, max_value=8)


class OrderMachine(RuleBasedStateMachine):
    """See the module; ``wire`` holds what we sent and the venue has not read, ``venue.mail`` what it sent us."""

    def __init__(self) -> None:
        super().__init__()
        self.config = DeskConfig(keep_closed=50)
        self.desk = Desk(self.config)
        self.venue = Venue()
        self.wire: list[Any] = []
        self.heard: list[Any] = []
        self.booked: dict[str, Decimal] = {}
        self.now, self.elapsed = START, 0.0
        self.submitted = 0
        self.connect()
        self.settle()

    # --- plumbing ---

    def tell(self, message: Any) -> None:
        self.heard.append(message)
        for said in self.desk.decide(message):
            self.carry(said)

    def carry(self, said: Any) -> None:
        match said:
            case FinishReconciliation():
                self.session(SessionState.READY)
            case QualifyContract():
                contract = next(contract for contract in CONTRACTS if contract.symbol == said.wanted.symbol)
                self.venue.post(
                    InstrumentReported(
                        at=self.now,
                        epoch=self.venue.epoch,
                        wanted=said.wanted,
                        instrument=Instrument(contract=contract),
                    )
                )
            case OrderFilled():
                family = said.fill.exec_id.rpartition(".")[0]
                assert family not in self.booked, "a fill was told twice"
                self.booked[family] = said.fill.quantity
            case FillCorrected():
                self.booked[said.fill.exec_id.rpartition(".")[0]] = said.fill.quantity
            case _ if isinstance(said, _TO_VENUE) and self.venue.connected:
                self.wire.append(said)
            case _:
                pass

    def session(self, state: SessionState, epoch: Epoch | None = None) -> None:
        if epoch is not None:
            self.venue.epoch = epoch
        lowest = OrderId(1)  # the gateway forgets: its floor goes back after a restart
        self.tell(
            SessionChanged(
                at=self.now,
                epoch=self.venue.epoch,
                state=state,
                client_id=CLIENT,
                next_order_id=lowest,
                accounts=(ACCOUNT,),
            )
        )

    def deliver(self, index: int) -> None:
        for report in self.venue.mail.pop(index):
            self.tell(report)

    def settle(self) -> None:
        """Everything on its way arrives in order."""
        while self.wire or self.venue.mail:
            if self.wire:
                self.venue.obey(self.wire.pop(0), self.now, reject=False)
            while self.venue.mail:
                self.deliver(0)

    def open_orders(self) -> list[VenueOrder]:
        return [order for order in self.venue.orders.values() if order.is_open]

    def known_ids(self) -> list[OmsId]:
        return [OmsId(f"o{number}") for number in range(1, self.submitted + 1)]

    # --- the strategy ---

    @rule(pick=picks, side=st.sampled_from(Side), quantity=sizes)
    def submit(self, pick: int, side: Side, quantity: int) -> None:
        self.submitted += 1
        order = Order(
            side=side,
            quantity=quantity,
            symbol=CONTRACTS[pick % 2].symbol,
            order_type=OrderType.LIMIT,
            limit_price=Decimal(100 + pick),
        )
        self.tell(SubmitOrder(at=self.now, oms_id=OmsId(f"o{self.submitted}"), order=order))

    @precondition(lambda self: self.submitted)
    @rule(pick=picks)
    def submit_again(self, pick: int) -> None:
        ids = self.known_ids()
        order = Order(side=Side.BUY, quantity=1, symbol="SPY")
        self.tell(SubmitOrder(at=self.now, oms_id=ids[pick % len(ids)], order=order))

    @precondition(lambda self: self.submitted)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        ids = self.known_ids()
        self.tell(CancelOrder(at=self.now, oms_id=ids[-1 - pick % len(ids)]))

    @precondition(lambda self: self.submitted)
    @rule(pick=picks, quantity=sizes, price=st.integers(min_value=90, max_value=110))
    def replace(self, pick: int, quantity: int, price: int) -> None:
        ids = self.known_ids()
        oms_id = ids[-1 - pick % len(ids)]
        self.tell(ReplaceOrder(at=self.now, oms_id=oms_id, quantity=Decimal(quantity), limit_price=Decimal(price)))

    @rule()
    def flatten(self) -> None:
        self.tell(FlattenAll(at=self.now, reason="machine"))

    # --- the venue ---

    @precondition(lambda self: self.wire)
    @rule(reject=st.booleans())
    def venue_reads(self, reject: bool) -> None:
        self.venue.obey(self.wire.pop(0), self.now, reject=reject)

    @precondition(lambda self: self.open_orders())
    @rule(pick=picks, share=sizes)
    def venue_fills(self, pick: int, share: int) -> None:
        orders = self.open_orders()
        order = orders[pick % len(orders)]
        self.venue.fill(order, min(Decimal(share), order.terms.quantity - order.filled), self.now)

    @precondition(lambda self: self.open_orders())
    @rule(pick=picks)
    def venue_cancels(self, pick: int) -> None:
        orders = self.open_orders()
        self.venue.cancel_itself(orders[pick % len(orders)], self.now)

    @precondition(lambda self: any(order.executions for order in self.open_orders()))
    @rule(pick=picks, smaller=st.integers(min_value=0, max_value=3))
    def venue_corrects(self, pick: int, smaller: int) -> None:
        orders = [order for order in self.open_orders() if order.executions]
        order = orders[pick % len(orders)]
        last = list(order.executions.values())[-1]
        self.venue.correct(order, min(last.quantity, Decimal(smaller)), self.now)

    # --- the mail ---

    @precondition(lambda self: self.venue.mail)
    @rule()
    def mail_arrives(self) -> None:
        self.deliver(0)

    @precondition(lambda self: self.venue.mail)
    @rule(pick=picks)
    def mail_overtakes(self, pick: int) -> None:
        self.deliver(pick % len(self.venue.mail))

    @precondition(lambda self: self.venue.mail)
    @rule(pick=picks)
    def mail_is_doubled(self, pick: int) -> None:
        letter = self.venue.mail[pick % len(self.venue.mail)]
        if len(letter) == 1:
            self.venue.mail.append(letter)

    @precondition(lambda self: self.venue.mail)
    @rule(pick=picks)
    def mail_is_lost(self, pick: int) -> None:
        index = pick % len(self.venue.mail)
        if len(self.venue.mail[index]) == 1 and not hasattr(self.venue.mail[index][0], "kind"):
            del self.venue.mail[index]

    # --- the world ---

    @rule(seconds=st.sampled_from((0.5, 3.0, 11.0, 36.0)))
    def time_passes(self, seconds: float) -> None:
        self.elapsed += seconds
        self.now += timedelta(seconds=seconds)
        self.tell(Tick(at=self.now, elapsed=self.elapsed))

    @precondition(lambda self: self.venue.connected)
    @rule(arrived=picks, keeps_mail=st.booleans())
    def connection_breaks(self, arrived: int, keeps_mail: bool) -> None:
        for command in self.wire[: arrived % (len(self.wire) + 1)]:
            self.venue.obey(command, self.now, reject=False)
        self.wire.clear()
        self.venue.connected = False
        if not keeps_mail:
            self.venue.mail.clear()
        self.session(SessionState.DISCONNECTED)

    @precondition(lambda self: not self.venue.connected)
    @rule()
    def connect(self) -> None:
        self.venue.connected = True
        self.session(SessionState.RECONCILING, Epoch(self.venue.epoch + 1))

    @precondition(lambda self: any(isinstance(command, PlaceOrder | CancelPlacedOrder) for command in self.wire))
    @rule(pick=picks, arrives=st.booleans(), certain=st.booleans())
    def sending_fails(self, pick: int, arrives: bool, certain: bool) -> None:
        commands = [command for command in self.wire if isinstance(command, PlaceOrder | CancelPlacedOrder)]
        command = commands[pick % len(commands)]
        self.wire.remove(command)
        if arrives and not certain:
            self.venue.obey(command, self.now, reject=False)
        self.tell(
            SendFailed(
                at=self.now, epoch=self.venue.epoch, oms_id=command.oms_id, uncertain=not certain, text="broken pipe"
            )
        )

    @rule()
    def process_restarts(self) -> None:
        snapshot = self.desk.snapshot()
        self.desk = Desk.restore(snapshot, self.config)
        assert self.desk.snapshot() == snapshot

    # --- truth ---

    @invariant()
    def nothing_is_booked_that_did_not_happen(self) -> None:
        truth = {family for order in self.venue.orders.values() for family in order.executions}
        assert set(self.booked) <= truth

    def teardown(self) -> None:
        self.reconcile_quietly()
        self.books_agree()
        self.replay_agrees()

    def reconcile_quietly(self) -> None:
        """A fresh connection, honest mail, and enough time for silence to prove something."""
        if self.venue.connected:
            self.connection_breaks(len(self.wire), False)
        self.connect()
        self.settle()
        for _ in range(6):
            self.time_passes(36.0)
            self.settle()

    def books_agree(self) -> None:
        truth = {
            family: execution.quantity
            for order in self.venue.orders.values()
            for family, execution in order.executions.items()
        }
        assert self.booked == truth
        for order in self.venue.orders.values():
            ours = self.desk.order(order.oms_id)
            if ours is None:
                assert not order.is_open
                continue
            assert ours.filled == order.filled
            # A bust that was overtaken by the next fill made it look filled: it stays so, and is taken off the market.
            busted = ours.status is ExecStatus.FILLED and any(fill.superseded for fill in ours.fills.values())
            assert busted or ours.status in _ENDED[order.status], (ours, order)
        for ours in self.desk.open_orders():
            assert ours.oms_id in self.venue.orders, ours
            assert ours.order == self.venue.orders[ours.oms_id].terms
            assert not ours.in_doubt, ours
        self.holdings_agree()

    def holdings_agree(self) -> None:
        held: dict[int, Decimal] = {}
        for order in self.venue.orders.values():
            signed = order.terms.side.sign * order.filled
            held[order.contract.con_id] = held.get(order.contract.con_id, Decimal(0)) + signed
        ours = {contract.con_id: quantity for _, contract, quantity in self.desk.holdings()}
        assert ours == {con_id: quantity for con_id, quantity in held.items() if quantity}

    def replay_agrees(self) -> None:
        """I11: the inputs alone give the state back."""
        replayed = Desk(self.config)
        for message in self.heard:
            replayed.decide(message)
        assert replayed.snapshot() == self.desk.snapshot()


TestOrderMachine = OrderMachine.TestCase
