from asyncio import CancelledError
from datetime import datetime
from decimal import Decimal

import attrs
import pytest

from actors.domain.contract import Contract, SecType
from actors.domain.identity import Epoch, ExecId, OmsId
from actors.domain.order_state import ExecStatus, Fill, OrderState, Pending
from actors.domain.terms import InvalidOrder, Order, Side
from actors.messages.commands import CancelOrder, FlattenAll, StateChanged, SubmitOrder
from actors.messages.events import (
    Discrepancy,
    FillCorrected,
    OrderEvent,
    OrderInvalid,
    Reconciled,
    SignalRecorded,
    StrategyFailed,
    StrategyNoted,
    TradingHalted,
)
from actors.messages.reports import QuoteReported
from actors.messages.schedule import MarketClosed, MarketOpened, StartStrategy, StopStrategy, TimerFired
from actors.messages.system import SessionChanged, SessionState, Tick
from strategy.bars import Bar
from strategy.base import Strategy
from strategy.runner import StrategyRunner
from tests.strategy.support import (
    OPEN,
    SPY,
    accepted,
    canceled,
    filled,
    later,
    quote,
    run,
    snapshot,
    state,
    submitted,
)

BUY_100 = Order(side=Side.BUY, quantity=Decimal(100), symbol="SPY")


class Recording(Strategy):
    """Writes down every hook with what it could read at that moment."""

    symbols: tuple[str, ...] = ("SPY",)
    bar_seconds: int = 60

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    def on_start(self) -> None:
        self.heard.append(("start",))

    def on_quote(self, quote: QuoteReported) -> None:
        self.heard.append(("quote", quote.bid))

    def on_bar(self, bar: Bar) -> None:
        self.heard.append(("bar", bar.close))

    def on_timer(self, name: str, at: datetime) -> None:
        self.heard.append(("timer", name, at))

    def on_market_open(self, closes: datetime) -> None:
        self.heard.append(("open", closes))

    def on_market_close(self) -> None:
        self.heard.append(("close",))

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        self.heard.append(("fill", fill.quantity, self.broker.get_position("SPY").quantity))

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        self.heard.append(("order", order.status))

    def on_recovered(self, reconciled: Reconciled) -> None:
        self.heard.append(("recovered", reconciled.open_orders))

    def on_stop(self) -> None:
        self.heard.append(("stop",))


class Failing(Strategy):
    """Submits, then raises on the first quote."""

    symbols: tuple[str, ...] = ("SPY",)

    def on_start(self) -> None:
        self.broker.submit_order(BUY_100)

    def on_quote(self, quote: QuoteReported) -> None:
        self.broker.submit_order(BUY_100)
        raise ZeroDivisionError("a mistake")


READY = SessionChanged(at=OPEN, epoch=Epoch(1), state=SessionState.READY)


def test_submit_order_gives_a_name_at_once_and_one_command() -> None:
    runner = run(Recording())
    oms_id = runner.broker.submit_order(BUY_100)
    (command,) = runner.hear(Tick(at=later(1), elapsed=1.0))
    assert command == SubmitOrder(at=OPEN, oms_id=oms_id, order=BUY_100)
    order = runner.broker.order(oms_id)
    assert order is not None
    assert (order.status, order.pending) == (ExecStatus.NEW, Pending.SUBMIT)


def test_a_fill_is_in_the_position_before_the_hook_is_called_though_the_snapshot_lags() -> None:
    strategy = Recording()
    runner = run(strategy)
    runner.hear(snapshot(0))
    runner.broker.submit_order(BUY_100)
    first = filled(runner.broker.open_orders()[0], 40, "450.10", "e1.01")
    runner.hear(first)
    runner.hear(filled(first.order, 60, "450.20", "e2.01"))
    fills = [entry for entry in strategy.heard if entry[0] == "fill"]
    assert fills == [("fill", 40, 40), ("fill", 60, 100)]


def test_fill_comes_before_order_and_registered_callbacks_last() -> None:
    strategy = Recording()
    runner = run(strategy)
    runner.broker.on_fill(lambda order, fill: strategy.heard.append(("fill callback", fill.quantity)))
    runner.broker.on_status(lambda order, event: strategy.heard.append(("status callback", order.status)))
    runner.broker.submit_order(BUY_100)
    strategy.heard.clear()
    runner.hear(filled(runner.broker.open_orders()[0], 100, "450", "e1"))
    assert strategy.heard == [
        ("fill", 100, 100),
        ("fill callback", 100),
        ("order", ExecStatus.FILLED),
        ("status callback", ExecStatus.FILLED),
    ]


