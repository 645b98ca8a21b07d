"""The rest of what a client may ask: data, history, reference, accounts, what-if."""

from datetime import timedelta
from typing import Any

import pytest
from ibapi.contract import Contract
from ibapi.scanner import ScannerSubscription

from .conftest import Connect, StartGateway
from .official_client import OfficialClient, contract, order

pytestmark = pytest.mark.socket
VERSIONS = [178, 225]


@pytest.fixture(params=VERSIONS)
def client(request: pytest.FixtureRequest, start_gateway: StartGateway, connect: Connect) -> OfficialClient:
    return connect(start_gateway(max_server_version=request.param, speed=200.0))


def bars(client: OfficialClient, request_id: int, duration: str, size: str, what: str, **extra: Any) -> list[Any]:
    settings = {"useRTH": 1, "formatDate": 1, "keepUpToDate": False, **extra}
    client.api.reqHistoricalData(
        request_id,
        contract(),
        endDateTime="",
        durationStr=duration,
        barSizeSetting=size,
        whatToShow=what,
        chartOptions=[],
        **settings,
    )
    client.wait_for("historicalDataEnd")
    return [call[2] for call in client.named("historicalData") if call[1] == request_id]


def test_historical_bars_reach_back_before_the_start(client: OfficialClient) -> None:
    rows = bars(client, 1, "2 D", "1 hour", "TRADES")

    assert len(rows) >= 7
    assert all(row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high for row in rows)
    assert [row.date for row in rows] == sorted(row.date for row in rows)


def test_bars_of_the_past_end_where_they_were_asked_to(start_gateway: StartGateway, connect: Connect) -> None:
    client = connect(start_gateway())
    end = "20260410 16:00:00 US/Eastern"
    client.api.reqHistoricalData(
        1, contract(), end, "1 D", "1 hour", "TRADES", 1, 1, keepUpToDate=False, chartOptions=[]
    )

    assert client.wait_for("historicalDataEnd")[3] == end


def test_bars_kept_up_to_date_continue_with_updates(client: OfficialClient) -> None:
    bars(client, 1, "1 D", "1 min", "MIDPOINT", keepUpToDate=True)

    client.wait_for("historicalDataUpdate", 2)
    client.api.cancelHistoricalData(1)
    client.api.cancelHistoricalData(1)
    client.wait_error(366, 1)


@pytest.mark.parametrize(
    ("duration", "size", "what", "words"),
    [("1 X", "1 min", "TRADES", "duration"), ("1 D", "7 mins", "TRADES", "bar size"), ("1 D", "1 min", "FUN", "what")],
)
def test_a_senseless_historical_request_names_what_is_wrong(
    client: OfficialClient, duration: str, size: str, what: str, words: str
) -> None:
    client.api.reqHistoricalData(3, contract(), "", duration, size, what, 1, 1, keepUpToDate=False, chartOptions=[])

    assert words in client.wait_error(321, 3)[4]


def test_head_timestamp_and_historical_ticks_are_answered(client: OfficialClient) -> None:
    client.api.reqHeadTimeStamp(1, contract(), "TRADES", 1, 1)
    client.wait_for("headTimestamp")
    for number, (what, callback) in enumerate(
        [("TRADES", "historicalTicksLast"), ("BID_ASK", "historicalTicksBidAsk"), ("MIDPOINT", "historicalTicks")], 2
    ):
        client.api.reqHistoricalTicks(
            number, contract(), "20260413 09:30:00 US/Eastern", "", 5, what, 1, ignoreSize=True, miscOptions=[]
        )
        rows = client.wait_for(callback)[2]
        assert 1 <= len(rows) <= 5


def test_real_time_bars_and_tick_by_tick_stream(client: OfficialClient) -> None:
    client.api.reqRealTimeBars(1, contract(), 5, "TRADES", useRTH=False, realTimeBarsOptions=[])
    for number, kind in enumerate(("Last", "BidAsk", "MidPoint"), 2):
        client.api.reqTickByTickData(number, contract(), kind, 0, ignoreSize=True)

    first, second = client.wait_for("realtimeBar")[2], client.wait_for("realtimeBar", 2)[2]
    assert (second - first) % 5 == 0
    for callback in ("tickByTickAllLast", "tickByTickBidAsk", "tickByTickMidPoint"):
        client.wait_for(callback)
    client.api.cancelTickByTickData(2)
    client.api.cancelTickByTickData(2)
    client.wait_error(300, 2)
    client.api.cancelRealTimeBars(1)


