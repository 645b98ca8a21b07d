"""The books survive the simulator's own restart."""

from pathlib import Path

import pytest
from ibapi.execution import ExecutionFilter

from ibapi_bridge.gateway_simulator import ConfigError, GatewayConfig, GatewaySimulator
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig, Latency

from .conftest import Connect, StartGateway
from .official_client import contract, order

pytestmark = pytest.mark.socket


def test_orders_positions_and_ids_are_there_after_a_restart(
    start_gateway: StartGateway, connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "books.sqlite"
    gateway = start_gateway(books_path=path)
    client = connect(gateway)
    client.place(1, contract(), order("BUY", "MKT", 10, orderRef="mine"))
    client.wait_for("commissionAndFeesReport")
    client.place(2, contract(), order("BUY", "LMT", 5, lmtPrice=430.0, tif="GTC", orderRef="resting"))
    perm_id = client.wait_status(2, "Submitted")[6]
    client.place(3, contract(), order("BUY", "LMT", 5, lmtPrice=430.0, transmit=False))
    client.catch_up()
    gateway.stop()
    stopped_at = gateway.now()

    again = start_gateway(books_path=path)
    assert again.now() >= stopped_at
    client = connect(again)
    assert client.named("nextValidId")[0][1] == 4
    client.api.reqOpenOrders()
    client.wait_for("openOrderEnd")
    assert [(c[1], c[3].permId, c[3].orderRef) for c in client.named("openOrder")] == [(2, perm_id, "resting")]
    client.api.reqPositions()
    client.wait_for("positionEnd")
    assert client.named("position")[0][3] == 10
    client.api.reqExecutions(9, ExecutionFilter())
    client.wait_for("execDetailsEnd")
    assert [c[3].orderRef for c in client.named("execDetails")] == ["mine"]
    client.api.reqCompletedOrders(apiOnly=False)
    client.wait_for("completedOrdersEnd")
    assert len(client.named("completedOrder")) == 1
    client.cancel(2)
    client.wait_error(202, 2)


def test_a_file_that_is_no_book_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    path.write_text("hello " * 500)

    with pytest.raises(ConfigError, match="books_path"):
        GatewaySimulator(GatewayConfig(books_path=path))


def test_what_a_client_was_told_is_in_the_books_before_it_is_told(
    start_gateway: StartGateway, connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "books.sqlite"
    client = connect(start_gateway(books_path=path))
    client.place(1, contract(), order("BUY", "MKT", 10, orderRef="mine"))
    client.wait_for("execDetails")

    as_after_a_kill = GatewaySimulator(GatewayConfig(books_path=path)).gateway
    assert as_after_a_kill.ids.next_for(1) == 2
    assert [fill.quantity for fill in as_after_a_kill.exchange.executions()] == [10]


def test_a_change_under_way_is_in_force_after_a_restart(
    start_gateway: StartGateway, connect: Connect, tmp_path: Path
) -> None:
    slow = ExchangeConfig(ack=Latency(low=3_000_000, high=3_000_001))
    settings = {"books_path": tmp_path / "books.sqlite", "exchange": slow, "speed": 10.0}
    gateway = start_gateway(**settings)
    client = connect(gateway)
    client.place(1, contract(), order("BUY", "LMT", 5, lmtPrice=430.0, tif="GTC"))
    client.wait_status(1, "Submitted")
    gateway.pause()
    client.place(1, contract(), order("BUY", "LMT", 6, lmtPrice=431.0, tif="GTC"))
    client.catch_up()
    gateway.stop()

    again = connect(start_gateway(**settings))
    changed = again.wait_for("openOrder")[3]
    assert (changed.lmtPrice, changed.totalQuantity) == (431.0, 6)
