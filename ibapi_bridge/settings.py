"""How to reach a gateway and what to ask of it."""

from collections.abc import Mapping

import attrs

from actors.domain.contract import Contract
from actors.domain.identity import Account, ClientId


@attrs.frozen(kw_only=True)
class LinkSettings:
    """Settings of every connection; times are seconds."""

    host: str = "127.0.0.1"
    port: int = 4002
    client_id: ClientId = ClientId(1)
    account: Account = Account("")
    """The account whose worth is asked for; empty asks for every account of the login."""
    connect_seconds: float = 10.0
    ready_seconds: float = 15.0
    """From the TCP connection to the broker's first order id and accounts."""
    send_seconds: float = 5.0
    """How long the gateway may read nothing while requests wait for it."""
    market_data_type: int = 1
    """IBKR's 1 live, 2 frozen, 3 delayed, 4 delayed frozen."""
    execution_days: int = 1
    """How many days of executions a reconciliation asks for; 1 is today, IBKR keeps at most 7."""
    connect_options: str = ""
    symbols: Mapping[str, Contract] = attrs.field(factory=dict)
    """Contracts that stand for a bare symbol of a user, such as ``ES`` for one future."""
