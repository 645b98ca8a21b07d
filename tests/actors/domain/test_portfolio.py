"""The portfolio: positions from fills, what the broker holds, and the comparison of both (P1 to P6)."""

# Decimals are compared with plain ints.
# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.domain.contract import Contract, SecType
from actors.domain.identity import Account, Epoch, ExecId, OmsId
from actors.domain.order_state import Fill, OrderState
from actors.domain.portfolio import Portfolio
from actors.domain.portfolio_state import PortfolioConfig
from actors.domain.terms import Order, Side
from actors.messages.commands import AcceptPosition, BlockInstrument, Books, SuspectPosition
from actors.messages.events import (
    CommissionCharged,
    Discrepancy,
    FillCorrected,
    OrderFilled,
    PositionMismatched,
    Reconciled,
)
from actors.messages.portfolio import PositionView
from actors.messages.reports import (
    AccountValueReported,
    PositionReported,
    QuoteReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import Tick
from tests.actors.domain.deskkit import ACCOUNT, COMBO, SPY, START, names, only

EPOCH = Epoch(1)


def fill(side: Side, quantity: Any, price: Any, exec_id: str = "e1.01", **fields: Any) -> Fill:
    return Fill(
        exec_id=ExecId(exec_id),
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=START,
        account=ACCOUNT,
        **fields,
    )


def order_of(booked: Fill, contract: Contract = SPY) -> OrderState:
    terms = Order(side=booked.side, quantity=1000, contract=contract)
    return OrderState(
        oms_id=OmsId("a"), order=terms, contract=contract, account=ACCOUNT, created_at=START, updated_at=START
    )


def book(portfolio: Portfolio, booked: Fill, contract: Contract = SPY) -> None:
    portfolio.decide(OrderFilled(at=START, order=order_of(booked, contract), fill=booked))


def reported(quantity: Any, average_cost: Any = None, contract: Contract = SPY) -> PositionReported:
    return PositionReported(
        at=START,
        epoch=EPOCH,
        account=ACCOUNT,
        contract=contract,
        quantity=Decimal(quantity),
        average_cost=None if average_cost is None else Decimal(average_cost),
    )


def reconcile(portfolio: Portfolio, *rows: PositionReported) -> None:
    for row in rows:
        portfolio.decide(row)
    portfolio.decide(SnapshotEnded(at=START, epoch=EPOCH, kind=SnapshotKind.POSITIONS))
    portfolio.decide(Reconciled(at=START, open_orders=0, executions=0, in_doubt=0))


def rest(portfolio: Portfolio, start: float = 1.0) -> tuple[Any, ...]:
    """What is said once both sides rest, and the broker, if it was asked, has said nothing new."""
    assert portfolio.decide(Tick(at=START, elapsed=start)) == ()
    said = portfolio.decide(Tick(at=START, elapsed=start + 6))
    if names(said) != ["Reconcile"]:
        return said
    reconcile(portfolio)
    assert portfolio.decide(Tick(at=START, elapsed=start + 6.5)) == ()
    return portfolio.decide(Tick(at=START, elapsed=start + 12.5))


def the_position(portfolio: Portfolio) -> PositionView:
    (view,) = portfolio.snapshot_view(START).positions
    return view


def test_p1_a_round_trip_realises_its_profit() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 3, 100, "e1.01"))
    book(portfolio, fill(Side.BUY, 1, 104, "e2.01"))
    book(portfolio, fill(Side.SELL, 4, 103, "e3.01"))

    view = the_position(portfolio)
    assert (view.quantity, view.average_cost, view.realized_pnl) == (Decimal(0), Decimal(0), Decimal(8))


def test_p1_a_position_flips_through_zero_at_the_price_of_the_flip() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100, "e1.01"))
    book(portfolio, fill(Side.SELL, 5, 110, "e2.01"))

    view = the_position(portfolio)
    assert (view.quantity, view.average_cost, view.realized_pnl) == (Decimal(-3), Decimal(110), Decimal(20))


def test_p1_a_correction_counts_as_if_it_had_been_there_from_the_start() -> None:
    corrected, straight = Portfolio(), Portfolio()
    first, second, third = fill(Side.BUY, 2, 100), fill(Side.BUY, 1, 102, "e2.01"), fill(Side.SELL, 2, 105, "e3.01")
    right = fill(Side.BUY, 1, 101, "e1.02")
    for one in (first, second, third):
        book(corrected, one)
    corrected.decide(FillCorrected(at=START, order=order_of(right), fill=right, previous=first))
    for one in (right, second, third):
        book(straight, one)

    assert the_position(corrected) == the_position(straight)


