"""Who hears what."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.base import LateAddress, Together
from actors.conflation import QuoteBox, QuotesWaiting
from actors.domain.contract import Contract, Instrument
from actors.domain.identity import Account, Epoch, OmsId, OrderId
from actors.domain.order_state import OrderState
from actors.domain.terms import Order, Side
from actors.messages.events import OrderSubmitted, Reconciled
from actors.messages.reports import (
    AccountValueReported,
    NoticeKind,
    NoticeReported,
    QuoteReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.wire import FinishReconciliation, PlaceOrder
from actors.router import QuoteFan, decision_routes, report_routes

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SPY = Contract(symbol="SPY")
ORDER = Order(symbol="SPY", side=Side.BUY, quantity=Decimal(1))
NAMES = ("connector", "order_manager", "position_keeper", "scheduler")


class Inbox(list[Any]):
    """An address that remembers, and writes into one trace for all."""

    def __init__(self, name: str, trace: list[str]) -> None:
        super().__init__()
        self._name, self._trace = name, trace

    def tell(self, message: Any) -> None:
        self.append(message)
        self._trace.append(self._name)


@pytest.fixture
def trace() -> list[str]:
    return []


def notice(kind: NoticeKind) -> NoticeReported:
    return NoticeReported(at=AT, epoch=Epoch(1), code=354, text="not subscribed", kind=kind)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (NoticeKind.MARKET_DATA, True),
        (NoticeKind.CONFIGURATION, True),
        (NoticeKind.INFO, False),
        (NoticeKind.FARM, False),
    ],
)
def test_notices_about_data_and_configuration_are_shown_to_people(
    kind: NoticeKind, shown: bool, trace: list[str]
) -> None:
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "listener")}
    report_routes(**boxes)(notice(kind))
    assert trace == ["order_manager", "listener"] if shown else trace == ["order_manager"]


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_what_names_no_order_and_may_matter_is_shown_whatever_its_kind(kind: NoticeKind, trace: list[str]) -> None:
    """A read-only API (321) or a code nobody knows, said about nothing: no order event would tell of it."""
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "listener")}
    report_routes(**boxes)(notice(kind))
    assert bool(boxes["listener"]) == (kind not in (NoticeKind.INFO, NoticeKind.FARM))


@pytest.mark.parametrize("kind", [NoticeKind.REJECT, NoticeKind.WARNING, NoticeKind.UNKNOWN])
def test_what_names_an_order_is_left_to_the_orders_events(kind: NoticeKind, trace: list[str]) -> None:
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "listener")}
    report_routes(**boxes)(attrs.evolve(notice(kind), subject=5))
    assert boxes["listener"] == []


def test_a_notice_that_repeats_the_last_is_shown_once(trace: list[str]) -> None:
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "listener")}
    tell = report_routes(**boxes)
    lost, back = (attrs.evolve(notice(NoticeKind.CONNECTION), code=code) for code in (1100, 1102))
    for said in (lost, lost, lost, back, lost, attrs.evolve(lost, epoch=Epoch(2))):
        tell(said)
    assert [shown.code for shown in boxes["listener"]] == [1100, 1102, 1100, 1100]
    assert len(boxes["order_manager"]) == 6


def test_wire_commands_of_a_decision_leave_before_its_events(trace: list[str]) -> None:
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "strategy_host")}
    router = decision_routes(**boxes, listeners=())
    state = OrderState(oms_id=OmsId("a"), order=ORDER, contract=SPY, created_at=AT, updated_at=AT)
    place = PlaceOrder(
        at=AT,
        epoch=Epoch(1),
        oms_id=OmsId("a"),
        order_id=OrderId(1),
        account=Account("DU1"),
        instrument=Instrument(contract=SPY),
        order=ORDER,
    )
    router.all((OrderSubmitted(at=AT, order=state), place))
    assert trace == ["connector", "strategy_host"]


def test_the_session_is_not_ready_before_the_position_keeper_has_compared(trace: list[str]) -> None:
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "strategy_host")}
    reconciled = Reconciled(at=AT, open_orders=0, executions=0, in_doubt=0)
    finish = FinishReconciliation(at=AT, epoch=Epoch(1))
    decision_routes(**boxes, listeners=()).all((reconciled, finish))
    assert boxes["position_keeper"] == [reconciled, finish]
    assert boxes["connector"] == []


def test_a_message_nobody_is_named_for_is_a_wiring_mistake(trace: list[str]) -> None:
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "strategy_host")}
    with pytest.raises(KeyError):
        decision_routes(**boxes, listeners=())("a string")


def test_quotes_wait_in_a_box_and_wake_their_reader_once(trace: list[str]) -> None:
    reader, rest = Inbox("reader", trace), Inbox("rest", trace)
    box = QuoteBox()
    fan = QuoteFan(((box, reader),), lambda *reports: rest.extend(reports))
    quotes = [QuoteReported(at=AT, epoch=Epoch(1), contract=SPY, bid=Decimal(price)) for price in (1, 2, 3)]
    for quote in quotes:
        fan(quote)
    fan(notice(NoticeKind.INFO))
    assert reader == [QuotesWaiting()]
    assert rest == [notice(NoticeKind.INFO)]
    assert box.take() == (quotes[-1],)
    assert box.conflated == 2
    fan(quotes[0])
    assert len(reader) == 2


def test_quotes_that_arrive_together_wake_their_reader_once_and_are_taken_in_portions(trace: list[str]) -> None:
    reader, rest, box = Inbox("reader", trace), Inbox("rest", trace), QuoteBox()
    fan = QuoteFan(((box, reader),), lambda *reports: rest.extend(reports))
    quotes = [QuoteReported(at=AT, epoch=Epoch(1), contract=Contract(symbol=name)) for name in ("A", "B", "C", "A")]
    fan(quotes[0], notice(NoticeKind.INFO), *quotes[1:])
    assert reader == [QuotesWaiting()]
    assert rest == [notice(NoticeKind.INFO)]
    assert box.conflated == 1
    assert box.take_some(2, reader) == (quotes[3], quotes[1])
    assert len(reader) == 2
    fan(quotes[0])
    assert len(reader) == 2
    assert box.take_some(2, reader) == (quotes[2], quotes[0])
    assert len(reader) == 2
    fan(quotes[0])
    assert len(reader) == 3


class Telling:
    """What an actor's address does with what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, message: Any) -> None:
        self.told.append(message)


