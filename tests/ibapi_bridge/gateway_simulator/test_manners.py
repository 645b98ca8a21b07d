"""The gateway's manners: the recorded traces, brackets, ownership, ids, pacing, restrictions."""

import re
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from ibapi.contract import ComboLeg, Contract, DeltaNeutralContract
from ibapi.execution import ExecutionFilter
from ibapi.order_cancel import OrderCancel

from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments, further_instruments

from .conftest import Connect, StartGateway
from .official_client import contract, order

pytestmark = pytest.mark.socket
SPY = 756733


def test_a_market_buy_follows_the_recorded_trace(start_gateway: StartGateway, connect: Connect) -> None:
    """T1."""
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "MKT", 1))
    client.wait_for("commissionAndFeesReport")

    assert client.trace() == [
        "openOrder PreSubmitted",
        "orderStatus PreSubmitted 0/1",
        "execDetails BOT 1",
        "openOrder Filled",
        "orderStatus Filled 1/0",
        "commissionAndFeesReport",
    ]
    fill, fee = client.named("execDetails")[0], client.named("commissionAndFeesReport")[0][1]
    assert (fill[1], fill[3].lastLiquidity, fill[3].time[-10:]) == (-1, 2, "US/Eastern")
    assert fee.realizedPNL == 1.7976931348623157e308


def test_a_limit_made_market_is_filled_before_its_execution(start_gateway: StartGateway, connect: Connect) -> None:
    """T2."""
    client = connect(start_gateway(speed=10.0))
    client.place(13, contract(), order("BUY", "LMT", 1, lmtPrice=430.0))
    client.wait_status(13, "Submitted")
    client.forget()
    client.place(13, contract(), order("BUY", "MKT", 1))
    client.wait_for("commissionAndFeesReport")

    assert client.trace() == [
        "openOrder Submitted",
        "orderStatus Submitted 0/1",
        "orderStatus Filled 1/0",
        "execDetails BOT 1",
        "commissionAndFeesReport",
    ]


def test_a_cancel_follows_the_recorded_trace(start_gateway: StartGateway, connect: Connect) -> None:
    """T4."""
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 1, lmtPrice=430.0))
    client.wait_status(1, "Submitted")
    client.cancel(1)
    last = client.wait_error(202, 1)

    assert client.trace() == [
        "openOrder PreSubmitted",
        "orderStatus PreSubmitted 0/1",
        "openOrder Submitted",
        "orderStatus Submitted 0/1",
        "orderStatus PendingCancel 0/1",
        "orderStatus Cancelled 0/1",
        "error 202",
    ]
    assert last[4] == "Order Canceled - reason:"


def test_a_margin_rejection_is_inactive_then_201(start_gateway: StartGateway, connect: Connect) -> None:
    """T6."""
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "MKT", 100_000))
    client.wait_error(201, 1)
    client.api.reqCompletedOrders(apiOnly=False)
    client.wait_for("completedOrdersEnd")

    assert client.trace() == ["orderStatus Inactive 0/100000", "error 201"]
    assert [row[3].status for row in client.named("completedOrder")] == ["Cancelled"]


def test_outside_hours_an_order_is_held_with_399(start_gateway: StartGateway, connect: Connect) -> None:
    """T7."""
    client = connect(start_gateway(start=datetime(2026, 4, 13, 3, 0, tzinfo=UTC)))
    client.place(1, contract(), order("BUY", "LMT", 1, lmtPrice=450.0))
    client.wait_status(1, "PreSubmitted")
    client.cancel(1)
    client.wait_error(202, 1)

    assert client.trace()[:3] == ["error 399", "openOrder PreSubmitted", "orderStatus PreSubmitted 0/1"]
    assert "will not be placed at the exchange until" in client.wait_error(399, 1)[4]


@pytest.mark.parametrize("tif", ["IOC", "FOK"])
@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_outside_hours_an_order_for_at_once_waits_as_any_other(
    start_gateway: StartGateway, connect: Connect, tif: str, side: str
) -> None:
    """T7."""
    client = connect(start_gateway(start=datetime(2026, 4, 13, 3, 0, tzinfo=UTC)))
    client.place(1, contract(), order(side, "MKT", 1, tif=tif))
    client.wait_status(1, "PreSubmitted")

    assert client.trace() == ["error 399", "openOrder PreSubmitted", "orderStatus PreSubmitted 0/1"]


