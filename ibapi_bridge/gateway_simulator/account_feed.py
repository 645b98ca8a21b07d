"""Positions, account values and summaries: the rows, and who is subscribed to them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.exchange import events
from ibapi_bridge.gateway_simulator.exchange.types import AccountValues, Position
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.times import zone

if TYPE_CHECKING:
    from ibapi_bridge.gateway_simulator.core import Gateway

REFRESH = timedelta(minutes=3)
LEDGER = "$LEDGER"


@attrs.define(kw_only=True)
class SummarySubscription:
    """One reqAccountSummary; `sent` is what its client has, to send only what changed."""

    session: Session
    request_id: int
    tags: tuple[str, ...]
    sent: dict[tuple[str, str, str], str]


class AccountFeed:
    """Answers and refreshes everything about accounts; every 3 minutes of market time, as the gateway does."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway
        self._summaries: dict[tuple[int, int], SummarySubscription] = {}
        self._due: datetime = gateway.now + REFRESH

    def tick(self) -> None:
        """Sends the periodic refresh when it is due."""
        if self._gateway.now < self._due:
            return
        self._due = self._gateway.now + REFRESH
        for subscription in self._summaries.values():
            self._send_summary(subscription)
        for session in self._gateway.sessions:
            if session.account_updates is not None:
                self.send_account(session, session.account_updates)

    def drop(self, session: Session) -> None:
        """Ends a session's subscriptions."""
        for key in [key for key in self._summaries if key[0] == session.number]:
            del self._summaries[key]

    def subscribe_summary(self, session: Session, request_id: int, tags: str) -> bool:
        """Starts a summary; False when the session has two already."""
        active = sum(1 for number, _ in self._summaries if number == session.number)
        if active >= 2 and (session.number, request_id) not in self._summaries:
            return False
        wanted = tuple(tag.strip() for tag in tags.split(",") if tag.strip())
        subscription = SummarySubscription(session=session, request_id=request_id, tags=wanted, sent={})
        self._summaries[session.number, request_id] = subscription
        self._send_summary(subscription)
        session.send(IN.ACCOUNT_SUMMARY_END, reqId=request_id)
        return True

    def cancel_summary(self, session: Session, request_id: int) -> None:
        """Ends a summary."""
        self._summaries.pop((session.number, request_id), None)

    def _send_summary(self, subscription: SummarySubscription) -> None:
        for account in self._gateway.config.accounts:
            values = self._gateway.exchange.account_values(account)
            for tag, value, currency in chosen_rows(values, subscription.tags):
                if subscription.sent.get((account, tag, currency)) != value:
                    subscription.sent[account, tag, currency] = value
                    subscription.session.send(
                        IN.ACCOUNT_SUMMARY,
                        reqId=subscription.request_id,
                        account=account,
                        tag=tag,
                        value=value,
                        currency=currency,
                    )

    def send_positions(self, session: Session) -> None:
        """All holdings, then the end marker."""
        for position in self.positions():
            session.post(IN.POSITION_DATA, self.position_message(position))
        session.send(IN.POSITION_END)

    def positions(self) -> Iterator[Position]:
        """All holdings of all accounts."""
        for account in self._gateway.config.accounts:
            yield from self._gateway.exchange.positions(account)

    def position_message(self, position: Position) -> Message:
        """One position row; the contract carries no exchange, as on a real gateway."""
        message = REPLIES[IN.POSITION_DATA].message(
            account=position.account,
            position=plain(position.quantity),
            avgCost=float(position.average_cost),
        )
        message.contract.CopyFrom(self._gateway.contract_of(position.con_id))
        message.contract.ClearField("exchange")
        return message

    def position_changed(self, event: events.PositionChanged) -> None:
        """Pushes a changed holding to everyone subscribed to positions or account updates."""
        message = REPLIES[IN.POSITION_DATA].message(
            account=event.account, position=plain(event.quantity), avgCost=float(event.average_cost)
        )
        message.contract.CopyFrom(self._gateway.contract_of(event.con_id))
        message.contract.ClearField("exchange")
        for session in self._gateway.sessions:
            if session.positions:
                session.post(IN.POSITION_DATA, message)
            if session.account_updates == event.account:
                self._send_portfolio(session, event.account, only=event.con_id)

    def send_account(self, session: Session, account: str) -> None:
        """Account values, portfolio rows, the time and the end marker."""
        for key, value, currency in account_rows(self._gateway.exchange.account_values(account)):
            session.send(IN.ACCT_VALUE, key=key, value=value, currency=currency, accountName=account)
        self._send_portfolio(session, account)
        local = self._gateway.now.astimezone(zone(self._gateway.config.zone))
        session.send(IN.ACCT_UPDATE_TIME, timeStamp=local.strftime("%H:%M"))
        session.send(IN.ACCT_DOWNLOAD_END, accountName=account)

    def _send_portfolio(self, session: Session, account: str, *, only: int | None = None) -> None:
        for position in self._gateway.exchange.positions(account):
            if only is not None and position.con_id != only:
                continue
            message = REPLIES[IN.PORTFOLIO_VALUE].message(
                position=plain(position.quantity),
                marketPrice=float(position.market_price),
                marketValue=float(position.market_value),
                averageCost=float(position.average_cost),
                unrealizedPNL=float(position.unrealized_pnl),
                realizedPNL=float(position.realized_pnl),
                accountName=account,
            )
            message.contract.CopyFrom(self._gateway.contract_of(position.con_id))
            session.post(IN.PORTFOLIO_VALUE, message)


