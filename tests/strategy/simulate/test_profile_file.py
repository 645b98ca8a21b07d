"""Profiles from files: every key has a default, every mistake is one sentence."""

from pathlib import Path

import pytest

from strategy.errors import ConfigError
from strategy.simulate.generate import Profile, plan_of
from strategy.simulate.plan import OrderFate
from strategy.simulate.profile_file import load_profile


def profile(folder: Path, text: str) -> Profile:
    path = folder / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return load_profile(path)


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert profile(tmp_path, "") == Profile()


def test_a_table_of_weights_takes_the_place_of_the_default(tmp_path: Path) -> None:
    given = profile(tmp_path, "minutes = 45\nfate_chance = 100\n[fates]\nCUT_OFF = 3\nPIECES = 1\n")
    assert given.minutes == 45
    assert given.moods == Profile().moods
    kinds = {fate.kind for seed in range(20) for fate in plan_of(seed, given).fates}
    assert kinds == {OrderFate.CUT_OFF, OrderFate.PIECES}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("minute = 3", "minute is unknown: did you mean 'minutes'?"),
        ("minutes = 0", "minutes is 0: it must be a whole number from 1 to 390"),
        ("fate_chance = 3.5", "fate_chance is 3.5: it must be a whole number from 0 to 100"),
        ("fates = 3", r"fates is 3: it must be a table, written \[fates\]"),
        ("[fates]\nPIECE = 1", "fates.PIECE is unknown: did you mean 'PIECES'?"),
        ("[moods]\nCALM = -1", "moods.CALM is -1: it must be a whole number from 0 to 1,000,000"),
        ("[moods]\nCALM = 0", "moods has no weight above 0: at least one kind must be allowed"),
        ("minutes =", "it is not valid TOML"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        profile(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"profile .*none.toml: No such file"):
        load_profile(tmp_path / "none.toml")
