"""The board of armed rules, between the gateway and the wire."""

from collections import deque
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.faults.rules import RequestRule, Rule
from ibapi_bridge.gateway_simulator.protos import Message, copy_of
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import Request

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

ORDER_REPLIES = frozenset(
    {IN.OPEN_ORDER, IN.ORDER_STATUS, IN.EXECUTION_DATA, IN.COMMISSION_AND_FEES_REPORT, IN.POSITION_DATA}
)
ORDER_REQUESTS = frozenset({"placeOrder", "cancelOrder", "reqGlobalCancel"})
STREAMED = frozenset({IN.TICK_PRICE, IN.TICK_SIZE, IN.TICK_STRING, IN.TICK_GENERIC, IN.TICK_BY_TICK, IN.REAL_TIME_BARS})


class FaultBoard:
    """Armed rules by name, and the state of the link to the broker's servers.

    While nothing is armed and the link is up, messages do not pass through here at all.
    """

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._rules: list[tuple[str, Rule]] = []
        self._requests: list[tuple[str, RequestRule]] = []
        self.link_up = True
        self.lose_reports = False
        self.lose_orders = False
        self._reports: deque[tuple[Session, int, Message]] = deque()
        self._orders: deque[tuple[Session, Request]] = deque()
        self._serial = count(1)

    def serial(self) -> int:
        """A number for each switch that is armed."""
        return next(self._serial)

    @property
    def active(self) -> bool:
        """Whether replies have to pass through here."""
        return bool(self._rules) or not self.link_up

    def names(self) -> list[str]:
        """What is armed, oldest first."""
        return [name for name, _ in [*self._rules, *self._requests]]

    def arm(self, name: str, rule: Rule) -> None:
        """Arms a rule on replies."""
        self._rules.append((name, rule))
        self._attach()

    def arm_request(self, name: str, rule: RequestRule) -> None:
        """Arms a rule on requests."""
        self._requests.append((name, rule))

    def disarm(self, name: str | None) -> None:
        """Removes the rules of a name, or all of them."""
        self._rules = [pair for pair in self._rules if name not in {None, pair[0]}]
        self._requests = [pair for pair in self._requests if name not in {None, pair[0]}]
        self._attach()

    def _attach(self) -> None:
        for session in self._gateway.connected:
            session.outlet = self.outlet if self.active else None

    def later(self, delay: timedelta, action: Callable[[], None]) -> None:
        """Runs an action later in market time."""
        self._gateway.later(delay, action)

    def outlet(self, session: Session, number: int, message: Message) -> None:
        """Where every reply goes while anything is armed."""
        if not self.link_up and number in STREAMED:
            return
        if not self.link_up and number in ORDER_REPLIES:
            if not self.lose_reports:
                self._reports.append((session, number, copy_of(message)))
            return
        self._pass([rule for _, rule in self._rules], session, number, message)

    def _pass(self, rules: list[Rule], session: Session, number: int, message: Message) -> None:
        for index, rule in enumerate(rules):
            following = rules[index + 1 :]

            def forward(session: Session, number: int, message: Message, following: list[Rule] = following) -> None:
                self._pass(following, session, number, message)

            if not rule.over and rule.act(session, number, message, forward):
                self._sweep()
                return
        session.write(number, message)

    def _sweep(self) -> None:
        if any(rule.over for _, rule in self._rules):
            self._rules = [pair for pair in self._rules if not pair[1].over]
            self._attach()

    def incoming(self, session: Session, request: Request) -> bool:
        """Whether a request is dealt with here and the gateway must not answer."""
        if not self.link_up and request.name in ORDER_REQUESTS:
            if not self.lose_orders:
                self._orders.append((session, request))
            return True
        for _, rule in list(self._requests):
            done = rule.take(session, request)
            if rule.spent:
                self._requests = [pair for pair in self._requests if pair[1] is not rule]
            if done:
                return True
        return False

    def lose_link(self, *, lose_orders: bool, lose_reports: bool) -> None:
        """The link to the broker's servers goes down."""
        self.link_up, self.lose_orders, self.lose_reports = False, lose_orders, lose_reports
        self._attach()

    def restore_link(self) -> tuple[list[tuple[Session, int, Message]], list[tuple[Session, Request]]]:
        """The link comes back; returns the replies and the order requests that waited."""
        self.link_up = True
        self._attach()
        reports, orders = list(self._reports), list(self._orders)
        self._reports.clear()
        self._orders.clear()
        return reports, orders
