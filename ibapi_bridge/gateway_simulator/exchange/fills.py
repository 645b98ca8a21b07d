"""Trading: orders against the displayed sizes, and what a fill does to the books."""

from __future__ import annotations

from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.book import LiveOrder, Touch
from ibapi_bridge.gateway_simulator.exchange.charges import order_commission
from ibapi_bridge.gateway_simulator.exchange.events import (
    AccountChanged,
    Commissioned,
    Executed,
    OrderFilled,
    PositionChanged,
)
from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.ledger import book
from ibapi_bridge.gateway_simulator.exchange.types import ZERO, Execution, Instrument, Liquidity

VENUES = ("ARCA", "NASDAQ", "BATS", "IEX", "DRCTEDGE", "MEMX")


def match(floor: Floor, live: LiveOrder) -> None:
    """Trade an order in the book as far as the displayed size and its limit allow."""
    touch = floor.touches.get(live.order.con_id)
    if touch is None or touch.halted or live.is_done:
        return
    taken = _take(floor, live, touch)
    if not taken and not live.is_done:
        _queue(floor, live, touch)


def _take(floor: Floor, live: LiveOrder, touch: Touch) -> bool:
    """Trade against the other side; give whether its price was within the limit."""
    buying = live.order.side == "BUY"
    price = touch.quote.ask if buying else touch.quote.bid
    if price is None:
        return False
    if live.limit is not None and (price > live.limit if buying else price < live.limit):
        live.taking = False
        return False
    left = touch.ask_left if buying else touch.bid_left
    quantity = min(live.remaining, _round_lot(left, floor.instruments[live.order.con_id]))
    if quantity > 0:
        if buying:
            touch.ask_left = left - quantity
        else:
            touch.bid_left = left - quantity
        # An order that had come to rest is hit at its own price; one still sweeping takes the quote's.
        at_limit = not live.taking and live.limit is not None
        execute(floor, live, quantity, live.limit if at_limit and live.limit is not None else price)
    return True


def _round_lot(size: Decimal, instrument: Instrument) -> Decimal:
    return size - size % instrument.size_increment


def _queue(floor: Floor, live: LiveOrder, touch: Touch) -> None:
    """Join the queue at the order's price, or move up in it by what traded there."""
    quote, limit = touch.quote, live.limit
    if limit is None:
        return
    buying = live.order.side == "BUY"
    best, size = (quote.bid, quote.bid_size) if buying else (quote.ask, quote.ask_size)
    if quote.last is not None and quote.last_size and live.queue_ahead is not None:
        _trade_through(floor, live, quote.last, quote.last_size)
    if live.is_done or best is None:
        return
    if limit == best:
        ahead = size * floor.config.queue_share
        live.queue_ahead = ahead if live.queue_ahead is None else min(live.queue_ahead, ahead)
    elif limit > best if buying else limit < best:
        live.queue_ahead = ZERO


def _trade_through(floor: Floor, live: LiveOrder, last: Decimal, size: Decimal) -> None:
    """A print at or beyond a resting order's price fills it once the queue before it is gone."""
    limit = live.limit
    if limit is None or live.queue_ahead is None:
        return
    beyond = last < limit if live.order.side == "BUY" else last > limit
    if not beyond and last != limit:
        return
    reached = size if beyond else size - live.queue_ahead
    live.queue_ahead = ZERO if beyond else max(live.queue_ahead - size, ZERO)
    quantity = min(live.remaining, _round_lot(reached, floor.instruments[live.order.con_id]))
    if quantity > 0:
        execute(floor, live, quantity, limit, liquidity="added")


def execute(
    floor: Floor, live: LiveOrder, quantity: Decimal, price: Decimal, *, liquidity: Liquidity | None = None
) -> None:
    """Fill `quantity` of an order at `price`: books, commission and events."""
    order = live.order
    live.filled += quantity
    live.cost += quantity * price
    live.last_price = price
    side_taken = liquidity or ("removed" if live.taking else "added")
    exec_id = next_exec_id(floor)
    instrument = floor.instruments[order.con_id]
    average = live.cost / live.filled
    venue = _venue(floor, instrument)
    total = order_commission(floor.config.commissions, instrument, live.filled, live.cost * instrument.multiplier)
    fee, live.commission = total - live.commission, total
    account = floor.accounts[order.account]
    signed = quantity if order.side == "BUY" else -quantity
    gain = book(account, instrument, signed, price, fee)
    realized = None if gain is None else gain.net
    floor.exec_index[exec_id] = len(floor.executions)
    floor.executions.append(
        Execution(
            at=floor.now,
            exec_id=exec_id,
            perm_id=order.perm_id,
            account=order.account,
            con_id=order.con_id,
            side=order.side,
            quantity=quantity,
            price=price,
            cum_quantity=live.filled,
            avg_price=average,
            venue=venue,
            liquidity=side_taken,
            client_id=order.client_id,
            order_id=order.order_id,
            order_ref=order.order_ref,
            commission=fee,
            currency=instrument.currency,
            realized_pnl=realized,
        )
    )
    floor.out.append(
        Executed(
            at=floor.now,
            perm_id=order.perm_id,
            exec_id=exec_id,
            con_id=order.con_id,
            account=order.account,
            side=order.side,
            quantity=quantity,
            price=price,
            cum_quantity=live.filled,
            avg_price=average,
            venue=venue,
            liquidity=side_taken,
        )
    )
    if live.filled >= order.quantity:
        _complete(floor, live, average)
    floor.out.append(
        Commissioned(
            at=floor.now,
            perm_id=order.perm_id,
            exec_id=exec_id,
            amount=fee,
            currency=instrument.currency,
            realized_pnl=realized,
        )
    )
    report_books(floor, order.account, instrument)


def _complete(floor: Floor, live: LiveOrder, average: Decimal) -> None:
    live.stage = "filled"
    live.done_at = floor.now
    floor.books[live.order.con_id, live.order.side].remove(live)
    floor.out.append(OrderFilled(at=floor.now, perm_id=live.order.perm_id, filled=live.filled, avg_price=average))


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


def next_exec_id(floor: Floor) -> str:
    """An execution id of IBKR's shape, `0000e0d5.69dd7411.01.01`; the last part counts corrections."""
    number = floor.exec_base * 4096 + len(floor.exec_index)
    return f"{0xE0D5 + (number >> 44):08x}.{(number >> 12) & 0xFFFFFFFF:08x}.{(number & 0xFFF) + 1:02x}.01"


def _venue(floor: Floor, instrument: Instrument) -> str:
    if instrument.sec_type != "STK":
        return instrument.exchange
    return VENUES[floor.rng.getrandbits(16) % len(VENUES)]
