"""The gateway of a soak run: the simulator in a process of its own, whose market time is moved from outside.

Engine and director see its market time through shared memory, so nothing of the simulator lives in their process.
"""

import multiprocessing
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from ibapi_bridge.gateway_simulator.config import GatewayConfig
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments
from ibapi_bridge.gateway_simulator.exchange.market import ModelMarket, ModelSettings
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

SYMBOLS = ("SPY", "AAPL")
ACCOUNT = "DU1234567"
STARTING_CASH = Decimal(10_000_000)
_QUOTE_SECONDS = 20
_JUMP = timedelta(minutes=30)
_POLL_SECONDS = 0.002
_NEW_YORK = ZoneInfo("America/New_York")


@attrs.frozen(kw_only=True)
class Books:
    """What the broker says at the end of a day; ``executions`` are those of the New York day."""

    positions: dict[str, Decimal]
    open_orders: frozenset[str]
    executions: frozenset[str]
    commissions: Decimal
    cash: Decimal
    orders_placed: int


class SoakGateway:
    """The handle of the gateway process; every call returns when the gateway has done it."""

    def __init__(self, *, start: datetime, speed: float) -> None:
        context = multiprocessing.get_context("spawn")
        self._now = context.Value("d", start.timestamp())
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._now, start, speed), daemon=True)
        self._process.start()
        self.port = int(self._answer())

    def now(self) -> datetime:
        """Market time."""
        return datetime.fromtimestamp(self._now.value, UTC)

    def run_until(self, until: datetime) -> None:
        """Let the market run at its speed and stand still at ``until``."""
        self._ask("run_until", until)

    def jump_to(self, until: datetime) -> None:
        """Let the time up to ``until`` pass at once."""
        self._ask("jump_to", until)

    def fault(self, name: str, **parameters: object) -> None:
        """Make something happen (see the gateway simulator's faults)."""
        self._ask("fault", name, parameters)

    def books(self) -> Books:
        """The broker's books."""
        books = self._ask("books")
        assert isinstance(books, Books)
        return books

    def stop(self) -> None:
        """End the process."""
        self._pipe.send(("stop",))
        self._process.join(10)

    def _ask(self, *words: object) -> object:
        self._pipe.send(words)
        return self._answer()

    def _answer(self) -> Any:
        if not self._pipe.poll(120):
            raise TimeoutError("the gateway process does not answer")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _market(instruments: Any, start: datetime, seed: int) -> ModelMarket:
    settings = ModelSettings(interval=timedelta(seconds=_QUOTE_SECONDS))
    return ModelMarket(instruments=instruments, start=start, seed=seed, settings=settings)


def _serve(pipe: Connection, now: Any, start: datetime, speed: float) -> None:
    instruments = tuple(one for one in default_instruments() if one.symbol in SYMBOLS and one.sec_type == "STK")
    config = GatewayConfig(
        start=start,
        speed=speed,
        step=timedelta(seconds=10),
        start_paused=True,
        market=_market,
        instruments=instruments,
        exchange=ExchangeConfig(starting_cash={"USD": STARTING_CASH}),
    )
    served = _Served(GatewaySimulator(config), now)
    served.simulator.start()
    pipe.send(served.simulator.port)
    while True:
        words = pipe.recv()
        if words[0] == "stop":
            break
        try:
            pipe.send(getattr(served, words[0])(*words[1:]))
        except Exception as error:  # noqa: BLE001 - raised in the process that asked
            pipe.send(error)
    served.simulator.stop()


def _new_york(at: datetime) -> date:
    return at.astimezone(_NEW_YORK).date()


class _Served:
    """What the process does when asked."""

    def __init__(self, simulator: GatewaySimulator, now: Any) -> None:
        self.simulator = simulator
        self._now = now
        self._clock_hand = threading.Event()

    def run_until(self, until: datetime) -> None:
        gateway = self.simulator.gateway
        if until > gateway.now:
            self._call(lambda: gateway.later(until - gateway.now, self.simulator.pause))
            self.simulator.resume()
        while gateway.now < until:
            self._wait()
        self._tell()

    def jump_to(self, until: datetime) -> None:
        gateway = self.simulator.gateway
        while gateway.now < until:
            self._call(lambda: gateway.advance(min(until, gateway.now + _JUMP)))
            self._tell()

    def fault(self, name: str, parameters: dict[str, object]) -> None:
        self.simulator.faults.do(name, **parameters)

    def books(self) -> Books:
        books: Books = self._call(self._books)
        return books

    def _books(self) -> Books:
        gateway, exchange = self.simulator.gateway, self.simulator.gateway.exchange
        executions = exchange.executions()
        today = _new_york(gateway.now)
        positions = {gateway.instruments[row.con_id].symbol: row.quantity for row in exchange.positions(ACCOUNT)}
        return Books(
            positions={symbol: quantity for symbol, quantity in positions.items() if quantity},
            open_orders=frozenset(view.order.order_ref for view in exchange.orders()),
            executions=frozenset(one.exec_id for one in executions if _new_york(one.at) == today),
            commissions=sum((one.commission for one in executions), Decimal(0)),
            cash=exchange.account_values(ACCOUNT).total_cash_value,
            orders_placed=len(exchange.completed()) + len(exchange.orders()),
        )

    def _call(self, work: Callable[[], Any]) -> Any:
        return self.simulator.call(work, seconds=60)

    def _wait(self) -> None:
        self._tell()
        if self.simulator.failure is not None:
            raise RuntimeError(f"the gateway simulator failed: {self.simulator.failure!r}")
        self._clock_hand.wait(_POLL_SECONDS)

    def _tell(self) -> None:
        self._now.value = self.simulator.now().timestamp()
