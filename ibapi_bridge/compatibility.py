"""Whether the installed official client is one this bridge can drive; says in one sentence what is wrong.

The bridge relies on little of it: the names and parameters of the requests, EClient's way to write and to complain,
the decoder's two entry points, the callbacks and the protobuf messages. All of that is looked at here, at start, so
that a new release breaks loudly and before the first order.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import packages_distributions, version
from types import MappingProxyType
from typing import Any, Final

REQUESTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "startApi": (),
        "placeOrder": ("orderId", "contract", "order"),
        "cancelOrder": ("orderId", "orderCancel"),
        "reqAllOpenOrders": (),
        "reqCompletedOrders": ("apiOnly",),
        "reqExecutions": ("reqId", "execFilter"),
        "reqPositions": (),
        "cancelPositions": (),
        "reqAccountUpdates": ("subscribe", "acctCode"),
        "reqAccountSummary": ("reqId", "groupName", "tags"),
        "cancelAccountSummary": ("reqId",),
        "reqContractDetails": ("reqId", "contract"),
        "reqMarketRule": ("marketRuleId",),
        "reqMktData": (
            "reqId",
            "contract",
            "genericTickList",
            "snapshot",
            "regulatorySnapshot",
            "mktDataOptions",
        ),
        "cancelMktData": ("reqId",),
        "reqMarketDataType": ("marketDataType",),
        "reqCurrentTime": (),
    }
)
"""Requests we send, with their official parameter names."""

SUPPORTED: Final = "10.46 to 10.51"


class IncompatibleClient(ImportError):
    """The official client is missing or not one the bridge can drive; one sentence for the user."""


def check_official_client() -> None:
    """Look at everything the bridge relies on.

    Raises:
        IncompatibleClient: names what is missing or different, the installed version and the supported ones.
    """
    try:
        found = next(_differences(), "")
    except ImportError as problem:
        raise IncompatibleClient(_sentence(f"it cannot be imported ({problem})")) from None
    if found:
        raise IncompatibleClient(_sentence(found))


def _sentence(what: str) -> str:
    return f"the official client ibapi ({_installed()}) cannot be used: {what}; supported are {SUPPORTED}"


def _installed() -> str:
    names = packages_distributions().get("ibapi", [])
    return ", ".join(f"{name} {version(name)}" for name in sorted(set(names))) or "not installed"


def _differences() -> Iterator[str]:
    client: Any = import_module("ibapi.client").EClient
    decoder: Any = import_module("ibapi.decoder").Decoder
    wrapper: Any = import_module("ibapi.wrapper").EWrapper
    yield from _request_differences(client)
    yield from _missing(decoder, ("interpret", "processProtoBuf"), "Decoder")
    yield from _callback_differences(wrapper)
    yield from _message_differences()
    yield from _encoding_differences()


def _request_differences(client: type[Any]) -> Iterator[str]:
    for name, wanted in REQUESTS.items():
        method = getattr(client, name, None)
        if method is None:
            yield f"EClient.{name} is missing"
        elif (found := _parameters(method)) != wanted:
            yield f"EClient.{name} takes {found}, expected {wanted}"


def _parameters(method: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(method).parameters)[1:]


def _missing(owner: type[Any], names: tuple[str, ...], shown: str) -> Iterator[str]:
    return (f"{shown}.{name} is missing" for name in names if not callable(getattr(owner, name, None)))


def _callback_differences(wrapper: type[Any]) -> Iterator[str]:
    parameters = import_module("ibapi_bridge.wrapper").PARAMETERS
    for name, wanted in parameters.items():
        method = getattr(wrapper, name, None)
        if method is None:
            yield f"EWrapper.{name} is missing"
        elif len(found := _parameters(method)) != len(wanted):
            yield f"EWrapper.{name} takes {found}, expected {wanted}"


def _message_differences() -> Iterator[str]:
    try:
        import_module("ibapi_bridge.direct")
    except (ImportError, AttributeError) as problem:
        yield f"its protobuf messages differ ({problem})"


def _encoding_differences() -> Iterator[str]:
    """A request encoded both ways must come out as one whole frame with the right id."""
    encoder: Any = import_module("ibapi_bridge.client").RequestEncoder
    for server_version, beginning in ((200, b"49\0"), (213, (249).to_bytes(4, "big"))):
        try:
            frame = encoder(client_id=1, server_version=server_version).encode("reqCurrentTime", {})
        except Exception as problem:  # noqa: BLE001 - whatever goes wrong is the answer
            yield f"a request cannot be encoded for server version {server_version} ({problem})"
        else:
            if frame[4:].startswith(beginning) and int.from_bytes(frame[:4], "big") == len(frame) - 4:
                continue
            yield f"a request for server version {server_version} is encoded as {frame!r}"
