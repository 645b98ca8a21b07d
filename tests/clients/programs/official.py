"""The official client (`ibapi`), any version from 9.81 on: HOST PORT QUANTITY."""

import sys
import threading
from collections import defaultdict
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.wrapper import EWrapper
from outcome import Outcome, address, wait_for, wanted_shares

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:  # before 10.26 a cancel is an order id only
    OrderCancel = None

CLIENT_ID = 7
BID, ASK = 1, 2


class Client(EWrapper, EClient):
    """Keeps what the gateway says; the program reads it."""

    def __init__(self) -> None:
        EWrapper.__init__(self)
        EClient.__init__(self, wrapper=self)
        self.next_id = 0
        self.accounts = ""
        self.details: list[Any] = []
        self.ticks: dict[int, float] = {}
        self.sizes: dict[int, float] = {}
        self.statuses: dict[int, list[str]] = defaultdict(list)
        self.open_prices: dict[int, float] = {}
        self.executions: dict[str, float] = {}
        self.commissions: dict[str, float] = {}
        self.positions: dict[str, float] = {}
        self.summary: dict[str, str] = {}
        self.bars: list[Any] = []
        self.ended: set[str] = set()
        self.errors: list[tuple[Any, ...]] = []

    def nextValidId(self, orderId: int) -> None:
        self.next_id = orderId

    def managedAccounts(self, accountsList: str) -> None:
        self.accounts = accountsList

    def error(self, *args: Any) -> None:
        self.errors.append(args)

    def contractDetails(self, reqId: int, contractDetails: Any) -> None:
        self.details.append(contractDetails)

    def contractDetailsEnd(self, reqId: int) -> None:
        self.ended.add("contract")

    def tickPrice(self, reqId: int, tickType: Any, price: float, attrib: Any) -> None:
        self.ticks[tickType] = price

    def tickSize(self, reqId: int, tickType: Any, size: Any) -> None:
        self.sizes[tickType] = float(size)

    def orderStatus(self, orderId: int, status: str, *args: Any) -> None:
        self.statuses[orderId].append(status)

    def openOrder(self, orderId: int, contract: Any, order: Any, orderState: Any) -> None:
        self.open_prices[orderId] = order.lmtPrice

    def openOrderEnd(self) -> None:
        self.ended.add("open orders")

    def execDetails(self, reqId: int, contract: Any, execution: Any) -> None:
        self.executions[execution.execId] = float(execution.shares)

    def execDetailsEnd(self, reqId: int) -> None:
        self.ended.add("executions")

    def commissionReport(self, commissionReport: Any) -> None:
        self.commissions[commissionReport.execId] = commissionReport.commission

    def commissionAndFeesReport(self, commissionAndFeesReport: Any) -> None:
        self.commissions[commissionAndFeesReport.execId] = commissionAndFeesReport.commissionAndFees

    def position(self, account: str, contract: Any, position: Any, avgCost: float) -> None:
        self.positions[contract.symbol] = float(position)

    def positionEnd(self) -> None:
        self.ended.add("positions")

    def accountSummary(self, reqId: int, account: str, tag: str, value: str, currency: str) -> None:
        self.summary[tag] = value

    def accountSummaryEnd(self, reqId: int) -> None:
        self.ended.add("summary")

    def historicalData(self, reqId: int, bar: Any) -> None:
        self.bars.append(bar)

    def historicalDataEnd(self, reqId: int, start: str, end: str) -> None:
        self.ended.add("bars")

    def completedOrdersEnd(self) -> None:
        self.ended.add("completed orders")

    def order_id(self) -> int:
        """The next order id."""
        self.next_id += 1
        return self.next_id - 1

    def cancel(self, order_id: int) -> None:
        """Cancel in the way this version of the client wants it."""
        how = () if OrderCancel is None else (OrderCancel(),)
        self.cancelOrder(order_id, *how)


def connected() -> Client:
    """A client that has its first order id."""
    client = Client()
    client.connect(*address(), clientId=CLIENT_ID)
    threading.Thread(target=client.run, daemon=True).start()
    wait_for("nextValidId", lambda: client.next_id and client.accounts)
    return client


def spy() -> Contract:
    """SPY."""
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "SPY", "STK", "SMART", "USD"
    return contract


def order(action: str, kind: str, quantity: int, price: float | None = None) -> Order:
    """A day order; versions before 9.85 send two flags that a gateway refuses, so they are put out."""
    made = Order()
    made.action, made.orderType, made.totalQuantity, made.tif = action, kind, quantity, "DAY"
    if price is not None:
        made.lmtPrice = round(price, 2)
    made.eTradeOnly = made.firmQuoteOnly = False
    return made


def look_up(client: Client, outcome: Outcome) -> None:
    client.reqContractDetails(1, spy())
    wait_for("contractDetailsEnd", lambda: "contract" in client.ended)
    outcome.done("contract details", client.details[0].contract.conId)


