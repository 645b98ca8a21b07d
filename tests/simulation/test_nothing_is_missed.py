"""What a simulated session does not deliver, nobody can notice: with everything delivered it is the same session."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import msgspec
import pytest

from actors.domain.contract import Contract
from actors.domain.identity import Epoch
from actors.messages.reports import QuoteReported
from actors.messages.system import Tick
from strategy.runner import StrategyRunner
from strategy.simulate.generate import Profile, plan_of
from strategy.simulate.line import Line
from strategy.simulate.market import Top, quote_of
from strategy.simulate.plan import Disturbance, Event, Plan
from strategy.simulate.process import Process
from strategy.simulate.punctual import PunctualSchedule
from strategy.simulate.sight import Sight
from strategy.simulate.story import Story
from strategy.simulate.subject import Subject
from strategy.simulate.surroundings import Message
from strategy.simulate.world import Setup, World
from tests.simulation.campaigns import PROFILE, STRESS
from tests.strategy.simulate.subjects import Witness, setup_of

Evidence = dict[str, bytes]

STRESSED = attrs.evolve(PROFILE, minutes=20, quiet_minutes=6)
QUICK = Profile(minutes=30, quiet_minutes=12)
SEEN: dict[str, Callable[[World], Any]] = {
    "events": lambda world: world.view.events,
    "fills at the broker": lambda world: world.view.broker_fills,
    "fills told": lambda world: world.view.fills,
    "equity": lambda world: (world.view.equity_curve, world.view.pnl, world.view.drawdown),
    "the broker's books": lambda world: (world.venue.books.cash, list(world.venue.books.holdings.items())),
    "our books": lambda world: world.process.portfolio.snapshot_view(world.agenda.moment),
    "what was visited": lambda world: sorted(world.record.counts.items()),
    "the journal": lambda world: [repr(message) for message in world.process.inputs],
}


def evidence(plan: Plan, setup: Setup) -> Evidence:
    """Everything that can be seen of a session, and the order in which the broker's and our side of it came."""
    story = Story()
    world = World(plan, setup, narrator=story)
    violation = world.run()
    if world.process.is_alive:
        world.process.stop()
    seen = {name: msgspec.json.encode(look(world), enc_hook=dict) for name, look in SEEN.items()}
    return {**seen, "story": story.text(violation).encode()}


def deliver_everything(patch: pytest.MonkeyPatch) -> None:
    """Every tick, quote, heartbeat and view goes its whole way, at once."""
    quote, tell_view, plan_tick, wire = Sight.quote, Sight.tell_view, Process._plan_tick, Process._wire

    def notices(self: StrategyRunner, message: QuoteReported | Tick) -> bool:
        return True

    def hear_quote(self: Sight, report: QuoteReported) -> None:
        quote(self, report)
        self.catch_up()

    def put_view(self: Sight) -> None:
        self._view_has_news = True
        tell_view(self)

    def wire_without_short_cuts(self: Process, around: Any) -> None:
        wire(self, around)
        self._hears = {}

    def plan_anew(self: Process) -> None:
        self._awaits_anew = True
        plan_tick(self)

    def pass_time_at_desk(self: Process, tick: Tick) -> None:
        self._let_desk_hear_tick(tick)

    def dispatch(self: Process, messages: tuple[Message, ...]) -> None:
        self._decided.all(messages)

    def decide(self: PunctualSchedule, message: Any) -> tuple[Any, ...]:
        return self._schedule.decide(message)

    patch.setattr(Line, "answers_surely", False)
    patch.setattr(StrategyRunner, "notices", notices)
    patch.setattr(Sight, "quote", hear_quote)
    patch.setattr(Sight, "tell_view", put_view)
    patch.setattr(Process, "_wire", wire_without_short_cuts)
    patch.setattr(Process, "_plan_tick", plan_anew)
    patch.setattr(Process, "_pass_time_at_desk", pass_time_at_desk)
    patch.setattr(Process, "_dispatch", dispatch)
    patch.setattr(PunctualSchedule, "decide", decide)


def example(name: str, **parameters: object) -> Setup:
    return Subject(strategy=f"strategy.examples.{name}", parameters=parameters).setup()


SUBJECTS = {
    "stress": (Subject(strategy=str(STRESS)).setup(), STRESSED, 40),
    "witness": (setup_of(Witness), QUICK, 40),
    "mean reversion": (example("mean_reversion:MeanReversion", window=8), QUICK, 25),
    "breakout": (example("opening_range_breakout:OpeningRangeBreakout", range_minutes=6), QUICK, 25),
}


def differing(plan: Plan, setup: Setup) -> list[str]:
    """What is not the same with everything delivered."""
    shipped = evidence(plan, setup)
    with pytest.MonkeyPatch.context() as patch:
        deliver_everything(patch)
        whole = evidence(plan, setup)
    return [name for name, seen in shipped.items() if seen != whole[name]]


@pytest.mark.slow
@pytest.mark.parametrize(("setup", "profile", "sessions"), SUBJECTS.values(), ids=list(SUBJECTS))
def test_a_session_is_the_same_with_everything_delivered(setup: Setup, profile: Profile, sessions: int) -> None:
    lags = set[tuple[bool, bool]]()
    for seed in range(sessions):
        plan = plan_of(seed, profile)
        lags.add((plan.snapshot_lag, plan.lag_ms > 0))
        assert differing(plan, setup) == [], f"seed {seed}: {plan.latency_ms=} {plan.lag_ms=} {plan.snapshot_lag=}"
    assert len(lags) == 4


STRESS_SETUP = SUBJECTS["stress"][0]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "latency_ms"), [(1079, 1_000), (1179, 1_000), (3, 9_000)])
def test_a_heartbeat_answered_at_once_moves_nothing_of_the_same_microsecond(seed: int, latency_ms: int) -> None:
    """So long a way ends at whole seconds, with everything else."""
    assert differing(attrs.evolve(plan_of(seed, STRESSED), latency_ms=latency_ms), STRESS_SETUP) == []


@pytest.mark.parametrize("second", [595, 600, 601])
def test_a_heartbeat_that_a_stall_overtakes_is_not_answered_at_once(second: int) -> None:
    """It leaves at 600 s and is answered at 601 s; nothing comes through until 645 s at least."""
    stall = Event(second=second, kind=Disturbance.STALL, seconds=50)
    plan = attrs.evolve(plan_of(3, STRESSED), latency_ms=1_000, events=(stall,))
    assert differing(plan, STRESS_SETUP) == []
    assert b"the gateway stopped answering" in evidence(plan, STRESS_SETUP)["the journal"]


def test_a_quote_without_a_price_does_not_hide_the_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a position is worth stays what the last quote with a price said."""

    def quote(top: Top, contract: Contract, *, at: datetime, epoch: Epoch) -> QuoteReported:
        whole = quote_of(top, contract, at=at, epoch=epoch)
        return whole if top.second % 60 else attrs.evolve(whole, ask=None, last=None)

    monkeypatch.setattr("strategy.simulate.world.quote_of", quote)
    for seed in range(5):
        assert differing(plan_of(seed, QUICK), setup_of(Witness)) == [], f"seed {seed}"
