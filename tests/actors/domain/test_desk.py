"""The desk: what follows from each message, from submission to the end."""

from decimal import Decimal

from actors.domain.order_state import ExecStatus, Pending
from actors.messages.reports import BrokerStatus
from actors.messages.wire import PlaceOrder
from tests.actors.domain.deskkit import Rig, market, names, only


def test_an_order_is_sent_with_the_next_order_id() -> None:
    rig = Rig()

    outbox = rig.submit()

    placed = only(PlaceOrder, outbox)
    assert names(outbox) == ["OrderSubmitted", "PlaceOrder"]
    assert placed.order_id == 1
    assert rig.order().pending is Pending.SUBMIT


def test_an_order_lives_from_acknowledgement_over_partial_fills_to_the_end() -> None:
    rig = Rig()
    rig.submit()

    assert names(rig.status(BrokerStatus.WORKING)) == ["OrderAccepted"]
    assert names(rig.execution("e1.01", 30)) == ["OrderFilled"]
    assert rig.order().status is ExecStatus.PARTIALLY_FILLED
    assert names(rig.execution("e2.01", 70, 496)) == ["OrderFilled"]
    assert names(rig.status(BrokerStatus.FILLED, filled=Decimal(100))) == ["OrderCompleted"]

    order = rig.order()
    assert order.status is ExecStatus.FILLED
    assert order.filled == 100
    assert order.average_price == Decimal("495.7")


def test_a_cancel_ends_what_is_left() -> None:
    rig = Rig()
    rig.working()

    assert names(rig.cancel()) == ["CancelPlacedOrder"]
    assert names(rig.status(BrokerStatus.CANCELED, filled=Decimal(0))) == ["OrderCanceled"]
    assert rig.order().status is ExecStatus.CANCELED


def test_a_fill_without_any_status_is_booked() -> None:
    rig = Rig()
    rig.submit(market())

    assert names(rig.execution()) == ["OrderAccepted", "OrderFilled"]
    assert rig.order().status is ExecStatus.FILLED


def test_a_replace_counts_when_the_echo_shows_it() -> None:
    rig = Rig()
    rig.working()

    assert names(rig.replace(limit_price=Decimal("496.00"))) == ["ReplacePlacedOrder"]
    wanted = rig.order().wanted
    assert wanted is not None
    assert names(rig.echo(terms=wanted)) == ["OrderReplaced"]
    assert rig.order().order.limit_price == Decimal("496.00")
    assert rig.order().pending is None


def test_an_unsent_order_that_never_reached_the_broker_is_rejected_by_two_silences() -> None:
    rig = Rig()
    rig.submit()
    rig.disconnect()
    assert rig.order().in_doubt

    rig.connect()
    assert rig.order().in_doubt
    asked = rig.wait(36)
    rig.end_lists(asked)

    order = rig.order()
    assert (order.status, order.reason) == (ExecStatus.REJECTED, "never reached the broker")
