"""Market time: begun by the system clock, carried on by the monotonic one, corrected to the gateway's."""

from datetime import UTC, datetime, timedelta

from actors.clock import SystemClock

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


class Host:
    """A computer whose clock can be set while time goes on."""

    def __init__(self) -> None:
        self.wall = AT
        self.monotonic = 1000.0

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.monotonic += seconds

    def clock(self) -> SystemClock:
        return SystemClock(read=lambda: self.wall, monotonic=lambda: self.monotonic)


def test_it_begins_with_the_systems_time() -> None:
    host = Host()
    clock = host.clock()
    host.passes(1.5)
    assert clock.now() == AT + timedelta(seconds=1.5)
    assert clock.elapsed() == 1001.5


def test_a_step_of_the_system_clock_moves_nothing() -> None:
    host = Host()
    clock = host.clock()
    for step in (timedelta(hours=-5), timedelta(seconds=40), timedelta(days=365)):
        host.wall += step
        before = clock.now()
        host.passes(2.0)
        assert clock.now() - before == timedelta(seconds=2)


def test_a_machine_that_slept_follows_the_gateway() -> None:
    host = Host()
    clock = host.clock()
    host.wall += timedelta(hours=8)  # its monotonic clock stood still meanwhile
    clock.correct(timedelta(hours=8))
    assert clock.now() == host.wall
    host.passes(1.0)
    assert clock.now() == host.wall
