"""Requests for reference data and the odds and ends every client may ask."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.contracts import to_contract
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.contracts import STOCK_VENUES
from ibapi_bridge.gateway_simulator.session import Session

MAX_SAMPLES = 16
BBO_EXCHANGE = "9c0001"  # the name of the map in tickReqParams


def matching_symbols(gateway: Gateway, session: Session, message: Message) -> None:
    """Instruments whose symbol begins with, or whose name contains, the pattern; at most 16."""
    pattern = message.pattern.upper()
    reply = REPLIES[IN.SYMBOL_SAMPLES].message(reqId=message.reqId)
    for instrument in gateway.instruments.values():
        named = instrument.symbol.startswith(pattern) or pattern in instrument.long_name.upper()
        if pattern and named and not instrument.underlying and len(reply.contractDescriptions) < MAX_SAMPLES:
            row = reply.contractDescriptions.add()
            row.contract.CopyFrom(to_contract(instrument))
            row.contract.primaryExch = instrument.primary_exchange
            row.contract.description = instrument.long_name
            derivatives = {i.sec_type for i in gateway.instruments.values() if i.underlying == instrument.con_id}
            row.derivativeSecTypes.extend(sorted(derivatives))
    session.post(IN.SYMBOL_SAMPLES, reply)


def option_parameters(gateway: Gateway, session: Session, message: Message) -> None:
    """Expirations and strikes of the underlying's options by trading class, then the end marker."""
    classes: dict[tuple[str, str], tuple[set[str], set[float]]] = {}
    for option in gateway.instruments.values():
        if option.underlying == message.underlyingConId and option.expiry and option.strike is not None:
            key = (option.trading_class or option.symbol, str(int(option.multiplier)))
            expirations, strikes = classes.setdefault(key, (set(), set()))
            expirations.add(option.expiry.strftime("%Y%m%d"))
            strikes.add(float(option.strike))
    for (trading_class, multiplier), (expirations, strikes) in sorted(classes.items()):
        reply = REPLIES[IN.SECURITY_DEFINITION_OPTION_PARAMETER].message(
            reqId=message.reqId,
            exchange=message.futFopExchange or "SMART",
            underlyingConId=message.underlyingConId,
            tradingClass=trading_class,
            multiplier=multiplier,
            expirations=sorted(expirations),
            strikes=sorted(strikes),
        )
        session.post(IN.SECURITY_DEFINITION_OPTION_PARAMETER, reply)
    session.send(IN.SECURITY_DEFINITION_OPTION_PARAMETER_END, reqId=message.reqId)


def smart_components(gateway: Gateway, session: Session, message: Message) -> None:
    """The exchanges behind the letters of a SMART quote; a map that market data never named is error 321."""
    if message.bboExchange != BBO_EXCHANGE:
        text = f"Error validating request.-'bA' : cause - Unknown BBO exchange '{message.bboExchange}'"
        session.error(message.reqId, 321, text, gateway.now)
        return
    reply = REPLIES[IN.SMART_COMPONENTS].message(reqId=message.reqId)
    for bit, exchange in enumerate(STOCK_VENUES[1:]):
        reply.smartComponents.add(bitNumber=bit, exchange=exchange, exchangeLetter=exchange[0])
    session.post(IN.SMART_COMPONENTS, reply)


def soft_dollar_tiers(_gateway: Gateway, session: Session, message: Message) -> None:
    """There are none."""
    session.send(IN.SOFT_DOLLAR_TIERS, reqId=message.reqId)


def family_codes(gateway: Gateway, session: Session, _message: Message) -> None:
    """Every account on its own."""
    reply = REPLIES[IN.FAMILY_CODES].message()
    for account in gateway.config.accounts:
        reply.familyCodes.add(accountId=account, familyCode="")
    session.post(IN.FAMILY_CODES, reply)


def user_info(_gateway: Gateway, session: Session, message: Message) -> None:
    """No white branding."""
    session.send(IN.USER_INFO, reqId=message.reqId, whiteBrandingId="")


def nothing_to_cancel(_gateway: Gateway, _session: Session, _message: Message) -> None:
    """Accepts the cancel of something that cannot be running, as the gateway does."""
