"""A strategy's parameters: its annotated public class attributes, set from ``[strategy.parameters]``."""

from collections.abc import Mapping
from typing import Any, ClassVar, get_origin, get_type_hints

from strategy.errors import StrategyLoadError
from strategy.values import ValueRefused, convert, nearest


def parameters_of(strategy: type) -> dict[str, Any]:
    """Names and types of the parameters of a strategy class: annotated, public, not a ClassVar."""
    return {
        name: kind
        for name, kind in get_type_hints(strategy).items()
        if not name.startswith("_") and get_origin(kind) is not ClassVar and kind is not ClassVar
    }


def set_parameters(strategy: object, values: Mapping[str, object]) -> None:
    """Set parameters on a strategy.

    Raises:
        StrategyLoadError: an unknown name, a value of another type, or a parameter without default and value.
    """
    accepted = parameters_of(type(strategy))
    for name, value in values.items():
        setattr(strategy, name, _converted(name, value, accepted))
    for name in accepted:
        if not hasattr(strategy, name):
            raise StrategyLoadError(f"strategy.parameters.{name} is missing: {type(strategy).__name__} has no default")


def _converted(name: str, value: object, accepted: Mapping[str, Any]) -> Any:  # noqa: ANN401 - typed by the strategy
    if name not in accepted:
        raise StrategyLoadError(f"strategy.parameters.{name} is unknown: {nearest(name, accepted)}")
    try:
        return convert(value, accepted[name])
    except ValueRefused as refused:
        raise StrategyLoadError(f"strategy.parameters.{name} is {value!r}: {refused}") from None
