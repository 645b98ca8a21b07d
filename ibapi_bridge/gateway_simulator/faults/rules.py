"""Rules that drop, delay, double, hold back or rewrite messages, or swallow requests."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any, Protocol, TypeAlias

import attrs
from ibapi.message import IN

from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.protos import Message, copy_of
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request

Forward: TypeAlias = Callable[[Session, int, Message], None]
Later: TypeAlias = Callable[[timedelta, Callable[[], None]], None]
FOREVER = 0


def order_id_of(number: int, message: Message) -> int | None:
    """The API order id a reply is about, None if it is about no order."""
    if number in {IN.OPEN_ORDER, IN.ORDER_STATUS}:
        return int(message.orderId)
    if number == IN.EXECUTION_DATA:
        return int(message.execution.orderId)
    if number == IN.ERR_MSG and message.id >= 0:
        return int(message.id)
    return None


def whole(parameters: dict[str, Any], name: str, default: int) -> int:
    """A parameter that counts something.

    Raises:
        ConfigError: it is no whole number from 0.
    """
    value = parameters.pop(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"{name} {value!r} must be a whole number from 0")
    return value


def whole_or_none(parameters: dict[str, Any], name: str) -> int | None:
    """A parameter that is an id, None if it is left out.

    Raises:
        ConfigError: it is no whole number from 0.
    """
    return None if parameters.get(name) is None else whole({name: parameters.pop(name)}, name, 0)


def before_or_after(parameters: dict[str, Any], default: str) -> str:
    """The parameter `when`.

    Raises:
        ConfigError: it is neither word.
    """
    when = str(parameters.pop("when", default))
    if when not in {"before", "after"}:
        raise ConfigError(f"when {when!r} must be 'before' or 'after'")
    return when


@attrs.frozen
class Dice:
    """Whether a rule that could apply does: always, or with a chance drawn from a seed of its own."""

    chance: float = 1.0
    random: Random = attrs.field(factory=Random)

    def agree(self) -> bool:
        """Throws them, unless nothing is left to chance."""
        return self.chance >= 1 or self.random.random() < self.chance


@attrs.define(kw_only=True)
class Scope:
    """Which messages a rule is about, and how often it still applies (`times` 0 is for ever)."""

    numbers: frozenset[int] = frozenset()
    times: int = 1
    skip: int = 0
    client_id: int | None = None
    order_id: int | None = None
    test: Callable[[Message], bool] | None = None
    dice: Dice = Dice()
    spent: bool = False

    def covers(self, session: Session, number: int, message: Message) -> bool:
        """Whether a reply is meant, without using the rule up."""
        if self.numbers and number not in self.numbers:
            return False
        if self.client_id is not None and session.client_id != self.client_id:
            return False
        if self.order_id is not None and order_id_of(number, message) != self.order_id:
            return False
        return self.test is None or self.test(message)

    def take(self) -> bool:
        """Uses the rule once; False while it is still skipping, or when the dice say so."""
        if not self.dice.agree():
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times != FOREVER:
            self.times -= 1
            self.spent = self.times == 0
        return True


class Rule(Protocol):
    """Looks at every reply until it is `over`."""

    scope: Scope

    @property
    def over(self) -> bool:
        """Whether the rule has nothing left to do."""

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Deals with a reply; False leaves it to the rules after this one."""


@attrs.define(kw_only=True)
class Drop:
    """The reply never leaves."""

    scope: Scope

    @property
    def over(self) -> bool:
        """Whether the rule has been used up."""
        return self.scope.spent

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Swallows what is covered."""
        return self.scope.covers(session, number, message) and self.scope.take()


@attrs.define(kw_only=True)
class DropPair(Drop):
    """Neither openOrder nor the orderStatus that belongs to it leaves; a status without openOrder counts as a pair."""

    skipped: dict[tuple[Session, int], str] = attrs.field(factory=dict)

    @property
    def over(self) -> bool:
        """Whether the rule has been used up and no half of a pair is awaited."""
        return self.scope.spent and not self.skipped

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Swallows what is covered, and the other half of it."""
        if number == IN.ORDER_STATUS and self.skipped.pop((session, message.orderId), None) == message.status:
            return True
        if self.scope.spent or not Drop.act(self, session, number, message, forward):
            return False
        if number == IN.OPEN_ORDER:
            self.skipped[session, message.orderId] = message.orderState.status
        return True


