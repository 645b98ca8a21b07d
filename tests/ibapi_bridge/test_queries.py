import pytest

from actors.messages.reports import SnapshotKind
from ibapi_bridge.queries import ListQueries, Step

ORDERS = SnapshotKind.OPEN_ORDERS
POSITIONS = SnapshotKind.POSITIONS


@pytest.fixture
def lists() -> ListQueries:
    return ListQueries()


def test_a_question_is_asked_when_none_is_on_its_way(lists: ListQueries) -> None:
    assert lists.begin(POSITIONS, elapsed=0, seconds=10) is Step.ASK
    assert lists.begin(ORDERS, elapsed=0, seconds=10) is Step.ASK
    assert not lists.ended(POSITIONS, elapsed=1)
    assert lists.begin(POSITIONS, elapsed=1, seconds=10) is Step.ASK


def test_the_first_question_about_open_orders_is_asked_twice_and_later_ones_once(lists: ListQueries) -> None:
    lists.begin(ORDERS, elapsed=0, seconds=10)
    assert lists.ended(ORDERS, elapsed=1)
    assert not lists.ended(ORDERS, elapsed=2)
    assert lists.begin(ORDERS, elapsed=3, seconds=10) is Step.ASK
    assert not lists.ended(ORDERS, elapsed=4)


def test_a_question_amid_an_answer_waits_for_its_end_and_is_asked_then_once(lists: ListQueries) -> None:
    lists.begin(POSITIONS, elapsed=0, seconds=10)
    assert lists.begin(POSITIONS, elapsed=1, seconds=10) is Step.WAIT
    assert lists.begin(POSITIONS, elapsed=2, seconds=10) is Step.WAIT
    assert lists.ended(POSITIONS, elapsed=3)
    assert not lists.ended(POSITIONS, elapsed=4)


def test_open_orders_that_never_end_make_the_connection_unfit(lists: ListQueries) -> None:
    lists.begin(ORDERS, elapsed=0, seconds=10)
    assert lists.begin(ORDERS, elapsed=10, seconds=10) is Step.RECONNECT


@pytest.mark.parametrize("kind", [SnapshotKind.COMPLETED_ORDERS, SnapshotKind.POSITIONS, SnapshotKind.ACCOUNT])
def test_other_lists_that_never_end_are_simply_asked_again(lists: ListQueries, kind: SnapshotKind) -> None:
    lists.begin(kind, elapsed=0, seconds=10)
    assert lists.begin(kind, elapsed=10, seconds=10) is Step.ASK
