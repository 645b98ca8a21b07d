"""Whatever the order and whatever came before it, the bytes are those of the official encoder."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import Contract, Instrument
from actors.domain.identity import Account, OmsId, OrderId
from actors.domain.terms import Order, OrderType, Side, TimeInForce
from actors.link import SendError
from ibapi_bridge.client import RequestEncoder
from ibapi_bridge.order_templates import OrderTemplates
from ibapi_bridge.outbound import place_order
from tests.ibapi_bridge.samples import SPY, limit_order
from tests.ibapi_bridge.samples import place_order as command
from tests.ibapi_bridge.test_outbound import ORDERS

INSTRUMENTS = [Instrument(contract=SPY), Instrument(contract=Contract(symbol="QQQ", con_id=320227571))]


def templates(version: int) -> OrderTemplates:
    return OrderTemplates(RequestEncoder(client_id=7, server_version=version), client_id=7, server_version=version)


def officially(placement: Any, version: int) -> bytes:
    return RequestEncoder(client_id=7, server_version=version).encode(*place_order(placement, 7))


prices = st.integers(min_value=-10_000, max_value=10_000_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    kind = draw(st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT]))
    return limit_order(
        side=draw(st.sampled_from(Side)),
        quantity=draw(st.decimals(min_value="0.0001", max_value="1000000", places=4)),
        order_type=kind,
        limit_price=draw(prices) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop_price=draw(prices) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        time_in_force=draw(st.sampled_from([TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC])),
        outside_rth=draw(st.booleans()),
    )


placements = st.builds(
    command,
    order=orders(),
    order_id=st.integers(min_value=1, max_value=2**31 - 2).map(OrderId),
    oms_id=st.text("abcXYZ019_.-", min_size=1, max_size=32).map(OmsId),
    account=st.sampled_from([Account("DU1234567"), Account("")]),
    instrument=st.sampled_from(INSTRUMENTS),
)


@given(st.lists(placements, min_size=1, max_size=12), st.sampled_from([200, 203, 213, 225]))
def test_every_order_has_the_bytes_of_the_official_encoder(sent: list[Any], version: int) -> None:
    encoder = templates(version)
    for placement in sent * 2:
        assert encoder.encode(placement) == officially(placement, version)


def test_an_order_by_its_value_is_none_of_a_shape_by_quantity() -> None:
    encoder = templates(225)
    by_quantity = limit_order(order_type=OrderType.MARKET, limit_price=None)
    by_value = limit_order(order_type=OrderType.MARKET, limit_price=None, quantity=0, cash_quantity="1000")
    for order in (by_quantity, by_value, by_quantity):
        placement = command(order=order)
        assert encoder.encode(placement) == officially(placement, 225)


@pytest.mark.parametrize("order", ORDERS, ids=[order.describe() for order in ORDERS])
def test_unusual_terms_leave_nothing_behind_in_later_orders(order: Order) -> None:
    encoder = templates(225)
    for terms in (order, limit_order(), order, limit_order(quantity=7)):
        placement = command(order=terms)
        assert encoder.encode(placement) == officially(placement, 225)


@pytest.mark.parametrize(
    "broken", [{"order_id": OrderId(2**31 - 1)}, {"order": limit_order(limit_price="1e13")}], ids=["id", "price"]
)
def test_a_figure_that_the_wire_cannot_carry_is_refused_by_name(broken: dict[str, Any]) -> None:
    encoder = templates(225)
    encoder.encode(command(order=limit_order()))
    with pytest.raises(SendError, match="is"):
        encoder.encode(command(**broken))