def test_a_bracket_waits_for_its_parent_and_one_exit_cancels_the_other(
    start_gateway: StartGateway, connect: Connect
) -> None:
    """T8."""
    client = connect(start_gateway(speed=200.0))
    client.place(19, contract(), order("BUY", "MKT", 10, transmit=False))
    client.place(20, contract(), order("SELL", "LMT", 10, lmtPrice=449.5, parentId=19, transmit=False))
    client.place(21, contract(), order("SELL", "STP", 10, auxPrice=440.0, parentId=19))
    client.wait_status(19, "Filled")
    client.wait_status(20, "Filled", seconds=15)
    client.wait_error(202, 21)

    assert client.trace(20)[:2] == ["openOrder PreSubmitted", "orderStatus PreSubmitted 0/10 child"]
    assert client.trace(21)[:2] == ["openOrder PreSubmitted", "orderStatus PreSubmitted 0/10 child,trigger"]
    assert "orderStatus Submitted 0/10" in client.trace(20)
    assert "orderStatus PreSubmitted 0/10 trigger" in client.trace(21)
    assert client.trace(21)[-2:] == ["orderStatus Cancelled 0/10", "error 202"]
    assert {call[7] for call in client.named("orderStatus") if call[1] in {20, 21}} == {19}


def test_a_stop_is_echoed_twice_and_its_change_too(start_gateway: StartGateway, connect: Connect) -> None:
    """T9."""
    client = connect(start_gateway())
    client.place(276, contract(), order("SELL", "STP", 1, auxPrice=400.0))
    client.wait_until(lambda calls: sum(c[0] == "orderStatus" for c in calls) == 2)
    client.place(276, contract(), order("SELL", "STP", 1, auxPrice=401.0))
    client.wait_until(lambda calls: sum(c[0] == "orderStatus" for c in calls) == 4)

    echoes = [call[3] for call in client.named("openOrder")]
    assert [echo.auxPrice for echo in echoes] == [400.0, 400.0, 401.0, 401.0]
    assert echoes[0].lmtPrice not in {0.0, 1.7976931348623157e308}
    assert echoes[1].lmtPrice in {0.0, 1.7976931348623157e308}
    assert client.trace() == ["openOrder PreSubmitted", "orderStatus PreSubmitted 0/1 trigger"] * 4
    assert len({call[6] for call in client.named("orderStatus")}) == 1


def test_an_elected_stop_is_submitted_and_filled(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "STP", 1, auxPrice=449.0))
    client.wait_for("commissionAndFeesReport")

    assert client.trace()[-6:] == [
        "openOrder Submitted",
        "orderStatus Submitted 0/1",
        "execDetails BOT 1",
        "openOrder Filled",
        "orderStatus Filled 1/0",
        "commissionAndFeesReport",
    ]


