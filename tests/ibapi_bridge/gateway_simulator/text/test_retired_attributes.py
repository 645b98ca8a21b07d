"""Attributes that old clients send and no gateway takes."""

import pytest
from ibapi.message import OUT

from ibapi_bridge.gateway_simulator.catalogue import REQUESTS
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.text.layout import Fields, RefusedField
from ibapi_bridge.gateway_simulator.text.orders import Retired

E_TRADE_ONLY = Retired(10268, "EtradeOnly", "0")
UNSET = "1.7976931348623157e+308"


def placing(order_id: int) -> Message:
    message = REQUESTS[OUT.PLACE_ORDER].message()
    message.orderId = order_id
    return message


@pytest.mark.parametrize("text", ["1", "0.05"])
def test_a_retired_attribute_that_is_set_refuses_its_order(text: str) -> None:
    with pytest.raises(RefusedField, match="'EtradeOnly' order attribute is not supported") as refusal:
        E_TRADE_ONLY.read(Fields([text]), placing(17), 157)

    assert (refusal.value.code, refusal.value.message_id) == (10268, 17)


@pytest.mark.parametrize("text", ["", "0", UNSET])
def test_a_retired_attribute_that_is_not_set_is_passed_over(text: str) -> None:
    fields = Fields([text])

    E_TRADE_ONLY.read(fields, placing(17), 157)

    assert fields.left() == 0
