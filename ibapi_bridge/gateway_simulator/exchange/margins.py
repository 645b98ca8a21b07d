"""What positions are worth, what margin they need, and whether an order may be taken."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.charges import order_commission
from ibapi_bridge.gateway_simulator.exchange.commitments import order_changes
from ibapi_bridge.gateway_simulator.exchange.config import MarginRates
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.ledger import Account
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Instrument, MarginPreview, VenueOrder

CENT = Decimal("0.01")
NOTHING = (ZERO, ZERO)


@frozen
class Margin:
    """Initial and maintenance margin, in the base currency."""

    initial: Decimal
    maintenance: Decimal


def margin_of(rates: MarginRates, instrument: Instrument, quantity: Decimal, mark: Decimal) -> Margin:
    """The margin of a signed position at a price, in the instrument's currency.

    The rates are those of a plain margin account; spreads get no relief.
    """
    value = abs(quantity * mark * instrument.multiplier)
    if instrument.sec_type in {"STK", "CFD"}:
        return Margin(value * rates.stock_initial, value * rates.stock_maintenance)
    if instrument.sec_type == "CRYPTO":
        return Margin(value, value)
    if instrument.sec_type in {"OPT", "FOP"}:
        return _option_margin(rates, instrument, quantity, value)
    if instrument.sec_type == "FUT":
        return _future_margin(rates, instrument, abs(quantity), value)
    if instrument.sec_type == "CASH":
        return Margin(value * rates.fx_initial, value * rates.fx_maintenance)
    return Margin(ZERO, ZERO)


def _option_margin(rates: MarginRates, option: Instrument, quantity: Decimal, premium: Decimal) -> Margin:
    if quantity >= 0:
        return Margin(premium, premium)
    underlying = (option.strike or ZERO) * option.multiplier * -quantity
    short = premium + underlying * rates.option_short
    return Margin(short, short)


def _future_margin(rates: MarginRates, future: Instrument, contracts: Decimal, value: Decimal) -> Margin:
    fixed = rates.per_future.get(future.symbol)
    if fixed is not None:
        return Margin(fixed[0] * contracts, fixed[1] * contracts)
    return Margin(value * rates.future_initial, value * rates.future_maintenance)


def exchange_rate(floor: Floor, currency: str) -> Decimal:
    """What one unit of `currency` is worth in the base currency; 1 when no listed pair tells."""
    base = floor.config.base_currency
    if currency == base:
        return Decimal(1)
    pair = floor.pairs.get((currency, base))
    if pair is not None:
        return floor.mark(pair) or Decimal(1)
    inverse = floor.pairs.get((base, currency))
    mark = None if inverse is None else floor.mark(inverse)
    return 1 / mark if mark else Decimal(1)


def account_margin(
    floor: Floor, account: Account, changes: Mapping[int, Decimal] | None = None, price: Decimal | None = None
) -> Margin:
    """The margin of all an account holds, after signed `changes` by contract, valued at the market.

    `price` values the changed contracts where the market has no price.
    """
    initial = maintenance = ZERO
    for con_id, quantity in _quantities(account, changes or {}).items():
        instrument = floor.instruments[con_id]
        mark = floor.mark(con_id) or price or ZERO
        margin = margin_of(floor.config.margins, instrument, quantity, mark)
        rate = exchange_rate(floor, instrument.currency)
        initial += margin.initial * rate
        maintenance += margin.maintenance * rate
    return Margin(initial, maintenance)


def _quantities(account: Account, changes: Mapping[int, Decimal]) -> dict[int, Decimal]:
    quantities = {con_id: holding.quantity for con_id, holding in account.holdings.items() if holding.quantity}
    for con_id, change in changes.items():
        quantities[con_id] = quantities.get(con_id, ZERO) + change
    return quantities


def equity(floor: Floor, account: Account) -> Decimal:
    """Net liquidation value: cash, what positions are worth, and open gains of futures."""
    total = sum((amount * exchange_rate(floor, currency) for currency, amount in account.cash.items()), start=ZERO)
    for con_id, holding in account.holdings.items():
        if not holding.quantity:
            continue
        instrument = floor.instruments[con_id]
        mark = (floor.mark(con_id) or holding.average_price / instrument.multiplier) * instrument.multiplier
        rate = exchange_rate(floor, instrument.currency)
        if instrument.is_cash_settled_daily:
            total += (mark * holding.quantity - holding.cost) * rate
        elif instrument.sec_type != "CASH":
            total += mark * holding.quantity * rate
    return total


def reserved_margin(
    floor: Floor, account: Account, changes: Mapping[int, Decimal] | None = None, price: Decimal | None = None
) -> Decimal:
    """The initial margin if, in each contract, the working orders of the side that needs more were filled.

    `changes` are those of one more order; `price` values its contracts where the market has no price.
    """
    reach = {c: (holding.quantity, holding.quantity) for c, holding in account.holdings.items() if holding.quantity}
    for con_id, (buys, sells) in account.working.items():
        lowest, highest = reach.get(con_id, NOTHING)
        reach[con_id] = lowest - sells, highest + buys
    for con_id, change in (changes or {}).items():
        lowest, highest = reach.get(con_id, NOTHING)
        reach[con_id] = (lowest, highest + change) if change > 0 else (lowest + change, highest)
    return sum((_worst(floor, con_id, ends, price) for con_id, ends in reach.items()), start=ZERO)


def _worst(floor: Floor, con_id: int, ends: tuple[Decimal, Decimal], price: Decimal | None) -> Decimal:
    """The greater of the initial margins of the lowest and the highest position that can be reached."""
    lowest, highest = ends
    instrument, rates = floor.instruments[con_id], floor.config.margins
    mark = floor.mark(con_id) or price or ZERO
    worst = margin_of(rates, instrument, highest, mark).initial
    if lowest < 0:
        worst = max(worst, margin_of(rates, instrument, lowest, mark).initial)
    return worst * exchange_rate(floor, instrument.currency)


def margin_refusal(floor: Floor, order: VenueOrder, quantity: Decimal) -> str:
    """Why the account cannot carry `quantity` more of the order beside those that work, "" when it can.

    Closing a position is always allowed, as is anything that needs no more margin than there is now.
    """
    account = floor.accounts[order.account]
    changes = order_changes(floor.instruments[order.con_id], order, quantity)
    if all(_reduces(account, con_id, change) for con_id, change in changes.items()):
        return ""
    needed = reserved_margin(floor, account, changes, order.limit_price)
    available = equity(floor, account)
    if needed <= available or needed <= reserved_margin(floor, account):
        return ""
    currency = floor.config.base_currency
    return (
        "We are unable to accept your order. Your Available Funds are insufficient: Equity with Loan Value "
        f"[{available.quantize(CENT)} {currency}] must exceed the new total Initial Margin of "
        f"[{needed.quantize(CENT)} {currency}]."
    )


def _reduces(account: Account, con_id: int, change: Decimal) -> bool:
    holding = account.holdings.get(con_id)
    held = ZERO if holding is None else holding.quantity
    buys, sells = account.working.get(con_id, (ZERO, ZERO))
    closing = sells if held > 0 else buys
    return held * change < 0 and abs(change) + closing <= abs(held)


def preview(floor: Floor, order: VenueOrder, refused: tuple[int, str]) -> MarginPreview:
    """What an order would do to the account's margins, valued at the market."""
    account = floor.accounts[order.account]
    instrument = floor.instruments[order.con_id]
    before = account_margin(floor, account)
    changes = order_changes(instrument, order, order.quantity)
    after = account_margin(floor, account, changes, order.limit_price)
    now = equity(floor, account)
    price = order.limit_price or floor.mark(order.con_id) or ZERO
    value = order.quantity * price * instrument.multiplier
    commission = order_commission(floor.config.commissions, instrument, order.quantity, value)
    return MarginPreview(
        initial_before=before.initial,
        initial_change=after.initial - before.initial,
        initial_after=after.initial,
        maintenance_before=before.maintenance,
        maintenance_change=after.maintenance - before.maintenance,
        maintenance_after=after.maintenance,
        equity_before=now,
        equity_change=-commission,
        equity_after=now - commission,
        commission=commission,
        commission_min=commission,
        commission_max=commission,
        currency=instrument.currency,
        refused_code=refused[0],
        refused=refused[1],
    )
