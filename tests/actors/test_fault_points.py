"""Fault points do nothing unless armed, and then end the process at the very instant that was named."""

import subprocess
import sys
from pathlib import Path

import pytest

from actors import fault_points
from actors.fault_points import LIST_VARIABLE, POINT_VARIABLE

SCRIPT = """
import sys
from actors.fault_points import arm, reached
arm({sys.argv[1]: sys.argv[2]})
for number in range(5):
    reached("a.point", number)
    reached("a.point")
    print(number, flush=True)
"""


def run(variable: str, value: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", SCRIPT, variable, value]
    root = Path(fault_points.__file__).parents[1]
    return subprocess.run(words, capture_output=True, text=True, check=False, cwd=root)


def test_the_process_dies_when_the_point_is_reached_for_the_nth_time() -> None:
    done = run(POINT_VARIABLE, "a.point:int:3")
    assert done.returncode not in (0, 1)
    assert done.stdout.split() == ["0", "1"]


def test_every_point_is_listed_once(tmp_path: Path) -> None:
    listed = tmp_path / "points.txt"
    assert run(LIST_VARIABLE, str(listed)).returncode == 0
    assert listed.read_text(encoding="utf-8").split() == ["a.point:int", "a.point"]


@pytest.mark.parametrize("wrong", ["a.point", "a.point:", "a.point:0", "a.point:x"])
def test_a_point_without_its_count_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="it must be NAME:N with N from 1"):
        fault_points.arm({POINT_VARIABLE: wrong})


def test_nothing_is_armed_by_an_environment_that_names_nothing() -> None:
    fault_points.arm({})
    assert fault_points._state.watcher is None
