"""From the order message of a client to the order the venue understands, and the refusals in between."""

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation

from ibapi_bridge.gateway_simulator import times
from ibapi_bridge.gateway_simulator.exchange.rules import NO_SIZE
from ibapi_bridge.gateway_simulator.exchange.types import Condition, Instrument, VenueOrder
from ibapi_bridge.gateway_simulator.order_conditions import conditions_of
from ibapi_bridge.gateway_simulator.protos import Message

ORDER_TYPES = {
    "MKT": "MKT",
    "MARKET": "MKT",
    "LMT": "LMT",
    "LIMIT": "LMT",
    "STP": "STP",
    "STOP": "STP",
    "STP LMT": "STP LMT",
    "STPLMT": "STP LMT",
    "TRAIL": "TRAIL",
    "TRAIL LIMIT": "TRAIL LIMIT",
    "TRAILLMT": "TRAIL LIMIT",
    "TRAIL LMT": "TRAIL LIMIT",
    "MOC": "MOC",
    "LOC": "LOC",
    "MIT": "MIT",
    "LIT": "LIT",
    "MTL": "MTL",
    "PEG MKT": "PEG MKT",
    "PEGMKT": "PEG MKT",
    "PEG MID": "PEG MID",
    "PEGMID": "PEG MID",
    "REL": "REL",
    "RELATIVE": "REL",
    "PEG PRIM": "REL",
    "MIDPRICE": "MIDPRICE",
    "MOO": "MKT",
    "LOO": "LMT",
}
TIMES_IN_FORCE = frozenset({"DAY", "GTC", "GTD", "IOC", "FOK", "OPG"})
NOT_SIMULATED = frozenset({
    "PEG STK", "PEG BENCH", "PEGBENCH", "PEG BEST", "PEG SURF", "VOL", "PASSV REL", "BOX TOP", "STP PRT", "MKT PRT",
    "FUNARI", "SNAP MKT", "SNAP MID", "SNAP PRIM", "REL + LMT", "REL + MKT", "LMT + MKT", "QUOTE", "AUC", "TRAIL MIT",
    "TRAIL LIT",
})  # fmt: skip
WITH_LIMIT = frozenset({"LMT", "STP LMT", "LOC", "LIT"})
PEGGED = frozenset({"PEG MKT", "PEG MID", "REL", "MIDPRICE"})
WITH_STOP = frozenset({"STP", "STP LMT", "MIT", "LIT", "TRAIL", "TRAIL LIMIT"})
HELD_BY_TRIGGER = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT"})


class RefusedOrder(Exception):
    """An order refused before it reaches the venue, with the code and text the client gets."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def invalid(cause: str) -> RefusedOrder:
    """The validation error of the gateway (321) for a cause."""
    return RefusedOrder(321, f"Error validating request.-'bF' : cause - {cause}")


def decimal_of(text: str, name: str) -> Decimal:
    """The decimal in a text field.

    Raises:
        RefusedOrder: it is not a finite number.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise invalid(f"Invalid value in field {name}") from None
    if not value.is_finite():
        raise invalid(f"Invalid value in field {name}")
    return value


def price_of(message: Message, field: str) -> Decimal | None:
    """A price field as the shortest decimal of its double, None when unset."""
    if not message.HasField(field):
        return None
    value = getattr(message, field)
    if not math.isfinite(value) or abs(value) > 1e300:
        return None
    return Decimal(repr(value))


def _words(order: Message) -> tuple[str, str]:
    order_type = ORDER_TYPES.get(order.orderType.upper())
    if order.orderType.upper() in NOT_SIMULATED:
        raise RefusedOrder(387, "Unsupported order type for this exchange and security type.")
    if order_type is None:
        raise invalid("Invalid order type was entered")
    tif = "OPG" if order.orderType.upper() in {"MOO", "LOO"} else order.tif.upper() or "DAY"
    if tif not in TIMES_IN_FORCE:
        raise invalid("Invalid time in force")
    if order.action not in {"BUY", "SELL", "SSHORT"}:
        raise RefusedOrder(303, f"Invalid action: {order.action}")
    return order_type, tif


