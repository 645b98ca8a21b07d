"""The broker's books as a customer sees them: positions and account values."""

from __future__ import annotations

from collections.abc import Set
from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.ledger import Account, Holding
from ibapi_bridge.gateway_simulator.exchange.margins import account_margin, equity, exchange_rate, reserved_margin
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, AccountValues, Position

OPTIONS = frozenset({"OPT", "FOP"})
OWNED = OPTIONS | {"STK", "CFD", "CRYPTO"}  # paid for in full, unlike futures and currencies
LEVERAGE = 4  # buying power of a margin account: four times what positions and working orders leave free


def positions(floor: Floor, name: str) -> list[Position]:
    """What an account holds or held today, by contract."""
    account = floor.account(name)
    return [_position(floor, name, con_id, holding) for con_id, holding in sorted(account.holdings.items())]


def _position(floor: Floor, name: str, con_id: int, holding: Holding) -> Position:
    instrument = floor.instruments[con_id]
    price = floor.mark(con_id) or holding.average_price / instrument.multiplier
    value = price * instrument.multiplier * holding.quantity
    open_gain = value - holding.average_cost * holding.quantity
    return Position(
        account=name,
        con_id=con_id,
        quantity=holding.quantity,
        average_cost=holding.average_cost,
        market_price=price,
        market_value=value,
        unrealized_pnl=open_gain,
        realized_pnl=holding.realized,
        daily_pnl=open_gain + holding.realized - holding.opening_pnl,
    )


def account_values(floor: Floor, name: str) -> AccountValues:
    """One account's money, valued at the market."""
    account = floor.account(name)
    held = [_position(floor, name, con_id, holding) for con_id, holding in sorted(account.holdings.items())]
    worth = equity(floor, account)
    margin = account_margin(floor, account)
    rates = {currency: exchange_rate(floor, currency) for currency in account.cash}
    available = worth - margin.initial
    return AccountValues(
        account=name,
        currency=floor.config.base_currency,
        cash=dict(account.cash),
        exchange_rates=rates,
        net_liquidation=worth,
        total_cash_value=sum((amount * rates[c] for c, amount in account.cash.items()), start=ZERO),
        gross_position_value=_value_of(floor, held, OWNED, gross=True),
        stock_market_value=_value_of(floor, held, {"STK"}),
        option_market_value=_value_of(floor, held, OPTIONS),
        futures_pnl=_gains(floor, [p for p in held if floor.instruments[p.con_id].sec_type == "FUT"]),
        unrealized_pnl=_gains(floor, held),
        realized_pnl=sum((p.realized_pnl * _rate(floor, p) for p in held), start=ZERO),
        equity_with_loan_value=worth - max(_value_of(floor, held, OPTIONS), ZERO),
        initial_margin=margin.initial,
        maintenance_margin=margin.maintenance,
        available_funds=available,
        excess_liquidity=worth - margin.maintenance,
        buying_power=max(worth - reserved_margin(floor, account), ZERO) * LEVERAGE,
        daily_pnl=worth - (worth if account.opening_equity is None else account.opening_equity),
    )


def _rate(floor: Floor, position: Position) -> Decimal:
    return exchange_rate(floor, floor.instruments[position.con_id].currency)


def _value_of(floor: Floor, held: list[Position], sec_types: Set[str], *, gross: bool = False) -> Decimal:
    chosen = [p for p in held if floor.instruments[p.con_id].sec_type in sec_types]
    values = ((abs(p.market_value) if gross else p.market_value) * _rate(floor, p) for p in chosen)
    return sum(values, start=ZERO)


def _gains(floor: Floor, held: list[Position]) -> Decimal:
    return sum((p.unrealized_pnl * _rate(floor, p) for p in held), start=ZERO)


def start_day(floor: Floor, account: Account) -> None:
    """Begin a new day: today's realised gains are nothing, equity now is the mark, what was sold is listed no more."""
    account.opening_equity = equity(floor, account)
    account.holdings = {con_id: holding for con_id, holding in account.holdings.items() if holding.quantity}
    for con_id, holding in account.holdings.items():
        holding.realized = ZERO
        holding.opening_pnl = _position(floor, account.name, con_id, holding).unrealized_pnl
