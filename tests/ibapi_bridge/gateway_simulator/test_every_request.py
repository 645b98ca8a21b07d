"""Every request the official client can make gets an answer: data, an end or an error, and never a dead connection."""

import inspect
from collections.abc import Sequence
from typing import Any

import pytest
from ibapi.client import EClient
from ibapi.common import WshEventData
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order_cancel import OrderCancel
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue

from .conftest import Connect, StartGateway
from .official_client import Callback, OfficialClient, contract, order

pytestmark = pytest.mark.socket

ID = object()  # stands for a fresh request or order id
NOT_REQUESTS = {
    "checkConnected", "connect", "disconnect", "isConnected", "keyboardInterrupt", "keyboardInterruptHard",
    "logRequest", "msgLoopRec", "msgLoopTmo", "reset", "run", "sendMsg", "serverVersion", "setConnState",
    "setConnectOptions", "setOptionalCapabilities", "startApi", "twsConnectionTime", "useProtoBuf",
    "validateAttachedOrdersParameters", "validateInvalidSymbols", "validateOrderParameters",
}  # fmt: skip
NONSENSE, ACCOUNT, SPY = "non;sense=|'", "DU1234567", 756733
Answers = set[str | int]
SILENT: Answers = set()  # the gateway says nothing to these and goes on
REFUSED_BY_CLIENT = 503  # the client itself knows that this server version has no such request


def option() -> Contract:
    made = contract(sec_type="OPT")
    made.conId = 700000001
    return made


def scanner(code: str) -> ScannerSubscription:
    made = ScannerSubscription()
    made.instrument, made.locationCode, made.scanCode, made.numberOfRows = "STK", "STK.US.MAJOR", code, 5
    return made


def nowhere() -> Contract:
    return contract(NONSENSE, "FUN", "MARS")


OPEN, GONE = 1000, 9999  # streams that run, and ids that nothing runs under

