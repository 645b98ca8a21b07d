"""A TCP server that behaves like IB Gateway on the wire, trading against a simulated exchange.

It knows nothing of the engine or of strategies; any TWS API client can connect to it.
"""

from ibapi_bridge.gateway_simulator.config import ConfigError, GatewayConfig
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

__all__ = ["ConfigError", "GatewayConfig", "GatewaySimulator"]
