"""Submission: what is refused and why, qualification, order ids, prices on the grid."""

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.domain.contract import Contract, Instrument
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.desk_core import MAX_ORDER_ID
from actors.domain.identity import Account, ClientId, OmsId, OrderId
from actors.domain.limits import Limits
from actors.domain.order_state import ExecStatus
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import (
    BlockInstrument,
    LockNewExposure,
    RecordCancel,
    RecordPlacement,
    SuspectPosition,
)
from actors.messages.events import Discrepancy, OrderRejected, PositionMismatched, ReplaceRefused, SignalRecorded
from actors.messages.reports import (
    AccountsReported,
    BrokerStatus,
    InstrumentRefused,
    InstrumentReported,
    NextOrderIdReported,
)
from actors.messages.system import SessionState
from actors.messages.wire import PlaceOrder, QualifyContract
from tests.actors.domain.deskkit import (
    ACCOUNT,
    CLIENT,
    SPY,
    SPY_INSTRUMENT,
    SPY_WANTED,
    START,
    Rig,
    limit,
    market,
    names,
    only,
)


def rejection(outbox: tuple[Any, ...]) -> str:
    assert not any(isinstance(message, PlaceOrder) for message in outbox)
    return only(OrderRejected, outbox).order.reason


def limited(**limits: Any) -> Rig:
    return Rig(DeskConfig(limits=Limits(**limits)))


def test_a_name_that_was_used_is_refused_and_nothing_is_sent() -> None:
    rig = Rig()
    rig.submit()

    outbox = rig.submit(market())

    assert only(Discrepancy, outbox).kind == "DUPLICATE_OMS_ID"
    assert len(outbox) == 1
    assert rig.order().status is ExecStatus.NEW


@pytest.mark.parametrize("state", [state for state in SessionState if state is not SessionState.READY])
def test_an_order_outside_of_ready_is_rejected_at_once(state: SessionState) -> None:
    rig = Rig()
    rig.session(state)

    assert rejection(rig.submit()) == f"not connected: the session is {state.value}; orders are never queued"


@pytest.mark.parametrize("oms_id", ["", "a b", "x" * 33])
def test_a_name_the_broker_cannot_carry_is_rejected(oms_id: str) -> None:
    assert "oms_id is" in rejection(Rig().submit(oms_id=oms_id))


def test_an_order_that_cannot_be_meant_is_rejected() -> None:
    assert rejection(Rig().submit(market(quantity=0))) == "quantity is 0: it must be greater than 0"


def test_with_trading_off_only_the_signal_is_told() -> None:
    rig = Rig(DeskConfig(trading_enabled=False))

    outbox = rig.submit()

    assert only(SignalRecorded, outbox).oms_id == "a"
    assert len(outbox) == 1
    assert rig.order().status is ExecStatus.REJECTED
    assert names(rig.submit()) == ["Discrepancy"]


def test_a_lock_refuses_new_exposure_and_lets_closing_orders_pass() -> None:
    rig = Rig()
    rig.hear(LockNewExposure(at=START, locked=True, reason="too late today"))

    assert rejection(rig.submit()) == "no new exposure: too late today"
    assert only(PlaceOrder, rig.submit(oms_id="b", closing=True)).closing

    rig.hear(LockNewExposure(at=START, locked=False, reason=""))
    only(PlaceOrder, rig.submit(oms_id="c"))


def test_a_lock_without_a_reason_locks() -> None:
    rig = Rig()
    rig.hear(LockNewExposure(at=START, locked=True, reason=""))

    assert rejection(rig.submit()) == "no new exposure: locked"


@pytest.mark.parametrize("name", ["SPY", "#756733"])
def test_a_blocked_instrument_takes_no_new_exposure(name: str) -> None:
    rig = Rig()
    rig.hear(BlockInstrument(at=START, instrument=name, blocked=True, reason="disputed"))

    assert rejection(rig.submit()) == "no new exposure in SPY: disputed"
    only(PlaceOrder, rig.submit(oms_id="b", closing=True))

    rig.hear(BlockInstrument(at=START, instrument=name, blocked=False, reason=""))
    only(PlaceOrder, rig.submit(oms_id="c"))


def test_a_block_without_a_reason_blocks() -> None:
    rig = Rig()
    rig.hear(BlockInstrument(at=START, instrument="SPY", blocked=True, reason=""))

    assert rejection(rig.submit()) == "no new exposure in SPY: blocked"


