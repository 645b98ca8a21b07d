"""Contracts on the wire and the instruments behind them."""

from collections.abc import Mapping
from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Leg, Side
from ibapi_bridge.gateway_simulator.protos import Contract, Message

_SAME_RIGHT = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}


def to_contract(instrument: Instrument, *, exchange: str | None = None) -> Message:
    """The contract message of an instrument, `exchange` overriding its default destination."""
    contract = Contract(
        conId=instrument.con_id,
        symbol=instrument.symbol,
        secType=instrument.sec_type,
        exchange=instrument.exchange if exchange is None else exchange,
        currency=instrument.currency,
        localSymbol=instrument.local_symbol or instrument.symbol,
        tradingClass=instrument.trading_class or instrument.symbol,
    )
    for leg in instrument.legs:
        contract.comboLegs.add(conId=leg.con_id, ratio=leg.ratio, action=leg.side, exchange=leg.exchange, exemptCode=-1)
    if instrument.expiry is not None:
        contract.lastTradeDateOrContractMonth = instrument.expiry.strftime("%Y%m%d")
    if instrument.strike is not None:
        contract.strike = float(instrument.strike)
        contract.right = instrument.right
    if instrument.sec_type in {"OPT", "FOP", "FUT"}:
        contract.multiplier = float(instrument.multiplier)
    return contract


def matches(instrument: Instrument, contract: Message) -> bool:
    """Whether an instrument fits everything a contract without a contract id says."""
    return _same_names(instrument, contract) and _same_terms(instrument, contract)


def _same_names(instrument: Instrument, contract: Message) -> bool:
    wanted = (
        (contract.symbol, {instrument.symbol}),
        (contract.localSymbol, {instrument.local_symbol or instrument.symbol}),
        (contract.secType, {instrument.sec_type}),
        (contract.currency, {instrument.currency}),
        (contract.tradingClass, {instrument.trading_class or instrument.symbol}),
        (contract.exchange, {"SMART", instrument.exchange, instrument.primary_exchange}),
        (contract.primaryExch, {instrument.primary_exchange}),
    )
    named = bool(contract.symbol or contract.localSymbol or contract.secId)
    return named and all(not given or given in accepted for given, accepted in wanted)


def _same_terms(instrument: Instrument, contract: Message) -> bool:
    month = contract.lastTradeDateOrContractMonth
    if month and (instrument.expiry is None or not instrument.expiry.strftime("%Y%m%d").startswith(month[:8])):
        return False
    if contract.HasField("strike") and contract.strike and instrument.strike != Decimal(str(contract.strike)):
        return False
    right = _SAME_RIGHT.get(contract.right.upper())
    if right is not None and right != instrument.right:
        return False
    if contract.secId and contract.secIdType == "ISIN" and contract.secId != instrument.isin:
        return False
    return not contract.multiplier or float(instrument.multiplier) == contract.multiplier


def same_legs(instrument: Instrument, contract: Message) -> bool:
    """Whether a combo instrument has exactly the legs of a contract, in any order."""
    wanted = sorted((leg.conId, leg.ratio or 1, leg.action) for leg in contract.comboLegs)
    return bool(instrument.legs) and wanted == sorted((leg.con_id, leg.ratio, leg.side) for leg in instrument.legs)


def _leg_side(leg: Message) -> Side:
    return "BUY" if leg.action == "BUY" else "SELL"


def combo(contract: Message, con_id: int) -> Instrument:
    """The instrument of a combo as a contract describes it."""
    legs = tuple(
        Leg(con_id=leg.conId, ratio=leg.ratio or 1, side=_leg_side(leg), exchange=leg.exchange)
        for leg in contract.comboLegs
    )
    return Instrument(
        con_id=con_id,
        symbol=contract.symbol,
        sec_type="BAG",
        currency=contract.currency or "USD",
        exchange=contract.exchange or "SMART",
        local_symbol=contract.symbol,
        trading_class="COMB",
        legs=legs,
        multiplier=Decimal(100),
    )


def find(instruments: Mapping[int, Instrument], contract: Message) -> list[Instrument]:
    """All instruments that fit a contract, in the order they are listed."""
    if contract.secType == "BAG":
        return [instrument for instrument in instruments.values() if same_legs(instrument, contract)]
    if contract.conId:
        known = instruments.get(contract.conId)
        return [] if known is None else [known]
    return [instrument for instrument in instruments.values() if matches(instrument, contract)]
