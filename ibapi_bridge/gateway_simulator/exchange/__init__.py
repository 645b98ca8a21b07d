"""A pure, seeded exchange with a broker's books: no sockets, threads, clocks or client libraries.

`Exchange` takes orders and gives events; `ModelMarket` makes up quotes from a seed,
`ReplayMarket` plays recorded ones.
"""

from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig, Halt, Latency
from ibapi_bridge.gateway_simulator.exchange.exchange import Exchange
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments
from ibapi_bridge.gateway_simulator.exchange.lean import lean_days, lean_quotes
from ibapi_bridge.gateway_simulator.exchange.market import Market, ModelMarket, ModelSettings
from ibapi_bridge.gateway_simulator.exchange.paths import ModelSpec
from ibapi_bridge.gateway_simulator.exchange.replay import ReplayMarket, csv_quotes
from ibapi_bridge.gateway_simulator.exchange.types import (
    Instrument,
    Quote,
    ReplayError,
    SimulationError,
    VenueOrder,
)

__all__ = [
    "Exchange",
    "ExchangeConfig",
    "Halt",
    "Instrument",
    "Latency",
    "Market",
    "ModelMarket",
    "ModelSettings",
    "ModelSpec",
    "Quote",
    "ReplayError",
    "ReplayMarket",
    "SimulationError",
    "VenueOrder",
    "csv_quotes",
    "default_instruments",
    "lean_days",
    "lean_quotes",
]