def test_after_a_reconnect_the_order_is_there_and_can_be_cancelled(
    start_gateway: StartGateway, connect: Connect
) -> None:
    """T11."""
    gateway = start_gateway(first_order_id=294)
    first = connect(gateway)
    first.place(294, contract(), order("BUY", "LMT", 10, lmtPrice=430.0, tif="GTC"))
    perm_id = first.wait_status(294, "Submitted")[6]
    first.close()
    again = connect(gateway)
    assert again.named("nextValidId")[0][1] == 295
    again.api.reqOpenOrders()
    again.wait_for("openOrderEnd")
    assert [(call[1], call[3].permId) for call in again.named("openOrder")] == [(294, perm_id)]
    again.cancel(294)
    again.wait_error(202, 294)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_foreign_cancel_works_or_is_10147(start_gateway: StartGateway, connect: Connect, *, allowed: bool) -> None:
    """T12."""
    gateway = start_gateway(cross_client_cancel=allowed, first_order_id=295)
    owner = connect(gateway, 1)
    owner.place(295, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    owner.wait_status(295, "Submitted")
    other = connect(gateway, 0)
    other.cancel(295)

    if allowed:
        assert other.wait_status(295, "Cancelled")[9] == 0
        other.wait_error(202, 295)
        owner.wait_status(295, "Cancelled")
    else:
        other.wait_error(10147, 295)
        assert "orderStatus Cancelled 0/10" not in owner.trace()


def combo(first: int, second: int) -> Contract:
    made = Contract()
    made.symbol, made.secType, made.currency, made.exchange = "SPY", "BAG", "USD", "SMART"
    for con_id, action in ((first, "BUY"), (second, "SELL")):
        leg = ComboLeg()
        leg.conId, leg.ratio, leg.action, leg.exchange = con_id, 1, action, "SMART"
        made.comboLegs = [*(made.comboLegs or []), leg]
    return made


def test_a_combo_reports_itself_then_its_legs_then_the_status(start_gateway: StartGateway, connect: Connect) -> None:
    """T14."""
    client = connect(start_gateway())
    client.place(40, combo(700000001, 700000002), order("BUY", "MKT", 1))
    client.wait_for("commissionAndFeesReport", 2)

    trace = [line for line in client.trace() if "commission" not in line]
    assert trace[-5:] == [
        "execDetails BOT 1",
        "execDetails BOT 1",
        "execDetails SLD 1",
        "openOrder Filled",
        "orderStatus Filled 1/0",
    ]
    assert [call[2].secType for call in client.named("execDetails")] == ["BAG", "OPT", "OPT"]


@pytest.mark.parametrize(
    ("tif", "ending"),
    [("IOC", ["orderStatus PendingCancel 0/1", "orderStatus Cancelled 0/1"]), ("FOK", ["orderStatus Inactive 0/1"])],
)
def test_an_order_that_must_trade_at_once_ends_silently(
    start_gateway: StartGateway, connect: Connect, tif: str, ending: list[str]
) -> None:
    """T15."""
    client = connect(start_gateway())
    client.place(61, contract(), order("BUY", "LMT", 1, lmtPrice=430.0, tif=tif))
    client.wait_status(61, ending[-1].split()[1])

    assert client.trace() == ["openOrder PreSubmitted", *ending]


def test_a_staged_order_is_silent_until_it_is_transmitted(start_gateway: StartGateway, connect: Connect) -> None:
    """T16."""
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0, transmit=False))
    client.api.reqOpenOrders()
    client.wait_for("openOrderEnd")
    assert client.trace() == []
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    client.wait_status(1, "Submitted")
    client.place(2, contract(), order("BUY", "LMT", 10, lmtPrice=430.0, transmit=False))
    client.cancel(2)
    client.wait_error(202, 2)


def test_an_unknown_order_type_is_321_and_nothing_else(start_gateway: StartGateway, connect: Connect) -> None:
    """T17."""
    client = connect(start_gateway())
    client.place(40, contract(), order("BUY", "FEELINGS", 1))

    said = client.wait_error(321, 40)[4]
    assert said == "Error validating request.-'bF' : cause - Invalid order type was entered"
    assert client.trace() == ["error 321"]


def test_a_directly_routed_order_can_be_discarded(start_gateway: StartGateway, connect: Connect) -> None:
    """T18."""
    client = connect(start_gateway(direct_routing_precaution=True))
    client.place(1, contract(exchange="ARCA"), order("BUY", "MKT", 1))
    client.wait_error(201, 1)
    client.cancel(1)
    client.wait_error(10147, 1)

    assert client.trace() == ["error 10311", "orderStatus Cancelled 0/1", "error 201", "error 10147"]


def test_an_empty_time_in_force_is_set_with_10349(start_gateway: StartGateway, connect: Connect) -> None:
    """T19."""
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "MKT", 1, tif=""))
    client.wait_status(1, "Filled")

    assert client.trace()[0] == "error 10349"
    assert client.named("openOrder")[0][3].tif == "DAY"


def test_a_price_off_the_grid_is_110_without_a_status(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 1, lmtPrice=430.001))
    client.wait_error(110, 1)
    assert client.trace() == ["error 110"]
    client.cancel(1)
    client.wait_error(10147, 1)
    client.api.reqCompletedOrders(apiOnly=False)
    client.wait_for("completedOrdersEnd")
    assert client.named("completedOrder") == []
    client.place(2, contract(), order("BUY", "LMT", 1, lmtPrice=430.0))
    client.wait_status(2, "Submitted")
    client.place(2, contract(), order("BUY", "LMT", 1, lmtPrice=430.001))
    client.wait_error(110, 2)
    client.api.reqOpenOrders()
    client.wait_for("openOrderEnd")
    assert client.named("openOrder")[-1][3].lmtPrice == 430.0