# A request's name, its arguments, and what may answer it; in this order, so that streams run before they are cancelled.
REQUESTS: Sequence[tuple[str, tuple[Any, ...], Answers]] = [
    ("reqCurrentTime", (), {"currentTime"}),
    ("reqCurrentTimeInMillis", (), {"currentTimeInMillis"}),
    ("reqIds", (-1,), {"nextValidId"}),
    ("reqManagedAccts", (), {"managedAccounts"}),
    ("setServerLogLevel", (2,), SILENT),
    ("setServerLogLevel", (77,), {319}),
    ("reqContractDetails", (ID, contract()), {"contractDetailsEnd"}),
    ("reqContractDetails", (ID, nowhere()), {200}),
    ("reqContractDetails", (ID, contract(sec_type="BAG")), {321}),
    ("cancelContractData", (ID,), SILENT),
    ("reqMarketRule", (26,), {"marketRule"}),
    ("reqMarketRule", (-7,), {124}),
    ("reqMatchingSymbols", (ID, "SP"), {"symbolSamples"}),
    ("reqMatchingSymbols", (ID, NONSENSE), {"symbolSamples"}),
    ("reqSecDefOptParams", (ID, "SPY", "", "STK", SPY), {"securityDefinitionOptionParameterEnd"}),
    ("reqSecDefOptParams", (ID, NONSENSE, "", "FUN", -1), {"securityDefinitionOptionParameterEnd"}),
    ("reqSmartComponents", (ID, "9c0001"), {"smartComponents"}),
    ("reqSmartComponents", (ID, NONSENSE), {321}),
    ("reqSoftDollarTiers", (ID,), {"softDollarTiers"}),
    ("reqFamilyCodes", (), {"familyCodes"}),
    ("reqUserInfo", (ID,), {"userInfo"}),
    ("reqMarketDataType", (1,), SILENT),
    ("reqMarketDataType", (99,), {321}),
    ("reqMktData", (OPEN, contract(), "", False, False, []), {"tickPrice"}),
    ("reqMktData", (OPEN, contract(), "", False, False, []), {322}),
    ("reqMktData", (ID, nowhere(), "", False, False, []), {200}),
    ("reqMktData", (ID, contract(), "", True, False, []), {"tickSnapshotEnd"}),
    ("reqMktData", (ID, contract(), NONSENSE, False, False, []), {321}),
    ("cancelMktData", (OPEN,), SILENT),
    ("cancelMktData", (GONE,), {300}),
    ("reqMktDepthExchanges", (), {"mktDepthExchanges"}),
    ("reqMktDepth", (OPEN, contract(), 5, False, []), {"updateMktDepth"}),
    ("reqMktDepth", (OPEN + 1, contract(), 5, True, []), {"updateMktDepthL2"}),
    ("reqMktDepth", (ID, contract(), -5, False, []), {321}),
    ("cancelMktDepth", (OPEN, False), SILENT),
    ("cancelMktDepth", (OPEN + 1, True), SILENT),
    ("cancelMktDepth", (GONE, False), {310}),
    ("reqTickByTickData", (OPEN, contract(), "Last", 0, False), {"tickByTickAllLast"}),
    ("reqTickByTickData", (ID, contract(), NONSENSE, -1, False), {321}),
    ("cancelTickByTickData", (OPEN,), SILENT),
    ("cancelTickByTickData", (GONE,), {300}),
    ("reqRealTimeBars", (OPEN, contract(), 5, "TRADES", False, []), {"realtimeBar"}),
    ("reqRealTimeBars", (ID, contract(), 5, NONSENSE, False, []), {420}),
    ("cancelRealTimeBars", (OPEN,), SILENT),
    ("cancelRealTimeBars", (GONE,), {300}),
    ("reqHistoricalData", (OPEN, contract(), "", "1 D", "1 hour", "TRADES", 1, 1, True, []), {"historicalDataEnd"}),
    ("reqHistoricalData", (OPEN, contract(), "", "1 D", "1 hour", "TRADES", 1, 1, True, []), {386}),
    ("reqHistoricalData", (ID, contract(), "", "1 D", "1 hour", "SCHEDULE", 1, 1, False, []), {"historicalSchedule"}),
    ("reqHistoricalData", (ID, contract(), NONSENSE, "1 D", "1 hour", "TRADES", 1, 1, False, []), {321}),
    ("cancelHistoricalData", (OPEN,), SILENT),
    ("cancelHistoricalData", (GONE,), {366}),
    ("reqHeadTimeStamp", (ID, contract(), "TRADES", 1, 1), {"headTimestamp"}),
    ("reqHeadTimeStamp", (ID, contract(), NONSENSE, 1, 9), {321}),
    ("cancelHeadTimeStamp", (ID,), SILENT),
    ("reqHistogramData", (ID, contract(), True, "3 days"), {"histogramData"}),
    ("reqHistogramData", (ID, nowhere(), True, NONSENSE), {200}),
    ("cancelHistogramData", (ID,), SILENT),
    (
        "reqHistoricalTicks",
        (ID, contract(), "20260413 09:30:00 US/Eastern", "", 5, "TRADES", 1, True, []),
        {"historicalTicksLast"},
    ),
    ("reqHistoricalTicks", (ID, contract(), "", "", -5, NONSENSE, 1, True, []), {321}),
    ("cancelHistoricalTicks", (ID,), SILENT),
    ("calculateImpliedVolatility", (OPEN, option(), 40.0, 450.0, []), {"tickOptionComputation"}),
    ("calculateImpliedVolatility", (ID, option(), -1.0, 1e308, []), {321}),
    ("cancelCalculateImpliedVolatility", (OPEN,), SILENT),
    ("cancelCalculateImpliedVolatility", (GONE,), {300}),
    ("calculateOptionPrice", (OPEN, option(), 0.2, 450.0, []), {"tickOptionComputation"}),
    ("calculateOptionPrice", (ID, contract(), 0.2, 450.0, []), {321}),
    ("cancelCalculateOptionPrice", (OPEN,), SILENT),
    ("cancelCalculateOptionPrice", (GONE,), {300}),
    ("exerciseOptions", (ID, option(), 1, 1, ACCOUNT, 0, "", "", False), {321}),
    ("reqScannerParameters", (), {"scannerParameters"}),
    ("reqScannerSubscription", (OPEN, scanner("MOST_ACTIVE"), [], []), {"scannerDataEnd"}),
    ("reqScannerSubscription", (OPEN, scanner("MOST_ACTIVE"), [], []), {385}),
    ("reqScannerSubscription", (ID, scanner(NONSENSE), [], [TagValue("a", "b")]), {162}),
    ("cancelScannerSubscription", (OPEN,), {162}),
    ("cancelScannerSubscription", (GONE,), {365}),
    ("reqNewsProviders", (), {"newsProviders"}),
    ("reqNewsBulletins", (True,), SILENT),
    ("cancelNewsBulletins", (), SILENT),
    ("reqNewsArticle", (ID, "BRFG", "BRFG$1", []), {10172}),
    ("reqHistoricalNews", (ID, SPY, "BRFG", "", "", 10, []), {10276}),
    ("reqWshMetaData", (ID,), {10276}),
    ("cancelWshMetaData", (ID,), SILENT),
    ("reqWshEventData", (ID, WshEventData()), {10276}),
    ("cancelWshEventData", (ID,), SILENT),
    ("reqFundamentalData", (ID, contract(), "ReportsFinSummary", []), {430}),
    ("cancelFundamentalData", (ID,), SILENT),
    ("queryDisplayGroups", (ID,), {"displayGroupList"}),
    ("subscribeToGroupEvents", (OPEN, 1), {"displayGroupUpdated"}),
    ("subscribeToGroupEvents", (ID, 99), {321}),
    ("updateDisplayGroup", (OPEN, "8314@SMART"), SILENT),
    ("updateDisplayGroup", (GONE, NONSENSE), {321}),
    ("unsubscribeFromGroupEvents", (OPEN,), SILENT),
    ("unsubscribeFromGroupEvents", (GONE,), {321}),
    ("requestFA", (1,), {321}),
    ("replaceFA", (ID, 1, "<x/>"), {321}),
    ("verifyRequest", ("a", "b"), {544, 545, 551, 552}),
    ("verifyMessage", (NONSENSE,), {321}),
    ("verifyAndAuthRequest", ("a", "b", "c"), {544, 545, 551, 552}),
    ("verifyAndAuthMessage", ("a", "b"), {321}),
    ("reqPositions", (), {"positionEnd"}),
    ("cancelPositions", (), SILENT),
    ("reqPositionsMulti", (OPEN, ACCOUNT, ""), {"positionMultiEnd"}),
    ("reqPositionsMulti", (ID, NONSENSE, ""), {321}),
    ("cancelPositionsMulti", (OPEN,), SILENT),
    ("reqAccountSummary", (OPEN, "All", "NetLiquidation"), {"accountSummaryEnd"}),
    ("reqAccountSummary", (ID, NONSENSE, NONSENSE), {321}),
    ("cancelAccountSummary", (OPEN,), SILENT),
    ("reqAccountUpdates", (True, ACCOUNT), {"accountDownloadEnd"}),
    ("reqAccountUpdates", (True, NONSENSE), {321}),
    ("reqAccountUpdatesMulti", (OPEN, ACCOUNT, "", True), {"accountUpdateMultiEnd"}),
    ("reqAccountUpdatesMulti", (ID, NONSENSE, "", True), {321}),
    ("cancelAccountUpdatesMulti", (OPEN,), SILENT),
    ("reqPnL", (OPEN, ACCOUNT, ""), {"pnl"}),
    ("reqPnL", (ID, NONSENSE, ""), {321}),
    ("cancelPnL", (OPEN,), SILENT),
    ("cancelPnL", (GONE,), {10185}),
    ("reqPnLSingle", (OPEN, ACCOUNT, "", SPY), {"pnlSingle"}),
    ("reqPnLSingle", (ID, NONSENSE, "", -1), {321}),
    ("cancelPnLSingle", (OPEN,), SILENT),
    ("cancelPnLSingle", (GONE,), {10185}),
    ("placeOrder", (2001, contract(), order("BUY", "LMT", 1, lmtPrice=440.0)), {"orderStatus"}),
    ("placeOrder", (2002, nowhere(), order("BUY", "LMT", 1, lmtPrice=440.0)), {200}),
    ("placeOrder", (2003, contract(), order("BUY", NONSENSE, 1)), {321}),
    ("placeOrder", (2004, contract(), order("BUY", "LMT", -1, lmtPrice=440.0)), {321}),
    ("reqOpenOrders", (), {"openOrderEnd"}),
    ("reqAllOpenOrders", (), {"openOrderEnd"}),
    ("reqAutoOpenOrders", (True,), {327}),
    ("reqExecutions", (ID, ExecutionFilter()), {"execDetailsEnd"}),
    ("reqCompletedOrders", (True,), {"completedOrdersEnd"}),
    ("cancelOrder", (2001, OrderCancel()), {202}),
    ("cancelOrder", (GONE, OrderCancel()), {10147}),
    ("reqGlobalCancel", (OrderCancel(),), SILENT),
]


