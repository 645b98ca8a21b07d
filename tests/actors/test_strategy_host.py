"""The strategy host's inbox: news of orders waits behind a few quotes at most."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from sys import getswitchinterval
from threading import Event
from typing import Any

import pytest

from actors import interpreter
from actors.base import Ping, start_actor, stop_actor
from actors.conflation import QuoteBox
from actors.domain.contract import Contract
from actors.domain.identity import Epoch
from actors.messages.reports import QuoteReported
from actors.messages.schedule import TimerFired
from actors.strategy_host import StrategyHost
from actors.urgency import is_anything_urgent

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
FIRST, NEWS = TimerFired(at=AT, name="first"), TimerFired(at=AT, name="news")
PATIENCE = 5.0


class Slow:
    """A strategy that is busy with the first message until it is let go."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.is_busy, self.may_go = Event(), Event()

    def hear(self, message: Any) -> tuple[Any, ...]:
        self.heard.append(message)
        if message is FIRST:
            self.is_busy.set()
            assert self.may_go.wait(PATIENCE)
        return (message,)


@pytest.fixture
def start() -> Iterator[Callable[..., Any]]:
    """Starts hosts, which end with the test."""
    hosts: list[Any] = []

    def host_of(runner: Slow, box: QuoteBox, dispatch: Callable[[Any], None] = lambda _: None) -> Any:
        hosts.append(start_actor(StrategyHost, runner=runner, quotes=box, dispatch=dispatch, supervisor=None))
        return hosts[-1]

    yield host_of
    for host in hosts:
        stop_actor(host)


def test_news_of_an_order_does_not_wait_behind_a_flood_of_quotes(start: Callable[..., Any]) -> None:
    slow, box = Slow(), QuoteBox()
    host = start(slow, box)
    host.tell(FIRST)
    assert slow.is_busy.wait(PATIENCE)
    contracts = [Contract(symbol=f"Q{number}") for number in range(40)]
    quotes = [QuoteReported(at=AT, epoch=Epoch(1), contract=contract) for contract in contracts]
    box.put(quotes, host)
    host.tell(NEWS)
    slow.may_go.set()
    while len(slow.heard) < 42 and host.is_alive():
        host.ask(Ping(), timeout=PATIENCE)
    assert stop_actor(host)
    assert slow.heard.index(NEWS) <= 5
    assert [heard for heard in slow.heard if isinstance(heard, QuoteReported)] == quotes


def test_nobody_should_want_the_interpreter_while_a_strategy_has_news_to_hear(start: Callable[..., Any]) -> None:
    slow = Slow()
    host = start(slow, QuoteBox())
    assert not is_anything_urgent()
    host.tell(FIRST)
    assert is_anything_urgent()  # before its thread is awake
    assert slow.is_busy.wait(PATIENCE)
    host.tell(NEWS)
    assert is_anything_urgent()
    slow.may_go.set()
    host.ask(Ping(), timeout=PATIENCE)
    assert not is_anything_urgent()
    assert stop_actor(host)
    assert not is_anything_urgent()


def test_quotes_are_not_urgent(start: Callable[..., Any]) -> None:
    slow, box, urgent, both = Slow(), QuoteBox(), [], Event()

    def dispatch(_: Any) -> None:
        urgent.append(is_anything_urgent())
        if len(urgent) == 2:
            both.set()

    host = start(slow, box, dispatch)
    host.tell(FIRST)
    assert slow.is_busy.wait(PATIENCE)
    box.put([QuoteReported(at=AT, epoch=Epoch(1), contract=Contract(symbol="Q"))], host)
    slow.may_go.set()
    assert both.wait(PATIENCE)
    assert urgent == [True, False]


def test_a_strategy_that_computes_gives_way_sooner_than_our_own_code(start: Callable[..., Any]) -> None:
    slow, box = Slow(), QuoteBox()
    host = start(slow, box)
    before = getswitchinterval()
    host.tell(FIRST)
    assert slow.is_busy.wait(PATIENCE)
    assert getswitchinterval() == pytest.approx(interpreter.STRATEGY_SECONDS)
    assert before > interpreter.STRATEGY_SECONDS
    slow.may_go.set()
    stop_actor(host)
    assert getswitchinterval() == pytest.approx(interpreter.OURS_SECONDS)


def test_our_own_code_goes_on_as_usual_after_a_strategy_that_breaks_its_runner(start: Callable[..., Any]) -> None:
    class Broken(Slow):
        def hear(self, message: Any) -> tuple[Any, ...]:
            raise RuntimeError(message)

    host = start(Broken(), QuoteBox())
    host.tell(FIRST)
    stop_actor(host)
    assert getswitchinterval() == pytest.approx(interpreter.OURS_SECONDS)
