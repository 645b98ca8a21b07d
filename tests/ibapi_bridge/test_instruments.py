from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.contract import ContractDetails

from actors.domain.contract import Contract, Session
from actors.messages.reports import InstrumentRefused, InstrumentReported
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.instruments import candidate_of, increments_of, sessions_of
from tests.ibapi_bridge.official import contract, put, said

NEW_YORK = ZoneInfo("America/New_York")
WANTED = Contract(symbol="SPY")
HOURS = "20260410:0930-20260410:1600;20260411:CLOSED;20260413:0930-20260413:1600"


def details(con_id: int = 756733, **attributes: object) -> ContractDetails:
    shown = {
        "contract": contract(conId=con_id, primaryExchange="ARCA"),
        "minTick": 0.01,
        "validExchanges": "SMART,NYSE,ARCA",
        "marketRuleIds": "26,27,28",
        "timeZoneId": "US/Eastern",
        "liquidHours": HOURS,
        "tradingHours": "20260410:0400-20260410:2000",
        "minSize": Decimal("0.0001"),
        "sizeIncrement": Decimal("0.0001"),
        **attributes,
    }
    found: ContractDetails = put(ContractDetails(), **shown)
    return found


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 4, day, hour, minute, tzinfo=UTC)


def test_hours_become_utc_sessions() -> None:
    assert sessions_of(HOURS, NEW_YORK) == (
        Session(opens=at(10, 13, 30), closes=at(10, 20)),
        Session(opens=at(13, 13, 30), closes=at(13, 20)),
    )


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ("20260409:1700-20260410:1600", (Session(opens=at(9, 21), closes=at(10, 20)),)),
        ("20260410:0930-1600", (Session(opens=at(10, 13, 30), closes=at(10, 20)),)),
        ("20260410:0930-20260410:2400", (Session(opens=at(10, 13, 30), closes=at(11, 4)),)),
        (
            "20260410:0930-20260410:1200,20260410:1300-20260410:1600",
            (Session(opens=at(10, 13, 30), closes=at(10, 16)), Session(opens=at(10, 17), closes=at(10, 20))),
        ),
        ("20260410:CLOSED", ()),
        ("", ()),
        ("rubbish;20260410:0930-;-20260410:1600;20269999:0930-20269999:1600", ()),
        ("20260410:1600-20260410:0930", ()),
    ],
)
def test_every_fashion_of_hours_is_read(hours: str, expected: tuple[Session, ...]) -> None:
    assert sessions_of(hours, NEW_YORK) == expected


def test_a_session_over_the_change_to_summer_time_has_its_real_length() -> None:
    (night,) = sessions_of("20260307:1800-20260308:1700", NEW_YORK)
    assert (night.closes - night.opens).total_seconds() == 22 * 3600


@settings(deadline=None)
@given(st.text(alphabet="0123456789:;,-CLOSED ", max_size=80))
def test_no_text_of_hours_raises(hours: str) -> None:
    for session in sessions_of(hours, NEW_YORK):
        assert session.opens < session.closes


def test_the_market_rule_of_the_routing_exchange_is_chosen() -> None:
    rules = {
        exchange: candidate_of(contract(exchange=exchange), details()).rule_id
        for exchange in ("SMART", "NYSE", "ARCA", "IEX")
    }
    assert rules == {"SMART": 26, "NYSE": 27, "ARCA": 28, "IEX": 26}


