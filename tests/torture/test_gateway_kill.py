"""CI's share of killed gateways; the long run is ``python -m tests.torture.gateway_kill``."""

from pathlib import Path

import pytest

from tests.torture.gateway_kill import ROLL_BACKS, kill_the_gateway


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.timeout(700)
def test_a_gateway_killed_under_a_trading_engine_loses_and_doubles_nothing(tmp_path: Path) -> None:
    verdict, failures = kill_the_gateway(tmp_path, kills=len(ROLL_BACKS), seed=7)
    assert failures == []
    assert verdict.orders_sent > 12
    assert verdict.executions > 5
