"""The client library ib_async: HOST PORT QUANTITY."""

import sys
from typing import Any

import ib_async
from outcome import Outcome, address, wanted_shares

CLIENT_ID = 8


def connected() -> Any:
    """A synchronised connection; a failed start-up request is an error."""
    ib = ib_async.IB()
    ib.connect(*address(), clientId=CLIENT_ID, timeout=20, raiseSyncErrors=True)
    return ib


def until(ib: Any, what: str, ready: Any) -> None:
    """Let events in until ``ready()``."""
    for _ in range(2000):
        if ready():
            return
        ib.sleep(0.01)
    raise TimeoutError(f"{what} did not happen within 20 seconds")


def watch(ib: Any, spy: Any, outcome: Outcome) -> float:
    ib.reqMarketDataType(1)
    ticker = ib.reqMktData(spy)
    until(ib, "bid and ask", lambda: ticker.bid > 0 and ticker.ask > 0)
    ib.cancelMktData(spy)
    outcome.done("market data", [ticker.bid, ticker.ask])
    return float(ticker.bid)


def fill(ib: Any, spy: Any, outcome: Outcome) -> None:
    trade = ib.placeOrder(spy, ib_async.MarketOrder("BUY", wanted_shares(), tif="DAY"))
    until(ib, "Filled", lambda: trade.orderStatus.status == "Filled")
    until(ib, "commissions", lambda: all(one.commissionReport.execId for one in trade.fills))
    outcome.done("fills", [one.execution.shares for one in trade.fills])
    outcome.done("filled", sum(one.execution.shares for one in trade.fills))
    outcome.done("order log", [entry.status for entry in trade.log][:3])


def rest_modify_cancel(ib: Any, spy: Any, bid: float, outcome: Outcome) -> None:
    order = ib_async.LimitOrder("BUY", 100, round(bid * 0.95, 2), tif="DAY")
    trade = ib.placeOrder(spy, order)
    until(ib, "Submitted", lambda: trade.orderStatus.status == "Submitted")
    order.lmtPrice = round(bid * 0.94, 2)
    ib.placeOrder(spy, order)
    until(ib, "a second Submitted", lambda: [entry.status for entry in trade.log].count("Submitted") > 1)
    found = {one.order.orderId: one.order.lmtPrice for one in ib.reqAllOpenOrders()}
    outcome.done("modify", found[order.orderId])
    ib.cancelOrder(order)
    until(ib, "Cancelled", lambda: trade.orderStatus.status == "Cancelled")
    outcome.done("cancel")


def bracket(ib: Any, spy: Any, bid: float, outcome: Outcome) -> None:
    prices = (round(bid * share, 2) for share in (0.95, 1.05, 0.9))
    legs = ib.bracketOrder("BUY", 100, *prices, tif="DAY")
    trades = [ib.placeOrder(spy, leg) for leg in legs]
    until(ib, "the bracket to work", lambda: all(one.orderStatus.permId for one in trades))
    outcome.done("open orders", len(ib.reqOpenOrders()))
    ib.cancelOrder(legs.parent)
    until(ib, "the bracket to end", lambda: all(one.orderStatus.status == "Cancelled" for one in trades))
    outcome.done("bracket")


def account(ib: Any, outcome: Outcome) -> None:
    outcome.done("position", sum(one.position for one in ib.positions()))
    outcome.done("account summary", len(ib.accountSummary()))
    what_if = ib.whatIfOrder(ib_async.Stock("SPY", "SMART", "USD"), ib_async.MarketOrder("BUY", 100, tif="DAY"))
    outcome.done("what-if margin", float(what_if.initMarginChange))


def story(outcome: Outcome) -> None:
    ib = connected()
    outcome.done("server version", ib.client.serverVersion())
    (spy,) = ib.qualifyContracts(ib_async.Stock("SPY", "SMART", "USD"))
    outcome.done("contract details", spy.conId)
    bid = watch(ib, spy, outcome)
    fill(ib, spy, outcome)
    rest_modify_cancel(ib, spy, bid, outcome)
    bracket(ib, spy, bid, outcome)
    account(ib, outcome)
    bars = ib.reqHistoricalData(spy, "", "1 D", "5 mins", "TRADES", True)
    outcome.done("bars", len(bars))
    ib.disconnect()
    again = connected()
    outcome.done("executions after reconnect", sum(one.execution.shares for one in again.fills()))
    again.disconnect()


def main() -> int:
    """Run the story; a failure is told in the outcome."""
    outcome = Outcome("ib_async")
    try:
        story(outcome)
    except Exception as error:  # noqa: BLE001 - whatever it is belongs in the result
        outcome.failure = repr(error)
    return outcome.finish()


if __name__ == "__main__":
    sys.exit(main())
