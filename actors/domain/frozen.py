"""Frozen values that are made as fast as mutable ones.

``attrs.frozen`` writes every field through ``object.__setattr__``, several times the price of the assignment that it
forbids, and an order's life makes dozens of values. Here a value is born as a thawed twin of its class, assigned to,
and takes its own class at the end; from then on it is an ``attrs.frozen`` value like any other. Subclasses are
decorated, too.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

T = TypeVar("T")

if TYPE_CHECKING:
    from attrs import frozen as frozen
else:

    def frozen(*, kw_only: bool) -> Callable[[type], type]:
        """A decorator like ``attrs.frozen``, for classes without factories and hooks."""

        def decorate(cls: type) -> type:
            made = attrs.frozen(kw_only=kw_only)(cls)
            thawed = _thawed(made)
            made.__init__ = _initialiser(made, thawed)
            made.__thawed__ = _copier(made, thawed)
            return made

        return decorate


def evolved(value: T, **changes: Any) -> T:  # noqa: ANN401  # fields of the value
    """As ``attrs.evolve`` of a frozen value, without converters: what is given must be of its field's type."""
    frozen_value: Any = value
    changed: Any = frozen_value.__thawed__()
    for name, given in changes.items():
        setattr(changed, name, given)
    changed.__class__ = type(value)
    return changed  # type: ignore[no-any-return]


def _thawed(made: type) -> type:
    """A twin of the same layout that can be assigned to."""
    assignable = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(made.__name__, (made,), assignable)


def _initialiser(made: type, thawed: type) -> Callable[..., None]:
    """An ``__init__`` of plain assignments, written out as attrs and dataclasses do."""
    known: dict[str, Any] = {"thaw": object.__setattr__, "Thawed": thawed, "Frozen": made}
    parameters: list[str] = []
    assignments: list[str] = []
    for field in attrs.fields(made):
        if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]  # a class, whatever its stub says
            raise TypeError(f"{made.__name__}.{field.name}: a frozen value takes no factory")
        known[f"default_{field.name}"], known[f"convert_{field.name}"] = field.default, field.converter
        optional = "" if field.default is attrs.NOTHING else f"=default_{field.name}"
        value = field.name if field.converter is None else f"convert_{field.name}({field.name})"
        parameters.append(field.name + optional)
        assignments.append(f"self.{field.name} = {value}")
    signature = ", ".join(["self", "*", *parameters] if parameters else ["self"])
    return _written(f"{made.__name__}.__init__", signature, [_THAW, *assignments, _FREEZE], known)


_THAW, _FREEZE = "thaw(self, '__class__', Thawed)", "self.__class__ = Frozen"


def _copier(made: type, thawed: type) -> Callable[..., Any]:
    """A method that makes a thawed copy."""
    copied = [f"copy.{field.name} = self.{field.name}" for field in attrs.fields(made)]
    known = {"new": object.__new__, "Thawed": thawed}
    return _written(f"{made.__name__}.__thawed__", "self", ["copy = new(Thawed)", *copied, "return copy"], known)


def _written(name: str, signature: str, lines: list[str], known: dict[str, Any]) -> Callable[..., Any]:
    """A function from its text, which is made of our own field names only."""
    exec("\n    ".join([f"def function({signature}):", *lines]), known)  # noqa: S102  # see above
    function: Callable[..., Any] = known["function"]
    function.__qualname__ = name
    return function
