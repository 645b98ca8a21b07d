"""The gateway every benchmark talks to: no artificial latency, deep displayed sizes are not needed for one share."""

from datetime import UTC, datetime
from decimal import Decimal

from ibapi_bridge.gateway_simulator.config import GatewayConfig
from ibapi_bridge.gateway_simulator.exchange.config import ExchangeConfig, Latency
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

AT_ONCE = Latency(low=0, high=0)


def benchmark_gateway(*, port: int = 0, speed: float = 1.0) -> GatewaySimulator:
    """A gateway in the middle of a session, in real time."""
    exchange = ExchangeConfig(
        ack=AT_ONCE, fill=AT_ONCE, cancel=AT_ONCE, starting_cash={"USD": Decimal(1_000_000_000)}, check_margin=False
    )
    start = datetime(2026, 4, 13, 14, 0, tzinfo=UTC)
    return GatewaySimulator(GatewayConfig(port=port, speed=speed, start=start, exchange=exchange))
