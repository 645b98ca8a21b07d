"""What others did while the engine was down is found out at its start, told to the strategy once, and counted right.

Everything is real: ``run.py paper`` is killed and started again, ``run.py gateway`` lives on, or is stopped and started
on its books on another day; hands at the gateway's window are its control socket.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from actors.domain.identity import OmsId
from actors.domain.order_state import OrderState
from tests.torture.conclusions import desk_config, replayed
from tests.torture.engine import STRATEGY_ID, command, write_config_for
from tests.torture.gateway import ROOT
from tests.torture.judging import WIRE_LOG
from tests.torture.real_gateway import RealGateway

SPY = 756733
SLOW = "0.25"
"""Market seconds for each of ours: there is time to come and go while an order is filled part by part."""
TICKS_UNTIL_COMPARED = 400
"""Positions are compared once nothing has moved for five seconds, and once more when the broker was asked again."""
KILLED, STOPPED = -9, 0

pytestmark = [pytest.mark.slow, pytest.mark.socket, pytest.mark.timeout(500)]


class Returning:
    """An engine that comes and goes."""

    def __init__(self, folder: Path, gateway: RealGateway, *orders: str, **others: object) -> None:
        self._folder = folder
        self._gateway = gateway
        self.config = write_config_for(
            folder, gateway.port, name="away", strategy="tests.torture.away:Away", orders=orders, **others
        )

    def live(self) -> int:
        """One life; how it ended."""
        with (self._folder / "engine.txt").open("ab") as output:
            words = command(self.config, self._folder / "state", at=self._gateway.now)
            return subprocess.run(words, cwd=ROOT, stdout=output, stderr=output, timeout=90, check=False).returncode

    def order(self, name: str) -> OrderState:
        """An order as the journal leads to it."""
        fold, _ = replayed(self._journal, desk_config(self.config, STRATEGY_ID))
        order = fold.desk.order(OmsId(name))
        assert order is not None
        return order

    @property
    def concluded(self) -> dict[str, Any]:
        """What the journal leads to, with the strategy's state decoded."""
        _, found = replayed(self._journal, desk_config(self.config, STRATEGY_ID))
        return {**found, "state": {key: json.loads(value) for key, value in found["state"].items()}}

    @property
    def said(self) -> str:
        """The execution log."""
        return (self._folder / "logs" / "execution.log").read_text(encoding="utf-8")

    def reconcile(self, *words: str) -> tuple[int, str]:
        """``run.py reconcile``: exit code and what it said."""
        line = [sys.executable, "run.py", "reconcile", "--config", str(self.config)]
        line += ["--state", str(self._folder / "state"), *words]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    @property
    def _journal(self) -> Path:
        return self._folder / "state" / f"{STRATEGY_ID}.journal"


def executions(folder: Path) -> list[str]:
    """The ids of the executions the gateway told of."""
    lines = (json.loads(line) for line in (folder / WIRE_LOG).read_text(encoding="utf-8").splitlines())
    return [line["fields"]["execution"]["execId"] for line in lines if line.get("name") == "execDetails"]


def test_cancelled_by_hand_corrected_and_bought_by_a_stranger_on_the_same_day(tmp_path: Path) -> None:
    with RealGateway(tmp_path) as gateway:
        gateway.start()
        engine = Returning(tmp_path, gateway, "first DAY 1 100.01", "second DAY 1 100.02", "market DAY 5 0")
        assert engine.live() == KILLED
        gateway.do("unsolicited_cancel", order_id=1, reason="by hand")
        gateway.do("manual_order", con_id=SPY, action="BUY", quantity="3")
        gateway.do("correct", exec_id=executions(tmp_path)[0], price="449.00")
        gateway.wait_until(gateway.now + timedelta(seconds=4))
        assert engine.live() == STOPPED
        state = engine.concluded["state"]
        told = [[name, event] for name, event in state["told"] if not name.startswith("EXT-")]
        assert sorted(told) == [["first", "OrderCanceled"], ["market", "FillCorrected"]]
        assert state["told before"] == len(state["told"])
        assert state["recovered"] == 2  # in each life
        assert engine.live() == STOPPED
    state = engine.concluded["state"]
    assert state["told"] == []
    assert state["found"] == [["second", "WORKING"]]
    assert state["position at start"] == "8"
    assert engine.concluded["positions"] == {"SPY": "8"}
    assert engine.concluded["open"] == ["second"]
    assert [fill.price for fill in engine.order("market").fills.values()] == [449]


