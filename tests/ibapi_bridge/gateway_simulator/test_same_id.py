"""What a second message under the id of an order does, and what it leaves alone."""

import pytest

from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig, Latency

from .conftest import Connect, StartGateway
from .official_client import OfficialClient, contract, order

pytestmark = pytest.mark.socket


def open_orders(client: OfficialClient) -> list[tuple[float, int, bool]]:
    client.catch_up()
    client.forget()
    client.api.reqOpenOrders()
    client.wait_for("openOrderEnd")
    return [(call[3].lmtPrice, int(call[3].totalQuantity), call[3].whatIf) for call in client.named("openOrder")]


def test_a_what_if_under_the_id_of_a_live_order_changes_nothing(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    client.wait_status(1, "Submitted")
    client.forget()
    client.place(1, contract(), order("BUY", "LMT", 20, lmtPrice=431.0, whatIf=True))

    shown = client.wait_for("openOrder")
    assert (shown[3].whatIf, shown[3].totalQuantity, shown[3].permId) == (True, 20, 0)
    assert float(shown[4].initMarginChange) > 0
    assert client.named("orderStatus") == []
    assert open_orders(client) == [(430.0, 10, False)]


def test_a_what_if_under_the_id_of_a_staged_order_sends_nothing(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0, transmit=False))
    client.place(1, contract(), order("BUY", "MKT", 10, whatIf=True))

    assert client.wait_for("openOrder")[3].whatIf
    assert open_orders(client) == []
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    client.wait_status(1, "Submitted")
    assert open_orders(client) == [(430.0, 10, False)]


def test_an_id_of_ones_own_never_cancels_somebody_elses_order(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    owner, other = connect(gateway, 2), connect(gateway, 1)
    owner.place(12, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    owner.wait_status(12, "Submitted")
    other.place(12, contract(), order("BUY", "LMT", 10, lmtPrice=430.001))
    other.wait_error(110, 12)
    other.cancel(12)

    other.wait_error(10147, 12)
    assert [price for price, *_ in open_orders(owner)] == [430.0]


def test_nobody_cancels_an_order_by_hand_with_the_id_0(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    client = connect(gateway)
    gateway.faults.do("manual_order", con_id=756733, action="BUY", quantity="5", limit="99")
    client.cancel(0)

    client.wait_error(10147, 0)
    client.api.reqAllOpenOrders()
    client.wait_for("openOrderEnd")
    assert [call[1] for call in client.named("openOrder")] == [0]


SLOW = ExchangeConfig(ack=Latency(low=300_000, high=300_001))


def test_fills_before_a_change_is_in_force_are_told_on_the_old_terms(
    start_gateway: StartGateway, connect: Connect
) -> None:
    client = connect(start_gateway(speed=1.0, exchange=SLOW))
    client.place(5, contract(), order("BUY", "LMT", 1500, lmtPrice=470.0))
    client.wait_status(5, "Submitted")
    client.place(5, contract(), order("BUY", "LMT", 2000, lmtPrice=470.0))
    client.wait_error(104, 5)

    told = [(int(call[3]), int(call[4])) for call in client.named("orderStatus")]
    assert {filled + left for filled, left in told} == {1500}
    assert client.named("orderStatus")[-1][2:5] == ("Filled", 1500, 0)


def test_a_change_under_way_is_not_listed_and_dies_with_its_order(
    start_gateway: StartGateway, connect: Connect
) -> None:
    client = connect(start_gateway(speed=1.0, exchange=SLOW))
    client.place(5, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    client.wait_status(5, "Submitted")
    client.place(5, contract(), order("BUY", "LMT", 20, lmtPrice=431.0))
    assert open_orders(client) == [(430.0, 10, False)]
    client.wait_until(lambda calls: any(c[0] == "openOrder" and c[3].lmtPrice == 431.0 for c in calls))
    assert open_orders(client) == [(431.0, 20, False)]


@pytest.mark.parametrize("seed", range(4))
def test_changes_are_in_force_in_the_order_they_were_sent(
    start_gateway: StartGateway, connect: Connect, seed: int
) -> None:
    client = connect(start_gateway(speed=1.0, seed=seed))
    client.place(5, contract(), order("BUY", "LMT", 100, lmtPrice=400.0))
    client.wait_status(5, "Submitted")
    client.forget()
    for step in range(1, 6):
        client.place(5, contract(), order("BUY", "LMT", 100 + step, lmtPrice=400.0 + step))
    client.wait_for("orderStatus", 5)

    assert [call[3].lmtPrice for call in client.named("openOrder")] == [401.0, 402.0, 403.0, 404.0, 405.0]


def test_the_children_of_a_refused_parent_die_with_135_each(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.001, transmit=False))
    client.place(2, contract(), order("SELL", "LMT", 10, lmtPrice=480.0, parentId=1, transmit=False))
    client.place(3, contract(), order("SELL", "STP", 10, auxPrice=420.0, parentId=1))
    client.catch_up()

    refused = [(call[1], call[3]) for call in client.named("error") if call[1] > 0]
    assert refused == [(1, 110), (2, 135), (3, 135)]
    client.cancel(2)
    client.wait_error(10147, 2)
    client.place(4, contract(), order("SELL", "STP", 10, auxPrice=420.0, parentId=9))
    client.wait_error(10006, 4)
    assert client.named("openOrder") == []


def test_an_order_of_an_amount_of_money_counts_its_units_and_cannot_be_changed(
    start_gateway: StartGateway, connect: Connect
) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "MKT", 0, cashQty=1000.0))
    client.wait_status(1, "Filled")
    assert client.trace(1) == [
        "openOrder PreSubmitted",
        "orderStatus PreSubmitted 0/2",
        "execDetails BOT 2",
        "openOrder Filled",
        "orderStatus Filled 2/0",
    ]
    client.place(2, contract(), order("BUY", "LMT", 0, lmtPrice=430.0, cashQty=1000.0))
    client.wait_status(2, "Submitted")
    client.place(2, contract(), order("BUY", "LMT", 0, lmtPrice=431.0, cashQty=1000.0))
    client.wait_error(10241, 2)
    assert open_orders(client) == [(430.0, 0, False)]


def test_a_change_without_transmit_is_silent_and_changes_nothing_yet(
    start_gateway: StartGateway, connect: Connect
) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    client.wait_status(1, "Submitted")
    client.forget()
    client.place(1, contract(), order("BUY", "LMT", 20, lmtPrice=431.0, transmit=False))
    client.catch_up()
    assert client.trace() == []
    assert open_orders(client) == [(430.0, 10, False)]

    client.place(1, contract(), order("BUY", "LMT", 20, lmtPrice=431.0))
    client.wait_until(lambda calls: any(c[0] == "openOrder" and c[3].totalQuantity == 20 for c in calls))
    assert open_orders(client) == [(431.0, 20, False)]
