"""The ``error`` callback: a coded notice about an order, a request of ours or the connection."""

import re
from typing import Final

from actors.messages.reports import (
    InstrumentRefused,
    LinkCondition,
    LinkConditionReported,
    NoticeKind,
    NoticeReported,
    Report,
    SnapshotEnded,
)
from ibapi_bridge.conversation import Listing, Qualification
from ibapi_bridge.figures import integer, text
from ibapi_bridge.notices import classify
from ibapi_bridge.qualifying import no_rule
from ibapi_bridge.quotes import QuoteFold
from ibapi_bridge.redaction import redacted
from ibapi_bridge.spoken import Spoken
from ibapi_bridge.vocabulary import CONDITIONS

_PORT: Final = re.compile(r"(?<!\d)(\d{2,5})(?!\d)")
_MARKUP: Final = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NO_MARKET_RULE: Final = 124
_NOBODY: Final = (-1, 0)
_HARMLESS: Final = frozenset({NoticeKind.INFO, NoticeKind.WARNING, NoticeKind.FARM, NoticeKind.CONNECTION})
"""Kinds of notice that do not end the request they name."""


def error(said: Spoken) -> tuple[Report, ...]:
    """A notice as reported, and what it means for the connection or for the request it names."""
    code = integer(said.args.get("errorCode"))
    words = redacted(text(_MARKUP.sub(" ", str(said.args.get("errorString") or ""))).strip())
    subject = integer(said.args.get("reqId"))
    row = classify(code, words)
    named = _named(said, subject)
    notice = NoticeReported(
        at=said.at,
        epoch=said.epoch,
        code=code,
        text=f"{words} ({named})" if named else words,
        subject=None if subject in _NOBODY else subject,
        kind=NoticeKind.REQUEST_FAILED
        if row.kind is NoticeKind.UNKNOWN and subject in said.context.asked
        else row.kind,
        on_new=row.on_new,
        on_modify=row.on_modify,
        on_cancel=row.on_cancel,
        advanced_reject=redacted(text(said.args.get("advancedOrderRejectJson"))),
    )
    ungridded = no_rule(said) if code == _NO_MARKET_RULE else ()
    return (notice, *_condition(said, code, words), *_request_failure(said, notice), *ungridded)


def _named(said: Spoken, subject: int) -> str:
    """What a request was about, in the user's words: the broker's text rarely names it."""
    asked = said.context.asked.get(subject)
    if isinstance(asked, QuoteFold):
        return asked.contract.name
    return asked.wanted.name if isinstance(asked, Qualification) else ""


def _condition(said: Spoken, code: int, words: str) -> tuple[Report, ...]:
    condition = CONDITIONS.get(code)
    if condition is None:
        return ()
    port = _new_port(words) if condition is LinkCondition.PORT_RESET else None
    return (LinkConditionReported(at=said.at, epoch=said.epoch, condition=condition, text=words, port=port),)


def _new_port(words: str) -> int | None:
    """The last port-like number of the sentence: it names the new one."""
    ports = [int(found) for found in _PORT.findall(words) if 0 < int(found) < 65_536]
    return ports[-1] if ports else None


def _request_failure(said: Spoken, notice: NoticeReported) -> tuple[Report, ...]:
    asked = said.context.asked.get(notice.subject or 0)
    if notice.kind in _HARMLESS or asked is None:
        return ()
    reason = f"{notice.code}: {notice.text}"
    if isinstance(asked, Qualification):
        said.context.asked.pop(notice.subject or 0, None)
        return (InstrumentRefused(at=said.at, epoch=said.epoch, wanted=asked.wanted, text=reason),)
    if isinstance(asked, Listing):
        said.context.asked.pop(notice.subject or 0, None)
        return (SnapshotEnded(at=said.at, epoch=said.epoch, kind=asked.kind, complete=False, reason=reason),)
    return ()