def money(value: Decimal) -> str:
    """An amount with two decimals."""
    return format(value, ".2f")


def summary_rows(values: AccountValues) -> Iterator[tuple[str, str, str]]:
    """(tag, value, currency) of every summary tag."""
    base = values.currency
    yield "AccountType", "INDIVIDUAL", ""
    equity = values.net_liquidation
    cushion = values.excess_liquidity / equity if equity else Decimal(0)
    yield "Cushion", format(cushion, ".6f"), ""
    yield "LookAheadNextChange", "0", ""
    yield "HighestSeverity", "0", ""
    yield "DayTradesRemaining", "-1", ""
    leverage = values.gross_position_value / equity if equity else Decimal(0)
    yield "Leverage", format(leverage, ".2f"), ""
    for tag, amount in _amounts(values):
        yield tag, money(amount), base


def _amounts(values: AccountValues) -> Iterator[tuple[str, Decimal]]:
    zero = Decimal(0)
    yield "NetLiquidation", values.net_liquidation
    yield "TotalCashValue", values.total_cash_value
    yield "SettledCash", values.total_cash_value
    yield "AccruedCash", zero
    yield "BuyingPower", values.buying_power
    yield "EquityWithLoanValue", values.equity_with_loan_value
    yield "PreviousDayEquityWithLoanValue", values.equity_with_loan_value - values.daily_pnl
    yield "GrossPositionValue", values.gross_position_value
    yield "ReqTEquity", values.equity_with_loan_value
    yield "ReqTMargin", values.initial_margin
    yield "SMA", values.available_funds
    for prefix in ("", "Full", "LookAhead"):
        yield f"{prefix}InitMarginReq", values.initial_margin
        yield f"{prefix}MaintMarginReq", values.maintenance_margin
        yield f"{prefix}AvailableFunds", values.available_funds
        yield f"{prefix}ExcessLiquidity", values.excess_liquidity


def account_rows(values: AccountValues) -> Iterator[tuple[str, str, str]]:
    """(key, value, currency) of an account update."""
    yield "AccountCode", values.account, ""
    yield "AccountReady", "true", ""
    yield from summary_rows(values)
    yield from ledger_rows(values)


def chosen_rows(values: AccountValues, tags: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The summary's rows of those tags; $LEDGER adds the ledger in BASE, $LEDGER:EUR in euros, $LEDGER:ALL in all."""
    yield from (row for row in summary_rows(values) if row[0] in tags)
    ledgers = {tag.partition(":")[2] or "BASE" for tag in tags if tag.partition(":")[0] == LEDGER}
    yield from (row for row in ledger_rows(values) if row[2] in ledgers or "ALL" in ledgers)


def ledger_rows(values: AccountValues) -> Iterator[tuple[str, str, str]]:
    """(key, value, currency) of what the account has in each currency and, as BASE, in all."""
    base = values.currency
    for currency, cash in [*values.cash.items(), ("BASE", values.total_cash_value)]:
        rate = values.exchange_rates.get(currency, Decimal(1))
        yield "Currency", currency, currency
        yield "CashBalance", money(cash), currency
        yield "TotalCashBalance", money(cash), currency
        yield "ExchangeRate", format(rate, ".2f" if rate == 1 else "f"), currency
        if currency in {base, "BASE"}:
            yield "StockMarketValue", money(values.stock_market_value), currency
            yield "OptionMarketValue", money(values.option_market_value), currency
            yield "FuturesPNL", money(values.futures_pnl), currency
            yield "UnrealizedPnL", money(values.unrealized_pnl), currency
            yield "RealizedPnL", money(values.realized_pnl), currency
            yield "NetLiquidationByCurrency", money(values.net_liquidation), currency
