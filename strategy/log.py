"""The execution log: ``execution.log`` for people, ``execution.jsonl`` for machines, one line for each event.

L1 the calling side only appends the event to a deque and wakes nobody; the log's own thread looks every 50 ms, renders
   and writes. A wake-up per event would cost the trading threads more than the log itself. While events come in a rush
   it lets the trading threads have the interpreter and writes when the rush is over, ten seconds late at most; and it
   steps aside before every line while anybody works on an order's way, a second at most, so that no order waits for it.
L2 a log that cannot be written never stops or slows trading; it says so once on stderr.
L3 ``stop`` writes everything that was told before it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import structlog

from actors import one_cpu
from actors.urgency import step_aside
from strategy.config import LoggingConfig
from strategy.log_files import RotatingFile
from strategy.log_json import json_line
from strategy.log_lines import Line, LogNote, verb_line

__all__ = ["ExecutionLog", "Line", "LogNote", "render_line", "verb_line"]

MAX_WAITING = 200_000
"""Events on the queue beyond which (a disk that hangs) further ones are counted and left out."""

MAX_BATCH = 500
LOOK_SECONDS = 0.05
RUSH = 100
"""Events from one look to the next that are a rush: several times what the broker's message limit lets happen."""

QUIET_LOOKS = 20
"""So many looks without a rush, one after the other, are its end: half a second in which the gateway says nothing is
not."""

MOST_LOOKS_LATE = 200
BREATH_SECONDS = 0.0001
"""After a line, or after a few when many wait: whoever waits for the interpreter gets it."""

FEW_LINES = 4

MOST_ASIDE_SECONDS = 1.0
"""So long all lines of one look together step aside for others."""

