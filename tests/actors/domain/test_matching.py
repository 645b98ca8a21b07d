from decimal import Decimal

import attrs
import pytest

from actors.domain.contract import Contract, SecType
from actors.domain.matching import is_same

ES = Contract(symbol="ES", sec_type=SecType.FUTURE, currency="USD", exchange="CME")
DECEMBER = attrs.evolve(ES, local_symbol="ESZ6", expiry="20261218", multiplier=Decimal(50), con_id=1)
OIL = Contract(symbol="CL", sec_type=SecType.FUTURE, expiry="20261218", local_symbol="CLF7", con_id=2)
FDAX = Contract(
    symbol="DAX",
    sec_type=SecType.FUTURE,
    expiry="20261218",
    local_symbol="FDAX 20261218 M",
    trading_class="FDAX",
    multiplier=Decimal(25),
    con_id=3,
)
CALL = Contract(
    symbol="SPX",
    sec_type=SecType.OPTION,
    expiry="20261218",
    strike=Decimal(5000),
    right="C",
    trading_class="SPX",
    local_symbol="SPX   261218C05000000",
    multiplier=Decimal(100),
    con_id=4,
)


@pytest.mark.parametrize(
    ("wanted", "found", "same"),
    [
        (Contract(symbol="SPY"), Contract(symbol="SPY", con_id=756733, exchange="ARCA"), True),
        (Contract(symbol="SPY", con_id=1), Contract(symbol="SPY", con_id=2), False),
        (Contract(symbol="", con_id=1), Contract(symbol="SPY", con_id=1), True),
        (Contract(symbol="SPY"), Contract(symbol="SPY", sec_type=SecType.OPTION), False),
        (Contract(symbol="SPY"), Contract(symbol="SPY", currency="EUR"), False),
        (
            Contract(symbol="ES", sec_type=SecType.FUTURE, expiry="202512"),
            Contract(symbol="ES", sec_type=SecType.FUTURE, expiry="20251219"),
            True,
        ),
        (
            Contract(symbol="SPY", sec_type=SecType.OPTION, strike=Decimal(450), right="C"),
            Contract(symbol="SPY", sec_type=SecType.OPTION, strike=Decimal(450), right="P"),
            False,
        ),
    ],
)
def test_a_contract_is_recognised_as_far_as_it_was_named(wanted: Contract, found: Contract, same: bool) -> None:
    assert is_same(wanted, found) is same


@pytest.mark.parametrize(
    ("found", "named", "same"),
    [
        (DECEMBER, {"expiry": "202612"}, True),
        (DECEMBER, {"expiry": "20261218"}, True),
        (DECEMBER, {"expiry": "203612"}, True),  # exchanges write one digit of the year
        (DECEMBER, {"expiry": "202712"}, False),
        (DECEMBER, {"local_symbol": "ESZ6"}, True),
        (DECEMBER, {"local_symbol": "ESH7"}, False),
        (DECEMBER, {"local_symbol": "ESZ6", "symbol": ""}, True),
        (DECEMBER, {"symbol": ""}, False),
        (OIL, {"expiry": "202701"}, True),
        (OIL, {"expiry": "202612"}, False),
        (OIL, {"expiry": "20261218"}, True),
        (FDAX, {"expiry": "202612", "multiplier": Decimal(25)}, True),
        (FDAX, {"expiry": "202612", "multiplier": Decimal(5)}, False),
        (FDAX, {"expiry": "202701"}, False),
        (CALL, {"trading_class": "SPX", "right": "CALL"}, True),
        (CALL, {"trading_class": "SPXW"}, False),
        (CALL, {"local_symbol": "SPX 261218C05000000"}, True),
        (CALL, {"right": "P"}, False),
    ],
)
def test_what_was_named_tells_contracts_of_one_symbol_apart(
    found: Contract, named: dict[str, object], same: bool
) -> None:
    wanted = Contract(symbol=found.symbol, sec_type=found.sec_type)
    assert is_same(attrs.evolve(wanted, **named), found) is same  # type: ignore[arg-type]
