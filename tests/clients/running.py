"""One simulator process and one client program against it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.clients import TradingClient
from tests.clients.environments import command_of

ROOT = Path(__file__).resolve().parents[2]
MARKET_START = "2026-04-13T15:00:00+00:00"
PROGRAM_SECONDS = 90


@contextmanager
def gateway(*, max_server_version: int, speed: float) -> Iterator[int]:
    """A simulator in a process of its own; gives its port."""
    options = ["--port", "0", "--max-server-version", str(max_server_version), "--speed", f"{speed:g}"]
    command = [sys.executable, str(ROOT / "run.py"), "gateway", *options, "--start", MARKET_START]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        try:
            yield int(first.split("port ")[1].split(",")[0])
        finally:
            process.terminate()
            process.stdout.read()


def outcome_of(client: TradingClient, folder: Path, *, max_server_version: int, quantity: int) -> dict[str, Any]:
    """What the client's program says of itself, against a simulator of its own."""
    with gateway(max_server_version=max_server_version, speed=client.speed) as port:
        return outcome_at(client, folder, port, quantity)


def outcome_at(client: TradingClient, folder: Path, port: int, quantity: int) -> dict[str, Any]:
    """What the client's program says of itself: `failure` (empty when all went well) and `steps`."""
    command, variables = command_of(client, folder)
    done = subprocess.run(
        [*command, "127.0.0.1", str(port), str(quantity), *client.arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PROGRAM_SECONDS,
        cwd=folder / "home",
        env=variables,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"client"')]
    if not lines:
        return {"failure": f"no outcome, exit code {done.returncode}: {done.stderr[-600:]}", "steps": {}}
    outcome: dict[str, Any] = json.loads(lines[-1])
    return outcome
