"""What can wait leaves the interpreter to those who cannot."""

from threading import Thread

import pytest

from actors import urgency
from actors.urgency import begin_urgent, end_urgent, is_anything_urgent, let_pass, step_aside


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


def test_stepping_aside_ends_with_what_was_urgent_or_after_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            end_urgent("a")

    monkeypatch.setattr("time.sleep", nap)
    begin_urgent("a")
    assert step_aside(seconds=10) == sum(naps) == pytest.approx(naps[0] * 7)
    assert step_aside(seconds=10) == 0
    begin_urgent("b")
    naps.clear()
    assert step_aside(seconds=0.1) == pytest.approx(sum(naps))
    assert 0.1 <= sum(naps) < 0.1 + naps[-1]
    assert max(naps) < 0.01


def test_nobody_waits_for_himself_or_when_nothing_is_urgent() -> None:
    begin_urgent("me")
    let_pass("me", seconds=1000)
    end_urgent("me")
    let_pass("me", seconds=1000)


def test_whoever_lets_others_pass_goes_on_as_soon_as_one_has_ended() -> None:
    begin_urgent("other")
    waiting = Thread(target=let_pass, args=("me",), kwargs={"seconds": 1000}, daemon=True)
    waiting.start()
    while not urgency._waiting:
        waiting.join(0.001)
    assert waiting.is_alive()
    end_urgent("other")
    waiting.join(10)
    assert not waiting.is_alive()
    assert not urgency._waiting


def test_whoever_lets_others_pass_does_not_wait_for_ever() -> None:
    begin_urgent("other")
    let_pass("me", seconds=0.001)
    assert not urgency._waiting