def test_p2_the_opening_is_what_the_broker_holds_less_what_is_booked() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100))

    reconcile(portfolio, reported(12, 90))

    assert the_position(portfolio).quantity == 12
    assert rest(portfolio) == ()


def test_p4_a_difference_is_named_once_and_is_over_when_the_broker_agrees() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    portfolio.decide(reported(7, 90))

    outbox = rest(portfolio)
    mismatch = only(PositionMismatched, outbox)
    assert (mismatch.ours, mismatch.broker) == (Decimal(10), Decimal(7))
    assert rest(portfolio, 20) == ()
    portfolio.decide(reported(10, 90))
    assert names(rest(portfolio, 40)) == ["BlockInstrument"]


def test_p5_rows_without_an_id_are_the_same_position() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100))
    reconcile(portfolio, reported(2, 100, Contract(symbol="SPY")))

    assert the_position(portfolio).quantity == 2


def test_commissions_are_counted_once_per_execution() -> None:
    portfolio = Portfolio()
    charged = fill(Side.BUY, 2, 100, commission=Decimal("1.5"))
    book(portfolio, charged)
    for _ in range(2):
        portfolio.decide(CommissionCharged(at=START, order=order_of(charged), fill=charged))

    assert portfolio.snapshot_view(START).commissions == {"USD": Decimal("1.5")}
    assert the_position(portfolio).commission == Decimal("1.5")


def test_sums_do_not_mix_currencies() -> None:
    portfolio = Portfolio()
    euros = Contract(symbol="SAP", con_id=14, currency="EUR")
    bought = fill(Side.BUY, 2, 100, "e1.01", commission=Decimal(3), commission_currency="EUR")
    book(portfolio, bought, euros)
    book(portfolio, fill(Side.SELL, 1, 110, "e2.01"), euros)
    book(portfolio, fill(Side.BUY, 1, 50, "e3.01"))
    book(portfolio, fill(Side.SELL, 1, 40, "e4.01"))
    for charged in (bought, attrs.evolve(bought, exec_id=ExecId("e1.02"), commission_currency="USD")):
        portfolio.decide(CommissionCharged(at=START, order=order_of(charged, euros), fill=charged))
        restored = Portfolio.restore(portfolio.snapshot())
        assert restored.snapshot_view(START) == portfolio.snapshot_view(START)

    view = portfolio.snapshot_view(START)
    assert (view.realized_pnl, view.commissions) == ({"EUR": 10, "USD": -10}, {"EUR": 0, "USD": 3})


def test_a_restored_portfolio_shows_the_same_view() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    book(portfolio, fill(Side.SELL, 4, 95))

    restored = Portfolio.restore(portfolio.snapshot())

    assert restored.snapshot_view(START) == portfolio.snapshot_view(START)
    assert restored.snapshot() == portfolio.snapshot()
    assert Account(ACCOUNT) == the_position(restored).account


# --- what moves a position ---


def test_p3_a_combo_moves_no_position_its_legs_do() -> None:
    portfolio = Portfolio()
    leg = Contract(symbol="SPY", sec_type=SecType.OPTION, con_id=11, multiplier=Decimal(100))

    book(portfolio, fill(Side.BUY, 1, "-1.20", "s.01"), COMBO)
    assert portfolio.snapshot_view(START).positions == ()
    book(portfolio, fill(Side.SELL, 1, "2.10", "l.01", contract=leg), COMBO)

    assert (the_position(portfolio).contract, the_position(portfolio).quantity) == (leg, -1)


def test_a_corrected_combo_moves_no_position_and_is_booked() -> None:
    portfolio = Portfolio()
    first, second = fill(Side.BUY, 1, "-1.20", "s.01"), fill(Side.BUY, 1, "-1.10", "s.02")
    book(portfolio, first, COMBO)
    portfolio.decide(FillCorrected(at=START, order=order_of(second, COMBO), fill=second, previous=first))

    assert portfolio.snapshot_view(START).positions == ()
    assert portfolio.snapshot_view(START).booked == ("s.01", "s.02")


def test_the_fee_of_a_combo_counts_in_the_sum() -> None:
    portfolio = Portfolio()
    charged = fill(Side.BUY, 1, "-1.20", "s.01", commission=Decimal(2))
    portfolio.decide(CommissionCharged(at=START, order=order_of(charged, COMBO), fill=charged))

    assert portfolio.snapshot_view(START).commissions == {"USD": 2}


