"""Our commands -> the official client's requests: method name and arguments by official parameter names."""

from decimal import Decimal
from typing import Any, Final

from ibapi.contract import ComboLeg
from ibapi.contract import Contract as OfficialContract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order as OfficialOrder
from ibapi.order_cancel import OrderCancel

from actors.domain.contract import Contract, Instrument, Leg, SecType
from actors.domain.terms import OrderType
from actors.link import SendError
from actors.messages.wire import CancelPlacedOrder, PlaceOrder, ReplacePlacedOrder
from ibapi_bridge.figures import UNSET_INTEGER
from ibapi_bridge.times import wire_time
from ibapi_bridge.vocabulary import ORDER_TYPES, sec_type_word

Request = tuple[str, dict[str, Any]]

SUMMARY_TAGS: Final = (
    "NetLiquidation,TotalCashValue,SettledCash,AccruedCash,BuyingPower,EquityWithLoanValue,GrossPositionValue,"
    "InitMarginReq,MaintMarginReq,AvailableFunds,ExcessLiquidity,Cushion,FullInitMarginReq,FullMaintMarginReq,"
    "FullAvailableFunds,FullExcessLiquidity,DayTradesRemaining,Leverage"
)
FIRST_DAYS_VERSION: Final = 200
"""From this server version on executions of earlier days can be asked for (ibapi: PARAMETRIZED_DAYS_OF_EXECUTIONS)."""

_NOISE: Final = Decimal("1e-9")


def place_order(command: PlaceOrder | ReplacePlacedOrder, client_id: int) -> Request:
    """An order, new or changed: IBKR takes a second placeOrder under the same id as a change of all its terms.

    Raises:
        SendError: a figure that the wire cannot carry.
    """
    order_id = checked_order_id(command.order_id)
    order = _official_order(command)
    order.orderId = order_id
    order.clientId = client_id
    return "placeOrder", {
        "orderId": order_id,
        "contract": official_contract(command.instrument.contract),
        "order": order,
    }


def cancel_order(command: CancelPlacedOrder) -> Request:
    """A cancel; the regulatory fields that servers from 192 on insist upon come with the official object.

    Raises:
        SendError: an order id that the wire cannot carry.
    """
    return "cancelOrder", {"orderId": checked_order_id(command.order_id), "orderCancel": OrderCancel()}


def executions(request_id: int, *, days: int, server_version: int) -> Request:
    """The executions of all clients, for a filter's client id 0 means everybody (IBKR).

    Args:
        request_id: names the answer.
        days: 1 is today; more are asked for where the server knows how, and answered as far as its trade log goes.
        server_version: of the gateway.
    """
    chosen = ExecutionFilter()
    if days > 1 and server_version >= FIRST_DAYS_VERSION:
        chosen.lastNDays = days
    return "reqExecutions", {"reqId": request_id, "execFilter": chosen}


def contract_details(request_id: int, wanted: Contract) -> Request:
    """Which contracts answer to this description."""
    return "reqContractDetails", {"reqId": request_id, "contract": official_contract(wanted)}


def quotes(request_id: int, wanted: Contract) -> Request:
    """A stream of the best bid and ask and the last trade."""
    return "reqMktData", {
        "reqId": request_id,
        "contract": official_contract(wanted),
        "genericTickList": "",
        "snapshot": False,
        "regulatorySnapshot": False,
        "mktDataOptions": [],
    }


def official_contract(contract: Contract) -> OfficialContract:
    """The official contract; what we leave empty IBKR fills in."""
    _check_int32("con_id", contract.con_id)
    official = OfficialContract()
    official.conId = contract.con_id
    official.symbol = contract.symbol
    official.secType = sec_type_word(contract.sec_type)
    official.currency = contract.currency
    official.exchange = _exchange(contract)
    official.primaryExchange = "" if contract.primary_exchange == "SMART" else contract.primary_exchange
    official.localSymbol = contract.local_symbol
    official.tradingClass = contract.trading_class
    official.lastTradeDateOrContractMonth = contract.expiry
    official.right = contract.right
    if contract.strike is not None:
        official.strike = float(contract.strike)
    if contract.multiplier != 1 and not contract.legs:
        official.multiplier = f"{contract.multiplier.normalize():f}"
    official.comboLegs = [_official_leg(leg) for leg in contract.legs]
    return official


def _exchange(contract: Contract) -> str:
    """Where to route; currency pairs are not on SMART (IBKR)."""
    named = contract.exchange or "SMART"
    return "IDEALPRO" if contract.sec_type is SecType.CASH and named == "SMART" else named


def _official_leg(leg: Leg) -> ComboLeg:
    _check_int32("con_id", leg.con_id)
    official = ComboLeg()
    official.conId = leg.con_id
    official.ratio = leg.ratio
    official.action = leg.side
    official.exchange = leg.exchange
    return official


def _official_order(command: PlaceOrder | ReplacePlacedOrder) -> OfficialOrder:
    terms, instrument = command.order, command.instrument
    order = OfficialOrder()
    order.action = terms.side.value
    order.totalQuantity = checked_quantity(terms.quantity)
    order.orderType = _type_word(terms.order_type)
    order.tif = terms.time_in_force.value
    order.outsideRth = terms.outside_rth
    order.orderRef = command.oms_id
    order.account = command.account
    order.transmit = True
    if terms.limit_price is not None:
        order.lmtPrice = wire_price("limit_price", terms.limit_price, instrument)
    if terms.stop_price is not None:
        order.auxPrice = wire_price("stop_price", terms.stop_price, instrument)
    if terms.good_till is not None:
        order.goodTillDate = wire_time(terms.good_till)
    if terms.cash_quantity is not None:
        order.cashQty = float(terms.cash_quantity)
    return order


def wire_price(field: str, price: Decimal, instrument: Instrument) -> float:
    """The double whose shortest text is the price; arithmetic noise beside the grid (1e-9 of a step) is removed.

    A price that is really off the grid passes: IBKR refuses it with code 110 and the order is rejected by name.

    Raises:
        SendError: not finite or not representable.
    """
    if not price.is_finite() or abs(price) >= Decimal("1e12"):
        raise SendError(f"{field} is {price}: it must be a finite number below 1e12", uncertain=False)
    on_grid = instrument.snap(price)
    is_noise = abs(price - on_grid) <= instrument.increment_at(price) * _NOISE
    return float(on_grid if is_noise else price)


def checked_quantity(quantity: Decimal) -> Decimal:
    """A quantity in plain digits.

    Raises:
        SendError: not finite or negative.
    """
    if not quantity.is_finite() or quantity < 0:
        raise SendError(f"quantity is {quantity}: it must be a finite number, 0 or more", uncertain=False)
    return Decimal(f"{quantity.normalize():f}")


def _type_word(kind: OrderType) -> str:
    word = ORDER_TYPES.get(kind)
    if word is None:
        raise SendError(f"order_type is {kind}: accepted are {', '.join(ORDER_TYPES)}", uncertain=False)
    return word


def checked_order_id(order_id: int) -> int:
    """An order id as a plain number.

    Raises:
        SendError: none that the wire can carry.
    """
    if not 0 < order_id < UNSET_INTEGER:
        raise SendError(f"order_id is {order_id}: it must be between 1 and {UNSET_INTEGER - 1}", uncertain=False)
    return int(order_id)


def _check_int32(field: str, number: int) -> None:
    if not 0 <= number < UNSET_INTEGER:
        raise SendError(f"{field} is {number}: it must be between 0 and {UNSET_INTEGER - 1}", uncertain=False)