def test_a_position_mismatch_blocks_its_instrument() -> None:
    rig = Rig()
    rig.hear(PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(1), broker=Decimal(2)))

    assert "our position is 1, the broker's 2" in rejection(rig.submit())


@pytest.mark.parametrize(
    ("ours", "broker", "side", "quantity", "leaves"),
    [
        (10, 12, Side.SELL, 10, True),
        (10, 12, Side.SELL, 11, False),
        (12, 10, Side.SELL, 11, False),
        (10, 12, Side.BUY, 1, False),
        (5, 0, Side.SELL, 5, False),
        (5, -1, Side.SELL, 1, False),
        (-10, -12, Side.BUY, 10, True),
        (-10, -12, Side.SELL, 1, False),
        (0, 3, Side.SELL, 1, False),
    ],
)
def test_a_disputed_position_may_be_closed_as_far_as_both_books_hold_it(
    ours: int, broker: int, side: Side, quantity: int, leaves: bool
) -> None:
    rig = Rig()
    rig.hear(PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(ours), broker=Decimal(broker)))

    placed = [message for message in rig.submit(limit(side, quantity)) if isinstance(message, PlaceOrder)]
    assert bool(placed) is leaves


def test_what_is_closing_already_counts_filled_or_not() -> None:
    rig = Rig()
    rig.working(limit(Side.BUY, 10), "opening")
    rig.execution("e1.01", 10, oms_id="opening")
    rig.hear(PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(10), broker=Decimal(8)))
    rig.working(limit(Side.SELL, 5), "closing")

    assert "no new exposure" in rejection(rig.submit(limit(Side.SELL, 4), "b"))
    rig.execution("e2.01", 5, oms_id="closing")
    assert "no new exposure" in rejection(rig.submit(limit(Side.SELL, 4), "c"))
    only(PlaceOrder, rig.submit(limit(Side.SELL, 3), "d"))


def test_money_is_no_quantity_to_close_with() -> None:
    rig = Rig()
    rig.hear(PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(9), broker=Decimal(10)))
    order = Order(symbol="SPY", side=Side.SELL, quantity=0, cash_quantity=100)

    assert "no new exposure" in rejection(rig.submit(order))


def suspicion(ours: int, broker: int, *, suspect: bool = True, account: Account = ACCOUNT) -> SuspectPosition:
    return SuspectPosition(
        at=START, account=account, contract=SPY, ours=Decimal(ours), broker=Decimal(broker), suspect=suspect
    )


def test_a_suspect_position_may_be_closed_as_far_as_both_books_hold_it_and_not_grow() -> None:
    rig = Rig()
    rig.hear(suspicion(10, 8))

    reason = "no new exposure in SPY: the positions are being compared: ours 10, the broker's 8"
    assert rejection(rig.submit(limit(Side.BUY, 1), "a")) == reason
    assert rejection(rig.submit(limit(Side.SELL, 9), "b")) == reason
    only(PlaceOrder, rig.submit(limit(Side.SELL, 8), "c"))


def test_a_suspicion_ends_when_it_is_lifted_and_leaves_a_dispute_that_was_told() -> None:
    rig = Rig()
    rig.hear(suspicion(10, 8))
    rig.hear(suspicion(10, 8, suspect=False))
    only(PlaceOrder, rig.submit(oms_id="a"))

    rig.hear(PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(10), broker=Decimal(8)))
    rig.hear(suspicion(10, 7))
    rig.hear(suspicion(10, 7, suspect=False))
    assert rejection(rig.submit(oms_id="b")) == "no new exposure in SPY: our position is 10, the broker's 8"


def test_what_is_told_takes_the_place_of_the_suspicion() -> None:
    rig = Rig()
    rig.hear(suspicion(10, 8))
    rig.hear(PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(10), broker=Decimal(8)))
    rig.hear(BlockInstrument(at=START, instrument=f"#{SPY.con_id}", blocked=False, reason="agrees again"))

    only(PlaceOrder, rig.submit())


def test_another_account_is_not_suspect() -> None:
    rig = Rig()
    rig.hear(suspicion(10, 8, account=Account("DU2")))

    only(PlaceOrder, rig.submit())


def test_a_suspicion_survives_a_snapshot_and_ends_with_the_next_reconciliation() -> None:
    rig = Rig()
    rig.hear(suspicion(10, 8))
    rig.desk = Desk.restore(rig.desk.snapshot(), DeskConfig())
    assert "being compared" in rejection(rig.submit())

    rig.disconnect()
    rig.connect()
    only(PlaceOrder, rig.submit(oms_id="b"))


