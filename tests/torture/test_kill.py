"""CI's share of the killing; the long run is ``python -m tests.torture.kill``."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.gateway import ROOT

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="engines are forked from one that has imported all")


@pytest.mark.slow
@pytest.mark.socket
@pytest.mark.timeout(900)
@needs_fork
def test_an_engine_killed_at_fault_points_and_random_instants_loses_and_doubles_nothing(tmp_path: Path) -> None:
    words = ["--points", "36", "--counts", "1", "--random", "24", "--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture.kill", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    hit = re.search(r"60 kills, (\d+) fault points hit; (\d+) orders sent, (\d+) executions", done.stdout)
    assert hit is not None
    points, orders, executions = (int(figure) for figure in hit.groups())
    assert points >= 30
    assert orders > 60
    assert executions > 20
