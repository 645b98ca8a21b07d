"""A simulated session's capture gives the same orders back; a backtest trades a recorded day like the gateway would."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.domain.contract import Contract, Instrument
from actors.domain.identity import Epoch, OmsId, OrderId
from actors.domain.schedule import ScheduleConfig
from actors.domain.terms import Order
from actors.messages.reports import ExecutionReported, OrderStatusReported
from actors.messages.wire import PlaceOrder, ReplacePlacedOrder
from ibapi_bridge.replay import replayed
from ibapi_bridge.simulation.capture import save_capture
from ibapi_bridge.simulation.venue import RecordedDay, recorded_days
from ibapi_bridge.simulation.words import ACCOUNT
from ibapi_bridge.transcript import read_transcript
from run import main
from strategy.simulate.agenda import SECOND, Agenda
from strategy.simulate.backtest import Backtest
from strategy.simulate.line import Line
from strategy.simulate.plan import Disturbance, Event, Fate, OrderFate, Plan
from strategy.simulate.session import overheard
from strategy.simulate.world import World
from tests.strategy.simulate.subjects import SHORT, Churner, OneOrder, setup_of, with_fates

OPENS = datetime(2026, 4, 13, 13, 30, tzinfo=UTC)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """An hour of SPY that rises by a cent a second, and the last minutes of the day."""
    path = tmp_path / "SPY.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "bid", "bid_size", "ask", "ask_size", "last", "last_size"))
        for second in [*range(-120, 3600, 10), *range(22_000, 23_400, 10)]:
            bid = Decimal(450) + Decimal(second) / 1000
            bid = bid.quantize(Decimal("0.01"))
            at = OPENS + timedelta(seconds=second)
            rows.writerow((at.isoformat(), bid, 300, bid + Decimal("0.01"), 300, bid, 100))
    return path


def orders_of(plan: Plan) -> list[tuple[str, str, str]]:
    world = World(plan, setup_of(OneOrder, limit="400.00", cancel_after=3))
    world.run()
    return sorted((order.oms_id, order.status.value, str(order.filled)) for order in world.view.orders.values())


@pytest.mark.parametrize("kind", [OrderFate.PIECES, OrderFate.REJECTED, OrderFate.FILL_AFTER_CANCEL, OrderFate.DOUBLED])
def test_a_capture_of_a_session_replays_to_the_same_orders(kind: OrderFate, tmp_path: Path) -> None:
    plan = with_fates(
        Fate(order=1, kind=kind, pieces=2, seconds=2), events=(Event(second=400, kind=Disturbance.DISCONNECT),)
    )
    path = tmp_path / "session.jsonl"
    save_capture(path, overheard(plan, setup_of(OneOrder, limit="400.00", cancel_after=3)))
    replay: dict[str, Any] = dict(replayed(read_transcript(path)))
    found = sorted((order["oms_id"], order["status"], order["filled"]) for order in replay["orders"])
    assert found == orders_of(plan)
    assert len(found) >= 1


def test_a_backtest_fills_at_the_recorded_prices_and_ends_flat(recording: Path) -> None:
    backtest = Backtest(setup=setup_of(OneOrder, quantity=500))
    (day,) = recorded_days(recording, None)
    backtest.run([RecordedDay(recording, symbol=None, day=day, seed=1)])
    report = backtest.ledger.report()
    assert report.problems == ()
    assert report.is_flat
    assert report.orders == 2
    assert report.fills >= 4, "300 shares are displayed: 500 need two quotes each way"
    earned, paid = report.realized_pnl["USD"], report.commissions["USD"]
    assert report.cash == Decimal(1_000_000) + earned - paid
    assert Decimal(9_000) < earned < Decimal(12_000), "500 shares from 450.01 to about 473.40 less spread"


def test_an_order_is_what_it_was_until_the_exchange_has_the_change(recording: Path) -> None:
    """300 shares are displayed: the rest fills 10 seconds later, while a change to 900 is on its way."""
    day = RecordedDay(recording, symbol=None, day=OPENS.date(), seed=1)
    agenda = Agenda(OPENS - timedelta(seconds=60))
    line = Line(agenda=agenda, latency=0)
    heard: list[Any] = []
    line.connect(Epoch(1), heard.extend)
    venue = day.venue(agenda=agenda, line=line, quote=lambda _: None)
    order = Order(side="BUY", quantity=500, symbol="SPY", order_type="LIMIT", limit_price="451.00")
    whose: dict[str, Any] = {
        "at": OPENS,
        "epoch": Epoch(1),
        "oms_id": OmsId("a"),
        "order_id": OrderId(1),
        "account": ACCOUNT,
        "instrument": Instrument(contract=Contract(symbol="SPY")),
    }
    place = PlaceOrder(**whose, order=order)
    more = ReplacePlacedOrder(**whose, order=attrs.evolve(order, quantity=900))
    agenda.at(61 * SECOND, venue.take, place)
    agenda.at(69_990_000, venue.take, more)
    while agenda.run_next(75 * SECOND):
        pass
    fills = [report.quantity for report in heard if isinstance(report, ExecutionReported)]
    told = [report.remaining for report in heard if isinstance(report, OrderStatusReported)]
    assert fills == [300, 200]
    assert told == [500, 500, 200, 0]


def quiet_day(path: Path, day: datetime) -> Path:
    """Ten quiet minutes after the open of a later day, 450.00 to 450.01."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "bid", "bid_size", "ask", "ask_size", "last", "last_size"))
        for second in range(-60, 600, 10):
            rows.writerow(((day + timedelta(seconds=second)).isoformat(), 450, 300, "450.01", 300, 450, 100))
    return path


