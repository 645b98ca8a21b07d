"""What a coded notice of IBKR proves about an order: a table, and the few texts that overrule it."""

import re
from types import MappingProxyType
from typing import Final

import attrs

from actors.messages.reports import NoticeEffect, NoticeKind
from ibapi_bridge.notice_table import client, orders, rejections, requests
from ibapi_bridge.notice_table.row import NoticeRow, Source, same

__all__ = ["TABLE", "NoticeRow", "classify"]

TABLE: Final = MappingProxyType(
    {row.code: row for row in (*rejections.ROWS, *orders.ROWS, *requests.ROWS, *client.ROWS)}
)
"""Every code with a known meaning."""

_ORDER_REJECTED = 201
_CANNOT_CANCEL_IN_STATE = 10148

_FILLED_TEXT = re.compile(r"(cancel|modify) (the|a) filled order", re.IGNORECASE)
_STATE_WORD = re.compile(r"state:\s*(\w+)")

_STATE_EFFECTS: Final = MappingProxyType(
    {
        "filled": NoticeEffect.FILLED,
        "rempli": NoticeEffect.FILLED,  # a French workstation
        "cancelled": NoticeEffect.CANCELED,
        "canceled": NoticeEffect.CANCELED,
        "apicancelled": NoticeEffect.CANCELED,
        "pendingcancel": NoticeEffect.NONE,
    }
)
"""State words of code 10148; any other word (a workstation may translate it) proves nothing."""

_KINDS_BY_RANGE: Final = (
    (range(500, 600), NoticeKind.CLIENT),
    (range(1100, 1301), NoticeKind.CONNECTION),
    (range(2100, 3000), NoticeKind.WARNING),
)


def classify(code: int, text: str) -> NoticeRow:
    """The row of ``code`` as overruled by ``text``; an unknown code proves nothing, so its effects are VERIFY.

    Source: IBKR message codes; a 201 that answers a cancel or a change says in its text that the order is filled,
    and 10148 names the state of the order, in the workstation's language.
    """
    row = TABLE.get(code)
    if row is None:
        return _unknown(code)
    if code == _ORDER_REJECTED and _FILLED_TEXT.search(text):
        return _everywhere(row, NoticeEffect.FILLED)
    if code == _CANNOT_CANCEL_IN_STATE:
        effect = _state_effect(text)
        return row if effect is None else _everywhere(row, effect)
    return row


def _unknown(code: int) -> NoticeRow:
    kind = next((kind for codes, kind in _KINDS_BY_RANGE if code in codes), NoticeKind.UNKNOWN)
    return same(kind, NoticeEffect.VERIFY).row(code, "not documented", Source.UNKNOWN)


def _state_effect(text: str) -> NoticeEffect | None:
    word = _STATE_WORD.search(text)
    return _STATE_EFFECTS.get(word[1].lower()) if word else None


def _everywhere(row: NoticeRow, effect: NoticeEffect) -> NoticeRow:
    return attrs.evolve(row, kind=NoticeKind.CANCEL_REFUSED, on_new=effect, on_modify=effect, on_cancel=effect)