def test_a_multiplier_scales_profit_and_not_cost() -> None:
    portfolio = Portfolio()
    future = Contract(symbol="ES", sec_type=SecType.FUTURE, con_id=12, multiplier=Decimal(50))
    book(portfolio, fill(Side.BUY, 2, 5000, "e1.01"), future)
    book(portfolio, fill(Side.SELL, 1, 5010, "e2.01"), future)
    portfolio.decide(QuoteReported(at=START, epoch=EPOCH, contract=future, bid=Decimal(5019), ask=Decimal(5021)))

    view = the_position(portfolio)
    assert (view.average_cost, view.realized_pnl, view.unrealized_pnl) == (5000, 500, 1000)


def test_a_fill_without_an_account_is_booked_to_its_orders() -> None:
    portfolio = Portfolio()
    book(portfolio, attrs.evolve(fill(Side.BUY, 2, 100), account=Account("")))

    assert the_position(portfolio).account == ACCOUNT


def test_accounts_are_kept_apart() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100))
    book(portfolio, attrs.evolve(fill(Side.BUY, 3, 100, "e2.01"), account=Account("DU2")))

    assert {view.account: view.quantity for view in portfolio.snapshot_view(START).positions} == {ACCOUNT: 2, "DU2": 3}


def test_the_last_executions_of_a_view_are_bounded() -> None:
    portfolio = Portfolio()
    for number in range(300):
        book(portfolio, fill(Side.BUY, 1, 100, f"e{number}.01"))

    booked = portfolio.snapshot_view(START).booked
    assert (len(booked), booked[0], booked[-1]) == (256, "e44.01", "e299.01")


def test_the_portfolio_refuses_a_message_it_does_not_hear() -> None:
    with pytest.raises(TypeError, match="does not hear str"):
        Portfolio().decide("hello")


# --- prices and values ---


def quoted(**prices: Any) -> QuoteReported:
    fields: dict[str, Any] = {name: Decimal(price) for name, price in prices.items()}
    return QuoteReported(at=START, epoch=EPOCH, contract=SPY, **fields)


def test_a_position_is_valued_between_bid_and_ask_else_at_the_last_trade() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.SELL, 2, 100))
    assert the_position(portfolio).unrealized_pnl is None

    portfolio.decide(quoted(bid=90))
    assert the_position(portfolio).market_price is None
    portfolio.decide(quoted(last=95))
    assert (the_position(portfolio).market_price, the_position(portfolio).unrealized_pnl) == (95, 10)
    portfolio.decide(quoted(last=95, bid=89, ask=91))
    assert (the_position(portfolio).market_price, the_position(portfolio).unrealized_pnl) == (90, 20)
    assert portfolio.snapshot_view(START).unrealized_pnl == {"USD": 20}


def test_a_quote_from_before_the_contract_was_known_values_its_position() -> None:
    portfolio = Portfolio()
    portfolio.decide(attrs.evolve(quoted(last=Decimal(90)), contract=Contract(symbol=SPY.symbol)))
    book(portfolio, fill(Side.BUY, 2, 100))

    assert the_position(portfolio).unrealized_pnl == -20


def value(key: str, text: str, currency: str = "USD", account: str = ACCOUNT) -> AccountValueReported:
    return AccountValueReported(at=START, epoch=EPOCH, account=Account(account), key=key, value=text, currency=currency)


def test_cash_and_equity_are_what_the_broker_last_said() -> None:
    portfolio = Portfolio()
    view = portfolio.snapshot_view(START)
    assert (view.cash, view.equity, view.currency) == (None, None, "USD")

    for report in (
        value("NetLiquidation", "1000.50", "EUR"),
        value("TotalCashValue", "400", "EUR"),
        value("TotalCashValue", "500", ""),
        value("BuyingPower", "9"),
        value("NetLiquidation", "n/a"),
        value("NetLiquidation", "Infinity"),
    ):
        portfolio.decide(report)
    view = portfolio.snapshot_view(START)
    assert (view.cash, view.equity, view.currency) == (500, Decimal("1000.50"), "EUR")


def test_values_of_several_accounts_are_summed() -> None:
    portfolio = Portfolio()
    portfolio.decide(value("NetLiquidation", "10"))
    portfolio.decide(value("NetLiquidation", "5", account="DU2"))

    restored = Portfolio.restore(portfolio.snapshot())
    assert restored.snapshot_view(START).equity == 15


def test_fees_are_remembered_within_bounds() -> None:
    portfolio = Portfolio()
    for number in range(10_002):
        charged = fill(Side.BUY, 1, 1, f"e{number}.01", commission=Decimal(1))
        portfolio.decide(CommissionCharged(at=START, order=order_of(charged), fill=charged))

    assert portfolio.snapshot_view(START).commissions == {"USD": 10_002}
    assert len(portfolio.snapshot().valuation.fees) == 10_000


