"""Frozen values that are made as fast as mutable ones.

``attrs.frozen`` writes every field through ``object.__setattr__``, several times the price of the assignment that it
forbids, and an order's life makes dozens of values. Here a value is born as a thawed twin of its class, assigned to,
and takes its own class at the end; from then on it is an ``attrs.frozen`` value like any other. Subclasses are
decorated, too.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from attrs import frozen as frozen
else:

    def frozen(*, kw_only: bool) -> Callable[[type], type]:
        """A decorator like ``attrs.frozen``, for classes without factories and hooks."""

        def decorate(cls: type) -> type:
            made = attrs.frozen(kw_only=kw_only)(cls)
            made.__init__ = _initialiser(made, _thawed(made))
            return made

        return decorate


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
        assignments.append(f"    self.{field.name} = {value}")
    head = ", ".join(["self", "*", *parameters] if parameters else ["self"])
    lines = (
        f"def __init__({head}):",
        "    thaw(self, '__class__', Thawed)",
        *assignments,
        "    self.__class__ = Frozen",
    )
    exec("\n".join(lines), known)  # noqa: S102  # made of our own field names
    initialiser: Callable[..., None] = known["__init__"]
    initialiser.__qualname__ = f"{made.__name__}.__init__"
    return initialiser
