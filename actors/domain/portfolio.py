"""The portfolio: positions as concluded from fills, what they are worth, and whether the broker agrees.

Positions are kept by account and contract. Rules, cited by number in the tests:

P1  A position is its opening plus the signed fills; corrections count as if they had been there from the start.
P2  The opening is what the broker holds at the first reconciliation, less the fills booked until then.
P3  A combo's own fill moves no position, the fills of its legs do.
P4  A difference to the broker's is told only when both are at rest: after a reconciliation, and with nothing booked or
    reported for a while. It makes us ask first, for a fill or the broker's own row may be missing; one that the answer
    leaves is said once, and once more when it is over. Until then P6 keeps it from growing.
P5  A contract is known by its id; rows that lack it are found by symbol, kind, expiry, strike, right and currency.
P6  A reconciliation whose list of positions came in full is compared at once, before the session is ready: what differs
    and was not told yet is suspect and takes no new exposure, until both sides say the same or P4 has told it.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import attrs

from actors.domain.book import instrument_key
from actors.domain.contract import Contract, SecType
from actors.domain.identity import Account, execution_family, mask_account
from actors.domain.matching import is_same
from actors.domain.order_state import Fill, OrderState
from actors.domain.portfolio_state import BrokerRow, PortfolioConfig, PortfolioState, PositionRecord
from actors.domain.positions import Position, Trade
from actors.domain.terms import format_quantity
from actors.domain.valuation import Quotes, Valuation
from actors.messages import events, reports, system
from actors.messages.commands import AcceptPosition, BlockInstrument, Books, Reconcile, SuspectPosition
from actors.messages.portfolio import Amounts, PortfolioSnapshot, PositionView

Outbox = tuple[Any, ...]
Where = tuple[Account, str]

BOOKED_KEPT = 256
_ZERO = Decimal(0)
_NO_ACCOUNT = Account("")
COMBO = SecType.COMBO


@attrs.define(kw_only=True)
class _Entry:
    account: Account
    contract: Contract
    position: Position
    commission: Decimal = _ZERO
    view: PositionView | None = None


class Portfolio:
    """See the module; a plain object: ``decide(message) -> outbox``, no clock."""

    def __init__(self, config: PortfolioConfig | None = None, state: PortfolioState | None = None) -> None:
        self._config = config if config is not None else PortfolioConfig()
        state = state if state is not None else PortfolioState()
        self._aliases: dict[str, str] = {}
        self._quotes = Quotes()
        self._contracts: dict[str, Contract] = {}
        self._quoted: dict[Contract, str] = {}
        self._entries: dict[Where, _Entry] = {}
        self._rows: dict[Where, BrokerRow] = {}
        self._suspects: dict[Where, SuspectPosition] = {}
        for record in state.positions:
            entry = self._entry(record.account, record.contract)
            entry.position = Position(record.position, keep=self._config.keep_trades)
            entry.commission = record.commission
        for row in state.rows:
            self._rows[self._where(row.account, row.contract)] = row
        self._opened, self._listed = state.opened, state.listed
        self._mismatched: dict[Where, tuple[Contract, Decimal]] = {
            self._where(account, contract): (contract, difference) for account, contract, difference in state.mismatched
        }
        self._booked = deque(state.booked, maxlen=BOOKED_KEPT)
        self._valuation = Valuation(state.valuation)
        self._moved = state.opened
        self._compare_at: float | None = None
        self._is_fresh = False
        self._handlers: dict[type[Any], Callable[[Any], Outbox | None]] = {
            events.OrderFilled: self._book,
            events.FillCorrected: self._correct,
            events.CommissionCharged: self._charge,
            reports.QuoteReported: self._quote,
            reports.PositionReported: self._report,
            reports.AccountValueReported: self._hear_value,
            reports.SnapshotEnded: self._list_ended,
            events.Reconciled: self._reconciled,
            system.Tick: self._ticked,
            events.PositionMismatched: self._replay_dispute,
            AcceptPosition: self._replay_dispute,
            BlockInstrument: self._replay_dispute,
        }
        self._has_asked = False

    @classmethod
    def restore(cls, state: PortfolioState, config: PortfolioConfig | None = None) -> "Portfolio":
        """A portfolio that goes on where the state was taken."""
        return cls(config, state)

    def snapshot(self) -> PortfolioState:
        """Everything it knows, as plain values; quotes are not kept."""
        return PortfolioState(
            positions=tuple(
                PositionRecord(
                    account=entry.account,
                    contract=entry.contract,
                    position=entry.position.state(),
                    commission=entry.commission,
                )
                for entry in self._entries.values()
            ),
            rows=tuple(self._rows.values()),
            opened=self._opened,
            listed=self._listed,
            mismatched=tuple(
                (account, contract, difference) for (account, _), (contract, difference) in self._mismatched.items()
            ),
            booked=tuple(self._booked),
            valuation=self._valuation.state(),
        )

    def decide(self, message: Any) -> Outbox:  # noqa: ANN401  # order events, account reports, quotes, ticks
        """Everything that follows from a message."""
        handler = self._handlers.get(type(message))
        if handler is None:
            raise TypeError(f"the portfolio does not hear {type(message).__name__}")
        said = handler(message) or ()
        return (*said, *self._review(message.at)) if self._suspects else said

    # --- booking ---

    def _book(self, event: events.OrderFilled) -> None:
        fill = event.fill
        self._booked.append(fill.exec_id)
        self._moved = True
        entry = self._entry_of(event.order, fill)
        if entry is not None:
            entry.position.trade(_trade(fill))
            entry.view = None

    def _correct(self, event: events.FillCorrected) -> None:
        fill = event.fill
        self._booked.append(fill.exec_id)
        self._moved = True
        entry = self._entry_of(event.order, fill)
        if entry is not None:
            entry.position.correct(_trade(fill), _trade(event.previous))
            entry.view = None

    def _charge(self, event: events.CommissionCharged) -> None:
        fill, entry = event.fill, self._entry_of(event.order, event.fill)
        currency = fill.commission_currency or self._valuation.currency
        charged = self._valuation.charge(execution_family(fill.exec_id), fill.commission or _ZERO, currency)
        if entry is not None:
            entry.commission += charged
            entry.view = None

    def _entry_of(self, order: OrderState, fill: Fill) -> _Entry | None:
        """Where a fill is booked; nowhere for the summary of a combo (P3)."""
        if fill.contract is None and order.contract.sec_type is COMBO:
            return None
        return self._entry(fill.account or order.account, fill.contract or order.contract)

    def _entry(self, account: Account, contract: Contract) -> _Entry:
        where = self._where(account, contract)
        entry = self._entries.get(where)
        if entry is None:
            known = self._contracts.get(where[1], contract)
            entry = _Entry(account=account, contract=known, position=Position(keep=self._config.keep_trades))
            self._entries[where] = entry
        return entry

    # --- who is who ---

    def _where(self, account: Account, contract: Contract) -> Where:
        """P5: the key of a position, by id wherever one was ever seen."""
        if not contract.con_id:
            described = describe(contract)
            return account, self._aliases.get(described, described)
        key = f"#{contract.con_id}"
        if contract.symbol and key not in self._contracts:
            self._learn(contract, describe(contract), key)
        return account, key

    def _learn(self, contract: Contract, described: str, key: str) -> None:
        """The first full contract of an id: what was known by half of it alone is known by all of it from now on."""
        self._contracts[key] = contract
        self._quoted.clear()
        if self._aliases.setdefault(described, key) == key:
            self._quotes.rename(described, key)
            for where in [where for where in self._entries if where[1] == described]:
                half, whole = self._entries.pop(where), self._entries.get((where[0], key))
                if whole is not None:
                    half.position.absorb(whole.position)
                    half.commission += whole.commission
                self._entries[where[0], key] = half
            for where in [where for where in self._rows if where[1] == described]:
                self._rows[where[0], key] = self._rows.pop(where)
            for where in [where for where in self._suspects if where[1] == described]:
                self._suspects[where[0], key] = self._suspects.pop(where)
        for where, entry in self._entries.items():
            if where[1] == key:
                entry.contract, entry.view = contract, None
        for where in [where for where in self._rows if where[1] == key]:
            self._rows[where] = attrs.evolve(self._rows[where], contract=contract)

    # --- the broker's side ---

    def _report(self, report: reports.PositionReported) -> None:
        self._moved = True
        where = self._where(report.account, report.contract)
        self._rows[where] = BrokerRow(
            account=report.account,
            contract=self._contracts.get(where[1], report.contract),
            quantity=report.quantity,
            average_cost=report.average_cost,
            epoch=report.epoch,
        )

    def _list_ended(self, end: reports.SnapshotEnded) -> None:
        """Rows that a complete list did not repeat on this connection are closed positions."""
        if end.kind is not reports.SnapshotKind.POSITIONS:
            return
        self._is_fresh = end.complete
        if not end.complete:
            return
        self._listed = True
        self._rows = {where: row for where, row in self._rows.items() if row.epoch >= end.epoch}

    def _hear_value(self, report: reports.AccountValueReported) -> None:
        self._valuation.hear(report)

    def _reconciled(self, event: events.Reconciled) -> Outbox:
        self._moved = True
        if self._listed and not self._opened:
            self._opened = True
            for row in tuple(self._rows.values()):
                self._open(row.account, row.contract, row.quantity, row.average_cost)
            for where, entry in self._entries.items():
                if where not in self._rows:
                    entry.position.open_with(-entry.position.now.quantity, -entry.position.now.cost)
                    entry.view = None
        return self._suspect(event.at) if self._opened and self._config.asks_first else ()

    def _suspect(self, at: datetime) -> Outbox:
        """P6; a reconciliation without a list of its own only repeats what is suspect: the desk may have forgotten."""
        places = {**self._entries, **self._rows} if self._is_fresh else self._suspects
        self._is_fresh = False
        self._suspects = {where: self._suspicion(where, at) for where in places if self._differs(where)}
        return tuple(self._suspects.values())

    def _suspicion(self, where: Where, at: datetime) -> SuspectPosition:
        account, contract = self._named(where)
        return SuspectPosition(
            at=at, account=account, contract=contract, ours=self._held(where), broker=self._theirs(where), suspect=True
        )

    def _review(self, at: datetime) -> Outbox:
        """P6: what became of the suspicions with the last message; one is over as soon as both sides say the same."""
        said = []
        for where, known in tuple(self._suspects.items()):
            if not self._differs(where):
                del self._suspects[where]
                said.append(attrs.evolve(known, at=at, suspect=False))
            elif attrs.evolve(known, at=at) != (now := self._suspicion(where, at)):
                self._suspects[where] = now
                said.append(now)
        return tuple(said)

    def _open(self, account: Account, contract: Contract, held: Decimal, average_cost: Decimal | None) -> None:
        """P2: what the broker holds less what is booked was there before."""
        entry = self._entry(account, contract)
        missing = held - entry.position.now.quantity
        multiplier = entry.contract.multiplier or Decimal(1)
        entry.position.open_with(missing, missing * (average_cost or _ZERO) / multiplier)
        entry.view = None

    def _ticked(self, tick: system.Tick) -> Outbox:
        """P4: compare once both sides have been at rest."""
        if self._moved:
            self._moved = False
            self._compare_at = tick.elapsed + self._config.rest_seconds
            return ()
        if self._compare_at is None or tick.elapsed < self._compare_at or not self._opened:
            return ()
        self._compare_at = None
        places = {**self._entries, **self._rows}
        if self._config.asks_first and not self._has_asked and any(self._differs(where) for where in places):
            self._has_asked = True
            self._compare_at = tick.elapsed + self._config.answer_seconds
            return (Reconcile(at=tick.at, reason="a position differs from the broker's"),)
        self._has_asked = False
        self._suspects = {}
        return tuple(said for where in places for said in self._compare(where, tick.at))

    def _differs(self, where: Where) -> bool:
        """Whether they differ in a way that was not told yet."""
        known = self._mismatched.get(where)
        difference = self._held(where) - self._theirs(where)
        return difference != (known[1] if known is not None else 0) and difference != 0

    def _compare(self, where: Where, at: datetime) -> Outbox:
        ours, theirs = self._held(where), self._theirs(where)
        known = self._mismatched.get(where)
        account, contract = self._named(where)
        if ours == theirs:
            if known is None:
                return ()
            del self._mismatched[where]
            return (BlockInstrument(at=at, instrument=instrument_key(contract), blocked=False, reason="agrees again"),)
        if known is not None and known[1] == ours - theirs:
            return ()
        self._mismatched[where] = (contract, ours - theirs)
        return _mismatch(at, account, contract, ours, theirs)

    def _replay_dispute(self, message: events.PositionMismatched | AcceptPosition | BlockInstrument) -> None:
        """What a journal says about disputes: they arose, were settled by a human, or by themselves."""
        if isinstance(message, BlockInstrument):
            known = self._mismatched.items()
            kept = {where: found for where, found in known if instrument_key(found[0]) != message.instrument}
            self._mismatched = self._mismatched if message.blocked else kept
            return
        where = self._where(message.account, message.contract)
        self._mismatched[where] = (message.contract, message.ours - message.broker)
        if isinstance(message, AcceptPosition) and message.accepted is Books.BROKER:
            del self._mismatched[where]
            self._settle(self._entry(message.account, message.contract), message.broker, self._rows.get(where))

    def _settle(self, entry: _Entry, quantity: Decimal, row: BrokerRow | None) -> None:
        """The broker's position at the broker's cost: a split changes both."""
        cost = row.average_cost if row is not None else None
        each = entry.position.now.average_cost if cost is None else cost / (entry.contract.multiplier or Decimal(1))
        entry.position.settle(quantity, quantity * each)
        entry.view = None

    def disputes(self) -> tuple[tuple[Account, Contract, Decimal, Decimal], ...]:
        """Account, contract, our quantity and the broker's of every position that differs."""
        return tuple(
            (where[0], contract, self._held(where), self._held(where) - difference)
            for where, (contract, difference) in self._mismatched.items()
        )

    def _held(self, where: Where) -> Decimal:
        entry = self._entries.get(where)
        return entry.position.now.quantity if entry is not None else _ZERO

    def _theirs(self, where: Where) -> Decimal:
        row = self._rows.get(where)
        return row.quantity if row is not None else _ZERO

    def _named(self, where: Where) -> tuple[Account, Contract]:
        """Whose position it is, and in what: by our books, else by the broker's."""
        known = self._entries.get(where) or self._rows[where]
        return known.account, known.contract

    # --- the view ---

    def _quote(self, quote: reports.QuoteReported) -> None:
        key = self._quoted.get(quote.contract)
        if key is None:
            key = self._quoted[quote.contract] = self._quoted_as(quote.contract)
        self._quotes.hear(key, quote)

    def _quoted_as(self, contract: Contract) -> str:
        """A quote names its contract as the strategy spells it, which may be less or other than the broker does."""
        alike = (key for key, known in self._contracts.items() if is_same(contract, known))
        return next(alike, None) or self._where(_NO_ACCOUNT, contract)[1]

    def snapshot_view(self, at: datetime) -> PortfolioSnapshot:
        """All positions that are not flat or made a profit, with cash and equity as the broker last said."""
        views = tuple(
            self._view(where[1], entry) for where, entry in self._entries.items() if entry.position.now != _FLAT
        )
        return PortfolioSnapshot(
            at=at,
            positions=views,
            currency=self._valuation.currency,
            cash=self._valuation.cash,
            equity=self._valuation.equity,
            realized_pnl=_by_currency((view.contract, view.realized_pnl) for view in views),
            unrealized_pnl=_by_currency((view.contract, view.unrealized_pnl or _ZERO) for view in views),
            commissions=self._valuation.commissions,
            booked=tuple(self._booked),
        )

    def _view(self, key: str, entry: _Entry) -> PositionView:
        price = self._quotes.price(key)
        if entry.view is None or entry.view.market_price is not price:
            now = entry.position.now
            multiplier = entry.contract.multiplier
            entry.view = PositionView(
                account=entry.account,
                contract=entry.contract,
                quantity=now.quantity,
                average_cost=now.average_cost,
                realized_pnl=now.realized * multiplier,
                unrealized_pnl=None if price is None else (now.quantity * price - now.cost) * multiplier,
                market_price=price,
                commission=entry.commission,
            )
        return entry.view