def test_a_fee_that_is_corrected_counts_the_difference() -> None:
    portfolio = Portfolio()
    charged = fill(Side.BUY, 1, 1, "e1.01", commission=Decimal(3))
    portfolio.decide(CommissionCharged(at=START, order=order_of(charged), fill=charged))
    corrected = attrs.evolve(charged, exec_id=ExecId("e1.02"), commission=Decimal(1))
    portfolio.decide(CommissionCharged(at=START, order=order_of(corrected), fill=corrected))

    assert portfolio.snapshot_view(START).commissions == {"USD": 1}


# --- the opening (P2) ---


def test_p2_the_cost_of_the_opening_is_the_brokers_without_multiplier() -> None:
    future = Contract(symbol="ES", sec_type=SecType.FUTURE, con_id=12, multiplier=Decimal(50))
    portfolio = Portfolio()
    reconcile(portfolio, reported(2, 250_000, future))

    assert the_position(portfolio).average_cost == 5000


def test_p2_nothing_is_opened_before_the_list_of_positions_is_complete() -> None:
    portfolio = Portfolio()
    portfolio.decide(reported(10, 90))
    incomplete = SnapshotEnded(at=START, epoch=EPOCH, kind=SnapshotKind.POSITIONS, complete=False)
    other = SnapshotEnded(at=START, epoch=EPOCH, kind=SnapshotKind.OPEN_ORDERS)
    for message in (incomplete, other, Reconciled(at=START, open_orders=0, executions=0, in_doubt=0)):
        portfolio.decide(message)

    assert portfolio.snapshot_view(START).positions == ()
    assert rest(portfolio) == ()


def test_p2_it_happens_once() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    reconcile(portfolio, reported(12, 90))

    assert the_position(portfolio).quantity == 10


def test_p2_fills_of_a_position_the_broker_does_not_hold_had_an_opposite_opening() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.SELL, 5, 100))
    reconcile(portfolio)

    assert portfolio.snapshot_view(START).positions == ()
    assert rest(portfolio) == ()


def test_p2_a_view_that_was_shown_before_follows() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.SELL, 5, 100))
    book(portfolio, fill(Side.BUY, 1, 90, "e2.01"))
    assert the_position(portfolio).quantity == -4
    reconcile(portfolio)

    assert (the_position(portfolio).quantity, the_position(portfolio).realized_pnl) == (0, 10)


def test_p2_a_contract_without_a_multiplier_costs_what_the_broker_says() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(2, 90, attrs.evolve(SPY, multiplier=Decimal(0))))

    assert the_position(portfolio).average_cost == 90


# --- the comparison (P4) ---


def test_p4_the_difference_is_named_without_the_account_number() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    book(portfolio, fill(Side.BUY, 5, 100))

    outbox = rest(portfolio)
    text = only(Discrepancy, outbox).text
    assert text == "account DU*****67: our position is 15, the broker's 10, a difference of -5"


def test_p4_a_position_only_the_broker_knows_is_a_difference() -> None:
    portfolio = Portfolio()
    reconcile(portfolio)
    portfolio.decide(reported(3, 90))

    mismatch = only(PositionMismatched, rest(portfolio))
    assert (mismatch.ours, mismatch.broker, mismatch.contract) == (0, 3, SPY)


def test_p4_a_difference_that_changes_is_said_again() -> None:
    portfolio = Portfolio()
    reconcile(portfolio)
    portfolio.decide(reported(3))
    rest(portfolio)
    portfolio.decide(reported(4))

    assert only(PositionMismatched, rest(portfolio, 20)).broker == 4


def test_p4_a_difference_is_remembered_over_a_restart() -> None:
    portfolio = Portfolio()
    reconcile(portfolio)
    portfolio.decide(reported(3))
    rest(portfolio)
    restored = Portfolio.restore(portfolio.snapshot())
    restored.decide(reported(3))

    assert rest(restored) == ()


def test_p4_nothing_is_compared_while_something_moves() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10))
    portfolio.decide(reported(3))
    portfolio.decide(Tick(at=START, elapsed=1.0))
    book(portfolio, fill(Side.SELL, 7, 100))
    portfolio.decide(Tick(at=START, elapsed=7.0))

    assert portfolio.decide(Tick(at=START, elapsed=11.9)) == ()
    assert portfolio.decide(Tick(at=START, elapsed=12.0)) == ()
    assert portfolio.decide(Tick(at=START, elapsed=60.0)) == ()


