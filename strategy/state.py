"""A strategy's small durable memory: every change becomes a message before it counts."""

import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from strategy.kinds import is_writable

MAX_VALUE_CHARACTERS = 65_536


class DurableState(MutableMapping[str, Any]):
    """JSON values by text keys; survives restarts.

    A read returns a fresh copy, so a list must be assigned again after it was changed. Writing a value that is
    already there says nothing.
    """

    def __init__(self, stored: Mapping[str, str], changed: Callable[[str, str | None], None]) -> None:
        self._stored = dict(stored)
        self._changed = changed

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        return json.loads(self._stored[key])

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 - any JSON value
        text = _to_json(key, value)
        if self._stored.get(key) != text:
            self._stored[key] = text
            self._changed(key, text)

    def __delitem__(self, key: str) -> None:
        del self._stored[key]
        self._changed(key, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


def _to_json(key: object, value: object) -> str:
    if not isinstance(key, str) or not key or not is_writable(key):
        raise ValueError(f"state key is {key!r}: it must be text that is not empty and can be written as UTF-8")
    try:
        text = json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError):
        raise ValueError(
            f"state[{key!r}] is {value!r}: accepted are numbers, text, true, false, None, lists and tables of these"
        ) from None
    if len(text) > MAX_VALUE_CHARACTERS:
        raise ValueError(f"state[{key!r}] has {len(text)} characters as JSON: at most {MAX_VALUE_CHARACTERS}")
    return text
