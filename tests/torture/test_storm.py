"""CI's share of the storms; the long run is ``python -m tests.torture.storm``."""

from pathlib import Path

import pytest

from tests.torture.storm import LOST_WORDS, OUTAGES, RESTARTS, Storm, cuts_storm, every_frame, fault_storm, weather

# One in 16 of the frames up to the hundredth, both ways: while connecting, reconciling, trading.
STORMS = {
    "cuts": cuts_storm(every_frame(100, seed=3)[::16]),
    "restarts": fault_storm(RESTARTS, seconds=0.4),
    "outages": fault_storm(OUTAGES, seconds=0.4),
    "lost words": fault_storm(LOST_WORDS, seconds=0.4),
}


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.timeout(700)
@pytest.mark.parametrize("storm", STORMS.values(), ids=STORMS.keys())
def test_a_storm_loses_and_doubles_nothing(tmp_path: Path, storm: Storm) -> None:
    verdict, failures = weather(tmp_path, storm)
    assert failures == []
    assert verdict.orders_sent > 20
    assert verdict.executions > 5
