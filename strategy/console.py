"""What the main thread watches: every event of the engine on one queue, and the reason to stop."""

from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Protocol

from actors.domain.identity import Account, mask_account
from actors.messages.portfolio import PortfolioSnapshot
from actors.messages.schedule import MarketClosed, MarketOpened
from actors.messages.system import SessionChanged, StopReason
from strategy.config import check_ports
from strategy.errors import ConfigError
from strategy.log import ExecutionLog

_LOOK_SECONDS = 0.05
_NOT_LOGGED = (PortfolioSnapshot, MarketOpened, MarketClosed)


class Console:
    """An address that hears everything; the log gets the events, the main thread gets all.

    Messages wake nobody: the main thread looks every 50 ms, and at once when there is a reason to stop. ``stop`` may be
    called from any thread and from a signal handler: a SimpleQueue's ``put`` is reentrant.
    """

    def __init__(self, log: ExecutionLog, *, at_once: Callable[[object], None]) -> None:
        self._log = log
        self._at_once = at_once
        self._heard: deque[object] = deque()
        self._reasons: SimpleQueue[StopReason] = SimpleQueue()

    def tell(self, message: object) -> None:
        """Hear a message; ``at_once`` sees it first, on the teller's thread."""
        self._at_once(message)
        if not isinstance(message, _NOT_LOGGED):
            self._log.tell(message)
        self._heard.append(message)

    def stop(self, reason: StopReason) -> None:
        """End ``watch``; the first reason counts."""
        self._reasons.put(reason)

    def watch(self, show: Callable[[object], None]) -> StopReason:
        """Hand every message to ``show`` until there is a reason to stop."""
        while True:
            self.drain(show)
            try:
                return self._reasons.get(timeout=_LOOK_SECONDS)
            except Empty:
                continue

    def drain(self, show: Callable[[object], None]) -> None:
        """Hand on what has been heard so far."""
        while self._heard:
            show(self._heard.popleft())


class Halts(Protocol):
    """What the guard needs of the halt flag."""

    def set(self, reason: str) -> bool:
        """Halt."""


class AccountGuard:
    """Ends a run that finds other accounts behind the gateway than it was meant for, before any order.

    The login behind a port is known only once connected; the halt flag is set on the connector's own thread, which
    has let no order pass yet.
    """

    def __init__(self, mode: str, port: int, account: Account) -> None:
        self._mode = mode
        self._port = port
        self._account = account
        self._halt: Halts | None = None
        self._stop: Callable[[StopReason], None] = lambda reason: None

    def arm(self, *, halt: Halts, stop: Callable[[StopReason], None]) -> None:
        """What to do about a wrong account."""
        self._halt, self._stop = halt, stop

    def check(self, message: object) -> None:
        """Look at the accounts of every connection."""
        if not isinstance(message, SessionChanged) or not message.accounts or self._halt is None:
            return
        try:
            for account in message.accounts:
                check_ports(self._mode, self._port, account)
            check_account(self._account, message.accounts)
        except ConfigError as error:
            self._halt.set(str(error))
            self._stop(StopReason(text=str(error), exit_code=2))


def check_account(configured: Account, reported: tuple[Account, ...]) -> None:
    """Refuse a login in which it is not clear what to trade.

    Raises:
        ConfigError: the configured account is not one of the login's, or none is configured and it has several.
    """
    named = ", ".join(mask_account(account) for account in reported)
    if configured and configured not in reported:
        raise ConfigError(f"connection.account is {mask_account(configured)!r}: the accounts of this login are {named}")
    if not configured and len(reported) > 1:
        raise ConfigError(f"connection.account is '': this login has several, name one of {named}")
