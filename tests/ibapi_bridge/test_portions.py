"""How much goes on together: single orders at once, a rush in large portions."""

from itertools import repeat
from typing import Any

import pytest

from actors.domain.identity import Epoch, ExecId
from actors.messages.reports import CommissionReported, ExecutionReported
from ibapi_bridge.portions import LARGEST, PORTION, RUSH, Portions
from tests.ibapi_bridge.samples import AT

STATUS: Any = CommissionReported(
    at=AT, epoch=Epoch(1), exec_id=ExecId("e.01"), commission=None, currency="", realized_pnl=None
)
FILL: Any = object.__new__(ExecutionReported)


def cut(portions: Portions, reports: list[Any]) -> list[int]:
    """The sizes of the portions of what arrived together."""
    sizes, heard = [], []
    portions.begin()
    for report in reports:
        heard += [] if report is None else [report]
        if portions.are_full(heard):
            sizes.append(len(heard))
            heard = []
    return [*sizes, len(heard)] if heard else sizes


@pytest.mark.parametrize(
    ("reports", "sizes"),
    [
        ([], []),
        ([STATUS], [1]),
        ([STATUS, STATUS], [1, 1]),
        ([STATUS, STATUS, FILL, STATUS, STATUS, STATUS, STATUS], [1, 2, 4]),
        ([FILL, STATUS, FILL, STATUS], [1, 2, 1]),
        ([None, None, STATUS, None, STATUS], [1, 1]),
        ([STATUS] * 10, [1, PORTION, 1]),
    ],
)
def test_in_a_calm_moment_the_first_report_and_executions_go_on_at_once(reports: list[Any], sizes: list[int]) -> None:
    portions = Portions()
    for _ in range(2):
        assert cut(portions, reports) == sizes
        assert portions.is_calm


def test_a_rush_goes_on_in_growing_portions_and_nobody_is_let_go_first() -> None:
    portions = Portions()
    sizes = cut(portions, list(repeat(STATUS, 100)))
    assert sizes[:2] == [1, PORTION]
    assert sizes[-2] == LARGEST
    assert sizes == sorted(sizes[:-1]) + sizes[-1:]
    assert not portions.is_calm


def test_what_comes_right_after_a_rush_is_part_of_it() -> None:
    portions = Portions()
    cut(portions, [STATUS] * (RUSH + 1))
    assert cut(portions, [STATUS, FILL, STATUS]) == [3]
    assert not portions.is_calm
    assert cut(portions, [STATUS, FILL, STATUS]) == [1, 1, 1]
    assert portions.is_calm
