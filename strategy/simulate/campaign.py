"""Many sessions: a pure function of the subject, the profile and a range of seeds, on one process or several."""

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread

import attrs

from strategy.simulate.generate import Profile, plan_of
from strategy.simulate.plan import Plan
from strategy.simulate.session import digest, play
from strategy.simulate.shrink import shrink
from strategy.simulate.subject import Subject
from strategy.simulate.tally import Tally, tally_of
from strategy.simulate.world import Setup

CHUNK = 50
"""Sessions played and added up at a time; a campaign that stops at a failure stops at the end of one."""

YOUNG_OBJECTS = 20_000
"""Objects made before the garbage collector looks at them: a session makes about as many that outlive a moment."""

_SEED_STRIDE = 1_000_000_007


@attrs.frozen(kw_only=True)
class Campaign:
    """``sequences`` sessions from a seed; the same campaign always gives the same tally, however many processes."""

    subject: Subject
    profile: Profile = attrs.field(factory=Profile)
    seed: int = 1
    sequences: int = 1_000
    jobs: int = 1
    keep_going: bool = False

    def plan(self, index: int) -> Plan:
        """The plan of one of its sessions, counted from 0."""
        return plan_of(self.seed * _SEED_STRIDE + index, self.profile)


def run(campaign: Campaign, progress: Callable[[Tally], None] = lambda _: None) -> Tally:
    """Play the campaign; without ``keep_going`` it ends with the chunk in which the first property broke.

    Raises:
        StrategyLoadError: the strategy cannot be loaded.
    """
    total = Tally()
    with _collected_seldom():
        for part in _parts(campaign):
            total = total + part
            progress(total)
            if total.failures and not campaign.keep_going:
                break
    return total


@contextmanager
def _collected_seldom() -> Iterator[None]:
    thresholds = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def collect_seldom() -> None:
    """Take what is there already out of the garbage collector's sight, and let it look at what sessions leave behind.

    For the rest of the process: a process that only plays sessions.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


def _end_with_parent() -> None:
    """A killed parent cannot end its workers, which would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _parts(campaign: Campaign) -> Iterator[Tally]:
    starts = range(0, campaign.sequences, CHUNK)
    if campaign.jobs <= 1:
        setup = campaign.subject.setup()
        yield from (play_range(campaign, setup, start) for start in starts)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(campaign.jobs, mp_context=context, initializer=_begin, initargs=(campaign,)) as pool:
        waiting: deque[Future[Tally]] = deque()
        try:
            for start in starts:
                waiting.append(pool.submit(_play_chunk, start))
                if len(waiting) > 2 * campaign.jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for chunk in waiting:
                chunk.cancel()


def play_range(campaign: Campaign, setup: Setup, start: int) -> Tally:
    """One chunk of the campaign."""
    total = Tally()
    for index in range(start, min(start + CHUNK, campaign.sequences)):
        plan = campaign.plan(index)
        total = total + tally_of(index, plan, play(plan, setup))
    return total


_HERE: dict[str, tuple[Campaign, Setup]] = {}
"""What a worker process was given; it plays for one campaign only."""


def _begin(campaign: Campaign) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that shares out the work
    Thread(target=_end_with_parent, daemon=True).start()
    _HERE["campaign"] = (campaign, campaign.subject.setup())
    collect_seldom()


def _play_chunk(start: int) -> Tally:
    campaign, setup = _HERE["campaign"]
    return play_range(campaign, setup, start)


def smallest(plan: Plan, name: str, setup: Setup) -> Plan:
    """The smallest plan in which the property of that name still breaks."""
    return shrink(plan, lambda candidate: _weight(candidate, name, setup))


def _weight(plan: Plan, name: str, setup: Setup) -> int | None:
    outcome = play(plan, setup)
    broken = outcome.violation is not None and outcome.violation.name == name
    return outcome.orders + outcome.fills if broken else None


def is_deterministic(plan: Plan, setup: Setup) -> bool:
    """Whether the strategy does the same twice: state kept in classes or modules, clocks and random numbers show."""
    return digest(plan, setup) == digest(plan, setup)
