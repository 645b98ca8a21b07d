"""vn.py's gateway for IB (vnpy_ib): HOST PORT QUANTITY. It has no modify, and keeps files under the home folder."""

import sys
from datetime import UTC, datetime
from typing import Any

from outcome import Outcome, address, wait_for, wanted_shares
from vnpy.event import EventEngine
from vnpy.trader.constant import Direction, Exchange, Interval, OrderType, Status
from vnpy.trader.engine import MainEngine
from vnpy.trader.event import (
    EVENT_ACCOUNT,
    EVENT_CONTRACT,
    EVENT_LOG,
    EVENT_ORDER,
    EVENT_POSITION,
    EVENT_TICK,
    EVENT_TRADE,
)
from vnpy.trader.object import HistoryRequest, OrderRequest, SubscribeRequest
from vnpy_ib import IbGateway

CLIENT_ID = 10
SYMBOL = "SPY-USD-STK"


class Desk:
    """The engine, and what its events said."""

    def __init__(self) -> None:
        self.events = EventEngine()
        self.main = MainEngine(self.events)
        self.gateway = self.main.add_gateway(IbGateway)
        self.seen: dict[str, list[Any]] = {}
        kinds = (EVENT_CONTRACT, EVENT_TICK, EVENT_ORDER, EVENT_TRADE, EVENT_POSITION, EVENT_ACCOUNT, EVENT_LOG)
        for kind in kinds:
            self.seen[kind] = []
            self.events.register(kind, lambda event: self.seen[event.type].append(event.data))

    def statuses(self, vt_orderid: str) -> list[Status]:
        """What became of an order."""
        return [order.status for order in self.seen[EVENT_ORDER] if order.vt_orderid == vt_orderid]

    def send(self, kind: OrderType, volume: int, price: float = 0) -> str:
        """Buy SPY."""
        request = OrderRequest(
            symbol=SYMBOL, exchange=Exchange.SMART, direction=Direction.LONG, type=kind, volume=volume, price=price
        )
        return str(self.gateway.send_order(request))


def look_and_watch(desk: Desk, outcome: Outcome) -> float:
    desk.gateway.subscribe(SubscribeRequest(symbol=SYMBOL, exchange=Exchange.SMART))
    wait_for("the contract", lambda: desk.seen[EVENT_CONTRACT])
    outcome.done("contract details", desk.seen[EVENT_CONTRACT][0].vt_symbol)
    ticks = desk.seen[EVENT_TICK]
    wait_for("bid and ask", lambda: ticks and ticks[-1].bid_price_1 and ticks[-1].ask_price_1)
    outcome.done("market data", [ticks[-1].bid_price_1, ticks[-1].ask_price_1])
    return float(ticks[-1].bid_price_1)


def fill(desk: Desk, outcome: Outcome) -> None:
    number = desk.send(OrderType.MARKET, wanted_shares())
    wait_for("ALLTRADED", lambda: Status.ALLTRADED in desk.statuses(number))
    trades = desk.seen[EVENT_TRADE]
    wait_for("all trades", lambda: sum(trade.volume for trade in trades) == wanted_shares())
    outcome.done("fills", [trade.volume for trade in trades])
    outcome.done("filled", sum(trade.volume for trade in trades))


def rest_and_cancel(desk: Desk, bid: float, outcome: Outcome) -> None:
    number = desk.send(OrderType.LIMIT, 100, round(bid * 0.95, 2))
    wait_for("NOTTRADED", lambda: Status.NOTTRADED in desk.statuses(number))
    outcome.done("open orders", sum(order.vt_orderid == number for order in desk.main.get_all_active_orders()))
    desk.gateway.cancel_order(desk.main.get_order(number).create_cancel_request())
    wait_for("CANCELLED", lambda: Status.CANCELLED in desk.statuses(number))
    outcome.done("cancel")


def account(desk: Desk, outcome: Outcome) -> None:
    wait_for("the position", lambda: any(one.volume == wanted_shares() for one in desk.seen[EVENT_POSITION]))
    outcome.done("position", desk.seen[EVENT_POSITION][-1].volume)
    wait_for("the account", lambda: desk.seen[EVENT_ACCOUNT])
    outcome.done("account summary", desk.seen[EVENT_ACCOUNT][-1].balance > 0)


def history(desk: Desk, outcome: Outcome) -> None:
    start, end = datetime(2026, 4, 9, 15, tzinfo=UTC), datetime(2026, 4, 13, 15, tzinfo=UTC)  # it asks for whole days
    asked = HistoryRequest(symbol=SYMBOL, exchange=Exchange.SMART, start=start, end=end, interval=Interval.HOUR)
    outcome.done("bars", len(desk.gateway.query_history(asked)))


def story(desk: Desk, outcome: Outcome) -> None:
    host, port = address()
    desk.gateway.connect({"TWS地址": host, "TWS端口": port, "客户号": CLIENT_ID, "交易账户": ""})
    api = desk.gateway.api
    wait_for("the connection", lambda: api.data_ready and api.orderid and api.account, seconds=30)
    outcome.done("server version", api.client.serverVersion())
    bid = look_and_watch(desk, outcome)
    fill(desk, outcome)
    rest_and_cancel(desk, bid, outcome)
    account(desk, outcome)
    history(desk, outcome)


def main() -> int:
    """Run the story; a failure is told in the outcome with vn.py's last log lines."""
    outcome, desk = Outcome("vnpy_ib"), Desk()
    try:
        story(desk, outcome)
    except Exception as error:  # noqa: BLE001 - whatever it is belongs in the result
        outcome.failure = f"{error!r}, log {[line.msg for line in desk.seen[EVENT_LOG][-6:]]}"
    desk.main.close()
    return outcome.finish()


if __name__ == "__main__":
    sys.exit(main())
