"""The position keeper: what we own, what it cost, what it is worth.

Owns: the portfolio (positions, cash, equity, realised and unrealised P&L).
Hears: order events with fills, position and account reports, quotes, SnapshotEnded, Reconciled, FinishReconciliation,
    Tick; all by a bag of mail that is emptied with each tick and each reconciliation, for it is beside the order path.
Says: PortfolioSnapshot to the strategy, SuspectPosition and PositionMismatched to the order manager, discrepancies,
    FinishReconciliation to the connector: the order manager knows what is suspect before it hears of READY.
Dies when: its books break an invariant.
"""

from collections.abc import Callable
from typing import Any

from actors.base import Actor, Address, deliver
from actors.conflation import Mailbag, MailWaiting, QuoteBox, QuotesWaiting
from actors.domain.portfolio import Portfolio
from actors.messages.events import Reconciled
from actors.messages.system import Tick
from actors.messages.wire import FinishReconciliation


class PositionKeeper(Actor):
    """See the module."""

    name = "position_keeper"

    def __init__(
        self,
        *,
        portfolio: Portfolio,
        mail: Mailbag,
        quotes: QuoteBox,
        dispatch: Callable[[tuple[Any, ...]], None],
        view_listeners: tuple[Address[Any], ...],
        connector: Address[FinishReconciliation],
        supervisor: Address[Any],
    ) -> None:
        super().__init__(supervisor=supervisor)
        self._portfolio = portfolio
        self._mail = mail
        self._quotes = quotes
        self._dispatch = dispatch
        self._view_listeners = view_listeners
        self._connector = connector
        self._stale = True
        self._last: Tick | None = None

    def hear(self, message: object) -> None:
        """Book, and tell the strategy with the next tick; after a reconciliation at once.

        A strategy's own view counts each fill as it comes, so nobody waits for this one.
        """
        if isinstance(message, MailWaiting):
            for waiting in self._mail.take():
                self.hear(waiting)
            return
        if isinstance(message, QuotesWaiting):
            for quote in self._quotes.take():
                self._decide(quote)
            self._stale = True
            return
        if isinstance(message, FinishReconciliation):
            self.post(self._connector, message)
            return
        self._decide(message)
        match message:
            case Reconciled():
                self._tell_view(message.at)
            case Tick():
                self._last = message
                if self._stale:
                    self._tell_view(message.at)
            case _:
                self._stale = True

    def _decide(self, message: Any) -> None:  # noqa: ANN401  # the portfolio's own signature names its messages
        decided = self._portfolio.decide(message)
        if decided:
            self._dispatch(decided)

    def on_stop(self) -> None:
        """Pykka's hook: what still waits is booked and shown, so that the last report counts every fill."""
        for waiting in self._mail.take():
            if not isinstance(waiting, FinishReconciliation):
                self._portfolio.decide(waiting)
        if self._last is not None:
            view = self._portfolio.snapshot_view(self._last.at)
            for listener in self._view_listeners:
                deliver(listener, view)
        super().on_stop()

    def _tell_view(self, at: Any) -> None:  # noqa: ANN401  # datetime; the messages' own field
        self._stale = False
        view = self._portfolio.snapshot_view(at)
        for listener in self._view_listeners:
            self.post(listener, view)
