"""What an openOrder repeats of an order that waits for its trigger."""

import pytest

from .conftest import Connect, StartGateway
from .official_client import contract, order

pytestmark = pytest.mark.socket


@pytest.mark.parametrize("version", [178, 225])
def test_a_stop_has_no_limit_after_its_first_echo(start_gateway: StartGateway, connect: Connect, version: int) -> None:
    client = connect(start_gateway(max_server_version=version))
    client.place(1, contract(), order("BUY", "STP", 1, auxPrice=470.0))
    client.wait_for("orderStatus", 2)

    assert [call[3].lmtPrice for call in client.named("openOrder")] == [470.03, 0.0]


@pytest.mark.parametrize("terms", [{"trailingPercent": 1.0}, {"auxPrice": 5.0}])
def test_a_trailing_stop_is_echoed_with_its_place(
    start_gateway: StartGateway, connect: Connect, terms: dict[str, float]
) -> None:
    client = connect(start_gateway(speed=1.0))
    client.place(1, contract(), order("SELL", "TRAIL", 1, **terms))
    client.wait_for("orderStatus", 2)

    echoes = [call[3] for call in client.named("openOrder")[:2]]
    assert all(440.0 < echo.trailStopPrice < 447.0 for echo in echoes)
    assert (440.0 < echoes[0].lmtPrice < 447.0, echoes[1].lmtPrice) == (True, 0.0)
