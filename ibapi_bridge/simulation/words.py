"""What the simulated exchange says, in our own reports."""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from actors.domain.contract import Contract
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OrderId, PermId, RequestId
from actors.domain.terms import Side
from actors.messages import reports
from actors.messages.reports import Report
from ibapi_bridge.gateway_simulator.exchange import Quote
from ibapi_bridge.gateway_simulator.exchange.types import Execution
from ibapi_bridge.notices import classify
from ibapi_bridge.simulation.orders import PlacedOrder

ACCOUNT = Account("DU1234567")
CLIENT = ClientId(1)


class Line(Protocol):
    """The way to the engine."""

    def say(self, report: Report) -> None:
        """Put a report on the way."""

    @property
    def arrival(self) -> datetime:
        """When what is said now arrives."""


class Words:
    """Says things on one line, in the name of one instrument's exchange."""

    def __init__(self, line: Line, contract: Contract) -> None:
        self._line, self._contract = line, contract
        self._quoted = Contract(symbol=contract.symbol, sec_type=contract.sec_type)
        self.epoch = Epoch(0)

    def echo(self, placed: PlacedOrder, *, snapshot: bool = False) -> None:
        """An order with its terms."""
        self._line.say(
            reports.OpenOrderReported(
                at=self._line.arrival,
                epoch=self.epoch,
                order_id=placed.order_id,
                contract=placed.contract,
                order=placed.terms,
                status=placed.status,
                perm_id=placed.perm_id,
                client_id=CLIENT,
                account=placed.account,
                order_ref=placed.oms_id,
                why_held=placed.why_held,
                reject_reason=placed.reject_reason,
                snapshot=snapshot,
            )
        )

    def completed(self, placed: PlacedOrder) -> None:
        """A row of the list of orders that ended."""
        self._line.say(
            reports.CompletedOrderReported(
                at=self._line.arrival,
                epoch=self.epoch,
                contract=placed.contract,
                order=placed.terms,
                status=placed.status,
                perm_id=placed.perm_id,
                account=placed.account,
                order_ref=placed.oms_id,
                completed_status=placed.status.value,
                reject_reason=placed.reject_reason,
            )
        )

    def execution(self, execution: Execution, request_id: RequestId) -> reports.ExecutionReported:
        """A fill in answer to a query."""
        return reports.ExecutionReported(
            at=self._line.arrival,
            epoch=self.epoch,
            exec_id=ExecId(execution.exec_id),
            contract=self._contract,
            side=Side(execution.side),
            quantity=execution.quantity,
            price=execution.price,
            executed_at=execution.at,
            request_id=request_id,
            order_id=OrderId(execution.order_id),
            perm_id=PermId(execution.perm_id),
            client_id=CLIENT,
            account=Account(execution.account),
            order_ref=execution.order_ref,
            venue=execution.venue,
        )

    def commission(self, exec_id: str, amount: Decimal, realized: Decimal | None) -> None:
        """What a fill cost."""
        self._line.say(
            reports.CommissionReported(
                at=self._line.arrival,
                epoch=self.epoch,
                exec_id=ExecId(exec_id),
                commission=amount,
                currency=self._contract.currency,
                realized_pnl=realized,
            )
        )

    def note(self, subject: OrderId, code: int, text: str) -> None:
        """A coded notice about an order."""
        row = classify(code, text)
        self._line.say(
            reports.NoticeReported(
                at=self._line.arrival,
                epoch=self.epoch,
                code=code,
                text=text,
                subject=subject,
                kind=row.kind,
                on_new=row.on_new,
                on_modify=row.on_modify,
                on_cancel=row.on_cancel,
            )
        )

    def position(self, quantity: Decimal, average_cost: Decimal) -> None:
        """The position now."""
        self._line.say(
            reports.PositionReported(
                at=self._line.arrival,
                epoch=self.epoch,
                account=ACCOUNT,
                contract=self._contract,
                quantity=quantity,
                average_cost=average_cost,
            )
        )

    def account_value(self, key: str, value: Decimal) -> None:
        """One account value."""
        self._line.say(
            reports.AccountValueReported(
                at=self._line.arrival,
                epoch=self.epoch,
                account=ACCOUNT,
                key=key,
                value=str(value),
                currency=self._contract.currency,
            )
        )

    def quote(self, quote: Quote) -> reports.QuoteReported:
        """The top of the book."""
        return reports.QuoteReported(
            at=quote.at,
            epoch=self.epoch,
            contract=self._quoted,
            bid=quote.bid,
            bid_size=quote.bid_size,
            ask=quote.ask,
            ask_size=quote.ask_size,
            last=quote.last,
            last_size=quote.last_size,
            volume=quote.volume,
            halted=quote.halted,
        )
