"""Requests about options: what-if prices and volatilities; exercise is refused."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.types import Instrument
from ibapi_bridge.gateway_simulator.option_model import OptionTerms, implied_volatility, value, years_left
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.refusals import (
    INVALID,
    Refused,
    answering,
    instrument_of,
    not_subscribed,
)
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.streams import Stream

CUSTOM_COMPUTATION = 53
NOT_COMPUTED = -1.0
SMALLEST, LARGEST = 1e-4, 1e9  # beyond them the formulas leave the range of doubles


@answering
def implied_volatility_of(gateway: Gateway, session: Session, message: Message) -> None:
    """The volatility at which an option has the given price (tick 53); unset where there is none."""
    terms = _terms(gateway, instrument_of(gateway, message.contract))
    underlying = _sensible(message.underPrice, "underlying price")
    found = implied_volatility(terms, underlying, _sensible(message.optionPrice, "option price"))
    _answer(gateway, session, message, terms, volatility=found, price=message.optionPrice)


@answering
def price_of(gateway: Gateway, session: Session, message: Message) -> None:
    """What an option is worth at the given volatility (tick 53)."""
    terms = _terms(gateway, instrument_of(gateway, message.contract))
    underlying = _sensible(message.underPrice, "underlying price")
    volatility = min(_sensible(message.volatility, "volatility"), 10.0)
    price = value(terms, underlying, volatility).price
    _answer(gateway, session, message, terms, volatility=volatility, price=price)


def _terms(gateway: Gateway, option: Instrument) -> OptionTerms:
    if option.sec_type != "OPT" or option.strike is None or option.expiry is None:
        raise Refused(321, f"{INVALID}Calculations are for options, {option.symbol} is {option.sec_type}")
    return OptionTerms(right=option.right, strike=float(option.strike), years=years_left(option.expiry, gateway.now))


def _sensible(number: float, name: str) -> float:
    if not SMALLEST <= number <= LARGEST:
        raise Refused(321, f"{INVALID}Invalid {name} {number}, it must be from {SMALLEST:g} to {LARGEST:g}")
    return number


def _answer(
    gateway: Gateway,
    session: Session,
    message: Message,
    terms: OptionTerms,
    *,
    volatility: float | None,
    price: float,
) -> None:
    # A calculation runs until it is cancelled; the answer of one whose inputs are all given never changes.
    gateway.streams.start("calculation", message.reqId, Stream(session=session, con_id=-1, act=lambda _quote: None))
    greeks = None if volatility is None else value(terms, message.underPrice, volatility)
    session.send(
        IN.TICK_OPTION_COMPUTATION,
        reqId=message.reqId,
        tickType=CUSTOM_COMPUTATION,
        tickAttrib=0,
        impliedVol=NOT_COMPUTED if volatility is None else volatility,
        delta=2 * NOT_COMPUTED if greeks is None else greeks.delta,
        optPrice=price,
        pvDividend=0.0,
        gamma=2 * NOT_COMPUTED if greeks is None else greeks.gamma,
        vega=2 * NOT_COMPUTED if greeks is None else greeks.vega,
        theta=2 * NOT_COMPUTED if greeks is None else greeks.theta,
        undPrice=message.underPrice,
    )


def cancel_calculation(gateway: Gateway, session: Session, message: Message) -> None:
    """Ends a calculation; an unknown id is error 300."""
    if not gateway.streams.stop(session, "calculation", message.reqId):
        not_subscribed(gateway, session, message.reqId)


def exercise(gateway: Gateway, session: Session, message: Message) -> None:
    """Options are neither exercised nor assigned here (321)."""
    text = f"{INVALID}Exercise of options is not supported by this gateway"
    session.error(message.orderId, 321, text, gateway.now)