@attrs.define(kw_only=True)
class Duplicate:
    """The reply leaves several times."""

    scope: Scope
    copies: int = 1

    @property
    def over(self) -> bool:
        """Whether the rule has been used up."""
        return self.scope.spent

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Sends what is covered once and `copies` times more."""
        if not (self.scope.covers(session, number, message) and self.scope.take()):
            return False
        for _ in range(self.copies + 1):
            forward(session, number, message)
        return True


@attrs.define(kw_only=True)
class Delay:
    """The reply leaves later in market time."""

    scope: Scope
    later: Later
    delay: timedelta

    @property
    def over(self) -> bool:
        """Whether the rule has been used up."""
        return self.scope.spent

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Postpones what is covered; a connection closed meanwhile loses it."""
        if not (self.scope.covers(session, number, message) and self.scope.take()):
            return False
        kept = copy_of(message)
        self.later(self.delay, lambda: forward(session, number, kept))
        return True


@attrs.define(kw_only=True)
class Hold:
    """The reply waits until another kind of reply about the same order has left.

    A commission report is about the order of its execution; a reply about no order lets everything go.
    """

    scope: Scope
    until: frozenset[int]
    release: Callable[[Message], bool] = attrs.field(default=lambda _message: True)
    held: dict[tuple[Session, int | None], list[tuple[int, Message]]] = attrs.field(factory=dict)
    executed: dict[str, int] = attrs.field(factory=dict)

    @property
    def over(self) -> bool:
        """Whether the rule has been used up and nothing waits any more."""
        return self.scope.spent and not self.held

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Keeps what is covered, and lets it go after the releasing reply."""
        about = session, self._order_of(number, message)
        released = self._released_by(about) if number in self.until and self.release(message) else []
        if released:
            forward(session, number, message)
            for waiting in [waiting for key in released for waiting in self.held.pop(key)]:
                forward(session, *waiting)
            return True
        if not self.scope.covers(session, number, message):
            return False
        if about not in self.held and (self.scope.spent or not self.scope.take()):
            return False
        self.held.setdefault(about, []).append((number, copy_of(message)))
        return True

    def _order_of(self, number: int, message: Message) -> int | None:
        if number == IN.EXECUTION_DATA:
            self.executed[message.execution.execId] = message.execution.orderId
        if number == IN.COMMISSION_AND_FEES_REPORT:
            return self.executed.get(message.execId)
        return order_id_of(number, message)

    def _released_by(self, about: tuple[Session, int | None]) -> list[tuple[Session, int | None]]:
        session, order_id = about
        return [key for key in self.held if key[0] is session and (key[1] == order_id or None in {key[1], order_id})]


@attrs.define(kw_only=True)
class Rewrite:
    """The reply leaves changed."""

    scope: Scope
    change: Callable[[Message], None]

    @property
    def over(self) -> bool:
        """Whether the rule has been used up."""
        return self.scope.spent

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Changes a copy of what is covered."""
        if not (self.scope.covers(session, number, message) and self.scope.take()):
            return False
        changed = copy_of(message)
        self.change(changed)
        forward(session, number, changed)
        return True


@attrs.define(kw_only=True)
class Then:
    """Something happens before or after the reply leaves."""

    scope: Scope
    before: Callable[[Session], None] | None = None
    after: Callable[[Session], None] | None = None

    @property
    def over(self) -> bool:
        """Whether the rule has been used up."""
        return self.scope.spent

    def act(self, session: Session, number: int, message: Message, forward: Forward) -> bool:
        """Does it around what is covered."""
        if not (self.scope.covers(session, number, message) and self.scope.take()):
            return False
        if self.before is not None:
            self.before(session)
        forward(session, number, message)
        if self.after is not None:
            self.after(session)
        return True


@attrs.define(kw_only=True)
class RequestRule:
    """Deals with a request instead of the gateway, `times` times (0 for ever), after skipping `skip`.

    `act` returns whether the request is dealt with; False lets the gateway answer as well.
    """

    name: str
    act: Callable[[Session, Request], bool]
    times: int = 1
    skip: int = 0
    client_id: int | None = None
    test: Callable[[Session, Request], bool] | None = None
    dice: Dice = Dice()
    spent: bool = False

    def take(self, session: Session, request: Request) -> bool:
        """Uses the rule on a request it is meant for; True when the gateway must not answer."""
        if self.name not in {"", request.name}:
            return False
        if self.client_id is not None and session.client_id != self.client_id:
            return False
        if self.test is not None and not self.test(session, request):
            return False
        if not self.dice.agree():
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times != FOREVER:
            self.times -= 1
            self.spent = self.times == 0
        return self.act(session, request)
