"""OrderMachine: whatever the mail service does, after one quiet reconciliation our books are the venue's.

The mail delays, doubles, reorders and loses; connections break; the process restarts from its snapshot. After every
decision the invariants hold, and at the end fills, statuses and holdings equal the venue's truth.
"""

from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from actors.domain.identity import OmsId
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import CancelOrder, FlattenAll, ReplaceOrder, SubmitOrder
from actors.messages.reports import SnapshotEnded
from actors.messages.system import SendFailed
from actors.messages.wire import CancelPlacedOrder, PlaceOrder
from tests.machines.conversation import CONTRACTS, Conversation

picks = st.integers(min_value=0, max_value=50)
sizes = st.integers(min_value=1, max_value=8)


class OrderMachine(Conversation):
    """See the module."""

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
        if not isinstance(self.venue.mail[index][-1], SnapshotEnded):
            del self.venue.mail[index]

    # --- the world ---

    @rule(seconds=st.sampled_from((0.5, 3.0, 11.0, 36.0)))
    def time_passes(self, seconds: float) -> None:
        self.wait(seconds)

    @precondition(lambda self: self.venue.connected)
    @rule(arrived=picks, keeps_mail=st.booleans())
    def connection_breaks(self, arrived: int, keeps_mail: bool) -> None:
        self.disconnect(arrived=arrived % (len(self.wire) + 1), keeps_mail=keeps_mail)

    @precondition(lambda self: not self.venue.connected)
    @rule()
    def connect(self) -> None:
        self.reconnect()

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
                at=self.now,
                epoch=self.venue.epoch,
                oms_id=command.oms_id,
                uncertain=not certain,
                text="broken pipe",
                is_order=isinstance(command, PlaceOrder),
            )
        )

    @rule()
    def process_restarts(self) -> None:
        self.restart()


TestOrderMachine = OrderMachine.TestCase
