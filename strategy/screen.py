"""Standard output as a run needs it: one that refuses (a full disk, a reader that went away) stops no trading."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TextIO


@contextmanager
def open_output() -> Iterator[None]:
    """A standard output there is, for whoever prints: it may have been closed by whoever started us."""
    if sys.stdout is not None:
        yield
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield


def no_more_output() -> int:
    """It goes nowhere from here on, at Python's own end too; the exit code that says so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


class Screen(io.TextIOBase):
    """Shows what the stream takes; the first refusal is said once on stderr, after it nothing is shown any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._has_refused = False

    def write(self, text: str) -> int:
        """Show, if possible."""
        if not self._has_refused:
            try:
                self._stream.write(text)
            except (OSError, ValueError) as problem:
                self._refused(problem)
        return len(text)

    def flush(self) -> None:
        """Hand over what was shown, if possible."""
        if not self._has_refused:
            try:
                self._stream.flush()
            except (OSError, ValueError) as problem:
                self._refused(problem)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The number of the file behind it."""
        return self._stream.fileno()

    def _refused(self, problem: Exception) -> None:
        self._has_refused = True
        reason = getattr(problem, "strerror", None) or problem
        sys.stderr.write(f"callboard: standard output: {reason}; the run goes on without it\n")
