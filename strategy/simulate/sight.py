"""What one life's strategy sees: the position keeper and the strategy host, and the portfolio's view between them.

Nothing is told that nobody can notice. While nothing is on its way to the strategy, a tick or a quote that calls no
hook reaches it at once, whatever it lags behind: what it sees next includes it either way. A view of the portfolio that
differs from the last one by the price of a quote is made when the strategy is about to be called, or not at all when a
newer one came before that; the keeper itself, which decides nothing by a price, hears the last quotes before that view.
"""

from collections.abc import Callable
from datetime import datetime

from actors.domain.contract import Contract
from actors.domain.start_gate import StartGate
from actors.domain.valuation import has_price
from actors.messages.events import CommissionCharged, FillCorrected, OrderFilled, Reconciled
from actors.messages.reports import QuoteReported
from actors.messages.system import Tick
from strategy.simulate.surroundings import Dispatch, Inbox, Message, Parts, Surroundings


class Sight:
    """Position keeper and strategy host of one life; ``dispatch`` is set while wiring."""

    dispatch: Dispatch

    def __init__(self, parts: Parts, around: Surroundings, *, inbox: Inbox, drain: Callable[[], None]) -> None:
        self._portfolio, self._runner, self._around = parts.portfolio, parts.runner, around
        self._agenda, self._inbox, self._drain = around.agenda, inbox, drain
        self._gate, self._has_started = StartGate(), False
        self._under_way = 0
        """Messages that the strategy hears later, because it lags behind."""
        self.view_is_due = False
        self._view_is_stale = self._view_has_news = True
        self._view_owed: datetime | None = None
        """As of when the strategy is owed a view."""
        self._quotes: dict[Contract, QuoteReported] = {}
        """What the keeper has not heard yet."""
        self._later: dict[Contract, QuoteReported] = {}
        """The same, of after the view that is owed was due."""
        self.is_closed = False
        """The process is dead."""

    # --- the position keeper ---

    def hear(self, message: Message) -> None:
        """The keeper hears."""
        self._settle()
        self.catch_up()
        self._decide(message)
        self._view_is_stale = self._view_has_news = True
        if isinstance(message, OrderFilled | FillCorrected | CommissionCharged | Reconciled):
            at_once = not self._around.snapshot_lag or isinstance(message, Reconciled)
            self.view_is_due = self.view_is_due or at_once

    def pass_time_at_keeper(self, tick: Tick) -> None:
        """Views wait no longer than for the next tick."""
        self._decide(tick)
        self.view_is_due = self._view_is_stale

    def quote(self, quote: QuoteReported) -> None:
        """A quote reaches the keeper and the strategy."""
        self._view_is_stale = True
        if self._is_noticed(quote):
            self._settle()
            self._keep(quote)
            self._put(quote)
        else:
            self._keep(quote)
            self._runner.hear(quote)

    def _keep(self, quote: QuoteReported) -> None:
        """One without a price does not take the place of one with a price: the keeper passes over it."""
        if has_price(quote):
            kept = self._quotes if self._view_owed is None else self._later
            kept[quote.contract] = quote

    def catch_up(self) -> None:
        """The keeper hears the prices of now."""
        self._hear_prices()
        self._quotes, self._later = self._later, self._quotes
        self._hear_prices()

    def _hear_prices(self) -> None:
        for quote in self._quotes.values():
            self._decide(quote)
        self._quotes.clear()

    def _decide(self, message: Message) -> None:
        decided = self._portfolio.decide(message)
        if decided:
            self.dispatch(decided)

    def tell_view(self) -> None:
        """Once for everything that happened at the same moment: the position keeper's own thread does about that."""
        self._view_is_stale = self.view_is_due = False
        if self._view_has_news or not self._runner.is_running:
            self._view_has_news, self._view_owed = False, None
            self._put_view(self._agenda.moment)
        else:
            self._view_owed = self._agenda.moment
            self._quotes.update(self._later)
            self._later.clear()

    def _settle(self) -> None:
        """What is owed is made with the prices of when it was due."""
        if self._view_owed is not None:
            at, self._view_owed = self._view_owed, None
            self._put_view(at)
            self._quotes, self._later = self._later, self._quotes

    def _put_view(self, at: datetime) -> None:
        self._hear_prices()
        self._put(self._portfolio.snapshot_view(at))

    # --- the strategy host ---

    def tell(self, message: Message) -> None:
        """The host hears, as soon as its thread gets that far."""
        self._settle()
        self._put(message)

    def pass_time_at_host(self, tick: Tick) -> None:
        """Time passes for the strategy."""
        if self._is_noticed(tick):
            self.tell(tick)
        else:
            self._runner.pass_time(tick)

    def _is_noticed(self, message: QuoteReported | Tick) -> bool:
        return self._under_way != 0 or self._runner.notices(message)

    def _put(self, message: Message) -> None:
        if self._around.lag:
            self._under_way += 1
            self._agenda.after(self._around.lag, self._reach, message)
        else:
            self._inbox.append((self._hear, message))

    def _reach(self, message: Message) -> None:
        self._under_way -= 1
        if not self.is_closed:
            self._hear(message)
            self._drain()

    def _hear(self, message: Message) -> None:
        self._let_strategy_hear(message)
        if not self._has_started:
            for start in self._gate.decide(message):
                self._has_started = True
                self._let_strategy_hear(start)

    def _let_strategy_hear(self, message: Message) -> None:
        wanted = self._runner.hear(message)
        if wanted:
            if self._around.narrator is not None:
                self._around.narrator.wanted(message, wanted)
            self.dispatch(wanted)
