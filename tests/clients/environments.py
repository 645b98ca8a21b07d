"""A virtual environment (or a node folder) per client, made once from the ordinary package index and kept.

They are made in the background while other tests run, one at a time and with low priority.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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


NOT_OFFERED = ("No matching distribution found", "E404")


class NotHereError(Exception):
    """The client cannot be had on this machine, and nothing can be said about it; the text says why, in words."""


class InstallError(Exception):
    """The package index answers, and the client cannot be installed."""


def cache_folder() -> Path:
    """Where environments are kept: CALLBOARD_CLIENTS_CACHE, or a folder in the user's cache."""
    if chosen := os.environ.get("CALLBOARD_CLIENTS_CACHE"):
        return Path(chosen)
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "callboard" / "clients"


class Environments:
    """The environments of a test run."""

    def __init__(self) -> None:
        self._installer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="clients")
        self._made: dict[str, Future[Path]] = {}

    def prepare(self, clients: Iterable[TradingClient]) -> None:
        """Begins to make the environments of clients, in the background."""
        for client in clients:
            if client.name not in self._made:
                self._made[client.name] = self._installer.submit(_environment_of, client)

    def of(self, client: TradingClient) -> Path:
        """The client's installed environment.

        Raises:
            NotHereError: the package index does not answer or does not have it, or node is missing.
            InstallError: it cannot be installed for another reason.
        """
        self.prepare([client])
        return self._made[client.name].result()

    def give_up(self) -> None:
        """Begins nothing more."""
        self._installer.shutdown(wait=False, cancel_futures=True)


def _environment_of(client: TradingClient) -> Path:
    wanted = repr((sys.version_info[:2], client.packages, client.bare, client.npm))
    folder = cache_folder() / f"{client.program.split('.')[0]}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as unfinished:
            made = Path(unfinished) / "made"
            made.mkdir()
            _install(client, made)
            made.rename(folder)
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
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            raise NotHereError("node and npm are not installed")
        patience = ["--fetch-retries", "1", "--fetch-retry-mintimeout", "1000", "--fetch-retry-maxtimeout", "1000"]
        _run([npm, "install", "--no-audit", "--no-fund", *patience, "--prefix", str(folder), *client.npm], client)
        return
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)], client)
    pip = [sys.executable, "-m", "pip", "--python", str(_python(folder)), "install", "-q", "--retries", "1"]
    pip += ["--no-compile", "--only-binary", ":all:", "--no-binary", "ibapi"]  # the oldest client is source only
    if client.packages:
        _run([*pip, *client.packages], client)
    if client.bare:
        _run([*pip, "--no-deps", *client.bare], client)


def _python(folder: Path) -> Path:
    windows = folder / "Scripts" / "python.exe"
    return windows if windows.exists() else folder / "bin" / "python"


def _run(command: Sequence[str], client: TradingClient) -> None:
    nice = ["nice", "-n", "10"] if shutil.which("nice") else []
    done = subprocess.run([*nice, *command], capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if any(sign in said for sign in UNREACHABLE):
        raise NotHereError("the package index is unreachable")
    if any(sign in said for sign in NOT_OFFERED):
        python = f"Python {sys.version_info.major}.{sys.version_info.minor} on {sys.platform}"
        raise NotHereError(f"the package index offers no build of it for {python}: {said.strip().splitlines()[-1]}")
    raise InstallError(f"{client.name} could not be installed: {said[-600:]}")
