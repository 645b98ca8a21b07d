"""The command line as a user meets it: a whole session, a second program beside it, and every kind of mistake."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*words: str, cwd: Path, seconds: float = 110) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=seconds,
        check=False,
        env=environment,
    )


def test_an_official_client_that_cannot_be_used_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "ibapi").mkdir()
    (tmp_path / "ibapi" / "__init__.py").write_text("raise ImportError('half installed')\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("callboard: the official client ibapi (")
    assert "cannot be used: it cannot be imported (half installed); supported are" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def toml(folder: Path, text: str) -> str:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.slow
@pytest.mark.socket
def test_a_whole_session_is_traded_and_ends_flat_with_a_report(tmp_path: Path) -> None:
    done = run("--speed", "2000", cwd=tmp_path)
    assert done.stderr == ""
    assert done.returncode == 0
    report = done.stdout[done.stdout.index("session report") :]
    assert "position:          flat" in report
    assert "(0 partial" not in report
    assert "problem" not in report
    lines = (tmp_path / "logs" / "execution.log").read_text(encoding="utf-8").splitlines()
    assert any(" | WARNING  | execution.engine | FLATTEN | end of session" in line for line in lines)
    assert any(" | INFO     | execution.engine | SUBMIT | " in line for line in lines)


@pytest.mark.slow
@pytest.mark.socket
def test_with_trading_disabled_signals_are_logged_and_nothing_is_sent(tmp_path: Path) -> None:
    config = toml(tmp_path, "[trading]\ntrading_enabled = false\n")
    done = run("--speed", "3000", "--config", config, cwd=tmp_path)
    assert done.returncode == 0
    text = (tmp_path / "logs" / "execution.log").read_text(encoding="utf-8")
    assert "| SIGNAL |" in text
    assert "| SUBMIT |" not in text


@pytest.mark.socket
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_signal_stops_everything_within_five_seconds(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), "--speed", "100"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    while "READY" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "stopped: signal SIGTERM" in output


AT_ANY_HOUR = '[trading]\nflatten_at = "off"\n'
"""In paper trading the hour is the real one: from 15:50 in New York on, nothing new would be taken."""

CONFIGURED = '[strategy]\nclass = "strategy.examples.mean_reversion:MeanReversion"\n'
MISTAKES = {
    "unknown command": (["nonsense"], "", "command is 'nonsense': accepted are session, paper, live"),
    "unknown option": (["--sped", "5"], "", "unrecognized arguments: --sped 5"),
    "speed that is none": (["--speed", "fast"], "", "'fast' is no speed from 0.1 to 1000000, nor max"),
    "closed day": (["--date", "2026-04-12"], "", "--date is 2026-04-12: the market is closed on that day"),
    "day at the end of time": (["--date", "9999-12-31"], "", "'9999-12-31' is no date such as 2013-10-08, from 1900"),
    "gateway at the end of time": (
        ["gateway", "--start", "9999-12-31T23:59:00"],
        "",
        "--start '9999-12-31T23:59:00' must be a time such as 2026-04-13T13:30:00+00:00, from 1900 to 2199",
    ),
    "unknown symbol": (["--symbol", "NOPE"], "", "--symbol is 'NOPE': the simulator knows"),
    "no configuration": (["paper"], "", "--config is missing"),
    "key with a typing error": (["paper", "--config", "my.toml"], "[connection]\nprot = 1\n", "did you mean 'port'?"),
    "broken TOML": (["paper", "--config", "my.toml"], "[connection\n", "it is not valid TOML"),
    "port out of range": (["paper", "--config", "my.toml"], "[connection]\nport = 99999\n", "connection.port is 99999"),
    "live port with a paper account": (
        ["paper", "--config", "my.toml"],
        f'[connection]\nport = 4001\naccount = "DU1234567"\n{CONFIGURED}',
        "connection.port is 4001: mode 'paper' does not use it",
    ),
    "paper account in live trading": (
        ["live", "--config", "my.toml"],
        f'[connection]\nport = 4001\naccount = "DU1234567"\n{CONFIGURED}',
        "it is a paper account and needs mode 'paper'",
    ),
    "nobody listens on the port": (
        ["paper", "--config", "my.toml"],
        f'[connection]\nport = 1\naccount = "DU1234567"\n{CONFIGURED}',
        "cannot connect to 127.0.0.1:1",
    ),
    "strategy that does not parse": (["--strategy", "bad.py"], "", "invalid syntax at"),
    "strategy that is not there": (["--strategy", "missing.py"], "", "there is no such file"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_code_2(name: str, tmp_path: Path) -> None:
    words, config, sentence = MISTAKES[name]
    toml(tmp_path, config)
    (tmp_path / "bad.py").write_text("def x(:\n", encoding="utf-8")
    done = run(*words, cwd=tmp_path, seconds=30)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("callboard: ")
    assert "Traceback" not in done.stdout + done.stderr


REFUSED = """
from actors.domain.terms import InvalidOrder, Order
from strategy.base import Strategy


