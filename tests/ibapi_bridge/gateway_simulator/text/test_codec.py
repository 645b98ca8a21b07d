"""The text tables against the official encoder and decoder, at many versions."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.client import EClient
from ibapi.client_utils import createPlaceOrderRequestProto
from ibapi.contract import ComboLeg, Contract, DeltaNeutralContract
from ibapi.message import IN, OUT
from ibapi.order import COMPETE_AGAINST_BEST_OFFSET_UP_TO_MID, Order, OrderComboLeg
from ibapi.order_cancel import OrderCancel
from ibapi.order_condition import (
    ExecutionCondition,
    MarginCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from ibapi.softdollartier import SoftDollarTier
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper

from ibapi_bridge.gateway_simulator.catalogue import REPLIES, REQUESTS
from ibapi_bridge.gateway_simulator.order_messages import echo
from ibapi_bridge.gateway_simulator.text import codec
from ibapi_bridge.gateway_simulator.text.layout import FieldError
from ibapi_bridge.gateway_simulator.text.requests import REQUESTS as REQUEST_TABLES
from ibapi_bridge.gateway_simulator.wire import encode_reply
from tests.ibapi_bridge.gateway_simulator.official_decoder import heard
from tests.ibapi_bridge.gateway_simulator.test_request_layouts import Wire

ALL_VERSIONS = list(range(157, 201))
WORDS = st.text(alphabet="abcXYZ019 ._-", max_size=8).map(str.strip)
PRICES = st.decimals(min_value=0, max_value=100_000, places=2).map(float)
COUNTS = st.integers(min_value=0, max_value=1_000_000)


def official(version: int) -> tuple[EClient, Wire]:
    client, wire = EClient(EWrapper()), Wire()
    client.conn = wire
    client.serverVersion_ = version
    client.setConnState(EClient.CONNECTED)
    return client, wire


def decoded(wire: Wire, version: int) -> Any:
    assert len(wire.sent) == 1
    number, _, body = wire.sent[0][4:].partition(b"\0")
    return codec.read_request(int(number), body, version)


def some_order(draw: Callable[..., Any], version: int) -> Order:
    order = Order()
    order.action = draw(st.sampled_from(["BUY", "SELL"]))
    order.totalQuantity = draw(st.decimals(min_value=0, max_value=10_000, places=2))
    order.orderType = draw(st.sampled_from(["MKT", "LMT", "STP LMT", "PEG BENCH", "PEG BEST", "PEG MID", "TRAIL"]))
    order.tif = draw(st.sampled_from(["DAY", "GTC", ""]))
    for name in ("lmtPrice", "auxPrice", "trailingPercent", "trailStopPrice", "triggerPrice", "cashQty"):
        if draw(st.booleans()):
            setattr(order, name, draw(PRICES))
    for name in ("orderRef", "ocaGroup", "account", "modelCode", "goodTillDate", "faGroup", "settlingFirm"):
        setattr(order, name, draw(WORDS))
    for name in ("parentId", "displaySize", "ocaType", "triggerMethod", "shortSaleSlot"):
        setattr(order, name, draw(COUNTS))
    for name in ("transmit", "outsideRth", "hidden", "allOrNone", "whatIf", "solicited", "notHeld", "blockOrder"):
        setattr(order, name, draw(st.booleans()))
    _extras(order, draw, version)
    return order


def _extras(order: Order, draw: Callable[..., Any], version: int) -> None:
    if draw(st.booleans()):
        order.scalePriceIncrement = draw(PRICES)
        order.scaleInitLevelSize = draw(COUNTS)
        order.scaleRandomPercent = draw(st.booleans())
    if draw(st.booleans()):
        order.hedgeType, order.hedgeParam = "P", draw(WORDS)
    if draw(st.booleans()):
        order.algoStrategy = "Adaptive"
        order.algoParams = [TagValue("adaptivePriority", "Normal")]
    if draw(st.booleans()):
        order.deltaNeutralOrderType, order.deltaNeutralConId = "LMT", draw(COUNTS)
        order.deltaNeutralOpenClose = "O"
    if order.orderType == "PEG BEST" and version >= 170 and draw(st.booleans()):
        order.competeAgainstBestOffset = COMPETE_AGAINST_BEST_OFFSET_UP_TO_MID
        order.midOffsetAtWhole = 0.5
    if draw(st.booleans()):
        order.softDollarTier = SoftDollarTier("tier", "value", "")
        order.usePriceMgmtAlgo = draw(st.booleans())
    order.conditions = draw(st.lists(st.sampled_from(conditions()), max_size=3))
    order.conditionsCancelOrder = draw(st.booleans())


def conditions() -> list[Any]:
    made = [
        PriceCondition(2, 265598, "SMART", isMore=True, price=150.25),
        TimeCondition(isMore=False, time="20260413 15:00:00 US/Eastern"),
        MarginCondition(isMore=True, percent=30),
        ExecutionCondition("STK", "SMART", "IBM"),
        VolumeCondition(265598, "SMART", isMore=True, volume=1000),
        PercentChangeCondition(265598, "SMART", isMore=False, changePercent=2.5),
    ]
    for index, condition in enumerate(made):
        condition.isConjunctionConnection = index % 2 == 0
    return made


def some_contract(draw: Callable[..., Any]) -> Contract:
    contract = Contract()
    contract.conId, contract.symbol = draw(COUNTS), draw(WORDS)
    contract.secType = draw(st.sampled_from(["STK", "OPT", "BAG"]))
    contract.exchange = draw(st.sampled_from(["SMART", "IBKRATS"]))
    contract.strike, contract.multiplier = draw(PRICES), draw(st.sampled_from(["", "100"]))
    if contract.secType == "BAG":
        contract.comboLegs = [_leg(draw) for _ in range(draw(st.integers(0, 3)))]
    if draw(st.booleans()):
        contract.deltaNeutralContract = DeltaNeutralContract()
        contract.deltaNeutralContract.conId = draw(COUNTS)
    return contract


def _leg(draw: Callable[..., Any]) -> ComboLeg:
    leg = ComboLeg()
    leg.conId, leg.ratio, leg.action, leg.exchange = draw(COUNTS), 1, "BUY", "SMART"
    leg.openClose = 1
    return leg


@settings(deadline=None, max_examples=150)
@given(st.data(), st.sampled_from(ALL_VERSIONS))
def test_every_order_the_official_client_writes_as_text_reads_as_its_protobuf_twin(data: Any, version: int) -> None:
    contract, order = some_contract(data.draw), some_order(data.draw, version)
    if contract.secType == "BAG" and contract.comboLegs:
        order.orderComboLegs = [OrderComboLeg() for _ in contract.comboLegs]
        order.orderComboLegs[0].price = 1.5
        order.smartComboRoutingParams = [TagValue("NonGuaranteed", "1")]
    client, wire = official(version)
    client.placeOrder(17, contract, order)

    read = decoded(wire, version)
    twin = createPlaceOrderRequestProto(17, contract, order)
    different = _differences(read.order, twin.order) | _differences(read.contract, twin.contract)
    assert different <= _gated(version, order, contract), (read, twin)
    assert read.orderId == 17


def _differences(read: Any, twin: Any) -> set[str]:
    return {
        field.name
        for field in twin.DESCRIPTOR.fields
        if not _same(getattr(read, field.name), getattr(twin, field.name))
    }


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "DESCRIPTOR"):
        return not _differences(one, other)
    if hasattr(one, "items"):
        return dict(one) == dict(other)
    if hasattr(one, "add"):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def _gated(version: int, order: Order, contract: Contract) -> set[str]:
    """Fields this order's text form does not carry at all, whatever their value."""
    absent = {"referenceContractId", "peggedChangeAmount", "isPeggedChangeAmountDecrease", "referenceChangeAmount"}
    absent |= {"deltaNeutralConId"} if not order.deltaNeutralOrderType else set()
    absent |= {"scaleRandomPercent"} if not order.scalePriceIncrement > 0 else set()
    absent |= {"conditionsCancelOrder", "conditionsIgnoreRth"} if not order.conditions else set()
    absent |= {"comboLegs"} if contract.secType != "BAG" else set()
    return absent


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(sorted(REQUEST_TABLES)),
    st.lists(st.text(alphabet="019-.aZ;=\u00e9", max_size=6), max_size=40),
    st.sampled_from(ALL_VERSIONS),
)
def test_nonsense_is_refused_and_never_crashes(number: int, texts: list[str], version: int) -> None:
    body = "".join(f"{text}\0" for text in texts).encode()
    try:
        message = codec.read_request(number, body, version)
    except FieldError:
        return
    assert message.DESCRIPTOR.name == REQUESTS[number].message.DESCRIPTOR.name


