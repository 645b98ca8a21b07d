"""Recording what goes over one connection: JSON lines by official names, to be replayed or read by people.

``{"at": "2026-04-13T15:27:04.120+00:00", "dir": "in" | "out" | "conn", "name": ..., "args": {...}}``: the arguments by
official parameter names, objects by official attribute names and only where they differ from a new object, decimals
as strings. The file belongs to the user: account numbers stay in it.
"""

import json
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

from google.protobuf.message import Message

_PLAIN = (str, int, bool, type(None))
_SHOWN_WHOLE = ("Execution", "CommissionAndFeesReport")
"""Objects whose zeros are facts: a commission of 0 was charged, one left out was not computed."""


class CaptureError(ValueError):
    """The file cannot be written; one sentence for the user."""


def _for_us_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Recorder:
    """Appends lines to one file, whole lines only; thread safe.

    A disk that refuses a line ends the recording, never the trading: ``failure`` then says why.

    Raises:
        CaptureError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.failure = ""
        self._lock = threading.Lock()
        try:
            self._file: TextIO | None = open(  # noqa: PTH123, SIM115 - takes an opener
                path, "a", encoding="utf-8", buffering=1, opener=_for_us_only
            )
        except OSError as problem:
            raise CaptureError(f"capture is {path}: it cannot be written ({problem.strerror})") from None

    def connected(self, server_version: int, client_id: int, *, at: datetime) -> None:
        """A connection began."""
        self._write("conn", "connected", {"serverVersion": server_version, "clientId": client_id}, at)

    def disconnected(self, reason: str, *, at: datetime) -> None:
        """The connection ended."""
        self._write("conn", "disconnected", {"reason": reason}, at)

    def told(self, name: str, args: Mapping[str, object], *, at: datetime) -> None:
        """A callback came in."""
        self._write("in", name, args, at)

    def asked(self, name: str, args: Mapping[str, object], *, at: datetime) -> None:
        """A request goes out."""
        self._write("out", name, args, at)

    def close(self) -> None:
        """End the recording."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _write(self, direction: str, name: str, args: Mapping[str, object], at: datetime) -> None:
        shown = {key: plain(value) for key, value in args.items()}
        line = json.dumps({"at": at.isoformat(), "dir": direction, "name": name, "args": shown}, ensure_ascii=False)
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.write(line.encode("utf-8", "replace").decode("utf-8") + "\n")
            except OSError as problem:
                self.failure = f"the capture ended early: {problem.strerror}"
                _abandon(self._file)
                self._file = None


def _abandon(file: TextIO) -> None:
    with suppress(OSError):  # closing writes once more what could not be written
        file.close()


def plain(value: Any) -> object:  # noqa: ANN401 - official objects of any kind
    """A value as JSON can hold it; numbers that are not finite and decimals become text."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value[0] if isinstance(value.value, tuple) else value.value
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(part) for part in value]
    return _attributes(value)


def _attributes(value: object) -> object:
    if isinstance(value, Message) or not hasattr(value, "__dict__"):
        return str(value)
    fresh = {} if type(value).__name__ in _SHOWN_WHOLE else _fresh(type(value))
    return {name: plain(part) for name, part in vars(value).items() if _says_something(name, part, fresh)}


def _says_something(name: str, part: object, fresh: Mapping[str, object]) -> bool:
    if name.startswith("_"):
        return False
    if name not in fresh:
        return True
    usual = fresh[name]
    if part is usual or (type(part) is type(usual) and part == usual):
        return False
    return not hasattr(part, "__dict__") or plain(part) != plain(usual)


def _fresh(kind: type[object]) -> Mapping[str, object]:
    known = _FRESH.get(kind)
    if known is None:
        known = _FRESH[kind] = _described(kind)
    return known


def _described(kind: type[object]) -> Mapping[str, object]:
    try:
        return vars(kind())
    except TypeError:  # official classes that need arguments: show everything
        return {}


_FRESH: dict[type[object], Mapping[str, object]] = {}
"""New objects of each class."""
