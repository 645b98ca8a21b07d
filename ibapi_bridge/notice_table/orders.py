"""Codes about orders that need individual handling: the ones that are dangerous to misread."""

from typing import Final

from actors.messages.reports import NoticeEffect, NoticeKind
from ibapi_bridge.notice_table.row import (
    CANCEL_REFUSAL,
    DOUBTFUL_REJECTION,
    DOUBTFUL_WARNING,
    INFORMATION,
    MODIFY_REFUSAL,
    REJECTION,
    WARNING,
    NoticeRow,
    Profile,
    Source,
    same,
)

_REJECTED_BY_TEXT = Profile(NoticeKind.REJECT, NoticeEffect.REJECTED, NoticeEffect.VERIFY, NoticeEffect.VERIFY)
"""201 kills a new order; as the answer to a change or a cancel only its (translatable) text would tell, so ask."""

_ORDER_FILLED = Profile(NoticeKind.MODIFY_REFUSED, NoticeEffect.VERIFY, NoticeEffect.FILLED, NoticeEffect.FILLED)
_ID_USED = Profile(NoticeKind.REJECT, NoticeEffect.VERIFY, NoticeEffect.REQUEST_OFF, NoticeEffect.VERIFY)
_CANCELED = same(NoticeKind.CANCEL_CONFIRMED, NoticeEffect.CANCELED)
_UNRESOLVED = same(NoticeKind.UNKNOWN, NoticeEffect.VERIFY)
_MODIFICATION_LOST = same(NoticeKind.MODIFY_REFUSED, NoticeEffect.VERIFY)
_CANCEL_TOO_LATE = Profile(NoticeKind.CANCEL_REFUSED, NoticeEffect.VERIFY, NoticeEffect.VERIFY, NoticeEffect.REFUSED)

_DOUBTFUL_REJECTIONS: Final[dict[int, str]] = {
    133: "submission failed, perhaps",
    320: "the gateway could not read the request",
    322: "the gateway could not process the request",
    323: "server error with a stated cause",
    10311: "direct routing: discarded, or only warned about, by configuration",
}
_UNDOCUMENTED_REJECTIONS: Final[dict[int, str]] = {
    450: "undocumented, said to reject",
    451: "undocumented, said to reject",
    463: "undocumented, said to reject",
    2168: "eTradeOnly not supported; called a warning",
    2169: "firmQuoteOnly not supported; called a warning",
    10058: "undocumented, said to reject",
}
_MODIFY_REFUSALS: Final[dict[int, str]] = {
    105: "the change does not fit the original order",
    329: "the order type cannot be changed to this",
    422: "account and clearing attributes cannot be changed",
    440: "the algorithm cannot be changed",
    444: "the volatility combo is not acknowledged yet",
    2102: "the order is still being processed",
    10241: "an order in cash terms cannot be changed",
    10242: "a fractional order cannot be changed",
    10326: "the OCA group cannot be changed",
    10327: "the OCA type cannot be changed",
    10341: "the parent cannot be changed",
}
_CANCEL_REFUSALS: Final[dict[int, str]] = {
    135: "the gateway does not know the order (for us)",
    136: "the order cannot be cancelled",
    161: "the order is done or cannot be cancelled yet",
    10147: "the order to cancel was not found: ended, foreign, manual or lost",
    10148: "the order cannot be cancelled in the state it names",
    10149: "undocumented, about a cancel",
}
_WARNINGS: Final[dict[int, str]] = {
    131: "sweep-to-fill and display size ignored",
    399: "message about a living order, mostly held until the session opens",
    404: "held until shares can be borrowed; may execute at any time",
    2109: "outside-regular-hours ignored",
    2111: "times of the algorithm adjusted",
    2113: "warning about an order event",
    2130: "trades on a currency price with a factor",
    2150: "derived value of the position is invalid",
    10018: "orders use economic value",
    10019: "trades use economic value",
    10239: "the order touches accounts flagged for it",
    10347: "limited liquidity",
}
_FIELD_WARNINGS: Final[dict[int, str]] = {10349: "time in force was taken from a preset; the order goes on"}
_DOUBTFUL_WARNINGS: Final[dict[int, str]] = {
    164: "no market data to check the price against; goes on or is refused, by configuration",
    2137: "would cross our own order; may wait for a confirmation",
    2148: "undocumented warning",
    2161: "undocumented warning",
    10052: "undocumented warning, about an algorithm's times",
    10329: "direct routing: discarded, or only warned about, by configuration",
    10331: "stop warning; may wait for a confirmation",
    10332: "volatility warning; may wait for a confirmation",
    10333: "exercise warning; may wait for a confirmation",
    10334: "omnibus warning; may wait for a confirmation",
}

ROWS: Final[tuple[NoticeRow, ...]] = (
    *DOUBTFUL_REJECTION.rows(_DOUBTFUL_REJECTIONS, Source.MESSAGE_CODES),
    *DOUBTFUL_REJECTION.rows(_UNDOCUMENTED_REJECTIONS, Source.ADAPTERS),
    *MODIFY_REFUSAL.rows(_MODIFY_REFUSALS, Source.MESSAGE_CODES),
    *CANCEL_REFUSAL.rows(_CANCEL_REFUSALS, Source.MESSAGE_CODES),
    *WARNING.rows(_WARNINGS, Source.MESSAGE_CODES),
    *WARNING.rows(_FIELD_WARNINGS, Source.FIELD),
    *DOUBTFUL_WARNING.rows(_DOUBTFUL_WARNINGS, Source.ADAPTERS),
    _ID_USED.row(
        103,
        "order id already used: the first send may have arrived, or the order to change is gone",
        Source.MESSAGE_CODES,
    ),
    _ORDER_FILLED.row(104, "a filled order cannot be changed", Source.MESSAGE_CODES),
    _MODIFICATION_LOST.row(134, "the change failed; the terms in force are not known", Source.MESSAGE_CODES),
    _CANCEL_TOO_LATE.row(137, "too late to cancel a VWAP order", Source.MESSAGE_CODES),
    REJECTION.row(200, "no such contract, or several", Source.MESSAGE_CODES),
    _REJECTED_BY_TEXT.row(201, "the order was rejected for the stated reason", Source.MESSAGE_CODES),
    _CANCELED.row(202, "the remainder was cancelled, by us or by others", Source.CAPTURES),
    REJECTION.row(321, "the request failed validation", Source.CAPTURES),
    INFORMATION.row(10233, "defaults were taken from a preset", Source.MESSAGE_CODES),
    _UNRESOLVED.row(10328, "connection lost, the order could not be resolved", Source.CAMPUS),
)
