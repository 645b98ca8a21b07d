"""Mistakes of the user: one clear sentence each, exit code 2."""

from pathlib import Path


class UserError(ValueError):
    """Base of everything a user can put right; its text is one sentence."""


class ConfigError(UserError):
    """A configuration that cannot be meant."""


class StrategyLoadError(UserError):
    """A strategy that cannot be loaded or given its parameters."""


def check_writable(option: str, path: Path) -> None:
    """Find out before the work, not after it, that its result cannot be written.

    Raises:
        UserError: the file cannot be opened for writing.
    """
    try:
        path.open("a").close()
    except OSError as problem:
        raise UserError(f"{option} is {path}: it cannot be written ({problem.strerror})") from None
