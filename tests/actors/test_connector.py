"""The last gate before the wire, driven message by message without a thread."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.connector import Connector, ConnectorRoutes
from actors.domain.contract import Contract, Instrument
from actors.domain.identity import Account, Epoch, OmsId, OrderId
from actors.domain.session import SessionConfig, SessionMachine
from actors.domain.terms import Order, Side
from actors.domain.timekeeping import ClockDiffers
from actors.halt import HaltSwitch
from actors.link import HearsReports, SendError
from actors.messages.reports import (
    AccountsReported,
    ConnectionLost,
    LinkCondition,
    LinkConditionReported,
    NextOrderIdReported,
    ServerTimeReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import SendFailed, SessionChanged, SessionState, StopReason, Tick
from actors.messages.wire import (
    CancelPlacedOrder,
    FinishReconciliation,
    PlaceOrder,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
    SeekConnection,
    Subscribe,
)

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SPY = Contract(symbol="SPY", con_id=756733)


class ManualClock:
    """Both clocks stand still until moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> datetime:
        return AT + timedelta(seconds=self.seconds - 100.0)

    def elapsed(self) -> float:
        return self.seconds


class FakeLink:
    """A link that remembers what was sent and can refuse."""

    def __init__(self, epoch: Epoch) -> None:
        self.epoch = epoch
        self.sent: list[Any] = []
        self.time_requests = 0
        self.closed = ""
        self.refusal: SendError | None = None

    def start(self) -> None:
        pass

    def send(self, command: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.sent.append(command)

    def request_server_time(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.time_requests += 1

    def close(self, reason: str = "closed by us") -> None:
        self.closed = reason


class Inbox(list[Any]):
    """An address that remembers."""

    def tell(self, message: Any) -> None:
        self.append(message)

    def of(self, kind: type) -> list[Any]:
        return [message for message in self if isinstance(message, kind)]


class Bench:
    """A connector with everything around it visible."""

    def __init__(self, *, rate: float = 45.0, session: SessionConfig | None = None) -> None:
        self.clock = ManualClock()
        self.halt = HaltSwitch()
        self.links: list[FakeLink] = []
        self.orders, self.listener, self.routed = Inbox(), Inbox(), Inbox()
        self.stops: list[StopReason] = []
        self.corrections: list[timedelta] = []
        self.connector = Connector(
            machine=SessionMachine(session or SessionConfig(initial_attempts=2)),
            make_link=self._make,
            route=lambda *reports: self.routed.extend(reports),
            routes=ConnectorRoutes(
                order_manager=self.orders, session_listeners=(self.listener,), stop=self.stops.append
            ),
            clock=self.clock,
            halt=self.halt,
            messages_per_second=rate,
            correct_clock=self.corrections.append,
            supervisor=Inbox(),
        )

    def _make(self, epoch: Epoch, hear: HearsReports) -> FakeLink:
        del hear
        self.links.append(FakeLink(epoch))
        return self.links[-1]

    @property
    def link(self) -> FakeLink:
        return self.links[-1]

    def tick(self, seconds: float = 0.0) -> None:
        self.clock.seconds += seconds
        self.connector.hear(Tick(at=self.clock.now(), elapsed=self.clock.elapsed()))

    def connect(self) -> None:
        self.tick()
        epoch = self.link.epoch
        self.connector.hear(NextOrderIdReported(at=AT, epoch=epoch, order_id=OrderId(1)))
        self.connector.hear(AccountsReported(at=AT, epoch=epoch, accounts=(Account("DU1"),)))

    def ready(self) -> "Bench":
        self.connect()
        self.connector.hear(FinishReconciliation(at=AT, epoch=self.link.epoch))
        return self


def place(name: str = "a", epoch: int = 1) -> PlaceOrder:
    return PlaceOrder(
        at=AT,
        epoch=Epoch(epoch),
        oms_id=OmsId(name),
        order_id=OrderId(1),
        account=Account("DU1"),
        instrument=Instrument(contract=SPY),
        order=Order(symbol="SPY", side=Side.BUY, quantity=Decimal(1)),
    )


def cancel(name: str = "a") -> CancelPlacedOrder:
    return CancelPlacedOrder(at=AT, epoch=Epoch(1), oms_id=OmsId(name), order_id=OrderId(1))


def query() -> QuerySnapshot:
    return QuerySnapshot(at=AT, epoch=Epoch(1), kind=SnapshotKind.EXECUTIONS, deadline_seconds=10.0)


def failures(bench: Bench) -> list[tuple[str, bool, str]]:
    return [(failure.oms_id, failure.uncertain, failure.text) for failure in bench.orders.of(SendFailed)]


def test_an_order_leaves_in_a_ready_session() -> None:
    bench = Bench().ready()
    bench.connector.hear(place())
    assert bench.link.sent == [place()]
    assert failures(bench) == []


def test_before_the_session_is_ready_an_order_comes_back_as_surely_not_sent() -> None:
    bench = Bench()
    bench.connect()
    bench.connector.hear(place())
    assert bench.link.sent == []
    assert failures(bench) == [("a", False, "the session is RECONCILING")]


def test_an_order_decided_for_an_older_connection_is_not_sent() -> None:
    bench = Bench().ready()
    bench.connector.hear(place(epoch=0))
    assert bench.link.sent == []
    assert len(failures(bench)) == 1


def test_a_halt_stops_orders_and_modifications_but_lets_cancels_pass() -> None:
    bench = Bench().ready()
    bench.halt.set("the disk is full")
    modification = ReplacePlacedOrder(
        **attrs.asdict(place("b"), recurse=False, filter=lambda f, _: f.name != "closing")
    )
    for command in (place(), modification, cancel("c")):
        bench.connector.hear(command)
    assert bench.link.sent == [cancel("c")]
    assert [(name, text) for name, _, text in failures(bench)] == [
        ("a", "trading is halted: the disk is full"),
        ("b", "trading is halted: the disk is full"),
    ]


@pytest.mark.parametrize("uncertain", [True, False])
def test_a_failed_send_says_whether_bytes_may_have_left(uncertain: bool) -> None:
    bench = Bench().ready()
    bench.link.refusal = SendError("broken pipe", uncertain=uncertain)
    bench.connector.hear(place())
    assert failures(bench) == [("a", uncertain, "broken pipe")]


def test_beyond_the_message_rate_orders_wait_and_cancels_overtake() -> None:
    bench = Bench(rate=3.0).ready()
    bench.tick(10)
    sent_before = len(bench.link.sent)
    for name in ("a", "b", "c", "d", "e"):
        bench.connector.hear(place(name))
    bench.connector.hear(cancel("x"))
    assert [command.oms_id for command in bench.link.sent[sent_before:]] == ["a", "b", "c"]
    bench.tick(0.4)
    bench.tick(1.0)
    assert [command.oms_id for command in bench.link.sent[sent_before:]] == ["a", "b", "c", "x", "d", "e"]


def test_a_cancel_of_an_order_that_still_waits_sends_neither() -> None:
    bench = Bench(rate=1.0).ready()
    bench.tick(10)
    for command in (place("a"), place("b"), cancel("b")):
        bench.connector.hear(command)
    bench.tick(5)
    assert bench.link.sent == [place("a")]
    assert failures(bench) == [("b", False, "cancelled before it was sent")]
    assert [failure.is_order for failure in bench.orders.of(SendFailed)] == [True]


def test_what_waits_when_the_connection_is_lost_is_reported_as_not_sent() -> None:
    bench = Bench(rate=1.0).ready()
    bench.tick(10)
    for name in ("a", "b"):
        bench.connector.hear(place(name))
    bench.connector.hear(ConnectionLost(at=AT, epoch=Epoch(1), reason="reset by peer"))
    assert failures(bench) == [("b", False, "reset by peer")]
    assert bench.link.closed
    assert bench.listener.of(SessionChanged)[-1].state is SessionState.DISCONNECTED


def test_a_query_without_an_end_ends_incomplete_at_its_deadline() -> None:
    bench = Bench().ready()
    bench.connector.hear(query())
    bench.tick(9.9)
    assert bench.routed.of(SnapshotEnded) == []
    bench.tick(0.2)
    (ended,) = bench.routed.of(SnapshotEnded)
    assert (ended.kind, ended.complete) == (SnapshotKind.EXECUTIONS, False)


def test_a_query_that_ended_does_not_end_again() -> None:
    bench = Bench().ready()
    bench.connector.hear(query())
    bench.connector.hear(SnapshotEnded(at=AT, epoch=Epoch(1), kind=SnapshotKind.EXECUTIONS))
    bench.tick(20)
    assert bench.routed.of(SnapshotEnded) == []


def test_subscriptions_are_made_and_instruments_asked_for_again_after_a_reconnect() -> None:
    bench = Bench()
    bench.connector.hear(Subscribe(wanted=SPY))
    bench.ready()
    assert bench.link.sent == [Subscribe(wanted=SPY), QualifyContract(at=AT, epoch=Epoch(1), wanted=SPY)]
    bench.connector.hear(ConnectionLost(at=AT, epoch=Epoch(1), reason="reset by peer"))
    bench.tick(5)
    bench.connect()
    assert len(bench.links) == 2
    subscribed, qualified = bench.link.sent
    assert subscribed == Subscribe(wanted=SPY)
    assert isinstance(qualified, QualifyContract)
    assert (qualified.epoch, qualified.wanted) == (Epoch(2), SPY)


def test_a_heartbeat_that_cannot_leave_closes_the_link() -> None:
    bench = Bench().ready()
    bench.tick(11)
    assert bench.link.time_requests == 1
    bench.connector.hear(Tick(at=AT, elapsed=bench.clock.elapsed() + 30))
    assert bench.link.closed


def test_giving_up_ends_the_process_with_a_sentence() -> None:
    bench = Bench()
    bench.tick()
    bench.connector.hear(ConnectionLost(at=AT, epoch=Epoch(1), reason="connection refused"))
    bench.tick(10)
    bench.connector.hear(ConnectionLost(at=AT, epoch=Epoch(2), reason="connection refused"))
    assert bench.stops == [StopReason(text="connection refused", exit_code=2)]


def test_a_stop_closes_the_link() -> None:
    bench = Bench().ready()
    bench.connector.release()
    assert bench.link.closed


def test_the_link_is_closed_with_the_reason_of_the_session() -> None:
    bench = Bench().ready()
    link = bench.link
    bench.tick(10.0)
    bench.tick(10.0)
    assert link.closed == "the gateway stopped answering"


def test_market_time_follows_a_gateway_that_keeps_another_and_everyone_is_told() -> None:
    bench = Bench(session=SessionConfig(follows_gateway_clock=True)).ready()
    for elapsed in (0.0, 2.0):
        bench.tick(elapsed)
        at = bench.clock.now()
        answer = ServerTimeReported(at=at, epoch=Epoch(1), server_time=at + timedelta(hours=5))
        bench.connector.hear(answer)
    assert bench.corrections == [timedelta(hours=5)]
    assert [differs.correction for differs in bench.listener.of(ClockDiffers)] == bench.corrections


def test_an_order_that_finds_no_connection_makes_the_next_attempt_follow() -> None:
    bench = Bench(session=SessionConfig(initial_attempts=0, reconnect_delay_max_seconds=60.0))
    for epoch in range(1, 6):
        bench.tick(60.0)
        bench.connector.hear(ConnectionLost(at=AT, epoch=Epoch(epoch), reason="refused"))
    bench.tick(5.0)
    assert len(bench.links) == 5
    bench.connector.hear(SeekConnection(at=AT, epoch=Epoch(5)))
    bench.tick()
    assert len(bench.links) == 6


def test_a_degraded_session_takes_no_orders_and_no_changes_but_cancels_pass() -> None:
    bench = Bench().ready()
    lost = LinkConditionReported(at=AT, epoch=Epoch(1), condition=LinkCondition.BACKEND_LOST, text="1100")
    bench.connector.hear(lost)
    bench.link.sent.clear()
    change = ReplacePlacedOrder(
        at=AT,
        epoch=Epoch(1),
        oms_id=OmsId("a"),
        order_id=OrderId(1),
        account=Account("DU1"),
        instrument=Instrument(contract=SPY),
        order=Order(symbol="SPY", side=Side.BUY, quantity=Decimal(2)),
    )
    for command in (place(), change, cancel()):
        bench.connector.hear(command)
    assert bench.link.sent == [cancel()]
    assert failures(bench) == [("a", False, "the session is DEGRADED")] * 2
