"""Whether an order may leave: plain checks, each answering with one sentence or nothing."""

from decimal import Decimal

from actors.domain.book import Exposure
from actors.domain.contract import Contract
from actors.domain.frozen import frozen
from actors.domain.order_state import OrderState
from actors.domain.terms import Order, OrderType, Side, format_quantity


@frozen(kw_only=True)
class Limits:
    """Risk limits; None means off. Quantities in units, notional in the instrument's currency."""

    max_order_quantity: Decimal | None = None
    max_order_notional: Decimal | None = None
    max_open_orders: int | None = None
    max_position_quantity: Decimal | None = None
    max_orders_per_side: int | None = None
    """Open orders of one side in one account and instrument; IBKR rejects more than 15 (20 in newer documents)."""


def refusal_of_size(limits: Limits, order: Order, contract: Contract, market_price: Decimal | None) -> str:
    """Why the order alone is too large, or nothing."""
    largest = limits.max_order_quantity
    if largest is not None and order.quantity > largest:
        return f"quantity {format_quantity(order.quantity)} is over max_order_quantity {format_quantity(largest)}"
    if limits.max_order_notional is None:
        return ""
    notional = notional_of(order, contract, market_price)
    if notional is None:
        return "no price is known yet to check max_order_notional: subscribe to quotes or give a limit price"
    if notional > limits.max_order_notional:
        return f"notional {notional:.2f} is over max_order_notional {limits.max_order_notional}"
    return ""


def notional_of(order: Order, contract: Contract, market_price: Decimal | None) -> Decimal | None:
    """What the order is worth at its own price, else at the market's; None when neither is known."""
    if order.cash_quantity is not None:
        return order.cash_quantity
    price = order.limit_price if order.limit_price is not None else order.stop_price
    if order.order_type is OrderType.MARKET or price is None:
        price = market_price
    return None if price is None else abs(price) * order.quantity * contract.multiplier


def refusal_of_exposure(limits: Limits, order: Order, held: Exposure | None, open_count: int) -> str:
    """Why one more order is too much together with what is open and held, or nothing."""
    if limits.max_open_orders is not None and open_count >= limits.max_open_orders:
        return f"{open_count} orders are open: max_open_orders is {limits.max_open_orders}"
    alike = orders_on_side(order.side, held)
    if limits.max_orders_per_side is not None and alike >= limits.max_orders_per_side:
        return f"{alike} {order.side} orders are open in it: orders_per_contract is {limits.max_orders_per_side}"
    if limits.max_position_quantity is None:
        return ""
    worst = worst_position(order.side, order.quantity, held)
    if worst > limits.max_position_quantity:
        allowed = format_quantity(limits.max_position_quantity)
        return f"the position could reach {format_quantity(worst)}: max_position_quantity is {allowed}"
    return ""


def refusal_of_growth(limits: Limits, order: OrderState, wanted: Order, held: Exposure | None) -> str:
    """Why a replace with a larger quantity is too much, or nothing."""
    grown = wanted.quantity - order.order.quantity
    if limits.max_position_quantity is None or grown <= 0:
        return ""
    worst = worst_position(wanted.side, grown, held)
    if worst <= limits.max_position_quantity:
        return ""
    allowed = format_quantity(limits.max_position_quantity)
    return f"the position could reach {format_quantity(worst)}: max_position_quantity is {allowed}"


def orders_on_side(side: Side, held: Exposure | None) -> int:
    """How many of our orders are open on one side of an instrument."""
    if held is None:
        return 0
    return held.buy_orders if side is Side.BUY else held.sell_orders


def worst_position(side: Side, quantity: Decimal, held: Exposure | None) -> Decimal:
    """Size of the position on the order's side if it and everything open on that side fills."""
    if held is None:
        return quantity
    already = held.position + held.buying if side is Side.BUY else held.selling - held.position
    return already + quantity
