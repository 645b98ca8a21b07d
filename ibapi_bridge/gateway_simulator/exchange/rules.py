"""What the broker refuses at the door, before an order is anybody's: `refusal` gives the code and the sentence.

The codes and their wording are IBKR's (TWS API message codes); details after a colon are ours.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from attrs import frozen

from ibapi_bridge.gateway_simulator.exchange.floor import Floor
from ibapi_bridge.gateway_simulator.exchange.types import (
    ORDER_TYPE_NAMES,
    TIME_IN_FORCE_NAMES,
    Instrument,
    VenueOrder,
)

LIMITED = frozenset({"LMT", "STP LMT", "LOC", "LIT"})
STOPPED = frozenset({"STP", "STP LMT", "MIT", "LIT"})
TRAILED = frozenset({"TRAIL", "TRAIL LIMIT"})
TRIGGERED = STOPPED | TRAILED
PEGGED = frozenset({"PEG MKT", "PEG MID", "REL", "MIDPRICE"})
CAPPED = LIMITED | PEGGED
DOUBLE_METHODS = frozenset({1, 3})  # take two prices in a row, which a condition does not remember
TRIGGER_METHODS = frozenset({0, 1, 2, 3, 4, 7, 8})
INVALID = "Error validating request.-'bF' : cause - "
INCOMPATIBLE = "The TIF (Tif type) and the order type are incompatible."
OFF_GRID = "The price does not conform to the minimum price variation for this contract."
LARGEST = Decimal(10**12)  # beyond it a price or size is a mistake, and exact arithmetic ends
UNSUPPORTED = "Unsupported order type for this exchange and security type."
NO_SIZE = "The order size cannot be zero."
ODD_SIZE = "Order size does not conform to market rule."


@frozen
class Refusal:
    """Why an order is not taken. `inactive` tells the broker's rejections from those at the gateway's door."""

    code: int
    text: str
    inactive: bool = False


NO_SHARE_FRACTIONS = Refusal(
    10243, "Fractional-sized order cannot be placed via API. Please use desktop version to place this order."
)
NO_FRACTIONS = Refusal(10245, "This financial instrument does not support fractional shares trading")


def refusal(floor: Floor, order: VenueOrder) -> Refusal | None:
    """Why an order is refused for what it says, None if it may go on."""
    instrument = floor.instruments.get(order.con_id)
    if instrument is None:
        return Refusal(200, "No security definition has been found for the request")
    if order.account not in floor.accounts:
        return Refusal(321, INVALID + "Invalid account code")
    return (
        _of_kind(order, floor.now)
        or _of_peg(instrument, order)
        or _of_contract(floor, instrument)
        or _of_crypto(instrument, order)
        or _of_size(instrument, order)
        or _of_prices(instrument, order)
        or _of_conditions(floor, order)
    )


def _of_kind(order: VenueOrder, now: datetime) -> Refusal | None:
    if order.side not in ("BUY", "SELL"):
        return Refusal(321, INVALID + "Invalid action")
    if order.order_type not in ORDER_TYPE_NAMES:
        return Refusal(387, UNSUPPORTED)
    if order.tif not in TIME_IN_FORCE_NAMES:
        return Refusal(321, INVALID + "Invalid time in force")
    if order.order_type in ("MOC", "LOC") and order.tif != "DAY":
        return Refusal(113, "The TIF should be DAY for Market-on-Close (MOC) and Limit-on-Close (LOC) orders.")
    if order.tif == "OPG" and order.order_type not in ("MKT", "LMT"):
        return Refusal(111, INCOMPATIBLE)
    if order.tif == "GTD" and (order.good_till is None or order.good_till <= now):
        return Refusal(334, "Invalid Good Till Date order")
    if order.tif in ("IOC", "FOK") and order.order_type in TRIGGERED:
        return Refusal(111, INCOMPATIBLE)
    if order.trigger_method not in TRIGGER_METHODS:
        return Refusal(146, "Invalid trigger method.")
    if order.oca_group and order.oca_type not in (0, 1, 2, 3):
        return Refusal(321, INVALID + "Invalid OCA type")
    return None


def _of_peg(instrument: Instrument, order: VenueOrder) -> Refusal | None:
    if order.order_type not in PEGGED or instrument.sec_type == "STK":
        return None
    if order.order_type == "REL":
        return Refusal(114, "Relative orders are valid for stocks only.")
    return Refusal(387, UNSUPPORTED)


def _of_contract(floor: Floor, instrument: Instrument) -> Refusal | None:
    if instrument.sec_type == "IND":
        return Refusal(201, "This contract cannot be traded", inactive=True)
    if instrument.expiry is not None and instrument.expiry < floor.now.date():
        return Refusal(392, "Invalid order: contract expired.")
    touch = floor.touches.get(instrument.con_id)
    if touch is not None and touch.halted:
        return Refusal(154, "Orders cannot be transmitted for a halted security.")
    return None


def _of_crypto(instrument: Instrument, order: VenueOrder) -> Refusal | None:
    """Crypto currencies are traded at once, and bought at the market for an amount of money."""
    if instrument.sec_type != "CRYPTO":
        return None
    if order.tif != "IOC":
        return Refusal(111, INCOMPATIBLE)
    if order.side == "BUY" and order.order_type == "MKT" and not order.cash_quantity:
        return Refusal(10289, "You must set Cash Quantity for this order.")
    if order.cash_quantity and order.quantity:
        return Refusal(10293, "Crypto Cash Quantity order cannot specify size.")
    return None


def _is_usable(number: Decimal | None) -> bool:
    return number is None or (number.is_finite() and abs(number) < LARGEST)


def _of_size(instrument: Instrument, order: VenueOrder) -> Refusal | None:
    size, cash, shown, least = order.quantity, order.cash_quantity, order.display_size, order.min_quantity
    if not all(_is_usable(number) for number in (size, cash, shown, least)):
        return Refusal(321, INVALID + "Invalid size")
    if size == 0 and cash is not None and cash > 0:
        return None
    if size <= 0:
        return Refusal(434, NO_SIZE)
    if size % 1 and not instrument.size_increment % 1:
        return NO_SHARE_FRACTIONS if instrument.sec_type == "STK" else NO_FRACTIONS
    if size < instrument.min_size or size % instrument.size_increment:
        return Refusal(355, ODD_SIZE)
    if shown is not None and not 0 < shown <= size:
        return Refusal(10020, "Display size should be smaller than order size.")
    if least is not None and not 0 < least <= size:
        return Refusal(321, INVALID + "Invalid minimum quantity")
    return None


def _of_prices(instrument: Instrument, order: VenueOrder) -> Refusal | None:
    kind = order.order_type
    prices = (order.limit_price, order.stop_price, order.trail_stop_price, order.limit_offset)
    if not all(_is_usable(price) for price in (*prices, order.trail_percent)):
        return Refusal(321, INVALID + "Invalid price")
    if kind in LIMITED and order.limit_price is None:
        return Refusal(321, INVALID + "Missing or invalid limit price")
    if kind in STOPPED and order.stop_price is None:
        return Refusal(321, INVALID + "Missing or invalid stop price")
    if kind in TRAILED and not _has_trail(order):
        return Refusal(321, INVALID + "Missing or invalid trailing amount")
    if kind in PEGGED and (order.stop_price or 0) < 0:
        return Refusal(321, INVALID + "Invalid offset")
    limit = order.limit_price if kind in CAPPED else None
    stop = order.stop_price if kind in STOPPED else None
    if not all(price is None or on_grid(instrument, price) for price in (limit, stop)):
        return Refusal(110, OFF_GRID)
    if limit is not None and instrument.sec_type != "BAG" and limit <= 0:
        return Refusal(110, OFF_GRID)
    return None


def _of_conditions(floor: Floor, order: VenueOrder) -> Refusal | None:
    for condition in order.conditions:
        if condition.kind in ("price", "volume", "change") and condition.con_id not in floor.instruments:
            return Refusal(147, "The conditional contract info is incomplete.")
        if condition.kind == "execution" and not (condition.symbol and condition.sec_type):
            return Refusal(147, "The conditional contract info is incomplete.")
        if condition.trigger_method not in TRIGGER_METHODS - DOUBLE_METHODS:
            return Refusal(146, "Invalid trigger method.")
        if not _is_usable(condition.number):
            return Refusal(321, INVALID + "Invalid number in a condition")
    return None


def _has_trail(order: VenueOrder) -> bool:
    percent, amount = order.trail_percent, order.stop_price
    if percent is not None:
        return 0 < percent < 100
    return amount is not None and amount > 0


def tick_at(instrument: Instrument, price: Decimal) -> Decimal:
    """The price increment that holds at a price."""
    tick = instrument.min_tick
    for low_edge, increment in instrument.price_increments:
        if abs(price) >= low_edge:
            tick = increment
    return tick


def on_grid(instrument: Instrument, price: Decimal) -> bool:
    """Whether a price is a whole number of increments."""
    return price % tick_at(instrument, price) == 0


def to_grid(instrument: Instrument, price: Decimal, *, up: bool) -> Decimal:
    """The nearest price on the grid at or above (below) `price`."""
    tick = tick_at(instrument, price)
    down = price // tick * tick
    if down == price:
        return price
    lower = down if price > 0 else down - tick
    return lower + tick if up else lower
