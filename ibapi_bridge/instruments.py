"""Contract details, market rules and trading hours as the broker writes them -> an ``Instrument``."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final

import attrs

from actors.domain.contract import Contract, Instrument, SecType, Session
from actors.domain.terms import format_quantity
from ibapi_bridge.figures import figure, integer, quantity, read, text
from ibapi_bridge.inbound_terms import contract_of
from ibapi_bridge.times import zone_of

_STAMP: Final = re.compile(r"(\d{4})(\d{2})(\d{2}):(\d{2})(\d{2})", re.ASCII)
_BARE_END: Final = re.compile(r"(\d{2})(\d{2})", re.ASCII)
_CENT: Final = Decimal("0.01")
_COMBO_TICK: Final = Decimal("0.00001")
_LONGEST_HOURS: Final = 65_536

Increments = tuple[tuple[Decimal, Decimal], ...]


@attrs.frozen(kw_only=True)
class Candidate:
    """One contract the broker offered, with the market rule that its price grid follows (None: ``min_tick``)."""

    instrument: Instrument
    rule_id: int | None
    price_magnifier: int = 1
    """So many of what prices are told in make one unit of the currency: 100 where they are pence (IBKR)."""


def candidate_of(contract_source: object, details: object) -> Candidate:
    """A row of contract details; ``contract_source`` and ``details`` as official objects or protobuf messages."""
    contract = contract_of(contract_source)
    zone = zone_of(text(read(details, "timeZoneId"), 256))
    instrument = Instrument(
        contract=contract,
        min_tick=_positive(figure(read(details, "minTick")), _CENT),
        min_size=_positive(quantity(read(details, "minSize")), _smallest(contract)),
        size_increment=_positive(quantity(read(details, "sizeIncrement")), _smallest(contract)),
        time_zone=_iana(zone),
        liquid_sessions=sessions_of(_hours(details, "liquidHours"), zone),
        trading_sessions=sessions_of(_hours(details, "tradingHours"), zone),
    )
    return Candidate(
        instrument=instrument,
        rule_id=_rule_id(contract.exchange, details),
        price_magnifier=max(integer(read(details, "priceMagnifier")), 1),
    )


def combo_instrument(combo: Contract) -> Instrument:
    """A combo as it is: the broker has no details of combos (321, or no answer at all), only of their legs (IBKR).

    Its price grid is not told either; a finer one than any leg's leaves the last word to the broker (110).
    """
    return Instrument(contract=combo, min_tick=_COMBO_TICK)


def with_increments(instrument: Instrument, increments: Increments) -> Instrument:
    """The instrument on the price grid of its market rule."""
    return attrs.evolve(instrument, price_increments=increments)


def increments_of(rows: object) -> Increments:
    """Rows (lowest price, increment) of a market rule, ascending; rows without a positive increment are left out."""
    if not isinstance(rows, Iterable):
        return ()
    pairs = ((figure(read(row, "lowEdge")) or Decimal(0), figure(read(row, "increment"))) for row in rows)
    return tuple(sorted((low, increment) for low, increment in pairs if increment is not None and increment > 0))


def describe(contract: Contract) -> str:
    """A candidate named so that a user can pick it."""
    words = [contract.symbol, contract.sec_type.value, contract.exchange, contract.currency]
    if contract.primary_exchange:
        words.append(f"primary exchange {contract.primary_exchange}")
    words += [word for word in (contract.local_symbol, contract.expiry, contract.trading_class) if word]
    if contract.strike is not None:
        words.append(f"{format_quantity(contract.strike)}{contract.right}")
    if contract.con_id:
        words.append(f"(conId {contract.con_id})")
    return " ".join(words)


def sessions_of(hours: str, zone: tzinfo | None) -> tuple[Session, ...]:
    """Trading hours such as ``20260405:CLOSED;20260406:0930-20260406:1600`` as UTC sessions, in order.

    Sessions are separated by ``;`` or ``,``; a part that cannot be read is left out. Without a zone there are none.
    """
    if zone is None:
        return ()
    found = (_session(part.strip(), zone) for part in re.split("[;,]", hours))
    return tuple(sorted({session for session in found if session is not None}, key=lambda session: session.opens))


def _session(part: str, zone: tzinfo) -> Session | None:
    begin, dash, end = part.partition("-")
    opens = _instant(begin, zone)
    if not dash or opens is None:
        return None
    closes = _instant(end, zone) or _instant_on(begin[:8], end, zone)
    if closes is None or closes <= opens or closes - opens > timedelta(days=8):
        return None
    return Session(opens=opens, closes=closes)


def _instant(stamp: str, zone: tzinfo) -> datetime | None:
    parts = _STAMP.fullmatch(stamp.strip())
    if parts is None:
        return None
    year, month, day, hour, minute = (int(part) for part in parts.groups())
    try:
        midnight = datetime.combine(date(year, month, day), datetime.min.time(), zone)
    except ValueError:
        return None
    if hour > 24 or minute > 59:
        return None
    local = midnight + timedelta(hours=hour, minutes=minute)  # wall-clock arithmetic; 24:00 is the next midnight
    return local.astimezone(UTC)


def _instant_on(day: str, end: str, zone: tzinfo) -> datetime | None:
    """The old form of an end, ``0930-1600``: on the day of its beginning."""
    return _instant(f"{day}:{end.strip()}", zone) if _BARE_END.fullmatch(end.strip()) else None


def _hours(details: object, name: str) -> str:
    return text(read(details, name), _LONGEST_HOURS)


def _rule_id(exchange: str, details: object) -> int | None:
    """The rule of the routing exchange: the lists of exchanges and rules are parallel (IBKR)."""
    venues = text(read(details, "validExchanges")).split(",")
    rules = [rule.strip() for rule in text(read(details, "marketRuleIds")).split(",")]
    place = venues.index(exchange) if exchange in venues else 0
    rule = rules[place] if place < len(rules) else rules[0]
    return int(rule) if rule.isascii() and rule.isdigit() else None


def _positive(number: Decimal | None, otherwise: Decimal) -> Decimal:
    return number if number is not None and number > 0 else otherwise


def _smallest(contract: Contract) -> Decimal:
    return Decimal("0.00000001") if contract.sec_type is SecType.CRYPTO else Decimal(1)


def _iana(zone: tzinfo | None) -> str:
    """The IANA name; UTC where there is none, for the sessions are in UTC anyway."""
    return str(getattr(zone, "key", "UTC"))
