"""Where the processor time of an order goes, stage by stage, beside what the bare official client spends on the same.

    python -m benchmarks.stages [--orders 300]

One order is a market order and the seven messages with which a gateway answers it. Every stage runs alone on what the
stage before made of it; times are processor time, the best of several passes. Wake-ups of threads are not in the table:
``benchmarks/round_trip.py`` shows the whole.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

from ibapi.decoder import Decoder
from ibapi.wrapper import EWrapper

from actors.base import Actor, start_actor, stop_actor
from actors.domain.desk import DeskConfig
from actors.domain.portfolio import Portfolio
from actors.domain.terms import Order, Side
from actors.journal import Journal, JournalIdentity
from actors.messages.events import CommissionCharged, OrderEvent, OrderFilled
from actors.messages.reports import PositionReported
from actors.messages.schedule import StartStrategy
from actors.messages.wire import PlaceOrder
from benchmarks.core import EPOCH, ready_desk
from benchmarks.party_bare import contract, market_order
from benchmarks.wire_samples import CLIENT, answers
from ibapi_bridge.client import RequestEncoder, silence_official_loggers
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.framing import FrameBuffer
from ibapi_bridge.listening import Listener
from ibapi_bridge.order_templates import OrderTemplates
from strategy.base import Strategy
from strategy.config import LoggingConfig
from strategy.log import ExecutionLog
from strategy.runner import StrategyRunner

VERSION = 225
PASSES = 5
BATCH = 32
HANDED_OVER = 5
"""What goes from one thread to another for an order: it, its placing, its seven reports, and its events in two."""


class Idle(Strategy):
    """Hears and does nothing."""

    symbols = ("SPY",)


class Sleeper(Actor):
    """Counts what it is told."""

    def __init__(self, *, goal: int, done: Event) -> None:
        super().__init__(supervisor=None)
        self._left, self._done = goal, done

    def hear(self, message: object) -> None:
        """One message fewer to wait for."""
        self._left -= 1
        if not self._left:
            self._done.set()


def now() -> datetime:
    """The receive clock."""
    return datetime.now(UTC)


def listener() -> Listener:
    """Understands the frames of a new connection."""
    return Listener(server_version=VERSION, epoch=EPOCH, context=Conversation(), now=now)


def runner() -> StrategyRunner:
    """A strategy at work."""
    started = StrategyRunner(Idle(), "stages", "run", at=now())
    started.hear(StartStrategy(at=now()))
    return started


def submissions(orders: int) -> tuple[Any, ...]:
    """What the strategy says when it submits so many orders."""
    host = runner()
    for _ in range(orders):
        host.broker.submit_order(Order(symbol="SPY", side=Side.BUY, quantity=1))
    return host.hear(StartStrategy(at=now()))


class Material:
    """The messages of so many orders at every stage."""

    def __init__(self, orders: int) -> None:
        self.orders = orders
        self.commands = submissions(orders)
        self.frames = [
            frame for number, command in enumerate(self.commands, 1) for frame in answers(number, command.oms_id)
        ]
        hear = listener()
        reports = [report for frame in self.frames for report in hear.understand(frame[4:])]
        self.inputs = [*self.commands, *reports]
        self.desk_inputs = [message for message in self.inputs if not isinstance(message, PositionReported)]
        desk = ready_desk(DeskConfig(client_id=CLIENT))  # type: ignore[arg-type]
        self.decided = [said for message in self.desk_inputs for said in desk.decide(message)]

    def of(self, *kinds: type[Any]) -> list[Any]:
        """What was decided or heard of some kinds, in order."""
        return [message for message in (*self.decided, *self.inputs) if isinstance(message, kinds)]


def best(run: Callable[[], float], orders: int) -> float:
    """Microseconds of processor time for one order."""
    return min(run() for _ in range(PASSES)) / orders * 1e6


def timed(each: Callable[[Any], object], messages: Iterable[Any]) -> float:
    """Processor seconds to handle all messages."""
    began = process_time()
    for message in messages:
        each(message)
    return process_time() - began


def decide(material: Material) -> float:
    """The desk, invariants checked."""
    return timed(ready_desk(DeskConfig(client_id=CLIENT)).decide, material.desk_inputs)  # type: ignore[arg-type]


def journal(material: Material, batch: int) -> float:
    """Encode, chain and commit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stages.journal"
        written = Journal(path, identity=JournalIdentity(strategy_id="stages", account=""))
        batches = [material.inputs[first : first + batch] for first in range(0, len(material.inputs), batch)]
        seconds = timed(written.append, batches)
        written.close()
    return seconds


