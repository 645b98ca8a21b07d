"""Account numbers made unrecognizable in text that may end in a log."""

import re
from typing import Final

from actors.domain.identity import mask_account

_ACCOUNT: Final = re.compile(r"\b(?:DU|DF|DI|U|F|I)[A-Z]?\d{5,9}[A-Z]?\b")
"""Account numbers as IBKR forms them: live, paper (D...), advisor (F)."""


def redacted(shown: str) -> str:
    """The text with whatever looks like an account number masked."""
    return _ACCOUNT.sub(lambda found: mask_account(found[0]), shown)
