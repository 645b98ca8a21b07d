"""The session machine: DISCONNECTED -> CONNECTING -> RECONCILING -> READY <-> DEGRADED.

A plain object like the desk: ``decide(message) -> actions``, no clock, no randomness of its own. The connector carries
out the actions. Deadlines are monotonic seconds as told by ``Tick``.
"""

from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, OrderId
from actors.domain.timekeeping import ClockDiffers, RestartWindow, Timekeeping
from actors.messages.reports import (
    AccountsReported,
    ConnectionLost,
    LinkCondition,
    LinkConditionReported,
    NextOrderIdReported,
    ServerTimeReported,
)
from actors.messages.system import SessionChanged, SessionState, Tick
from actors.messages.wire import FinishReconciliation, SeekConnection


@frozen(kw_only=True)
class SessionConfig:
    """Patience of the session; all in seconds. Attempts of 0 are endless.

    ``initial_attempts`` count while no gateway was ever reached (a wrong host or port is a user's mistake); once one
    answered, ``reconnect_attempts`` count.
    """

    client_id: ClientId = ClientId(1)
    initial_attempts: int = 1
    reconnect_attempts: int = 0
    reconnect_delay_seconds: float = 2.0
    reconnect_delay_max_seconds: float = 60.0
    connect_timeout_seconds: float = 15.0
    heartbeat_interval_seconds: float = 10.0
    heartbeat_deadline_seconds: float = 10.0
    follows_gateway_clock: bool = False
    """Whether market time is real time, so that it must agree with the gateway's clock."""
    clock_check_seconds: float = 2.0
    """How soon a time of the gateway's that differs from ours is asked for again."""
    outage_alert_seconds: float = 300.0
    restart: RestartWindow | None = None
    """The gateway's daily restart: nothing new is sent around it."""


@frozen(kw_only=True)
class OpenLink:
    """Make a new link for this epoch and start it."""

    epoch: Epoch


@frozen(kw_only=True)
class CloseLink:
    """Close the current link."""

    reason: str


@frozen(kw_only=True)
class AskServerTime:
    """Send a heartbeat."""


@frozen(kw_only=True)
class Resubscribe:
    """Ask for all market-data streams again."""


@frozen(kw_only=True)
class AlertOutage:
    """An outage outlived its limit: a human should look."""

    at: datetime
    text: str


@frozen(kw_only=True)
class GiveUp:
    """No more attempts: the process should end with a sentence."""

    text: str


SessionAction = (
    OpenLink | CloseLink | AskServerTime | Resubscribe | AlertOutage | GiveUp | ClockDiffers | SessionChanged
)
SessionInput = (
    Tick
    | AccountsReported
    | NextOrderIdReported
    | ConnectionLost
    | LinkConditionReported
    | ServerTimeReported
    | FinishReconciliation
    | SeekConnection
)


