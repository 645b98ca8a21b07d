from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import Contract, Instrument, Leg, SecType
from actors.domain.identity import Epoch, OmsId, OrderId
from actors.domain.terms import Order, OrderType, Side, TimeInForce
from actors.link import SendError
from actors.messages.wire import CancelPlacedOrder
from ibapi_bridge.client import RequestEncoder
from ibapi_bridge.inbound_terms import contract_of, order_of
from ibapi_bridge.instruments import combo_instrument
from ibapi_bridge.outbound import cancel_order, contract_details, official_contract, place_order, wire_price
from tests.ibapi_bridge.samples import AT, SPY, limit_order
from tests.ibapi_bridge.samples import place_order as command
from tests.ibapi_bridge.scripted_gateway import message_class

GOOD_TILL = datetime(2026, 4, 14, 19, 59, tzinfo=UTC)


def on_the_wire(order: Order, *, version: int = 213) -> Any:
    name, args = place_order(command(order=order), 7)
    data = RequestEncoder(client_id=7, server_version=version).encode(name, args)
    message = message_class("PlaceOrderRequest")()
    message.ParseFromString(data[8:])
    return message


ORDERS = [
    limit_order(),
    limit_order(order_type=OrderType.MARKET, limit_price=None),
    limit_order(order_type=OrderType.STOP, limit_price=None, stop_price="490.25", side=Side.SELL),
    limit_order(order_type=OrderType.STOP_LIMIT, stop_price="490.25", outside_rth=True),
    limit_order(time_in_force=TimeInForce.GTD, good_till=GOOD_TILL),
    limit_order(quantity="0.0001", limit_price="0.00005", time_in_force=TimeInForce.IOC),
    limit_order(limit_price="-1.20"),
    limit_order(quantity=0, cash_quantity="100.5", order_type=OrderType.MARKET, limit_price=None),
]


@pytest.mark.parametrize("order", ORDERS, ids=[order.describe() for order in ORDERS])
def test_what_is_sent_reads_back_as_what_was_meant(order: Order) -> None:
    message = on_the_wire(order)
    expected = attrs.evolve(order, contract=SPY, symbol="SPY")
    assert order_of(contract_of(message.contract), message.order) == expected


def test_identity_account_and_transmission_are_always_set() -> None:
    sent = on_the_wire(limit_order()).order
    assert (sent.orderRef, sent.account, sent.transmit, sent.clientId) == ("o-1", "DU1234567", True, 7)
    assert sent.HasField("triggerMethod")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("version", [213, 225])
def test_no_unset_marker_leaks(order: Order, version: int) -> None:
    for field, value in on_the_wire(order, version=version).order.ListFields():
        assert value not in (2**31 - 1, 2**63 - 1, 1.7976931348623157e308), field.name
        assert value != str(2**127 - 1), field.name


@pytest.mark.parametrize("version", [157, 178, 187, 193, 200, 201, 203, 213, 225])
@pytest.mark.parametrize("order", ORDERS[:4])
def test_every_server_version_gets_a_whole_frame(order: Order, version: int) -> None:
    name, args = place_order(command(order=order), 7)
    data = RequestEncoder(client_id=7, server_version=version).encode(name, args)
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    assert b"o-1" in data


def test_a_cancel_names_the_order_and_carries_the_regulatory_part() -> None:
    name, args = cancel_order(CancelPlacedOrder(at=AT, epoch=Epoch(1), oms_id=OmsId("o-1"), order_id=OrderId(9)))
    data = RequestEncoder(client_id=7, server_version=213).encode(name, args)
    message = message_class("CancelOrderRequest")()
    message.ParseFromString(data[8:])
    assert message.orderId == 9
    assert message.HasField("orderCancel")


@given(st.integers(min_value=1, max_value=10**9), st.sampled_from(["0.01", "0.005", "0.0001", "0.25", "1"]))
def test_a_price_on_the_grid_is_the_double_of_the_same_text(steps: int, tick: str) -> None:
    price = steps * Decimal(tick)
    instrument = Instrument(contract=SPY, min_tick=Decimal(tick))
    assert Decimal(repr(wire_price("limit_price", price, instrument))) == price