def test_ids_must_rise_and_survive_refusals(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(10, contract(), order("BUY", "MKT", 1))
    client.wait_status(10, "Filled")
    client.place(9, contract(), order("BUY", "MKT", 1))
    client.wait_error(103, 9)
    client.place(10, contract(), order("BUY", "MKT", 2))
    client.wait_error(104, 10)


def test_manual_orders_are_bound_to_client_0(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway()
    client = connect(gateway, 0)
    gateway.faults.do("manual_order", con_id=SPY, limit="430", quantity="5")
    client.api.reqOpenOrders()
    bound = client.wait_for("orderBound")
    client.wait_for("openOrderEnd")
    assert bound[3] == -1
    assert [call[1] for call in client.named("openOrder")] == [-1]
    client.api.reqAutoOpenOrders(bAutoBind=True)
    client.catch_up()
    gateway.faults.do("manual_order", con_id=SPY, quantity="5")
    client.wait_status(-2, "Filled")


def test_too_many_messages_are_100_and_then_the_end(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway(messages_per_second=10))
    for _ in range(60):
        client.api.reqCurrentTime()
    client.wait_for("connectionClosed")

    assert sum(call[3] == 100 for call in client.named("error")) == 3


def test_a_client_that_asked_for_pacing_is_slowed_instead(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway(messages_per_second=20), options="+PACEAPI")
    began = time.monotonic()
    for _ in range(45):
        client.api.reqCurrentTime()
    client.wait_for("currentTime", 45)

    assert time.monotonic() - began > 1.5
    assert all(call[3] != 100 for call in client.named("error"))


def test_a_read_only_gateway_refuses_orders_and_answers_the_rest(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway(read_only=True))
    client.place(1, contract(), order("BUY", "MKT", 1))
    assert "Read-Only" in client.wait_error(321, 1)[4]
    client.api.reqPositions()
    client.wait_for("positionEnd")


def test_a_client_too_many_is_refused(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway(max_clients=2)
    connect(gateway, 1)
    connect(gateway, 2)
    third = connect(gateway, 3, wait=False)
    third.wait_for("connectionClosed")


def test_a_master_client_hears_of_everybodys_orders(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway(master_client_id=7)
    master, other = connect(gateway, 7), connect(gateway, 1)
    other.place(1, contract(), order("BUY", "MKT", 1))

    master.wait_for("commissionAndFeesReport")
    other.wait_for("commissionAndFeesReport")
    assert master.trace() == other.trace()


@pytest.mark.parametrize(
    ("zone", "version", "shape"),
    [("UTC", 225, r"\d{8}-\d\d:\d\d:\d\dZ"), ("UTC", 213, r"\d{8}-\d\d:\d\d:\d\d"), ("MET", 225, r"\d{8} .* MET")],
)
def test_time_strings_carry_the_chosen_zone(
    start_gateway: StartGateway, connect: Connect, zone: str, version: int, shape: str
) -> None:
    client = connect(start_gateway(zone=zone, max_server_version=version))
    client.place(1, contract(), order("BUY", "MKT", 1))

    assert re.fullmatch(shape, client.wait_for("execDetails")[3].time)


def test_one_fills_and_the_group_is_cancelled(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway(exchange=ExchangeConfig()))
    client.place(1, contract(), order("BUY", "LMT", 5, lmtPrice=430.0, ocaGroup="g", ocaType=1))
    client.wait_status(1, "Submitted")
    client.place(2, contract(), order("BUY", "MKT", 5, ocaGroup="g", ocaType=1))

    client.wait_status(2, "Filled")
    client.wait_status(1, "Cancelled")
    client.wait_error(202, 1)


def test_an_order_of_yesterday_is_there_without_its_executions(start_gateway: StartGateway, connect: Connect) -> None:
    """T13."""
    start = datetime(2026, 4, 13, 19, 59, 50, tzinfo=UTC)
    only_spy = default_instruments()[:1]
    rich = ExchangeConfig(starting_cash={"USD": Decimal(10**9)})  # for more than ten seconds can fill
    gateway = start_gateway(start=start, start_paused=True, instruments=only_spy, exchange=rich)
    client = connect(gateway)
    client.place(310, contract(), order("BUY", "LMT", 400_000, lmtPrice=452.0, tif="GTC"))
    client.place(311, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    gateway.resume()
    client.wait_until(lambda calls: any(c[0] == "orderStatus" and c[1] == 310 and c[3] > 0 for c in calls))
    client.place(310, contract(), order("BUY", "LMT", 400_000, lmtPrice=430.0, tif="GTC"))
    client.wait_status(311, "Cancelled")
    gateway.call(lambda: gateway.gateway.advance(datetime(2026, 4, 14, 12, 0, tzinfo=UTC)), seconds=60.0)
    client.close()
    again = connect(gateway)
    again.api.reqAllOpenOrders()
    again.wait_for("openOrderEnd")
    again.api.reqExecutions(1, ExecutionFilter())
    again.wait_for("execDetailsEnd")
    again.api.reqPositions()
    again.wait_for("positionEnd")

    row = again.named("orderStatus")[0]
    assert row[1] == 310
    assert row[2] in {"PreSubmitted", "Submitted"}
    assert row[3] > 0
    assert row[3] + row[4] == 400_000
    assert again.named("execDetails") == []
    assert again.named("position")[0][3] == row[3]


def test_the_children_of_a_parent_are_given_a_group(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0, transmit=False))
    client.place(2, contract(), order("SELL", "LMT", 10, lmtPrice=480.0, parentId=1, transmit=False))
    client.place(3, contract(), order("SELL", "STP", 10, auxPrice=420.0, parentId=1, ocaGroup="mine"))
    client.wait_status(3, "PreSubmitted")

    groups = {call[1]: call[3].ocaGroup for call in client.named("openOrder")}
    assert groups == {1: "", 2: str(client.named("openOrder")[0][3].permId), 3: "mine"}
    client.forget()
    client.place(2, contract(), order("SELL", "LMT", 10, lmtPrice=481.0, parentId=1))
    client.place(2, contract(), order("SELL", "LMT", 10, lmtPrice=482.0, parentId=1, ocaGroup=groups[2]))
    client.wait_until(lambda calls: any(c[0] == "openOrder" and c[3].lmtPrice == 482.0 for c in calls))
    assert client.named("error") == []


def test_a_global_cancel_says_nothing_of_what_is_being_cancelled(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway(speed=1.0))
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0))
    client.wait_status(1, "Submitted")
    client.cancel(1)
    client.api.reqGlobalCancel(OrderCancel())
    client.wait_error(202, 1)

    assert client.trace()[-3:] == ["orderStatus PendingCancel 0/10", "orderStatus Cancelled 0/10", "error 202"]


@pytest.mark.parametrize(("size", "code"), [(0, 434), (-5, 321)])
def test_an_order_for_nothing_is_refused(start_gateway: StartGateway, connect: Connect, size: int, code: int) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", size, lmtPrice=430.0))

    client.wait_error(code, 1)
    assert client.trace() == [f"error {code}"]


@pytest.mark.parametrize(
    ("side", "kind", "terms", "code"),
    [
        ("BUY", "MKT", {"totalQuantity": Decimal("0.01"), "tif": "IOC"}, 10289),
        ("BUY", "MKT", {"cashQty": 500.0, "totalQuantity": Decimal(0)}, 111),
        ("BUY", "MKT", {"cashQty": 500.0, "totalQuantity": Decimal("0.01"), "tif": "IOC"}, 10293),
        ("SELL", "LMT", {"totalQuantity": Decimal("0.01"), "lmtPrice": 50_000.0, "tif": "GTC"}, 111),
    ],
)
def test_crypto_currencies_are_traded_at_once_and_bought_for_money(
    start_gateway: StartGateway, connect: Connect, side: str, kind: str, terms: dict[str, Any], code: int
) -> None:
    client = connect(start_gateway(instruments=further_instruments()))
    bitcoin = contract("BTC", "CRYPTO", "PAXOS")
    client.place(1, bitcoin, order(side, kind, 0, **terms))
    client.wait_error(code, 1)
    client.place(2, bitcoin, order("BUY", "MKT", 0, cashQty=500.0, tif="IOC"))
    client.wait_status(2, "Filled")


@pytest.mark.parametrize("terms", [{"faGroup": "All"}, {"faMethod": "NetLiq"}, {"faPercentage": "50"}])
def test_an_allocation_beside_an_account_is_refused(
    start_gateway: StartGateway, connect: Connect, terms: dict[str, str]
) -> None:
    client = connect(start_gateway())
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=430.0, account="DU1234567", **terms))

    client.wait_error(201, 1)
    assert client.trace() == ["error 201"]


@pytest.mark.parametrize("version", [178, 225])
def test_a_delta_neutral_order_is_for_combos_only(start_gateway: StartGateway, connect: Connect, version: int) -> None:
    client = connect(start_gateway(max_server_version=version))
    hedged = contract()
    hedged.deltaNeutralContract = DeltaNeutralContract()
    hedged.deltaNeutralContract.conId = 265598
    client.place(1, hedged, order("BUY", "LMT", 10, lmtPrice=430.0))

    client.wait_error(429, 1)
    assert client.trace() == ["error 429"]
