"""Conditional and pegged orders by the official client, in both generations of the protocol."""

import pytest
from ibapi.order_condition import (
    ExecutionCondition,
    MarginCondition,
    OrderCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)

from .conftest import Connect, StartGateway
from .official_client import OfficialClient, contract, order

pytestmark = pytest.mark.socket
SPY, AAPL = 756733, 265598
NEVER = PriceCondition(0, AAPL, "SMART", isMore=True, price=900.0)


@pytest.fixture(params=[178, 225])
def client(request: pytest.FixtureRequest, start_gateway: StartGateway, connect: Connect) -> OfficialClient:
    return connect(start_gateway(max_server_version=request.param))


@pytest.mark.parametrize(
    "condition",
    [
        PriceCondition(0, AAPL, "SMART", isMore=True, price=1.0),
        TimeCondition(isMore=True, time="20260413 09:30:05 US/Eastern"),
        MarginCondition(isMore=True, percent=50),
        VolumeCondition(SPY, "SMART", isMore=True, volume=1),
        PercentChangeCondition(SPY, "SMART", isMore=False, changePercent=50.0),
    ],
)
def test_an_order_whose_condition_holds_works(client: OfficialClient, condition: OrderCondition) -> None:
    client.place(1, contract(), order("BUY", "MKT", 1, conditions=[condition]))

    client.wait_status(1, "Filled")
    echoed = client.named("openOrder")[0][3].conditions
    assert [type(each) for each in echoed] == [type(condition)]


@pytest.mark.parametrize("action", ["BUY", "SELL"])
def test_an_order_that_waits_for_its_condition_says_so_and_can_be_cancelled(
    client: OfficialClient, action: str
) -> None:
    client.place(1, contract(), order(action, "MKT", 1, conditions=[NEVER]))
    client.wait_status(1, "PreSubmitted")
    client.cancel(1)

    client.wait_error(202, 1)
    assert not client.named("execDetails")


def test_a_trade_sets_off_the_order_that_waits_for_it(client: OfficialClient) -> None:
    wanted = ExecutionCondition("STK", "SMART", "AAPL")
    client.place(1, contract(), order("BUY", "MKT", 1, conditions=[wanted]))
    client.wait_status(1, "PreSubmitted")
    client.place(2, contract("AAPL"), order("BUY", "MKT", 1))

    client.wait_status(1, "Filled")
    assert [call[3].orderId for call in client.named("execDetails")] == [2, 1]


def test_a_condition_can_cancel_an_order(client: OfficialClient) -> None:
    soon = TimeCondition(isMore=True, time="20260413 09:31:00 US/Eastern")
    resting = order("BUY", "LMT", 1, lmtPrice=440.0, conditions=[soon], conditionsCancelOrder=True)
    client.place(1, contract(), resting)

    client.wait_status(1, "Submitted")
    client.wait_error(202, 1)


def test_a_condition_that_cannot_be_read_is_refused(client: OfficialClient) -> None:
    senseless = TimeCondition(isMore=True, time="tomorrow")
    client.place(1, contract(), order("BUY", "MKT", 1, conditions=[senseless]))

    client.wait_error(10314, 1)
    client.place(
        2, contract(), order("BUY", "MKT", 1, conditions=[PriceCondition(0, 5, "SMART", isMore=True, price=1)])
    )
    client.wait_error(147, 2)


@pytest.mark.parametrize("kind", ["REL", "PEG MID", "PEG MKT", "MIDPRICE"])
def test_a_pegged_order_works_without_a_limit(client: OfficialClient, kind: str) -> None:
    offset = {} if kind == "MIDPRICE" else {"auxPrice": 5.0 if kind != "REL" else 0.0}
    client.place(1, contract(), order("BUY", kind, 10, **offset))

    client.wait_status(1, "Submitted")
    assert client.named("openOrder")[-1][3].orderType == kind


@pytest.mark.parametrize("kind", ["VOL", "PEG BENCH", "PEG STK", "SNAP MID"])
def test_order_types_that_are_not_simulated_are_387(client: OfficialClient, kind: str) -> None:
    client.place(1, contract(), order("BUY", kind, 10))

    client.wait_error(387, 1)