class SessionMachine:
    """Where the connection stands; owned by the connector."""

    def __init__(
        self, config: SessionConfig, *, last_epoch: Epoch | None = None, jitter: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.config = config
        self.state = SessionState.DISCONNECTED
        self.epoch = Epoch(0) if last_epoch is None else last_epoch
        self._jitter = jitter
        self._elapsed = 0.0
        self._failures = 0
        self._was_reached = False
        self._next_order_id: OrderId | None = None
        self._accounts: tuple[Account, ...] = ()
        self._retry_at: float | None = 0.0
        self._opened_at = 0.0
        self._connect_due: float | None = None
        self._beat_sent: float | None = None
        self._next_beat = 0.0
        self._outage_since: float | None = None
        self._alerted = False
        self._backend_lost = False
        self._unsubscribed = False
        self._in_restart = False
        self._timekeeping = Timekeeping()

    def decide(self, message: SessionInput) -> tuple[SessionAction, ...]:
        """What to do now; reports of an epoch that is not the current one change nothing."""
        if isinstance(message, Tick):
            return self._on_tick(message)
        if message.epoch != self.epoch:
            return ()
        match message:
            case AccountsReported():
                return self._on_accounts(message)
            case NextOrderIdReported():
                self._next_order_id = message.order_id
                return self._on_handshake(message.at)
            case ConnectionLost():
                return self._on_lost(message)
            case LinkConditionReported():
                return self._on_condition(message)
            case ServerTimeReported():
                return self._on_server_time(message)
            case FinishReconciliation():
                return self._on_reconciled(message)
            case SeekConnection():
                return self._seek()
            case _:
                assert_never(message)

    @property
    def takes_new_orders(self) -> bool:
        """New orders and modifications pass only in READY."""
        return self.state is SessionState.READY

    @property
    def is_connected(self) -> bool:
        """True when requests can be put on the wire."""
        return self.state in (SessionState.RECONCILING, SessionState.READY, SessionState.DEGRADED)

    def _move(self, at: datetime, state: SessionState, reason: str) -> SessionChanged:
        self.state = state
        return SessionChanged(
            at=at,
            epoch=self.epoch,
            state=state,
            reason=reason,
            client_id=self.config.client_id,
            next_order_id=self._next_order_id,
            accounts=self._accounts,
        )

    def _on_tick(self, tick: Tick) -> tuple[SessionAction, ...]:
        self._elapsed = tick.elapsed
        actions: tuple[SessionAction, ...] = self._outage_actions(tick)
        match self.state:
            case SessionState.DISCONNECTED:
                if self._retry_at is not None and tick.elapsed >= self._retry_at:
                    actions += self._open(tick)
            case SessionState.CONNECTING:
                if self._connect_due is not None and tick.elapsed >= self._connect_due:
                    actions += (CloseLink(reason=f"no answer within {self.config.connect_timeout_seconds:g} s"),)
                    self._connect_due = None
            case SessionState.RECONCILING | SessionState.READY | SessionState.DEGRADED:
                actions += self._beat(tick) + self._around_restart(tick)
            case _:
                assert_never(self.state)
        return actions

    def _open(self, tick: Tick) -> tuple[SessionAction, ...]:
        self.epoch = Epoch(self.epoch + 1)
        self._next_order_id, self._accounts = None, ()
        self._retry_at = None
        self._opened_at = tick.elapsed
        self._backend_lost = self._unsubscribed = self._in_restart = False
        self._connect_due = tick.elapsed + self.config.connect_timeout_seconds
        return (self._move(tick.at, SessionState.CONNECTING, ""), OpenLink(epoch=self.epoch))

    def _beat(self, tick: Tick) -> tuple[SessionAction, ...]:
        if self._beat_sent is not None:
            if tick.elapsed < self._beat_sent + self.config.heartbeat_deadline_seconds:
                return ()
            self._beat_sent = None
            return (CloseLink(reason="the gateway stopped answering"),)
        if tick.elapsed < self._next_beat:
            return ()
        self._beat_sent = tick.elapsed
        self._next_beat = tick.elapsed + self.config.heartbeat_interval_seconds
        return (AskServerTime(),)

    def _on_server_time(self, message: ServerTimeReported) -> tuple[SessionAction, ...]:
        """A heartbeat's answer; it also says how far market time is from the gateway's."""
        self._beat_sent = None
        if not self.config.follows_gateway_clock or message.server_time is None:
            return ()
        differs = self._timekeeping.compare(message.at, message.server_time)
        if self._timekeeping.is_unsure:
            self._next_beat = min(self._next_beat, self._elapsed + self.config.clock_check_seconds)
        return () if differs is None else (differs,)

    def _around_restart(self, tick: Tick) -> tuple[SessionAction, ...]:
        """The gateway restarts at a known minute: what leaves in its last moments may never reach the broker."""
        window = self.config.restart
        within = window is not None and window.contains(tick.at)
        if within == self._in_restart:
            return ()
        self._in_restart = within
        if window is not None and within:
            return self._degrade(tick.at, f"the gateway restarts at {window.at:%H:%M}")
        return () if self._backend_lost else self._recover(tick.at, "the gateway did not restart")

    def _recover(self, at: datetime, reason: str) -> tuple[SessionAction, ...]:
        """Compare the books again, on streams that live."""
        recovering = self._move(at, SessionState.RECONCILING, reason)
        lost, self._unsubscribed = self._unsubscribed, False
        return (recovering, Resubscribe()) if lost else (recovering,)

    def _degrade(self, at: datetime, reason: str) -> tuple[SessionAction, ...]:
        if not self.is_connected or self.state is SessionState.DEGRADED:
            return ()
        return (self._move(at, SessionState.DEGRADED, reason),)

    def _seek(self) -> tuple[SessionAction, ...]:
        """Somebody needs the connection: the next attempt is made now, never sooner than the first delay allows."""
        if self.state is SessionState.DISCONNECTED and self._retry_at is not None:
            self._retry_at = min(self._retry_at, self._opened_at + self.config.reconnect_delay_seconds)
        return ()

    def _outage_actions(self, tick: Tick) -> tuple[SessionAction, ...]:
        if self.state is SessionState.READY:
            self._outage_since, self._alerted = None, False
            return ()
        if self._outage_since is None:
            self._outage_since = tick.elapsed
        away = tick.elapsed - self._outage_since
        if self._alerted or away < self.config.outage_alert_seconds:
            return ()
        self._alerted = True
        return (AlertOutage(at=tick.at, text=f"no trading session for {away:.0f} s ({self.state.value})"),)

    def _on_accounts(self, message: AccountsReported) -> tuple[SessionAction, ...]:
        """Another login behind a living connection is a reason to look at everything anew."""
        known, self._accounts = self._accounts, message.accounts
        if not self.is_connected or message.accounts == known:
            return self._on_handshake(message.at)
        reason = "the accounts of the login changed"
        if self.state is SessionState.DEGRADED:
            return (self._move(message.at, SessionState.DEGRADED, reason),)
        return self._recover(message.at, reason)

    def _on_handshake(self, at: datetime) -> tuple[SessionAction, ...]:
        if self.state is not SessionState.CONNECTING or self._next_order_id is None or not self._accounts:
            return ()
        self._connect_due = None
        first_beat = 0.0 if self.config.follows_gateway_clock else self.config.heartbeat_interval_seconds
        self._beat_sent, self._next_beat = None, self._elapsed + first_beat
        self._timekeeping = Timekeeping()
        self._was_reached = True
        if self._backend_lost:
            self._unsubscribed = True
            return (self._move(at, SessionState.DEGRADED, "connected to a gateway that is offline itself"),)
        return (self._move(at, SessionState.RECONCILING, "connected"), Resubscribe())

    def _on_reconciled(self, message: FinishReconciliation) -> tuple[SessionAction, ...]:
        if self.state is not SessionState.RECONCILING:
            return ()
        self._failures = 0
        return (self._move(message.at, SessionState.READY, "reconciled"),)

    def _on_lost(self, message: ConnectionLost) -> tuple[SessionAction, ...]:
        if self.state is SessionState.DISCONNECTED:
            return ()
        self._failures += 1
        self._beat_sent = self._connect_due = None
        lost = self._move(message.at, SessionState.DISCONNECTED, message.reason)
        self._was_reached = self._was_reached or message.reached
        limit = self.config.reconnect_attempts if self._was_reached else self.config.initial_attempts
        if limit and self._failures >= limit:
            self._retry_at = None
            return (lost, GiveUp(text=message.reason))
        self._retry_at = self._elapsed + self._delay()
        return (lost,)

    def _delay(self) -> float:
        doubled = self.config.reconnect_delay_seconds * float(2 ** min(self._failures - 1, 16))
        return min(doubled, self.config.reconnect_delay_max_seconds) * (1 + self._jitter())

    def _on_condition(self, message: LinkConditionReported) -> tuple[SessionAction, ...]:
        match message.condition:
            case LinkCondition.BACKEND_LOST:
                return self._on_backend_lost(message)
            case LinkCondition.BACKEND_RESTORED | LinkCondition.BACKEND_RESTORED_DATA_LOST:
                self._backend_lost = False
                self._unsubscribed |= message.condition is LinkCondition.BACKEND_RESTORED_DATA_LOST
                if not self.is_connected or self._in_restart:
                    return ()
                return self._recover(message.at, message.text)
            case _:
                return ()

    def _on_backend_lost(self, message: LinkConditionReported) -> tuple[SessionAction, ...]:
        self._backend_lost = True
        return self._degrade(message.at, message.text)
