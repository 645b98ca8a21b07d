"""Frames understood two ways: directly and by the official decoder; and frames of any content survived."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.domain.identity import Epoch
from actors.messages.reports import FrameDamaged, Report, SnapshotEnded
from ibapi_bridge.client import silence_official_loggers
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.direct import ROWS
from ibapi_bridge.hot_reports import READERS
from ibapi_bridge.listening import Listener
from tests.ibapi_bridge.scripted_gateway import message_class, protobuf, raw, status

AT = datetime(2026, 4, 13, 19, 30, tzinfo=UTC)
CONTRACT = {
    "conId": 265598,
    "symbol": "AAPL",
    "secType": "STK",
    "exchange": "SMART",
    "primaryExch": "NASDAQ",
    "currency": "USD",
    "localSymbol": "AAPL",
    "tradingClass": "NMS",
    "multiplier": 100.0,
    "strike": 5000.5,
    "right": "C",
}
ORDER = {
    "orderId": 5,
    "clientId": 1,
    "permId": 2**40,
    "action": "SELL",
    "totalQuantity": "10.5",
    "orderType": "STP LMT",
    "lmtPrice": 495.0,
    "auxPrice": 496.25,
    "tif": "GTD",
    "goodTillDate": "20260414 15:59:00 US/Eastern",
    "account": "DU1234567",
    "orderRef": "mr-1",
    "outsideRth": True,
    "parentId": 4,
    "filledQuantity": "3",
}
STATE = {
    "status": "PreSubmitted",
    "rejectReason": "no",
    "warningText": "careful",
    "completedStatus": "Cancelled by Trader",
}
EXECUTION = {
    "orderId": 5,
    "execId": "0000e0d5.69dcefd8.01.01",
    "time": "20260413 15:27:04 US/Eastern",
    "acctNumber": "DU1234567",
    "exchange": "IEX",
    "side": "BOT",
    "shares": "10",
    "price": 495.01,
    "permId": 2**40,
    "clientId": 1,
    "isLiquidation": True,
    "cumQty": "10",
    "avgPrice": 495.01,
    "orderRef": "mr-1",
    "lastLiquidity": 2,
}
DETAILS = {
    "minTick": "0.01",
    "validExchanges": "SMART,NYSE",
    "marketRuleIds": "26,26",
    "timeZoneId": "US/Eastern",
    "liquidHours": "20260413:0930-20260413:1600",
    "tradingHours": "20260413:0400-20260413:2000",
    "minSize": "0.0001",
    "sizeIncrement": "0.0001",
}
REQUEST = 10_000_000
MESSAGES: list[tuple[int, str, dict[str, Any]]] = [
    (1, "TickPrice", {"reqId": REQUEST + 1, "tickType": 1, "price": 495.0, "size": "100", "attrMask": 1}),
    (2, "TickSize", {"reqId": REQUEST + 1, "tickType": 0, "size": "200"}),
    (3, "OrderStatus", {"orderId": 5, "status": "Filled", "filled": "10", "remaining": "0", "avgFillPrice": 1.5}),
    (3, "OrderStatus", {"orderId": 5, "status": "Inactive"}),
    (4, "ErrorMessage", {"id": 5, "errorTime": 1, "errorCode": 201, "errorMsg": "no", "advancedOrderRejectJson": "{}"}),
    (5, "OpenOrder", {"orderId": 5, "contract": CONTRACT, "order": ORDER, "orderState": STATE}),
    (6, "AccountValue", {"key": "NetLiquidation", "value": "1.0", "currency": "USD", "accountName": "DU1234567"}),
    (9, "NextValidId", {"orderId": 5}),
    (10, "ContractData", {"reqId": REQUEST, "contract": CONTRACT, "contractDetails": DETAILS}),
    (11, "ExecutionDetails", {"reqId": -1, "contract": CONTRACT, "execution": EXECUTION}),
    (15, "ManagedAccounts", {"accountsList": "DU1234567,DU7654321"}),
    (45, "TickGeneric", {"reqId": REQUEST + 1, "tickType": 49, "value": 1.0}),
    (49, "CurrentTime", {"currentTime": 1_776_000_000}),
    (52, "ContractDataEnd", {"reqId": REQUEST}),
    (53, "OpenOrdersEnd", {}),
    (54, "AccountDataEnd", {"accountName": "DU1234567"}),
    (55, "ExecutionDetailsEnd", {"reqId": REQUEST + 2}),
    (
        59,
        "CommissionAndFeesReport",
        {"execId": "a.01", "commissionAndFees": 1.05, "currency": "USD", "realizedPNL": 2.5},
    ),
    (61, "Position", {"account": "DU1234567", "contract": CONTRACT, "position": "-3", "avgCost": 2100.63}),
    (62, "PositionEnd", {}),
    (63, "AccountSummary", {"reqId": 1, "account": "DU1", "tag": "Cushion", "value": "1", "currency": ""}),
    (64, "AccountSummaryEnd", {"reqId": REQUEST + 3}),
    (91, "RerouteMarketDataRequest", {"reqId": REQUEST + 9, "conId": 7, "exchange": "SMART"}),
    (93, "MarketRule", {"marketRuleId": 26, "priceIncrements": [{"lowEdge": 0.0, "increment": 0.01}]}),
    (100, "OrderBound", {"permId": 9, "clientId": 0, "orderId": -2}),
    (101, "CompletedOrder", {"contract": CONTRACT, "order": ORDER, "orderState": STATE}),
    (102, "CompletedOrdersEnd", {}),
    (109, "CurrentTimeInMillis", {"currentTimeInMillis": 1_776_000_000_123}),
]


def listener(*, official: bool, version: int = 213) -> Listener:
    silence_official_loggers()
    context = Conversation()
    context.note("reqContractDetails", {"reqId": REQUEST, "contract": None})
    context.note("reqMktData", {"reqId": REQUEST + 1, "contract": None})
    context.note("reqExecutions", {"reqId": REQUEST + 2})
    context.note("reqAccountSummary", {"reqId": REQUEST + 3})
    for name in ("reqAllOpenOrders", "reqCompletedOrders", "reqPositions", "reqAccountUpdates"):
        context.note(name, {})
    overheard = (lambda _name, _args: None) if official else None
    return Listener(server_version=version, epoch=Epoch(1), context=context, now=lambda: AT, overheard=overheard)


def conversation(*, official: bool) -> list[Report]:
    hearer = listener(official=official)
    return [
        report for number, kind, args in MESSAGES for report in hearer.understand(protobuf(number, kind, **args)[4:])
    ]


def test_reading_directly_says_what_the_official_decoder_says() -> None:
    direct, official = conversation(official=False), conversation(official=True)
    assert not [report for report in direct if isinstance(report, FrameDamaged)]
    official = [report for report in official if "bid=Decimal('495.0'), bid_size=None" not in str(report)]
    assert direct == official


def test_every_message_read_directly_is_among_the_samples() -> None:
    assert {number for number, _, _ in MESSAGES} | {18} == set(ROWS) | set(READERS)


@pytest.mark.parametrize("number", sorted(set(ROWS) | set(READERS)))
def test_an_empty_message_of_any_kind_is_survived(number: int) -> None:
    read_as = (ROWS.get(number) or READERS[number])[1]
    kind = read_as.__name__
    for report in listener(official=False).understand(protobuf(number, kind)[4:]):
        assert report.epoch == 1
    assert message_class(kind) is read_as


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(min_value=0, max_value=320), st.binary(max_size=200), st.sampled_from([157, 178, 200, 201, 213, 225])
)
def test_no_frame_whatsoever_raises(number: int, content: bytes, version: int) -> None:
    frame = raw(number, content)[4:] if version >= 201 else b"%d\0" % number + content
    for official in (False, True):
        hearer = listener(official=official, version=version)
        for report in hearer.understand(frame):
            assert isinstance(report, Report)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(MESSAGES), st.data())
def test_no_flipped_byte_raises(message: tuple[int, str, dict[str, Any]], data: st.DataObject) -> None:
    number, kind, args = message
    frame = bytearray(protobuf(number, kind, **args)[4:])
    for _ in range(data.draw(st.integers(min_value=1, max_value=4))):
        place = data.draw(st.integers(min_value=0, max_value=len(frame) - 1))
        frame[place] = data.draw(st.integers(min_value=0, max_value=255))
    for report in listener(official=False).understand(bytes(frame)):
        assert isinstance(report, Report)


def test_a_damaged_frame_shows_a_short_excerpt_without_account_numbers() -> None:
    (report,) = listener(official=False).understand(raw(203, b"\xff DU1234567 " + bytes(5_000))[4:])
    assert isinstance(report, FrameDamaged)
    assert "DU1234567" not in report.excerpt
    assert "DU*****67" in report.excerpt
    assert len(report.excerpt) <= 400


def test_text_and_protobuf_live_side_by_side() -> None:
    hearer = listener(official=False, version=213)
    (as_text,) = hearer.understand(raw(9, b"1\0" + b"7\0")[4:])
    assert as_text.order_id == 7  # type: ignore[attr-defined]
    assert hearer.understand(status(8)[4:])[0].order_id == 8  # type: ignore[attr-defined]


@pytest.mark.parametrize("account", ["DU1234567", "U12345678", "DU12345678"])
def test_an_account_among_the_bytes_of_a_truncated_execution_is_masked(account: str) -> None:
    execution = {"execId": "0000e0d5.1.01.01", "acctNumber": account, "exchange": "IEX", "side": "BOT", "shares": "10"}
    whole = protobuf(11, "ExecutionDetails", reqId=-1, execution=execution)
    (report,) = listener(official=False).understand(whole[4:-3])
    assert isinstance(report, FrameDamaged)
    assert account not in report.excerpt
    assert "0000e0d5" in report.excerpt


BROKEN = b"\x08\x01\x12\xff\xff\xff\xff\x0f\x01"
LISTS = [
    (5, protobuf(53, "OpenOrdersEnd")),
    (11, protobuf(55, "ExecutionDetailsEnd", reqId=REQUEST + 2)),
    (101, protobuf(102, "CompletedOrdersEnd")),
]


@pytest.mark.parametrize("official", [False, True])
@pytest.mark.parametrize(("row", "end"), LISTS)
def test_a_list_with_a_row_that_cannot_be_read_did_not_come_in_full(row: int, end: bytes, *, official: bool) -> None:
    hearer = listener(official=official)
    (damage,) = hearer.understand(raw(row + 200, BROKEN)[4:])
    assert isinstance(damage, FrameDamaged)
    (ended,) = hearer.understand(end[4:])
    assert isinstance(ended, SnapshotEnded)
    assert (ended.complete, ended.reason) == (False, "a row of it could not be read")


@pytest.mark.parametrize(("row", "end"), LISTS)
def test_a_row_tears_the_list_it_belongs_to_and_one_without_a_message_id_every_list(row: int, end: bytes) -> None:
    hearer = listener(official=False)
    untranslatable = protobuf(11, "ExecutionDetails", reqId=-1, execution={**EXECUTION, "shares": "NaN"})
    (damage,) = hearer.understand(untranslatable[4:])
    assert isinstance(damage, FrameDamaged)
    assert [ended.complete for ended in hearer.understand(end[4:])] == [row != 11]  # type: ignore[attr-defined]
    unreadable = listener(official=False)
    unreadable.understand(b"\0\0")
    assert [ended.complete for ended in unreadable.understand(end[4:])] == [False]  # type: ignore[attr-defined]


def test_a_position_that_cannot_be_read_leaves_the_others_standing() -> None:
    """Of an incomplete list nothing at all would be taken."""
    hearer = listener(official=False)
    (damage,) = hearer.understand(protobuf(61, "Position", account="DU1234567", contract=CONTRACT, position="NaN")[4:])
    assert isinstance(damage, FrameDamaged)
    (ended,) = hearer.understand(protobuf(62, "PositionEnd")[4:])
    assert isinstance(ended, SnapshotEnded)
    assert ended.complete


def test_the_next_answer_is_judged_by_itself_and_a_broken_row_of_no_list_counts_for_none() -> None:
    context = Conversation()
    hearer = Listener(server_version=213, epoch=Epoch(1), context=context, now=lambda: AT)
    for broken, whole in ((True, False), (False, True)):
        context.note("reqAllOpenOrders", {})
        if broken:
            hearer.understand(raw(205, BROKEN)[4:])
        assert [ended.complete for ended in hearer.understand(LISTS[0][1][4:])] == [whole]  # type: ignore[attr-defined]
        hearer.understand(raw(205, BROKEN)[4:])