def test_an_order_in_doubt_blocks_its_instrument_even_for_closing_orders() -> None:
    rig = Rig()
    rig.submit()
    rig.wait(11)
    assert rig.order().in_doubt

    assert "order a in this instrument is in doubt" in rejection(rig.submit(oms_id="b"))
    assert "in doubt" in rejection(rig.submit(oms_id="c", closing=True))


# --- the account ---


def test_the_only_account_is_taken() -> None:
    assert only(PlaceOrder, Rig().submit()).account == ACCOUNT


def test_several_accounts_need_a_name() -> None:
    rig = Rig()
    other = Account("DU7654321")
    rig.hear(AccountsReported(at=START, epoch=rig.epoch, accounts=(ACCOUNT, other)))

    assert "account is not clear" in rejection(rig.submit())
    assert only(PlaceOrder, rig.submit(oms_id="b", account=other)).account == other
    assert "account is not clear" in rejection(rig.submit(oms_id="c", account=Account("DU9")))


def test_the_configured_account_is_taken() -> None:
    rig = Rig(DeskConfig(account=ACCOUNT))

    assert only(PlaceOrder, rig.submit()).account == ACCOUNT


def test_a_named_account_is_believed_while_the_login_says_none() -> None:
    rig = Rig(DeskConfig(account=ACCOUNT))
    rig.hear(AccountsReported(at=START, epoch=rig.epoch, accounts=()))

    assert only(PlaceOrder, rig.submit()).account == ACCOUNT


# --- qualification ---


IBM = Contract(symbol="IBM", con_id=8314)
IBM_WANTED = Contract(symbol="IBM")


def ibm(**fields: Any) -> Order:
    return attrs.evolve(market(), symbol="IBM", **fields)


def qualify(rig: Rig, wanted: Contract = IBM_WANTED, found: Contract = IBM) -> tuple[Any, ...]:
    instrument = Instrument(contract=found)
    return rig.hear(InstrumentReported(at=rig.now, epoch=rig.epoch, wanted=wanted, instrument=instrument))


def test_an_unknown_contract_is_asked_for_once_and_orders_wait() -> None:
    rig = Rig()

    assert only(QualifyContract, rig.submit(ibm())).wanted == IBM_WANTED
    assert rig.submit(ibm(), "b") == ()
    assert only(QualifyContract, rig.submit(attrs.evolve(market(), symbol="MSFT"), "m")).wanted.symbol == "MSFT"

    outbox = qualify(rig)
    assert names(outbox) == ["OrderSubmitted", "PlaceOrder"] * 2
    assert [order.order_id for order in rig.desk.open_orders()] == [1, 2, None]


def test_a_contract_by_id_is_looked_up_as_it_was_written() -> None:
    rig = Rig()
    order = Order(side=Side.BUY, quantity=1, contract=IBM)

    only(QualifyContract, rig.submit(order))
    only(PlaceOrder, qualify(rig, wanted=IBM))
    only(PlaceOrder, rig.submit(order, "b"))


def test_a_refused_contract_rejects_what_waited() -> None:
    rig = Rig()
    rig.submit(ibm())

    outbox = rig.hear(InstrumentRefused(at=START, epoch=rig.epoch, wanted=IBM_WANTED, text="no such contract"))

    assert rejection(outbox) == "no such contract"


def test_no_answer_about_a_contract_rejects_what_waited() -> None:
    rig = Rig()
    rig.submit(ibm())

    assert rig.wait(14) == ()
    assert rejection(rig.wait(2)) == "the broker did not say in time which contract IBM is and which prices it takes"
    assert qualify(rig) == ()


def test_what_waits_when_the_connection_ends_is_rejected() -> None:
    rig = Rig()
    rig.submit(ibm())

    assert "the session ended before it was sent" in rejection(rig.disconnect())


def test_what_waits_is_checked_again_when_its_contract_is_known() -> None:
    rig = Rig()
    rig.submit(ibm())
    rig.session(SessionState.DEGRADED)

    assert "DEGRADED" in rejection(qualify(rig))


def test_an_order_that_waits_is_cancelled_at_once() -> None:
    rig = Rig()
    rig.submit(ibm())

    assert names(rig.cancel()) == ["OrderCanceled"]
    assert qualify(rig) == ()


# --- order ids ---


def test_order_ids_grow_from_the_brokers_floor() -> None:
    rig = Rig()
    rig.connect(300)

    assert [only(PlaceOrder, rig.submit(oms_id=name)).order_id for name in "ab"] == [300, 301]