def test_price_rows_are_ascending_and_sound() -> None:
    rows = [
        SimpleNamespace(lowEdge=1.0, increment=0.01),
        SimpleNamespace(lowEdge=0.0, increment=0.0001),
        SimpleNamespace(lowEdge=5.0, increment=0.0),
    ]
    assert increments_of(rows) == ((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01")))


def test_one_candidate_becomes_an_instrument_on_the_grid_of_its_rule() -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    assert said("contractDetails", context, reqId=10_000_000, contractDetails=details()) == ()
    assert said("contractDetailsEnd", context, reqId=10_000_000) == ()
    assert context.rules_to_ask == [26]
    rows = [SimpleNamespace(lowEdge=0.0, increment=0.01)]
    (report,) = said("marketRule", context, marketRuleId=26, priceIncrements=rows)
    assert isinstance(report, InstrumentReported)
    assert report.wanted == WANTED
    assert report.instrument.contract.con_id == 756733
    assert report.instrument.price_increments == ((Decimal(0), Decimal("0.01")),)
    assert report.instrument.min_size == Decimal("0.0001")
    assert report.instrument.time_zone == "US/Eastern"


def test_an_ambiguous_contract_is_refused_with_its_candidates() -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    for con_id in range(1, 12):
        said("contractDetails", context, reqId=10_000_000, contractDetails=details(con_id))
    (report,) = said("contractDetailsEnd", context, reqId=10_000_000)
    assert isinstance(report, InstrumentRefused)
    assert "ambiguous" in report.text
    assert "conId 1)" in report.text
    assert "and 3 more" in report.text


def test_without_a_market_rule_the_smallest_tick_is_the_grid() -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    said("contractDetails", context, reqId=10_000_000, contractDetails=details())
    said("contractDetailsEnd", context, reqId=10_000_000)
    _, report = said("error", context, reqId=-1, errorCode=124, errorString="No market rule is available for conid: 26")
    assert isinstance(report, InstrumentReported)
    assert report.instrument.price_increments == ()
    assert said("marketRule", context, marketRuleId=26, priceIncrements=[]) == ()


@pytest.mark.parametrize("name", ["contractDetails", "message 10", "message 210", "message 218", "frame"])
def test_a_contract_is_refused_when_one_of_the_offers_could_not_be_read(name: str) -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    said("contractDetails", context, reqId=10_000_000, contractDetails=details())
    context.tear(name)
    (report,) = said("contractDetailsEnd", context, reqId=10_000_000)
    assert isinstance(report, InstrumentRefused)
    assert "could not be read" in report.text


def test_a_row_of_another_kind_that_could_not_be_read_is_no_offer() -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    said("contractDetails", context, reqId=10_000_000, contractDetails=details(marketRuleIds=""))
    context.tear("openOrder")
    (report,) = said("contractDetailsEnd", context, reqId=10_000_000)
    assert isinstance(report, InstrumentReported)


def test_the_same_contract_offered_twice_is_not_ambiguous() -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    for _ in range(2):
        said("contractDetails", context, reqId=10_000_000, contractDetails=details(marketRuleIds=""))
    (report,) = said("contractDetailsEnd", context, reqId=10_000_000)
    assert isinstance(report, InstrumentReported)


@pytest.mark.parametrize("magnifier", [100, 10])
def test_a_contract_whose_prices_are_no_units_of_its_currency_is_refused(magnifier: int) -> None:
    """London's shares are quoted in pence and settled in pounds: P&L and limits would be a hundred times too much."""
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    said("contractDetails", context, reqId=10_000_000, contractDetails=details(priceMagnifier=magnifier))
    (report,) = said("contractDetailsEnd", context, reqId=10_000_000)
    assert isinstance(report, InstrumentRefused)
    assert f"are told in 1/{magnifier} USD (priceMagnifier): such contracts are not supported" in report.text


@pytest.mark.parametrize("magnifier", [0, 1, 2**31 - 1])
def test_prices_in_units_of_the_currency_are_the_rule(magnifier: int) -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    offer = details(priceMagnifier=magnifier, marketRuleIds="")
    said("contractDetails", context, reqId=10_000_000, contractDetails=offer)
    (report,) = said("contractDetailsEnd", context, reqId=10_000_000)
    assert isinstance(report, InstrumentReported)


def test_a_contract_nobody_knows_is_refused_by_error_or_by_an_empty_answer() -> None:
    context = Conversation()
    context.note("reqContractDetails", {"reqId": 10_000_000}, wanted=WANTED)
    context.note("reqContractDetails", {"reqId": 10_000_001}, wanted=WANTED)
    _, refused = said("error", context, reqId=10_000_000, errorCode=200, errorString="No security definition")
    assert isinstance(refused, InstrumentRefused)
    assert refused.text.startswith("200")
    (empty,) = said("contractDetailsEnd", context, reqId=10_000_001)
    assert isinstance(empty, InstrumentRefused)
    assert said("contractDetailsEnd", context, reqId=10_000_000) == ()
