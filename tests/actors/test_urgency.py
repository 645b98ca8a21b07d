"""What can wait leaves the interpreter to those who cannot."""

from collections.abc import Iterator
from threading import Thread

import pytest

from actors import urgency
from actors.urgency import begin_urgent, end_urgent, is_anything_urgent, step_aside


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urgency, "_at_work", set())


def test_something_is_urgent_until_everybody_has_ended() -> None:
    for who in ("a", "b", "a"):
        begin_urgent(who)
    end_urgent("a")
    assert is_anything_urgent()
    assert is_anything_urgent(besides="a")
    assert not is_anything_urgent(besides="b")
    end_urgent("b")
    end_urgent("b")
    assert not is_anything_urgent()


def test_stepping_aside_ends_with_what_was_urgent_or_after_so_many_times(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: Iterator[int] = iter(range(100))

    def nap(seconds: float) -> None:
        if next(naps) == 2:
            end_urgent("a")

    monkeypatch.setattr("time.sleep", nap)
    begin_urgent("a")
    begin_urgent("me")
    assert step_aside("me", most=10) == 3
    assert step_aside("me", most=10) == 0
    assert step_aside(most=10) == 10


def test_nobody_waits_for_himself_and_others_get_the_interpreter() -> None:
    begin_urgent("other")
    thread = Thread(target=end_urgent, args=("other",))
    thread.start()
    step_aside("me", most=10_000)
    thread.join(10)
    assert not is_anything_urgent()