def watch(client: Client, outcome: Outcome) -> None:
    client.reqMarketDataType(1)
    client.reqMktData(2, spy(), "", False, False, [])
    wait_for("bid and ask", lambda: {BID, ASK} <= client.ticks.keys() and client.sizes)
    client.cancelMktData(2)
    outcome.done("market data", [client.ticks[BID], client.ticks[ASK]])


def fill(client: Client, outcome: Outcome) -> None:
    number = client.order_id()
    client.placeOrder(number, spy(), order("BUY", "MKT", wanted_shares()))
    wait_for("Filled", lambda: "Filled" in client.statuses[number])
    wait_for("commissions", lambda: len(client.commissions) == len(client.executions))
    outcome.done("fills", list(client.executions.values()))
    outcome.done("filled", sum(client.executions.values()))


def rest_modify_cancel(client: Client, outcome: Outcome) -> None:
    number, price = client.order_id(), round(client.ticks[BID] * 0.95, 2)
    client.placeOrder(number, spy(), order("BUY", "LMT", 100, price))
    wait_for("Submitted", lambda: "Submitted" in client.statuses[number])
    client.placeOrder(number, spy(), order("BUY", "LMT", 100, price - 1))
    wait_for("the new price", lambda: abs(client.open_prices[number] - (price - 1)) < 0.001)
    outcome.done("modify", client.open_prices[number])
    client.cancel(number)
    wait_for("Cancelled", lambda: "Cancelled" in client.statuses[number])
    outcome.done("cancel")


def refused(client: Client, outcome: Outcome) -> None:
    """Version 9.81 sets two flags by default that no gateway takes any more."""
    if not hasattr(Order(), "eTradeOnly"):
        return
    number, flagged = client.order_id(), order("BUY", "MKT", 100)
    flagged.eTradeOnly = True
    client.placeOrder(number, spy(), flagged)
    wait_for("error 10268", lambda: any(error[:2] == (number, 10268) for error in client.errors))
    outcome.done("refused attribute")


def bracket(client: Client, outcome: Outcome) -> None:
    bid = client.ticks[BID]
    parent, target, stop = client.order_id(), client.order_id(), client.order_id()
    legs = [
        (parent, order("BUY", "LMT", 100, bid * 0.95)),
        (target, order("SELL", "LMT", 100, bid * 1.05)),
        (stop, order("SELL", "STP", 100)),
    ]
    legs[2][1].auxPrice = round(bid * 0.9, 2)
    for number, leg in legs:
        leg.parentId = 0 if number == parent else parent
        leg.transmit = number == stop
        client.placeOrder(number, spy(), leg)
    wait_for("the bracket to work", lambda: all(client.statuses[number] for number, _ in legs))
    client.open_prices.clear()
    client.reqAllOpenOrders()
    wait_for("openOrderEnd", lambda: "open orders" in client.ended)
    outcome.done("open orders", len(client.open_prices))
    client.cancel(parent)
    wait_for("the bracket to end", lambda: all("Cancelled" in client.statuses[number] for number, _ in legs))
    outcome.done("bracket")


def account(client: Client, outcome: Outcome) -> None:
    client.reqPositions()
    client.reqAccountSummary(3, "All", "NetLiquidation,TotalCashValue")
    wait_for("positions and account summary", lambda: {"positions", "summary"} <= client.ended)
    outcome.done("position", client.positions.get("SPY"))
    outcome.done("account summary", sorted(client.summary))


def history(client: Client, outcome: Outcome) -> None:
    client.reqHistoricalData(4, spy(), "", "1 D", "5 mins", "TRADES", 1, 1, False, [])
    wait_for("historicalDataEnd", lambda: "bars" in client.ended)
    outcome.done("bars", len(client.bars))


def leave(client: Client) -> None:
    """Disconnect; the socket closes, and the client id is free, only when the reader thread wakes up."""
    reader = client.reader
    client.disconnect()
    reader.join(timeout=5)


def reconnect(outcome: Outcome) -> None:
    client = connected()
    client.reqExecutions(5, ExecutionFilter())
    wait_for("execDetailsEnd", lambda: "executions" in client.ended)
    client.reqCompletedOrders(False)
    wait_for("completedOrdersEnd", lambda: "completed orders" in client.ended)
    client.disconnect()
    outcome.done("executions after reconnect", sum(client.executions.values()))


def story(outcome: Outcome) -> None:
    client = connected()
    outcome.done("server version", client.serverVersion())
    for act in (look_up, watch, fill, rest_modify_cancel, refused, bracket, account, history):
        try:
            act(client, outcome)
        except Exception as error:
            raise RuntimeError(f"{act.__name__}: {error!r}, errors {client.errors[-3:]}") from error
    leave(client)
    reconnect(outcome)


def main() -> int:
    """Run the story; a failure is told in the outcome."""
    outcome = Outcome("official")
    try:
        story(outcome)
    except Exception as error:  # noqa: BLE001 - whatever it is belongs in the result
        outcome.failure = repr(error)
    return outcome.finish()


if __name__ == "__main__":
    sys.exit(main())
