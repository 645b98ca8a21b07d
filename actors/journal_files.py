"""A journal's file as its owner writes it, and the two small ones beside it: who owns it, and what was promised."""

import mmap
import os
import sqlite3
import struct
from collections.abc import Iterable
from pathlib import Path

ARCHIVE_SUFFIX = ".archive-"
"""Begins the names of archives, each beside its journal."""

_HEAD = struct.Struct(">Q")
_CLOSED = -1


class RecordFile:
    """A file that only grows, or loses what was last added."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self._descriptor).st_size

    def is_at(self, path: Path, size: int) -> bool:
        """Whether it still has that name, and so many bytes at least.

        Raises:
            OSError: the system does not say.
        """
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return os.path.samestat(found, os.fstat(self._descriptor)) and found.st_size >= size

    def append(self, data: bytes) -> None:
        """Hand everything to the operating system.

        Raises:
            OSError: some of it may be in the file.
        """
        taken = os.write(self._descriptor, data)
        while taken < len(data):  # a disk that is nearly full takes a part
            taken += os.write(self._descriptor, data[taken:])

    def sync(self) -> None:
        """Wait until it is on the disk."""
        getattr(os, "fdatasync", os.fsync)(self._descriptor)  # not on macOS and Windows

    def cut(self, size: int) -> None:
        """Let go of what is behind so many bytes."""
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """Close the file; what is done with it afterwards is refused, whoever is given its number."""
        descriptor, self._descriptor = self._descriptor, _CLOSED
        if descriptor != _CLOSED:
            os.close(descriptor)


class JournalLocked(Exception):
    """Another process owns the journal; the sentence names it."""


class ProcessLock:
    """An exclusive lock that the operating system drops when the process ends, however it ends.

    SQLite's own file lock is used because it is the same on Linux, macOS and Windows.
    """

    def __init__(self, path: Path) -> None:
        self._owner = path.with_suffix(".owner")
        self._database = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        try:
            self._database.execute("PRAGMA journal_mode=DELETE")
            self._database.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            self._database.close()
            if "locked" not in str(error):  # the disk refuses, or the file is damaged: that is another sentence
                raise sqlite3.DatabaseError(f"its lock {path.name}: {error}") from error
            raise JournalLocked(f"{path.stem} is in use by {self._other()}: stop it first") from error
        self._owner.write_text(f"process {os.getpid()}\n", encoding="utf-8")

    def release(self) -> None:
        """Give the lock up."""
        self._database.close()
        self._owner.unlink(missing_ok=True)

    def _other(self) -> str:
        try:
            return self._owner.read_text(encoding="utf-8").strip() or "another process"
        except OSError:
            return "another process"


class Head:
    """Eight bytes: the sequence of the last record handed to the disk.

    They are mapped, because every commit promises: a promise is a copy in memory, which the operating system keeps when
    the process ends, however it ends.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.path = path
        self._durable = durable
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            self._promised = _mapped(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def read(self) -> int:
        """The promised sequence; 0 when nothing was promised."""
        return head_of(self._promised[: _HEAD.size])

    def write(self, sequence: int) -> None:
        """Promise that records up to ``sequence`` are in the journal."""
        self._promised[: _HEAD.size] = _HEAD.pack(sequence)
        if self._durable:
            self._promised.flush()  # into the file, and then onto the disk: on Windows these are two steps
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        self._promised.close()
        os.close(self._descriptor)


def _mapped(descriptor: int) -> mmap.mmap:
    """The head in memory; one that is not whole is begun anew and promises nothing."""
    if os.fstat(descriptor).st_size < _HEAD.size:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _HEAD.pack(0))  # the disk has room for it from here on
    return mmap.mmap(descriptor, _HEAD.size)


def written_aside(path: Path, portions: Iterable[bytes]) -> Path:
    """A file on the disk that is ready to take the place of ``path``.

    Raises:
        OSError: the disk refused; nothing is left of it.
    """
    unfinished = path.with_name(f"{path.name}-unfinished")
    try:
        with unfinished.open("wb") as file:
            file.writelines(portions)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    return unfinished


def put_in_place(written: Path, path: Path) -> None:
    """Give a file its name, and wait until the disk knows it by that.

    Raises:
        OSError: the disk refused.
    """
    written.replace(path)
    if os.name == "nt":  # which opens no folders
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def head_of(data: bytes) -> int:
    """The sequence in a head file's bytes; 0 when they are not whole, which promises nothing."""
    return int(_HEAD.unpack(data)[0]) if len(data) == _HEAD.size else 0
