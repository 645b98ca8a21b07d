"""The configuration: one TOML file, typed and checked before anything starts.

Every mistake is one sentence ``section.key is VALUE: ...`` that says what is accepted. There are no secrets in it:
Gateway or TWS holds the login.
"""

import tomllib
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

import attrs

from actors.domain.contract import Contract
from actors.domain.terms import InvalidOrder, check_legs
from strategy.config_keys import check_range, key, time_zone_exists, time_zone_or_empty, toml_name
from strategy.errors import ConfigError
from strategy.values import ValueRefused, convert, nearest

LIVE_PORTS = (7496, 4001)
PAPER_PORTS = (7497, 4002)
OFF = "off"

Section = TypeVar("Section")


@attrs.frozen(kw_only=True)
class ConnectionConfig:
    """Where the gateway is and how patiently to reconnect."""

    host: str = key("127.0.0.1", at_least_one_character=True)
    port: int = key(4002, low=1, high=65_535)
    client_id: int = key(1, low=0, high=2_147_483_647)
    account: str = ""
    connect_attempts: int = key(1, low=0)
    reconnect_attempts: int = key(0, low=0)
    reconnect_delay_seconds: float = key(2.0, low=0.1, high=3600)
    reconnect_delay_max_seconds: float = key(60.0, low=0.1, high=3600)
    outage_alert_seconds: float = key(300.0, low=1, high=86_400)
    gateway_restarts_at: time | None = None
    gateway_time_zone: str = key("", check=time_zone_or_empty, accepted="a time zone such as 'Europe/Berlin'")
    connect_timeout_seconds: float = key(15.0, low=1, high=600)
    market_data_type: int = key(1, low=1, high=4)
    execution_days: int = key(1, low=1, high=7)


@attrs.frozen(kw_only=True)
class TradingConfig:
    """What may be sent, and when the day ends. Times are exchange time; limits that are off do not apply."""

    trading_enabled: bool = True
    flatten_at: time | None = time(15, 50)
    lock_at: time | None = attrs.field(default=attrs.Factory(lambda self: self.flatten_at, takes_self=True))
    durability: Literal["process", "power"] = "process"
    state_directory: str = key("state", at_least_one_character=True)
    absence_grace_seconds: float = key(30.0, low=0.2, high=3600)
    remember_orders: int = key(100_000, low=1_000, high=10_000_000)
    max_order_quantity: Decimal | None = key(None, above=0)
    max_order_notional: Decimal | None = key(None, above=0)
    max_open_orders: int | None = key(None, low=1)
    max_position_quantity: Decimal | None = key(None, above=0)


@attrs.frozen(kw_only=True)
class StrategyConfig:
    """Which strategy runs, under which id and with which parameters."""

    path: str = ""
    class_name: str = key("", name="class")
    id: str = key("", pattern=r"[A-Za-z0-9_.\-]{0,16}", accepted="at most 16 letters, digits, '_', '.' or '-'")
    on_failure: Literal["cancel", "flatten"] = "cancel"
    parameters: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def name(self) -> str:
        """What ``strategy.loader.load`` takes; empty when none is configured."""
        if self.path and self.class_name:
            return f"{self.path}:{self.class_name}"
        return self.path or self.class_name


@attrs.frozen(kw_only=True)
class LoggingConfig:
    """How much is logged, and where."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    directory: str = key("logs", at_least_one_character=True)
    console: bool = True
    max_megabytes: int = key(50, low=1, high=10_000)
    keep_files: int = key(10, low=1, high=1_000)


@attrs.frozen(kw_only=True)
class SessionTimesConfig:
    """The exchange's time zone and trading calendar."""

    time_zone: str = key("America/New_York", check=time_zone_exists, accepted="a time zone such as 'America/New_York'")
    calendar: str = key("XNYS", at_least_one_character=True)


@attrs.frozen(kw_only=True)
class PacingConfig:
    """What the broker takes: 50 messages a second with the usual 100 market-data lines, 15 orders a side (IBKR)."""

    messages_per_second: float = key(45.0, low=1, high=1_000)
    orders_per_contract: int | None = key(15, low=1, high=1_000)


@attrs.frozen(kw_only=True)
class ProcessConfig:
    """How the process uses the computer."""

    one_cpu: bool = True


@attrs.frozen(kw_only=True)
class Config:
    """Everything that can be configured; every key has a default."""

    connection: ConnectionConfig = attrs.field(factory=ConnectionConfig)
    trading: TradingConfig = attrs.field(factory=TradingConfig)
    strategy: StrategyConfig = attrs.field(factory=StrategyConfig)
    logging: LoggingConfig = attrs.field(factory=LoggingConfig)
    session: SessionTimesConfig = attrs.field(factory=SessionTimesConfig)
    pacing: PacingConfig = attrs.field(factory=PacingConfig)
    process: ProcessConfig = attrs.field(factory=ProcessConfig)
    symbols: Mapping[str, Contract] = attrs.field(factory=dict)


