"""The named switches and how they are armed."""

from typing import TYPE_CHECKING, Any

from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.faults.reply_switches import RULES
from ibapi_bridge.gateway_simulator.faults.request_switches import REQUEST_RULES

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

NAMES = frozenset({*RULES, *REQUEST_RULES})


def arm(gateway: "Gateway", name: str, parameters: dict[str, Any]) -> None:
    """Arms a switch by name.

    Raises:
        ConfigError: an unknown name or parameter, or a value that cannot be meant.
    """
    rest = dict(parameters)
    try:
        if name in RULES:
            gateway.faults.arm(name, RULES[name](gateway, rest))
        elif name in REQUEST_RULES:
            gateway.faults.arm_request(name, REQUEST_RULES[name](gateway, rest))
        else:
            raise ConfigError(f"fault {name!r} is unknown, accepted are {', '.join(sorted(NAMES))}")
    except (TypeError, ValueError, KeyError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"fault {name!r} does not accept {parameters}: {error}") from error
    if rest:
        gateway.faults.disarm(name)
        raise ConfigError(f"fault {name!r} has no parameter {', '.join(sorted(rest))}")
