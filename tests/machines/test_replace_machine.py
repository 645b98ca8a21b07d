"""ReplaceMachine: one order, changed again and again while it fills; at the end its terms are the venue's.

Replaces go up, down, below what is filled; they are accepted, refused, crossed by fills and by cancels, told late,
twice and in the wrong order, changed by hand at the venue, and interrupted by lost connections.
"""

from decimal import Decimal

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from actors.domain.identity import OmsId
from actors.domain.order_state import ExecStatus
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import CancelOrder, ReplaceOrder, SubmitOrder
from tests.machines.conversation import Conversation

NAME = OmsId("only")
picks = st.integers(min_value=0, max_value=20)
quantities = st.integers(min_value=1, max_value=40)
prices = st.integers(min_value=90, max_value=95)


class ReplaceMachine(Conversation):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        order = Order(side=Side.BUY, quantity=20, symbol="SPY", order_type=OrderType.LIMIT, limit_price=Decimal(90))
        self.tell(SubmitOrder(at=self.now, oms_id=NAME, order=order))
        self.settle()

    @rule(quantity=quantities | st.none(), price=prices)
    def replace(self, quantity: int | None, price: int) -> None:
        wanted = None if quantity is None else Decimal(quantity)
        self.tell(ReplaceOrder(at=self.now, oms_id=NAME, quantity=wanted, limit_price=Decimal(price)))

    @rule()
    def cancel(self) -> None:
        self.tell(CancelOrder(at=self.now, oms_id=NAME))

    @precondition(lambda self: self.wire)
    @rule(refuse=st.booleans())
    def venue_reads(self, refuse: bool) -> None:
        self.venue.obey(self.wire.pop(0), self.now, reject=refuse)

    @precondition(lambda self: self.open_orders())
    @rule(quantity=st.integers(min_value=1, max_value=12))
    def venue_fills(self, quantity: int) -> None:
        (order,) = self.open_orders()
        self.venue.fill(order, min(Decimal(quantity), order.terms.quantity - order.filled), self.now)

    @precondition(lambda self: self.open_orders())
    @rule(price=prices)
    def hand_changes_the_price(self, price: int) -> None:
        (order,) = self.open_orders()
        order.terms = attrs.evolve(order.terms, limit_price=Decimal(price))
        self.venue.tell_terms(order, self.now)

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

    @rule(seconds=st.sampled_from((3.0, 11.0, 36.0)))
    def time_passes(self, seconds: float) -> None:
        self.wait(seconds)

    @rule(arrived=picks, keeps_mail=st.booleans())
    def connection_breaks_and_returns(self, arrived: int, keeps_mail: bool) -> None:
        self.disconnect(arrived=arrived % (len(self.wire) + 1), keeps_mail=keeps_mail)
        self.reconnect()

    @invariant()
    def terms_are_the_old_or_the_wanted_ones(self) -> None:
        order = self.desk.order(NAME)
        assert order is not None
        if order.status is ExecStatus.FILLED:
            assert order.filled >= order.order.quantity
        assert order.wanted is None or order.is_open


TestReplaceMachine = ReplaceMachine.TestCase
