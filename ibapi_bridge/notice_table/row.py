"""One row of the notice table and the effect profiles that rows share."""

from collections.abc import Mapping
from enum import StrEnum

import attrs

from actors.messages.reports import NoticeEffect, NoticeKind


class Source(StrEnum):
    """Where a row's meaning is documented or was seen."""

    MESSAGE_CODES = "IBKR message codes page"
    CAMPUS = "IBKR Campus, TWS API error codes"
    CLIENT = "ibapi errors.py"
    ADAPTERS = "open-source adapters (LEAN, ib_async, NautilusTrader, STOQ)"
    FIELD = "operators' reports"
    CAPTURES = "recorded sessions of a paper gateway"
    UNKNOWN = "no source"


@attrs.frozen(kw_only=True)
class NoticeRow:
    """What one code proves about the order it names: while new, while a change or a cancel is pending."""

    code: int
    kind: NoticeKind
    on_new: NoticeEffect
    on_modify: NoticeEffect
    on_cancel: NoticeEffect
    meaning: str
    source: Source


@attrs.frozen
class Profile:
    """The effects that a group of codes shares."""

    kind: NoticeKind
    on_new: NoticeEffect
    on_modify: NoticeEffect
    on_cancel: NoticeEffect

    def rows(self, meanings: Mapping[int, str], source: Source) -> tuple[NoticeRow, ...]:
        """One row for each code of ``meanings``."""
        return tuple(self.row(code, meaning, source) for code, meaning in meanings.items())

    def row(self, code: int, meaning: str, source: Source) -> NoticeRow:
        """The row of one code."""
        return NoticeRow(
            code=code,
            kind=self.kind,
            on_new=self.on_new,
            on_modify=self.on_modify,
            on_cancel=self.on_cancel,
            meaning=meaning,
            source=source,
        )


def same(kind: NoticeKind, effect: NoticeEffect) -> Profile:
    """A profile with one effect whatever is pending."""
    return Profile(kind, effect, effect, effect)


REJECTION = Profile(NoticeKind.REJECT, NoticeEffect.REJECTED, NoticeEffect.REFUSED, NoticeEffect.VERIFY)
"""Kills a new order; a living one keeps its old terms. A cancel it says nothing about."""

MODIFY_REFUSAL = Profile(NoticeKind.MODIFY_REFUSED, NoticeEffect.VERIFY, NoticeEffect.REFUSED, NoticeEffect.NONE)
"""Answers a modification. Seen while an order is new it means its id belongs to another order: ask."""

CANCEL_REFUSAL = Profile(NoticeKind.CANCEL_REFUSED, NoticeEffect.VERIFY, NoticeEffect.VERIFY, NoticeEffect.REQUEST_OFF)
"""The cancel did nothing, and whether the order lives is decided elsewhere."""

DOUBTFUL_REJECTION = same(NoticeKind.REJECT, NoticeEffect.VERIFY)
WARNING = same(NoticeKind.WARNING, NoticeEffect.NONE)
DOUBTFUL_WARNING = same(NoticeKind.WARNING, NoticeEffect.VERIFY)
INFORMATION = same(NoticeKind.INFO, NoticeEffect.NONE)
FARM = same(NoticeKind.FARM, NoticeEffect.NONE)
MARKET_DATA = same(NoticeKind.MARKET_DATA, NoticeEffect.NONE)
REQUEST = same(NoticeKind.REQUEST_FAILED, NoticeEffect.VERIFY)
PACING = same(NoticeKind.PACING, NoticeEffect.VERIFY)
CONNECTION = same(NoticeKind.CONNECTION, NoticeEffect.VERIFY)
CONFIGURATION = same(NoticeKind.CONFIGURATION, NoticeEffect.VERIFY)
CLIENT = same(NoticeKind.CLIENT, NoticeEffect.VERIFY)
NOT_SENT = same(NoticeKind.CLIENT, NoticeEffect.NOT_SENT)
"""The client library refused before writing anything."""
