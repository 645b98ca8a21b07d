"""What a fill does: executions, commissions, the books, and the events that tell of them."""

from __future__ import annotations

from decimal import Decimal

from attrs import evolve, frozen

from ibapi_bridge.gateway_simulator.exchange.book import LegFill, LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.charges import order_commission
from ibapi_bridge.gateway_simulator.exchange.commitments import recount
from ibapi_bridge.gateway_simulator.exchange.endings import after_fill, finish
from ibapi_bridge.gateway_simulator.exchange.events import (
    AccountChanged,
    Commissioned,
    Executed,
    OrderFilled,
    PositionChanged,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.ledger import book
from ibapi_bridge.gateway_simulator.exchange.rules import to_grid
from ibapi_bridge.gateway_simulator.exchange.types import (
    ONE,
    ZERO,
    Execution,
    Instrument,
    Leg,
    Liquidity,
    Quote,
    Side,
)

VENUES = ("ARCA", "NASDAQ", "BATS", "IEX", "DRCTEDGE", "MEMX")


@frozen
class Trade:
    """One thing that changes hands, before it is booked."""

    instrument: Instrument
    side: Side
    quantity: Decimal
    price: Decimal


def execute(
    floor: Floor, live: LiveOrder, quantity: Decimal, price: Decimal, *, liquidity: Liquidity | None = None
) -> None:
    """Fill `quantity` of an order at `price`: executions, commissions, books and the order's group."""
    live.filled += quantity
    live.cost += quantity * price
    live.last_price = price
    instrument = floor.instruments[live.order.con_id]
    taken = liquidity or ("removed" if live.taking else "added")
    trade = Trade(instrument, live.order.side, quantity, price)
    booked = _book_legs(floor, live, trade, taken) if instrument.legs else [_book(floor, live, trade, taken)]
    if live.filled >= live.order.quantity:
        _complete(floor, live)
    else:
        recount(floor, live)
    for execution in booked:
        for combo in floor.combos_of.get(execution.con_id, ()):
            display_combo(floor, floor.instruments[combo])
        _report_costs(floor, execution)
    after_fill(floor, live, quantity)
    for waiting in floor.conditional:
        floor.plan(floor.now, "look", waiting)


def _book(floor: Floor, live: LiveOrder, trade: Trade, liquidity: Liquidity) -> Execution:
    """Book a plain fill."""
    value = live.cost * trade.instrument.multiplier
    total = order_commission(floor.config.commissions, trade.instrument, live.filled, value)
    fee, live.commission = total - live.commission, total
    return _record(floor, live, trade, liquidity, fee=fee)


def _record(
    floor: Floor,
    live: LiveOrder,
    trade: Trade,
    liquidity: Liquidity,
    *,
    fee: Decimal,
    leg: LegFill | None = None,
    is_combo: bool = False,
) -> Execution:
    order = live.order
    exec_id = _next_exec_id(floor)
    filled, cost = (live.filled, live.cost) if leg is None else (leg.filled, leg.cost)
    gain = None
    if not is_combo:
        signed = trade.quantity if trade.side == "BUY" else -trade.quantity
        gain = book(floor.accounts[order.account], trade.instrument, signed, trade.price, fee)
    execution = Execution(
        at=floor.now,
        exec_id=exec_id,
        perm_id=order.perm_id,
        account=order.account,
        con_id=trade.instrument.con_id,
        side=trade.side,
        quantity=trade.quantity,
        price=trade.price,
        cum_quantity=filled,
        avg_price=cost / filled,
        venue=_venue(floor, trade.instrument),
        liquidity=liquidity,
        client_id=order.client_id,
        order_id=order.order_id,
        order_ref=order.order_ref,
        commission=fee,
        currency=trade.instrument.currency,
        realized_pnl=None if gain is None else gain.net,
        is_combo=is_combo,
    )
    floor.exec_index[exec_id] = len(floor.executions)
    floor.executions.append(execution)
    floor.out.append(executed(execution, is_leg=leg is not None))
    return execution


def executed(execution: Execution, *, is_leg: bool = False, corrects: str | None = None) -> Executed:
    """The event that tells of an execution."""
    return Executed(
        at=execution.at,
        perm_id=execution.perm_id,
        exec_id=execution.exec_id,
        con_id=execution.con_id,
        account=execution.account,
        side=execution.side,
        quantity=execution.quantity,
        price=execution.price,
        cum_quantity=execution.cum_quantity,
        avg_price=execution.avg_price,
        venue=execution.venue,
        liquidity=execution.liquidity,
        is_leg=is_leg,
        corrects=corrects,
    )


def _book_legs(floor: Floor, live: LiveOrder, combo: Trade, liquidity: Liquidity) -> list[Execution]:
    """Tell of the combo's own fill, and book one fill for each leg; their prices add up to the combo's."""
    _record(floor, live, combo, liquidity, fee=ZERO, is_combo=True)
    booked = []
    for trade in _leg_trades(floor, combo):
        leg = live.legs.setdefault(trade.instrument.con_id, LegFill())
        leg.filled += trade.quantity
        leg.cost += trade.quantity * trade.price
        value = leg.cost * trade.instrument.multiplier
        total = order_commission(floor.config.commissions, trade.instrument, leg.filled, value)
        fee, leg.commission = total - leg.commission, total
        booked.append(_record(floor, live, trade, liquidity, fee=fee, leg=leg))
        _take_from_leg(floor, trade)
    return booked


def _take_from_leg(floor: Floor, trade: Trade) -> None:
    """What a combo trades is gone from the books of its legs."""
    touch = floor.touches.get(trade.instrument.con_id)
    if touch is None:
        return
    if trade.side == "BUY":
        touch.ask_left = max(touch.ask_left - trade.quantity, ZERO)
    else:
        touch.bid_left = max(touch.bid_left - trade.quantity, ZERO)


def _leg_trades(floor: Floor, combo: Trade) -> list[Trade]:
    trades = [_leg_trade(floor, combo, leg) for leg in combo.instrument.legs]
    signs = [1 if trade.side == combo.side else -1 for trade in trades]
    net = sum(
        (s * t.price * leg.ratio for s, t, leg in zip(signs, trades, combo.instrument.legs, strict=True)),
        start=ZERO,
    )
    # What the combo's price differs from that of its legs is put on one leg, of which it is a whole number of ticks.
    ratios = [leg.ratio for leg in combo.instrument.legs]
    bearer = min(range(len(trades)), key=lambda leg: (ratios[leg], -trades[leg].price))
    share = (combo.price - net) * signs[bearer] / ratios[bearer]
    trades[bearer] = evolve(trades[bearer], price=trades[bearer].price + share)
    return trades


def _leg_trade(floor: Floor, combo: Trade, leg: Leg) -> Trade:
    side: Side = leg.side if combo.side == "BUY" else ("SELL" if leg.side == "BUY" else "BUY")
    touch = floor.touches.get(leg.con_id)
    price = ZERO if touch is None else touch.mark or ZERO
    instrument = floor.instruments[leg.con_id]
    return Trade(instrument, side, combo.quantity * leg.ratio, to_grid(instrument, price, up=side == "SELL"))


def _complete(floor: Floor, live: LiveOrder) -> None:
    finish(floor, live, "filled")
    floor.out.append(
        OrderFilled(at=floor.now, perm_id=live.order.perm_id, filled=live.filled, avg_price=live.cost / live.filled)
    )
    for child in live.children:
        floor.plan(floor.now, "activate", child)


def _report_costs(floor: Floor, execution: Execution) -> None:
    floor.out.append(
        Commissioned(
            at=floor.now,
            perm_id=execution.perm_id,
            exec_id=execution.exec_id,
            amount=execution.commission,
            currency=execution.currency,
            realized_pnl=execution.realized_pnl,
        )
    )
    report_books(floor, execution.account, floor.instruments[execution.con_id])


def report_books(floor: Floor, account_name: str, instrument: Instrument) -> None:
    """Say what the account now holds of an instrument, and its cash."""
    account = floor.accounts[account_name]
    holding = account.holding(instrument.con_id)
    floor.out.append(
        PositionChanged(
            at=floor.now,
            account=account_name,
            con_id=instrument.con_id,
            quantity=holding.quantity,
            average_cost=holding.average_cost,
        )
    )
    floor.out.append(
        AccountChanged(
            at=floor.now,
            account=account_name,
            currency=instrument.currency,
            cash=account.cash.get(instrument.currency, ZERO),
        )
    )


def _next_exec_id(floor: Floor) -> str:
    """An execution id of IBKR's shape, `0000e0d5.69dd7411.01.01`; the last part counts corrections."""
    number = floor.exec_base * 64 + len(floor.executions)
    return f"{0xE0D5 + (number >> 38):08x}.{(number >> 6) & 0xFFFFFFFF:08x}.{(number & 0x3F) + 1:02x}.01"


def _venue(floor: Floor, instrument: Instrument) -> str:
    if instrument.sec_type != "STK":
        return instrument.exchange
    return VENUES[floor.rng.getrandbits(16) % len(VENUES)]


def display_combo(floor: Floor, combo: Instrument) -> Touch | None:
    """Show the book of a combo made of what its legs' books have left, None while a leg has no two-sided quote."""
    quote = _net_quote(floor, combo)
    if quote is None:
        floor.forget_display(combo.con_id)
        return None
    touch = floor.touches.get(combo.con_id)
    if touch is None:
        touch = floor.touches[combo.con_id] = Touch(quote, ONE)
    else:
        touch.show(quote, ONE)
    return touch


def _net_quote(floor: Floor, combo: Instrument) -> Quote | None:
    bid = ask = ZERO
    bid_size = ask_size = Decimal(10**9)
    for leg in combo.legs:
        touch = floor.touches.get(leg.con_id)
        if touch is None or touch.halted or touch.quote.bid is None or touch.quote.ask is None:
            return None
        low, high = touch.quote.bid, touch.quote.ask
        low_size, high_size = touch.bid_left, touch.ask_left
        if leg.side == "SELL":
            low, high, low_size, high_size = -high, -low, high_size, low_size
        bid += low * leg.ratio
        ask += high * leg.ratio
        bid_size = min(bid_size, low_size // leg.ratio)
        ask_size = min(ask_size, high_size // leg.ratio)
    return Quote(at=floor.now, con_id=combo.con_id, bid=bid, bid_size=bid_size, ask=ask, ask_size=ask_size)