def test_p4_a_correction_moves_a_position_too() -> None:
    portfolio = Portfolio()
    wrong = fill(Side.BUY, 5, 100)
    book(portfolio, wrong)
    reconcile(portfolio, reported(5, 100))
    assert rest(portfolio) == ()

    right = fill(Side.BUY, 4, 100, "e1.02")
    assert portfolio.decide(FillCorrected(at=START, order=order_of(right), fill=right, previous=wrong)) == ()

    mismatch = only(PositionMismatched, rest(portfolio, 20))
    assert (mismatch.ours, mismatch.broker) == (4, 5)


def test_p4_it_is_compared_once_until_something_moves_again() -> None:
    portfolio = Portfolio()
    reconcile(portfolio)
    portfolio.decide(reported(3))
    assert rest(portfolio) != ()
    portfolio.decide(BlockInstrument(at=START, instrument="#756733", blocked=False, reason=""))

    assert portfolio.decide(Tick(at=START, elapsed=60.0)) == ()


def test_p4_that_a_difference_is_over_is_said_once() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    portfolio.decide(reported(7, 90))
    rest(portfolio)
    portfolio.decide(reported(10, 90))
    assert only(BlockInstrument, rest(portfolio, 20)).blocked is False
    portfolio.decide(reported(10, 90))

    assert rest(portfolio, 40) == ()


def test_p4_how_long_both_must_rest_is_configured() -> None:
    portfolio = Portfolio(PortfolioConfig(rest_seconds=60))
    reconcile(portfolio)
    portfolio.decide(reported(3))

    assert rest(portfolio) == ()
    assert names(portfolio.decide(Tick(at=START, elapsed=61.0))) == ["Reconcile"]


def test_p4_a_row_that_a_new_connection_does_not_repeat_is_a_closed_position() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(10, 90))
    portfolio.decide(SnapshotEnded(at=START, epoch=Epoch(2), kind=SnapshotKind.POSITIONS))

    assert only(PositionMismatched, rest(portfolio)).broker == 0


# --- who is who (P5) ---


BARE, NUMBERED = Contract(symbol="SPY"), Contract(symbol="", con_id=756733)


def test_p5_a_position_known_by_description_is_found_by_its_id_later() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 1, 100, "e1.01"), BARE)
    portfolio.decide(reported(1, 100, BARE))
    book(portfolio, fill(Side.BUY, 2, 100, "e2.01"), SPY)
    book(portfolio, fill(Side.BUY, 4, 100, "e3.01"), NUMBERED)
    reconcile(portfolio, reported(7, 100, NUMBERED))

    assert (the_position(portfolio).quantity, the_position(portfolio).contract) == (7, SPY)
    assert rest(portfolio) == ()


def test_p5_another_contract_of_the_same_description_is_another_position() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 1, 100, "e1.01"), SPY)
    book(portfolio, fill(Side.BUY, 2, 100, "e2.01"), attrs.evolve(SPY, con_id=999))

    assert [view.quantity for view in portfolio.snapshot_view(START).positions] == [1, 2]


def test_p5_the_first_full_contract_of_an_id_names_it() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 1, 100, "e1.01"), SPY)
    book(portfolio, fill(Side.BUY, 2, 100, "e2.01"), attrs.evolve(SPY, exchange="ARCA"))

    assert the_position(portfolio).contract == SPY


def test_p5_a_view_that_was_shown_by_its_id_alone_is_shown_by_its_name_later() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 1, 100, "e1.01"), NUMBERED)
    assert the_position(portfolio).contract == NUMBERED
    portfolio.decide(attrs.evolve(quoted(last=101), contract=SPY))

    assert the_position(portfolio).contract == SPY


def test_p5_a_row_by_its_id_alone_gets_its_name_later_and_no_other_row_does() -> None:
    portfolio = Portfolio()
    other = Contract(symbol="", con_id=4)
    reconcile(portfolio)
    for contract in (NUMBERED, other):
        portfolio.decide(reported(3, 90, contract))
    portfolio.decide(attrs.evolve(quoted(last=101), contract=SPY))

    said = [event.contract for event in rest(portfolio) if isinstance(event, PositionMismatched)]
    assert said == [SPY, other]


def test_p5_contracts_without_an_id_are_told_apart_by_their_names() -> None:
    portfolio = Portfolio()
    for number, contract in enumerate((BARE, Contract(symbol="QQQ"), Contract(symbol="", local_symbol="IWM"))):
        book(portfolio, fill(Side.BUY, number + 1, 100, f"e{number}.01"), contract)

    assert [view.quantity for view in portfolio.snapshot_view(START).positions] == [1, 2, 3]


