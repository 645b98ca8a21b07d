"""Market data waits for everything else, and a flood of it is thinned to the latest tick of each kind."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibapi_bridge.backlog import HELD_SECONDS, LONGEST_HOLD_SECONDS, MOST_WAITING, Backlog
from tests.ibapi_bridge.scripted_gateway import protobuf, raw, status, text

NOW = 100.0


def price(stream: int = 1, kind: int = 1, value: float = 1.0) -> bytes:
    return protobuf(1, "TickPrice", reqId=stream, tickType=kind, price=value)[4:]


def as_text(stream: int = 1, kind: int = 1, value: float = 1.0) -> bytes:
    return text(1, 6, stream, kind, value, 100, 0)[4:]


def as_raw_text(stream: int = 1, kind: int = 1, value: float = 1.0) -> bytes:
    """Binary message id, content still as text: servers from 201 on that send ticks without protobuf."""
    return raw(1, b"6\0%d\0%d\0%f\0" % (stream, kind, value))[4:]


STATUS = status(1)[4:]
STATUS_AS_TEXT = text(3, 1, "Submitted", 0, 10, 0, 7, 0, 0, 1, "", 0)[4:]


@pytest.mark.parametrize(
    ("version", "tick", "other"),
    [
        (213, price(), STATUS),
        (213, protobuf(2, "TickSize", reqId=1, tickType=0, size="1")[4:], STATUS),
        (213, protobuf(45, "TickGeneric", reqId=1, tickType=49, value=1.0)[4:], STATUS),
        (201, as_raw_text(), raw(3, b"1\0Submitted\0")[4:]),
        (200, as_text(), STATUS_AS_TEXT),
        (157, as_text(), STATUS_AS_TEXT),
        (213, price(), b""),
        (213, price(), b"\0\0"),
        (157, as_text(), b"12345"),
    ],
)
def test_ticks_wait_and_everything_else_passes(version: int, tick: bytes, other: bytes) -> None:
    ticks = Backlog(server_version=version)
    assert list(ticks.others([tick, other, tick, other, other])) == [other] * 3
    assert len(ticks) == 2
    assert ticks.take(1, NOW) == [tick]
    assert ticks.take(5, NOW) == [tick]
    assert ticks.take(5, NOW) == []


def test_what_came_before_the_stream_broke_is_passed_on() -> None:
    def breaks() -> Iterator[bytes]:
        yield price()
        yield STATUS
        raise ValueError("out of step")

    ticks = Backlog(server_version=213)
    others = ticks.others(breaks())
    assert next(others) == STATUS
    with pytest.raises(ValueError, match="out of step"):
        next(others)
    assert len(ticks) == 1


@pytest.mark.parametrize(("version", "tick"), [(213, price), (201, as_raw_text), (178, as_text)])
def test_a_flood_is_thinned_to_the_latest_of_each_kind_of_each_stream(
    version: int, tick: Callable[[int, int, float], bytes]
) -> None:
    ticks = Backlog(server_version=version)
    came = [tick(n % 7, 1 + n % 2, n) for n in range(MOST_WAITING + 1)]
    assert list(ticks.others(came)) == []
    assert ticks.take(100, NOW) == came[-14:]


def test_a_backlog_that_is_not_long_loses_nothing() -> None:
    ticks = Backlog(server_version=213)
    came = [price(value=n) for n in range(MOST_WAITING)]
    assert list(ticks.others(came)) == []
    assert ticks.take(MOST_WAITING, NOW) == came


def test_a_tick_that_cannot_be_read_is_kept_for_whoever_says_so() -> None:
    ticks, broken = Backlog(server_version=213), raw(201, b"\xff\xff")[4:]
    assert list(ticks.others([broken, *[price(value=n) for n in range(MOST_WAITING)]])) == []
    assert ticks.take(10, NOW) == [broken, price(value=MOST_WAITING - 1)]


def test_ticks_are_left_alone_for_a_moment_after_news() -> None:
    ticks, tick = Backlog(server_version=213), price()
    ticks.hold(NOW)
    assert ticks.patience(NOW) is None
    assert list(ticks.others([tick])) == []
    assert ticks.patience(NOW) == pytest.approx(HELD_SECONDS)
    assert ticks.take(1, NOW) == []
    assert ticks.patience(NOW + 1) == 0
    assert ticks.take(1, NOW + HELD_SECONDS) == [tick]


def test_news_that_never_ends_does_not_keep_ticks_for_ever() -> None:
    ticks, taken, now = Backlog(server_version=213), 0, NOW
    assert list(ticks.others([price(value=n) for n in range(100)])) == []
    while now < NOW + 10 * LONGEST_HOLD_SECONDS:
        ticks.hold(now)
        now += HELD_SECONDS / 2
        taken += len(ticks.take(1, now))
    assert 9 <= taken <= 11


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([1, 2, 4]), st.integers(1, 99)), max_size=60))
def test_thinning_leaves_what_each_stream_says_last(came: list[tuple[int, int, int]]) -> None:
    ticks = Backlog(server_version=213)
    filler = [price(9, 1, n) for n in range(MOST_WAITING)]
    assert list(ticks.others([*filler, *(price(*tick) for tick in came), price(9, 2)])) == []
    left = ticks.take(MOST_WAITING, NOW)
    latest = {(stream, kind): value for stream, kind, value in came}
    assert set(left) == {
        *(price(*key, value) for key, value in latest.items()),
        price(9, 1, MOST_WAITING - 1),
        price(9, 2),
    }
    assert len(left) == len(latest) + 2
