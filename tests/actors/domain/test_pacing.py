"""How many messages leave, and the queue of what waits for it."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import Contract, Instrument
from actors.domain.identity import Account, Epoch, OmsId, OrderId
from actors.domain.pacing import Pacing
from actors.domain.send_queue import SendQueue
from actors.domain.terms import Order, Side
from actors.messages.reports import SnapshotKind
from actors.messages.wire import CancelPlacedOrder, PlaceOrder, QuerySnapshot, ReplacePlacedOrder, Subscribe

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SPY = Instrument(contract=Contract(symbol="SPY", con_id=756733))


def place(name: str, order_id: int) -> PlaceOrder:
    order = Order(symbol="SPY", side=Side.BUY, quantity=Decimal(1))
    return PlaceOrder(
        at=AT,
        epoch=Epoch(1),
        oms_id=OmsId(name),
        order_id=OrderId(order_id),
        account=Account("DU1"),
        instrument=SPY,
        order=order,
    )


def replace(name: str, quantity: int) -> ReplacePlacedOrder:
    order = Order(symbol="SPY", side=Side.BUY, quantity=Decimal(quantity))
    return ReplacePlacedOrder(
        at=AT,
        epoch=Epoch(1),
        oms_id=OmsId(name),
        order_id=OrderId(1),
        account=Account("DU1"),
        instrument=SPY,
        order=order,
    )


def cancel(name: str) -> CancelPlacedOrder:
    return CancelPlacedOrder(at=AT, epoch=Epoch(1), oms_id=OmsId(name), order_id=OrderId(1))


QUERY = QuerySnapshot(at=AT, epoch=Epoch(1), kind=SnapshotKind.POSITIONS)
QUOTES = Subscribe(wanted=Contract(symbol="SPY"))


@given(rate=st.floats(1, 100), steps=st.lists(st.floats(-1, 3), min_size=1, max_size=300))
def test_no_second_sees_more_messages_than_the_rate(rate: float, steps: list[float]) -> None:
    pacing, now = Pacing(rate=rate), 0.0
    left: list[float] = []
    for step in steps:
        now += step
        while pacing.take(now):
            left.append(max(now, left[-1]) if left else now)
    for first in left:
        assert sum(first <= moment <= first + 1.0 for moment in left) <= rate


def test_a_burst_leaves_at_once_and_the_rest_when_it_is_a_second_old() -> None:
    pacing = Pacing(rate=45)
    assert [pacing.take(10.0) for _ in range(46)] == [True] * 45 + [False]
    assert not pacing.take(11.05)
    assert pacing.take(11.11)
    assert sum(pacing.take(11.2) for _ in range(100)) == 44


def test_at_least_one_message_leaves_however_low_the_rate() -> None:
    assert Pacing(rate=0.5).take(0.0)


def test_cancels_leave_first_and_market_data_last() -> None:
    queue = SendQueue()
    for command in (QUOTES, QUERY, replace("a", 2), place("b", 2), cancel("c")):
        queue.put(command)
    order = [queue.take() for _ in range(5)]
    assert order == [cancel("c"), place("b", 2), replace("a", 2), QUERY, QUOTES]
    assert queue.take() is None


def test_new_orders_keep_their_order_so_that_order_ids_rise_on_the_wire() -> None:
    queue = SendQueue()
    for order_id in (5, 6, 7):
        queue.put(place(f"o{order_id}", order_id))
    assert [queue.take() for _ in range(3)] == [place("o5", 5), place("o6", 6), place("o7", 7)]


def test_only_the_newest_modification_of_an_order_is_sent() -> None:
    queue = SendQueue()
    queue.put(replace("a", 2))
    queue.put(replace("b", 9))
    queue.put(replace("a", 3))
    assert [queue.take(), queue.take(), queue.take()] == [replace("b", 9), replace("a", 3), None]


def test_a_cancel_takes_an_order_that_has_not_left_out_of_the_queue() -> None:
    queue = SendQueue()
    queue.put(place("a", 1))
    queue.put(place("b", 2))
    assert queue.put(cancel("a")) == place("a", 1)
    assert len(queue) == 1
    assert queue.take() == place("b", 2)


def test_a_modification_never_follows_the_cancel_of_its_order() -> None:
    queue = SendQueue()
    queue.put(replace("a", 2))
    queue.put(replace("b", 9))
    assert queue.put(cancel("a")) is None
    assert [queue.take(), queue.take(), queue.take()] == [cancel("a"), replace("b", 9), None]


def test_clearing_returns_what_was_never_sent() -> None:
    queue = SendQueue()
    queue.put(QUOTES)
    queue.put(cancel("a"))
    assert queue.clear() == (cancel("a"), QUOTES)
    assert len(queue) == 0
