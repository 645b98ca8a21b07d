from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import SecType
from strategy.values import ValueRefused, convert, describe, nearest


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [
        (3, int, 3),
        (3, float, 3.0),
        (3, Decimal, Decimal(3)),
        (0.1, Decimal, Decimal("0.1")),
        ("0.10", Decimal, Decimal("0.10")),
        (True, bool, True),
        ("x", str, "x"),
        ("15:50", time, time(15, 50)),
        (time(15, 50), time, time(15, 50)),
        ("2023-08-03", date, date(2023, 8, 3)),
        (date(2023, 8, 3), date, date(2023, 8, 3)),
        ("2023-08-03T09:30:00Z", datetime, datetime(2023, 8, 3, 9, 30, tzinfo=UTC)),
        ("STK", SecType, SecType.STOCK),
        ("red", Colour, Colour.RED),
        ("mid", Literal["mid", "last"], "mid"),
        (["a"], tuple[str, ...], ("a",)),
        ([1, 2], list[float], [1.0, 2.0]),
        ({"a": 1}, dict[str, int], {"a": 1}),
        (None, int | None, None),
        (4, int | None, 4),
    ],
)
def test_a_fitting_value_is_taken(value: object, kind: Any, meant: object) -> None:
    converted = convert(value, kind)
    assert (converted, type(converted)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("3", int),
        (3.0, int),
        (True, int),
        (True, float),
        (float("nan"), float),
        (float("inf"), Decimal),
        ("1_x", Decimal),
        (1, bool),
        (1, str),
        ("25:00", time),
        (15, time),
        ("2023-13-01", date),
        (datetime(2023, 8, 3, tzinfo=UTC), date),
        ("2023-08-03T09:30:00", datetime),
        ("XXX", SecType),
        ("blue", Colour),
        ("bid", Literal["mid", "last"]),
        ("a", tuple[str, ...]),
        ([1], tuple[str, ...]),
        ("x", dict[str, int]),
        ("x", int | None),
        ("x", object()),
    ],
)
def test_a_value_of_another_type_is_refused_not_guessed(value: object, kind: Any) -> None:
    with pytest.raises(ValueRefused):
        convert(value, kind)


@given(value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
@pytest.mark.parametrize("kind", [int, float, Decimal, bool, str, time, date, datetime, SecType, tuple[int, ...]])
def test_any_value_is_converted_or_refused_and_nothing_else(kind: Any, value: object) -> None:
    with suppress(ValueRefused):
        convert(value, kind)


def test_kinds_are_described_in_words() -> None:
    assert describe(tuple[int, ...]) == "a list, each item a whole number"
    assert describe(Decimal | None) == "a number"
    assert describe(Colour) == "one of 'red'"
    assert describe(dict[str, bool]) == "a table, each value true or false"


def test_the_nearest_name_is_offered_else_all_of_them() -> None:
    assert nearest("prot", ["port", "host"]) == "did you mean 'port'?"
    assert nearest("zzz", ["port", "host"]) == "accepted are host, port"
    assert nearest("zzz", []) == "nothing is accepted here"
