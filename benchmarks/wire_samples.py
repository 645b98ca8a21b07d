"""The frames with which a gateway answers one market order, as the protobuf protocol writes them."""

from typing import Any

from ibapi_bridge.direct import message_class
from ibapi_bridge.framing import framed

CONTRACT = {
    "conId": 756733,
    "symbol": "SPY",
    "secType": "STK",
    "exchange": "SMART",
    "primaryExch": "ARCA",
    "currency": "USD",
    "localSymbol": "SPY",
    "tradingClass": "SPY",
}
ACCOUNT = "DU1234567"
CLIENT = 1


def answers(number: int, order_ref: str) -> list[bytes]:
    """An echo and a status before the execution, both again after it, the execution, its commission, the position."""
    exec_id = f"0000e0d5.69dd{number:04x}.01.01"
    execution = {
        "orderId": number,
        "execId": exec_id,
        "time": "20260413 15:27:04 US/Eastern",
        "acctNumber": ACCOUNT,
        "exchange": "IEX",
        "side": "BOT",
        "shares": "1",
        "price": 450.05,
        "permId": 389_211_000 + number,
        "clientId": CLIENT,
        "cumQty": "1",
        "avgPrice": 450.05,
        "orderRef": order_ref,
        "lastLiquidity": 2,
    }
    return [
        _echo(number, order_ref, "PreSubmitted", "0"),
        _status(number, "PreSubmitted", "0"),
        _frame(11, "ExecutionDetails", {"reqId": -1, "contract": CONTRACT, "execution": execution}),
        _echo(number, order_ref, "Filled", "1"),
        _status(number, "Filled", "1"),
        _frame(59, "CommissionAndFeesReport", {"execId": exec_id, "commissionAndFees": 0.35, "currency": "USD"}),
        _frame(61, "Position", {"account": ACCOUNT, "contract": CONTRACT, "position": str(number), "avgCost": 450.05}),
    ]


def _echo(number: int, order_ref: str, status: str, filled: str) -> bytes:
    order = {
        "orderId": number,
        "clientId": CLIENT,
        "permId": 389_211_000 + number,
        "action": "BUY",
        "totalQuantity": "1",
        "orderType": "MKT",
        "tif": "DAY",
        "account": ACCOUNT,
        "orderRef": order_ref,
        "filledQuantity": filled,
    }
    told = {"orderId": number, "contract": CONTRACT, "order": order, "orderState": {"status": status}}
    return _frame(5, "OpenOrder", told)


def _status(number: int, status: str, filled: str) -> bytes:
    told = {
        "orderId": number,
        "status": status,
        "filled": filled,
        "remaining": "0" if filled == "1" else "1",
        "avgFillPrice": 450.05 if filled == "1" else 0.0,
        "permId": 389_211_000 + number,
        "clientId": CLIENT,
    }
    return _frame(3, "OrderStatus", told)


def _frame(message_id: int, kind: str, fields: dict[str, Any]) -> bytes:
    message = message_class(kind)()
    _fill(message, fields)
    return framed((message_id + 200).to_bytes(4, "big") + message.SerializeToString())


def _fill(message: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if isinstance(value, dict):
            _fill(getattr(message, name), value)
        else:
            setattr(message, name, value)
