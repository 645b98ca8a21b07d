"""The very end of the process: everything is done and closed, and nothing may change how that is told."""

import os
import signal
import sys
import threading
from typing import NoReturn

END_SECONDS = 2.0
"""So long the process waits for threads that a strategy started or never gave back; then it ends all the same."""


def leave(code: int) -> NoReturn:
    """End the process with a code, whatever signal still comes and whatever a strategy left running."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # Python's own end would let a second one kill
    late = threading.Timer(END_SECONDS, _leave_at_once, (code,))
    late.daemon = True
    late.start()
    sys.exit(code)


def _leave_at_once(code: int) -> None:
    waited_for = [thread.name for thread in threading.enumerate() if not thread.daemon and thread.ident != _MAIN]
    sys.stderr.write(f"callboard: ends without {', '.join(waited_for) or 'what still runs'}\n")
    os._exit(code)


_MAIN = threading.main_thread().ident
