"""A virtual environment (or a node folder) per client, made once from the ordinary package index and kept."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.clients.clients import TradingClient

INSTALL_SECONDS = 600
UNREACHABLE = (
    "connection broken",
    "Could not fetch URL",
    "name resolution",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ETIMEDOUT",
    "network request to",
)


class IndexUnreachableError(Exception):
    """The package index does not answer: nothing can be said about the client."""


class InstallError(Exception):
    """The package index answers, and the client cannot be installed."""


def cache_folder() -> Path:
    """Where environments are kept: CALLBOARD_CLIENTS_CACHE, or a folder in the user's cache."""
    if chosen := os.environ.get("CALLBOARD_CLIENTS_CACHE"):
        return Path(chosen)
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "callboard" / "clients"


def environment_of(client: TradingClient) -> Path:
    """The client's installed environment.

    Raises:
        IndexUnreachableError: the package index does not answer.
        InstallError: it does, and refuses.
    """
    wanted = repr((sys.version_info[:2], client.packages, client.bare, client.npm))
    folder = cache_folder() / f"{client.program.split('.')[0]}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    complete = folder / "complete"
    if not complete.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _install(client, folder)
        complete.touch()
    return folder


def command_of(client: TradingClient, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command that runs the client's program and the environment variables it needs."""
    home = folder / "home"  # some clients keep files under the home folder
    home.mkdir(exist_ok=True)
    variables = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}
    variables.pop("PYTHONPATH", None)
    if client.npm:
        return ["node", str(client.path)], {**variables, "NODE_PATH": str(folder / "node_modules")}
    return [str(_python(folder)), str(client.path)], variables


def _install(client: TradingClient, folder: Path) -> None:
    if client.npm:
        npm = shutil.which("npm") or "npm"
        patience = ["--fetch-retries", "1", "--fetch-retry-mintimeout", "1000", "--fetch-retry-maxtimeout", "1000"]
        _run([npm, "install", "--no-audit", "--no-fund", *patience, "--prefix", str(folder), *client.npm], client)
        return
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], client)
    pip = [sys.executable, "-m", "pip", "--python", str(_python(folder)), "install", "-q", "--retries", "1"]
    if client.packages:
        _run([*pip, *client.packages], client)
    if client.bare:
        _run([*pip, "--no-deps", *client.bare], client)


def _python(folder: Path) -> Path:
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.exists() else folder / "bin" / "python"


def _run(command: Sequence[str], client: TradingClient) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    kind = IndexUnreachableError if any(sign in said for sign in UNREACHABLE) else InstallError
    raise kind(f"{client.name} could not be installed: {said[-600:]}")
