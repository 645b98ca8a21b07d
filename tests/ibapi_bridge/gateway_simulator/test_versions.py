"""The same conversation at every generation of the protocol, classic text to full protobuf."""

import pytest
from ibapi.execution import ExecutionFilter

from .conftest import Connect, StartGateway
from .official_client import contract, order

pytestmark = pytest.mark.socket

VERSIONS = [157, 163, 178, 187, 193, 195, 200, 201, 203, 204, 205, 206, 207, 211, 212, 213, 225]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_whole_conversation_works(
    version: int, start_gateway: StartGateway, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(start_gateway(max_server_version=version))
    assert client.version == version
    client.api.reqContractDetails(11, contract())
    client.api.reqMarketRule(26)
    client.api.reqMktData(12, contract(), "", snapshot=False, regulatorySnapshot=False, mktDataOptions=[])
    client.place(1, contract(), order("BUY", "MKT", 10, orderRef="a b"))
    client.wait_for("commissionAndFeesReport")
    client.place(2, contract(), order("BUY", "LMT", 10, lmtPrice=440.25))
    client.wait_status(2, "Submitted")
    client.place(3, contract("ES", "FUT", "CME"), order("SELL", "STP", 1, auxPrice=4400.0))
    client.wait_status(3, "PreSubmitted")
    client.cancel(2)
    client.wait_error(202, 2)
    client.api.reqPositions()
    client.api.reqOpenOrders()
    client.api.reqExecutions(13, ExecutionFilter())
    client.api.reqCompletedOrders(apiOnly=False)
    client.api.reqAccountSummary(14, "All", "NetLiquidation")
    client.api.reqAccountUpdates(subscribe=True, acctCode="")
    client.api.reqCurrentTime()
    for last in (
        "contractDetailsEnd",
        "marketRule",
        "tickPrice",
        "positionEnd",
        "openOrderEnd",
        "execDetailsEnd",
        "completedOrdersEnd",
        "accountSummaryEnd",
        "accountDownloadEnd",
        "currentTime",
    ):
        client.wait_for(last)

    assert [c[3] for c in client.named("error")] == [2104, 2106, 2158, 202]
    fill = client.named("execDetails")[0][3]
    assert (fill.shares, fill.orderRef, fill.side) == (10, "a b", "BOT")
    details = client.named("contractDetails")[0][2]
    assert (details.contract.conId, details.minTick, details.longName) == (756733, 0.01, "SPDR S&P 500 ETF TRUST")
    resting = next(c for c in client.named("openOrder") if c[1] == 2)
    assert (resting[3].lmtPrice, resting[3].totalQuantity, resting[2].symbol) == (440.25, 10, "SPY")
    stop = next(c for c in client.named("openOrder") if c[1] == 3)
    assert (stop[3].auxPrice, stop[2].multiplier) == (4400.0, "50")
    assert client.named("position")[0][3] == 10
    assert [c[2].filledQuantity for c in client.named("completedOrder")][:2] == [10, 0]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
