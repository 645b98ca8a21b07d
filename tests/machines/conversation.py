"""A desk in conversation with a venue: the plumbing that the order machines share, and what must be true at the end."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from actors.domain.contract import Contract, Instrument
from actors.domain.desk import Desk, DeskConfig
from actors.domain.identity import Epoch, OmsId, OrderId
from actors.domain.order_state import ExecStatus
from actors.messages.events import FillCorrected, OrderFilled
from actors.messages.reports import BrokerStatus, InstrumentReported
from actors.messages.system import SessionChanged, SessionState, Tick
from actors.messages.wire import (
    CancelPlacedOrder,
    FinishReconciliation,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
)
from actors.order_manager import decided_by_time
from tests.actors.domain.deskkit import START
from tests.machines.venue import ACCOUNT, CLIENT, Venue, VenueOrder

CONTRACTS = tuple(Contract(symbol=symbol, con_id=number) for number, symbol in enumerate(("SPY", "IBM"), start=1))
_TO_VENUE = (PlaceOrder, ReplacePlacedOrder, CancelPlacedOrder, QuerySnapshot)
_ENDED = {
    BrokerStatus.FILLED: {ExecStatus.FILLED},
    BrokerStatus.CANCELED: {ExecStatus.CANCELED, ExecStatus.REJECTED},
    BrokerStatus.WORKING: {ExecStatus.WORKING, ExecStatus.PARTIALLY_FILLED},
}


class Conversation(RuleBasedStateMachine):
    """``wire`` holds what we sent and the venue has not read, ``venue.mail`` what it sent us."""

    def __init__(self) -> None:
        super().__init__()
        self.config = DeskConfig(keep_closed=50)
        self.desk = Desk(self.config)
        self.venue = Venue()
        self.wire: list[Any] = []
        self.heard: list[tuple[Any, bool]] = []
        self.booked: dict[str, Decimal] = {}
        self.now, self.elapsed = START, 0.0
        self.submitted = 0
        self.reconnect()
        self.settle()

    # --- plumbing ---

    def wait(self, seconds: float) -> None:
        self.elapsed += seconds
        self.now += timedelta(seconds=seconds)
        self.tell(Tick(at=self.now, elapsed=self.elapsed))

    def disconnect(self, *, arrived: int, keeps_mail: bool) -> None:
        """The first commands still arrive; mail on its way is kept or lost."""
        for command in self.wire[:arrived]:
            self.venue.obey(command, self.now, reject=False)
        self.wire.clear()
        self.venue.connected = False
        if not keeps_mail:
            self.venue.mail.clear()
        self.session(SessionState.DISCONNECTED)

    def reconnect(self) -> None:
        self.venue.connected = True
        self.session(SessionState.RECONCILING, Epoch(self.venue.epoch + 1))

    def restart(self) -> None:
        snapshot = self.desk.snapshot()
        self.desk = Desk.restore(snapshot, self.config)
        assert self.desk.snapshot() == snapshot

    def tell(self, message: Any) -> None:
        outbox = decided_by_time(self.desk, message) if isinstance(message, Tick) else self.desk.decide(message)
        self.record(message, quiet=outbox is None)
        for said in outbox or ():
            self.carry(said)

    def record(self, message: Any, *, quiet: bool) -> None:
        """As the journal does: of ticks that changed nothing only the last before another input is kept."""
        if quiet and self.heard and self.heard[-1][1]:
            self.heard.pop()
        self.heard.append((message, quiet))

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
            self.disconnect(arrived=len(self.wire), keeps_mail=False)
        self.reconnect()
        self.settle()
        for _ in range(6):
            self.wait(36.0)
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
        for message, _ in self.heard:
            replayed.decide(message)
        assert replayed.snapshot() == self.desk.snapshot()