def test_a_bar_is_given_before_the_quote_that_ends_it() -> None:
    strategy = Recording()
    runner = run(strategy)
    runner.hear(quote(1))
    runner.hear(quote(61, bid="451.00", ask="451.02"))
    assert strategy.heard[1:] == [
        ("quote", Decimal("450.00")),
        ("bar", Decimal("450.01")),
        ("quote", Decimal("451.00")),
    ]


def test_a_tick_ends_a_bar_without_a_quote() -> None:
    strategy = Recording()
    runner = run(strategy)
    runner.hear(quote(1))
    runner.hear(Tick(at=later(60), elapsed=60.0))
    assert strategy.heard[-1] == ("bar", Decimal("450.01"))


def test_every_hook_is_called_for_its_message() -> None:
    strategy = Recording()
    runner = run(strategy)
    runner.hear(MarketOpened(at=later(1), closes=later(100)))
    runner.hear(TimerFired(at=later(2), name="t"))
    runner.hear(READY)
    runner.hear(Reconciled(at=later(3), open_orders=2, executions=0, in_doubt=0))
    runner.hear(MarketClosed(at=later(4)))
    runner.hear(StopStrategy(at=later(5)))
    assert strategy.heard == [
        ("start",),
        ("open", later(100)),
        ("timer", "t", later(2)),
        ("recovered", 2),
        ("close",),
        ("stop",),
    ]
    assert not runner.is_running


def test_no_hook_before_the_start_or_after_the_stop() -> None:
    strategy = Recording()
    runner = StrategyRunner(strategy, "test", "s1", at=OPEN)
    runner.hear(quote(1))
    assert strategy.heard == []
    runner.hear(StartStrategy(at=later(2)))
    runner.hear(StopStrategy(at=later(3)))
    runner.hear(StartStrategy(at=later(4)))
    runner.hear(quote(5))
    assert strategy.heard == [("start",), ("stop",)]


def test_a_hook_that_raises_ends_the_strategy_and_cancels_its_orders() -> None:
    runner = StrategyRunner(Failing(), "test", "s1", at=OPEN)
    (first,) = submitted(runner.hear(StartStrategy(at=OPEN)))
    said = runner.hear(quote(1))
    assert [type(output) for output in said] == [StrategyFailed, CancelOrder]
    failure, cancel = said
    assert isinstance(failure, StrategyFailed)
    assert isinstance(cancel, CancelOrder)
    assert failure.hook == "on_quote"
    assert failure.error.startswith("ZeroDivisionError: a mistake (test_runner.py:")
    assert cancel.oms_id == first.oms_id
    assert runner.has_failed
    assert runner.hear(quote(2)) == ()


class Mute(Exception):
    def __str__(self) -> str:
        raise LookupError


@pytest.mark.parametrize(
    ("error", "text"), [(Mute(), "Mute: (Mute that raised LookupError)"), (ValueError("\ud800"), "ValueError: \\ud800")]
)
def test_an_exception_whose_text_is_none_ends_the_strategy_and_only_it(error: Exception, text: str) -> None:
    class Raising(Failing):
        def on_quote(self, quote: QuoteReported) -> None:
            self.log("\ud800")
            raise error

    runner = StrategyRunner(Raising(), "test", "s1", at=OPEN)
    runner.hear(StartStrategy(at=OPEN))
    note, failure = runner.hear(quote(1))[:2]
    assert isinstance(note, StrategyNoted)
    assert note.text == "\\ud800"
    assert isinstance(failure, StrategyFailed)
    assert failure.error.startswith(f"{text} (test_runner.py:")


def test_new_orders_of_a_failed_hook_are_dropped() -> None:
    runner = StrategyRunner(Failing(), "test", "s1", at=OPEN)
    runner.hear(StartStrategy(at=OPEN))
    assert submitted(runner.hear(quote(1))) == []
    assert len(runner.broker.open_orders()) == 1


def test_a_failed_strategy_may_flatten_everything_instead() -> None:
    runner = StrategyRunner(Failing(), "test", "s1", at=OPEN, on_failure="flatten")
    runner.hear(StartStrategy(at=OPEN))
    assert runner.hear(quote(1))[-1] == FlattenAll(at=later(1), reason="strategy test failed")


def test_a_failed_strategy_still_follows_its_orders_and_cancels_again_after_a_reconciliation() -> None:
    runner = StrategyRunner(Failing(), "test", "s1", at=OPEN)
    runner.hear(StartStrategy(at=OPEN))
    runner.hear(quote(1))
    working = attrs.evolve(runner.broker.open_orders()[0], pending=None, status=ExecStatus.WORKING)
    runner.hear(accepted(working))
    said = runner.hear(Reconciled(at=later(9), open_orders=1, executions=0, in_doubt=0))
    assert [type(output) for output in said] == [CancelOrder]


