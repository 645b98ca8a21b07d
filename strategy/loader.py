"""Finds a strategy class by ``module:Class``, ``path/to/file.py`` or ``path/to/file.py:Class``."""

import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TypeVar, get_args

from strategy.bars import SECONDS_PER_DAY, BarSource
from strategy.base import Strategy
from strategy.errors import StrategyLoadError
from strategy.parameters import set_parameters
from strategy.values import nearest

Loaded = TypeVar("Loaded")


def load(name: str) -> type[Strategy]:
    """The strategy class that ``name`` means.

    Raises:
        StrategyLoadError: one sentence; for errors in the strategy's own code with file and line.
    """
    place, class_name = _split(name)
    if place.endswith(".py"):
        module = _guarded(place, lambda: _module_of_file(place))
    else:
        module = _guarded(place, lambda: _module_by_name(place))
    return _pick(module, place, class_name)


def make(name: str, parameters: Mapping[str, object] | None = None) -> Strategy:
    """A strategy with its parameters set.

    Raises:
        StrategyLoadError: it cannot be loaded, or a parameter is unknown or of another type.
    """
    kind = load(name)
    strategy = _guarded(name, kind)
    _guarded(name, lambda: set_parameters(strategy, parameters or {}))
    _check_own(strategy, name)
    _guarded(name, lambda: _check_hooks(strategy, name))
    return strategy


def _check_hooks(strategy: Strategy, name: str) -> None:
    """Refuse a hook that cannot be called as hooks are: the first fill would be too late to find out."""
    for hook, member in vars(Strategy).items():
        if hook.startswith("on_"):
            _check_hook(
                f"strategy {name}: {hook}", getattr(strategy, hook), list(inspect.signature(member).parameters)[1:]
            )


def _check_hook(hook: str, own: object, given: list[str]) -> None:
    accepted = f"it must be a method that takes ({', '.join(['self', *given])})"
    if not callable(own):
        raise StrategyLoadError(f"{hook} is {own!r}: {accepted}")
    if inspect.iscoroutinefunction(own) or inspect.isgeneratorfunction(own) or inspect.isasyncgenfunction(own):
        raise StrategyLoadError(f"{hook} would never run, for it is async or has a yield: {accepted}")
    try:
        inspect.signature(own).bind(*given)
    except (TypeError, ValueError) as error:
        raise StrategyLoadError(f"{hook} cannot be called ({error}): {accepted}") from None


def _check_own(strategy: Strategy, name: str) -> None:
    """Refuse what a strategy's author gave the parameters that every strategy has, where it cannot be meant."""
    symbols: object = strategy.symbols
    if not isinstance(symbols, tuple | list) or not all(isinstance(symbol, str) and symbol for symbol in symbols):
        raise StrategyLoadError(f"strategy {name}: symbols is {symbols!r}: it must be a tuple such as ('SPY',)")
    seconds: object = strategy.bar_seconds
    if type(seconds) is not int or not 1 <= seconds <= SECONDS_PER_DAY:
        accepted = f"it must be a whole number from 1 to {SECONDS_PER_DAY}"
        raise StrategyLoadError(f"strategy {name}: bar_seconds is {seconds!r}: {accepted}")
    if strategy.bar_source not in get_args(BarSource):
        accepted = " or ".join(map(repr, get_args(BarSource)))
        raise StrategyLoadError(f"strategy {name}: bar_source is {strategy.bar_source!r}: it must be {accepted}")


def _split(name: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?P<place>.+?\.py|[^:\\/]+)(?::(?P<name>\w+))?", name.strip())
    if match is None:
        raise StrategyLoadError(
            f"strategy is {name!r}: accepted are 'module:Class', 'path/to/file.py' and 'path/to/file.py:Class'"
        )
    return match["place"], match["name"] or ""


def _module_of_file(place: str) -> ModuleType:
    path = Path(place)
    if not path.is_file():
        raise StrategyLoadError(f"strategy is {place!r}: there is no such file")
    name = f"callboard_strategy_{re.sub(r'[^A-Za-z0-9_]', '_', path.stem)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyLoadError(f"strategy is {place!r}: it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Annotations of dataclasses and parameters are looked up in sys.modules.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _module_by_name(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise StrategyLoadError(
                f"strategy is {place!r}: there is no module {error.name!r} (a file is named with its ending .py)"
            ) from None
        raise


def _guarded(place: str, step: Callable[[], Loaded]) -> Loaded:
    try:
        return step()
    except StrategyLoadError:
        raise
    except SyntaxError as error:
        raise StrategyLoadError(f"strategy {place}: {error.msg} at {error.filename}:{error.lineno}") from None
    except KeyboardInterrupt:
        raise
    # SystemExit too: the code of a strategy must not end the program while it is loaded.
    except BaseException as error:  # noqa: BLE001 - whatever the strategy's code raises is its author's matter
        where = _last_line(error, place)
        raise StrategyLoadError(f"strategy {place}: {type(error).__name__}: {error} at {where}") from None


def _last_line(error: BaseException, place: str) -> str:
    """The innermost line in the strategy's own file, else the innermost line at all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).name == Path(place).name] or list(frames)
    return f"{own[-1].filename}:{own[-1].lineno}" if own else place


def _pick(module: ModuleType, place: str, class_name: str) -> type[Strategy]:
    found = _strategies_of(module)
    if class_name:
        if class_name not in found:
            raise StrategyLoadError(
                f"strategy {place}: no Strategy is named {class_name!r}: {nearest(class_name, found)}"
            )
        return found[class_name]
    if not found:
        raise StrategyLoadError(f"strategy {place}: it defines no subclass of Strategy")
    if len(found) > 1:
        raise StrategyLoadError(f"strategy {place}: it defines {', '.join(sorted(found))}: name one as '{place}:Class'")
    return next(iter(found.values()))


def _strategies_of(module: ModuleType) -> dict[str, type[Strategy]]:
    """Subclasses of Strategy that the module itself defines."""
    return {
        name: member
        for name, member in vars(module).items()
        if inspect.isclass(member) and issubclass(member, Strategy) and member.__module__ == module.__name__
    }