def test_partial_fills_while_away_are_booked_once(tmp_path: Path) -> None:
    with RealGateway(tmp_path) as gateway:
        gateway.start(speed=SLOW)
        engine = Returning(tmp_path, gateway, "big DAY 4000 452.00")
        assert engine.live() == KILLED
        known = engine.order("big").filled
        gateway.wait_until(gateway.now + timedelta(seconds=1.5))
        gateway.do("manual_change", order_id=1, limit="430.00")
        assert engine.live() == STOPPED
    big, concluded = engine.order("big"), engine.concluded
    assert big.filled > known > 0
    assert concluded["positions"] == {"SPY": str(big.filled)}
    assert len(concluded["fills"]) == len({family for family, _ in concluded["fills"]}) == len(big.fills)
    told = [event for name, event in concluded["state"]["told"] if name == "big"]
    assert told.count("OrderFilled") >= 1
    assert "CHANGED_BY_HAND" in engine.said
    assert big.order.limit_price == 430


def test_a_night_away_with_what_yesterdays_lists_no_longer_tell(tmp_path: Path) -> None:
    orders = (
        "big GTC 4000 452.00", "day DAY 10 430.00", "gone GTC 10 430.00", "changed GTC 10 430.00", "kept GTC 10 430.00"
    )  # fmt: skip
    with RealGateway(tmp_path, start="2026-04-13T19:57:00+00:00") as gateway:
        gateway.start(speed=SLOW)
        engine = Returning(tmp_path, gateway, *orders, probes=True, ticks=TICKS_UNTIL_COMPARED)
        assert engine.live() == KILLED
        known = engine.order("big").filled
        gateway.wait_until(gateway.now + timedelta(seconds=1.5))
        gateway.do("manual_change", order_id=1, limit="430.00")
        gateway.do("unsolicited_cancel", order_id=3, reason="by hand")
        gateway.do("manual_order", con_id=SPY, action="BUY", quantity="3")
        gateway.pass_time(datetime(2026, 4, 14, 13, 31, tzinfo=UTC))
        gateway.start()
        gateway.do("manual_change", order_id=4, quantity="12")
        gateway.do("manual_order", con_id=SPY, action="BUY", quantity="2")
        gateway.wait_until(gateway.now + timedelta(seconds=4))
        assert engine.live() == STOPPED
        check_the_morning_after(engine, known)
        code, said = engine.reconcile()
        assert code == 1
        code, said = engine.reconcile("--accept", "broker")
        assert (code, "accepted: broker" in said) == (0, True)
        assert engine.live() == STOPPED
        assert {side: status for side, (status, _) in engine.concluded["state"]["probes"].items()} == {
            "buy": "FILLED", "sell": "FILLED"
        }  # fmt: skip
        assert engine.reconcile() == (0, "no position differs\n")


def check_the_morning_after(engine: Returning, known: Any) -> None:
    concluded = engine.concluded
    assert concluded["state"]["found"] == sorted(
        [["big", "PARTIALLY_FILLED"], *([name, "WORKING"] for name in ("changed", "day", "gone", "kept"))]
    )
    told = concluded["state"]["told"]
    assert told.count(["day", "OrderCanceled"]) == told.count(["gone", "OrderCanceled"]) == 1
    assert sorted(concluded["open"]) == ["big", "changed", "kept"]
    assert concluded["in_doubt"] == []
    assert engine.order("changed").order.quantity == 12
    big = engine.order("big")
    assert big.filled == known < big.reported_filled
    assert "MISSING_EXECUTIONS" in engine.said
    assert "POSITION_MISMATCH" in engine.said
    probes = concluded["state"]["probes"]
    assert probes["buy"][0] == "REJECTED"
    assert probes["sell"] == ["FILLED", ""]


def test_a_bust_that_only_positions_show_is_named_and_settled_by_hand(tmp_path: Path) -> None:
    with RealGateway(tmp_path) as gateway:
        gateway.start()
        engine = Returning(tmp_path, gateway, "market DAY 5 0", "other DAY 4 0", ticks=TICKS_UNTIL_COMPARED)
        assert engine.live() == KILLED
        gateway.wait_until(gateway.now + timedelta(seconds=4))
        gateway.do("correct", exec_id=executions(tmp_path)[0], quantity="0")
        hasty = Returning(tmp_path, gateway, probes=True, ticks=1)
        assert hasty.live() == STOPPED
        probes = hasty.concluded["state"]["probes"]
        assert "the positions are being compared: ours 9, the broker's" in probes["buy"][1]
        assert probes["sell"] == ["FILLED", ""]
        assert "POSITION_MISMATCH" not in hasty.said
        engine = Returning(tmp_path, gateway, ticks=TICKS_UNTIL_COMPARED)
        assert engine.live() == STOPPED
        assert "POSITION_MISMATCH" in engine.said
        code, said = engine.reconcile()
        assert (code, "ours is 8, the broker's" in said) == (1, True)
        assert engine.reconcile("--accept", "broker")[0] == 0
        assert engine.live() == STOPPED
        assert engine.concluded["state"]["position at start"] in ("3", "4")
        assert engine.reconcile()[0] == 0