@pytest.mark.parametrize("left_by", [SystemExit(3), CancelledError(), GeneratorExit()])
def test_what_is_no_error_for_python_ends_the_strategy_only(left_by: BaseException) -> None:
    class Leaving(Strategy):
        def on_start(self) -> None:
            raise left_by

    runner = StrategyRunner(Leaving(), "test", "s1", at=OPEN)
    (failure,) = runner.hear(StartStrategy(at=OPEN))
    assert isinstance(failure, StrategyFailed)


def test_an_invalid_order_raises_in_the_call_and_sends_nothing() -> None:
    runner = run(Recording())
    with pytest.raises(InvalidOrder, match="symbol is empty"):
        runner.broker.submit_order(Order(side=Side.BUY, quantity=Decimal(1)))
    (said,) = runner.hear(Tick(at=later(1), elapsed=1.0))
    assert isinstance(said, OrderInvalid)
    assert said.text.startswith("symbol is empty")


def test_a_note_may_be_anything_that_can_be_printed() -> None:
    runner = run(Recording())
    runner.note(Decimal("1.5"))
    assert runner.hear(Tick(at=later(1), elapsed=1.0)) == (StrategyNoted(at=OPEN, strategy_id="test", text="1.5"),)


def test_state_writes_become_messages_and_notes_too() -> None:
    runner = run(Recording(), stored={"day": "3"})
    assert runner.state["day"] == 3
    runner.state["day"] = 4
    runner.note("hello")
    assert runner.hear(Tick(at=later(1), elapsed=1.0)) == (
        StateChanged(at=OPEN, strategy_id="test", key="day", value_json="4"),
        StrategyNoted(at=OPEN, strategy_id="test", text="hello"),
    )


def test_an_order_that_trading_is_disabled_for_does_not_stay_open() -> None:
    runner = run(Recording())
    oms_id = runner.broker.submit_order(BUY_100)
    runner.hear(SignalRecorded(at=later(1), order=BUY_100, oms_id=oms_id))
    assert runner.broker.open_orders() == ()


def test_a_halt_and_a_session_that_is_not_ready_are_visible() -> None:
    runner = run(Recording())
    assert runner.broker.is_ready
    runner.hear(SessionChanged(at=later(1), epoch=Epoch(1), state=SessionState.DEGRADED))
    assert not runner.broker.is_ready
    runner.hear(SessionChanged(at=later(2), epoch=Epoch(1), state=SessionState.READY))
    runner.hear(TradingHalted(at=later(3), reason="test"))
    assert not runner.broker.is_ready


def test_market_time_goes_back_only_when_the_clock_was_set_back() -> None:
    runner = run(Recording())
    runner.hear(quote(3610))
    runner.hear(quote(3605))
    assert runner.broker.now() == later(3610)
    runner.hear(quote(5))
    assert runner.broker.now() == later(5)


def test_a_correction_changes_the_position_by_the_difference() -> None:
    runner = run(Recording())
    runner.broker.submit_order(BUY_100)
    first = filled(runner.broker.open_orders()[0], 100, "450", "e1.01")
    runner.hear(first)
    corrected = attrs.evolve(first.fill, exec_id=ExecId("e1.02"), quantity=Decimal(90))
    runner.hear(FillCorrected(at=later(3), order=first.order, fill=corrected, previous=first.fill))
    assert runner.broker.get_position(SPY).quantity == 90


def test_orders_from_before_the_start_are_known() -> None:
    before = run(Recording())
    before.broker.submit_order(BUY_100)
    runner = run(Recording(), orders=before.broker.open_orders())
    assert [order.oms_id for order in runner.broker.open_orders("SPY")] == ["test-s1-1"]
    runner.hear(canceled(runner.broker.open_orders()[0]))
    assert runner.broker.open_orders() == ()


def test_the_subscriptions_are_the_contracts_of_the_symbols() -> None:
    assert run(Recording()).subscriptions == (SPY,)


def test_a_callback_that_raises_ends_the_strategy_like_a_hook() -> None:
    runner = run(Recording())
    runner.broker.submit_order(BUY_100)

    def broken(order: OrderState, fill: Fill) -> None:
        raise KeyError(order.oms_id)

    runner.broker.on_fill(broken)
    said = runner.hear(filled(runner.broker.open_orders()[0], 40, "450", "e1"))
    failures = [output for output in said if isinstance(output, StrategyFailed)]
    assert [failure.hook for failure in failures] == ["on_fill callback"]


