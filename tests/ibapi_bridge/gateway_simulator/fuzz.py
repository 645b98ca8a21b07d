"""Fuzzed requests over real sockets: well-formed, damaged and random frames at every generation of the protocol.

    python -m tests.ibapi_bridge.gateway_simulator.fuzz [--frames 100000] [--seed 1]

Two witnesses, one for each codec, are asked for the time after each connection of the storm. A connection ends served
(everything it sent has been dealt with) or closed by the gateway with a reason.
"""

import argparse
import struct
import sys
from datetime import datetime
from random import Random
from typing import Any

import attrs
from ibapi.message import OUT

from ibapi_bridge.gateway_simulator import GatewayConfig, GatewaySimulator
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.catalogue import REQUESTS
from ibapi_bridge.gateway_simulator.exchange.types import Execution

from .raw_client import RAW_NUMBERS, RawClient, framed

TEXTS = [
    "", "SPY", "STK", "OPT", "BAG", "SMART", "BUY", "SELL", "LMT", "MKT", "STP", "TRAIL", "MOC", "DAY", "GTC", "GTD",
    "IOC", "OPG", "1", "-5", "1e999", "NaN", "100", "20260413 10:00:00 US/Eastern", "99999999 99:99:99 Mars/Base",
    "1 D", "1 min", "TRADES", "MIDPOINT", "BidAsk", "DU1234567", "\u00fc\0x", "x" * 300, "ISIN", "NetLiquidation",
]  # fmt: skip
INTS = [0, 1, 2, 5, 756733, 265598, 700000001, -1, 2**31 - 1, -(2**31), 17, 1000]
DOUBLES = [0.0, 1.0, 449.99, 450.001, -1.0, 1e308, float("inf"), float("nan"), 5e-324]
ORDERS = [OUT.PLACE_ORDER, OUT.PLACE_ORDER, OUT.CANCEL_ORDER, OUT.REQ_GLOBAL_CANCEL]


def fill(rng: Random, message: Any, depth: int = 0) -> Any:
    """Sets two thirds of a message's fields to something."""
    for field in message.DESCRIPTOR.fields:
        if rng.randrange(3):
            _set(rng, message, field, depth)
    return message


def _set(rng: Random, message: Any, field: Any, depth: int) -> None:
    value = getattr(message, field.name)
    if hasattr(value, "add"):
        if depth < 2:
            fill(rng, value.add(), depth + 1)
    elif hasattr(value, "items"):
        value["tag"] = rng.choice(TEXTS)
    elif hasattr(value, "append"):
        value.append(20260413 if field.name == "specificDates" else "x")
    elif field.message_type is not None:
        if depth < 2:
            fill(rng, value, depth + 1)
    elif isinstance(value, bool):
        setattr(message, field.name, rng.random() < 0.5)
    elif isinstance(value, str):
        setattr(message, field.name, rng.choice(TEXTS))
    else:
        setattr(message, field.name, rng.choice(DOUBLES if isinstance(value, float) else INTS))


def mend(rng: Random, message: Any) -> None:
    """Makes most orders good enough to get past the first checks."""
    message.orderId = rng.randrange(1, 12)
    if rng.random() < 0.9:
        message.contract.Clear()
        message.contract.conId = rng.choice([756733, 495512563, 12087792, 700000001])
    order = message.order
    if rng.random() < 0.7:
        order.Clear()
    order.action = rng.choice(["BUY", "SELL"])
    order.orderType = rng.choice(["MKT", "LMT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MOC", "MIT", "LIT", "MTL"])
    order.totalQuantity = rng.choice(["1", "100", "0.5", "20000"])
    order.account, order.whatIf = "DU1234567", rng.random() < 0.1
    order.tif = rng.choice(["DAY", "DAY", "GTC", "IOC", "FOK", "GTD", "OPG", ""])
    order.parentId = rng.choice([0, 0, 0, 1, 2])
    order.transmit = rng.random() < 0.8
    order.lmtPrice, order.auxPrice = rng.choice([449.0, 451.0]), rng.choice([1.0, 449.5, 450.5])


