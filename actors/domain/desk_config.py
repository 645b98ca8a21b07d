"""What the desk is told before it starts, and what it looks like when written down."""

from decimal import Decimal

from actors.domain.book import BookSnapshot
from actors.domain.contract import Contract, Instrument
from actors.domain.deadlines import Key
from actors.domain.disputes import Dispute
from actors.domain.frozen import frozen
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OmsId
from actors.domain.limits import Limits
from actors.domain.recovery import RecoverySnapshot
from actors.domain.terms import Order
from actors.messages.system import SessionState


@frozen(kw_only=True)
class Patience:
    """How long the desk waits for answers, in seconds.

    ``fills_query`` and ``fills_after_filled``: a claim to be filled without executions makes us ask after the first and
    puts the order in doubt after the second. ``absence_grace``: an order must be missing from two complete sets of
    lists of one connection that far apart before it is believed gone. ``cancel_check``: how often a cancel is looked
    after that the broker knows of and does not carry out (IBKR: for days while an exchange is closed). ``flatten``: one
    that is not done by then is told.
    """

    acknowledgement: float = 10.0
    cancel: float = 10.0
    replace: float = 10.0
    qualification: float = 15.0
    inactive: float = 5.0
    fills_query: float = 2.0
    fills_after_filled: float = 5.0
    absence_grace: float = 30.0
    verify_again: float = 35.0
    cancel_check: float = 60.0
    run: float = 60.0
    run_again: float = 30.0
    flatten: float = 60.0


@frozen(kw_only=True)
class DeskConfig:
    """One strategy's desk; ``account`` empty means the only account of the login."""

    strategy_id: str = "strategy"
    account: Account = Account("")
    client_id: ClientId = ClientId(1)
    trading_enabled: bool = True
    limits: Limits = Limits()
    patience: Patience = Patience()
    snapshot_retries: int = 2
    keep_closed: int = 1000
    keep_names: int = 100_000
    check_invariants: bool = True


@frozen(kw_only=True)
class Commission:
    """A commission that came before its execution."""

    exec_id: ExecId
    commission: Decimal
    currency: str = ""
    realized_pnl: Decimal | None = None


@frozen(kw_only=True)
class Waiting:
    """An order that waits for its contract to be qualified."""

    oms_id: OmsId
    order: Order
    account: Account
    closing: bool = False
    market_price: Decimal | None = None


@frozen(kw_only=True)
class Flattening:
    """A flatten under way: first our open orders go, then our positions; ``closing`` names the orders that do it."""

    reason: str
    closing: tuple[OmsId, ...] = ()
    asked: tuple[OmsId, ...] = ()


@frozen(kw_only=True)
class DeskSnapshot:
    """Everything the desk knows, as plain values."""

    book: BookSnapshot = BookSnapshot()
    elapsed: float = 0.0
    awaited: tuple[tuple[Key, float], ...] = ()
    epoch: Epoch = Epoch(0)
    session: SessionState = SessionState.DISCONNECTED
    accounts: tuple[Account, ...] = ()
    high_water: int = 0
    instruments: tuple[tuple[Contract, Instrument], ...] = ()
    waiting: tuple[Waiting, ...] = ()
    commissions: tuple[tuple[str, Commission], ...] = ()
    locked: str = ""
    blocked: tuple[tuple[str, str], ...] = ()
    disputes: tuple[tuple[str, Dispute], ...] = ()
    suspects: tuple[tuple[tuple[Account, str], Dispute], ...] = ()
    owed: tuple[tuple[OmsId, int], ...] = ()
    """Ended orders whose executions are not all in, and how often the broker's lists left them out."""
    complained: tuple[str, ...] = ()
    recovery: RecoverySnapshot = RecoverySnapshot()
    flattening: Flattening | None = None
    flattened: int = 0
    damaged: int = 0
    """How many frames could not be read."""