def test_what_a_failed_hook_said_besides_orders_is_kept() -> None:
    class Talking(Strategy):
        def on_start(self) -> None:
            self.state["seen"] = True
            self.broker.submit_order(BUY_100)
            self.log("before the end")
            raise ValueError

    runner = StrategyRunner(Talking(), "test", "s1", at=OPEN)
    said = runner.hear(StartStrategy(at=OPEN))
    assert [type(output) for output in said] == [StateChanged, StrategyNoted, StrategyFailed]
    assert runner.broker.open_orders() == ()


def test_a_failed_strategy_leaves_strangers_orders_alone() -> None:
    runner = StrategyRunner(Failing(), "test", "s1", at=OPEN)
    runner.hear(StartStrategy(at=OPEN))
    stranger = attrs.evolve(runner.broker.open_orders()[0], oms_id=OmsId("x"), external=True)
    runner.hear(accepted(stranger))
    said = runner.hear(quote(1))
    assert [output.oms_id for output in said if isinstance(output, CancelOrder)] == ["test-s1-1"]


def test_quotes_of_other_instruments_make_no_bar() -> None:
    strategy = Recording()
    runner = run(strategy)
    runner.hear(attrs.evolve(quote(1), contract=Contract(symbol="IBM")))
    runner.hear(Tick(at=later(120), elapsed=1.0))
    assert [entry[0] for entry in strategy.heard] == ["start", "quote"]


def test_an_order_refused_for_its_name_does_not_stay_open() -> None:
    runner = run(Recording())
    oms_id = runner.broker.submit_order(BUY_100, oms_id="mine")
    runner.hear(Discrepancy(at=OPEN, kind="OTHER", subject=oms_id, text="z"))
    assert len(runner.broker.open_orders()) == 1
    runner.hear(Discrepancy(at=OPEN, kind="DUPLICATE_OMS_ID", subject=oms_id, text="z"))
    assert runner.broker.open_orders() == ()


def test_a_strategy_hears_that_it_recovered_once_orders_pass_again() -> None:
    strategy = Recording()
    runner = run(strategy)
    strategy.heard.clear()
    for number in (1, 2):
        runner.hear(SessionChanged(at=later(1), epoch=Epoch(1), state=SessionState.RECONCILING))
        runner.hear(Reconciled(at=later(2), open_orders=number, executions=0, in_doubt=0))
    runner.hear(SessionChanged(at=later(3), epoch=Epoch(1), state=SessionState.DEGRADED))
    assert strategy.heard == []
    runner.hear(READY)
    runner.hear(READY)
    assert strategy.heard == [("recovered", 2)]


def test_what_was_missed_before_the_start_is_given_after_on_start_once_and_in_order() -> None:
    strategy = Recording()
    runner = StrategyRunner(strategy, "test", "s2", at=OPEN)
    part = attrs.evolve(filled(state("test-s1-1"), 40, "450", "e1"), recovered=True)
    rest = attrs.evolve(filled(part.order, 60, "450", "e2"), recovered=True)
    for message in (part, rest, Reconciled(at=later(3), open_orders=0, executions=2, in_doubt=0)):
        runner.hear(message)
    assert strategy.heard == []
    runner.hear(snapshot(4, 100, booked=("e1", "e2")))
    runner.hear(READY)
    runner.hear(StartStrategy(at=later(5)))
    assert strategy.heard == [
        ("start",),
        ("fill", 40, 100),
        ("order", ExecStatus.PARTIALLY_FILLED),
        ("fill", 60, 100),
        ("order", ExecStatus.FILLED),
        ("recovered", 0),
    ]
    strategy.heard.clear()
    runner.hear(Tick(at=later(6), elapsed=1.0))
    assert strategy.heard == []


def test_bars_are_made_of_the_quotes_of_their_own_contract() -> None:
    """Two months of one future, one named by its month and one by its local symbol."""
    closes: list[tuple[str, Decimal]] = []

    class Roll(Strategy):
        symbols: tuple[str, ...] = ("NEAR", "FAR")
        bar_seconds: int = 60

        def on_bar(self, bar: Bar) -> None:
            closes.append((bar.symbol, bar.close))

    near = Contract(symbol="ES", sec_type=SecType.FUTURE, local_symbol="ESZ6")
    far = Contract(symbol="ES", sec_type=SecType.FUTURE, expiry="202703")
    runner = run(Roll(), contracts={"NEAR": near, "FAR": far})
    for contract, price in ((near, "5000"), (far, "5050")):
        runner.hear(attrs.evolve(quote(1, price, price), contract=contract))
    runner.hear(Tick(at=later(61), elapsed=61))
    assert closes == [("NEAR", Decimal(5000)), ("FAR", Decimal(5050))]
