"""IBKR's words and ours, both ways."""

from functools import lru_cache
from types import MappingProxyType
from typing import Final

from actors.domain.contract import SecType
from actors.domain.terms import OrderType, Side, TimeInForce
from actors.messages.reports import BrokerStatus, LinkCondition
from ibapi_bridge.figures import Untranslatable, text

_STATUSES: Final = MappingProxyType(
    {
        "apipending": BrokerStatus.PENDING,
        "pendingsubmit": BrokerStatus.PENDING,
        "presubmitted": BrokerStatus.HELD,
        "submitted": BrokerStatus.WORKING,
        "pendingcancel": BrokerStatus.CANCEL_PENDING,
        "apicancelled": BrokerStatus.CANCELED,
        "cancelled": BrokerStatus.CANCELED,
        "canceled": BrokerStatus.CANCELED,
        "filled": BrokerStatus.FILLED,
        "inactive": BrokerStatus.INACTIVE,
    }
)

_EXACT_STATUSES: Final = MappingProxyType(
    {
        word: _STATUSES[word.casefold()]
        for word in ("PendingSubmit", "PreSubmitted", "Submitted", "PendingCancel", "Cancelled", "Filled", "Inactive")
    }
)
"""As gateways spell them, for speed."""

_SIDES: Final = MappingProxyType(
    {
        "BUY": Side.BUY,
        "BOT": Side.BUY,
        "SELL": Side.SELL,
        "SLD": Side.SELL,
        "SSHORT": Side.SELL,
        "SHORT": Side.SELL,
        "SLONG": Side.SELL,
    }
)

ORDER_TYPES: Final = MappingProxyType(
    {
        OrderType.MARKET: "MKT",
        OrderType.LIMIT: "LMT",
        OrderType.STOP: "STP",
        OrderType.STOP_LIMIT: "STP LMT",
    }
)

_ORDER_TYPES_BACK: Final = MappingProxyType({name: kind for kind, name in ORDER_TYPES.items()})

_TIMES_IN_FORCE: Final = MappingProxyType({kind.value: kind for kind in TimeInForce})
_SEC_TYPES: Final = MappingProxyType({kind.value: kind for kind in SecType})

CONDITIONS: Final = MappingProxyType(
    {
        100: LinkCondition.PACING_VIOLATED,
        326: LinkCondition.CLIENT_ID_IN_USE,
        1100: LinkCondition.BACKEND_LOST,
        1101: LinkCondition.BACKEND_RESTORED_DATA_LOST,
        1102: LinkCondition.BACKEND_RESTORED,
        1300: LinkCondition.PORT_RESET,
        2103: LinkCondition.FARM_LOST,
        2104: LinkCondition.FARM_RESTORED,
        2105: LinkCondition.FARM_LOST,
        2106: LinkCondition.FARM_RESTORED,
        2110: LinkCondition.BACKEND_LOST,
        2157: LinkCondition.FARM_LOST,
        2158: LinkCondition.FARM_RESTORED,
    }
)
"""Notices about the connection itself (IBKR message codes, system messages)."""


@lru_cache(maxsize=256)
def status_word(raw: str) -> str:
    """A status as it is shown: the same few come again and again."""
    return text(raw, 64)


def broker_status(word: str) -> BrokerStatus:
    """A status word; one we do not know is UNKNOWN, never a guess."""
    return _EXACT_STATUSES.get(word) or _STATUSES.get(word.strip().casefold(), BrokerStatus.UNKNOWN)


def side(word: str) -> Side:
    """BOT and SLD of executions, BUY, SELL and the short sales of orders.

    Raises:
        Untranslatable: none of these.
    """
    found = _SIDES.get(word.strip().upper())
    if found is None:
        raise Untranslatable(f"side is {word[:32]!r}: accepted are {', '.join(_SIDES)}")
    return found


def order_type(word: str) -> OrderType:
    """The order type; OTHER for the many that only other people's orders have."""
    return _ORDER_TYPES_BACK.get(" ".join(word.upper().split()), OrderType.OTHER)


def time_in_force(word: str) -> TimeInForce:
    """How long an order lives; an empty or unknown word means the day, as IBKR's preset does."""
    return _TIMES_IN_FORCE.get(word.strip().upper(), TimeInForce.DAY)


def sec_type(word: str) -> SecType:
    """The kind of security; OTHER for what we do not trade."""
    return _SEC_TYPES.get(word.strip().upper(), SecType.OTHER)


def sec_type_word(kind: SecType) -> str:
    """IBKR's word for it; empty for OTHER, which IBKR does not know."""
    return "" if kind is SecType.OTHER else kind.value
