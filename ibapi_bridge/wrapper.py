"""The EWrapper: every callback hands its official name and arguments on, in one line."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from ibapi.wrapper import EWrapper

Told = Callable[[str, dict[str, object]], None]

PARAMETERS: Final = MappingProxyType(
    {
        "orderStatus": (
            "orderId",
            "status",
            "filled",
            "remaining",
            "avgFillPrice",
            "permId",
            "parentId",
            "lastFillPrice",
            "clientId",
            "whyHeld",
            "mktCapPrice",
        ),
        "openOrder": ("orderId", "contract", "order", "orderState"),
        "openOrderEnd": (),
        "completedOrder": ("contract", "order", "orderState"),
        "completedOrdersEnd": (),
        "execDetails": ("reqId", "contract", "execution"),
        "execDetailsEnd": ("reqId",),
        "commissionAndFeesReport": ("commissionAndFeesReport",),
        "error": ("reqId", "errorTime", "errorCode", "errorString", "advancedOrderRejectJson"),
        "nextValidId": ("orderId",),
        "managedAccounts": ("accountsList",),
        "orderBound": ("permId", "clientId", "orderId"),
        "position": ("account", "contract", "position", "avgCost"),
        "positionEnd": (),
        "accountSummary": ("reqId", "account", "tag", "value", "currency"),
        "accountSummaryEnd": ("reqId",),
        "updateAccountValue": ("key", "val", "currency", "accountName"),
        "updatePortfolio": (
            "contract",
            "position",
            "marketPrice",
            "marketValue",
            "averageCost",
            "unrealizedPNL",
            "realizedPNL",
            "accountName",
        ),
        "updateAccountTime": ("timeStamp",),
        "accountDownloadEnd": ("accountName",),
        "contractDetails": ("reqId", "contractDetails"),
        "bondContractDetails": ("reqId", "contractDetails"),
        "contractDetailsEnd": ("reqId",),
        "marketRule": ("marketRuleId", "priceIncrements"),
        "tickPrice": ("reqId", "tickType", "price", "attrib"),
        "tickSize": ("reqId", "tickType", "size"),
        "tickString": ("reqId", "tickType", "value"),
        "tickGeneric": ("reqId", "tickType", "value"),
        "tickReqParams": ("tickerId", "minTick", "bboExchange", "snapshotPermissions"),
        "marketDataType": ("reqId", "marketDataType"),
        "tickSnapshotEnd": ("reqId",),
        "rerouteMktDataReq": ("reqId", "conId", "exchange"),
        "currentTime": ("time",),
        "currentTimeInMillis": ("timeInMillis",),
    }
)
"""Official parameter names of the callbacks we hear, in order (ibapi ``wrapper.py``)."""


class HearingWrapper(EWrapper):
    """Hands every callback of ``PARAMETERS`` to ``told``; the others stay the official no-ops."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told


def _callback(name: str, parameters: tuple[str, ...]) -> Callable[..., None]:
    def hear(self: HearingWrapper, *values: object) -> None:
        self._told(name, dict(zip(parameters, values, strict=False)))  # noqa: SLF001 - a method of the class

    hear.__name__ = name
    return hear


for _name, _parameters in PARAMETERS.items():
    setattr(HearingWrapper, _name, _callback(_name, _parameters))
