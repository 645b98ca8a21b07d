"""StrategyRunner: runs one strategy as a plain object, messages in, commands out.

R1 the view moves on before a hook is called, so a hook reads a world that includes what it is told.
R2 hooks of one message come in this order: ``on_bar`` before ``on_quote``; ``on_fill``, then ``on_order``, then the
   callbacks registered with the broker.
R3 an exception in a hook ends the strategy: new orders of that hook are dropped, open orders are cancelled (or
   everything is flattened), and ``StrategyFailed`` is said once. The view keeps following the orders.
R4 no hook is called before ``StartStrategy`` or after the end. What happened to orders before the start (we were away)
   is given right after ``on_start``, in order, then ``on_recovered``.
R5 ``on_recovered`` waits until the session is READY: what a strategy sends then, such as a lost stop, must pass.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from actors.domain.contract import Contract
from actors.domain.identity import Account, OmsId
from actors.domain.matching import is_same
from actors.domain.order_state import OrderState
from actors.messages.commands import ReplaceOrder, StateChanged, SubmitOrder
from actors.messages.events import (
    Discrepancy,
    OrderEvent,
    OrderFilled,
    Reconciled,
    SignalRecorded,
    StrategyFailed,
    StrategyNoted,
    TradingHalted,
)
from actors.messages.portfolio import PortfolioSnapshot
from actors.messages.reports import QuoteReported
from actors.messages.schedule import MarketClosed, MarketOpened, StartStrategy, StopStrategy, TimerFired
from actors.messages.system import SessionChanged, SessionState, Tick
from strategy.bars import SET_BACK, Bar, BarBuilder
from strategy.base import Strategy
from strategy.broker import BrokerAPI, StrategyOutput
from strategy.holdings import ANY_ACCOUNT
from strategy.naming import OrderNames
from strategy.state import DurableState
from strategy.view import View

FailurePolicy = Literal["cancel", "flatten"]

StrategyInput = (
    StartStrategy
    | StopStrategy
    | QuoteReported
    | Tick
    | OrderEvent
    | SignalRecorded
    | Discrepancy
    | PortfolioSnapshot
    | TimerFired
    | MarketOpened
    | MarketClosed
    | SessionChanged
    | Reconciled
    | TradingHalted
)
"""Everything a strategy can hear of; anything else is ignored."""


class _Life(StrEnum):
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"


class StrategyRunner:
    """One strategy with its view of the world.

    Args:
        strategy: the strategy, parameters already set.
        strategy_id: at most 16 of ``[A-Za-z0-9_.-]``; begins the name of every order.
        run_stamp: differs from start to start (``naming.run_stamp``).
        at: market time now, aware UTC.
        account: the account traded; empty when the login has one.
        contracts: what the symbols stand for, where not US stocks.
        orders: orders known from before this start.
        stored: the durable state, JSON text by key.
        zone: exchange time, to which bars are aligned.
        on_failure: what to do with a failed strategy: cancel its orders, or flatten everything.
    """

    def __init__(
        self,
        strategy: Strategy,
        strategy_id: str,
        run_stamp: str,
        *,
        at: datetime,
        account: Account = ANY_ACCOUNT,
        contracts: Mapping[str, Contract] | None = None,
        orders: Iterable[OrderState] = (),
        stored: Mapping[str, str] | None = None,
        zone: ZoneInfo | None = None,
        on_failure: FailurePolicy = "cancel",
    ) -> None:
        self.strategy_id = strategy_id
        self.view = View(at=at, account=account, contracts=contracts, orders=orders)
        names = OrderNames(strategy_id, run_stamp)
        self.broker = BrokerAPI(view=self.view, names=names, say=self._say, strategy_id=strategy_id)
        self.state = DurableState(stored or {}, self._state_changed)
        self._strategy = strategy
        self._on_failure = on_failure
        self._outbox: list[StrategyOutput] = []
        self._life = _Life.WAITING
        self._missed: list[OrderEvent] = []
        self._recovered: Reconciled | None = None
        self._bars = self._bar_builders(zone or ZoneInfo("America/New_York"))
        self._builders: dict[Contract, tuple[BarBuilder, ...]] = {}
        strategy.bind(self)

    @property
    def subscriptions(self) -> tuple[Contract, ...]:
        """The contracts whose quotes the strategy wants."""
        return tuple(self._bars)

    @property
    def is_running(self) -> bool:
        """True from ``StartStrategy`` until the strategy stops or fails."""
        return self._life is _Life.RUNNING

    @property
    def has_failed(self) -> bool:
        """True after a hook raised."""
        return self._life is _Life.FAILED

    def hear(self, message: StrategyInput) -> tuple[StrategyOutput, ...]:
        """Take one message in; returns what the strategy wants done, in order."""
        self._move_time(message)
        self._dispatch(message)
        if not self._outbox:
            return ()
        said, self._outbox = tuple(self._outbox), []
        return said

    def notices(self, message: QuoteReported | Tick) -> bool:
        """Whether a hook may be called by a quote, or by the time of a tick."""
        if self._life is not _Life.RUNNING:
            return True
        if self._hears_quotes and isinstance(message, QuoteReported):
            return True
        for builder in self._bars.values():  # noqa: SIM110 - a generator costs more than what it looks at
            if builder.is_due(message.at):
                return True
        return False

    def pass_time(self, tick: Tick) -> None:
        """As hearing a tick that calls no hook."""
        self._move_time(tick)

    def note(self, text: object) -> None:
        """Put a line of the strategy into the log; what is no text as it is printed."""
        self._say(StrategyNoted(at=self.view.now, strategy_id=self.strategy_id, text=_as_text(text)))

    def _move_time(self, message: StrategyInput) -> None:
        """Time does not go back by what messages overtake each other, but it does when the clock was set back."""
        if message.at > self.view.now or self.view.now - message.at > SET_BACK:
            self.view.now = message.at

    def _dispatch(self, message: StrategyInput) -> None:  # noqa: C901, PLR0912 - one arm for each message
        match message:
            case QuoteReported():
                self._hear_quote(message)
            case OrderEvent():
                self._hear_order_event(message)
            case Tick():
                self._close_bars(message.at)
            case PortfolioSnapshot():
                self.view.holdings.hear_snapshot(message)
            case TimerFired():
                self._call("on_timer", self._strategy.on_timer, message.name, message.at)
            case MarketOpened():
                self._call("on_market_open", self._strategy.on_market_open, message.closes)
            case MarketClosed():
                self._close_bars(message.at)
                self._call("on_market_close", self._strategy.on_market_close)
            case SessionChanged():
                self.view.session = message.state
                self._tell_recovered()
            case Reconciled():
                self._hear_reconciled(message)
            case SignalRecorded():
                self.view.drop_order(message.oms_id)
            case Discrepancy():
                self._hear_discrepancy(message)
            case TradingHalted():
                self.view.is_halted = True
            case StartStrategy():
                self._start()
            case StopStrategy():
                self._stop()

    def _start(self) -> None:
        if self._life is _Life.WAITING:
            self._life = _Life.RUNNING
            self._call("on_start", self._strategy.on_start)
            missed, self._missed = self._missed, []
            for message in missed:
                self._tell_order_event(message)
            self._tell_recovered()

    def _stop(self) -> None:
        self._call("on_stop", self._strategy.on_stop)
        if self._life is _Life.RUNNING:
            self._life = _Life.STOPPED

    def _hear_discrepancy(self, discrepancy: Discrepancy) -> None:
        if discrepancy.kind == "DUPLICATE_OMS_ID":
            self.view.drop_order(OmsId(discrepancy.subject))

    def _hear_reconciled(self, reconciled: Reconciled) -> None:
        if self.has_failed:
            self._abandon()
        self._recovered = reconciled
        self._tell_recovered()

    def _tell_recovered(self) -> None:
        """Not before orders pass again: what a strategy mends then must not be refused."""
        if self._recovered is None or self._life is _Life.WAITING or self.view.session is not SessionState.READY:
            return
        recovered, self._recovered = self._recovered, None
        self._call("on_recovered", self._strategy.on_recovered, recovered)

    @property
    def _hears_quotes(self) -> bool:
        """Whether the strategy has an ``on_quote`` of its own."""
        return _is_own(self._strategy.on_quote, Strategy.on_quote)

    def _hear_quote(self, quote: QuoteReported) -> None:
        self.view.put_quote(quote)
        for builder in self._builders_of(quote.contract):
            bar = builder.add(quote)
            if bar is not None:
                self._finish(bar)
        if self._hears_quotes:
            self._call("on_quote", self._strategy.on_quote, quote)

    def _builders_of(self, found: Contract) -> tuple[BarBuilder, ...]:
        """Looked for once: a quote costs no more when many symbols are followed, and no bars when nobody hears them."""
        builders = self._builders.get(found)
        if builders is None:
            bars = self._bars if _is_own(self._strategy.on_bar, Strategy.on_bar) else {}
            exact = bars.get(found)
            alike = (builder for wanted, builder in bars.items() if is_same(wanted, found))
            builders = self._builders[found] = tuple(alike) if exact is None else (exact,)
        return builders

    def _close_bars(self, at: datetime) -> None:
        for builder in self._bars.values():
            bar = builder.close_due(at)
            if bar is not None:
                self._finish(bar)

    def _finish(self, bar: Bar) -> None:
        self._call("on_bar", self._strategy.on_bar, bar)

    def _hear_order_event(self, event: OrderEvent) -> None:
        self.view.hear_order_event(event)
        if self._life is _Life.WAITING:
            self._missed.append(event)
        else:
            self._tell_order_event(event)

    def _tell_order_event(self, event: OrderEvent) -> None:
        order = event.order
        if isinstance(event, OrderFilled):
            fill = event.fill
            self._call("on_fill", self._strategy.on_fill, order, fill)
            for on_fill in self.broker.fill_callbacks:
                self._call("on_fill callback", on_fill, order, fill)
        self._call("on_order", self._strategy.on_order, order, event)
        for on_status in self.broker.status_callbacks:
            self._call("on_status callback", on_status, order, event)

    def _call(self, hook: str, call: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 - the hook's own
        if self._life is not _Life.RUNNING:
            return
        said_before = len(self._outbox)
        try:
            call(*arguments)
        except KeyboardInterrupt:  # of a simulation, which runs on the main thread: its user ends it
            raise
        # Whatever else a strategy raises ends it, and only it: a sys.exit or a cancelled task would end every actor.
        except BaseException as error:  # noqa: BLE001
            self._fail(hook, error, said_before)

    def _fail(self, hook: str, error: BaseException, said_before: int) -> None:
        self._life = _Life.FAILED
        self._withdraw(said_before)
        self._say(
            StrategyFailed(at=self.view.now, strategy_id=self.strategy_id, hook=hook, error=describe_error(error))
        )
        self._abandon()

    def _abandon(self) -> None:
        """Give up what the failed strategy left behind; repeated after each reconciliation."""
        if self._on_failure == "flatten":
            self.broker.flatten_all(f"strategy {self.strategy_id} failed")
            return
        for order in self.view.open_orders():
            if not order.external:
                self.broker.cancel(order.oms_id)

    def _withdraw(self, said_before: int) -> None:
        """Take back the new orders and changes of a hook that did not come to its end."""
        kept: list[StrategyOutput] = []
        for said in self._outbox[said_before:]:
            if isinstance(said, SubmitOrder):
                self.view.drop_order(said.oms_id)
            elif not isinstance(said, ReplaceOrder):
                kept.append(said)
        self._outbox[said_before:] = kept

    def _say(self, output: StrategyOutput) -> None:
        self._outbox.append(output)

    def _state_changed(self, key: str, value_json: str | None) -> None:
        self._say(StateChanged(at=self.view.now, strategy_id=self.strategy_id, key=key, value_json=value_json))

    def _bar_builders(self, zone: ZoneInfo) -> dict[Contract, BarBuilder]:
        strategy = self._strategy
        return {
            self.view.contract_of(symbol): BarBuilder(
                symbol=symbol, seconds=strategy.bar_seconds, zone=zone, source=strategy.bar_source
            )
            for symbol in strategy.symbols
        }


def _is_own(hook: Callable[..., None], default: Callable[..., None]) -> bool:
    """Whether a strategy has a hook of its own."""
    return getattr(hook, "__func__", None) is not default


def describe_error(error: BaseException) -> str:
    """The kind, text and place of an exception on one line."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f" ({trace.tb_frame.f_code.co_filename.replace(chr(92), '/').rpartition('/')[2]}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {_as_text(error)}{place}"


def _as_text(value: object) -> str:
    """What a strategy's own value says of itself; half a character, which no file takes, is escaped."""
    try:
        return str(value).encode("utf-8", "backslashreplace").decode()
    except Exception as problem:  # noqa: BLE001 - what it raises is its author's matter, too
        return f"({type(value).__name__} that raised {type(problem).__name__})"