def answered(calls: list[Callback], wanted: Answers, number: int | None) -> bool:
    for call in calls:
        if call[0] == "error":
            told = call[3] in wanted and call[1] in {number, -1}
        else:
            told = call[0] in wanted and (number is None or number in call)
        if told:
            return True
    return False


def ask(client: OfficialClient, name: str, arguments: tuple[Any, ...], wanted: Answers, number: int) -> None:
    """Makes one request and waits for its answer, or for proof that the gateway went on without one."""
    method = getattr(client.api, name)
    given = tuple(number if argument is ID else argument for argument in arguments)[: len(_parameters(method))]
    its_id = given[0] if "Id" in (_parameters(method) or [""])[0] and name != "reqIds" else None
    client.forget()
    method(*given)
    client.catch_up()
    if any(call[0] == "error" and call[3] == REFUSED_BY_CLIENT for call in client.calls):
        return
    if wanted:
        client.wait_until(lambda calls: answered(calls, wanted, its_id))
    else:
        assert [call for call in client.named("error") if call[1] == its_id] == []


def _parameters(method: Any) -> list[str]:
    return list(inspect.signature(method).parameters)


@pytest.mark.parametrize("version", [157, 178, 200, 225])
def test_every_request_is_answered(version: int, start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway(max_server_version=version, speed=200.0))
    known = [row for row in REQUESTS if hasattr(EClient, row[0])]
    for number, (name, arguments, wanted) in enumerate(known, 100):
        try:
            ask(client, name, arguments, wanted, number)
        except AssertionError as silence:
            heard = [call for call in client.calls if call[0] == "error"]
            raise AssertionError(f"{name}{arguments} at {version}: {silence}; {heard}") from silence

    client.catch_up()


def test_no_request_of_the_official_client_is_left_out() -> None:
    methods = {name for name, _ in inspect.getmembers(EClient, inspect.isfunction) if not name.startswith("_")}
    plain = {name for name in methods if not name.endswith("ProtoBuf")}

    assert plain - NOT_REQUESTS - {name for name, _, _ in REQUESTS} == set()
