"""The clients come last, so that they are installed while the other tests run."""

import pytest

from tests.clients.clients import CLIENTS
from tests.clients.environments import Environments

PREPARED = pytest.StashKey[Environments]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Moves the clients' tests to the end and begins to install what they need."""
    items.sort(key=lambda item: item.get_closest_marker("clients") is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begins to install the clients that were selected."""
    wanted = {
        item.callspec.params.get("client")
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    environments = session.config.stash[PREPARED] = Environments()
    if not session.config.option.collectonly:
        environments.prepare(client for client in CLIENTS if client in wanted)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Installs nothing that no test waits for."""
    if PREPARED in config.stash:
        config.stash[PREPARED].give_up()


@pytest.fixture(scope="session")
def environments(pytestconfig: pytest.Config) -> Environments:
    """What was prepared when the tests were collected."""
    return pytestconfig.stash[PREPARED]