def test_order_ids_never_go_back_after_a_reconnect() -> None:
    rig = Rig()
    rig.connect(300)
    rig.working()
    rig.status(BrokerStatus.CANCELED)
    rig.connect(5)

    assert only(PlaceOrder, rig.submit(oms_id="b")).order_id == 301


def test_a_floor_reported_later_lifts_the_next_id() -> None:
    rig = Rig()
    rig.hear(NextOrderIdReported(at=START, epoch=rig.epoch, order_id=OrderId(50)))

    assert only(PlaceOrder, rig.submit()).order_id == 50


def test_ids_of_strangers_lift_ours_unless_they_are_absurd() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.WORKING, client_id=ClientId(9), order_id=OrderId(70))
    rig.status(BrokerStatus.WORKING, client_id=ClientId(9), order_id=OrderId(MAX_ORDER_ID))

    assert only(PlaceOrder, rig.submit(oms_id="b")).order_id == 71


def test_an_order_without_an_order_id_left_is_rejected() -> None:
    rig = Rig()
    rig.connect(MAX_ORDER_ID)

    assert only(PlaceOrder, rig.submit()).order_id == MAX_ORDER_ID
    assert "order ids of this client id are used up" in rejection(rig.submit(oms_id="b"))


# --- limits ---


def test_the_largest_quantity_is_a_limit() -> None:
    rig = limited(max_order_quantity=Decimal(100))

    only(PlaceOrder, rig.submit(limit(quantity=100)))
    assert rejection(rig.submit(limit(quantity=101), "b")) == "quantity 101 is over max_order_quantity 100"
    only(PlaceOrder, rig.submit(limit(quantity=101), "c", closing=True))


def test_the_largest_notional_is_a_limit_at_the_orders_own_price() -> None:
    rig = limited(max_order_notional=Decimal(1000))

    only(PlaceOrder, rig.submit(limit(quantity=10, price=100)))
    assert rejection(rig.submit(limit(quantity=11, price=100), "b")) == (
        "notional 1100.00 is over max_order_notional 1000"
    )
    stop = Order(side=Side.SELL, quantity=11, symbol="SPY", order_type=OrderType.STOP, stop_price=100)
    assert "notional" in rejection(rig.submit(stop, "c"))
    assert "notional 2000.00" in rejection(rig.submit(market(quantity=0, cash_quantity=2000), "d"))


def test_a_market_order_is_measured_at_the_markets_price() -> None:
    rig = limited(max_order_notional=Decimal(1000))

    assert "no price is known yet" in rejection(rig.submit(market(quantity=2)))
    assert "notional 1200.00" in rejection(rig.submit(market(quantity=2), "b", market_price=Decimal(600)))
    only(PlaceOrder, rig.submit(market(quantity=2), "c", market_price=Decimal(500)))


def test_a_market_order_is_measured_at_the_price_it_was_given_at() -> None:
    rig = Rig(DeskConfig(limits=Limits(max_order_notional=Decimal(1000))), ready=False)
    rig.connect()
    rig.submit(market(quantity=2), market_price=Decimal(501))
    rig.submit(market(quantity=2), "b", market_price=Decimal(500))

    outbox = rig.hear(InstrumentReported(at=START, epoch=rig.epoch, wanted=SPY_WANTED, instrument=SPY_INSTRUMENT))

    assert only(OrderRejected, outbox).order.reason == "notional 1002.00 is over max_order_notional 1000"
    assert only(PlaceOrder, outbox).oms_id == "b"
    rig.status(BrokerStatus.WORKING, "b")
    assert "notional 1500.00" in only(ReplaceRefused, rig.replace("b", quantity=3, market_price=Decimal(500))).text


def test_the_number_of_open_orders_is_a_limit() -> None:
    rig = limited(max_open_orders=1)
    rig.working()

    assert rejection(rig.submit(oms_id="b")) == "1 orders are open: max_open_orders is 1"
    rig.status(BrokerStatus.CANCELED)
    only(PlaceOrder, rig.submit(oms_id="c"))


def test_the_position_that_could_come_is_a_limit() -> None:
    rig = limited(max_position_quantity=Decimal(150))
    rig.working(limit(quantity=100))
    assert rejection(rig.submit(limit(quantity=51), "b")) == (
        "the position could reach 151: max_position_quantity is 150"
    )
    rig.execution(quantity=100)
    assert "could reach 151" in rejection(rig.submit(limit(quantity=51), "c"))

    only(PlaceOrder, rig.submit(limit(Side.SELL, 250), "d"))
    assert "could reach 151" in rejection(rig.submit(limit(Side.SELL, 1), "e"))


