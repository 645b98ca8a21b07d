"""The helped inbox: whoever tells helps, one at a time, in order; nothing is lost, doubled or heard after the end."""

import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from actors.base import FEW, HelpedActor, Ping, Together, deliver, start_actor, stop_actor
from actors.helping import MOST_HELPED
from actors.messages.system import ActorDied

PATIENCE = 10.0


class Quick(NamedTuple):
    sender: int = 0
    number: int = 0


class Slow(NamedTuple):
    sender: int = 0
    number: int = 0


class Wrong(NamedTuple):
    sender: int = 0
    number: int = 0


class Heard(NamedTuple):
    message: Any
    thread: int


class Recorder(HelpedActor):
    """Hears slowly enough for others to come in between, and notices if two are in at once."""

    name = "recorder"
    quick = frozenset({Quick, Wrong})

    def __init__(self, *, log: list[Heard], during: Callable[[Any], None], supervisor: Any = None) -> None:
        super().__init__(supervisor=supervisor)
        self._log = log
        self._during = during
        self._alone = threading.Lock()

    def hear(self, message: object) -> None:
        assert self._alone.acquire(blocking=False), "two hear at once"
        self._log.append(Heard(message, threading.get_ident()))
        self._during(message)
        self._alone.release()
        if type(message) is Wrong:
            raise ArithmeticError("this cannot be")

    def release(self) -> None:
        self._log.append(Heard("released", threading.get_ident()))


class Mail:
    def __init__(self) -> None:
        self.came: list[Any] = []
        self.has_come = threading.Event()

    def tell(self, message: Any) -> None:
        self.came.append(message)
        self.has_come.set()


class Stage:
    """An actor, what it heard, and threads that tell it things."""

    def __init__(self) -> None:
        self.log: list[Heard] = []
        self.during: Callable[[Any], None] = lambda _: None
        self.supervisor = Mail()
        self.actor = start_actor(
            Recorder, log=self.log, during=lambda message: self.during(message), supervisor=self.supervisor
        )

    def in_a_thread(self, *messages: Any) -> int:
        """Tell from another thread; returns its identity when everything is told."""
        thread = threading.Thread(target=lambda: [deliver(self.actor, message) for message in messages])
        thread.start()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert thread.ident is not None
        return thread.ident

    def settle(self) -> None:
        """Until everything told so far is heard."""
        self.actor.ask(Ping(), timeout=PATIENCE)

    @property
    def heard(self) -> list[Any]:
        return [heard.message for heard in self.log]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stop_actor(stage.actor)


@pytest.mark.parametrize("message", [Quick(), Together((Quick(), Quick()))])
def test_what_is_quick_is_heard_by_whoever_tells_it(stage: Stage, message: Any) -> None:
    thread = stage.in_a_thread(message)
    assert {heard.thread for heard in stage.log} == {thread}


@pytest.mark.parametrize("message", [Slow(), Together((Quick(), Slow())), Together((Quick(),) * (FEW + 1))])
def test_what_is_not_quick_or_much_is_heard_by_the_actors_own_thread(stage: Stage, message: Any) -> None:
    thread = stage.in_a_thread(message)
    stage.settle()
    assert stage.log
    assert thread not in {heard.thread for heard in stage.log}


def test_the_main_thread_helps_nobody(stage: Stage) -> None:
    stage.actor.tell(Quick())
    stage.settle()
    assert stage.log[0].thread != threading.get_ident()


def test_while_another_hears_a_message_is_left_to_him_in_order(stage: Stage) -> None:
    is_in, may_go = threading.Event(), threading.Event()

    def during(message: Any) -> None:
        if message == Quick(0):
            is_in.set()
            assert may_go.wait(PATIENCE)

    stage.during = during
    first = threading.Thread(target=stage.actor.tell, args=(Quick(0),))
    first.start()
    assert is_in.wait(PATIENCE)
    stage.in_a_thread(Quick(1), Quick(2))  # returns although the first is not done
    assert stage.heard == [Quick(0)]
    may_go.set()
    first.join(PATIENCE)
    assert stage.heard == [Quick(0), Quick(1), Quick(2)]
    assert {heard.thread for heard in stage.log} == {first.ident}


def test_an_actor_that_tells_itself_hears_it_next(stage: Stage) -> None:
    def during(message: Any) -> None:
        if message == Quick(0):
            stage.actor.tell(Quick(1))
            assert stage.heard == [Quick(0)]

    stage.during = during
    stage.in_a_thread(Quick(0))
    assert stage.heard == [Quick(0), Quick(1)]


