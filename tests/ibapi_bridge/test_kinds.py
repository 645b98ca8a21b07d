"""``python run.py paper`` trades one of each kind of contract at the simulator, over the wire, and ends flat."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ibapi_bridge.gateway_simulator.config import GatewayConfig
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments, further_instruments
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

ROOT = Path(__file__).resolve().parents[2]
MONDAY_NOON = datetime(2026, 4, 13, 16, 0, tzinfo=UTC)
CONFIG = """
[connection]
port = {port}

[strategy]
class = "tests.ibapi_bridge.kinds_trader:KindsTrader"

[trading]
flatten_at = "off"

[symbols]
ES = {{ sec_type = "FUT", exchange = "CME", expiry = "202612" }}
EURUSD = {{ symbol = "EUR", sec_type = "CASH", currency = "USD" }}
CALL = {{ symbol = "SPY", sec_type = "OPT", expiry = "20270115", strike = 450, right = "C", multiplier = 100 }}
FOP = {{ symbol = "ES", sec_type = "FOP", exchange = "CME", expiry = "20261218", strike = 4500, right = "C" }}
CFD = {{ symbol = "AAPL", sec_type = "CFD" }}
BTC = {{ sec_type = "CRYPTO", exchange = "PAXOS" }}
SPX = {{ sec_type = "IND", exchange = "CBOE" }}

[symbols.SPREAD]
symbol = "AAPL"
sec_type = "BAG"
multiplier = 100
legs = [{{ con_id = 700000003, side = "BUY" }}, {{ con_id = 700000004, side = "SELL" }}]
"""


@pytest.fixture
def port() -> Iterator[int]:
    instruments = (*default_instruments(), *further_instruments())
    simulator = GatewaySimulator(GatewayConfig(port=0, start=MONDAY_NOON, instruments=instruments))
    simulator.start()
    yield simulator.port
    simulator.stop()


def traded(folder: Path) -> str:
    """What the run said; it is stopped once the strategy is flat."""
    lines = []
    with subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), "paper", "--config", "kinds.toml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        limit = threading.Timer(90, process.kill)
        limit.start()
        for line in process.stdout:
            lines.append(line)
            if "SIGNAL | FLAT" in line:
                process.send_signal(signal.SIGTERM)
        limit.cancel()
    assert process.returncode == 0, "".join(lines)
    return "".join(lines)


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_every_kind_of_contract_is_traded_end_to_end(port: int, tmp_path: Path) -> None:
    (tmp_path / "kinds.toml").write_text(CONFIG.format(port=port), encoding="utf-8")
    text = traded(tmp_path)
    bought = dict(re.findall(r"BOUGHT (\w+) (FILLED \S+ of \S+)", text))
    assert bought.pop("CRYPTO", "").startswith("FILLED 0.02"), text
    assert bought == {
        "STK": "FILLED 10 of 10",
        "FUT": "FILLED 1 of 1",
        "CASH": "FILLED 25000 of 25000",
        "OPT": "FILLED 2 of 2",
        "FOP": "FILLED 1 of 1",
        "CFD": "FILLED 5 of 5",
        "BAG": "FILLED 1 of 1",
    }, text
    held = next(line for line in text.splitlines() if "HELD" in line)
    assert "OPT AAPL  270115C00190000 1'" in held
    assert "OPT AAPL  270115P00190000 -1'" in held
    assert "BAG" not in held
    for trouble in ("Traceback", "Discrepancy", "POSITION_MISMATCH", "IN DOUBT", "REJECT"):
        assert trouble not in text, text
