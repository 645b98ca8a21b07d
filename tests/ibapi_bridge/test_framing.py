import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibapi_bridge.framing import LONGEST_FRAME, FrameBuffer, OutOfStep, framed


@given(st.lists(st.binary(max_size=300), max_size=20), st.lists(st.integers(min_value=1, max_value=700), max_size=60))
def test_any_segmentation_gives_the_same_frames(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(framed(body) for body in bodies)
    buffer, found, start = FrameBuffer(), [], 0
    for cut in [*cuts, len(stream) + 1]:
        found += list(buffer.feed(stream[start : start + cut]))
        start += cut
    assert found == bodies


def test_a_frame_of_the_longest_size_passes_and_one_byte_more_does_not() -> None:
    assert [len(frame) for frame in FrameBuffer().feed(framed(bytes(LONGEST_FRAME)))] == [LONGEST_FRAME]
    with pytest.raises(OutOfStep, match="16777216"):
        list(FrameBuffer().feed((LONGEST_FRAME + 1).to_bytes(4, "big")))


def test_the_cost_grows_with_the_bytes_and_not_with_their_square() -> None:
    def seconds(count: int) -> float:
        stream, buffer = framed(bytes(60)) * count, FrameBuffer()
        begun = time.thread_time()
        found = sum(1 for _ in buffer.feed(stream))
        assert found == count
        return time.thread_time() - begun

    seconds(1_000)
    small = min(seconds(10_000) for _ in range(3))
    large = min(seconds(80_000) for _ in range(3))
    assert large < small * 8 * 4
