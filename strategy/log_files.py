"""A text file that starts anew when it is full, and says once when the disk refuses."""

import os
import sys
from pathlib import Path
from typing import BinaryIO


class RotatingFile:
    """Appends lines; ``name`` becomes ``name.1``, ``name.1`` becomes ``name.2``, and so on, ``keep`` of them.

    A write that fails is reported on stderr once until one succeeds again; it never raises.
    """

    def __init__(self, path: Path, *, max_bytes: int, keep: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._file: BinaryIO | None = None
        self._size = 0
        self._has_failed = False

    def write(self, text: str) -> None:
        """Append text that ends in a newline, and hand it to the operating system."""
        try:
            self._append(text)
        except (OSError, ValueError) as error:
            self._failed(error)
        else:
            self._has_failed = False

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._failed(error)

    def _append(self, text: str) -> None:
        encoded = text.encode("utf-8", "backslashreplace")
        if self._file is not None and self._size and self._size + len(encoded) > self._max_bytes:
            self._rotate()
        file = self._file if self._file is not None else self._open()
        file.write(encoded)
        file.flush()
        self._size += len(encoded)

    def _open(self) -> BinaryIO:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Kept open for the life of the log, so no with statement.
        self._file = self._path.open("ab")
        self._size = self._path.stat().st_size
        return self._file

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                os.replace(older, self._numbered(number + 1))
        os.replace(self._path, self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _failed(self, error: Exception) -> None:
        file, self._file = self._file, None
        if file is not None:
            _close_quietly(file)
        if not self._has_failed:
            self._has_failed = True
            reason = getattr(error, "strerror", None) or error
            sys.stderr.write(f"log {self._path}: {reason}; trading goes on without it\n")


def _close_quietly(file: BinaryIO) -> None:
    try:
        file.close()
    except OSError:
        return  # the failure that led here is the one that is reported