def log(material: Material) -> float:
    """Render and write both lines of every event."""
    with tempfile.TemporaryDirectory() as folder:
        written = ExecutionLog(LoggingConfig(directory=folder, console=False), zone=ZoneInfo("America/New_York"))
        for event in material.of(OrderEvent):
            written.tell(event)
        began = process_time()
        written.start()
        written.stop(60)
        return process_time() - began


def hand_over(count: int) -> float:
    """From one thread to another, the inbox never empty."""
    done = Event()
    actor = start_actor(Sleeper, goal=count, done=done)
    began = process_time()
    for number in range(count):
        actor.tell(number)
    done.wait()
    seconds = process_time() - began
    stop_actor(actor)
    return seconds


def ours(material: Material) -> list[tuple[str, float]]:
    """Every stage with microseconds for one order."""
    orders = material.orders
    placements, booked = material.of(PlaceOrder), material.of(OrderFilled, CommissionCharged)

    def templates() -> OrderTemplates:
        encoder = RequestEncoder(client_id=CLIENT, server_version=VERSION)
        return OrderTemplates(encoder, client_id=CLIENT, server_version=VERSION)

    rows: list[tuple[str, Callable[[], float]]] = [
        ("strategy: submit_order", lambda: timed(submissions, [orders])),
        ("order manager: decide", lambda: decide(material)),
        ("journal: 32 records a commit", lambda: journal(material, BATCH)),
        ("link: encode the order", lambda: timed(templates().encode, placements)),
        ("link: cut frames", lambda: timed(lambda chunk: list(FrameBuffer().feed(chunk)), [b"".join(material.frames)])),
        ("link: decode and translate", lambda: timed(lambda frame: _understood(frame), material.frames)),
        ("threads: hand over", lambda: hand_over(HANDED_OVER * orders)),
        ("position keeper: book", lambda: timed(Portfolio().decide, [*booked, *material.of(PositionReported)])),
        ("strategy: view and hooks", lambda: timed(runner().hear, material.of(OrderEvent))),
        ("log: both files, beside the path", lambda: log(material)),
        ("(journal: every record alone)", lambda: journal(material, 1)),
    ]
    return [(label, best(run, orders)) for label, run in rows]


_LISTENER = listener()


def _understood(frame: bytes) -> None:
    _LISTENER.understand(frame[4:])


def bare(material: Material) -> list[tuple[str, float]]:
    """What the official client spends on the same messages, its threads and queue apart."""
    silence_official_loggers()
    decoder: Any = Decoder(EWrapper(), VERSION)
    encoder = RequestEncoder(client_id=CLIENT, server_version=VERSION)

    def read(frame: bytes) -> None:
        decoder.processProtoBuf(frame[8:], int.from_bytes(frame[4:8], "big") - 200)

    def place(number: int) -> None:
        encoder.encode("placeOrder", {"orderId": number, "contract": contract(), "order": market_order(number)})

    rows: list[tuple[str, Callable[[], float]]] = [
        ("bare client: encode the order", lambda: timed(place, range(1, material.orders + 1))),
        ("bare client: decode", lambda: timed(read, material.frames)),
    ]
    return [(label, best(run, material.orders)) for label, run in rows]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Processor time of an order, stage by stage.")
    parser.add_argument("--orders", type=int, default=300)
    material = Material(parser.parse_args().orders)
    rows = ours(material)
    for label, microseconds in rows:
        print(f"{label:<36}{microseconds:8.1f} us an order")
    print(f"{'sum, the last row apart':<36}{sum(figure for _, figure in rows[:-1]):8.1f}")
    for label, microseconds in bare(material):
        print(f"{label:<36}{microseconds:8.1f} us an order")


if __name__ == "__main__":
    main()
