"""One simulated session: each fate and disturbance does what its name says, and the same plan is the same session."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import attrs
import pytest

from actors.messages.events import OrderRejected
from strategy.examples.opening_range_breakout import OpeningRangeBreakout
from strategy.simulate.generate import Profile, plan_of
from strategy.simulate.plan import Disturbance, Event, Fate, OrderFate, Plan, Regime
from strategy.simulate.plan import MarketMood as Mood
from strategy.simulate.session import digest, overheard, play
from strategy.simulate.world import World
from tests.strategy.simulate.subjects import SHORT, Churner, Idle, Leaver, OneOrder, setup_of, told, with_fates

ROOT = Path(__file__).resolve().parents[3]


def after(plan: Plan, **parameters: object) -> World:
    world = World(plan, setup_of(OneOrder, **parameters))
    assert world.run() is None
    return world


def test_an_honest_market_order_fills_at_the_ask_and_is_flattened_at_the_end() -> None:
    outcome, story = told(SHORT, setup_of(OneOrder))
    assert (outcome.orders, outcome.fills, outcome.violation) == (2, 2, None)
    assert "your on_quote      BUY 100 SPY MARKET (#1)" in story
    assert "schedule           SELL 100 SPY MARKET (#2)" in story


def test_an_idle_strategy_trades_nothing() -> None:
    outcome, _ = told(SHORT, setup_of(Idle))
    assert (outcome.orders, outcome.fills) == (0, 0)
    assert outcome.pnl == 0


def test_an_order_filled_in_pieces_is_told_piece_by_piece() -> None:
    world = after(with_fates(Fate(order=1, kind=OrderFate.PIECES, pieces=4, seconds=2)))
    bought = [fill for fill in world.view.fills if fill.order.order.side == "BUY"]
    assert [str(fill.fill.quantity) for fill in bought] == ["25", "25", "25", "25"]
    assert (bought[3].at - bought[0].at).total_seconds() == 6


def test_a_rejected_order_is_rejected_with_the_brokers_words() -> None:
    world = after(with_fates(Fate(order=1, kind=OrderFate.REJECTED)))
    (event,) = [event for event in world.view.events if isinstance(event, OrderRejected)]
    assert event.order.reason.startswith("201")
    assert world.view.broker_fills == []


@pytest.mark.parametrize("kind", [OrderFate.NEVER, OrderFate.FILL_AFTER_CANCEL, OrderFate.LATE_FILL])
def test_a_closing_order_that_rested_fills_once_no_tricks_are_played_any_more(kind: OrderFate) -> None:
    plan = with_fates(Fate(order=2, kind=kind, pieces=1, seconds=1), minutes=60)
    outcome, story = told(plan, setup_of(Leaver))
    assert (outcome.orders, outcome.fills, outcome.violation) == (2, 2, None)
    placed, filled = (line for line in story.splitlines() if "(#2)" in line or "of #2" in line)
    assert placed.startswith("09:32")
    assert filled.startswith("10:18")


def test_the_breakout_example_does_not_give_up_its_stop_because_orders_did_not_pass() -> None:
    """Three parts were filled while away, and each asked for a stop before the session was ready."""
    plan = Plan(
        day=date(2026, 4, 13),
        minutes=45,
        market_seed=1676468300,
        regimes=(Regime(mood=Mood.THIN, minute=3, minutes=17),),
        fates=(Fate(order=1, kind=OrderFate.CUT_OFF, pieces=1, seconds=67),),
    )
    outcome, story = told(plan, setup_of(OpeningRangeBreakout))
    assert outcome.violation is None
    assert "learns of" in story
    assert "is rejected" not in story
    assert "protective stop" not in story
    recovered = next(place for place, line in enumerate(story.splitlines()) if "connected and reconciled" in line)
    assert "your on_recovered  BUY 700 SPY STOP" in story.splitlines()[recovered + 1]


def test_a_lost_order_ends_in_doubt_and_then_as_never_arrived() -> None:
    world = after(with_fates(Fate(order=1, kind=OrderFate.LOST)))
    assert world.record.counts["OrderInDoubt"] == 1
    (order,) = world.view.orders.values()
    assert order.reason == "never reached the broker"


def test_a_fill_against_the_cancel_makes_the_cancel_too_late() -> None:
    plan = with_fates(Fate(order=1, kind=OrderFate.FILL_AFTER_CANCEL, pieces=1))
    world = after(plan, limit="500.00", cancel_after=5)
    order = next(iter(world.view.orders.values()))
    assert (order.status, str(order.filled)) == ("FILLED", "100")


def test_a_late_fill_is_told_after_the_cancel() -> None:
    plan = with_fates(Fate(order=1, kind=OrderFate.LATE_FILL, seconds=4))
    world = after(plan, limit="500.00", cancel_after=5)
    order = next(iter(world.view.orders.values()))
    assert (order.status, str(order.filled)) == ("CANCELED", "49")


@pytest.mark.parametrize("kind", [OrderFate.CORRECTED_PRICE, OrderFate.CORRECTED_QUANTITY])
def test_a_correction_is_told_once(kind: OrderFate) -> None:
    world = after(with_fates(Fate(order=1, kind=kind, seconds=3)))
    assert world.record.counts["FillCorrected"] == 1


@pytest.mark.parametrize("kind", list(OrderFate))
def test_every_fate_comes_to_rest_with_our_books_equal_to_the_brokers(kind: OrderFate) -> None:
    for pieces, cancel_after in ((1, 0), (2, 4)):
        fate = Fate(order=1, kind=kind, pieces=pieces, seconds=12)
        outcome = play(with_fates(fate), setup_of(OneOrder, limit="400.00", cancel_after=cancel_after))
        assert outcome.violation is None
        assert outcome.counts[f"fate {kind.value}"] == 1


@pytest.mark.parametrize("kind", list(Disturbance))
def test_every_disturbance_is_survived_while_trading(kind: Disturbance) -> None:
    plan = attrs.evolve(SHORT, events=(Event(second=300, kind=kind, seconds=25),))
    outcome = play(plan, setup_of(Churner))
    assert outcome.violation is None
    assert outcome.counts[f"disturbance {kind.value}"] == 1


def test_fills_of_an_outage_are_told_as_recovered_after_it() -> None:
    fate = Fate(order=1, kind=OrderFate.PIECES, pieces=4, seconds=5)
    plan = with_fates(fate, events=(Event(second=3, kind=Disturbance.DISCONNECT, seconds=20),))
    world = World(plan, setup_of(OneOrder))
    assert world.run() is None
    assert [fill.recovered for fill in world.view.fills[:4]].count(True) >= 2


def test_a_killed_process_goes_on_with_what_it_knew() -> None:
    plan = attrs.evolve(SHORT, events=(Event(second=120, kind=Disturbance.RESTART, seconds=30),))
    world = after(plan)
    assert world.record.orders == 2, "the restarted strategy remembers its order, the other one flattens"


@pytest.mark.parametrize("mood", list(Mood))
def test_every_mood_of_the_market_is_survived(mood: Mood) -> None:
    plan = attrs.evolve(SHORT, regimes=(Regime(mood=mood, minute=2, minutes=8),))
    assert play(plan, setup_of(Churner)).violation is None


def test_the_same_plan_is_the_same_session() -> None:
    for seed in range(20):
        plan = plan_of(seed, Profile(minutes=30, quiet_minutes=12))
        assert digest(plan, setup_of(Churner)) == digest(plan, setup_of(Churner))


def test_two_seeds_are_two_sessions() -> None:
    first, second = (plan_of(seed, Profile(minutes=30, quiet_minutes=12)) for seed in (1, 2))
    assert digest(first, setup_of(Churner)) != digest(second, setup_of(Churner))


@pytest.mark.slow
def test_another_process_with_other_hashes_plays_the_same_sessions() -> None:
    program = (
        "from strategy.simulate.generate import *; from strategy.simulate.session import digest;"
        "from tests.strategy.simulate.subjects import *;"
        "print([digest(plan_of(seed, Profile(minutes=30, quiet_minutes=12)), setup_of(Churner)) for seed in range(5)])"
    )
    said = set()
    for hash_seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        said.add(ran.stdout)
    assert len(said) == 1


def test_what_goes_over_the_line_is_overheard_both_ways() -> None:
    directions = [direction for _, direction, _ in overheard(SHORT, setup_of(OneOrder))]
    assert directions[0] == "connected"
    assert {"in", "out"} <= set(directions)