class Refused(Strategy):
    symbols = ("SPY",)

    def on_start(self):
        try:
            self.broker.submit_order(Order(symbol="SPY", side="BUY", quantity=-5))
        except InvalidOrder as error:
            self.log(f"refused: {error}")
        self.broker.submit_order(Order(symbol="NOSUCH", side="BUY", quantity=5))
"""


@pytest.mark.slow
@pytest.mark.socket
def test_an_order_for_an_unknown_symbol_is_rejected_and_a_negative_quantity_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "refused.py").write_text(REFUSED, encoding="utf-8")
    done = run("--strategy", "refused.py", "--speed", "3000", cwd=tmp_path)
    assert done.returncode == 0
    text = (tmp_path / "logs" / "execution.log").read_text(encoding="utf-8")
    assert "refused: quantity is -5: it must be greater than 0" in text
    assert "| REJECT |" in text
    assert "Traceback" not in text + done.stderr


BUY_ONCE = """
from actors.domain.terms import Order
from strategy.base import Strategy


class BuyOnce(Strategy):
    symbols = ("SPY",)

    def on_start(self):
        self.broker.submit_order(Order(symbol="SPY", side="BUY", quantity=5))
"""


def started(*words: str, cwd: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *words], stdout=subprocess.PIPE, text=True, cwd=cwd, env=environment
    )


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"{text!r} was never printed")


@pytest.mark.slow
@pytest.mark.socket
def test_a_second_program_of_somebody_else_trades_on_the_same_gateway_at_the_same_time(tmp_path: Path) -> None:
    (tmp_path / "buy_once.py").write_text(BUY_ONCE, encoding="utf-8")
    with ExitStack() as stack:
        words = ("gateway", "--port", "0", "--speed", "20", "--start", "2026-04-13T14:00:00+00:00")
        gateway = stack.enter_context(ending(started(*words, cwd=tmp_path)))
        port = read_until(gateway, "Gateway simulator on").split(" port ")[1].split(",")[0]
        text = f'[connection]\nport = {port}\nclient_id = 7\n[strategy]\npath = "buy_once.py"\n{AT_ANY_HOUR}'
        config = toml(tmp_path, text)
        engine = stack.enter_context(ending(started("paper", "--config", config, cwd=tmp_path)))
        read_until(engine, "| FILL")
        other = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "second_program.py"), port, "8"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert other.stdout == "connected True, quoted True, filled True\n"
        engine.terminate()
        assert "position:          5 SPY" in engine.communicate(timeout=10)[0]
        assert engine.returncode == 0


@contextmanager
def ending(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    with process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)


def places_of_threads(process_id: int) -> Iterator[list[int]]:
    """The CPUs of each thread but the main one."""
    for task in Path(f"/proc/{process_id}/task").iterdir():
        if task.name != str(process_id):
            with suppress(ProcessLookupError):  # it has ended
                yield sorted(os.sched_getaffinity(int(task.name)))


@pytest.mark.socket
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux can be asked")
@pytest.mark.parametrize("together", [True, False])
def test_the_engines_threads_stay_together_if_wanted(tmp_path: Path, together: bool) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    config = toml(tmp_path, f"[process]\none_cpu = {str(together).lower()}\n")
    with ending(started("--speed", "100", "--config", config, cwd=tmp_path)) as engine:
        read_until(engine, "READY")
        places = list(places_of_threads(engine.pid))
        assert sorted(os.sched_getaffinity(engine.pid)) == allowed
    chosen = places.count([allowed[engine.pid % len(allowed)]])
    assert chosen >= 6 if together or len(allowed) == 1 else chosen == 0


BURST = """
from actors.domain.terms import Order
from strategy.base import Strategy


class Burst(Strategy):
    symbols = ("SPY",)

    def on_start(self):
        self.left = 120
        self.broker.every(30, "late")
        for _ in range(self.left):
            self.broker.submit_order(Order(symbol="SPY", side="BUY", quantity=1))

    def on_fill(self, order, fill):
        self.left -= 1
        if self.left == 0:
            self.log("all of them are filled")

    def on_timer(self, name, at):
        self.log(f"{self.left} of them are not filled")
"""


@pytest.mark.slow
@pytest.mark.socket
def test_a_burst_of_orders_never_breaks_the_gateways_limit_of_messages(tmp_path: Path) -> None:
    (tmp_path / "burst.py").write_text(BURST, encoding="utf-8")
    with ExitStack() as stack:
        words = ("gateway", "--port", "0", "--speed", "20", "--start", "2026-04-13T14:00:00+00:00", "--pacing", "50")
        gateway = stack.enter_context(ending(started(*words, cwd=tmp_path)))
        port = read_until(gateway, "Gateway simulator on").split(" port ")[1].split(",")[0]
        text = f'[connection]\nport = {port}\n[strategy]\npath = "burst.py"\n[pacing]\norders_per_contract = "off"\n'
        text += AT_ANY_HOUR
        engine = stack.enter_context(ending(started("paper", "--config", toml(tmp_path, text), cwd=tmp_path)))
        assert "all of them are filled" in read_until(engine, "of them are")
        engine.terminate()
        assert "position:          120 SPY" in engine.communicate(timeout=10)[0]
    assert "Max rate of messages" not in (tmp_path / "logs" / "execution.log").read_text(encoding="utf-8")