def test_p5_strikes_tell_options_apart() -> None:
    portfolio = Portfolio()
    option = Contract(symbol="SPY", sec_type=SecType.OPTION, expiry="20260116", strike=Decimal("500.0"), right="C")
    book(portfolio, fill(Side.BUY, 1, 2, "e1.01"), option)
    book(portfolio, fill(Side.BUY, 1, 2, "e2.01"), attrs.evolve(option, strike=Decimal(500)))
    book(portfolio, fill(Side.BUY, 1, 2, "e3.01"), attrs.evolve(option, strike=Decimal(510)))

    assert [view.quantity for view in portfolio.snapshot_view(START).positions] == [2, 1]


def test_p5_a_quote_without_an_id_values_the_position() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 1, 100))
    portfolio.decide(attrs.evolve(quoted(last=101), contract=BARE))

    assert the_position(portfolio).market_price == 101


def test_p5_two_halves_of_a_contract_become_one_position() -> None:
    portfolio = Portfolio()
    for number, contract in enumerate((NUMBERED, BARE)):
        charged = fill(Side.BUY, 2, 100, f"e{number}.01", commission=Decimal(1))
        book(portfolio, charged, contract)
        portfolio.decide(CommissionCharged(at=START, order=order_of(charged, contract), fill=charged))
    assert len(portfolio.snapshot_view(START).positions) == 2

    book(portfolio, fill(Side.SELL, 1, 110, "e9.01"), SPY)

    view = the_position(portfolio)
    assert (view.quantity, view.realized_pnl, view.commission, view.contract) == (3, 10, 2, SPY)


def test_p5_a_quote_is_of_the_contract_that_its_spelling_means() -> None:
    near, far = (
        Contract(symbol="ES", sec_type=SecType.FUTURE, expiry=day, local_symbol=local, con_id=con_id)
        for day, local, con_id in (("20261218", "ESZ6", 1), ("20270319", "ESH7", 2))
    )
    portfolio = Portfolio()
    for number, contract in enumerate((near, far)):
        book(portfolio, fill(Side.BUY, 1, 100, f"e{number}.01"), contract)
    for contract, price in ((near, 110), (far, 120)):
        spelled = Contract(symbol="ES", sec_type=SecType.FUTURE, local_symbol=contract.local_symbol)
        portfolio.decide(attrs.evolve(quoted(last=price), contract=spelled))

    assert [view.market_price for view in portfolio.snapshot_view(START).positions] == [110, 120]


# --- disputes that a journal tells of ---


def disputed(portfolio: Portfolio, ours: int, broker: int) -> None:
    portfolio.decide(
        PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(ours), broker=Decimal(broker))
    )


def accept(portfolio: Portfolio, accepted: Books, ours: int, broker: int) -> None:
    portfolio.decide(
        AcceptPosition(
            at=START,
            account=ACCOUNT,
            contract=SPY,
            ours=Decimal(ours),
            broker=Decimal(broker),
            accepted=accepted,
        )
    )


def test_a_dispute_is_listed_until_it_is_settled_by_itself() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 15, 100))
    disputed(portfolio, 15, 10)
    assert portfolio.disputes() == ((ACCOUNT, SPY, 15, 10),)

    block = BlockInstrument(at=START, instrument="#756733", blocked=True, reason="")
    portfolio.decide(block)
    portfolio.decide(attrs.evolve(block, instrument="#1", blocked=False))
    assert len(portfolio.disputes()) == 1
    portfolio.decide(attrs.evolve(block, blocked=False))
    assert portfolio.disputes() == ()


def test_a_dispute_about_nothing_of_ours_counts_from_zero() -> None:
    portfolio = Portfolio()
    disputed(portfolio, 0, 3)

    assert portfolio.disputes() == ((ACCOUNT, SPY, 0, 3),)


@pytest.mark.parametrize("with_row", [True, False])
def test_a_human_may_accept_the_brokers_position(with_row: bool) -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 15, 100))
    if with_row:
        portfolio.decide(reported(10, 90))
    accept(portfolio, Books.BROKER, 15, 10)

    view = the_position(portfolio)
    assert (view.quantity, view.average_cost, view.realized_pnl) == (10, 90 if with_row else 100, 0)
    assert portfolio.disputes() == ()


