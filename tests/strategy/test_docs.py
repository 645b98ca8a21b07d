import re
from pathlib import Path

from actors.messages.schedule import StartStrategy
from actors.messages.system import Tick
from strategy.base import Strategy
from strategy.broker import BrokerAPI
from strategy.loader import make
from strategy.runner import StrategyRunner
from tests.strategy.support import OPEN, later, quote, submitted

TEXT = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")


def test_the_first_example_of_the_documentation_runs(tmp_path: Path) -> None:
    path = tmp_path / "buy_the_first_bar.py"
    example = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    path.write_text(example[1], encoding="utf-8")
    runner = StrategyRunner(make(str(path)), "doc", "s1", at=OPEN)
    runner.hear(StartStrategy(at=OPEN))
    runner.hear(quote(1))
    (order,) = submitted(runner.hear(Tick(at=later(60), elapsed=60.0)))
    assert order.order.describe() == "BUY 100 SPY LIMIT @ 450.01"
    runner.hear(quote(61))
    assert submitted(runner.hear(Tick(at=later(120), elapsed=120.0))) == []


def test_the_documentation_names_every_hook_and_call() -> None:
    hooks = {name for name in vars(Strategy) if name.startswith("on_")}
    calls = {name for name in vars(BrokerAPI) if not name.startswith("_")}
    missing = {name for name in hooks | calls if not re.search(rf"`[^`]*\b{name}\b", TEXT)}
    assert missing == set()
