import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from strategy.errors import StrategyLoadError
from strategy.examples.mean_reversion import MeanReversion
from strategy.loader import load, make

ONE = "from strategy.base import Strategy\n\nclass Mine(Strategy):\n    size: int = 5\n"
TWO = ONE + "\nclass Other(Strategy):\n    pass\n"


@pytest.fixture(autouse=True)
def forget_modules() -> Iterator[None]:
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("callboard_strategy_"):
            del sys.modules[name]


def write(tmp_path: Path, text: str, name: str = "mine.py") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(name: str) -> str:
    with pytest.raises(StrategyLoadError) as caught:
        load(name)
    return str(caught.value)


def test_a_module_and_class_name_is_loaded() -> None:
    assert load("strategy.examples.mean_reversion:MeanReversion") is MeanReversion
    assert load("strategy.examples.mean_reversion") is MeanReversion


def test_a_file_with_one_strategy_is_loaded_and_a_class_may_be_named(tmp_path: Path) -> None:
    assert load(write(tmp_path, ONE)).__name__ == "Mine"
    assert load(write(tmp_path, TWO) + ":Other").__name__ == "Other"


def test_a_strategy_file_may_use_dataclasses_and_future_annotations(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n" + ONE
    text += "\n@dataclass\nclass Note:\n    n: int = 1\n"
    assert make(write(tmp_path, text), {"size": 7}).size == 7  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("class Mine(:\n", "invalid syntax at {path}:1"),
        ("\nimport no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module' at {path}:2"),
        ("x = 1 / 0\n", "ZeroDivisionError: division by zero at {path}:1"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3 at {path}:2"),
        ("raise GeneratorExit('x')\n", "GeneratorExit: x at {path}:1"),
        ("x = 1\n", "it defines no subclass of Strategy"),
        (TWO, "it defines Mine, Other: name one as '{path}:Class'"),
    ],
)
def test_a_broken_file_is_one_sentence_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = write(tmp_path, text)
    refused = refusal(path)
    assert refused.endswith(sentence.format(path=path))
    assert "\n" not in refused
    assert "Traceback" not in refused


def test_what_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert refusal("none.py") == "strategy is 'none.py': there is no such file"
    assert refusal("no_such_package.module:Class").startswith("strategy is 'no_such_package.module'")
    assert refusal(write(tmp_path, ONE) + ":Mini").endswith("no Strategy is named 'Mini': did you mean 'Mine'?")
    assert refusal("").startswith("strategy is ''")


def test_a_module_whose_own_import_fails_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "import no_such_module\n", "strategy_under_test.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert "No module named 'no_such_module'" in refusal("strategy_under_test:Mine")


def test_a_strategy_that_fails_while_it_is_made_is_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, ONE + "\n    def __init__(self):\n        raise KeyError('x')\n")
    with pytest.raises(StrategyLoadError, match=r"KeyError: 'x' at .*mine.py:7"):
        make(path)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"quantty": 5}, "strategy.parameters.quantty is unknown: did you mean 'quantity'?"),
        ({"window": "20"}, "strategy.parameters.window is '20': it must be a whole number"),
        ({"window": True}, "strategy.parameters.window is True: it must be a whole number"),
        ({"quantity": "x"}, "strategy.parameters.quantity is 'x': it must be a number"),
        (
            {"last_entry": "late"},
            "strategy.parameters.last_entry is 'late': it must be a time of day without a zone, such as \"15:50\"",
        ),
        ({"symbols": "SPY"}, "strategy.parameters.symbols is 'SPY': it must be a list, each item text in quotes"),
        ({"symbols": [1]}, "strategy.parameters.symbols is [1]: it must be a list, each item text in quotes"),
        ({"bar_source": "bid"}, "strategy.parameters.bar_source is 'bid': it must be one of 'mid', 'last'"),
    ],
)
def test_a_parameter_that_does_not_fit_is_one_sentence(parameters: dict[str, object], sentence: str) -> None:
    with pytest.raises(StrategyLoadError) as caught:
        make("strategy.examples.mean_reversion", parameters)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("symbols = 'SPY'", "symbols is 'SPY': it must be a tuple such as ('SPY',)"),
        ("bar_seconds = 0", "bar_seconds is 0: it must be a whole number from 1 to 86400"),
        ("bar_seconds = 90_000", "bar_seconds is 90000: it must be a whole number from 1 to 86400"),
        ("bar_seconds = '60'", "bar_seconds is '60': it must be a whole number from 1 to 86400"),
        ("bar_source = 'bid'", "bar_source is 'bid': it must be 'mid' or 'last'"),
    ],
)
def test_what_an_author_gives_every_strategys_parameters_is_checked_too(
    tmp_path: Path, line: str, sentence: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"from strategy.base import Strategy\nclass Mine(Strategy):\n    {line}\n")
    with pytest.raises(StrategyLoadError) as caught:
        make(str(path))
    assert str(caught.value) == f"strategy {path}: {sentence}"


def test_parameters_are_set_and_typed() -> None:
    strategy = make("strategy.examples.mean_reversion", {"symbols": ["IBM"], "quantity": 10, "entry_deviations": 2})
    assert isinstance(strategy, MeanReversion)
    assert (strategy.symbols, str(strategy.quantity), strategy.entry_deviations) == (("IBM",), "10", 2.0)
    assert MeanReversion.symbols == ("SPY",)


def test_a_parameter_without_default_must_be_given(tmp_path: Path) -> None:
    path = write(tmp_path, ONE + "    limit: float\n")
    with pytest.raises(StrategyLoadError, match=r"strategy.parameters.limit is missing"):
        make(path)


def test_broker_state_and_log_are_refused_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="not running yet"):
        MeanReversion().log("x")


@pytest.mark.parametrize(
    ("hook", "sentence"),
    [
        ("    def on_fill(self, order): pass", "on_fill cannot be called (too many positional arguments): it must be"),
        ("    def on_bar(): pass", "on_bar cannot be called"),
        ("    def on_stop(self, why): pass", "on_stop cannot be called (missing a required argument: 'why')"),
        ("    async def on_quote(self, quote): pass", "on_quote would never run, for it is async or has a yield"),
        ("    def on_start(self): yield", "on_start would never run"),
        ("    @property\n    def on_bar(self): raise KeyError('x')", "KeyError: 'x' at"),
        ("    on_timer = 5", "on_timer is 5: it must be a method that takes (self, name, at)"),
    ],
)
def test_a_hook_that_cannot_be_called_is_refused_before_anything_starts(
    tmp_path: Path, hook: str, sentence: str
) -> None:
    with pytest.raises(StrategyLoadError) as caught:
        make(write(tmp_path, f"{ONE}{hook}\n"))
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "hook",
    [
        "    def on_fill(self, *what): pass",
        "    def on_bar(self, b, more=1): pass",
        "    on_stop = print",
        "    @staticmethod\n    def on_quote(quote): pass",
        "    on_order = staticmethod(lambda *_: None)",
    ],
)
def test_a_hook_may_be_written_in_any_way_that_can_be_called(tmp_path: Path, hook: str) -> None:
    assert type(make(write(tmp_path, f"{ONE}{hook}\n"))).__name__ == "Mine"
