"""Whom a campaign is for, as a value that travels to other processes: from it comes the ``Setup`` of each session."""

import sys
from collections.abc import Mapping
from typing import Any

import attrs

from actors.domain.desk_config import DeskConfig
from actors.domain.limits import Limits
from actors.domain.schedule import ScheduleConfig
from strategy.base import Strategy
from strategy.config import Config
from strategy.loader import make
from strategy.parameters import set_parameters
from strategy.simulate.properties import Demands, properties_in
from strategy.simulate.world import Setup


@attrs.frozen(kw_only=True)
class Subject:
    """A strategy by its name or class, its configuration and the common demands."""

    strategy: str | type[Strategy]
    config: Config = attrs.field(factory=Config)
    parameters: Mapping[str, Any] = attrs.field(factory=dict)
    demands: Demands = Demands()
    fair_minutes: int | None = 12
    config_path: str = ""
    """Where the configuration was read from; empty when it was not."""

    @property
    def name(self) -> str:
        """The strategy's class, for people."""
        return self.strategy.__name__ if isinstance(self.strategy, type) else self.strategy

    def setup(self) -> Setup:
        """Everything a session needs; the strategy's file is read once.

        Raises:
            StrategyLoadError: it cannot be loaded, or a parameter is unknown or of another type.
        """
        given = {**self.config.strategy.parameters, **self.parameters}
        kind = type(make(self.strategy, given)) if isinstance(self.strategy, str) else self.strategy
        trading = self.config.trading
        return Setup(
            make=lambda: _made(kind, given),
            properties=(*self.demands.properties(), *properties_in(vars(sys.modules[kind.__module__]))),
            strategy_id=self.config.strategy.id,
            desk=DeskConfig(
                trading_enabled=trading.trading_enabled,
                limits=Limits(
                    max_order_quantity=trading.max_order_quantity,
                    max_order_notional=trading.max_order_notional,
                    max_open_orders=trading.max_open_orders,
                    max_position_quantity=trading.max_position_quantity,
                ),
            ),
            schedule=ScheduleConfig(
                time_zone=self.config.session.time_zone, flatten_at=trading.flatten_at, lock_at=trading.lock_at
            ),
            symbols=self.config.symbols,
            on_failure=self.config.strategy.on_failure,
            fair_minutes=self.fair_minutes,
        )


def _made(kind: type[Strategy], parameters: Mapping[str, Any]) -> Strategy:
    strategy = kind()
    if parameters:
        set_parameters(strategy, parameters)
    return strategy
