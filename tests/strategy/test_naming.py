from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.terms import OMS_ID_PATTERN
from strategy.naming import MAX_STRATEGY_ID, OrderNames, run_stamp, strategy_id_of

NOW = datetime(2025, 1, 11, 14, 10, 54, tzinfo=UTC)


@given(name=st.text(max_size=60), second=st.integers(1_577_836_800, 2_524_608_000), count=st.integers(1, 50))
def test_every_name_fits_the_wire(name: str, second: int, count: int) -> None:
    names = OrderNames(strategy_id_of(name), run_stamp(datetime.fromtimestamp(second, UTC)))
    given_names = [names.next() for _ in range(count)]
    assert len(set(given_names)) == count
    assert all(OMS_ID_PATTERN.fullmatch(one) for one in given_names)


def test_a_later_start_has_another_stamp() -> None:
    assert run_stamp(NOW) != run_stamp(NOW + timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("name", "strategy_id"),
    [("MeanReversion", "mean-reversion"), ("OpeningRangeBreakout", "opening-range-br"), ("ß!", "strategy")],
)
def test_an_id_is_made_from_a_class_name(name: str, strategy_id: str) -> None:
    assert strategy_id_of(name) == strategy_id
    assert len(strategy_id) <= MAX_STRATEGY_ID


@pytest.mark.parametrize("strategy_id", ["x" * 17, "a b", "ü"])
def test_an_id_that_cannot_travel_is_refused(strategy_id: str) -> None:
    with pytest.raises(ValueError, match="strategy id is"):
        OrderNames(strategy_id, run_stamp(NOW))