HURRY = 50_000
"""So many waiting events are written without a breath: a backlog must not grow because of it."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_LEVELS = {
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}


class _Rendered(NamedTuple):
    line: str
    json: str


class _Stamp(NamedTuple):
    """How a second of exchange time is written; most lines share theirs with the line before."""

    begin: datetime
    end: datetime
    line: str
    local: str

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> "_Stamp":
        begin, local = at.replace(microsecond=0), at.astimezone(zone)
        line, local_text = f"{local:%Y-%m-%d %H:%M:%S}", local.isoformat(timespec="seconds")
        return cls(begin, begin + timedelta(seconds=1), line, local_text)


def render_line(at: datetime, line: Line, zone: ZoneInfo) -> str:
    """``2025-01-11 09:10:54 | INFO     | execution.engine | SUBMIT | BUY 1 SPY LIMIT @ 495.00``, time of ``zone``."""
    return _joined(_Stamp.of(at, zone).line, line)


def _joined(stamp: str, line: Line) -> str:
    return f"{stamp} | {line.level:<8} | {line.component} | {line.verb} | {line.text}"


class ExecutionLog:
    """Told of events by anybody; an address like an actor, and a thread of its own.

    Args:
        config: level, directory, size and number of files.
        zone: exchange time, in which lines are stamped.
        console: also gets each line, without newline; None for no console.
    """

    def __init__(self, config: LoggingConfig, *, zone: ZoneInfo, console: Callable[[str], None] | None = None) -> None:
        self._waiting: deque[object] = deque()
        self._stopping = threading.Event()
        self._sink = _Sink(config, console)
        self._logger = _make_logger(self._sink, config.level, zone)
        self._thread = threading.Thread(target=self._run, name="execution-log", daemon=True)
        self._left_out = 0
        self._at = _LONG_AGO

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def tell(self, message: object) -> None:
        """Leave an event for the log: well under a microsecond, from any thread, never fails."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(message)
        else:
            self._left_out += 1

    def stop(self, timeout_seconds: float = 5.0) -> bool:
        """Write what is waiting and end the thread; False when that took longer than the time-out."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        one_cpu.join()
        patience = Patience()
        while not self._stopping.wait(LOOK_SECONDS):
            waiting = len(self._waiting)
            if patience.has_ended(waiting):
                self._write_waiting(waiting)
        self._write_waiting(len(self._waiting))
        self._sink.close()

    def _write_waiting(self, count: int) -> None:
        aside, at_once = 0.0, 1 if count < RUSH else FEW_LINES
        for number in range(count):
            if number % at_once == 0 and count < HURRY and not self._stopping.is_set():
                time.sleep(BREATH_SECONDS)
                aside += step_aside(seconds=MOST_ASIDE_SECONDS - aside)
            message = self._waiting.popleft()
            self._at = getattr(message, "at", self._at)
            self._write(self._at, message)
            if self._left_out:
                self._write_left_out(self._at)
            if self._sink.is_full:
                self._sink.flush()
        self._sink.flush()

    def _write(self, at: datetime, message: object) -> None:
        try:
            self._render(at, message)
        except Exception as error:  # noqa: BLE001 - L2: a message that cannot be shown must not end the log
            text = f"{type(message).__name__} cannot be shown: {type(error).__name__}"
            self._render(at, LogNote(at=at, level="ERROR", verb="STATUS", text=text))

    def _render(self, at: datetime, message: object) -> None:
        line = verb_line(message)
        self._logger.log(_LEVELS[line.level], line.text, at=at, line=line, message=message)

    def _write_left_out(self, at: datetime) -> None:
        count, self._left_out = self._left_out, 0
        text = f"{count} events were left out of the log: the disk was too slow"
        self._write(at, LogNote(at=at, level="ERROR", verb="STATUS", text=text))


class Patience:
    """Whether the log should write now: not during a rush, unless it lasts."""

    def __init__(self) -> None:
        self._waiting = self._looks = self._quiet = 0

    def has_ended(self, waiting: int) -> bool:
        """Look at how many events wait; True means that all of them are written now."""
        self._quiet = self._quiet + 1 if waiting - self._waiting < RUSH else 0
        self._waiting, self._looks = waiting, self._looks + 1
        is_over = waiting < RUSH or self._quiet >= QUIET_LOOKS
        ends = is_over or self._looks > MOST_LOOKS_LATE or waiting > MAX_WAITING // 2
        if ends:
            self._waiting = self._looks = self._quiet = 0
        return ends


class _Sink:
    """Where rendered lines end: two files and the console, a batch at a time."""

    def __init__(self, config: LoggingConfig, console: Callable[[str], None] | None) -> None:
        directory, size = Path(config.directory), config.max_megabytes * 1_000_000
        self._lines = RotatingFile(directory / "execution.log", max_bytes=size, keep=config.keep_files)
        self._json = RotatingFile(directory / "execution.jsonl", max_bytes=size, keep=config.keep_files)
        self._console = console if config.console else None
        self._waiting: list[_Rendered] = []

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= MAX_BATCH

    def put(self, rendered: _Rendered) -> None:
        self._waiting.append(rendered)

    debug = info = warning = error = critical = put

    def flush(self) -> None:
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        self._lines.write("".join(f"{rendered.line}\n" for rendered in batch))
        self._json.write("".join(f"{rendered.json}\n" for rendered in batch))
        if self._console is not None:
            self._show(self._console, batch)

    def close(self) -> None:
        self.flush()
        self._lines.close()
        self._json.close()

    def _show(self, console: Callable[[str], None], batch: list[_Rendered]) -> None:
        try:
            for rendered in batch:
                console(rendered.line)
        except (OSError, ValueError):
            # A closed terminal or pipe: the files still have every line.
            self._console = None


class _Renderer:
    """structlog's last processor: makes both lines of an event."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._stamp = _Stamp.of(_LONG_AGO, zone)

    def __call__(
        self, logger: object, name: str, entry: MutableMapping[str, Any]
    ) -> tuple[tuple[_Rendered], dict[str, Any]]:
        at, line = entry["at"], entry["line"]
        if not self._stamp.begin <= at < self._stamp.end:
            self._stamp = _Stamp.of(at, self._zone)
        head = {
            "at": at,
            "local": self._stamp.local,
            "level": line.level,
            "component": line.component,
            "verb": line.verb,
            "text": line.text,
        }
        return (_Rendered(_joined(self._stamp.line, line), json_line(entry["message"], head)),), {}


def _make_logger(sink: _Sink, level: str, zone: ZoneInfo) -> Any:  # noqa: ANN401 - structlog makes the class
    return structlog.wrap_logger(
        sink,
        processors=[_Renderer(zone)],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        context_class=dict,
        cache_logger_on_first_use=True,
    ).bind()
