"""The course of market time: how far each turn goes, and when it waits for the clients."""

from collections.abc import Iterable

from ibapi_bridge.gateway_simulator.clock import MarketClock, real_seconds
from ibapi_bridge.gateway_simulator.config import GatewayConfig
from ibapi_bridge.gateway_simulator.connections import Connection
from ibapi_bridge.gateway_simulator.core import Gateway

IDLE_SECONDS = 0.05
MAX_SLICES = 50
FOLLOWER_SECONDS = 1.0


class Course:
    """Moves the gateway's market time along, never faster than the clients can take.

    Time lost while waiting is not caught up.
    """

    def __init__(self, gateway: Gateway, config: GatewayConfig, connections: Iterable[Connection]) -> None:
        self._gateway = gateway
        self._config = config
        self._connections = connections
        self._clock = MarketClock(start=config.start, speed=config.speed, end=config.end)
        self._clock.paused = config.start_paused

    @property
    def _hurries(self) -> bool:
        """Whether market time is faster than real time, so that it can wait for slow clients."""
        return self._config.speed is None or self._config.speed > 1

    def pause(self) -> None:
        """Stops market time."""
        self._clock.paused = True

    def resume(self) -> None:
        """Lets market time run on from where it stands."""
        self._clock.paused = False
        self._clock.rebase(self._gateway.now, real_seconds())

    def begin(self) -> None:
        """Starts counting now, paused or not."""
        self._clock.rebase(self._gateway.now, real_seconds())

    def patience(self) -> float:
        """How many real seconds nothing will happen by itself, at most 0.05."""
        due = self._gateway.next_event_at()
        if self._clock.paused or due is None or self._held():
            return IDLE_SECONDS
        if self._clock.end is not None and self._gateway.now >= self._clock.end:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, self._clock.real_seconds_until(due, real_seconds()))

    def advance(self) -> None:
        """Moves market time on by at most one step."""
        real = real_seconds()
        if self._held():
            self._clock.rebase(self._gateway.now, real)
            return
        step = self._config.step
        target = self._clock.target(self._gateway.now, real, step)
        self._gateway.advance(min(target, self._gateway.now + step))
        if target - self._gateway.now > MAX_SLICES * step:
            self._clock.rebase(self._gateway.now, real)

    def _held(self) -> bool:
        return any(self._holds(connection) for connection in self._connections)

    def _holds(self, connection: Connection) -> bool:
        session, lockstep = connection.session, self._config.lockstep
        if connection.backlog() > self._config.max_backlog:
            return self._hurries and session is not None and session.line.limit is None
        if session is None or session.time_told is None or lockstep is None:
            return False
        if real_seconds() - session.time_told_real > FOLLOWER_SECONDS:
            session.time_told = None  # it no longer asks, so it no longer follows
        return session.time_told is not None and self._gateway.now - session.time_told >= lockstep
