"""A program of somebody else: the official client only, nothing of Callboard. Sees quotes, places an order, leaves.

python second_program.py PORT CLIENT_ID
"""

import sys
import threading
from decimal import Decimal
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.wrapper import EWrapper


class Program(EWrapper, EClient):
    def __init__(self) -> None:
        EWrapper.__init__(self)
        EClient.__init__(self, self)
        self.connected_with = threading.Event()
        self.quoted = threading.Event()
        self.filled = threading.Event()
        self.order_id = 0

    def nextValidId(self, orderId: int) -> None:
        self.order_id = orderId
        self.connected_with.set()

    def tickPrice(self, reqId: int, tickType: int, price: float, attrib: Any) -> None:
        if price > 0:
            self.quoted.set()

    def orderStatus(self, orderId: int, status: str, *rest: Any) -> None:
        if orderId == self.order_id and status == "Filled":
            self.filled.set()


def main() -> int:
    program = Program()
    program.connect("127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
    threading.Thread(target=program.run, daemon=True).start()
    spy = Contract()
    spy.symbol, spy.secType, spy.exchange, spy.currency = "SPY", "STK", "SMART", "USD"
    order = Order()
    order.action, order.orderType, order.totalQuantity, order.tif = "BUY", "MKT", Decimal(10), "DAY"
    seen = [program.connected_with.wait(10)]
    program.reqMktData(1, spy, "", False, False, [])
    seen.append(program.quoted.wait(20))
    program.placeOrder(program.order_id, spy, order)
    seen.append(program.filled.wait(20))
    program.disconnect()
    sys.stdout.write(f"connected {seen[0]}, quoted {seen[1]}, filled {seen[2]}\n")
    return 0 if all(seen) else 1


if __name__ == "__main__":
    sys.exit(main())
