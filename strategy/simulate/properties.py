"""What must hold in every session: the engine's own promises, common demands, and the user's properties.

A user's property is a function of one ``SessionView``. It complains by an assertion, by returning False or by returning
a sentence; None and True mean that it holds.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, Literal, TypeVar, get_args, overload

import attrs

from actors.domain.terms import format_quantity
from strategy.simulate.record import SessionView

When = Literal["end", "always"]
Verdict = str | bool | None
Check = Callable[[SessionView], Verdict]
AnyCheck = TypeVar("AnyCheck", bound=Callable[..., Any])

_MARK = "_callboard_property"


@attrs.frozen(kw_only=True)
class Property:
    """One demand: looked at after everything that happens, or once the session is over."""

    name: str
    check: Check
    when: When = "end"


@attrs.frozen(kw_only=True)
class Violation:
    """A demand that was not met."""

    name: str
    text: str
    at: datetime


def _amount(given: Decimal | float | str | None) -> Decimal | None:
    return None if given is None else Decimal(str(given))


@attrs.frozen(kw_only=True)
class Demands:
    """Common demands; None or False switches one off.

    ``max_position`` is in shares on either side of a symbol, ``max_loss`` in the account's currency. ``stop_within``:
    a position must be covered by working stop orders within so many seconds while orders can pass.
    """

    flat_at_close: bool = True
    raises_nothing: bool = True
    max_orders_in_10_seconds: int | None = 60
    max_position: Decimal | None = attrs.field(default=None, converter=_amount)
    max_loss: Decimal | None = attrs.field(default=None, converter=_amount)
    stop_within: float | None = None

    def properties(self) -> tuple[Property, ...]:
        """The demands as properties."""
        found: list[Property] = []
        if self.raises_nothing:
            found.append(Property(name="strategy_raises_nothing", check=_raises_nothing, when="always"))
        if self.max_orders_in_10_seconds is not None:
            found.append(Property(name="no_order_storm", check=self._no_storm, when="always"))
        if self.max_position is not None:
            found.append(Property(name="position_within_limit", check=self._within_limit, when="always"))
        if self.max_loss is not None:
            found.append(Property(name="loss_within_limit", check=self._bounded_loss, when="always"))
        if self.stop_within is not None:
            found.append(Property(name="position_has_its_stop", check=self._protected, when="always"))
        if self.flat_at_close:
            found.append(Property(name="flat_at_the_close", check=_flat_at_close))
        return tuple(found)

    def _no_storm(self, session: SessionView) -> Verdict:
        limit = self.max_orders_in_10_seconds or 0
        return len(session.submitted) <= limit or f"{len(session.submitted)} orders within 10 seconds"

    def _within_limit(self, session: SessionView) -> Verdict:
        limit = self.max_position or Decimal(0)
        for symbol, quantity in session.positions().items():
            if abs(quantity) > limit:
                return f"the position is {format_quantity(quantity)} {symbol}, allowed are {format_quantity(limit)}"
        return None

    def _bounded_loss(self, session: SessionView) -> Verdict:
        limit = self.max_loss or Decimal(0)
        return session.pnl >= -limit or f"the loss is {-session.pnl:.2f}, allowed is {limit}"

    def _protected(self, session: SessionView) -> Verdict:
        """Counted from the moment at which the position was open, the strategy knew of it and orders could pass."""
        patience = timedelta(seconds=self.stop_within or 0)
        positions = session.positions()
        for symbol in list(session.unprotected_since):
            if symbol not in positions:
                del session.unprotected_since[symbol]
        for symbol, quantity in positions.items():
            known = session.told_positions.get(symbol) == quantity
            if not known or not session.is_ready or _covered(session, symbol) >= abs(quantity):
                session.unprotected_since.pop(symbol, None)
                continue
            since = session.unprotected_since.setdefault(symbol, session.now)
            if session.now - since > patience:
                return f"{format_quantity(quantity)} {symbol} without a stop for {(session.now - since).seconds} s"
        return None


def _covered(session: SessionView, symbol: str) -> Decimal:
    closing = -1 if session.position(symbol) > 0 else 1
    stops = (order for order in session.working_orders(symbol) if order.is_stop and order.terms.side.sign == closing)
    return sum((order.remaining for order in stops), Decimal(0))


def _raises_nothing(session: SessionView) -> Verdict:
    failure = session.failure
    return None if failure is None else f"{failure.hook} raised {failure.error}"


def _flat_at_close(session: SessionView) -> Verdict:
    held = [f"{format_quantity(quantity)} {symbol}" for symbol, quantity in session.positions().items()]
    return f"{', '.join(held)} left after the close" if held else None


@overload
def property_of_session(check: AnyCheck, /) -> AnyCheck: ...


@overload
def property_of_session(*, when: When = ...) -> Callable[[AnyCheck], AnyCheck]: ...


def property_of_session(check: Any = None, /, *, when: When = "end") -> Any:
    """Mark a function of a strategy's file as a property of every session.

    Args:
        check: the function, when used without parentheses.
        when: ``"end"`` looks once the session is over, ``"always"`` after everything that happens.

    Raises:
        ValueError: ``when`` is neither.
        TypeError: its answer could not be read: it is a coroutine or a generator.
    """
    if when not in get_args(When):
        raise ValueError(f"when is {when!r}: it must be 'end' or 'always'")

    def mark(function: Any) -> Any:  # noqa: ANN401 - any function of one session
        if iscoroutinefunction(function) or isgeneratorfunction(function) or isasyncgenfunction(function):
            raise TypeError(f"{function.__name__} must be a plain function: nobody would read what it answers")
        setattr(function, _MARK, when)
        return function

    return mark if check is None else mark(check)


def properties_in(namespace: dict[str, Any]) -> tuple[Property, ...]:
    """The marked functions of a module, in the order in which they stand there."""
    marked = ((name, member) for name, member in namespace.items() if hasattr(member, _MARK))
    return tuple(Property(name=name, check=member, when=getattr(member, _MARK)) for name, member in marked)


def first_violation(properties: Iterable[Property], session: SessionView) -> Violation | None:
    """The first property that does not hold now."""
    for demand in properties:
        text = _complaint(demand, session)
        if text is not None:
            return Violation(name=demand.name, text=text, at=session.now)
    return None


def _complaint(demand: Property, session: SessionView) -> str | None:
    try:
        verdict = demand.check(session)
    except AssertionError as error:
        return str(error) or "its assertion failed"
    except Exception as error:  # noqa: BLE001 - a user's property may raise anything; that is its complaint
        return f"{type(error).__name__}: {error}"
    if isinstance(verdict, str):
        return verdict
    return "it does not hold" if verdict is False else None
