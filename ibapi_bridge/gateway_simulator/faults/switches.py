"""The named switches and how they are armed."""

from random import Random
from typing import TYPE_CHECKING, Any

from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.faults.reply_switches import RULES
from ibapi_bridge.gateway_simulator.faults.request_switches import REQUEST_RULES
from ibapi_bridge.gateway_simulator.faults.rules import Dice, RequestRule, Rule

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

NAMES = frozenset({*RULES, *REQUEST_RULES})


def arm(gateway: "Gateway", name: str, parameters: dict[str, Any]) -> None:
    """Arms a switch by name.

    Raises:
        ConfigError: an unknown name or parameter, or a value that cannot be meant.
    """
    rule = build(gateway, name, parameters)
    if isinstance(rule, RequestRule):
        gateway.faults.arm_request(name, rule)
    else:
        gateway.faults.arm(name, rule)


def build(gateway: "Gateway", name: str, parameters: dict[str, Any]) -> Rule | RequestRule:
    """The rule of a switch, not yet armed.

    Raises:
        ConfigError: an unknown name or parameter, or a value that cannot be meant.
    """
    rest = dict(parameters)
    try:
        dice = _dice(gateway, name, rest)
        rule: Rule | RequestRule
        if name in RULES:
            rule = RULES[name](gateway, rest)
            rule.scope.dice = dice
        elif name in REQUEST_RULES:
            rule = REQUEST_RULES[name](gateway, rest)
            rule.dice = dice
        else:
            raise ConfigError(f"fault {name!r} is unknown, accepted are {', '.join(sorted(NAMES))}")
    except (TypeError, ValueError, KeyError, ArithmeticError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"fault {name!r} does not accept {parameters}: {error}") from error
    if rest:
        raise ConfigError(f"fault {name!r} has no parameter {', '.join(sorted(rest))}")
    return rule


def _dice(gateway: "Gateway", name: str, parameters: dict[str, Any]) -> Dice:
    chance = float(parameters.pop("chance", 1.0))
    if not 0 < chance <= 1:
        raise ConfigError(f"chance {chance:g} must be above 0 and at most 1")
    return Dice(chance, Random(f"{gateway.config.seed} {name} {gateway.faults.serial()}"))
