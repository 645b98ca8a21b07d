"""The canonical order: what can be written, what is refused and how it reads."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from actors.domain.book import instrument_key
from actors.domain.contract import Contract, Instrument, Leg, SecType
from actors.domain.terms import (
    InvalidOrder,
    Order,
    OrderType,
    Side,
    TimeInForce,
    check_order,
    format_price,
    format_quantity,
    to_decimal,
)

NAIVE = datetime(2026, 1, 5)  # noqa: DTZ001  # what is refused
AWARE = datetime(2026, 1, 5, tzinfo=UTC)


def order(**fields: Any) -> Order:
    usual: dict[str, Any] = {"side": "BUY", "quantity": 1, "symbol": "SPY"}
    return Order(**(usual | fields))


@pytest.mark.parametrize(("value", "expected"), [(1, "1"), ("0.10", "0.10"), (0.1, "0.1"), (Decimal("2.5"), "2.5")])
def test_numbers_become_decimals_by_their_text(value: object, expected: str) -> None:
    assert str(to_decimal("quantity", value)) == expected


@pytest.mark.parametrize("value", [True, None, "many", [1], b"1"])
def test_what_is_no_number_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidOrder, match=r"^quantity is .*: it must be a number$"):
        to_decimal("quantity", value)


def test_names_become_members() -> None:
    written = order(side="SELL", order_type="STOP", stop_price="1", time_in_force="GTC")

    assert (written.side, written.order_type, written.time_in_force) == (Side.SELL, OrderType.STOP, TimeInForce.GTC)
    assert (Side.SELL.sign, Side.BUY.sign) == (-1, 1)


def test_an_unknown_name_is_refused_with_those_that_are_accepted() -> None:
    with pytest.raises(InvalidOrder, match="order_type is 'PEG': accepted are MARKET, LIMIT, STOP, STOP_LIMIT"):
        order(order_type="PEG")


def combo(*legs: Leg) -> Contract:
    return Contract(symbol="SPY", sec_type=SecType.COMBO, legs=legs)


LIMITED = {"order_type": "LIMIT", "limit_price": 5}


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"symbol": ""}, "symbol is empty"),
        ({"contract": Contract(symbol="IBM")}, "symbol is 'SPY' but the contract says 'IBM': give one"),
        ({"order_type": "OTHER"}, "order_type is OTHER"),
        ({"quantity": 0}, "quantity is 0: it must be greater than 0"),
        ({"quantity": -1}, "quantity is -1: it must be greater than 0"),
        ({"quantity": -1, "cash_quantity": 5}, "quantity is -1: it must be greater than 0"),
        ({"quantity": "NaN"}, "quantity is NaN: it must be greater than 0"),
        ({"quantity": "1e12"}, "less than 1e12"),
        ({"cash_quantity": 0}, "cash_quantity is 0: it must be greater than 0"),
        ({"cash_quantity": "Infinity"}, "cash_quantity is Infinity"),
        ({"order_type": "LIMIT"}, "limit_price is missing: an order of type LIMIT needs one"),
        ({"order_type": "STOP"}, "stop_price is missing: an order of type STOP needs one"),
        ({"limit_price": 5}, "limit_price is 5: an order of type MARKET takes none"),
        (LIMITED | {"stop_price": 5}, "stop_price is 5: an order of type LIMIT takes none"),
        (LIMITED | {"limit_price": "Infinity"}, "limit_price is Infinity: it must be a finite number"),
        ({"time_in_force": "GTD"}, "good_till is None: it is given with time_in_force GTD and only then"),
        ({"good_till": AWARE}, "good_till is .*: it is given with"),
        ({"time_in_force": "GTD", "good_till": NAIVE}, "it needs a time zone"),
        ({"contract": Contract(symbol="SPY", sec_type=SecType.INDEX)}, "SPY: indices have quotes and cannot be traded"),
        ({"contract": combo()}, "legs of SPY are 0: a combo needs at least two"),
        ({"contract": combo(Leg(con_id=1))}, "legs of SPY combo are 1: a combo needs at least two"),
        ({"contract": combo(Leg(con_id=1), Leg(con_id=0))}, "'BUY' 1 of con_id 0"),
        ({"contract": combo(Leg(con_id=1, ratio=0), Leg(con_id=2))}, "'BUY' 0 of con_id 1"),
        ({"contract": combo(Leg(con_id=1), Leg(con_id=2, side="LONG"))}, "'LONG' 1 of con_id 2"),
        ({"contract": Contract(symbol="SPY", legs=(Leg(con_id=1),))}, "sec_type is STK but SPY has legs"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidOrder, match=text):
        check_order(order(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        LIMITED,
        {"order_type": "LIMIT", "limit_price": "-1.20"},
        {"order_type": "STOP_LIMIT", "limit_price": 1, "stop_price": 1},
        {"quantity": 0, "cash_quantity": 100},
        {"time_in_force": "GTD", "good_till": AWARE},
        {"contract": Contract(symbol="SPY")},
        {"symbol": "", "contract": Contract(symbol="SPY")},
        {"quantity": "999999999999"},
        {"contract": combo(Leg(con_id=1), Leg(con_id=2, side="SELL"))},
    ],
)
def test_an_order_that_can_be_meant_passes(fields: dict[str, Any]) -> None:
    check_order(order(**fields))


def test_an_order_reads_like_a_ticket() -> None:
    future = Contract(symbol="ES", sec_type=SecType.FUTURE, local_symbol="ESH6")

    assert order(quantity="100").describe() == "BUY 100 SPY MARKET"
    stop_limit = order(symbol="", contract=future, order_type="STOP_LIMIT", limit_price="1", stop_price="0.00005")
    assert stop_limit.describe() == "BUY 1 ESH6 STOP_LIMIT @ 0.00005 / 1.00"
    assert order(symbol="", contract=Contract(symbol="")).describe() == "BUY 1 ? MARKET"


@pytest.mark.parametrize(("quantity", "text"), [("100", "100"), ("0.500", "0.5"), ("1E+2", "100"), ("3.0", "3")])
def test_quantities_read_plainly(quantity: str, text: str) -> None:
    assert format_quantity(Decimal(quantity)) == text


@pytest.mark.parametrize(
    ("price", "text"), [("495", "495.00"), ("0.00005", "0.00005"), ("1.5", "1.50"), ("NaN", "NaN")]
)
def test_prices_read_with_two_decimals_or_more(price: str, text: str) -> None:
    assert format_price(Decimal(price)) == text


def test_what_a_contract_is_called() -> None:
    assert Contract(symbol="SPY", local_symbol="SPY   X").name == "SPY"
    assert Contract(symbol="ES", sec_type=SecType.FUTURE).name == "ES"
    assert Contract(symbol="", con_id=7).name == "#7"
    call = Contract(symbol="SPY", sec_type=SecType.OPTION, expiry="20270115", strike=Decimal(450), right="C")
    assert call.name == "SPY 20270115 450C"
    assert combo(Leg(con_id=1), Leg(con_id=2)).name == "SPY combo"


def test_two_combos_of_one_underlying_are_two_instruments() -> None:
    one, other = (combo(Leg(con_id=1), Leg(con_id=number, side="SELL")) for number in (2, 3))
    assert instrument_key(one) != instrument_key(other)
    turned = combo(Leg(con_id=2, side="SELL"), Leg(con_id=1))
    assert instrument_key(one) == instrument_key(turned)


def test_an_order_by_its_value_reads_so() -> None:
    bitcoin = Contract(symbol="BTC", sec_type=SecType.CRYPTO)
    wanted = Order(side=Side.BUY, quantity=0, cash_quantity=1000, contract=bitcoin)
    assert wanted.describe() == "BUY 1000 worth of BTC MARKET"


RULE = Instrument(
    contract=Contract(symbol="X"),
    price_increments=((Decimal(0), Decimal("0.01")), (Decimal(10), Decimal("0.05"))),
)


@pytest.mark.parametrize(
    ("price", "passive_buy", "expected"),
    [
        ("9.996", True, "9.99"),
        ("9.991", False, "10.00"),
        ("12.32", True, "12.30"),
        ("12.32", False, "12.35"),
        ("12.32", None, "12.30"),
        ("12.33", None, "12.35"),
        ("-12.32", True, "-12.35"),
        ("10", None, "10.00"),
    ],
)
def test_prices_are_snapped_to_the_grid_of_their_height(price: str, passive_buy: bool | None, expected: str) -> None:
    assert RULE.snap(Decimal(price), passive_buy=passive_buy) == Decimal(expected)
