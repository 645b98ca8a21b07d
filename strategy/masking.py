"""Text of the world made fit for a log or a screen: no account numbers, no control characters, bounded."""

import re
import unicodedata

from actors.domain.identity import mask_account

MAX_TEXT = 2_000

# IBKR: live accounts are U or I and digits, paper DU and DF, advisors F. A gateway of another language writes its
# words right beside them, without a space: only ASCII letters belong to a number.
_ACCOUNT = re.compile(r"\b(?:D[UFI][A-Z]?|[UFI])\d{4,}[A-Z]?\b", re.ASCII)
_SUSPECT = re.compile(r"[A-Z]\d{4}")


def clean(text: str) -> str:
    """Text fit for a log: account numbers masked, control and direction characters shown as escapes, capped."""
    shown = masked(text)
    if not shown.isprintable():
        shown = "".join(_escaped(character) if _is_control(character) else character for character in shown)
    return shown if len(shown) <= MAX_TEXT else f"{shown[:MAX_TEXT]}..."


def masked(text: str) -> str:
    """The text with whatever looks like an account number masked."""
    return _ACCOUNT.sub(_mask, text) if holds_suspect(text) else text


def holds_suspect(text: str) -> bool:
    """Whether anything in the text may be an account number; looks once, cheaply."""
    return _SUSPECT.search(text) is not None


def _is_control(character: str) -> bool:
    return character < " " or (character > "~" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _mask(match: re.Match[str]) -> str:
    return mask_account(match[0])