def _amounts(order: Message) -> tuple[Decimal, Decimal | None]:
    cash = price_of(order, "cashQty") or None
    quantity = decimal_of(order.totalQuantity or "0", "totalQuantity")
    if quantity == 0 and not cash:
        raise RefusedOrder(434, NO_SIZE)
    if quantity < 0:
        raise invalid("Invalid value in field totalQuantity")
    return quantity, cash


def _prices(order: Message, order_type: str) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    limit = price_of(order, "lmtPrice") if order_type in WITH_LIMIT | PEGGED else None
    stop = price_of(order, "auxPrice") if order_type in WITH_STOP | PEGGED else None
    if order_type in PEGGED:
        return limit or None, stop, None  # a price cap of 0 is none
    percent = price_of(order, "trailingPercent") if order_type.startswith("TRAIL") else None
    if order_type in WITH_LIMIT and limit is None:
        raise invalid("Missing limit price")
    if order_type in WITH_STOP and stop is None and percent is None:
        raise invalid("Missing stop price")
    return limit, None if percent is not None else stop, percent


def _conditions(order: Message, default_zone: str) -> tuple[Condition, ...]:
    if not len(order.conditions):
        return ()
    try:
        return conditions_of(order, default_zone)
    except ValueError as error:
        raise RefusedOrder(10314, f"Condition: {error}") from error


def _min_quantity(order: Message) -> Decimal | None:
    return Decimal(order.minQty) if order.HasField("minQty") and order.minQty > 0 else None


def to_venue(
    order: Message,
    instrument: Instrument,
    *,
    perm_id: int,
    account: str,
    parent_perm_id: int | None,
    default_zone: str,
    ids: tuple[int, int],
) -> VenueOrder:
    """The venue's view of a client's order; `ids` are (client id, order id).

    Raises:
        RefusedOrder: a field has a value the gateway does not take.
    """
    order_type, tif = _words(order)
    quantity, cash = _amounts(order)
    limit, stop, percent = _prices(order, order_type)
    return VenueOrder(
        perm_id=perm_id,
        account=account,
        con_id=instrument.con_id,
        side="BUY" if order.action == "BUY" else "SELL",
        quantity=quantity,
        order_type=order_type,  # type: ignore[arg-type]  # the table's values are exactly the literal's
        limit_price=limit,
        stop_price=stop,
        trail_percent=percent,
        trail_stop_price=price_of(order, "trailStopPrice") if order_type.startswith("TRAIL") else None,
        limit_offset=price_of(order, "lmtPriceOffset") if order_type == "TRAIL LIMIT" else None,
        tif=tif,  # type: ignore[arg-type]  # checked against the same words above
        good_till=_time(order.goodTillDate, default_zone, times.parse) if tif == "GTD" else None,
        good_after=_time(order.goodAfterTime, default_zone, times.parse),
        outside_rth=order.outsideRth,
        display_size=Decimal(order.displaySize) if order.displaySize else None,
        all_or_none=order.allOrNone,
        min_quantity=_min_quantity(order),
        trigger_method=order.triggerMethod,
        conditions=_conditions(order, default_zone),
        conditions_cancel=order.conditionsCancelOrder,
        conditions_ignore_rth=order.conditionsIgnoreRth,
        parent_perm_id=parent_perm_id,
        oca_group=order.ocaGroup,
        oca_type=order.ocaType or 3,
        cash_quantity=cash,
        client_id=ids[0],
        order_id=ids[1],
        order_ref=order.orderRef,
    )


def _time(text: str, default_zone: str, parse: Callable[[str, str], datetime]) -> datetime | None:
    if not text:
        return None
    try:
        return parse(text, default_zone)
    except ValueError as error:
        raise RefusedOrder(391, f"The time specified is not valid: {error}") from error
