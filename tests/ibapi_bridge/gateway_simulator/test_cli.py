"""The simulator on the command line, as a process of its own."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ibapi_bridge.gateway_simulator import cli
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.config import ConfigError
from ibapi_bridge.gateway_simulator.protos import Contract, Order
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

from .official_client import OfficialClient, contract, order

ROOT = Path(__file__).parents[3]
MARKET_DATA = Path(os.environ.get("CALLBOARD_MARKETDATA") or ROOT.parent / "shared" / "marketdata")
SPY_SECONDS = MARKET_DATA / "lean" / "equity" / "usa" / "second" / "spy"


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(list(words))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--speed", "fast"], "--speed 'fast'"),
        (["--speed", "-1"], "speed -1.0"),
        (["--host", "my.machine"], "--host 'my.machine'"),
        (["--port", "99999"], "port 99999"),
        (["--date", "tomorrow"], "--date 'tomorrow'"),
        (["--date", "2026-04-12"], "not a trading day"),
        (["--start", "noon"], "--start 'noon'"),
        (["--max-server-version", "12"], "max_server_version 12"),
        (["--scenario", "nowhere.toml"], "nowhere.toml"),
        (["--replay", "nowhere"], "nowhere"),
    ],
)
def test_a_bad_argument_is_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(parse(*words)) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_line_about_a_stop_names_its_price(capsys: pytest.CaptureFixture[str]) -> None:
    stop = Order(action="SELL", totalQuantity="100", orderType="STP", lmtPrice=0.0, auxPrice=430.0)
    placed = ApiOrder(client_id=7, order_id=5, perm_id=1, con_id=756733, contract=Contract(symbol="SPY"), order=stop)
    lines = cli.Lines()
    lines.placed(placed, datetime(2026, 4, 13, 13, 30, tzinfo=UTC))
    lines.end()
    lines.print_all()

    assert capsys.readouterr().out == "13:30:00 UTC client 7 order 5: SELL 100 SPY STP at 430.0\n"


def test_a_day_starts_a_minute_before_the_open() -> None:
    config = cli.config_from(parse("--date", "2026-07-06", "--speed", "max"))

    assert (config.start.isoformat(), config.speed) == ("2026-07-06T13:29:00+00:00", None)


def test_recorded_data_makes_the_market() -> None:
    if not SPY_SECONDS.is_dir():
        pytest.skip(f"recorded market data is not at {MARKET_DATA} (set CALLBOARD_MARKETDATA)")
    config = cli.config_from(parse("--replay", str(SPY_SECONDS), "--date", "2013-10-08"))

    assert [instrument.symbol for instrument in config.instruments] == ["SPY"]
    assert config.start.isoformat() == "2013-10-08T13:29:00+00:00"
    with pytest.raises(ConfigError, match="2013"):
        cli.config_from(parse("--replay", str(SPY_SECONDS), "--date", "2024-01-03"))


@pytest.mark.socket
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGTERM")
def test_it_says_where_to_connect_shows_orders_and_stops_cleanly(tmp_path: Path) -> None:
    log = tmp_path / "wire.jsonl"
    code = "import sys; from argparse import ArgumentParser as P; from ibapi_bridge.gateway_simulator import cli; "
    code += "p = P(); cli.add_arguments(p); sys.exit(cli.main(p.parse_args()))"
    words = ["--port", "0", "--speed", "20", "--wire-log", str(log), "--control-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        banner = [process.stdout.readline() for _ in range(4)]
        port = re.search(r"port (\d+)", banner[0])
        assert port is not None
        assert "DU1***67" in banner[1]
        assert re.search(r"control socket on 127\.0\.0\.1 port \d+", banner[3])
        client = OfficialClient(int(port[1]), 1)
        client.place(1, contract(), order("BUY", "MKT", 10))
        client.wait_for("commissionAndFeesReport")
        client.close()
        shown = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    assert "client 1 connected, server version 225" in shown[0]
    assert "BUY 10 SPY MKT" in shown[1]
    assert "filled at" in shown[2]
    assert "client 1 disconnected: closed by the client" in shown[3]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["form"] for line in lines[:2]] == ["handshake", "handshake"]
    placed = next(line for line in lines if line.get("name") == "placeOrder")
    assert (placed["dir"], placed["client_id"], placed["fields"]["order"]["action"]) == ("in", 1, "BUY")
    filled = next(line for line in lines if line.get("name") == "execDetails")
    assert filled["dir"] == "out"
    assert bytes.fromhex(filled["hex"])[:4] == (211).to_bytes(4, "big")
    assert lines[-1]["form"] == "closed"


def test_a_run_on_empty_books_has_numbers_of_its_own() -> None:
    first, second = (GatewaySimulator(cli.config_from(parse())).gateway for _ in range(2))

    assert first.ids.new_perm_id() != second.ids.new_perm_id()
    assert first.config.exchange.numbers_from != second.config.exchange.numbers_from
    assert 0 < first.ids.new_perm_id() < 2**31
