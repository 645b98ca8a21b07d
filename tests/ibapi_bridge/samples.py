"""Commands to send."""

from datetime import UTC, datetime
from typing import Any

from actors.domain.contract import Contract, Instrument
from actors.domain.identity import Account, Epoch, OmsId, OrderId
from actors.domain.terms import Order, OrderType, Side
from actors.messages.wire import PlaceOrder

AT = datetime(2026, 4, 13, 19, 30, tzinfo=UTC)
SPY = Contract(symbol="SPY", con_id=756733, primary_exchange="ARCA")


def limit_order(**terms: Any) -> Order:
    shown = {"side": Side.BUY, "quantity": 10, "symbol": "SPY", "order_type": OrderType.LIMIT, "limit_price": "495.00"}
    return Order(**{**shown, **terms})


SPY_INSTRUMENT = Instrument(contract=SPY)


def place_order(
    *,
    order_id: int = 1,
    oms_id: str = "o-1",
    order: Order | None = None,
    account: str = "DU1234567",
    instrument: Instrument = SPY_INSTRUMENT,
) -> PlaceOrder:
    return PlaceOrder(
        at=AT,
        epoch=Epoch(1),
        oms_id=OmsId(oms_id),
        order_id=OrderId(order_id),
        account=Account(account),
        instrument=instrument,
        order=order or limit_order(),
    )
