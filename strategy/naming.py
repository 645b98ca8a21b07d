"""Names a strategy's orders: unique over restarts, at most 32 of ``[A-Za-z0-9_.-]``."""

import re
from datetime import datetime

from actors.domain.identity import OmsId

MAX_STRATEGY_ID = 16
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def strategy_id_of(name: str) -> str:
    """A strategy id from a class or file name: lower case, words joined by ``-``, at most 16 characters."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    plain = re.sub(r"[^A-Za-z0-9]+", "-", words).strip("-").lower()
    return plain[:MAX_STRATEGY_ID].strip("-") or "strategy"


def run_stamp(at: datetime) -> str:
    """The start of a run as eight letters and digits: milliseconds of real (not simulated) time, base 36."""
    number, text = int(at.timestamp() * 1000), ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


class OrderNames:
    """Hands out order names ``strategy-stamp-number``."""

    def __init__(self, strategy_id: str, stamp: str) -> None:
        prefix = f"{strategy_id}-{stamp}-"
        if len(prefix) > 26 or not re.fullmatch(r"[A-Za-z0-9_.\-]+", prefix):
            raise ValueError(
                f"strategy id is {strategy_id!r}: it must have 1 to {MAX_STRATEGY_ID} letters, digits, '_', '.' or '-'"
            )
        self.prefix = prefix
        self._given = 0

    def next(self) -> OmsId:
        """A name that was never given before."""
        self._given += 1
        return OmsId(f"{self.prefix}{self._given}")
