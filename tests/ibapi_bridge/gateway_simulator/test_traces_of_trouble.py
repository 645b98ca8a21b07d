"""The golden traces in which something goes wrong between client, gateway and broker."""

import time
from datetime import UTC, datetime

import pytest
from ibapi.execution import ExecutionFilter

from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments

from .conftest import Connect, StartGateway
from .official_client import OfficialClient, contract, order

pytestmark = pytest.mark.socket


def rest(client: OfficialClient, order_id: int, price: float = 430.0, tif: str = "DAY") -> int:
    """A limit order far away; its permanent id."""
    client.place(order_id, contract(), order("BUY", "LMT", 10, lmtPrice=price, tif=tif))
    return int(client.wait_status(order_id, "Submitted")[6])


def test_a_limit_is_filled_in_parts_and_every_status_comes_twice(start_gateway: StartGateway, connect: Connect) -> None:
    """T3."""
    gateway = start_gateway(speed=5.0, instruments=default_instruments()[:1])
    client = connect(gateway)
    gateway.faults.arm("duplicate_status", status="Submitted", skip=1, n=0)
    gateway.faults.arm("duplicate_status", status="Filled")
    client.place(20, contract(), order("BUY", "LMT", 2500, lmtPrice=450.03))
    client.wait_status(20, "Filled", seconds=15)
    client.catch_up()

    trace = client.trace()
    first = next(index for index, line in enumerate(trace) if line.startswith("execDetails"))
    part = trace[first].split()[-1]
    left = 2500 - int(part)
    assert trace[first - 2 : first] == ["openOrder Submitted", "orderStatus Submitted 0/2500"]
    assert trace[first + 1 : first + 5] == [
        "openOrder Submitted",
        f"orderStatus Submitted {part}/{left}",
        f"orderStatus Submitted {part}/{left}",
        "commissionAndFeesReport",
    ]
    assert trace[-4:] == [
        "openOrder Filled",
        "orderStatus Filled 2500/0",
        "orderStatus Filled 2500/0",
        "commissionAndFeesReport",
    ]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (10148, "OrderId 7 that needs to be cancelled can not be cancelled, state: Filled."),
        (201, "Order rejected - reason:Cannot cancel the filled order"),
        (161, "Cancel attempted when order is not in a cancellable state.  Order permId = 1"),
    ],
)
def test_a_cancel_that_comes_too_late_is_refused(
    start_gateway: StartGateway, connect: Connect, code: int, text: str
) -> None:
    """T5."""
    gateway = start_gateway()
    client = connect(gateway)
    if code != 10148:
        gateway.faults.arm("error_text", code=10148, becomes=code, text=text)
    client.place(7, contract(), order("BUY", "MKT", 10))
    client.cancel(7)  # crosses the fill

    assert client.wait_error(code, 7)[4] == text
    told = [line for line in client.trace() if line.startswith(("execDetails", "orderStatus", "error"))]
    assert told[-3:] == ["execDetails BOT 10", "orderStatus Filled 10/0", f"error {code}"]


def test_the_first_half_of_a_bracket(start_gateway: StartGateway, connect: Connect) -> None:
    """T8, the recorded half: the stop is told four times while its parent works."""
    client = connect(start_gateway())
    client.place(19, contract(), order("BUY", "LMT", 1, lmtPrice=430.0, transmit=False))
    client.place(20, contract(), order("SELL", "LMT", 1, lmtPrice=500.0, parentId=19, transmit=False))
    client.place(21, contract(), order("SELL", "STP", 1, auxPrice=400.0, parentId=19))
    client.wait_status(19, "Submitted")
    client.catch_up()

    assert client.trace(19)[-2:] == ["openOrder Submitted", "orderStatus Submitted 0/1"]
    assert client.trace(20) == ["openOrder PreSubmitted", "orderStatus PreSubmitted 0/1 child"]
    assert client.trace(21) == ["openOrder PreSubmitted", "orderStatus PreSubmitted 0/1 child,trigger"] * 4


@pytest.mark.parametrize("data_lost", [False, True])
def test_the_link_is_lost_and_restored(start_gateway: StartGateway, connect: Connect, *, data_lost: bool) -> None:
    """T10."""
    gateway = start_gateway()
    client = connect(gateway)
    rest(client, 1, tif="GTC")
    client.place(2, contract(), order("BUY", "MKT", 5))
    client.wait_for("commissionAndFeesReport")
    client.forget()
    gateway.faults.lose_link(repeats=2)
    for code in (2103, 2105, 2157):
        gateway.faults.do("farm_broken", code=code)
    gateway.faults.restore_link(data_lost=data_lost)
    client.wait_error(2106)
    client.api.reqAllOpenOrders()
    client.wait_for("openOrderEnd")
    client.api.reqExecutions(5, ExecutionFilter())
    client.wait_for("execDetailsEnd")

    restored = 1101 if data_lost else 1102
    assert client.summary() == [
        *(f"error {code}" for code in (1100, 1100, 2103, 2105, 2157, restored, 2104, 2106)),
        "openOrder Submitted",
        "orderStatus Submitted 0/10",
        "openOrderEnd",
        "execDetails BOT 5",
        "commissionAndFeesReport",
        "execDetailsEnd",
    ]
    text = client.wait_error(restored)[4]
    assert ("data lost" if data_lost else "data maintained") in text
    assert text.endswith("All data farms are connected: usfarm; ushmds; secdefil.")
    assert client.named("execDetails")[0][1] == 5


def test_a_restart_swallows_the_orders_sent_just_before(start_gateway: StartGateway, connect: Connect) -> None:
    """T20."""
    gateway = start_gateway(first_order_id=38_099, start=datetime(2026, 4, 13, 15, 0, tzinfo=UTC))
    client = connect(gateway)
    gateway.faults.arm("lose_order", n=4)
    for order_id in range(38_099, 38_103):
        client.place(order_id, contract(), order("BUY", "LMT", 1, lmtPrice=430.0))
    client.catch_up()
    gateway.faults.restart(down_seconds=0.1)
    client.wait_for("connectionClosed")
    time.sleep(0.3)  # the gateway is down for a tenth of a second by design
    again = connect(gateway)
    again.api.reqAllOpenOrders()
    again.wait_for("openOrderEnd")
    again.api.reqCompletedOrders(apiOnly=False)
    again.wait_for("completedOrdersEnd")

    assert again.named("nextValidId")[0][1] == 38_099
    assert again.named("openOrder", "completedOrder") == []
    assert client.trace() == []


def test_a_change_over_a_failing_link_leaves_two_live_orders(start_gateway: StartGateway, connect: Connect) -> None:
    """T21."""
    gateway = start_gateway()
    client = connect(gateway)
    first = rest(client, 9)
    gateway.faults.arm("two_perm_ids")
    gateway.faults.lose_link()
    client.place(9, contract(), order("BUY", "LMT", 10, lmtPrice=431.0))
    client.catch_up()
    client.close()
    gateway.faults.restore_link()
    again = connect(gateway)
    again.api.reqOpenOrders()
    again.wait_for("openOrderEnd")

    rows = {call[3].permId: (call[1], call[3].lmtPrice, call[4].status) for call in again.named("openOrder")}
    assert len(rows) == 2
    assert rows.pop(first) == (9, 430.0, "Submitted")
    assert list(rows.values())[0][:2] == (9, 431.0)