def test_what_goes_to_an_actor_together_is_told_in_one_and_in_order(trace: list[str]) -> None:
    host, telling = LateAddress(), Telling()
    host.become(telling)
    boxes = {name: Inbox(name, trace) for name in NAMES}
    state = OrderState(oms_id=OmsId("a"), order=ORDER, contract=SPY, created_at=AT, updated_at=AT)
    said = (OrderSubmitted(at=AT, order=state), Reconciled(at=AT, open_orders=0, executions=0, in_doubt=0))
    router = decision_routes(**boxes, strategy_host=host, listeners=())
    router.all(said)
    router.all(said[:1])
    assert telling.told == [Together(said), said[0]]
    assert boxes["position_keeper"] == [said[1]]


def test_the_order_manager_hears_reports_after_everybody_whom_it_tells_its_conclusions(trace: list[str]) -> None:
    boxes = {name: Inbox(name, trace) for name in (*NAMES, "listener")}
    ended = SnapshotEnded(at=AT, epoch=Epoch(1), kind=SnapshotKind.POSITIONS)
    value = AccountValueReported(at=AT, epoch=Epoch(1), account=Account("DU1"), key="X", value="1", currency="")
    report_routes(**boxes)(notice(NoticeKind.INFO), ended, value)
    assert trace.index("order_manager") > max(trace.index("position_keeper"), trace.index("connector"))
    assert trace[-2:] == ["order_manager", "order_manager"]
    assert boxes["position_keeper"] == [ended, value]
