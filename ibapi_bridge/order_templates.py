"""Orders as bytes, quickly: the official encoder writes the first order of a shape, later ones differ in five fields.

The official client looks at some 140 attributes of every order, nearly all of them never set. Here what it wrote for
one order is kept as a protobuf message, and the next order of the same instrument, side, type and terms overwrites the
order id, our reference, the quantity and the prices in it. The bytes are those that the official client would write.
"""

from typing import Any, Final

from actors.domain.contract import Instrument
from actors.domain.terms import Order
from actors.messages.wire import PlaceOrder, ReplacePlacedOrder
from ibapi_bridge import outbound
from ibapi_bridge.client import RequestEncoder
from ibapi_bridge.direct import message_class
from ibapi_bridge.framing import framed

FIRST_PROTOBUF_VERSION: Final = 203
"""From this server version on placeOrder is a protobuf message (ibapi: MIN_SERVER_VER_PROTOBUF_PLACE_ORDER)."""

_ID_AND_LENGTH: Final = 8
_MOST_TEMPLATES: Final = 512
_PLACE_ORDER_REQUEST: Final = message_class("PlaceOrderRequest")

Placement = PlaceOrder | ReplacePlacedOrder


class OrderTemplates:
    """The orders of one connection; not thread safe, its owner holds a lock."""

    def __init__(self, encoder: RequestEncoder, *, client_id: int, server_version: int) -> None:
        self._encoder = encoder
        self._client_id = client_id
        self._is_protobuf = server_version >= FIRST_PROTOBUF_VERSION
        self._known: dict[tuple[object, ...], tuple[Instrument, bytes, Any]] = {}

    def encode(self, command: Placement) -> bytes:
        """The frame of a placeOrder.

        Raises:
            SendError: a figure that the wire cannot carry, or terms that the gateway is too old for.
        """
        shape = _shape(command)
        known = self._known.get(shape)
        if known is not None and known[0] is command.instrument:
            return _filled_in(known[1], known[2], command)
        data = self._encoder.encode(*outbound.place_order(command, self._client_id))
        if self._is_protobuf and _is_common(command.order):
            self._keep(shape, command.instrument, data)
        return data

    def _keep(self, shape: tuple[object, ...], instrument: Instrument, data: bytes) -> None:
        if len(self._known) >= _MOST_TEMPLATES:
            self._known.clear()
        template = _PLACE_ORDER_REQUEST()
        template.ParseFromString(data[_ID_AND_LENGTH:])
        self._known[shape] = (instrument, data[_ID_AND_LENGTH // 2 : _ID_AND_LENGTH], template)


def _shape(command: Placement) -> tuple[object, ...]:
    """What an order shares with others of its template; the instrument by identity, which its holder guards."""
    order = command.order
    return (
        id(command.instrument),
        command.account,
        order.side,
        order.order_type,
        order.time_in_force,
        order.outside_rth,
        order.limit_price is None,
        order.stop_price is None,
        order.cash_quantity is None,
    )


def _is_common(order: Order) -> bool:
    return order.good_till is None and order.cash_quantity is None


def _filled_in(message_id: bytes, template: Any, command: Placement) -> bytes:  # noqa: ANN401 - generated, untyped
    order, terms, instrument = template.order, command.order, command.instrument
    template.orderId = outbound.checked_order_id(command.order_id)
    order.orderRef = command.oms_id
    order.totalQuantity = f"{outbound.checked_quantity(terms.quantity):f}"
    if terms.limit_price is not None:
        order.lmtPrice = outbound.wire_price("limit_price", terms.limit_price, instrument)
    if terms.stop_price is not None:
        order.auxPrice = outbound.wire_price("stop_price", terms.stop_price, instrument)
    return framed(message_id + template.SerializeToString())
