import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy.state import MAX_VALUE_CHARACTERS, DurableState

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


def recorded(stored: dict[str, str] | None = None) -> tuple[DurableState, list[tuple[str, str | None]]]:
    changes: list[tuple[str, str | None]] = []
    return DurableState(stored or {}, lambda key, text: changes.append((key, text))), changes


@given(st.lists(st.tuples(st.text(min_size=1, max_size=3), json_values), max_size=10))
def test_the_changes_alone_give_the_state_back(writes: list[tuple[str, Any]]) -> None:
    state, changes = recorded()
    for key, value in writes:
        state[key] = value
    rebuilt: dict[str, str] = {}
    for changed, text in changes:
        assert text is not None
        rebuilt[changed] = text
    again, _ = recorded(rebuilt)
    assert dict(again) == dict(state)
    assert {key: json.loads(json.dumps(value)) for key, value in dict(writes).items()} == dict(state)


def test_a_delete_is_a_change_and_an_equal_write_is_none() -> None:
    state, changes = recorded({"a": "1"})
    state["a"] = 1
    del state["a"]
    assert changes == [("a", None)]
    assert len(state) == 0
    with pytest.raises(KeyError):
        del state["a"]


def test_a_read_gives_a_copy() -> None:
    state, changes = recorded({"list": "[1]"})
    state["list"].append(2)
    assert state["list"] == [1]
    assert changes == []


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}, b"x"])
def test_what_is_not_json_is_refused(value: object) -> None:
    state, changes = recorded()
    with pytest.raises(ValueError, match=r"state\['k'\] is"):
        state["k"] = value
    assert changes == []


def test_empty_keys_and_huge_values_are_refused() -> None:
    state, _ = recorded()
    with pytest.raises(ValueError, match="state key is ''"):
        state[""] = 1
    with pytest.raises(ValueError, match="characters as JSON"):
        state["k"] = "x" * (MAX_VALUE_CHARACTERS + 1)


def test_a_key_that_cannot_be_written_is_refused() -> None:
    state, changes = recorded()
    with pytest.raises(ValueError, match="state key is .* can be written as UTF-8"):
        state["\ud800"] = 1
    assert changes == []