def test_an_accepted_split_costs_what_the_broker_says_and_realises_nothing() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(100, 450))
    book(portfolio, fill(Side.SELL, 50, 460))
    assert the_position(portfolio).realized_pnl == 500
    portfolio.decide(reported(100, 225))
    accept(portfolio, Books.BROKER, 50, 100)

    view = the_position(portfolio)
    assert (view.quantity, view.average_cost, view.realized_pnl) == (100, 225, 500)
    book(portfolio, fill(Side.SELL, 100, 230, "e2.01"))
    assert the_position(portfolio).realized_pnl == 1000


def test_a_human_may_keep_our_position() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 15, 100))
    accept(portfolio, Books.OURS, 15, 10)

    assert the_position(portfolio).quantity == 15
    assert portfolio.disputes() == ((ACCOUNT, SPY, 15, 10),)


def test_p4_a_difference_is_asked_about_before_it_is_told() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(0, 0))
    book(portfolio, fill(Side.BUY, 3, 100, "e1.01"))
    portfolio.decide(Tick(at=START, elapsed=1))
    assert names(portfolio.decide(Tick(at=START, elapsed=7))) == ["Reconcile"]
    reconcile(portfolio, reported(3, 100))  # the broker's own row had not been pushed
    assert rest(portfolio, 8) == ()


def test_p4_a_difference_is_told_when_the_broker_does_not_answer() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(0, 0))
    book(portfolio, fill(Side.BUY, 3, 100, "e1.01"))
    portfolio.decide(Tick(at=START, elapsed=1))
    assert names(portfolio.decide(Tick(at=START, elapsed=7))) == ["Reconcile"]
    assert portfolio.decide(Tick(at=START, elapsed=36.9)) == ()
    told = portfolio.decide(Tick(at=START, elapsed=37))
    assert only(PositionMismatched, told).broker == 0


def test_p4_a_difference_of_one_is_asked_about_and_each_new_difference_again() -> None:
    portfolio = Portfolio()
    reconcile(portfolio, reported(0, 0))
    book(portfolio, fill(Side.BUY, 1, 100, "e1.01"))
    portfolio.decide(Tick(at=START, elapsed=1))
    assert names(portfolio.decide(Tick(at=START, elapsed=7))) == ["Reconcile"]
    assert only(PositionMismatched, portfolio.decide(Tick(at=START, elapsed=37))).ours == 1
    book(portfolio, fill(Side.BUY, 1, 100, "e2.01"))
    portfolio.decide(Tick(at=START, elapsed=38))
    assert names(portfolio.decide(Tick(at=START, elapsed=44))) == ["Reconcile"]


# --- the comparison at the end of a reconciliation (P6) ---


def reconciled(portfolio: Portfolio, *rows: PositionReported, epoch: int = 2, complete: bool = True) -> tuple[Any, ...]:
    """What is said at the end of a reconciliation on another connection."""
    for row in rows:
        portfolio.decide(attrs.evolve(row, epoch=Epoch(epoch)))
    ended = SnapshotEnded(at=START, epoch=Epoch(epoch), kind=SnapshotKind.POSITIONS, complete=complete)
    portfolio.decide(ended)
    return portfolio.decide(RECONCILED)


RECONCILED = Reconciled(at=START, open_orders=0, executions=0, in_doubt=0)


def opened_with(quantity: int) -> Portfolio:
    portfolio = Portfolio()
    reconcile(portfolio, reported(quantity, 90))
    return portfolio


def suspicion(ours: int, broker: int, *, suspect: bool = True, contract: Contract = SPY) -> SuspectPosition:
    return SuspectPosition(
        at=START, account=ACCOUNT, contract=contract, ours=Decimal(ours), broker=Decimal(broker), suspect=suspect
    )


def test_p6_what_differs_at_the_end_of_a_reconciliation_is_suspect_at_once_and_told_after_the_question() -> None:
    portfolio = opened_with(10)

    assert reconciled(portfolio, reported(7, 90)) == (suspicion(10, 7),)
    portfolio.decide(Tick(at=START, elapsed=1))
    assert names(portfolio.decide(Tick(at=START, elapsed=7))) == ["Reconcile"]
    assert reconciled(portfolio, reported(7, 90)) == (suspicion(10, 7),)
    told = rest(portfolio, 8)
    assert names(told) == ["PositionMismatched", "Discrepancy"]
    assert reconciled(portfolio, reported(7, 90), epoch=3) == ()


def test_p6_a_suspicion_is_lifted_by_itself_and_nothing_else_is_said() -> None:
    portfolio = opened_with(10)
    assert reconciled(portfolio, reported(7, 90)) == (suspicion(10, 7),)

    assert portfolio.decide(reported(10, 90)) == (suspicion(10, 7, suspect=False),)
    assert rest(portfolio) == ()


