"""What others did while the engine was down is found out at its start, told to the strategy, and counted right."""

import threading
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.exchange.types import Execution
from ibapi_bridge.gateway_simulator.server import GatewaySimulator
from tests.torture.conclusions import desk_config, replayed
from tests.torture.engine import STRATEGY_ID, write_config
from tests.torture.gateway import config
from tests.torture.storm import engine_process


class Fills:
    """Sees every fill at the gateway, whoever is told."""

    def __init__(self) -> None:
        self.seen: list[Execution] = []
        self.second = threading.Event()

    def connection(self, text: str, at: datetime) -> None:
        pass

    def placed(self, order: ApiOrder, at: datetime) -> None:
        pass

    def ended(self, order: ApiOrder, at: datetime) -> None:
        pass

    def filled(self, fill: Execution, symbol: str) -> None:
        self.seen.append(fill)
        if len(self.seen) == 2:
            self.second.set()


def live(folder: Path, simulator: GatewaySimulator) -> Path:
    """One life of the engine, until it ends itself."""
    path = write_config(folder, simulator.port, trading=True)
    path.write_text(path.read_text(encoding="utf-8").replace("tests.torture.busy:Busy", "tests.torture.away:Away"))
    with engine_process(folder, path) as engine:
        engine.wait(60)
    return path


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.timeout(150)
def test_what_happened_while_away_is_told_once_and_counted_right(tmp_path: Path) -> None:
    fills = Fills()
    simulator = GatewaySimulator(config())
    simulator.gateway.watchers.append(fills)
    simulator.start()
    try:
        path = live(tmp_path, simulator)
        simulator.faults.do("unsolicited_cancel", order_id=1, client_id=1, reason="by hand")
        simulator.faults.do("manual_order", con_id=756733, action="BUY", quantity="3")
        simulator.faults.do("correct", exec_id=fills.seen[0].exec_id, price="449.00")
        assert fills.second.wait(20)
        live(tmp_path, simulator)
        live(tmp_path, simulator)
        alive = simulator.call(lambda: [order.order_id for order in simulator.gateway.book.alive()])
    finally:
        simulator.stop()
    fold, conclusions = replayed(tmp_path / "state" / "busy.journal", desk_config(path, STRATEGY_ID))
    state = conclusions["state"]
    assert state["life"] == "3"
    told = state["told"]
    assert told.count('["busy-resting-1","OrderCanceled"]') == 1
    assert told.count('["busy-market","FillCorrected"]') == 1
    assert state["found"] == '[["busy-resting-2","WORKING"]]'
    assert state["position at start"] == '"8"'
    assert conclusions["positions"] == {"SPY": "8"}
    assert conclusions["open"] == ["busy-resting-2"]
    assert alive == [2]
    market = fold.desk.order("busy-market")  # type: ignore[arg-type]
    assert market is not None
    assert [fill.price for fill in market.fills.values()] == [Decimal(449)]
