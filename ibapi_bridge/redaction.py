"""Account numbers made unrecognizable in text that may end in a log."""

import re
from typing import Final

from actors.domain.identity import mask_account

_ACCOUNT: Final = re.compile(r"\b(?:DU|DF|DI|U|F|I)[A-Z]?\d{5,9}[A-Z]?\b", re.ASCII)
"""Account numbers as IBKR forms them: live, paper (D...), advisor (F); letters beyond ASCII are text beside them."""

_WITHIN: Final = re.compile(r"(?:DU|DF|DI|U|F|I)[A-Z]?\d{5,9}")
"""The same where nothing separates them from what stands before and behind."""


def redacted(shown: str) -> str:
    """The text with whatever looks like an account number masked."""
    return _ACCOUNT.sub(lambda found: mask_account(found[0]), shown)


def redacted_bytes(raw: bytes) -> str:
    """Bytes of the wire as Python shows them, masked likewise; there an account's neighbours may be letters."""
    masked = _WITHIN.sub(lambda found: mask_account(found[0]), raw.decode("latin-1"))
    return repr(masked.encode("latin-1"))
