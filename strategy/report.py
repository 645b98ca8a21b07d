"""What happened in a session: counted from events, printed as a table on a terminal and as plain text elsewhere."""

from collections import Counter, OrderedDict, deque
from datetime import datetime
from decimal import Decimal
from typing import TextIO

import attrs
from rich.console import Console
from rich.table import Table

from actors.domain.identity import mask_account
from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import format_quantity
from actors.messages.events import (
    Discrepancy,
    FillCorrected,
    OrderEvent,
    OrderFilled,
    OrderInvalid,
    PositionMismatched,
    SignalRecorded,
    StrategyFailed,
    TradingHalted,
)
from actors.messages.portfolio import NOTHING, Amounts, PortfolioSnapshot, PositionView
from strategy.masking import clean
from strategy.money import in_words, money

_STATUSES_KEPT = 2_000
_PROBLEMS_KEPT = 1_000


@attrs.frozen(kw_only=True)
class SessionReport:
    """The figures of one session; cash and equity in the account's currency, profits and costs in their own."""

    first_at: datetime | None = None
    last_at: datetime | None = None
    orders: int = 0
    by_status: tuple[tuple[ExecStatus, int], ...] = ()
    in_doubt: int = 0
    fills: int = 0
    partial_fills: int = 0
    """Fills after which something of their order was still open."""
    orders_filled_in_parts: int = 0
    corrections: int = 0
    signals: int = 0
    invalid_orders: int = 0
    positions: tuple[PositionView, ...] = ()
    currency: str = "USD"
    realized_pnl: Amounts = NOTHING
    unrealized_pnl: Amounts = NOTHING
    commissions: Amounts = NOTHING
    cash: Decimal | None = None
    equity: Decimal | None = None
    problems: tuple[str, ...] = ()
    """Discrepancies, mismatches, failures and halts, in order: the last thousand."""

    @property
    def is_flat(self) -> bool:
        """Whether no position is left."""
        return not self.positions


class SessionLedger:
    """Hears every event and every portfolio snapshot of a session, which may last for months.

    Of an order it remembers the status while that may change: as long as the order is open or among the last that
    were closed. The oldest problems beyond a thousand are let go of.
    """

    def __init__(self) -> None:
        self._statuses: OrderedDict[str, ExecStatus] = OrderedDict()
        self._by_status: Counter[ExecStatus] = Counter()
        self._in_doubt: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._problems: deque[str] = deque(maxlen=_PROBLEMS_KEPT)
        self._snapshot: PortfolioSnapshot | None = None
        self._first_at: datetime | None = None
        self._last_at: datetime | None = None

    @property
    def order_count(self) -> int:
        """Orders of ours so far."""
        return self._by_status.total()

    @property
    def fill_count(self) -> int:
        """Fills of ours so far."""
        return self._counts["fills"]

    def hear(self, message: object) -> None:
        """Count a message; what is not counted is ignored."""
        self._hear_time(getattr(message, "at", None))
        match message:
            case OrderEvent():
                self._hear_order(message)
            case PortfolioSnapshot():
                self._snapshot = message
            case SignalRecorded():
                self._counts["signals"] += 1
            case OrderInvalid():
                self._counts["invalid_orders"] += 1
            case Discrepancy():
                self._problems.append(f"{message.kind} {message.subject}: {message.text}")
            case PositionMismatched():
                self._problems.append(f"position of {message.contract.name}: {message.ours}, broker's {message.broker}")
            case StrategyFailed():
                self._problems.append(f"strategy {message.strategy_id} failed in {message.hook}: {message.error}")
            case TradingHalted():
                self._problems.append(f"trading was halted: {message.reason}")
            case _:
                return

    def report(self) -> SessionReport:
        """The figures so far."""
        view = self._snapshot or PortfolioSnapshot(at=datetime.min)  # noqa: DTZ901 - never shown
        return SessionReport(
            first_at=self._first_at,
            last_at=self._last_at,
            orders=self.order_count,
            by_status=tuple(sorted((status, count) for status, count in self._by_status.items() if count)),
            in_doubt=len(self._in_doubt),
            fills=self._counts["fills"],
            partial_fills=self._counts["partial_fills"],
            orders_filled_in_parts=self._counts["orders_filled_in_parts"],
            corrections=self._counts["corrections"],
            signals=self._counts["signals"],
            invalid_orders=self._counts["invalid_orders"],
            positions=tuple(position for position in view.positions if position.quantity),
            currency=view.currency,
            realized_pnl=view.realized_pnl,
            unrealized_pnl=view.unrealized_pnl,
            commissions=view.commissions,
            cash=view.cash,
            equity=view.equity,
            problems=tuple(self._problems),
        )

    def _hear_time(self, at: datetime | None) -> None:
        if at is not None:
            self._first_at = at if self._first_at is None else self._first_at
            self._last_at = at

    def _hear_order(self, event: OrderEvent) -> None:
        order = event.order
        if order.external:
            return
        self._count_status(order)
        (self._in_doubt.add if order.in_doubt else self._in_doubt.discard)(order.oms_id)
        if isinstance(event, OrderFilled):
            self._counts["fills"] += 1
            self._counts["orders_filled_in_parts"] += len(order.fills) == 2
            self._counts["partial_fills"] += order.status is not ExecStatus.FILLED
        elif isinstance(event, FillCorrected):
            self._counts["corrections"] += 1

    def _count_status(self, order: OrderState) -> None:
        known = self._statuses.pop(order.oms_id, None)
        if known is not None:
            self._by_status[known] -= 1
        self._by_status[order.status] += 1
        self._statuses[order.oms_id] = order.status
        if order.status.is_terminal:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self._statuses) > _STATUSES_KEPT:
            oms_id, status = next(iter(self._statuses.items()))
            if not status.is_terminal:
                self._statuses.move_to_end(oms_id)
                return
            del self._statuses[oms_id]


