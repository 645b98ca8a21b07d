"""The clients that are tried against the gateway simulator: what to install, what to run, what to expect."""

from pathlib import Path

import attrs

PROGRAMS = Path(__file__).parent / "programs"
PROTOBUF = "protobuf>=5.29.5,<6"  # generated code of the official client refuses older ones
SERVER_VERSIONS = (157, 178, 187, 193, 200, 213, 225)
NEWEST = SERVER_VERSIONS[-1]

EVERY_STEP = frozenset(
    {
        "server version",
        "contract details",
        "market data",
        "fills",
        "filled",
        "modify",
        "cancel",
        "open orders",
        "position",
    }
)
AFTER_RECONNECT = frozenset({"executions after reconnect"})
ACCOUNT = frozenset({"account summary", "bars"})
FULL = EVERY_STEP | AFTER_RECONNECT | ACCOUNT | {"bracket"}


@attrs.frozen(kw_only=True)
class TradingClient:
    """A client and how to try it.

    `bare` packages are installed without what they ask for. `newest` is the highest server version the client
    speaks; `versions` are the caps of the simulator to try it at. `speed` is the simulator's. Trading platforms are
    `bare` with only those of their dependencies that a live gateway needs: the rest is a gigabyte of user interface.
    """

    name: str
    program: str
    packages: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    npm: tuple[str, ...] = ()
    newest: int
    versions: tuple[int, ...] = (NEWEST,)
    steps: frozenset[str] = FULL
    arguments: tuple[str, ...] = ()
    speed: float = 20

    @property
    def path(self) -> Path:
        """The program's file."""
        return PROGRAMS / self.program


CLIENTS = (
    TradingClient(
        name="official 10.46",
        program="official.py",
        packages=(PROTOBUF,),
        bare=("nautilus-ibapi==10.46.1",),
        newest=225,
        versions=SERVER_VERSIONS,
    ),
    TradingClient(
        name="official 10.51",
        program="official.py",
        packages=(PROTOBUF,),
        bare=("ibapi-latest==10.51.1",),
        newest=226,
        versions=SERVER_VERSIONS,
    ),
    TradingClient(
        name="official 9.81",
        program="official.py",
        packages=("ibapi==9.81.1.post1",),
        newest=157,
        steps=FULL | {"refused attribute"},
    ),
    TradingClient(
        name="ib_async 2.1", program="asyncio_client.py", packages=("ib_async==2.1.0",), newest=178, versions=(157, 225)
    ),
    TradingClient(
        name="stoqey 1.6",
        program="stoqey.js",
        npm=("@stoqey/ib@1.6.10",),
        newest=193,
        versions=(178, 225),
        steps=EVERY_STEP | AFTER_RECONNECT,
    ),
    TradingClient(
        name="vnpy_ib 10.45",
        program="vnpy_client.py",
        packages=("loguru>=0.7.3", "tzlocal>=5.3.1", "requests>=2.32", "ta-lib>=0.6.4", PROTOBUF),
        bare=("vnpy==4.5.0", "vnpy_ib==10.45.1.0", "nautilus-ibapi==10.46.1"),
        newest=225,
        steps=EVERY_STEP - {"modify"} | ACCOUNT,
        speed=1,
    ),
    TradingClient(
        name="nautilus_trader 1.221",
        program="nautilus_client.py",
        packages=("msgspec<1", "pandas>=2.2.3,<3", "pyarrow>=21", "fsspec", "portion>=2.6.1", "pytz>=2025.2"),
        bare=("nautilus_trader==1.221.0", "nautilus-ibapi==10.30.1"),
        newest=187,
        steps=EVERY_STEP | {"account summary"},
        arguments=("DU1234567",),
        speed=1,
    ),
)
