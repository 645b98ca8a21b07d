"""Flatten: orders first, then positions; once, however often it is asked."""

from decimal import Decimal
from typing import Any

from actors.domain.contract import Instrument
from actors.domain.desk_config import DeskConfig
from actors.domain.order_state import ExecStatus
from actors.domain.terms import OrderType, Side
from actors.messages.commands import FlattenAll
from actors.messages.events import Discrepancy, OrderRejected
from actors.messages.reports import BrokerStatus, InstrumentReported
from actors.messages.system import SessionState
from actors.messages.wire import CancelPlacedOrder, PlaceOrder
from tests.actors.domain.deskkit import REJECTION, START, VERIFY, Rig, limit, market, names, only
from tests.actors.domain.test_submission import IBM, IBM_WANTED, ibm, qualify

FLAT = DeskConfig(strategy_id="pairs")


def flatten(rig: Rig) -> tuple[Any, ...]:
    return rig.hear(FlattenAll(at=rig.now, reason="end of day"))


def holding(quantity: int = 100, side: Side = Side.BUY) -> Rig:
    rig = Rig(FLAT)
    rig.working(market(side, quantity))
    rig.execution(quantity=quantity)
    return rig


def test_a_position_is_closed_with_a_market_order() -> None:
    placed = only(PlaceOrder, flatten(holding()))

    assert (placed.oms_id, placed.closing) == ("pairs-flat-1", True)
    assert (placed.order.side, placed.order.quantity, placed.order.order_type) == (
        Side.SELL,
        Decimal(100),
        OrderType.MARKET,
    )


def test_a_short_position_is_bought_back() -> None:
    placed = only(PlaceOrder, flatten(holding(side=Side.SELL)))

    assert placed.order.side is Side.BUY


def test_with_nothing_to_close_it_is_done_at_once() -> None:
    rig = Rig()

    assert flatten(rig) == ()
    assert rig.desk.snapshot().flattening is None
    only(PlaceOrder, rig.submit())


def test_open_orders_go_first() -> None:
    rig = holding()
    rig.working(oms_id="b")

    assert only(CancelPlacedOrder, flatten(rig)).oms_id == "b"
    assert names(rig.status(BrokerStatus.CANCELED, "b")) == ["OrderCanceled", "OrderSubmitted", "PlaceOrder"]


def test_a_fill_that_crosses_the_cancel_is_closed_too() -> None:
    rig = holding()
    rig.working(oms_id="b")
    flatten(rig)

    outbox = rig.execution("e2.01", 100, oms_id="b")
    assert only(PlaceOrder, outbox).order.quantity == 200


def test_an_order_that_waits_to_be_sent_is_cancelled_at_once() -> None:
    rig = Rig()
    rig.submit(ibm())

    assert names(flatten(rig)) == ["OrderCanceled"]


def test_asked_twice_it_happens_once() -> None:
    rig = holding()
    rig.working(oms_id="b")
    flatten(rig)
    assert flatten(rig) == ()
    rig.status(BrokerStatus.CANCELED, "b")
    assert flatten(rig) == ()

    assert names(rig.execution("e9.01", 100, oms_id="pairs-flat-1")) == ["OrderAccepted", "OrderFilled"]
    assert rig.desk.holdings() == ()
    assert rig.desk.snapshot().flattening is None
    assert flatten(rig) == ()


def test_nothing_new_is_opened_meanwhile() -> None:
    rig = holding()
    flatten(rig)

    assert only(OrderRejected, rig.submit(oms_id="c")).order.reason == ("no new exposure: everything is being closed")


def test_it_waits_for_the_session() -> None:
    rig = holding()
    rig.disconnect()
    assert flatten(rig) == ()

    rig.connect(finish=False)
    assert only(PlaceOrder, rig.session(SessionState.READY)).closing


def test_a_cancel_that_is_not_answered_delays_it_only_until_its_deadline() -> None:
    rig = holding()
    rig.submit(ibm(), "b")
    qualify(rig)
    rig.status(BrokerStatus.WORKING, "b")
    assert only(CancelPlacedOrder, flatten(rig)).oms_id == "b"

    assert only(PlaceOrder, rig.wait(11)).order.quantity == 100