def test_arithmetic_noise_is_removed_and_a_price_off_the_grid_is_left_to_the_broker() -> None:
    instrument = Instrument(contract=SPY)
    assert wire_price("limit_price", Decimal(repr(0.1 + 0.2)), instrument) == 0.3
    assert wire_price("limit_price", Decimal("495.003"), instrument) == 495.003


@pytest.mark.parametrize("broken", [Decimal("NaN"), Decimal("Infinity"), Decimal("1e13")])
def test_a_price_that_no_wire_carries_is_refused_by_name(broken: Decimal) -> None:
    with pytest.raises(SendError, match="stop_price is"):
        wire_price("stop_price", broken, Instrument(contract=SPY))


@pytest.mark.parametrize("order_id", [0, -1, 2**31 - 1, 2**40])
def test_an_order_id_outside_32_bits_is_refused(order_id: int) -> None:
    with pytest.raises(SendError, match="order_id is"):
        place_order(command(order_id=order_id), 7)


CONTRACTS = [
    SPY,
    Contract(symbol="ES", sec_type=SecType.FUTURE, exchange="CME", expiry="202606", multiplier=Decimal(50)),
    Contract(symbol="EUR", sec_type=SecType.CASH, exchange="IDEALPRO", local_symbol="EUR.USD"),
    Contract(
        symbol="SPX",
        sec_type=SecType.OPTION,
        expiry="20260417",
        strike=Decimal("5000.5"),
        right="C",
        multiplier=Decimal(100),
        trading_class="SPXW",
    ),
    Contract(symbol="BTC", sec_type=SecType.CRYPTO, exchange="PAXOS"),
]


@pytest.mark.parametrize("wanted", CONTRACTS, ids=lambda wanted: wanted.symbol)
def test_a_contract_reads_back_as_it_was_named(wanted: Contract) -> None:
    assert contract_of(official_contract(wanted)) == wanted


def test_contract_details_are_asked_with_the_users_words() -> None:
    name, args = contract_details(10_000_000, SPY)
    assert (name, args["reqId"], args["contract"].conId) == ("reqContractDetails", 10_000_000, 756733)
    with pytest.raises(SendError, match="con_id"):
        official_contract(Contract(symbol="X", con_id=2**31))


SPREAD = Contract(
    symbol="SPY",
    sec_type=SecType.COMBO,
    multiplier=Decimal(100),
    legs=(Leg(con_id=700000001, side="BUY"), Leg(con_id=700000002, ratio=2, side="SELL", exchange="CBOE")),
)


def test_a_combo_is_sent_leg_by_leg_and_at_a_credit_if_it_is_one() -> None:
    wanted = attrs.evolve(limit_order(limit_price="-1.20"), symbol="", contract=SPREAD)
    name, args = place_order(attrs.evolve(command(order=wanted), instrument=combo_instrument(SPREAD)), 7)
    message = message_class("PlaceOrderRequest")()
    message.ParseFromString(RequestEncoder(client_id=7, server_version=213).encode(name, args)[8:])
    legs = [(leg.conId, leg.ratio, leg.action, leg.exchange) for leg in message.contract.comboLegs]
    assert legs == [(700000001, 1, "BUY", "SMART"), (700000002, 2, "SELL", "CBOE")]
    assert message.order.lmtPrice == -1.20
    assert not message.contract.HasField("multiplier")
    assert contract_of(message.contract).legs == SPREAD.legs


def test_a_combo_leaves_in_the_text_protocol_too() -> None:
    _, args = place_order(attrs.evolve(command(), instrument=combo_instrument(SPREAD)), 7)
    data = RequestEncoder(client_id=7, server_version=178).encode("placeOrder", args)
    assert b"BAG" in data
    assert b"\x002\x00700000001\x001\x00BUY\x00SMART\x00" in data
    assert b"\x00700000002\x002\x00SELL\x00CBOE\x00" in data


def test_currency_pairs_go_where_they_are_traded() -> None:
    assert official_contract(Contract(symbol="EUR", sec_type=SecType.CASH)).exchange == "IDEALPRO"
    assert official_contract(Contract(symbol="EUR", sec_type=SecType.CASH, exchange="FXCONV")).exchange == "FXCONV"
