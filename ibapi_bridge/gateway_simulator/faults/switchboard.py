"""The faults as a user of a running simulator reaches them, from any thread and by name."""

import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.faults import actions, switches

Answer = TypeVar("Answer")
SWITCHES = switches.NAMES
IDS = frozenset({"client_id", "order_id", "con_id"})
CONTROLS = frozenset({"disarm", "clear"})


class Server(Protocol):
    """Runs work on the thread that owns the gateway."""

    gateway: Gateway

    def call(self, work: Callable[[], Answer], *, seconds: float = 5.0) -> Answer:
        """Runs work and returns what it returns."""


class Faults:
    """Arms switches and makes things happen; every method is safe from any thread."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def arm(self, name: str, /, **parameters: Any) -> None:  # noqa: ANN401 - each switch has its own
        """Arms a switch; see `switches` for the names and parameters.

        Raises:
            ConfigError: an unknown switch or parameter.
        """
        self._server.call(lambda: switches.arm(self._server.gateway, name, parameters))

    def do(self, name: str, /, **parameters: Any) -> None:  # noqa: ANN401 - each action has its own
        """Makes an action happen; see `actions` for the names and parameters.

        Raises:
            ConfigError: an unknown action or parameter.
        """
        self._server.call(lambda: perform(self._server.gateway, name, parameters))

    def disarm(self, name: str) -> None:
        """Takes the rules of a switch away."""
        self._server.call(lambda: self._server.gateway.faults.disarm(name))

    def clear(self) -> None:
        """Takes every rule away."""
        self._server.call(lambda: self._server.gateway.faults.disarm(None))

    def armed(self) -> list[str]:
        """The names of what is armed."""
        return self._server.call(lambda: self._server.gateway.faults.names())

    def time(self) -> datetime:
        """Market time."""
        return self._server.call(lambda: self._server.gateway.now)

    def disconnect(self, client_id: int | None = None, *, reset: bool = True) -> None:
        """Closes every client's socket, or one's."""
        self.do("disconnect", client_id=client_id, reset=reset)

    def lose_link(self, **parameters: Any) -> None:  # noqa: ANN401 - as the action has them
        """1100."""
        self.do("lose_link", **parameters)

    def restore_link(self, *, data_lost: bool = False) -> None:
        """1102, or 1101."""
        self.do("restore_link", data_lost=data_lost)

    def restart(self, *, down_seconds: float = 1.0, roll_back: int = 0) -> None:
        """The gateway's daily restart."""
        self.do("restart", down_seconds=down_seconds, roll_back=roll_back)


def check(gateway: Gateway, name: str, parameters: dict[str, Any]) -> None:
    """Refuses a name that is neither a switch nor an action, and parameters that it does not have.

    Raises:
        ConfigError: what is wrong and what is accepted.
    """
    known = {*SWITCHES, *actions.ACTIONS, *CONTROLS}
    if name not in known:
        raise ConfigError(f"fault {name!r} is unknown, accepted are {', '.join(sorted(known))}")
    if name in SWITCHES:
        switches.build(gateway, name, parameters)
    elif name in actions.ACTIONS:
        try:
            inspect.signature(actions.ACTIONS[name]).bind(gateway, **parameters)
        except TypeError as error:
            raise ConfigError(f"fault {name!r} does not accept {parameters}: {error}") from error
        _check_numbers(parameters)


def _check_numbers(parameters: dict[str, Any]) -> None:
    for name, value in parameters.items():
        if name in IDS and value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise ConfigError(f"{name} {value!r} must be a whole number")
        if isinstance(value, int | float) and not value >= 0:
            raise ConfigError(f"{name} {value!r} must not be below 0")


def perform(gateway: Gateway, name: str, parameters: dict[str, Any]) -> None:
    """Arms the switch, or makes the action happen, of that name.

    Raises:
        ConfigError: an unknown name or parameter.
    """
    if name in SWITCHES:
        switches.arm(gateway, name, parameters)
        return
    if name in CONTROLS:
        gateway.faults.disarm(parameters.get("name") if name == "disarm" else None)
        return
    check(gateway, name, parameters)
    try:
        actions.ACTIONS[name](gateway, **parameters)
    except ConfigError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError(f"fault {name!r} does not accept {parameters}: {error}") from error
