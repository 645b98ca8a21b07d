"""The engine's threads stay on one CPU, and nobody else's."""

import os
import threading
from collections.abc import Iterator

import pytest

from actors import one_cpu
from actors.base import Actor, start_actor, stop_actor
from tests.ibapi_bridge.scripted_gateway import connection

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux can be asked")


def where(thread_id: int = 0) -> set[int]:
    return set(os.sched_getaffinity(thread_id))


@pytest.fixture
def chosen() -> Iterator[None]:
    one_cpu.choose()
    yield
    one_cpu.leave()


def affinity_of_who_joins() -> set[int]:
    found: list[set[int]] = []

    def run() -> None:
        one_cpu.join()
        found.append(where())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.usefixtures("chosen")
def test_all_who_join_stay_on_the_same_of_the_allowed_cpus() -> None:
    before = where()
    first, second = affinity_of_who_joins(), affinity_of_who_joins()
    assert len(first) == 1
    assert first == second <= before
    assert where() == before


def test_nobody_stays_anywhere_unless_a_cpu_was_chosen(chosen: None) -> None:
    del chosen
    one_cpu.leave()
    assert affinity_of_who_joins() == where()


def test_a_cpu_that_was_taken_away_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_cpu, "_chosen", {4095})
    assert affinity_of_who_joins() == where()


class Wherever(Actor):
    def hear(self, message: object) -> None:
        assert isinstance(message, list)
        message.append(where())


@pytest.mark.usefixtures("chosen")
def test_an_actor_joins() -> None:
    actor, found = start_actor(Wherever, supervisor=None), list[set[int]]()
    actor.tell(found)
    stop_actor(actor)
    assert found == [affinity_of_who_joins()]


@pytest.mark.usefixtures("chosen")
def test_a_link_joins() -> None:
    with connection():
        (thread,) = [thread for thread in threading.enumerate() if thread.name.startswith("ibapi-link")]
        assert where(thread.native_id or 0) == affinity_of_who_joins()
