"""Simulators and official clients that are stopped when a test ends."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ibapi_bridge.gateway_simulator import GatewayConfig, GatewaySimulator

from .official_client import OfficialClient

StartGateway = Callable[..., GatewaySimulator]
Connect = Callable[..., OfficialClient]


@pytest.fixture
def start_gateway() -> Iterator[StartGateway]:
    """Starts simulators; market time runs 50 times as fast as real time unless told otherwise."""
    started: list[GatewaySimulator] = []

    def start(**settings: Any) -> GatewaySimulator:
        simulator = GatewaySimulator(GatewayConfig(**{"speed": 50.0, **settings}))
        simulator.start()
        started.append(simulator)
        return simulator

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects official clients."""
    clients: list[OfficialClient] = []

    def open_client(simulator: GatewaySimulator, client_id: int = 1, **how: Any) -> OfficialClient:
        client = OfficialClient(simulator.port, client_id, **how)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.close()
