"""``run.py gateway`` as a process of its own that dies and comes back on its books; driven by its control socket."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.torture.gateway import ROOT
from tests.torture.judging import WIRE_LOG

START = "2026-04-13T14:00:00+00:00"
PATIENCE_SECONDS = 150.0


class RealGateway:
    """One gateway's ports, books and wire log through many lives; a context manager that ends the last."""

    def __init__(self, folder: Path, *, start: str = START) -> None:
        self.port, self._control_port = _free_port(), _free_port()
        self._folder = folder
        self._start = start
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "RealGateway":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop()

    def start(
        self, *, first_fault: Mapping[str, Any] | None = None, speed: str = "4", end: datetime | None = None
    ) -> None:
        """Begin a life and wait until it can be talked to.

        ``first_fault`` happens before any client is let in; the market runs at ``speed`` and stands still at ``end``.
        """
        words = ["--port", str(self.port), "--control-port", str(self._control_port), "--speed", speed]
        words += ["--start", self._start, "--books", str(self._folder / "books.sqlite")]
        words += ["--end", end.isoformat()] if end is not None else []
        words += ["--wire-log", str(self._folder / WIRE_LOG)]
        if first_fault is not None:
            words += ["--scenario", str(self._scenario(first_fault))]
        with (self._folder / "gateway.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "run.py", "gateway", *words], cwd=ROOT, stdout=output, stderr=output
            )
        due = time.monotonic() + PATIENCE_SECONDS
        while self._ask({"get": "armed"}) is None:
            if self._process.poll() is not None or time.monotonic() > due:
                raise RuntimeError(f"{self._folder}: the gateway did not start, see gateway.txt")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """A wanted stop."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def wait_until(self, at: datetime) -> None:
        """Let market time come to an instant."""
        due = time.monotonic() + PATIENCE_SECONDS
        while self.now < at:
            if time.monotonic() > due:
                raise TimeoutError(f"the market did not come to {at} in {PATIENCE_SECONDS} s")
            time.sleep(0.02)

    def pass_time(self, until: datetime) -> None:
        """A life without clients, as fast as it goes, that ends at an instant of the market."""
        self.stop()
        self.start(speed="max", end=until)
        self.wait_until(until)
        self.stop()

    @property
    def now(self) -> datetime:
        """Market time."""
        due = time.monotonic() + PATIENCE_SECONDS
        while (answer := self._ask({"get": "time"})) is None:
            if time.monotonic() > due:
                raise TimeoutError(f"{self._folder}: the gateway did not tell the time")
        return datetime.fromisoformat(answer["time"])

    def orders_seen(self) -> int:
        """How many orders and changes have come in, in all lives."""
        log = self._folder / WIRE_LOG
        return log.read_text(encoding="utf-8").count('"name": "placeOrder"') if log.exists() else 0

    def do(self, fault: str, **parameters: object) -> None:
        """Make a fault happen, or arm it."""
        answer = self._ask({"fault": fault, **parameters})
        if answer != {"ok": True}:
            raise RuntimeError(f"the gateway answered {answer} to {fault}")

    def _ask(self, question: Mapping[str, Any]) -> Any:
        try:
            with socket.create_connection(("127.0.0.1", self._control_port), timeout=5) as control:
                control.sendall(json.dumps(question).encode() + b"\n")
                answer = control.makefile().readline()
        except OSError:
            return None  # not there yet
        return json.loads(answer) if answer else None  # it hangs up when the market keeps it too busy to answer

    def _scenario(self, fault: Mapping[str, Any]) -> Path:
        path = self._folder / "scenario.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in {"at": 0, **fault}.items()]
        path.write_text("[[step]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return path


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
