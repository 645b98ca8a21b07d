"""What a client program achieved, printed as one JSON line at its end."""

import json
import sys
import time
from collections.abc import Callable


class Outcome:
    """Steps a client got through, in order, each with what it saw."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.steps: dict[str, object] = {}
        self.failure = ""

    def done(self, step: str, seen: object = True) -> None:
        """One step that worked."""
        self.steps[step] = seen

    def finish(self) -> int:
        """Print the line; the exit code is 0 when nothing failed."""
        line = {"client": self.client, "failure": self.failure, "steps": self.steps}
        print(json.dumps(line, default=str), flush=True)  # noqa: T201 - this line is the program's result
        return 1 if self.failure else 0


def wait_for(what: str, ready: Callable[[], object], *, seconds: float = 20.0) -> None:
    """Wait for a background thread to make ``ready`` true.

    Raises:
        TimeoutError: it stayed false for that many seconds.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:g} seconds")
        time.sleep(0.01)


def address() -> tuple[str, int]:
    """Host and port, from the command line."""
    return sys.argv[1], int(sys.argv[2])


def wanted_shares() -> int:
    """Shares to buy at the market, from the command line; more than a few hundred fill in parts."""
    return int(sys.argv[3])