def load_config(path: Path) -> Config:
    """The configuration in a file.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or says something that cannot be meant.
    """
    try:
        return parse_config(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"configuration {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"configuration {path}: it must be UTF-8 text") from None
    except ConfigError as error:
        raise ConfigError(f"configuration {path}: {error}") from None


def parse_config(text: str) -> Config:
    """The configuration in a TOML text.

    Raises:
        ConfigError: as ``load_config``.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"it is not valid TOML: {error}") from None
    except (RecursionError, ValueError):  # what Python's reader gives up at
        raise ConfigError(
            "it is not valid TOML: a number is too long, or lists and tables are nested too deep"
        ) from None
    return config_of(tables)


def config_of(tables: Mapping[str, Any]) -> Config:
    """The configuration in tables as TOML gives them.

    Raises:
        ConfigError: as ``load_config``.
    """
    sections = {field.name: field for field in attrs.fields(Config)}
    for name, table in tables.items():
        if name not in sections:
            raise ConfigError(f"[{name}] is unknown: {nearest(name, sections)}")
        if not isinstance(table, Mapping):
            raise ConfigError(f"{name} is {table!r}: it must be a table, written [{name}]")
    config = Config(
        connection=_section(ConnectionConfig, "connection", tables),
        trading=_section(TradingConfig, "trading", tables),
        strategy=_section(StrategyConfig, "strategy", tables),
        logging=_section(LoggingConfig, "logging", tables),
        session=_section(SessionTimesConfig, "session", tables),
        pacing=_section(PacingConfig, "pacing", tables),
        process=_section(ProcessConfig, "process", tables),
        symbols={name: _symbol(name, entry) for name, entry in tables.get("symbols", {}).items()},
    )
    _check_together(config)
    return config


def check_ports(mode: str, port: int, account: str) -> None:
    """Refuse a paper account or port in live trading, and the other way round; called again once accounts are known.

    Source: IBKR's default ports (TWS live 7496 and paper 7497, Gateway live 4001 and paper 4002); paper accounts
    begin with DU or DF.

    Raises:
        ConfigError: mode, port and account do not fit together.
    """
    if mode == "simulator":
        return
    for wrong_mode, ports, right in (("live", PAPER_PORTS, LIVE_PORTS), ("paper", LIVE_PORTS, PAPER_PORTS)):
        if mode == wrong_mode and port in ports:
            usual = " and ".join(str(number) for number in right)
            raise ConfigError(f"connection.port is {port}: mode {mode!r} does not use it, its ports are {usual}")
    is_paper = account.upper().startswith(("DU", "DF"))
    if account and is_paper != (mode == "paper"):
        kind = "paper" if is_paper else "live"
        raise ConfigError(
            f"connection.account begins with {account[:2]!r}: it is a {kind} account and needs mode {kind!r}, "
            f"not {mode!r} on port {port}"
        )


def _section(kind: type[Section], section: str, tables: Mapping[str, Any]) -> Section:
    fields = {toml_name(field): field for field in attrs.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in tables.get(section, {}).items():
        if name not in fields:
            raise ConfigError(f"{section}.{name} is unknown: {nearest(name, fields)}")
        values[fields[name].name] = _value(f"{section}.{name}", value, fields[name])
    return kind(**values)


def _value(name: str, value: object, field: "attrs.Attribute[Any]") -> Any:  # noqa: ANN401 - typed by the field
    may_be_off = field.type is not None and type(None) in getattr(field.type, "__args__", ())
    if may_be_off and value == OFF:
        return None
    try:
        if field.name == "parameters":
            return _table(value)
        converted = convert(value, field.type)
        check_range(converted, field)
    except ValueRefused as refused:
        alternative = ' or "off"' if may_be_off else ""
        raise ConfigError(f"{name} is {_shown(value)}: {refused}{alternative}") from None
    return converted


def _table(value: object) -> Mapping[str, Any]:
    # As it is: the strategy types its own parameters.
    if not isinstance(value, Mapping):
        raise ValueRefused("it must be a table")
    return dict(value)


def _symbol(name: str, entry: object) -> Contract:
    where = f"symbols.{name}"
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where} is {_shown(entry)}: it must be a table such as {{ sec_type = 'FUT', ... }}")
    fields = {field.name: field for field in attrs.fields(Contract)}
    values: dict[str, Any] = {"symbol": name}
    for part, value in entry.items():
        if part not in fields:
            raise ConfigError(f"{where}.{part} is unknown: {nearest(part, fields)}")
        try:
            values[part] = convert(value, fields[part].type)
        except ValueRefused as refused:
            raise ConfigError(f"{where}.{part} is {_shown(value)}: {refused}") from None
    contract = Contract(**values)
    try:
        check_legs(contract)
    except InvalidOrder as refused:
        raise ConfigError(f"{where}: {refused}") from None
    return contract


def _check_together(config: Config) -> None:
    lock_at, flatten_at = config.trading.lock_at, config.trading.flatten_at
    if lock_at is not None and flatten_at is not None and lock_at > flatten_at:
        raise ConfigError(
            f"trading.lock_at is {lock_at:%H:%M}: it must not be later than trading.flatten_at ({flatten_at:%H:%M})"
        )
    if config.strategy.path and ":" in config.strategy.class_name:
        raise ConfigError(
            f"strategy.class is {config.strategy.class_name!r}: with strategy.path it must be the name of a class alone"
        )


def _shown(value: object) -> str:
    text = f"{value:%H:%M}" if isinstance(value, time) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
