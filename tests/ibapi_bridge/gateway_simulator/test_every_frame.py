"""Every kind of message that the gateway sends, at every server version, through the official decoder."""

import logging
from collections.abc import Iterator
from enum import Enum
from random import Random
from typing import Any

import pytest
from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.config import OWN_MAX_SERVER_VERSION, OWN_MIN_SERVER_VERSION
from ibapi_bridge.gateway_simulator.text import codec
from ibapi_bridge.gateway_simulator.text.replies import REPLIES as TABLES
from ibapi_bridge.gateway_simulator.wire import encode_reply

from .official_decoder import heard, some_message

VERSIONS = range(OWN_MIN_SERVER_VERSION, OWN_MAX_SERVER_VERSION + 1)
TEXT_VERSIONS = (
    157,
    158,
    160,
    163,
    164,
    166,
    170,
    176,
    177,
    178,
    182,
    185,
    186,
    189,
    193,
    194,
    195,
    196,
    198,
    199,
    200,
)
NEWEST = OWN_MAX_SERVER_VERSION

# What the official decoder itself tells differently of the same content, by callback: values as other types or with
# other words for absent or false, maps where text has lists.
TOLD_DIFFERENTLY = {
    "openOrder": {"usePriceMgmtAlgo", "percent", "isMore"},
    "completedOrder": {"routeMarketableToBbo", "percent", "isMore"},
    "contractDetails": {"evMultiplier"},
    "smartComponents": {"1"},
}


@pytest.fixture
def complaints(caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    with caplog.at_level(logging.WARNING, logger="ibapi"):
        yield caplog.records


def name_of(number: int) -> str:
    return REPLIES[number].name


@pytest.mark.parametrize("number", sorted(REPLIES), ids=name_of)
def test_every_frame_decodes_at_every_server_version_without_a_complaint(
    number: int, complaints: list[logging.LogRecord]
) -> None:
    for version in VERSIONS:
        random = Random(f"{number} at {version}")
        message = some_message(random, REPLIES[number].message(), present=random.choice([0.0, 0.7, 1.0]))
        frame = encode_reply(version, number, message)
        if number == IN.HISTORICAL_DATA_END and version < 196:
            assert frame == b""  # it is part of the bars' message then
            continue
        calls = heard(version, frame)

        assert calls or (number == IN.HISTORICAL_DATA and not message.historicalDataBars), (version, message)
        assert number == IN.ERR_MSG or not [call for call in calls if call[0] == "error"], version
    assert [record.getMessage() for record in complaints] == []


@pytest.mark.parametrize("number", sorted(TABLES), ids=name_of)
def test_text_reads_back_as_it_was_written_and_tells_a_client_what_protobuf_tells(number: int) -> None:
    for version in TEXT_VERSIONS:
        if number == IN.HISTORICAL_DATA_END and version < 196:
            continue
        message = some_message(Random(f"{number} text {version}"), REPLIES[number].message())
        carried = codec.read_reply(number, codec.write_reply(number, message, version), version)
        text = encode_reply(version, number, carried)

        assert codec.read_reply(number, codec.write_reply(number, carried, version), version) == carried
        assert text == encode_reply(version, number, message)
        told, twin = heard(version, text), heard(NEWEST, encode_reply(NEWEST, number, carried))
        assert list(differences(by_name(number, told), by_name(number, twin))) == [], version


def test_every_kind_of_message_has_a_text_form() -> None:
    assert set(TABLES) == set(REPLIES)


def by_name(number: int, calls: list[tuple[Any, ...]]) -> list[tuple[str, Any]]:
    """The callbacks as plain values; before 196 the end of bars is told from the bars' own message."""
    wanted = [call for call in calls if number != IN.HISTORICAL_DATA or call[0] == "historicalData"]
    return [(call[0], [plain(argument) for argument in call[1:]]) for call in wanted]


def plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if type(value).__module__.startswith("ibapi") and not isinstance(value, Enum) and hasattr(value, "__dict__"):
        return {name: plain(content) for name, content in vars(value).items()}
    return str(value)


def differences(told: list[tuple[str, Any]], twin: list[tuple[str, Any]]) -> Iterator[str]:
    if [name for name, _ in told] != [name for name, _ in twin]:
        yield f"{[name for name, _ in told]} and {[name for name, _ in twin]}"
        return
    for (name, mine), (_, theirs) in zip(told, twin, strict=True):
        for path in _unlike(mine, theirs, ()):
            if not TOLD_DIFFERENTLY.get(name, set()) & set(path):
                yield f"{name} {'.'.join(path)}"


def _unlike(one: Any, other: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from _unlike(one.get(key), other.get(key), (*path, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _unlike(mine, theirs, (*path, str(index)))
    elif one != other and {str(one), str(other)} != {"None", "[]"}:
        yield path
