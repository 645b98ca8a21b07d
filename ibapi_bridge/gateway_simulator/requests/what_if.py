"""What an order would do to the account's margins, without placing it."""

from decimal import Decimal

from ibapi.message import IN

from ibapi_bridge.gateway_simulator import order_messages as say
from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.types import MarginPreview, VenueOrder
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.reports import CODE_PREFIXES
from ibapi_bridge.gateway_simulator.session import Session


def preview(gateway: Gateway, session: Session, order: ApiOrder, venue: VenueOrder) -> None:
    """Sends one openOrder with the margins, and the rejection the real order would meet."""
    result = gateway.exchange.preview(venue)
    message = say.open_order(order, status="PreSubmitted")
    message.order.whatIf = True
    _fill(message.orderState, result)
    session.post(IN.OPEN_ORDER, message)
    if result.refused_code:
        text = CODE_PREFIXES.get(result.refused_code, "") + result.refused
        session.error(order.order_id, result.refused_code, text, gateway.now)


def _fill(state: Message, result: MarginPreview) -> None:
    amounts: tuple[tuple[str, Decimal], ...] = (
        ("initMarginBefore", result.initial_before),
        ("initMarginChange", result.initial_change),
        ("initMarginAfter", result.initial_after),
        ("maintMarginBefore", result.maintenance_before),
        ("maintMarginChange", result.maintenance_change),
        ("maintMarginAfter", result.maintenance_after),
        ("equityWithLoanBefore", result.equity_before),
        ("equityWithLoanChange", result.equity_change),
        ("equityWithLoanAfter", result.equity_after),
        ("commissionAndFees", result.commission),
        ("minCommissionAndFees", result.commission_min),
        ("maxCommissionAndFees", result.commission_max),
    )
    for name, amount in amounts:
        setattr(state, name, float(round(amount, 4)))
    state.commissionAndFeesCurrency = result.currency
    state.marginCurrency = result.currency
    if result.warning:
        state.warningText = result.warning
