"""Deadlines: due in order, forgotten when replaced, all at once after a restart."""

from actors.domain.deadlines import Deadlines

A, B, C = ("a", "x"), ("b", "x"), ("c", "x")


def test_what_is_awaited_passes_in_the_order_of_its_deadlines() -> None:
    deadlines = Deadlines()
    deadlines.expect(A, 3.0)
    deadlines.expect(B, 2.0)
    deadlines.expect(C, 9.0)

    assert deadlines.passed(1.0) == []
    assert deadlines.passed(3.0) == [B, A]
    assert deadlines.awaited() == ((C, 9.0),)


def test_seconds_count_from_the_last_tick() -> None:
    deadlines = Deadlines()
    deadlines.passed(10.0)
    deadlines.expect(A, 3.0)

    assert deadlines.passed(12.9) == []
    assert deadlines.passed(13.0) == [A]


def test_what_came_is_not_awaited_any_more() -> None:
    deadlines = Deadlines()
    deadlines.expect(A, 1.0)
    deadlines.forget(A)
    deadlines.forget(B)

    assert not deadlines.is_awaited(A)
    assert deadlines.passed(5.0) == []


def test_a_second_deadline_replaces_the_first() -> None:
    deadlines = Deadlines()
    deadlines.expect(A, 1.0)
    deadlines.expect(A, 4.0)

    assert deadlines.passed(2.0) == []
    assert deadlines.passed(4.0) == [A]


def test_a_clock_that_goes_back_means_another_process_and_all_is_due() -> None:
    deadlines = Deadlines(100.0, ((B, 120.0), (A, 110.0)))

    assert deadlines.passed(1.0) == [A, B]
    assert deadlines.passed(200.0) == []


def test_a_restored_list_goes_on() -> None:
    deadlines = Deadlines()
    deadlines.expect(B, 5.0)
    deadlines.expect(A, 3.0)
    restored = Deadlines(deadlines.elapsed, deadlines.awaited())

    assert restored.awaited() == deadlines.awaited()
    assert restored.passed(6.0) == [A, B]


def test_the_next_tick_that_matters_is_known() -> None:
    deadlines = Deadlines()
    assert deadlines.next_due is None
    deadlines.expect(A, 1.0)
    deadlines.expect(B, 4.0)
    deadlines.forget(A)

    assert deadlines.next_due == 4.0
