"""The official decoder on single frames, as `EClient.run` uses it, and messages to put into them."""

from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Any

from ibapi.comm import read_fields
from ibapi.decoder import Decoder

from tests.ibapi_bridge.gateway_simulator.official_client import Callback, Recorder

PROTOBUF = 200
RAW_NUMBERS = 201
CHOICES: Mapping[tuple[str, str], Sequence[Any]] = {
    ("OrderCondition", "type"): [1, 3, 4, 5, 6, 7],
    ("Contract", "secType"): ["STK", "OPT", "BAG"],
    ("Order", "orderType"): ["LMT", "STP LMT", "PEG BENCH", "PEG BEST", "PEG MID"],
}


@cache
def _decoder(version: int) -> Decoder:
    return Decoder(Recorder(), version)


def heard(version: int, frame: bytes) -> list[Callback]:
    """What a client of that server version is told by a frame.

    Raises:
        AssertionError: fields are left that the decoder does not read.
    """
    decoder = _decoder(version)
    decoder.wrapper = wrapper = Recorder()
    payload = frame[4:]
    if version >= RAW_NUMBERS:
        number, body = int.from_bytes(payload[:4], "big"), payload[4:]
    else:
        head, _, body = payload.partition(b"\0")
        number = int(head)
    if number > PROTOBUF:
        decoder.processProtoBuf(body, number - PROTOBUF)
    elif decoder.msgId2handleInfo[number].wrapperMeth is not None:
        decoder.interpret(read_fields(body), number)
    else:
        fields = iter(read_fields(body))
        decoder.msgId2handleInfo[number].processMeth(decoder, fields)
        assert list(fields) == [], f"message {number} at {version}: fields nobody reads"
    return wrapper.calls


def some_message(random: Random, message: Any, *, present: float = 1.0) -> Any:
    """Fills a message: every value another number, a share of them absent; parts are always there."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if hasattr(value, "add"):
            for _ in range(random.randrange(3)):
                some_message(random, value.add(), present=present)
        elif hasattr(value, "items"):
            value[str(random.randrange(100))] = str(random.randrange(100))
        elif hasattr(value, "append"):
            value.append(_value(random, field))
        elif field.message_type is not None:
            some_message(random, value, present=present)
            value.SetInParent()
        elif random.random() < present or (message.DESCRIPTOR.name, field.name) in CHOICES:
            setattr(message, field.name, _value(random, field, message.DESCRIPTOR.name))
    if message.DESCRIPTOR.name == "TickByTickData":
        tick = random.choice(["historicalTickLast", "historicalTickBidAsk", "historicalTickMidPoint"])
        some_message(random, getattr(message, tick), present=present).SetInParent()
        message.tickType = {"historicalTickLast": random.choice([1, 2]), "historicalTickBidAsk": 3}.get(tick, 4)
    return message


def _value(random: Random, field: Any, owner: str = "") -> Any:
    if (choices := CHOICES.get((owner, field.name))) is not None:
        return random.choice(choices)
    if field.cpp_type == field.CPPTYPE_STRING:
        return str(random.randrange(1, 1_000_000))
    if field.cpp_type == field.CPPTYPE_DOUBLE:
        return random.randrange(1, 1_000_000) / 4
    if field.cpp_type == field.CPPTYPE_BOOL:
        return random.random() < 0.5
    return random.randrange(1, 1_000_000)
