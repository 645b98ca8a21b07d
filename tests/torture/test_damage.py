"""CI's share of the damages; the long run is ``python -m tests.torture.damage``."""

from pathlib import Path

import pytest

from tests.torture.damage import REFUSED, WHOLE, image_of, outcome, sweep


def test_a_damaged_journal_gives_the_whole_state_or_is_refused_with_a_sentence(tmp_path: Path) -> None:
    counts, failures = sweep(tmp_path, stride=13)
    assert failures == []
    assert counts[REFUSED] > 100


def test_without_damage_a_start_finds_the_whole_state(tmp_path: Path) -> None:
    image_of(tmp_path)
    assert outcome(tmp_path) == WHOLE


@pytest.mark.parametrize("head", [b"", b"\0" * 4, (3).to_bytes(8, "big")])
def test_a_head_that_promises_less_costs_nothing(tmp_path: Path, head: bytes) -> None:
    image_of(tmp_path)
    (tmp_path / "demo.head").write_bytes(head)
    assert outcome(tmp_path) == WHOLE