def test_a_snapshot_ends(client: OfficialClient) -> None:
    client.api.reqMktData(5, contract(), "", snapshot=True, regulatorySnapshot=False, mktDataOptions=[])

    client.wait_for("tickSnapshotEnd")
    assert {1, 2} <= {call[2] for call in client.named("tickPrice")}


def test_delayed_data_comes_with_delayed_tick_types(client: OfficialClient) -> None:
    client.api.reqMarketDataType(3)
    client.api.reqMktData(5, contract(), "", snapshot=False, regulatorySnapshot=False, mktDataOptions=[])

    client.wait_for("tickPrice", 6)
    assert client.named("marketDataType")[0][2] == 3
    assert {66, 67} <= {call[2] for call in client.named("tickPrice")}


def test_reference_data_is_answered(client: OfficialClient) -> None:
    client.api.reqMatchingSymbols(1, "SP")
    client.api.reqSecDefOptParams(2, "SPY", "", "STK", 756733)
    client.api.reqSmartComponents(3, "9c0001")
    client.api.reqFamilyCodes()
    client.api.reqUserInfo(4)
    client.api.reqMktDepthExchanges()
    client.api.reqSoftDollarTiers(5)
    client.api.reqNewsProviders()

    samples = client.wait_for("symbolSamples")[2]
    assert [(row.contract.symbol, row.derivativeSecTypes) for row in samples] == [("SPY", ["OPT"])]
    client.wait_for("securityDefinitionOptionParameterEnd")
    assert client.named("securityDefinitionOptionParameter")[0][6] == {"20270115"}
    for callback in ("smartComponents", "familyCodes", "userInfo", "mktDepthExchanges", "softDollarTiers"):
        client.wait_for(callback)
    client.wait_for("newsProviders")


def test_depth_has_the_quote_in_front_and_follows_it(client: OfficialClient) -> None:
    client.api.reqMktData(1, contract(), "", snapshot=False, regulatorySnapshot=False, mktDataOptions=[])
    client.api.reqMktDepth(7, contract(), 5, isSmartDepth=False, mktDepthOptions=[])
    client.wait_until(lambda calls: sum(c[0] == "updateMktDepth" for c in calls) > 30)

    rows: dict[int, list[tuple[float, Any]]] = {0: [], 1: []}
    for _, _, position, operation, side, price, size in client.named("updateMktDepth"):
        if operation == 0:
            rows[side].insert(position, (price, size))
        elif operation == 1:
            rows[side][position] = (price, size)
        else:
            del rows[side][position]
    asks, bids = ([price for price, _ in rows[side]] for side in (0, 1))
    assert (len(asks), len(bids)) == (5, 5)
    assert sorted(bids, reverse=True) == bids
    assert bids[0] < asks[0]
    assert sorted(asks) == asks
    assert all(size > 0 for side in rows.values() for _, size in side)


def test_at_most_three_books_are_open(client: OfficialClient) -> None:
    for number in range(1, 5):
        client.api.reqMktDepth(number, contract(), 1, isSmartDepth=True, mktDepthOptions=[])

    client.wait_error(309, 4)


def test_a_scanner_ranks_the_listed_shares_by_volume(client: OfficialClient) -> None:
    wanted = ScannerSubscription()
    wanted.instrument, wanted.scanCode, wanted.numberOfRows, wanted.abovePrice = "STK", "MOST_ACTIVE", 2, 200.0
    client.api.reqScannerSubscription(1, wanted, [], [])

    client.wait_for("scannerDataEnd")
    found = [(call[2], call[3].contract.symbol) for call in client.named("scannerData")]
    assert [rank for rank, _ in found] == [0, 1]
    assert {symbol for _, symbol in found} == {"SPY", "MSFT"}


def test_an_option_price_and_its_volatility_are_each_others_inverse(client: OfficialClient) -> None:
    call = Contract()
    call.conId, call.exchange = 700000001, "SMART"
    client.api.calculateOptionPrice(1, call, 0.25, 455.0, [])
    price = client.wait_for("tickOptionComputation")[6]
    client.api.calculateImpliedVolatility(2, call, price, 455.0, [])
    answer = client.wait_for("tickOptionComputation", 2)

    assert answer[4] == pytest.approx(0.25, abs=1e-6)
    assert 0.5 < answer[5] < 1
    client.api.calculateImpliedVolatility(3, call, 0.01, 455.0, [])
    assert client.wait_for("tickOptionComputation", 3)[4] is None


