from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibapi_bridge.figures import figure, identity, integer, quantity, text

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.decimals(), st.binary(), st.lists(st.integers())
)


@pytest.mark.parametrize(
    "unset",
    [
        None,
        "",
        " ",
        True,
        1.7976931348623157e308,
        "1.7976931348623157E308",
        float("nan"),
        float("-inf"),
        "Infinity",
        "Infinite",
        "NaN",
        "abc",
        2**127 - 1,
        Decimal(2**127 - 1),
        2**63 - 1,
        "9" * 65,
        b"7",
    ],
)
def test_what_stands_for_nothing_is_none(unset: object) -> None:
    assert figure(unset) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (0.1, "0.1"),
        (202.52000427, "202.52000427"),
        ("1e3", "1E+3"),
        (" 12.50 ", "12.50"),
        (-1.2, "-1.2"),
        (7, "7"),
        (Decimal("0.00000001"), "1E-8"),
    ],
)
def test_figures_are_exactly_what_was_written(written: object, meant: str) -> None:
    assert str(figure(written)) == meant


@given(st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=4))
def test_decimal_text_survives(number: Decimal) -> None:
    assert figure(str(number)) == number


@given(st.floats(min_value=-1e12, max_value=1e12))
def test_a_double_survives_through_its_shortest_text(number: float) -> None:
    found = figure(number)
    assert found is not None
    assert float(found) == number


@settings(deadline=None)
@given(ANYTHING)
def test_nothing_makes_a_reader_raise(value: object) -> None:
    amount = quantity(value)
    assert amount is None or amount >= 0
    assert abs(integer(value)) < 2**63
    assert text(value).isprintable()
    assert len(identity(value)) <= 256


def test_the_largest_integer_is_no_quantity() -> None:
    assert quantity(2**31 - 1) is None
    assert integer(2**31 - 1) == 0
    assert integer(2**63 - 1) == 0
    assert integer("12") == 12
    assert integer(-5) == -5


def test_text_is_printable_and_bounded() -> None:
    assert text("a\r\nb\tc\x00d\x1b[31m") == "a  b c\ufffdd\ufffd[31m"
    assert text("Größe 東京") == "Größe 東京"
    assert text("\u202eevil") == "\ufffdevil"
    assert text("\ud800") == "\ufffd"
    assert len(text("x" * 100_000)) == 4096
    assert text("x" * 100_000).endswith("…")