def test_p6_a_fill_on_its_way_ends_the_suspicion_that_it_caused() -> None:
    portfolio = opened_with(10)
    assert reconciled(portfolio, reported(13, 90)) == (suspicion(10, 13),)

    first = fill(Side.BUY, 1, 90, "e1.01")
    assert portfolio.decide(OrderFilled(at=START, order=order_of(first), fill=first)) == (suspicion(11, 13),)
    second = fill(Side.BUY, 2, 90, "e2.01")
    outbox = portfolio.decide(OrderFilled(at=START, order=order_of(second), fill=second))
    assert outbox == (suspicion(11, 13, suspect=False),)


def test_p6_a_position_that_the_new_list_leaves_out_is_suspect_and_one_only_the_broker_knows() -> None:
    portfolio = opened_with(10)
    other = attrs.evolve(SPY, symbol="QQQ", con_id=320227571)

    outbox = reconciled(portfolio, reported(4, 90, other))
    assert outbox == (suspicion(10, 0), suspicion(0, 4, contract=other))


def test_p6_the_first_reconciliation_of_all_has_nothing_to_suspect() -> None:
    portfolio = Portfolio()
    book(portfolio, fill(Side.BUY, 2, 100))

    assert reconciled(portfolio, reported(12, 90)) == ()


def test_p6_a_list_that_did_not_come_in_full_and_one_that_was_not_asked_prove_nothing() -> None:
    portfolio = opened_with(10)

    assert reconciled(portfolio, reported(7, 90), complete=False) == ()
    assert portfolio.decide(RECONCILED) == ()
    assert Portfolio.restore(portfolio.snapshot()).decide(RECONCILED) == ()


def test_p6_without_a_new_list_what_is_suspect_stays_suspect() -> None:
    portfolio = opened_with(10)
    other = attrs.evolve(SPY, symbol="QQQ", con_id=320227571)
    assert reconciled(portfolio, reported(7, 90)) == (suspicion(10, 7),)
    portfolio.decide(reported(4, 90, other))

    assert reconciled(portfolio, epoch=3, complete=False) == (suspicion(10, 7),)


def test_p6_accounts_are_suspected_apart() -> None:
    portfolio = Portfolio()
    second = attrs.evolve(reported(5, 90), account=Account("DU2"))
    reconcile(portfolio, reported(10, 90), second)

    assert reconciled(portfolio, reported(7, 90), attrs.evolve(second, quantity=Decimal(6))) == (
        suspicion(10, 7),
        attrs.evolve(suspicion(5, 6), account=Account("DU2")),
    )
    lifted = portfolio.decide(attrs.evolve(second, epoch=Epoch(2)))
    assert lifted == (attrs.evolve(suspicion(5, 6, suspect=False), account=Account("DU2")),)


def test_p6_a_combo_whose_legs_agree_is_not_suspect() -> None:
    portfolio = Portfolio()
    leg = Contract(symbol="SPY", sec_type=SecType.OPTION, con_id=11, multiplier=Decimal(100))
    reconcile(portfolio)
    book(portfolio, fill(Side.BUY, 1, "-1.20", "s.01"), COMBO)
    book(portfolio, fill(Side.SELL, 1, "2.10", "l.01", contract=leg), COMBO)

    assert reconciled(portfolio, reported(-1, 210, leg)) == ()


def test_p6_a_difference_a_human_accepted_is_not_suspect_until_it_changes() -> None:
    portfolio = opened_with(10)
    accept(portfolio, Books.OURS, 10, 7)

    assert reconciled(portfolio, reported(7, 90)) == ()
    assert reconciled(portfolio, reported(6, 90), epoch=3) == (suspicion(10, 6),)
    assert portfolio.decide(reported(7, 90)) == (suspicion(10, 6, suspect=False),)


def test_p6_a_suspect_known_by_half_of_its_contract_is_known_by_all_of_it_later() -> None:
    portfolio = Portfolio()
    reconcile(portfolio)
    assert reconciled(portfolio, reported(3, 90, BARE)) == (suspicion(0, 3, contract=BARE),)

    assert portfolio.decide(quoted(last=101)) == (suspicion(0, 3),)
    assert portfolio.decide(attrs.evolve(reported(0, 0), epoch=Epoch(2))) == (suspicion(0, 3, suspect=False),)


def test_p6_a_replay_suspects_nothing_for_nobody_waits() -> None:
    portfolio = Portfolio(PortfolioConfig(asks_first=False))
    reconcile(portfolio, reported(10, 90))

    assert reconciled(portfolio, reported(7, 90)) == ()
    assert names(rest(portfolio)) == ["PositionMismatched", "Discrepancy"]
