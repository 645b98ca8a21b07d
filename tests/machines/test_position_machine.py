"""PositionMachine: the portfolio against plain arithmetic over all fills, whatever is corrected or restarted."""

from decimal import Decimal
from typing import Any

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.domain.contract import Contract
from actors.domain.identity import Account, Epoch, ExecId, OmsId
from actors.domain.order_state import Fill, OrderState
from actors.domain.portfolio import Portfolio
from actors.domain.positions import Holding
from actors.domain.terms import Order, Side
from actors.messages.commands import BlockInstrument, SuspectPosition
from actors.messages.events import FillCorrected, OrderFilled, PositionMismatched, Reconciled
from actors.messages.reports import PositionReported, SnapshotEnded, SnapshotKind
from actors.messages.system import Tick
from tests.actors.domain.deskkit import START

SPY = Contract(symbol="SPY", con_id=1)
FUTURE = Contract(symbol="ES", con_id=2, multiplier=Decimal(50))
FORMS = {
    1: (SPY, Contract(symbol="SPY"), Contract(symbol="", con_id=1)),
    2: (FUTURE, attrs.evolve(FUTURE, con_id=0), attrs.evolve(FUTURE, symbol="")),
}
ACCOUNTS = (Account("DU1234567"), Account("DU7654321"))
Where = tuple[Account, int]

wheres = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from((1, 2)))
forms = st.integers(min_value=0, max_value=2)
quantities = st.integers(min_value=1, max_value=9).map(Decimal)
prices = st.integers(min_value=1, max_value=20).map(Decimal)


@attrs.define
class Booked:
    """One fill as the model remembers it."""

    where: Where
    fill: Fill


class PositionMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.portfolio = Portfolio()
        self.fills: list[Booked] = []
        self.opening: dict[Where, Holding] = {}
        self.broker: dict[Where, Decimal] = {}
        self.opened = False
        self.elapsed = 0.0
        self.named: dict[Where, Decimal] = {}
        self.suspects: dict[Where, tuple[Decimal, Decimal]] = {}
        for con_id in FORMS:
            self.introduce(con_id)

    def introduce(self, con_id: int) -> None:
        """A full contract is seen first: rows that lack the id can then be told by their description."""
        for account in ACCOUNTS:
            self.report((account, con_id), 0)

    def decide(self, message: Any) -> tuple[Any, ...]:
        """Tell the portfolio, and hear as the desk does."""
        said = self.portfolio.decide(message)
        for one in said:
            if isinstance(one, SuspectPosition | PositionMismatched):
                self.suspects.pop((one.account, one.contract.con_id), None)
            if isinstance(one, SuspectPosition) and one.suspect:
                self.suspects[one.account, one.contract.con_id] = one.ours, one.broker
        return said

    def order(self, where: Where, fill: Fill, form: int) -> OrderState:
        account, con_id = where
        contract = FORMS[con_id][form]
        terms = Order(side=fill.side, quantity=1000, contract=contract)
        return OrderState(
            oms_id=OmsId("a"), order=terms, contract=contract, account=account, created_at=START, updated_at=START
        )

    def held(self, where: Where) -> Decimal:
        signed = (one.fill.side.sign * one.fill.quantity for one in self.fills if one.where == where)
        return self.opening.get(where, Holding()).quantity + sum(signed, Decimal(0))

    # --- fills ---

    @rule(where=wheres, form=forms, side=st.sampled_from(Side), quantity=quantities, price=prices)
    def trade(self, where: Where, form: int, side: Side, quantity: Decimal, price: Decimal) -> None:
        exec_id = ExecId(f"e{len(self.fills)}.01")
        fill = Fill(exec_id=exec_id, side=side, quantity=quantity, price=price, at=START, account=where[0])
        self.fills.append(Booked(where, fill))
        self.decide(OrderFilled(at=START, order=self.order(where, fill, form), fill=fill))

    @precondition(lambda self: self.fills)
    @rule(
        pick=st.integers(min_value=0, max_value=99), form=forms, quantity=quantities | st.just(Decimal(0)), price=prices
    )
    def correct(self, pick: int, form: int, quantity: Decimal, price: Decimal) -> None:
        booked = self.fills[pick % len(self.fills)]
        previous = booked.fill
        family, _, number = previous.exec_id.rpartition(".")
        exec_id = ExecId(f"{family}.{int(number) + 1:02}")
        booked.fill = attrs.evolve(previous, exec_id=exec_id, quantity=quantity, price=price)
        order = self.order(booked.where, booked.fill, form)
        self.decide(FillCorrected(at=START, order=order, fill=booked.fill, previous=previous))

    # --- the broker ---

    def report(self, where: Where, form: int) -> None:
        row = PositionReported(
            at=START,
            epoch=Epoch(1),
            account=where[0],
            contract=FORMS[where[1]][form],
            quantity=self.broker.get(where, Decimal(0)),
            average_cost=Decimal(100),
        )
        self.decide(row)

    @rule(where=wheres, form=forms)
    def broker_agrees(self, where: Where, form: int) -> None:
        self.broker[where] = self.held(where)
        self.report(where, form)

    @rule(where=wheres, form=forms, quantity=st.integers(min_value=-9, max_value=9).map(Decimal))
    def broker_differs(self, where: Where, form: int, quantity: Decimal) -> None:
        self.broker[where] = quantity
        self.report(where, form)

    @rule()
    def reconciled(self) -> None:
        self.decide(SnapshotEnded(at=START, epoch=Epoch(1), kind=SnapshotKind.POSITIONS))
        self.decide(Reconciled(at=START, open_orders=0, executions=0, in_doubt=0))
        if self.opened:
            assert set(self.suspects) == {where for where in self.wrong() if self.differs_anew(where)}
        else:
            self.opened = True
            for account in ACCOUNTS:
                for con_id in FORMS:
                    where = (account, con_id)
                    missing = self.broker.get(where, Decimal(0)) - self.held(where)
                    cost = missing * 100 / FORMS[con_id][0].multiplier
                    self.opening[where] = Holding(quantity=missing, cost=cost)

    @rule()
    def both_rest(self) -> None:
        said: list[Any] = []
        for seconds in (1.0, 6.0, 31.0, 6.0):  # at rest, asked, nothing new in the answer's time
            self.elapsed += seconds
            said += self.decide(Tick(at=START, elapsed=self.elapsed))
        for message in said:
            if isinstance(message, PositionMismatched):
                where = (message.account, message.contract.con_id)
                self.named[where] = message.broker - message.ours
        over = {message.instrument for message in said if isinstance(message, BlockInstrument)}
        if self.opened:
            wrong = self.wrong()
            for where in list(self.named):
                if where not in wrong:
                    assert f"#{where[1]}" in over
                    del self.named[where]
            assert self.named == {where: self.broker.get(where, Decimal(0)) - self.held(where) for where in wrong}

    def wrong(self) -> set[Where]:
        return {where for where in self.broker_wheres() if self.broker.get(where, Decimal(0)) != self.held(where)}

    def differs_anew(self, where: Where) -> bool:
        return self.broker.get(where, Decimal(0)) - self.held(where) != self.named.get(where)

    def broker_wheres(self) -> set[Where]:
        return {(account, con_id) for account in ACCOUNTS for con_id in FORMS}

    # --- the process ---

    @rule()
    def restart(self) -> None:
        state = self.portfolio.snapshot()
        view = self.portfolio.snapshot_view(START)
        self.portfolio = Portfolio.restore(state)
        self.suspects.clear()  # a new life begins with a new connection
        assert self.portfolio.snapshot() == state
        assert self.portfolio.snapshot_view(START) == view

    @invariant()
    def suspects_differ_as_was_said(self) -> None:
        for where, said in self.suspects.items():
            assert said == (self.held(where), self.broker.get(where, Decimal(0)))
            assert said[0] != said[1]

    @invariant()
    def view_is_arithmetic(self) -> None:
        views = {(view.account, view.contract.con_id): view for view in self.portfolio.snapshot_view(START).positions}
        assert len(views) == len(self.portfolio.snapshot_view(START).positions)
        for where in self.broker_wheres():
            quantity, cost, realized = arithmetic(self.opening.get(where), self.fills, where)
            view = views.get(where)
            if view is None:
                assert quantity == 0
                assert abs(realized) < Decimal("1e-15")  # the model's average is rounded, ours is not where all is sold
                continue
            assert view.quantity == quantity
            assert abs(view.average_cost - cost) < Decimal("1e-15")
            multiplier = FORMS[where[1]][0].multiplier
            assert abs(view.realized_pnl - realized * multiplier) < Decimal("1e-15")


def arithmetic(opening: Holding | None, fills: list[Booked], where: Where) -> tuple[Decimal, Decimal, Decimal]:
    """Average-cost accounting written the other way: with an average, unit by unit."""
    quantity = opening.quantity if opening is not None else Decimal(0)
    average = opening.cost / opening.quantity if opening is not None and opening.quantity else Decimal(0)
    realized = Decimal(0)
    for one in fills:
        if one.where != where:
            continue
        for _ in range(int(one.fill.quantity)):
            sign = one.fill.side.sign
            if quantity * sign >= 0:
                average = (average * abs(quantity) + one.fill.price) / (abs(quantity) + 1)
            else:
                realized += (one.fill.price - average) * -sign
            quantity += sign
            average = average if quantity else Decimal(0)
    return quantity, average, realized


TestPositionMachine = PositionMachine.TestCase