FIELDS = [
    *TEXTS, "0", "2", "3", "449.5", "1.7976931348623157e+308", "2147483647", "9223372036854775807", "Infinity", "nan",
    "756733", "\u00b2", "\u0663", "0x10", "1_000", "+1", " 1", "-0", "1.5.5",
]  # fmt: skip
VERSIONS = ["v100..157", "v100..178", "v100..193", "v100..200", "v100..203", "v100..212", "v100..225", "v100..225"]
NUMBERS = sorted(REQUESTS) + ORDERS * 6
BATCH, BATCHES = 50, 10
CANCEL_PNL, NOT_SUBSCRIBED, MARKER = 93, 10185, 987_654_321
STRANGER_IDS = range(1, 6)


@attrs.define
class Tally:
    """What became of a storm; also the gateway's watcher, who hears why connections end."""

    frames: int = 0
    connections: int = 0
    served: int = 0
    reasons: list[str] = attrs.field(factory=list)
    unexplained: list[str] = attrs.field(factory=list)
    last: str = ""

    def connection(self, text: str, at: datetime) -> None:
        """Keeps the latest departure."""
        if " disconnected: " in text:
            self.last = text

    def placed(self, order: ApiOrder, at: datetime) -> None: ...

    def ended(self, order: ApiOrder, at: datetime) -> None: ...

    def filled(self, fill: Execution, symbol: str) -> None: ...


def storm(*, frames: int, seed: int) -> Tally:
    """Sends at least so many frames to a gateway of its own.

    Raises:
        BaseException: an error of the gateway's own that a frame has brought to light.
    """
    random, tally = Random(seed), Tally()
    simulator = GatewaySimulator(GatewayConfig(seed=seed, speed=50.0))
    simulator.gateway.watchers.append(tally)
    simulator.start()
    try:
        with RawClient(simulator.port) as modern, RawClient(simulator.port) as text:
            modern.connect(31)
            text.connect(30, "v100..178")
            while tally.frames < frames:
                _one_connection(simulator.port, random, tally)
                assert modern.is_served()
                assert text.is_served()
    finally:
        simulator.stop()
    return tally


def _one_connection(port: int, random: Random, tally: Tally) -> None:
    tally.connections += 1
    with RawClient(port, seconds=60) as client:
        client.connect(random.choice(STRANGER_IDS), random.choice(VERSIONS))
        tally.last = ""
        try:
            for _ in range(BATCHES):
                client.send(b"".join(framed(_payload(random, client.version)) for _ in range(BATCH)))
                tally.frames += BATCH
                _settle(client)
        except ConnectionError:
            tally.reasons.append(tally.last)
            if not tally.last:
                tally.unexplained.append(f"connection {tally.connections}")
        else:
            tally.served += 1


def _settle(client: RawClient) -> None:
    """Reads until everything sent has been dealt with: the answer to one more request comes last."""
    client.say(CANCEL_PNL, MARKER)
    while True:
        try:
            if client.hear_error() == (MARKER, NOT_SUBSCRIBED):
                return
        except AssertionError:  # some other kind of message
            continue


def _payload(random: Random, version: int) -> bytes:
    chance = random.random()
    if chance < 0.1:
        return random.randbytes(random.choice([0, 1, 3, 4, 5, 8, 20, 100, 1000]))
    if version >= 213 or (version >= 203 and chance < 0.6):
        return _protobuf(random)
    return _text(random, version)


def _protobuf(random: Random) -> bytes:
    number = random.choice(NUMBERS)
    message = fill(random, REQUESTS[number].message())
    if number == OUT.PLACE_ORDER and random.random() < 0.8:
        mend(random, message)
    body = bytearray(message.SerializeToString())
    damage = random.random()
    if damage < 0.15 and body:
        body[random.randrange(len(body))] ^= 1 << random.randrange(8)
    elif damage < 0.2:
        del body[random.randrange(len(body) + 1) :]
    return struct.pack("!I", number + 200) + bytes(body)


def _text(random: Random, version: int) -> bytes:
    number = random.choice(NUMBERS)
    fields = [random.choice(FIELDS) for _ in range(random.randrange(130 if number == OUT.PLACE_ORDER else 20))]
    body = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack("!I", number) + body if version >= RAW_NUMBERS else f"{number}\0".encode() + body


def main() -> int:
    """Runs one storm and prints what became of it."""
    parser = argparse.ArgumentParser(description="Fuzzed frames against the gateway simulator.")
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tally = storm(frames=arguments.frames, seed=arguments.seed)
    print(  # noqa: T201 - a command talks to its user
        f"{tally.frames} frames on {tally.connections} connections: {tally.served} served to the last frame, "
        f"{len(tally.reasons)} closed with a reason, {len(tally.unexplained)} without"
    )
    return 1 if tally.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