def test_a_helper_is_not_kept_for_ever(stage: Stage) -> None:
    """Each message brings the next one: after some the actor's own thread goes on with them."""
    goal = 3 * MOST_HELPED
    done = threading.Event()

    def during(message: Any) -> None:
        if message.number < goal:
            stage.actor.tell(Quick(0, message.number + 1))
        else:
            done.set()

    stage.during = during
    thread = stage.in_a_thread(Quick(0, 1))
    assert done.wait(PATIENCE)
    assert stage.heard == [Quick(0, number) for number in range(1, goal + 1)]
    assert sum(heard.thread == thread for heard in stage.log) == MOST_HELPED


def test_an_exception_while_helping_is_the_actors_own_and_the_teller_goes_on(stage: Stage) -> None:
    told = threading.Event()

    def tell() -> None:
        stage.actor.tell(Wrong())
        told.set()

    threading.Thread(target=tell).start()
    assert told.wait(PATIENCE)
    assert stage.supervisor.has_come.wait(PATIENCE)
    death = stage.supervisor.came[0]
    assert isinstance(death, ActorDied)
    assert death.actor == "recorder"
    assert "ArithmeticError: this cannot be at test_helping.py" in death.error
    assert "while recorder heard Wrong" in death.error
    assert not deliver(stage.actor, Quick())
    assert stage.heard == [Wrong(), "released"]


def test_nothing_told_after_a_failure_is_heard(stage: Stage) -> None:
    stage.in_a_thread(Quick(0), Wrong(), Quick(1), Slow(2), Quick(3))
    assert stage.supervisor.has_come.wait(PATIENCE)
    stage.actor.actor_stopped.wait(PATIENCE)
    assert [message for message in stage.heard if message != "released"] == [Quick(0), Wrong()]
    assert len(stage.supervisor.came) == 1


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("kinds", [(Quick,), (Quick, Quick, Quick, Slow), (Slow,)])
def test_many_who_tell_at_once_lose_double_and_reorder_nothing(stage: Stage, kinds: tuple[Any, ...]) -> None:
    senders, each = 6, 400
    start = threading.Barrier(senders)

    def tell(sender: int) -> None:
        start.wait(PATIENCE)
        for number in range(each):
            stage.actor.tell(kinds[(sender + number) % len(kinds)](sender, number))

    threads = [threading.Thread(target=tell, args=(sender,)) for sender in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    stage.settle()
    assert len(stage.heard) == senders * each
    for sender in range(senders):
        numbers = [message.number for message in stage.heard if message.sender == sender]
        assert numbers == list(range(each))
    assert stage.supervisor.came == []


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("kinds", [(Quick, Quick), (Quick, Slow), (Slow, Slow)])
def test_without_another_message_nothing_stays_in_the_inbox(kinds: tuple[Any, ...]) -> None:
    """A lost wake-up shows when nobody tells anything after it: here two meet, and all wait for what they told."""
    stage = Stage()
    rounds = 300
    meeting, arrived = threading.Barrier(3), threading.Semaphore(0)
    stage.during = lambda _: arrived.release()

    def tell(kind: Any) -> None:
        for number in range(rounds):
            meeting.wait(PATIENCE)
            stage.actor.tell(kind(0, number))

    threads = [threading.Thread(target=tell, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for number in range(rounds):
        meeting.wait(PATIENCE)
        for _ in kinds:
            assert arrived.acquire(timeout=PATIENCE), f"in round {number} something stayed in the inbox"
    for thread in threads:
        thread.join(PATIENCE)
    assert stop_actor(stage.actor)
    assert stage.supervisor.came == []


@pytest.mark.usefixtures("restless")
def test_a_stop_comes_behind_what_was_told_and_nothing_is_heard_after_it() -> None:
    for _ in range(60):
        stage = Stage()
        stop_now = threading.Event()

        def tell(stage: Stage = stage, stop_now: threading.Event = stop_now) -> None:
            number = 0
            while deliver(stage.actor, Quick(0, number)):
                number += 1
                if number == 20:
                    stop_now.set()

        thread = threading.Thread(target=tell)
        thread.start()
        assert stop_now.wait(PATIENCE)
        assert stop_actor(stage.actor, PATIENCE)
        thread.join(PATIENCE)
        assert stage.heard[-1] == "released"
        numbers = [message.number for message in stage.heard[:-1]]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= 20
        assert stage.supervisor.came == []
