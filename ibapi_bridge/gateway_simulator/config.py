"""Everything that can be chosen about a gateway simulator."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any, TypeAlias

import attrs

from ibapi_bridge.gateway_simulator.errors import ConfigError
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments
from ibapi_bridge.gateway_simulator.exchange.market import Market, ModelMarket
from ibapi_bridge.gateway_simulator.exchange.types import Instrument
from ibapi_bridge.gateway_simulator.faults.scenario import Step

OWN_MAX_SERVER_VERSION = 225
OWN_MIN_SERVER_VERSION = 157
DEFAULT_START = datetime(2026, 4, 13, 13, 30, tzinfo=UTC)

__all__ = [
    "DEFAULT_START",
    "OWN_MAX_SERVER_VERSION",
    "ConfigError",
    "GatewayConfig",
    "MarketFactory",
    "model_market",
    "own_numbers",
]

MarketFactory: TypeAlias = Callable[[Sequence[Instrument], datetime, int], Market]


def model_market(instruments: Sequence[Instrument], start: datetime, seed: int) -> Market:
    """The seeded intraday model over the given instruments."""
    return ModelMarket(instruments=instruments, start=start, seed=seed)


def _positive_speed(_owner: object, _field: object, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise ConfigError(f"speed {value} must be above 0 (market seconds per real second) or None for max")


def _aware(_owner: object, field: "attrs.Attribute[Any]", value: datetime | None) -> None:
    if value is not None and value.tzinfo is None:
        raise ConfigError(f"{field.name} {value} must be an aware datetime, for example with tzinfo=UTC")


def _version(_owner: object, _field: object, value: int) -> None:
    if not OWN_MIN_SERVER_VERSION <= value <= OWN_MAX_SERVER_VERSION:
        accepted = f"{OWN_MIN_SERVER_VERSION} to {OWN_MAX_SERVER_VERSION}"
        raise ConfigError(f"max_server_version {value} must be from {accepted}")


def _port(_owner: object, field: "attrs.Attribute[Any]", value: int | None) -> None:
    if value is not None and not 0 <= value <= 65535:
        raise ConfigError(f"{field.name} {value} must be from 0 (any free port) to 65535")


def _above_zero(_owner: object, field: "attrs.Attribute[Any]", value: float | timedelta | None) -> None:
    amount = value.total_seconds() if isinstance(value, timedelta) else value
    if amount is not None and not 0 < amount < float("inf"):
        raise ConfigError(f"{field.name} {value} must be above 0")


def _accounts(_owner: object, _field: object, value: tuple[str, ...]) -> None:
    if not value or not all(account.isalnum() for account in value):
        raise ConfigError(f"accounts {value} must name at least one account of letters and digits, such as DU1234567")


@attrs.frozen(kw_only=True)
class GatewayConfig:
    """Settings of one simulator; all have defaults that work on one machine.

    `speed` is market seconds per real second, None as fast as possible. `step` bounds how far market time moves
    between two looks at the sockets. `market` makes the quotes. `max_backlog` (bytes waiting for one client) holds
    market time back when it is faster than real time; a client that is behind, or takes nothing, for
    `stall_seconds` of real time is cut off, and one that has not sent startApi after `greeting_seconds`.
    `lockstep` is how far market time may run ahead of a client that follows it by asking for the time in
    milliseconds again as soon as it has the answer; None lets it run. `messages_per_second` is the pacing limit per
    connection, None for none. `cross_client_cancel` lets a client cancel another's orders (otherwise 10147);
    `direct_routing_precaution` discards stock orders that name an exchange instead of SMART. `snapshot_time` is how
    long a market-data snapshot takes, in market time. `zone` is the label of time strings.
    """

    host: str = "127.0.0.1"
    port: int = attrs.field(default=0, validator=_port)
    max_server_version: int = attrs.field(default=OWN_MAX_SERVER_VERSION, validator=_version)
    seed: int = 1
    speed: float | None = attrs.field(default=1.0, validator=_positive_speed)
    step: timedelta = attrs.field(default=timedelta(seconds=1), validator=_above_zero)
    start: datetime = attrs.field(default=DEFAULT_START, validator=_aware)
    end: datetime | None = attrs.field(default=None, validator=_aware)
    market: MarketFactory = model_market
    instruments: tuple[Instrument, ...] = attrs.field(factory=default_instruments)
    accounts: tuple[str, ...] = attrs.field(default=("DU1234567",), validator=_accounts)
    exchange: ExchangeConfig = ExchangeConfig()
    books_path: Path | None = None
    wire_log: Path | None = None
    zone: str = "US/Eastern"
    username: str = "simulated"
    max_clients: int = attrs.field(default=32, validator=_above_zero)
    master_client_id: int | None = None
    first_order_id: int = 1
    messages_per_second: float | None = attrs.field(default=None, validator=_above_zero)
    read_only: bool = False
    cross_client_cancel: bool = True
    direct_routing_precaution: bool = False
    negative_bound_ids: bool = True
    market_data_lines: int = 100
    snapshot_time: timedelta = timedelta(seconds=11)
    max_backlog: int = 64 * 1024
    stall_seconds: float = attrs.field(default=10.0, validator=_above_zero)
    greeting_seconds: float = attrs.field(default=60.0, validator=_above_zero)
    start_paused: bool = False
    lockstep: timedelta | None = attrs.field(default=None, validator=_above_zero)
    control_port: int | None = attrs.field(default=None, validator=_port)
    scenario: tuple[Step, ...] = ()

    def __attrs_post_init__(self) -> None:
        if self.end is not None and self.end <= self.start:
            raise ConfigError(f"end {self.end} must be after start {self.start}")


def own_numbers() -> ExchangeConfig:
    """Ids of its own for a run that begins with an empty book; they fit the 32 bits of old protocols."""
    return ExchangeConfig(numbers_from=SystemRandom().randrange(1_000_000_000))
