"""Unmodified third-party clients trade against the gateway simulator, each at every protocol generation it speaks.

The clients come from the ordinary package index and are kept between runs (`environments.cache_folder`).
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from tests.clients.clients import CLIENTS, TradingClient
from tests.clients.environments import Environments, NotHereError
from tests.clients.running import gateway, outcome_at, outcome_of

FILL_QUANTITY = 4000  # more than is shown at one price, so that it fills in parts
SHARED_QUANTITY = 1000  # the margin of one account has to do for all
AT_ONCE = 4


pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


def installed(environments: Environments, client: TradingClient) -> Path:
    try:
        return environments.of(client)
    except NotHereError as reason:
        pytest.skip(f"{client.name} is not tried: {reason}")


def faults_in(client: TradingClient, version: int, outcome: dict[str, Any]) -> list[str]:
    """What is wrong with an outcome, in words."""
    if outcome["failure"]:
        return [f"{version}: {outcome['failure']}"]
    steps = outcome["steps"]
    if missing := client.steps - steps.keys():
        return [f"{version}: did not get to {sorted(missing)}"]
    expected = {"filled": FILL_QUANTITY, "position": FILL_QUANTITY, "server version": min(version, client.newest)}
    if "executions after reconnect" in client.steps:
        expected["executions after reconnect"] = FILL_QUANTITY
    wrong = [
        f"{version}: {name} is {steps[name]}, not {value}" for name, value in expected.items() if steps[name] != value
    ]
    if len(steps["fills"]) < 2:
        wrong.append(f"{version}: no partial fill, only {steps['fills']}")
    return wrong


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name.replace(" ", "-"))
def test_an_unmodified_client_trades_at_every_protocol_generation_it_speaks(
    environments: Environments, client: TradingClient
) -> None:
    folder = installed(environments, client)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {
            version: pool.submit(outcome_of, client, folder, max_server_version=version, quantity=FILL_QUANTITY)
            for version in client.versions
        }

    assert [fault for version, run in runs.items() for fault in faults_in(client, version, run.result())] == []


def test_three_generations_of_the_protocol_trade_at_once_and_each_hears_of_its_own_orders(
    environments: Environments,
) -> None:
    together = [client for client in CLIENTS if client.name in {"official 10.46", "ib_async 2.1", "stoqey 1.6"}]
    folders = [installed(environments, client) for client in together]

    with gateway(max_server_version=225, speed=20) as port, ThreadPoolExecutor(len(together)) as pool:
        outcomes = list(pool.map(outcome_at, together, folders, repeat(port), repeat(SHARED_QUANTITY)))

    assert [outcome["failure"] for outcome in outcomes] == ["", "", ""]
    assert [outcome["steps"]["server version"] for outcome in outcomes] == [client.newest for client in together]
    assert [outcome["steps"]["filled"] for outcome in outcomes] == [SHARED_QUANTITY] * 3
