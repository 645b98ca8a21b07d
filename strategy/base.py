"""Strategy: subclass it, override the hooks you need, load it with ``--strategy path/to/file.py``.

S1 hooks are called one at a time, in the order in which things happened.
S2 a hook must return quickly and never waits; everything it may read is in ``self.broker``.
S3 a hook that raises stops the strategy; its open orders are cancelled.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from actors.domain.order_state import Fill, OrderState
from actors.messages.events import OrderEvent, Reconciled
from actors.messages.reports import QuoteReported
from strategy.bars import Bar, BarSource

if TYPE_CHECKING:
    from strategy.broker import BrokerAPI
    from strategy.state import DurableState


class Host(Protocol):
    """What runs a strategy."""

    broker: "BrokerAPI"
    state: "DurableState"

    def note(self, text: object) -> None:
        """Put a line into the log."""


class Strategy:
    """Base of all strategies. Annotated public class attributes are parameters, settable in the configuration."""

    symbols: tuple[str, ...] = ()
    """What to subscribe: names from ``[symbols]`` of the configuration, or US stocks."""
    bar_seconds: int = 60
    """Length of the bars given to ``on_bar``, from 1 to 86400 seconds."""
    bar_source: BarSource = "mid"
    """Bars of the middle of the quote, or of the last trade."""

    _host: Host | None = None

    @property
    def broker(self) -> "BrokerAPI":
        """Orders, positions, quotes, time. There from ``on_start`` on."""
        return self._running().broker

    @property
    def state(self) -> "DurableState":
        """A small mapping of JSON values that survives restarts. There from ``on_start`` on."""
        return self._running().state

    def log(self, text: object) -> None:
        """Write a line to the execution log, as ``print`` would show it."""
        self._running().note(text)

    def on_start(self) -> None:
        """Trading may begin: positions and open orders are known."""

    def on_quote(self, quote: QuoteReported) -> None:
        """A new best bid, ask or last trade."""

    def on_bar(self, bar: Bar) -> None:
        """A bar ended."""

    def on_timer(self, name: str, at: datetime) -> None:
        """A timer of ``broker.every`` or ``broker.daily_at`` is due."""

    def on_market_open(self, closes: datetime) -> None:
        """The regular session began; it ends at ``closes``."""

    def on_market_close(self) -> None:
        """The regular session ended."""

    def on_fill(self, order: OrderState, fill: Fill) -> None:
        """One execution; ``order`` and every position already include it. It may be one of several parts."""

    def on_order(self, order: OrderState, event: OrderEvent) -> None:
        """Anything happened to an order, fills included; ``event.recovered`` when we were away at the time."""

    def on_recovered(self, reconciled: Reconciled) -> None:
        """Our books and the broker's were compared; what was missed was delivered before, and orders pass again."""

    def on_stop(self) -> None:
        """The last call: cancels and a flatten may still be asked for."""

    def bind(self, host: Host) -> None:
        """Connect the strategy with what runs it."""
        self._host = host

    def _running(self) -> Host:
        if self._host is None:
            raise RuntimeError(f"{type(self).__name__} is not running yet: use broker, state and log from on_start on")
        return self._host
