"""The protobuf gateway as the official client sees it: connecting, data, orders, snapshots."""

import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ibapi.execution import ExecutionFilter
from ibapi.message import OUT
from ibapi.order import Order
from ibapi.order_cancel import OrderCancel

from ibapi_bridge.gateway_simulator import ConfigError, GatewayConfig, GatewaySimulator
from ibapi_bridge.gateway_simulator.catalogue import REQUESTS
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments

from .conftest import Connect, StartGateway
from .official_client import contract, order

pytestmark = pytest.mark.socket


def test_a_client_is_greeted_with_accounts_next_id_and_farm_notices(
    start_gateway: StartGateway, connect: Connect
) -> None:
    client = connect(start_gateway())

    assert client.version == 225
    assert client.summary()[:3] == ["connectAck", "managedAccounts", "nextValidId"]
    assert [call[3] for call in client.named("error")] == [2104, 2106, 2158]


def test_a_client_id_in_use_is_refused_and_closed(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    connect(gateway, 5)
    second = connect(gateway, 5, wait=False)

    second.wait_error(326)
    second.wait_for("connectionClosed")


def test_contract_details_and_market_rule_are_answered(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.api.reqContractDetails(1, contract())
    client.api.reqMarketRule(26)
    client.api.reqContractDetails(2, contract("NOSUCH"))

    details = client.wait_for("contractDetails")[2]
    client.wait_for("contractDetailsEnd")
    assert (details.contract.conId, details.minTick, details.timeZoneId) == (756733, 0.01, "US/Eastern")
    assert details.liquidHours.startswith("20260413:0930-20260413:1600")
    assert [i.increment for i in client.wait_for("marketRule")[2]] == [0.0001, 0.01]
    client.wait_error(200, 2)


def test_quotes_stream_until_they_are_cancelled(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.api.reqMktData(7, contract(), "", snapshot=False, regulatorySnapshot=False, mktDataOptions=[])

    client.wait_for("tickPrice", 20)
    assert client.named("marketDataType")[0][1:] == (7, 1)
    assert {call[2] for call in client.named("tickPrice")} >= {1, 2}
    client.api.cancelMktData(7)
    client.api.cancelMktData(7)
    client.wait_error(300, 7)


def test_a_market_order_fills_and_moves_the_position(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.api.reqPositions()
    client.wait_for("positionEnd")
    client.place(1, contract(), order("BUY", "MKT", 10, orderRef="ref-1"))

    client.wait_for("commissionAndFeesReport")
    assert client.trace() == [
        "openOrder PreSubmitted",
        "orderStatus PreSubmitted 0/10",
        "execDetails BOT 10",
        "openOrder Filled",
        "orderStatus Filled 10/0",
        "commissionAndFeesReport",
    ]
    fill = client.named("execDetails")[0][3]
    assert (fill.orderRef, fill.clientId, fill.acctNumber) == ("ref-1", 1, "DU1234567")
    assert client.wait_for("position")[3] == 10


def test_a_resting_order_is_changed_and_cancelled(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=440.0))
    client.wait_status(1, "Submitted")
    client.place(1, contract(), order("BUY", "LMT", 20, lmtPrice=441.0))
    client.wait_until(lambda calls: any(c[0] == "openOrder" and c[3].lmtPrice == 441.0 for c in calls))
    client.cancel(1)

    client.wait_error(202, 1)
    assert client.trace()[-4:] == [
        "orderStatus Submitted 0/20",
        "orderStatus PendingCancel 0/20",
        "orderStatus Cancelled 0/20",
        "error 202",
    ]
    client.cancel(1)
    assert client.wait_error(10148, 1)[4].endswith("state: Cancelled.")
    client.cancel(99)
    client.wait_error(10147, 99)


def test_global_cancel_ends_every_order(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    first, second = connect(gateway, 1), connect(gateway, 2)
    first.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=440.0))
    second.place(1, contract("AAPL"), order("BUY", "LMT", 10, lmtPrice=186.0))
    first.wait_status(1, "Submitted")
    second.wait_status(1, "Submitted")
    first.api.reqGlobalCancel(OrderCancel())

    first.wait_error(202, 1)
    second.wait_error(202, 1)


def test_open_orders_are_listed_by_client_and_for_all(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    first, second = connect(gateway, 1), connect(gateway, 2)
    first.place(41, contract(), order("BUY", "LMT", 10, lmtPrice=440.0))
    first.wait_status(41, "Submitted")

    second.api.reqOpenOrders()
    second.wait_for("openOrderEnd")
    assert second.named("openOrder") == []
    second.api.reqAllOpenOrders()
    second.wait_for("openOrderEnd", 2)
    assert [(c[1], c[3].clientId) for c in second.named("openOrder")] == [(41, 1)]
    second.api.reqIds(-1)
    assert second.wait_for("nextValidId", 2)[1] == 42
    second.api.reqAutoOpenOrders(bAutoBind=True)
    second.wait_error(327)


def test_executions_and_completed_orders_can_be_asked_for(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "MKT", 10))
    client.place(2, contract("AAPL"), order("BUY", "MKT", 5))
    client.wait_for("commissionAndFeesReport", 2)
    client.forget()

    wanted = ExecutionFilter()
    wanted.symbol = "AAPL"
    client.api.reqExecutions(3, wanted)
    client.wait_for("execDetailsEnd")
    assert [(c[1], c[2].symbol, c[3].shares) for c in client.named("execDetails")] == [(3, "AAPL", 5)]
    client.api.reqCompletedOrders(apiOnly=False)
    client.wait_for("completedOrdersEnd")
    rows = [(c[2].permId, c[2].filledQuantity, c[3].status) for c in client.named("completedOrder")]
    assert [row[1:] for row in rows] == [(10, "Filled"), (5, "Filled")]


def test_account_summary_and_updates_show_the_starting_cash(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.api.reqAccountSummary(5, "All", "NetLiquidation,BuyingPower")
    client.wait_for("accountSummaryEnd")
    client.api.reqAccountUpdates(subscribe=True, acctCode="")
    client.wait_for("accountDownloadEnd")

    rows = {call[3]: call[4] for call in client.named("accountSummary")}
    assert rows["NetLiquidation"] == "1000000.00"
    keys = {(call[1], call[3]) for call in client.named("updateAccountValue")}
    assert ("CashBalance", "USD") in keys
    assert ("NetLiquidation", "USD") in keys


def test_the_time_of_day_is_market_time(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    client = connect(gateway)
    gateway.pause()
    client.api.reqCurrentTimeInMillis()

    assert client.wait_for("currentTimeInMillis")[1] == int(gateway.now().timestamp() * 1000)
    client.api.reqCurrentTime()
    assert client.wait_for("currentTime")[1] == int(gateway.now().timestamp())


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (order("BUY", "FEELINGS", 1), 321),
        (order("HOLD", "MKT", 1), 303),
        (order("BUY", "MKT", 0), 434),
        (order("BUY", "LMT", 1, tif="SOON", lmtPrice=1.0), 321),
        (order("BUY", "MKT", 1, account="DU999"), 321),
    ],
    ids=["type", "action", "quantity", "tif", "account"],
)
def test_a_malformed_order_is_refused_without_any_status(
    start_gateway: StartGateway, connect: Connect, made: Order, code: int
) -> None:
    client = connect(start_gateway())
    client.api.placeOrder(1, contract(), made)

    client.wait_error(code, 1)
    assert client.named("openOrder", "orderStatus") == []
    client.api.placeOrder(1, contract(), order("BUY", "MKT", 1))
    client.wait_error(103, 1)


def test_stopping_is_quick_and_can_be_repeated(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    client = connect(gateway)
    gateway.stop()
    gateway.stop()

    client.wait_for("connectionClosed")


def test_an_unknown_message_is_505_and_the_connection_goes_on(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.api.conn.sendMsg(b"\0\0\0\x04" + (399).to_bytes(4, "big"))
    client.wait_error(505)
    client.api.conn.sendMsg(b"\0\0\0\x06" + (203).to_bytes(4, "big") + b"\xff\xff")
    client.wait_error(320)
    client.api.verifyRequest("name", "1")
    client.api.reqCurrentTime()
    client.wait_for("currentTime")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"accounts": ()}, "accounts"),
        ({"speed": 0.0}, "speed"),
        ({"max_server_version": 300}, "max_server_version"),
        ({"start": datetime(2026, 4, 13)}, "start"),  # noqa: DTZ001 - the point of the test
        ({"end": datetime(2020, 1, 1, tzinfo=UTC)}, "end"),
        ({"step": timedelta(0)}, "step"),
        ({"port": -1}, "port"),
    ],
)
def test_a_setting_that_cannot_work_is_one_sentence(setting: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        GatewayConfig(**setting)


def test_a_port_in_use_is_one_sentence(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    with pytest.raises(ConfigError, match=str(gateway.port)):
        GatewaySimulator(GatewayConfig(port=gateway.port)).start()


def test_a_client_that_reads_nothing_is_cut_off_and_the_market_goes_on(
    start_gateway: StartGateway, connect: Connect
) -> None:
    only_spy = default_instruments()[:1]
    gateway = start_gateway(speed=None, stall_seconds=0.3, start_paused=True, instruments=only_spy, max_backlog=1000)
    with socket.create_connection(("127.0.0.1", gateway.port)) as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream.sendall(b"API\0\0\0\0\x09v100..225")
        stream.recv(100)
        subscription = REQUESTS[OUT.REQ_MKT_DATA].message(reqId=1)
        subscription.contract.conId = 756733
        starting = REQUESTS[OUT.START_API].message(clientId=9)
        for number, message in ((OUT.START_API, starting), (OUT.REQ_MKT_DATA, subscription)):
            payload = (number + 200).to_bytes(4, "big") + message.SerializeToString()
            stream.sendall(len(payload).to_bytes(4, "big") + payload)
        follower = connect(gateway, 2)
        follower.catch_up()
        gateway.resume()
        deadline = time.monotonic() + 30
        while gateway.call(lambda: gateway.gateway.sessions.taken(9)) and time.monotonic() < deadline:
            time.sleep(0.05)
        cut_off_at = gateway.now()
        assert not gateway.call(lambda: gateway.gateway.sessions.taken(9))

    follower.catch_up()
    assert gateway.now() > cut_off_at
