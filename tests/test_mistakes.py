"""Mistakes on the command line that are found before anything starts: one sentence, exit code 2, nothing printed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from run import main

ROOT = Path(__file__).resolve().parent.parent
STRATEGY = "from strategy.base import Strategy\n\n\nclass Mine(Strategy):\n    symbols = {symbols}\n"
QUOTES = "time,bid,bid_size,ask,ask_size,last,last_size\n"

MISTAKES = {
    "an option cut short": (["--strateg", "mine.py"], "unrecognized arguments: --strateg mine.py"),
    "an empty strategy": (["--strategy", ""], "strategy.path is empty: name a strategy file or class"),
    "symbols that are one text": (["--strategy", "text.py"], "symbols is 'SPY': it must be a tuple such as ('SPY',)"),
    "symbols that are no texts": (["--strategy", "numbers.py"], "symbols is (5,): it must be a tuple"),
    "an unknown calendar": (["--config", "calendar.toml"], "session.calendar: 'MOON' is no trading calendar"),
    "a capture that cannot be written": (["--capture", "folder"], "capture is folder: it cannot be written"),
    "a page that cannot be written": (["simulate", "mine.py", "--html", "no/x.html"], "--html is no/x.html: it cannot"),
    "failures in a file": (["simulate", "mine.py", "--failures", "mine.py"], "--failures is mine.py: it must be a dir"),
    "a stop before its fill": (["simulate", "mine.py", "--stop-within", "-1"], "'-1' is no number above 0"),
    "fills that cannot be written": (
        ["backtest", "--strategy", "mine.py", "--replay", "quotes.csv", "--fills", "no/x.csv"],
        "--fills is no/x.csv: it cannot be written",
    ),
    "an account in a list": (["paper", "--config", "list.toml"], "account is ['DU*****67']: it must be text in quotes"),
    "an error of several lines": (["--strategy", "lines.py"], r"ValueError: one\ntwo at "),
    "quotes that end in nonsense": (
        ["backtest", "--strategy", "mine.py", "--replay", "damaged.csv"],
        "damaged.csv line 3 is 'oops",
    ),
    "a control port out of range": (["gateway", "--control-port", "99999"], "control_port 99999 must be from 0"),
    "a pacing that is no number": (["gateway", "--pacing", "nan"], "messages_per_second nan must be above 0"),
    "less than no records": (["journal", "show", "mine.py", "--last", "-3"], "'-3' is no whole number of at least 0"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, symbols in (("mine", '("SPY",)'), ("text", '"SPY"'), ("numbers", "(5,)")):
        Path(f"{name}.py").write_text(STRATEGY.format(symbols=symbols), encoding="utf-8")
    Path("calendar.toml").write_text('[session]\ncalendar = "MOON"\n', encoding="utf-8")
    Path("quotes.csv").write_text(QUOTES, encoding="utf-8")
    Path("damaged.csv").write_text(f"{QUOTES}2023-11-06T14:30:00Z,100,5,100.1,5,,\noops\n", encoding="utf-8")
    Path("list.toml").write_text("[connection]\naccount = ['DU1234567']\n", encoding="utf-8")
    Path("lines.py").write_text("raise ValueError('one\\ntwo')\n", encoding="utf-8")
    Path("folder").mkdir()


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_sentence_and_exit_code_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, sentence = MISTAKES[name]

    assert main(words) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert len(printed.err.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_a_reader_that_goes_away_leaves_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (1, "")


def _ended(tmp_path: Path, strategy: str, **more: str) -> "subprocess.CompletedProcess[str]":
    Path("ends.py").write_text(strategy, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "--strategy", "ends.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((*more.values(), str(ROOT)))},
    )


def test_a_thread_that_a_strategy_left_running_does_not_keep_the_process(tmp_path: Path) -> None:
    left = "import threading\nthreading.Thread(target=threading.Event().wait, name='mine').start()\n1 / 0\n"
    done = _ended(tmp_path, left)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "callboard: ends without mine"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_while_the_process_ends_changes_no_exit_code(tmp_path: Path, name: str) -> None:
    done = _ended(tmp_path, f"import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.{name})\n1 / 0\n")

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
def test_a_ctrl_c_while_the_program_is_loaded_leaves_no_traceback(tmp_path: Path) -> None:
    package = tmp_path / "early" / "ibapi"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n", encoding="utf-8")
    done = _ended(tmp_path, "", early=str(package.parent))

    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a shell of Unix closes it, a device of Linux is full")
@pytest.mark.parametrize(
    ("output", "end"), [(">&-", (0, "")), ("> /dev/full", (1, "callboard: No space left on device\n"))]
)
def test_a_standard_output_that_takes_nothing_is_no_traceback(
    tmp_path: Path, output: str, end: tuple[int, str]
) -> None:
    words = [sys.executable, str(ROOT / "run.py"), "help"]
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {output}', "sh", *words],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert (done.returncode, done.stderr) == end


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_campaign_that_is_ended_leaves_no_worker_and_no_traceback(tmp_path: Path, name: str) -> None:
    told = "    def on_start(self):\n        import sys\n        sys.stderr.write('played\\n')\n"
    Path("loud.py").write_text(STRATEGY.format(symbols=()) + told, encoding="utf-8")
    words = [sys.executable, str(ROOT / "run.py"), "simulate", "loud.py", "--sequences", "100000", "--jobs", "2"]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as campaign:
        assert campaign.stderr is not None
        for _ in range(200):  # chunks of both workers are over
            campaign.stderr.readline()
        if name == "SIGINT":
            os.killpg(campaign.pid, signal.SIGINT)
        else:
            campaign.terminate()
        _, errors = campaign.communicate(timeout=30)  # as long as a worker lives, it holds the pipe

    assert campaign.returncode == (130 if name == "SIGINT" else -signal.SIGTERM)
    assert b"Traceback" not in errors
