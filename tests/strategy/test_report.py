import io
from decimal import Decimal

import attrs

from actors.domain.identity import Account
from actors.domain.order_state import ExecStatus
from actors.messages import events
from strategy.report import SessionLedger, plain_report, print_report, rows_of
from tests.strategy.support import ACCOUNT, OPEN, SPY, accepted, canceled, filled, later, rejected, snapshot, state


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_session() -> SessionLedger:
    ledger = SessionLedger()
    first, second, third = state("a-1"), state("a-2"), state("a-3")
    part = filled(first, 40, "450", "e1")
    rest = filled(part.order, 60, "451", "e2", seconds=5)
    for message in (accepted(first), part, rest, accepted(second), canceled(second), rejected(third)):
        ledger.hear(message)
    ledger.hear(
        snapshot(
            9,
            0,
            realized_pnl={"USD": Decimal("1234.5")},
            unrealized_pnl={"USD": Decimal(0)},
            commissions={"USD": Decimal("3.25"), "EUR": Decimal(2)},
            cash=Decimal(1000000),
            equity=Decimal("1001231.25"),
        )
    )
    return ledger


def test_orders_fills_and_parts_are_counted() -> None:
    report = a_session().report()
    assert (report.orders, report.fills, report.partial_fills, report.orders_filled_in_parts) == (3, 2, 1, 1)
    assert dict(report.by_status) == {ExecStatus.FILLED: 1, ExecStatus.CANCELED: 1, ExecStatus.REJECTED: 1}
    assert report.is_flat
    assert (report.first_at, report.last_at) == (later(1), later(9))


def test_the_plain_report_names_every_figure() -> None:
    assert plain_report(a_session().report()) == [
        "session report",
        "  orders:            3 (1 CANCELED, 1 FILLED, 1 REJECTED)",
        "  fills:             2 (1 partial, 1 orders in parts)",
        "  position:          flat",
        "  realised P&L:      1,234.50 USD",
        "  unrealised P&L:    0.00 USD",
        "  commissions:       3.25 USD and 2.00 EUR",
        "  cash:              1,000,000.00 USD",
        "  equity:            1,001,231.25 USD",
    ]


def test_a_terminal_gets_a_table_and_a_pipe_plain_lines() -> None:
    report = a_session().report()
    pipe, terminal = io.StringIO(), Terminal()
    print_report(report, pipe)
    print_report(report, terminal)
    assert pipe.getvalue().splitlines() == plain_report(report)
    assert "realised P&L" in terminal.getvalue()
    assert "─" in terminal.getvalue()


def test_problems_positions_and_doubts_are_named_and_accounts_masked() -> None:
    ledger = SessionLedger()
    ledger.hear(events.Discrepancy(at=OPEN, kind="OVERFILL", subject="DU1234567", text="101"))
    ledger.hear(events.PositionMismatched(at=OPEN, account=ACCOUNT, contract=SPY, ours=Decimal(1), broker=Decimal(2)))
    ledger.hear(events.StrategyFailed(at=OPEN, strategy_id="s", hook="on_bar", error="KeyError: 1"))
    ledger.hear(events.TradingHalted(at=OPEN, reason="disk"))
    ledger.hear(events.OrderInvalid(at=OPEN, strategy_id="s", text="x"))
    ledger.hear(events.SignalRecorded(at=OPEN, order=state().order))
    ledger.hear(events.OrderInDoubt(at=OPEN, order=state(in_doubt=True), text="x"))
    ledger.hear(snapshot(1, -5))
    text = "\n".join(plain_report(ledger.report()))
    for part in (
        "-5 SPY",
        "in doubt:          1",
        "signals only:      1",
        "invalid orders:    1",
        "OVERFILL DU*****67",
    ):
        assert part in text
    assert text.count("problem:") == 4


def test_a_doubt_that_was_resolved_and_strangers_orders_are_not_counted() -> None:
    ledger = SessionLedger()
    ledger.hear(events.OrderInDoubt(at=OPEN, order=state(in_doubt=True), text="x"))
    ledger.hear(events.OrderResolved(at=OPEN, order=state(), text="x"))
    ledger.hear(accepted(state("x-1", external=True)))
    report = ledger.report()
    assert (report.orders, report.in_doubt) == (1, 0)


def test_a_correction_is_counted() -> None:
    ledger = SessionLedger()
    part = filled(state(), 40, "450", "e1.01")
    ledger.hear(part)
    ledger.hear(
        events.FillCorrected(
            at=OPEN, order=part.order, previous=part.fill, fill=attrs.evolve(part.fill, quantity=Decimal(0))
        )
    )
    assert ledger.report().corrections == 1


def test_a_ledger_of_many_orders_counts_them_all_and_remembers_the_last_ones() -> None:
    ledger = SessionLedger()
    ledger.hear(accepted(state("open")))
    for number in range(5_000):
        order = state(f"a-{number}")
        ledger.hear(accepted(order))
        ledger.hear(canceled(order))
    late = rejected(state("a-4999"))
    ledger.hear(late)
    ledger.hear(canceled(state("open")))

    report = ledger.report()
    assert report.orders == 5_001
    assert dict(report.by_status) == {ExecStatus.CANCELED: 5_000, ExecStatus.REJECTED: 1}
    assert len(ledger._statuses) <= 2_001


def test_the_last_thousand_problems_are_kept() -> None:
    ledger = SessionLedger()
    for number in range(1_500):
        ledger.hear(events.Discrepancy(at=OPEN, kind="OVERFILL", subject=f"a-{number}", text="test"))

    problems = ledger.report().problems
    assert (len(problems), problems[0], problems[-1]) == (1_000, "OVERFILL a-500: test", "OVERFILL a-1499: test")


def test_positions_of_several_accounts_say_whose_they_are() -> None:
    ledger = SessionLedger()
    own = snapshot(0, 78)
    other = attrs.evolve(own.positions[0], account=Account("DU7654399"), quantity=Decimal(5))
    both = attrs.evolve(own, positions=(*own.positions, other))
    for seen, said in ((own, "78 SPY"), (both, "78 SPY in DU*****67, 5 SPY in DU*****99")):
        ledger.hear(seen)
        assert dict(rows_of(ledger.report()))["position"] == said
