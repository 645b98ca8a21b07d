"""Asks the gateway for its books through a connection of its own; the wire log has the answers.

``python -m tests.torture.audit PORT`` ends once executions, open orders and positions were answered in full.
"""

import sys
import threading

from ibapi.client import EClient
from ibapi.execution import ExecutionFilter
from ibapi.wrapper import EWrapper

AUDITOR_CLIENT_ID = 99


class Auditor(EWrapper, EClient):
    """The official client, asking and only counting the ends of the answers."""

    def __init__(self) -> None:
        EClient.__init__(self, wrapper=self)
        self.ended: set[str] = set()
        self.all_ended = threading.Event()

    def nextValidId(self, orderId: int) -> None:
        self.reqExecutions(1, ExecutionFilter())
        self.reqAllOpenOrders()
        self.reqPositions()

    def execDetailsEnd(self, reqId: int) -> None:
        self._end("executions")

    def openOrderEnd(self) -> None:
        self._end("open orders")

    def positionEnd(self) -> None:
        self._end("positions")

    def _end(self, name: str) -> None:
        self.ended.add(name)
        if len(self.ended) == 3:
            self.all_ended.set()


def main() -> int:
    """Ask once."""
    auditor = Auditor()
    auditor.connect("127.0.0.1", int(sys.argv[1]), AUDITOR_CLIENT_ID)
    threading.Thread(target=auditor.run, daemon=True).start()
    complete = auditor.all_ended.wait(15)
    auditor.disconnect()
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