def print_report(report: SessionReport, stream: TextIO) -> None:
    """Print on a stream: a table where it is a terminal, plain lines elsewhere."""
    if stream.isatty():
        Console(file=stream).print(_table(report))
    else:
        stream.write("\n".join(plain_report(report)) + "\n")
    stream.flush()


def plain_report(report: SessionReport) -> list[str]:
    """The report as lines ``name: value``."""
    return ["session report", *(f"  {name + ':':<18} {value}" for name, value in rows_of(report))]


def rows_of(report: SessionReport) -> list[tuple[str, str]]:
    """Name and value of every figure, in reading order; problems last."""
    statuses = ", ".join(f"{count} {status.value}" for status, count in report.by_status)
    rows = [
        ("orders", f"{report.orders}{f' ({statuses})' if statuses else ''}"),
        ("fills", f"{report.fills} ({report.partial_fills} partial, {report.orders_filled_in_parts} orders in parts)"),
        ("position", _positions(report)),
        ("realised P&L", in_words(report.realized_pnl, report.currency)),
        ("unrealised P&L", in_words(report.unrealized_pnl, report.currency)),
        ("commissions", in_words(report.commissions, report.currency)),
    ]
    rows += [
        (name, money(value, report.currency))
        for name, value in (("cash", report.cash), ("equity", report.equity))
        if value is not None
    ]
    rows += [(name, str(count)) for name, count in _exceptions(report) if count]
    return rows + [("problem", clean(text)) for text in report.problems]


def _exceptions(report: SessionReport) -> tuple[tuple[str, int], ...]:
    return (
        ("in doubt", report.in_doubt),
        ("corrections", report.corrections),
        ("signals only", report.signals),
        ("invalid orders", report.invalid_orders),
    )


def _positions(report: SessionReport) -> str:
    if report.is_flat:
        return "flat"
    is_shared = len({position.account for position in report.positions}) > 1
    return ", ".join(_position(position, with_account=is_shared) for position in report.positions)


def _position(position: PositionView, *, with_account: bool) -> str:
    place = f" in {mask_account(position.account)}" if with_account else ""
    return f"{format_quantity(position.quantity)} {position.contract.name}{place}"


def _table(report: SessionReport) -> Table:
    table = Table(title="Session report", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows_of(report):
        table.add_row(name, value, style="red" if name == "problem" else None)
    return table
