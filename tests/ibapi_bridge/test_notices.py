"""The notice table: complete, and harmless where misreading a code would cost money."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.reports import NoticeEffect, NoticeKind
from ibapi_bridge.notice_table import client, orders, rejections, requests
from ibapi_bridge.notices import TABLE, classify

NONE = NoticeEffect.NONE
VERIFY = NoticeEffect.VERIFY
REQUEST_OFF = NoticeEffect.REQUEST_OFF
REJECTED = NoticeEffect.REJECTED
REFUSED = NoticeEffect.REFUSED
CANCELED = NoticeEffect.CANCELED
FILLED = NoticeEffect.FILLED
NOT_SENT = NoticeEffect.NOT_SENT

DOCUMENTED = """
100-107 109-111 113-126 129 131-148 151-168 200-203 300-317 319-451 460 463 492 501-593 1100-1102 1300
2100-2111 2113 2119 2130 2137 2148 2150 2152 2157 2158 2161 2168 2169 10000-10003 10005-10027 10038 10052 10058
10089-10091 10147-10149 10167 10168 10182 10185-10187 10189 10190 10197 10198 10225 10230 10231 10233-10254
10268-10270 10276-10287 10289-10299 10302-10308 10311 10312 10314 10316-10319 10321 10322 10324-10347 10349
"""
WITHOUT_SOURCE = (112, 127, 128, 130, 149, 150, 318, 10004, 10150, 10169, 10191, 10313, 10320, 10323, 10348)


def documented_codes() -> list[int]:
    codes: list[int] = []
    for low, high in re.findall(r"(\d+)(?:-(\d+))?", DOCUMENTED):
        codes.extend(range(int(low), int(high or low) + 1))
    return codes


def effects(code: int, text: str = "") -> tuple[NoticeEffect, NoticeEffect, NoticeEffect]:
    row = classify(code, text)
    return (row.on_new, row.on_modify, row.on_cancel)


def test_every_documented_code_has_a_row_and_no_other() -> None:
    assert sorted(TABLE) == documented_codes()


def test_no_code_stands_in_two_places() -> None:
    rows = (*rejections.ROWS, *orders.ROWS, *requests.ROWS, *client.ROWS)

    assert len(rows) == len(TABLE)
    assert all(row.code == code for code, row in TABLE.items())


def test_every_row_has_its_meaning_in_words() -> None:
    assert [row.code for row in TABLE.values() if not 5 < len(row.meaning) < 100] == []


@pytest.mark.parametrize("code", WITHOUT_SOURCE)
def test_codes_without_a_source_are_unknown_and_prove_nothing(code: int) -> None:
    assert code not in TABLE
    assert effects(code) == (VERIFY, VERIFY, VERIFY)
    assert classify(code, "").kind is NoticeKind.UNKNOWN


@given(code=st.integers(-1, 2**31 - 1), text=st.text())
def test_an_unknown_code_never_kills_an_order(code: int, text: str) -> None:
    if code not in TABLE:
        assert effects(code, text) == (VERIFY, VERIFY, VERIFY)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(500, NoticeKind.CLIENT), (599, NoticeKind.CLIENT), (1103, NoticeKind.CONNECTION), (1299, NoticeKind.CONNECTION)]
    + [(2112, NoticeKind.WARNING), (2999, NoticeKind.WARNING), (600, NoticeKind.UNKNOWN), (3000, NoticeKind.UNKNOWN)]
    + [(499, NoticeKind.UNKNOWN), (1099, NoticeKind.UNKNOWN), (1301, NoticeKind.UNKNOWN), (2099, NoticeKind.UNKNOWN)],
)
def test_unknown_codes_get_the_kind_of_their_range(code: int, kind: NoticeKind) -> None:
    assert classify(code, "").kind is kind


@pytest.mark.parametrize("code", [399, 404, 10349, 10233, 2109, 10347, 131, 2130])
def test_messages_about_living_orders_change_nothing(code: int) -> None:
    assert effects(code, "Order Message:\nWarning: Your order was cancelled and rejected") == (NONE, NONE, NONE)


@pytest.mark.parametrize("code", [110, 109, 163, 203, 321, 382, 383, 388, 434, 200, 387, 10006, 10318, 10289])
def test_a_refusal_of_content_kills_a_new_order_and_leaves_a_changed_one_alive(code: int) -> None:
    assert effects(code) == (REJECTED, REFUSED, VERIFY)


def test_201_kills_only_a_new_order() -> None:
    assert effects(201, "Order rejected - reason:The exchange is closed.") == (REJECTED, VERIFY, VERIFY)


@pytest.mark.parametrize(
    "text",
    [
        "Order rejected - reason:Cannot cancel the filled order",
        "Order rejected - reason:Cannot modify the filled order",
        "Order rejected - reason: can't modify a filled order.",
        "ORDER REJECTED - REASON:CANNOT CANCEL THE FILLED ORDER",
    ],
)
def test_201_about_a_filled_order_says_filled(text: str) -> None:
    assert effects(201, text) == (FILLED, FILLED, FILLED)
    assert classify(201, text).kind is NoticeKind.CANCEL_REFUSED


def test_104_says_filled_to_whoever_wanted_a_change() -> None:
    assert effects(104) == (VERIFY, FILLED, FILLED)


@pytest.mark.parametrize("code", [105, 329, 422, 440, 444, 2102, 10241, 10242, 10326, 10327, 10341])
def test_a_refused_change_leaves_the_order_alive(code: int) -> None:
    assert effects(code) == (VERIFY, REFUSED, NONE)


def test_134_leaves_the_terms_in_force_open() -> None:
    assert effects(134) == (VERIFY, VERIFY, VERIFY)


def test_202_confirms_a_cancel_whoever_asked_for_it() -> None:
    assert effects(202, "Order Canceled - reason:") == (CANCELED, CANCELED, CANCELED)


STATE = "OrderId 7 that needs to be cancelled can not be cancelled, state: {}."


@pytest.mark.parametrize(
    ("word", "effect"),
    [
        ("Filled", FILLED),
        ("Rempli", FILLED),
        ("Cancelled", CANCELED),
        ("Canceled", CANCELED),
        ("ApiCancelled", CANCELED),
        ("PendingCancel", NONE),
    ],
)
def test_10148_believes_only_state_words_it_knows(word: str, effect: NoticeEffect) -> None:
    assert effects(10148, STATE.format(word)) == (effect, effect, effect)


@pytest.mark.parametrize("text", [*map(STATE.format, ["Inactive", "Storniert", "成約済み", ""]), "cannot be cancelled"])
def test_10148_without_a_state_it_knows_says_only_that_the_cancel_did_nothing(text: str) -> None:
    assert effects(10148, text) == (VERIFY, VERIFY, REQUEST_OFF)


@given(st.text())
def test_10148_never_rejects(text: str) -> None:
    assert REJECTED not in effects(10148, STATE.format(text))


@pytest.mark.parametrize("code", [133, 320, 322, 323, 10311, 10328, 512, 515, 1100])
def test_ambiguous_codes_are_no_tombstones(code: int) -> None:
    assert effects(code) == (VERIFY, VERIFY, VERIFY)


@pytest.mark.parametrize("code", [135, 136, 161, 10147, 10149])
def test_a_refused_cancel_did_nothing_and_whether_the_order_lives_is_to_be_asked(code: int) -> None:
    assert effects(code) == (VERIFY, VERIFY, REQUEST_OFF)


def test_an_order_id_already_used_did_not_change_the_order_and_may_mean_that_a_new_one_arrived() -> None:
    assert effects(103) == (VERIFY, REQUEST_OFF, VERIFY)


def test_137_leaves_the_order_alive_when_it_answers_a_cancel() -> None:
    assert effects(137) == (VERIFY, VERIFY, REFUSED)


@pytest.mark.parametrize("code", [450, 451, 463, 2168, 2169, 10058])
def test_undocumented_rejections_are_verified(code: int) -> None:
    assert effects(code) == (VERIFY, VERIFY, VERIFY)


@pytest.mark.parametrize("code", [164, 2137, 2148, 2161, 10052, 10329, 10331, 10332, 10333, 10334])
def test_warnings_that_may_block_are_verified(code: int) -> None:
    assert effects(code) == (VERIFY, VERIFY, VERIFY)
    assert classify(code, "").kind is NoticeKind.WARNING


@pytest.mark.parametrize("code", [501, 502, 503, 504, 517, 520, 579, 588])
def test_what_the_client_library_refused_was_not_sent(code: int) -> None:
    assert effects(code) == (NOT_SENT, NOT_SENT, NOT_SENT)


@pytest.mark.parametrize("code", [317, 354, 420, 10089, 10090, 10091, 10167, 10168, 10186, 10189, 10197, 10225, 10346])
def test_market_data_notices_touch_no_order(code: int) -> None:
    assert effects(code) == (NONE, NONE, NONE)
    assert classify(code, "").kind is NoticeKind.MARKET_DATA


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (100, NoticeKind.PACING),
        (162, NoticeKind.PACING),
        (326, NoticeKind.CONNECTION),
        (1100, NoticeKind.CONNECTION),
        (1101, NoticeKind.CONNECTION),
        (1102, NoticeKind.CONNECTION),
        (1300, NoticeKind.CONNECTION),
        (2110, NoticeKind.CONNECTION),
        (2103, NoticeKind.FARM),
        (2104, NoticeKind.INFO),
        (2119, NoticeKind.FARM),
        (2100, NoticeKind.WARNING),
        (327, NoticeKind.CONFIGURATION),
        (102, NoticeKind.REQUEST_FAILED),
        (512, NoticeKind.CLIENT),
    ],
)
def test_kinds_tell_connection_farm_pacing_and_request_notices_apart(code: int, kind: NoticeKind) -> None:
    assert classify(code, "").kind is kind