def test_a_position_is_still_the_brokers_on_the_next_day(recording: Path) -> None:
    later = OPENS + timedelta(days=1)
    setup = attrs.evolve(setup_of(OneOrder), schedule=ScheduleConfig(flatten_at=None, lock_at=None))
    backtest = Backtest(setup=setup)
    for path in (recording, quiet_day(recording.parent / "SPY_2.csv", later)):
        (day,) = recorded_days(path, "SPY")
        backtest.run([RecordedDay(path, symbol="SPY", day=day, seed=1)])
    report = backtest.ledger.report()
    assert report.problems == ()
    assert report.fills == 1
    assert report.cash is not None
    assert report.equity == report.cash + 100 * Decimal("450.005"), "the shares are still worth something"


def test_the_same_backtest_twice_is_the_same(recording: Path) -> None:
    seen = []
    for _ in range(2):
        backtest = Backtest(setup=setup_of(Churner))
        (day,) = recorded_days(recording, None)
        backtest.run([RecordedDay(recording, symbol=None, day=day, seed=1)])
        seen.append(backtest.ledger.report())
    assert seen[0] == seen[1]
    assert seen[0].fills > 50


def test_the_command_prints_days_and_the_report(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fills = recording.parent / "fills.csv"
    strategy = "strategy.examples.mean_reversion:MeanReversion"
    assert main(["backtest", "--strategy", strategy, "--replay", str(recording), "--fills", str(fills)]) == 0
    said = capsys.readouterr().out
    assert "2026-04-13 SPY:" in said
    assert "realised P&L" in said
    assert fills.read_text(encoding="utf-8").startswith("time,order,side,quantity,price,symbol")


def test_a_day_that_is_not_recorded_is_one_sentence(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["backtest", "--strategy", "strategy.examples.mean_reversion:MeanReversion", "--replay", str(recording)]
    assert main([*words, "--from", "2020-01-01", "--to", "2020-01-02"]) == 2
    assert "the recording has 2026-04-13 to 2026-04-13" in capsys.readouterr().err


def test_the_simulate_command_tells_the_story_and_keeps_the_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strategy = str(Path(__file__).parents[2] / "strategy" / "simulate" / "planted" / "double_sell.py")
    words = ["simulate", strategy, "--sequences", "50", "--jobs", "1", "--failures", str(tmp_path / "kept")]
    assert main([*words, "--html", str(tmp_path / "page.html")]) == 1
    said = capsys.readouterr().out
    assert "your on_fill       SELL 100 SPY" in said
    assert "VIOLATED           never_short" in said
    kept = sorted(path.name.split("_")[0] for path in (tmp_path / "kept").iterdir())
    assert kept == ["never", "never", "never", "test"]
    assert main(words) == 1
    assert "never_short still broken" in capsys.readouterr().out
    assert SHORT.size == 0


MOODY = """
from strategy.base import Strategy
from strategy.simulate import property_of_session

LIVES = []


class Moody(Strategy):
    symbols: tuple[str, ...] = ("SPY",)

    def on_start(self):
        LIVES.append(self)


@property_of_session
def is_no_beginner(session):
    assert len(LIVES) > 1
"""


def test_what_breaks_only_once_is_not_called_the_smallest_session_that_breaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each reading of the file begins with no lives: the campaign's own, and the one that plays what broke again."""
    path = tmp_path / "moody.py"
    path.write_text(MOODY, encoding="utf-8")
    words = ["simulate", str(path), "--sequences", "1", "--jobs", "1", "--failures", str(tmp_path / "kept")]
    quiet = tmp_path / "quiet.toml"
    quiet.write_text("most_events = 0\n", encoding="utf-8")
    assert main([*words, "--profile", str(quiet)]) == 1
    said = capsys.readouterr().out
    assert "broke in session 0; not when it was played again" in said
    assert "smallest" not in said


NAMED = """
from strategy.base import Strategy
from strategy.simulate import property_of_session


class Named(Strategy):
    word: str = ""

    def on_start(self):
        Named.given = self.symbols, self.word


@property_of_session
def says_what_it_was_given(session):
    assert False, f"{Named.given}"
"""


def test_text_that_looks_like_a_number_and_lists_can_be_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "named.py"
    path.write_text(NAMED, encoding="utf-8")
    words = ["simulate", str(path), "--sequences", "1", "--jobs", "1", "--failures", str(tmp_path / "kept")]
    given = ["--set", 'word="007"', "--set", 'symbols=["QQQ", "SPY"]']
    for _ in range(2):
        assert main([*words, *given]) == 1
        assert "('QQQ', 'SPY'), '007')" in capsys.readouterr().out
