"""The engine on real threads: it comes up, a death stops it, nothing is left behind."""

import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.clock import SystemClock
from actors.domain.contract import Contract, Instrument
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import Account, Epoch, ExecId, OmsId, OrderId, PermId
from actors.domain.portfolio import Portfolio
from actors.domain.session import SessionConfig
from actors.domain.terms import Order, Side
from actors.journal import Journal, JournalIdentity
from actors.link import HearsReports
from actors.messages.commands import SubmitOrder
from actors.messages.events import Discrepancy, OrderRejected, Reconciled, TradingHalted
from actors.messages.portfolio import PortfolioSnapshot
from actors.messages.reports import (
    AccountsReported,
    ConnectionLost,
    ExecutionReported,
    InstrumentReported,
    NextOrderIdReported,
    PositionReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.schedule import StartStrategy
from actors.messages.system import SessionChanged, SessionState, StopReason
from actors.messages.wire import QuerySnapshot, Subscribe
from actors.restore import Fold
from actors.system import Engine, EngineParts, EngineSettings

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SPY = Contract(symbol="SPY", con_id=756733)


class ObligingLink:
    """A link to a broker that has nothing and answers at once, on the caller's thread."""

    def __init__(self, epoch: Epoch, hear: HearsReports) -> None:
        self._epoch, self._hear = epoch, hear

    def start(self) -> None:
        self._hear(NextOrderIdReported(at=AT, epoch=self._epoch, order_id=OrderId(1)))
        self._hear(AccountsReported(at=AT, epoch=self._epoch, accounts=(Account("DU1"),)))

    def send(self, command: Any) -> None:
        if isinstance(command, QuerySnapshot):
            self._hear(SnapshotEnded(at=AT, epoch=self._epoch, kind=command.kind))
        if isinstance(command, Subscribe):
            instrument = Instrument(contract=SPY)
            self._hear(InstrumentReported(at=AT, epoch=self._epoch, wanted=command.wanted, instrument=instrument))

    def request_server_time(self) -> None:
        pass

    def close(self, reason: str = "closed by us") -> None:
        self._hear(ConnectionLost(at=AT, epoch=self._epoch, reason=reason))


class ForgetfulLink(ObligingLink):
    """Its first connection holds five, every later one three."""

    def send(self, command: Any) -> None:
        if isinstance(command, QuerySnapshot) and command.kind is SnapshotKind.POSITIONS:
            held = Decimal(5) if self._epoch == Epoch(1) else Decimal(3)
            row = PositionReported(at=AT, epoch=self._epoch, account=Account("DU1"), contract=SPY, quantity=held)
            self._hear(row)
        super().send(command)


class SlowPortfolio(Portfolio):
    """Everybody else has long done what follows from a reconciliation when it has compared."""

    def decide(self, message: Any) -> tuple[Any, ...]:
        if isinstance(message, Reconciled):
            threading.Event().wait(0.2)
        return super().decide(message)


class Runner:
    """A strategy that remembers, and breaks when told to."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.started = threading.Event()
        self.breaks_on: type | None = None

    def hear(self, message: Any) -> tuple[Any, ...]:
        self.heard.append(message)
        if self.breaks_on is not None and isinstance(message, self.breaks_on):
            raise RuntimeError("the runner broke")
        if isinstance(message, StartStrategy):
            self.started.set()
        return ()


class EagerRunner(Runner):
    """Buys and sells one as soon as its second connection is ready."""

    def hear(self, message: Any) -> tuple[Any, ...]:
        super().hear(message)
        if not isinstance(message, SessionChanged) or (message.state, message.epoch) != (SessionState.READY, Epoch(2)):
            return ()
        orders = {side.value: Order(contract=SPY, side=side, quantity=1) for side in (Side.BUY, Side.SELL)}
        return tuple(SubmitOrder(at=message.at, oms_id=OmsId(name), order=order) for name, order in orders.items())


class Bench:
    """An engine with its ends in the hands of the test."""

    def __init__(self, folder: Path, runner: Runner | None = None, make_link: Any = ObligingLink) -> None:
        self.reasons: queue.SimpleQueue[StopReason] = queue.SimpleQueue()
        self.rejected: queue.SimpleQueue[OrderRejected] = queue.SimpleQueue()
        self.heard: list[Any] = []
        self.runner = runner if runner is not None else Runner()
        self.journal = Journal(folder / "t.journal", identity=JournalIdentity(strategy_id="t", account=""))
        self.fold = Fold(DeskConfig(strategy_id="t"))
        parts = EngineParts(
            clock=SystemClock(),
            journal=self.journal,
            restored=self.fold,
            runner=self.runner,
            subscriptions=(SPY,),
            make_link=make_link,
            calendar=lambda _: None,
            listener=self,
            stop=self.reasons.put,
        )
        self.engine = Engine(
            EngineSettings(session=SessionConfig(reconnect_delay_seconds=0.05), tick_seconds=0.005), parts
        )

    def tell(self, message: Any) -> None:
        self.heard.append(message)
        if isinstance(message, OrderRejected):
            self.rejected.put(message)

    def states(self) -> list[SessionState]:
        return [message.state for message in self.heard if isinstance(message, SessionChanged)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.engine.stop("the test ends")
    bench.journal.close()


@pytest.mark.threads
def test_the_engine_comes_up_reconciles_and_starts_the_strategy(bench: Bench) -> None:
    bench.engine.start()
    assert bench.runner.started.wait(10)
    assert bench.states() == [SessionState.CONNECTING, SessionState.RECONCILING, SessionState.READY]
    assert set(bench.engine.inbox_depths()) == {
        "supervisor",
        "order_manager",
        "position_keeper",
        "scheduler",
        "strategy_host",
        "connector",
    }


@pytest.mark.threads
def test_everything_stops_in_time_and_no_thread_is_left(bench: Bench) -> None:
    before = set(threading.enumerate())
    bench.engine.start()
    assert bench.runner.started.wait(10)
    assert bench.engine.stop("enough") == []
    left = [thread.name for thread in threading.enumerate() if thread not in before and thread.is_alive()]
    assert left == []


@pytest.mark.threads
def test_the_death_of_an_actor_halts_trading_and_ends_the_process_with_its_message(bench: Bench) -> None:
    bench.engine.start()
    assert bench.runner.started.wait(10)
    bench.engine.address("order_manager").tell("no message the desk knows")
    reason = bench.reasons.get(timeout=10)
    assert reason.exit_code == 1
    assert "order_manager died: TypeError" in reason.text
    assert "no message the desk knows" in reason.text
    assert bench.engine.halt.reason == reason.text
    assert [message.reason for message in bench.heard if isinstance(message, TradingHalted)] == [reason.text]


@pytest.mark.threads
def test_a_runner_that_breaks_ends_the_process_too(bench: Bench) -> None:
    bench.runner.breaks_on = StartStrategy
    bench.engine.start()
    reason = bench.reasons.get(timeout=10)
    assert (reason.exit_code, "strategy_host died: RuntimeError: the runner broke" in reason.text) == (1, True)


@pytest.mark.threads
def test_the_last_view_counts_fills_that_came_after_the_last_tick(bench: Bench) -> None:
    bench.engine.start()
    assert bench.runner.started.wait(10)
    ticker = bench.engine._ticker  # noqa: SLF001 - time must stand still between the fill and the end
    assert ticker is not None
    ticker.stop()
    execution = ExecutionReported(
        at=AT,
        epoch=Epoch(1),
        exec_id=ExecId("x.01"),
        contract=SPY,
        side=Side.BUY,
        quantity=Decimal(5),
        price=Decimal(10),
        perm_id=PermId(7),
        account=Account("DU1"),
    )
    bench.engine.address("order_manager").tell(execution)

    assert bench.engine.stop("enough") == []

    views = [message for message in bench.heard if isinstance(message, PortfolioSnapshot)]
    assert [position.quantity for position in views[-1].positions] == [5]


@pytest.mark.threads
def test_a_view_that_comes_after_the_end_of_the_strategy_halts_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.fold.portfolio = SlowPortfolio()
    bench.engine.start()
    assert bench.runner.started.wait(10)
    bench.engine.address("position_keeper").tell(Reconciled(at=AT, open_orders=0, executions=0, in_doubt=0))

    assert bench.engine.stop("enough") == []
    bench.journal.close()

    assert not any(isinstance(message, TradingHalted) for message in bench.heard)


@pytest.mark.threads
def test_a_position_that_differs_after_a_reconnect_takes_no_new_exposure_from_the_first_ready_moment(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, EagerRunner(), ForgetfulLink)
    bench.fold.portfolio = SlowPortfolio()
    bench.engine.start()
    try:
        assert bench.runner.started.wait(10)
        bench.engine.address("connector").tell(ConnectionLost(at=AT, epoch=Epoch(1), reason="gone"))
        rejection = bench.rejected.get(timeout=10)
    finally:
        bench.engine.stop("the test ends")
        bench.journal.close()

    reason = "no new exposure in SPY: the positions are being compared: ours 5, the broker's 3"
    assert (rejection.order.oms_id, rejection.order.reason) == ("BUY", reason)
    assert bench.rejected.empty()
    assert not [message for message in bench.heard if isinstance(message, Discrepancy)]