def test_a_first_order_is_measured_against_an_empty_position() -> None:
    assert "could reach 151" in rejection(limited(max_position_quantity=Decimal(150)).submit(limit(quantity=151)))


def test_less_than_the_smallest_size_is_rejected() -> None:
    assert rejection(Rig().submit(market(quantity="0.5"))) == "quantity is 0.5: at least 1"


def test_what_is_no_multiple_of_the_size_increment_is_rejected() -> None:
    assert rejection(Rig().submit(market(quantity="1.5"))) == "quantity is 1.5: it must be a multiple of 1"
    only(PlaceOrder, Rig().submit(market(quantity=0, cash_quantity=100)))


# --- prices ---


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "495.00"), (Side.SELL, "495.01")])
def test_a_limit_is_snapped_away_from_the_market(side: Side, price: str) -> None:
    placed = only(PlaceOrder, Rig().submit(limit(side, price="495.006")))

    assert placed.order.limit_price == Decimal(price)


def test_what_was_asked_for_is_kept_beside_what_left() -> None:
    rig = Rig()
    rig.submit(limit(price="495.004"))
    rig.submit(limit(price="495.00"), "b")

    assert (rig.order().order, rig.order().past_terms) == (limit(price="495.00"), (limit(price="495.004"),))
    assert rig.order("b").past_terms == ()


def test_a_stop_is_snapped_to_the_nearest_price() -> None:
    stop = Order(side=Side.SELL, quantity=1, symbol="SPY", order_type=OrderType.STOP, stop_price="494.996")

    assert only(PlaceOrder, Rig().submit(stop)).order.stop_price == Decimal("495.00")


def test_a_price_moved_to_the_grid_is_no_change_by_hand() -> None:
    rig = Rig()

    outbox = rig.submit(limit(price="495.004"))

    assert names(outbox) == ["OrderSubmitted", "PlaceOrder"]


def test_a_price_on_the_grid_is_left_alone() -> None:
    order = limit()

    assert only(PlaceOrder, Rig().submit(order)).order is order


# --- recorded placements ---


def placement(rig: Rig, terms: Order | None = None) -> tuple[Any, ...]:
    return rig.hear(
        RecordPlacement(
            at=START,
            oms_id=OmsId("a"),
            order_id=OrderId(7),
            epoch=rig.epoch,
            order=terms if terms is not None else limit(),
            contract=SPY,
            account=ACCOUNT,
            client_id=CLIENT,
        )
    )


def test_a_recorded_placement_is_never_sent_and_lives_like_any_other() -> None:
    rig = Rig(ready=False)

    assert names(placement(rig)) == ["OrderSubmitted"]
    assert names(rig.status(BrokerStatus.WORKING)) == ["OrderAccepted"]
    assert placement(rig, limit(price="496.00")) == ()
    assert names(rig.echo(terms=limit(price="496.00"))) == ["OrderReplaced"]
    assert rig.hear(RecordCancel(at=START, oms_id=OmsId("a"))) == ()
    assert names(rig.status(BrokerStatus.CANCELED)) == ["OrderCanceled"]


def test_a_recorded_cancel_of_an_unknown_order_is_named() -> None:
    outbox = Rig().hear(RecordCancel(at=START, oms_id=OmsId("zz")))

    assert only(Discrepancy, outbox).kind == "NO_SUCH_ORDER"


def test_the_desk_refuses_a_message_it_does_not_hear() -> None:
    with pytest.raises(TypeError, match="does not hear str"):
        Desk(DeskConfig()).decide("hello")


def test_the_desk_shows_its_config_and_holdings() -> None:
    rig = Rig()
    rig.working()
    rig.execution(quantity=10)

    assert rig.desk.config == DeskConfig()
    assert rig.desk.holdings() == ((ACCOUNT, SPY_INSTRUMENT.contract, Decimal(10)),)


def test_no_more_orders_of_a_side_than_the_broker_takes() -> None:
    rig = limited(max_orders_per_side=2)
    for name in ("a", "b"):
        only(PlaceOrder, rig.submit(limit(), name))
    assert rejection(rig.submit(limit(), "c")) == "2 BUY orders are open in it: orders_per_contract is 2"
    only(PlaceOrder, rig.submit(limit(Side.SELL), "d"))
    rig.status(BrokerStatus.CANCELED, "a")
    only(PlaceOrder, rig.submit(limit(), "e"))
    assert "2 BUY orders" in rejection(rig.submit(limit(), "f"))
