"""CI's share of the full disk; the long run is ``python -m tests.torture.full_disk``."""

import subprocess
import sys

import pytest

from tests.torture.gateway import ROOT
from tests.torture.test_kill import needs_fork


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.timeout(200)
@needs_fork
def test_an_engine_on_a_full_disk_halts_and_a_restart_loses_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.full_disk", "--lives", "8"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 10
