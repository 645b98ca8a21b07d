from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from actors.domain.contract import Contract, Instrument, SecType, Session
from ibapi_bridge.contracts import InstrumentCache, resolved

NOON = datetime(2026, 4, 13, 12, tzinfo=UTC)
SPY = Contract(symbol="SPY")
FUTURE = Contract(symbol="ES", sec_type=SecType.FUTURE, exchange="CME", expiry="202606", multiplier=Decimal(50))
FOUND = Instrument(
    contract=Contract(symbol="SPY", con_id=756733),
    price_increments=((Decimal(0), Decimal("0.01")),),
    liquid_sessions=(Session(opens=NOON, closes=NOON + timedelta(hours=8)),),
)


def test_a_bare_symbol_means_its_configured_contract_and_more_words_mean_themselves() -> None:
    symbols = {"ES": FUTURE}
    assert resolved(Contract(symbol="ES"), symbols) == FUTURE
    assert resolved(SPY, symbols) == SPY
    precise = Contract(symbol="ES", sec_type=SecType.FUTURE, exchange="CME", expiry="202609")
    assert resolved(precise, symbols) == precise


def test_an_instrument_is_found_again_after_a_restart_on_the_same_day(tmp_path: Path) -> None:
    InstrumentCache(tmp_path / "new").put(SPY, FOUND, NOON)
    assert InstrumentCache(tmp_path / "new").find(SPY, NOON + timedelta(hours=11)) == FOUND


def test_an_instrument_of_yesterday_is_forgotten(tmp_path: Path) -> None:
    cache = InstrumentCache(tmp_path)
    cache.put(SPY, FOUND, NOON)
    tomorrow = NOON + timedelta(days=1)
    assert cache.find(SPY, tomorrow) is None
    assert InstrumentCache(tmp_path).find(SPY, tomorrow) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"day": "2026-04-13", "rows": [{"wanted": 1}]}', '{"day": "2026-04-13"}', "[" * 100_000],
    ids=len,
)
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: str) -> None:
    (tmp_path / "instruments.json").write_text(content)
    cache = InstrumentCache(tmp_path)
    assert cache.find(SPY, NOON) is None
    cache.put(SPY, FOUND, NOON)
    assert InstrumentCache(tmp_path).find(SPY, NOON) == FOUND


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = InstrumentCache(tmp_path / "file" / "folder")
    cache.put(SPY, FOUND, NOON)
    assert cache.find(SPY, NOON) == FOUND
