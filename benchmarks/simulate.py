"""How fast simulated sessions go: order lifetimes and sessions a second, determinism, memory.

``python -m benchmarks.simulate`` prints figures. A lifetime is one order from its submission to its final state: the
decisions of strategy, desk, portfolio and session, the broker's answers, a quote, the invariants after each decision.
It is measured in calm sessions (a market order with every quote) and in the engine's own campaign (every kind of order
under every kind of fault).
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context

import attrs

from actors.domain.terms import Order, Side
from actors.messages.reports import QuoteReported
from strategy.base import Strategy
from strategy.simulate.campaign import play_range
from strategy.simulate.generate import Profile, plan_of
from strategy.simulate.plan import Plan
from strategy.simulate.session import digest, play
from strategy.simulate.tally import Tally
from strategy.simulate.world import Setup
from tests.simulation.campaigns import engine_campaign

BUSY_MINUTES = 60


class Busy(Strategy):
    """A market order with every quote, in and out."""

    symbols: tuple[str, ...] = ("SPY",)

    def on_quote(self, quote: QuoteReported) -> None:
        held = self.broker.get_position("SPY").quantity
        self.broker.submit_order(Order(side=Side.SELL if held > 0 else Side.BUY, quantity=100, symbol="SPY"))


def lifetimes(seed: int) -> tuple[int, float]:
    """Orders and CPU seconds of one busy session without disturbances, quotes and invariants included."""
    plan = Plan(day=date(2026, 4, 13), minutes=BUSY_MINUTES, quote_seconds=1, market_seed=seed)
    began = time.process_time()
    outcome = play(plan, Setup(make=Busy))
    if outcome.violation is not None:
        raise SystemExit(f"the busy session broke: {outcome.violation.text}")
    return outcome.orders, time.process_time() - began


def faulty_lifetimes(seed: int) -> tuple[int, float]:
    """The same under faults: strategy and profile of the engine's own campaign."""
    tally, seconds = _campaign(seed)
    return tally.orders, seconds


def sessions(seed: int) -> tuple[int, float]:
    """Sessions of that campaign, and CPU seconds."""
    tally, seconds = _campaign(seed)
    return tally.sessions, seconds


def _campaign(seed: int) -> tuple[Tally, float]:
    campaign = attrs.evolve(engine_campaign(20, seed=seed), keep_going=True)
    setup = campaign.subject.setup()
    began = time.process_time()
    tally = play_range(campaign, setup, 0)
    if tally.failures:
        raise SystemExit(f"the campaign broke: {', '.join(tally.failures)}")
    return tally, time.process_time() - began


def rates(measure: Callable[[int], tuple[int, float]], name: str) -> None:
    """A rate by CPU time in one process, and by the clock in two."""
    count, seconds = measure(1)
    print(f"{name}: {count / seconds:,.1f} a CPU second")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(abs, [1, 2]))
        began = time.perf_counter()
        done = sum(number for number, _ in pool.map(measure, [1, 2]))
        print(f"{name}, two processes: {done / (time.perf_counter() - began):,.1f} a second")


def determinism() -> None:
    """Twenty seeds, twice, byte for byte; the mark is the same on every Python."""
    setup = Setup(make=Busy)
    profile = Profile(minutes=30, quiet_minutes=12)
    first, second = ([digest(plan_of(seed, profile), setup) for seed in range(20)] for _ in range(2))
    same = sum(one == other for one, other in zip(first, second, strict=True))
    mark = sha256("".join(first).encode()).hexdigest()[:16]
    print(f"deterministic: {same} of 20 seeds gave the same session twice; together they have the mark {mark}")


def memory() -> None:
    """The largest size of the process after the first and after many sessions; not known on Windows."""
    if find_spec("resource") is None:
        return
    resource = import_module("resource")
    setup = Setup(make=Busy)
    sizes = []
    for seed in range(60):
        play(plan_of(seed, Profile(minutes=30, quiet_minutes=12)), setup)
        if seed in (9, 59):
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    print(f"largest size: {sizes[0] / 1024:,.1f} MiB after 10 sessions, {sizes[1] / 1024:,.1f} MiB after 60")


def main() -> None:
    """Everything."""
    print(f"Python {sys.version.split()[0]}")
    rates(lifetimes, "calm order lifetimes with invariants")
    rates(faulty_lifetimes, "order lifetimes under faults")
    rates(sessions, "adversarial sessions of 30 minutes")
    determinism()
    memory()


if __name__ == "__main__":
    main()
