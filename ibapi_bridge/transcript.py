"""Reading captures: JSON lines of what went over one connection, recorded by us or written by hand.

The format is described in ``docs/captures.md``.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Final

import attrs


class TranscriptError(ValueError):
    """A capture that cannot be read; one sentence with the file and, where there is one, the line."""


class Direction(StrEnum):
    """Which way a line went: from the broker, to the broker, or about the connection itself."""

    IN = "in"
    OUT = "out"
    CONN = "conn"


@attrs.frozen(kw_only=True)
class Line:
    """One line of a capture; ``args`` by official parameter names, nested objects with official attribute names."""

    number: int
    at: datetime
    direction: Direction
    name: str
    args: Mapping[str, object]


@attrs.frozen(kw_only=True)
class Transcript:
    """A whole capture; ``note`` says what was tolerated, empty if nothing was."""

    path: str
    lines: tuple[Line, ...]
    note: str = ""


BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of lines before the first one that has a time."""

_END_OF_TIME: Final = 2200
_LONGEST_SHOWN: Final = 60
_ENDS_IN_A_CHARACTER: Final = "unexpected end of data"
"""Why Python cannot decode a file that is UTF-8 up to a last character that is not all there."""

_ALIASES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "error": {
            "id": "reqId",
            "orderId": "reqId",
            "code": "errorCode",
            **dict.fromkeys(("errorMsg", "errorMessage", "message", "msg"), "errorString"),
        },
        "placeOrder": {"id": "orderId"},
        "cancelOrder": {"id": "orderId"},
        "orderStatus": {"id": "orderId"},
        "openOrder": {"id": "orderId"},
    }
)
"""Parameter names of earlier versions of the official client, and of logs."""

_REPORTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "execDetails": ("execution",),
        "commissionReport": ("commissionReport", "commissionAndFeesReport"),
        "commissionAndFeesReport": ("commissionAndFeesReport", "commissionReport"),
    }
)
"""Callbacks about an execution, and where their report is: without a report the arguments are it."""


def read_transcript(path: Path) -> Transcript:
    """All lines of a capture.

    Raises:
        TranscriptError: the file cannot be read, or a line other than a truncated last one is damaged.
    """
    rows = _rows(path)
    lines: list[Line] = []
    note = ""
    at = BEGINNING
    for place, (number, row) in enumerate(rows, start=1):
        try:
            line = _line(number, row, at)
        except ValueError as problem:
            if place < len(rows) or not _is_cut_off(row):
                raise TranscriptError(f"{path}, line {number}: {problem}") from None
            note = f"{path}, line {number}: the last line is cut off and was left out"
            break
        at = line.at
        lines.append(line)
    return Transcript(path=str(path), lines=tuple(lines), note=note)


def _rows(path: Path) -> list[tuple[int, str]]:
    """The numbered lines that are not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise TranscriptError(f"{path} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        if problem.reason != _ENDS_IN_A_CHARACTER:
            raise TranscriptError(f"{path} is not UTF-8 text: a capture is a file of JSON lines") from None
        text = path.read_text(encoding="utf-8-sig", errors="ignore")
    return [(number, row) for number, row in enumerate(text.split("\n"), start=1) if row.strip()]


def _is_cut_off(row: str) -> bool:
    """Whether the line begins like a record and ends too early."""
    try:
        json.loads(row)
    except json.JSONDecodeError as problem:
        breaks_off = problem.msg.startswith("Unterminated string") or problem.pos >= len(row.rstrip())
        return row.lstrip().startswith("{") and (breaks_off or not row.rstrip().endswith("}"))
    except (RecursionError, ValueError):
        return False
    return False


def _line(number: int, row: str, previous: datetime) -> Line:
    record = _parsed(row)
    name = record.get("name")
    direction = _direction(record.get("dir"))
    if not isinstance(name, str) or not name:
        raise ValueError(f"name is {_shown(name)}: it must be the name of an API method")
    if direction is Direction.CONN and name not in ("connected", "disconnected"):
        raise ValueError(f"name is {_shown(name)}: with dir conn accepted are connected and disconnected")
    args = record.get("args") or {}
    if not isinstance(args, dict):
        raise ValueError(f"args is {_shown(args)}: it must be an object")  # noqa: TRY004  # one kind of error for the user
    return Line(
        number=number,
        at=_time(record.get("at"), previous),
        direction=direction,
        name=name,
        args=MappingProxyType(_official(name, args)),
    )


def _parsed(row: str) -> dict[str, object]:
    try:
        record = json.loads(row, parse_float=_exact)
    except json.JSONDecodeError as problem:
        raise ValueError(f"this is no JSON ({problem.msg} at column {problem.colno})") from None
    except RecursionError:
        raise ValueError("this is nested too deeply to be a record") from None
    except ValueError:
        raise ValueError("a number in it has thousands of digits") from None
    if not isinstance(record, dict):
        raise ValueError(f"this is {_shown(record)}: it must be an object with dir, name and args")  # noqa: TRY004
    return record


def _shown(value: object) -> str:
    """A wrong value, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _exact(text: str) -> str:
    """Numbers with a fraction stay the text they are, so that no digit is lost."""
    return text


def _direction(value: object) -> Direction:
    try:
        return Direction(str(value))
    except ValueError:
        raise ValueError(f"dir is {_shown(value)}: accepted are in, out and conn") from None


def _time(value: object, previous: datetime) -> datetime:
    """The time of a line; without one it happened right after the line before."""
    if value is None or value == "":
        return previous
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"at is {_shown(value)}: it must be an ISO time such as 2026-04-13T15:27:04.120Z") from None
    if not BEGINNING.year <= at.year < _END_OF_TIME:
        raise ValueError(f"at is {_shown(value)}: it must lie between {BEGINNING.year} and {_END_OF_TIME}")
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return max(at, previous)


def _official(name: str, args: dict[str, object]) -> dict[str, object]:
    """The arguments under the names of the present client, nested objects as objects."""
    aliases = _ALIASES.get(name, {})
    renamed = {aliases.get(key, key): value for key, value in args.items() if key not in aliases}
    for key, value in args.items():
        if key in aliases:
            renamed.setdefault(aliases[key], value)
    reports = _REPORTS.get(name, ())
    if reports and "execId" in renamed and not any(report in renamed for report in reports):
        renamed[reports[0]] = dict(renamed)
    return {key: _as_object(value) for key, value in renamed.items()}


def _as_object(value: object) -> object:
    if isinstance(value, dict):
        return SimpleNamespace(**{str(key): _as_object(part) for key, part in value.items()})
    if isinstance(value, list):
        return [_as_object(part) for part in value]
    return value