_FLAT = Position().now


def describe(contract: Contract) -> str:
    """A contract by what a human would write of it; used where its id is missing."""
    parts = (
        contract.symbol or contract.local_symbol,
        contract.sec_type.value,
        contract.expiry,
        "" if contract.strike is None else format_quantity(contract.strike),
        contract.right,
        contract.currency,
    )
    return "|".join(parts)


def _trade(fill: Fill) -> Trade:
    return Trade(
        family=execution_family(fill.exec_id),
        exec_id=fill.exec_id,
        quantity=fill.side.sign * fill.quantity,
        price=fill.price,
    )


def _mismatch(at: datetime, account: Account, contract: Contract, ours: Decimal, theirs: Decimal) -> Outbox:
    difference = format_quantity(theirs - ours)
    text = (
        f"account {mask_account(account)}: our position is {format_quantity(ours)}, the broker's "
        f"{format_quantity(theirs)}, a difference of {difference}"
    )
    return (
        events.PositionMismatched(at=at, account=account, contract=contract, ours=ours, broker=theirs),
        events.Discrepancy(at=at, kind="POSITION_MISMATCH", subject=contract.name, text=text),
    )


def _by_currency(amounts: Iterable[tuple[Contract, Decimal]]) -> Amounts:
    sums: dict[str, Decimal] = {}
    for contract, amount in amounts:
        sums[contract.currency] = sums.get(contract.currency, _ZERO) + amount
    return MappingProxyType(sums)