def test_positions_and_profit_follow_a_fill(client: OfficialClient) -> None:
    client.api.reqPnL(1, "DU1234567", "")
    client.api.reqPnLSingle(2, "DU1234567", "", 756733)
    client.api.reqPositionsMulti(3, "DU1234567", "")
    client.api.reqAccountUpdatesMulti(4, "DU1234567", "", ledgerAndNLV=True)
    client.wait_for("positionMultiEnd")
    client.wait_for("accountUpdateMultiEnd")
    client.place(1, contract(), order("BUY", "MKT", 10))

    client.wait_until(lambda calls: any(c[0] == "pnlSingle" and c[2] == 10 for c in calls))
    client.wait_until(lambda calls: any(c[0] == "positionMulti" and c[5] == 10 for c in calls))
    client.wait_for("pnl", 2)
    client.api.cancelPnL(1)
    client.api.reqPnL(9, "DU000", "")
    client.wait_error(321, 9)


def test_a_what_if_order_shows_margins_and_is_not_placed(client: OfficialClient) -> None:
    client.place(1, contract(), order("BUY", "MKT", 100, whatIf=True))

    state = client.wait_for("openOrder")[4]
    assert float(state.initMarginAfter) > float(state.initMarginBefore)
    assert state.commissionAndFees > 0
    client.api.reqAllOpenOrders()
    client.wait_for("openOrderEnd")
    assert len(client.named("openOrder")) == 1
    client.place(2, contract(), order("BUY", "MKT", 100, whatIf=True, transmit=False))
    client.wait_error(413, 2)


def test_a_what_if_without_a_time_in_force_is_10349_alone(client: OfficialClient) -> None:
    client.place(1, contract(), order("BUY", "MKT", 100, whatIf=True, tif=""))

    client.wait_error(10349, 1)
    client.catch_up()
    assert client.named("openOrder") == []


@pytest.mark.parametrize(
    ("tag", "currencies"),
    [("$LEDGER", {"BASE"}), ("$LEDGER:USD", {"USD"}), ("$LEDGER:ALL", {"USD", "EUR", "BASE"})],
)
def test_a_summary_of_the_ledger_names_its_currencies(client: OfficialClient, tag: str, currencies: set[str]) -> None:
    euros = contract("EUR", "CASH", "IDEALPRO")
    client.place(1, euros, order("BUY", "MKT", 20000))
    client.wait_status(1, "Filled")
    client.api.reqAccountSummary(9, "All", f"NetLiquidation,{tag}")
    client.wait_for("accountSummaryEnd")

    cash = [call for call in client.named("accountSummary") if call[3] == "CashBalance"]
    assert {call[5] for call in cash} == currencies
    assert len([call for call in client.named("accountSummary") if call[3] == "NetLiquidation"]) == 1


def test_yesterdays_equity_does_not_move_with_todays_fees(client: OfficialClient) -> None:
    client.place(1, contract(), order("BUY", "MKT", 100))
    client.wait_status(1, "Filled")
    client.api.reqAccountSummary(9, "All", "EquityWithLoanValue,PreviousDayEquityWithLoanValue")
    client.wait_for("accountSummaryEnd")

    values = {call[3]: call[4] for call in client.named("accountSummary")}
    assert values["PreviousDayEquityWithLoanValue"] == "1000000.00"
    assert values["EquityWithLoanValue"] != "1000000.00"


def test_an_ambiguous_contract_is_refused_for_data_and_orders(client: OfficialClient) -> None:
    option = Contract()
    option.symbol, option.secType, option.exchange, option.currency = "SPY", "OPT", "SMART", "USD"
    client.api.reqMktData(5, option, "", snapshot=False, regulatorySnapshot=False, mktDataOptions=[])
    assert "ambiguous" in client.wait_error(200, 5)[4]
    client.api.reqContractDetails(6, option)
    client.wait_for("contractDetailsEnd")
    assert len(client.named("contractDetails")) == 2


def test_a_client_that_follows_the_time_is_never_left_behind(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway(speed=None, lockstep=timedelta(seconds=2), start_paused=True)
    client = connect(gateway)
    leads: list[float] = []
    for asked in range(1, 51):
        client.api.reqCurrentTimeInMillis()
        if asked == 1:
            gateway.resume()
        told = client.wait_for("currentTimeInMillis", asked)[1]
        leads.append(gateway.now().timestamp() - told / 1000)

    assert max(leads) <= 3.0
