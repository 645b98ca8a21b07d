"""Whose clock is right: one answer proves nothing, two that agree do, a clock that keeps no time is not followed."""

from datetime import UTC, datetime, timedelta

import pytest

from actors.domain.timekeeping import ClockDiffers, Timekeeping

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def told(*answers: tuple[float, float]) -> list[ClockDiffers | None]:
    """What is said to answers (market time, gateway's time), both in seconds from ``AT``."""
    keeping = Timekeeping()
    return [keeping.compare(AT + timedelta(seconds=ours), AT + timedelta(seconds=theirs)) for ours, theirs in answers]


@pytest.mark.parametrize("difference", [0.0, -1.0, 2.9, -3.0])
def test_a_difference_that_whole_seconds_and_queues_explain_is_none(difference: float) -> None:
    assert told((0, difference), (2, 2 + difference), (4, 4 + difference)) == [None, None, None]


@pytest.mark.parametrize(("difference", "words"), [(90.0, "90 s behind"), (-18_000.0, "18,000 s ahead of")])
def test_two_answers_that_agree_are_followed(difference: float, words: str) -> None:
    first, second = told((0, difference), (2, 2 + difference))
    assert first is None
    assert second is not None
    assert second.correction == timedelta(seconds=difference)
    assert words in second.text


def test_an_answer_that_waited_once_is_not_followed() -> None:
    assert told((0, 0), (10, 2), (12, 12), (20, 14), (22, 22)) == [None] * 5


@pytest.mark.parametrize("speed", [0.0, 450.0])
def test_a_clock_that_stands_still_or_races_is_told_once_and_never_followed(speed: float) -> None:
    said = told(*((number * 2.0, 1_000_000 + number * 2.0 * speed) for number in range(20)))
    assert [one is not None for one in said].count(True) == 1
    (only,) = (one for one in said if one is not None)
    assert only.correction is None
    assert "does not keep time" in only.text


def test_a_clock_that_came_right_again_may_be_found_wrong_again() -> None:
    said = told((0, 500), (2, 502), (4, 4), (6, 500), (8, 502))
    assert [one is not None for one in said] == [False, True, False, False, True]
