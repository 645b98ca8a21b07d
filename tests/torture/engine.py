"""Real engine processes, started cheaply: forked from a process that has imported everything, then ``run.py paper``."""

import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

import run
from actors import fault_points
from actors.clock import SystemClock
from actors.domain.desk_config import DeskConfig
from actors.journal import Journal
from actors.restore import Fold
from actors.system import EngineSettings
from ibapi_bridge import assembly
from tests.torture import busy
from tests.torture.conclusions import ACCOUNT, as_bytes
from tests.torture.gateway import SYMBOLS

PRELOADED = (assembly, busy)
STRATEGY_ID = "busy"


def write_config(folder: Path, port: int, *, trading: bool, symbols: tuple[str, ...] = SYMBOLS) -> Path:
    """A configuration for ``run.py paper`` with the busy strategy, against a gateway on this machine."""
    name = "trading" if trading else "settling"
    return write_config_for(
        folder, port, name=name, strategy="tests.torture.busy:Busy", symbols=list(symbols), trading=trading
    )


def write_config_for(folder: Path, port: int, *, name: str, strategy: str, **parameters: object) -> Path:
    """A configuration for any strategy."""
    path = folder / f"{name}.toml"
    given = "\n".join(f"{key} = {json.dumps(value)}" for key, value in parameters.items())
    path.write_text(
        f"""
[connection]
port = {port}
account = "{ACCOUNT}"
reconnect_delay_seconds = 0.1
[trading]
flatten_at = "off"
lock_at = "off"
absence_grace_seconds = 0.3
[strategy]
path = "{strategy}"
id = "{STRATEGY_ID}"
[strategy.parameters]
{given}
[logging]
console = false
directory = "{(folder / "logs").as_posix()}"
[pacing]
messages_per_second = 1000
orders_per_contract = "off"
""",
        encoding="utf-8",
    )
    return path


def preload() -> None:
    """Do once what every start would do again."""
    if find_spec("exchange_calendars") is not None:
        import_module("exchange_calendars").get_calendar("XNYS")


class EngineProcess:
    """One life of the engine."""

    def __init__(
        self, folder: Path, config: Path, environment: Mapping[str, str] | None = None, *, file_bytes: int = 0
    ) -> None:
        """``file_bytes``: no file may grow beyond it, as on a full disk; 0 sets no limit."""
        self.state = folder / "state"
        self._output = folder / "engine.txt"
        self.pid = os.fork()
        if self.pid == 0:
            self._live(config, environment or {}, file_bytes)

    def _live(self, config: Path, environment: Mapping[str, str], file_bytes: int) -> None:
        """The child: never returns."""
        code = 70
        try:
            output = os.open(self._output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(output, 1)
            os.dup2(output, 2)
            fault_points.arm(environment)
            if file_bytes:
                import_module("resource").setrlimit(1, (file_bytes, file_bytes))  # RLIMIT_FSIZE is 1 everywhere
            code = run_and_remember(config, self.state)
        except BaseException as error:  # noqa: BLE001 - the last line of a process
            os.write(2, repr(error).encode())
        finally:
            os._exit(code)

    def died_within(self, seconds: float) -> bool:
        """Whether it ended by itself."""
        due = time.monotonic() + seconds
        while True:
            pid, self.status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return True
            left = due - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, 0.005))

    def terminate(self) -> None:
        """SIGTERM: the wanted stop."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and reap."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    @property
    def exit_code(self) -> int:
        """How it ended; negative for a signal."""
        return os.waitstatus_to_exitcode(self.status)


def command(config: Path, state: Path, *, at: datetime | None = None) -> list[str]:
    """The command line of an engine that writes its memory down at a wanted stop; its clock may start at any time."""
    words = [] if at is None else [at.isoformat()]
    return [sys.executable, "-m", "tests.torture.engine", str(config), str(state), *words]


def run_and_remember(config: Path, state: Path) -> int:
    """``run.py paper``, and after a wanted stop the desk's state as ``memory.json``."""
    kept = _keep_what_is_restored()
    _reconnect_quickly()
    code = run.main(["paper", "--config", str(config), "--state", str(state)])
    sys.stdout.flush()
    if kept:
        (state / "memory.json").write_bytes(as_bytes(kept[-1].desk.snapshot()))
    return code


def _reconnect_quickly() -> None:
    """A gateway that is cut off on purpose, over and over, needs no patience."""
    settings = vars(run)["_settings"]

    def impatient(*arguments: Any) -> EngineSettings:
        made: EngineSettings = settings(*arguments)
        return attrs.evolve(made, session=attrs.evolve(made.session, reconnect_delay_max_seconds=0.2))

    vars(run)["_settings"] = impatient


def _keep_what_is_restored() -> list[Fold]:
    """The desk lives inside ``run``; what it began with is the object that it goes on with."""
    kept: list[Fold] = []
    restore = vars(run)["restore"]

    def keeping(journal: Journal, config: DeskConfig) -> Fold:
        kept.append(restore(journal, config))
        return kept[-1]

    vars(run)["restore"] = keeping
    return kept


def _begin_at(at: datetime) -> None:
    """A machine whose clock says what the gateway's says."""
    vars(run)["SystemClock"] = partial(SystemClock, read=lambda: at)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        _begin_at(datetime.fromisoformat(sys.argv[3]))
    sys.exit(run_and_remember(Path(sys.argv[1]), Path(sys.argv[2])))