def test_a_cancel_that_was_lost_is_asked_again_before_the_position_is_closed() -> None:
    """Closed beside a living order, the position would be closed twice."""
    rig = holding()
    rig.working(oms_id="b")
    flatten(rig)

    lists = rig.wait(10)
    assert rig.order("b").in_doubt
    rig.echo("b", snapshot=True)
    assert only(CancelPlacedOrder, rig.end_lists(lists)).oms_id == "b"

    assert names(rig.status(BrokerStatus.CANCELED, "b")) == ["OrderCanceled", "OrderSubmitted", "PlaceOrder"]


def test_a_refused_cancel_does_not_keep_the_position_open() -> None:
    rig = holding()
    rig.working(oms_id="b")
    flatten(rig)

    outbox = rig.notice(136, REJECTION[1:2] * 3, oms_id="b")
    assert names(outbox) == ["CancelRefused", "OrderSubmitted", "PlaceOrder"]


def test_a_doubted_instrument_is_closed_when_the_doubt_is_over() -> None:
    rig = holding()
    rig.working(oms_id="b")
    rig.notice(4711, VERIFY, oms_id="b")

    assert flatten(rig) == ()
    outbox = rig.status(BrokerStatus.CANCELED, "b")
    assert only(PlaceOrder, outbox).order.quantity == 100


def test_what_was_in_doubt_is_closed_after_what_was_not() -> None:
    rig = holding()
    rig.hear(InstrumentReported(at=START, epoch=rig.epoch, wanted=IBM_WANTED, instrument=Instrument(contract=IBM)))
    rig.working(ibm(quantity=7), "i")
    rig.execution("i1.01", 7, oms_id="i")
    rig.working(limit(), "b")
    rig.notice(4711, VERIFY, oms_id="b")

    first = only(PlaceOrder, flatten(rig))
    assert first.order.quantity == 7
    rig.status(BrokerStatus.CANCELED, "b")
    rig.execution("i2.01", 7, oms_id=first.oms_id)
    second = [message for message in rig.said if isinstance(message, PlaceOrder)][-1]
    assert (second.order.quantity, second.closing) == (Decimal(100), True)


def test_a_closing_order_that_fails_is_named_and_not_repeated_for_ever() -> None:
    rig = holding()
    flatten(rig)

    outbox = rig.notice(201, REJECTION, oms_id="pairs-flat-1")

    assert names(outbox) == ["OrderRejected", "Discrepancy"]
    assert only(Discrepancy, outbox).kind == "FLATTEN_FAILED"
    assert rig.desk.snapshot().flattening is None
    assert rig.order("pairs-flat-1").status is ExecStatus.REJECTED
    assert only(PlaceOrder, flatten(rig)).oms_id == "pairs-flat-2"


def test_it_goes_on_after_a_restart() -> None:
    rig = holding()
    rig.working(oms_id="b")
    flatten(rig)
    rig.desk = type(rig.desk).restore(rig.desk.snapshot(), FLAT)

    assert only(PlaceOrder, rig.status(BrokerStatus.CANCELED, "b")).closing


def slow(outbox: tuple[Any, ...]) -> list[Discrepancy]:
    return [said for said in outbox if isinstance(said, Discrepancy) and said.kind == "FLATTEN_SLOW"]


def test_a_closing_order_that_does_not_fill_is_told_once() -> None:
    rig = holding()
    flatten(rig)
    rig.status(BrokerStatus.WORKING, "pairs-flat-1")
    assert slow(rig.wait(59)) == []
    (told,) = slow(rig.wait(2))
    assert told.subject == "pairs-flat-1"
    assert told.text == "end of day: not done after 60 s, the closing orders are not filled"
    flatten(rig)
    assert slow(rig.wait(600)) == []


def test_a_flatten_that_waits_for_the_session_is_told() -> None:
    rig = holding()
    rig.session(SessionState.DEGRADED)
    flatten(rig)
    (told,) = slow(rig.wait(61))
    assert told.text == "end of day: not done after 60 s, the session is DEGRADED"
    assert told.subject == ""


def test_a_flatten_that_waits_for_an_order_in_doubt_is_told() -> None:
    rig = holding()
    rig.submit(limit(), "b")
    rig.wait(20)
    assert rig.order("b").in_doubt
    flatten(rig)
    (told,) = slow(rig.wait(61))
    assert told.text == "end of day: not done after 60 s, orders are still open or in doubt"


def test_a_flatten_that_is_done_is_not_told() -> None:
    rig = holding()
    flatten(rig)
    rig.status(BrokerStatus.WORKING, "pairs-flat-1")
    rig.execution("c1.01", 100, oms_id="pairs-flat-1")
    assert rig.desk.snapshot().flattening is None
    assert slow(rig.wait(600)) == []