def test_prices_keep_their_digits_and_unset_keeps_its_spelling() -> None:
    report = REPLIES[IN.COMMISSION_AND_FEES_REPORT].message(execId="x", commissionAndFees=0.35)
    body = codec.write_reply(IN.COMMISSION_AND_FEES_REPORT, report, 200)

    assert body.split(b"\0")[2:6] == [b"0.35", b"", b"1.7976931348623157E308", b"1.7976931348623157E308"]
    assert Decimal("0.35") == Decimal(body.split(b"\0")[2].decode())


def test_cancel_requests_carry_the_fields_of_their_version() -> None:
    for version in ALL_VERSIONS:
        client, wire = official(version)
        client.cancelOrder(9, OrderCancel())
        assert decoded(wire, version).orderId == 9
        assert REQUESTS[OUT.CANCEL_ORDER].name == "cancelOrder"


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_an_order_echoed_as_text_decodes_as_the_one_echoed_as_protobuf(data: Any) -> None:
    contract, order = some_contract(data.draw), some_order(data.draw, 200)
    request = createPlaceOrderRequestProto(17, contract, order)
    message = REPLIES[IN.OPEN_ORDER].message(orderId=17, contract=request.contract)
    message.order.CopyFrom(echo(request.order, client_id=1, order_id=17, perm_id=99, account="DU1234567"))
    message.orderState.status = "Submitted"

    text = heard(200, encode_reply(200, IN.OPEN_ORDER, message))[0]
    protobuf = heard(225, encode_reply(225, IN.OPEN_ORDER, message))[0]

    known = SPELT_DIFFERENTLY | UNSET_MARGINS
    for mine, twin in zip(text[2:], protobuf[2:], strict=True):
        assert {name for name in vars(twin) if not _alike(getattr(mine, name), getattr(twin, name))} <= known


# Unset margins are spelt out in text, absent prices of legs are None, a condition's percent is a float there, and
# flags that only mean something beside other fields are not sent without them.
SPELT_DIFFERENTLY = {
    "referencePriceType", "usePriceMgmtAlgo", "orderComboLegs", "conditions", "conditionsCancelOrder",
    "scaleRandomPercent",
}  # fmt: skip
UNSET_MARGINS = {
    f"{kind}{moment}"
    for kind in ("initMargin", "maintMargin", "equityWithLoan")
    for moment in ("Before", "Change", "After")
}


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, list) or isinstance(other, list):
        return [str(item) for item in one or []] == [str(item) for item in other or []]
    if hasattr(one, "__dict__"):
        return str(one) == str(other)
    return bool(one == other)
