"""Cancels and replaces: what leaves, what is refused by us, what the broker's answers do."""

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.domain.desk_config import DeskConfig
from actors.domain.identity import ClientId
from actors.domain.limits import Limits
from actors.domain.order_state import ExecStatus, Pending
from actors.messages.commands import BlockInstrument, LockNewExposure, SuspectPosition
from actors.messages.events import CancelRefused, Discrepancy, OrderReplaced, ReplaceRefused
from actors.messages.reports import BrokerStatus
from actors.messages.system import SendFailed, SessionState
from actors.messages.wire import CancelPlacedOrder, ReplacePlacedOrder
from tests.actors.domain.deskkit import (
    ACCOUNT,
    ALREADY_FILLED,
    CANCEL_CONFIRMED,
    FROM_LIST,
    MODIFY_REFUSAL,
    REJECTION,
    SPY,
    START,
    VERIFY,
    Rig,
    limit,
    market,
    names,
    only,
)


def refused_replace(outbox: tuple[Any, ...]) -> str:
    assert len(outbox) == 1
    return only(ReplaceRefused, outbox).text


# --- cancels ---


def test_a_cancel_of_an_unknown_order_is_named() -> None:
    assert only(Discrepancy, Rig().cancel("zz")).kind == "NO_SUCH_ORDER"


def test_a_cancel_is_sent_once() -> None:
    rig = Rig()
    rig.working()

    assert only(CancelPlacedOrder, rig.cancel()).order_id == 1
    assert rig.cancel() == ()


def test_a_cancel_in_doubt_may_be_repeated() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()
    rig.wait(11)

    assert rig.order().in_doubt
    only(CancelPlacedOrder, rig.cancel())


def test_a_cancel_of_an_ended_order_is_refused() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED)

    assert only(CancelRefused, rig.cancel()).text == "the order is CANCELED already"


@pytest.mark.parametrize("state", [SessionState.DEGRADED, SessionState.RECONCILING])
def test_a_cancel_passes_while_the_line_is_bad(state: SessionState) -> None:
    rig = Rig()
    rig.working()
    rig.session(state)

    only(CancelPlacedOrder, rig.cancel())


def test_a_cancel_without_a_connection_is_refused() -> None:
    rig = Rig()
    rig.working()
    rig.disconnect()

    assert only(CancelRefused, rig.cancel()).text == "not connected: the session is DISCONNECTED"


def test_a_strangers_order_is_not_touched() -> None:
    rig = Rig()
    rig.working()
    rig.echo(order_ref="theirs", perm_id=555, order_id=40, client_id=ClientId(4))

    assert "belongs to another client" in only(CancelRefused, rig.cancel("EXT-555")).text
    assert "belongs to another client" in refused_replace(rig.replace("EXT-555", limit_price=Decimal(1)))


def test_a_cancel_that_lost_the_race_is_refused_by_the_fill() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()

    outbox = rig.execution()

    assert names(outbox) == ["OrderFilled", "CancelRefused"]
    assert rig.order().status is ExecStatus.FILLED


def test_the_broker_says_that_it_is_too_late_to_cancel() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()

    assert names(rig.notice(10148, ALREADY_FILLED)) == ["CancelRefused"]
    assert rig.order().reported_done
    assert names(rig.execution()) == ["OrderFilled", "OrderCompleted"]


def test_a_cancel_is_confirmed_by_a_notice_alone() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()

    assert names(rig.notice(202, CANCEL_CONFIRMED)) == ["OrderCanceled"]
    assert rig.order().reason == "202: as the broker put it"


def test_a_cancel_that_never_left_leaves_the_order_working() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()

    failed = SendFailed(at=START, epoch=rig.epoch, oms_id="a", uncertain=False, text="queue full")
    assert only(CancelRefused, rig.hear(failed)).text == "not sent: queue full"
    assert (rig.order().status, rig.order().pending) == (ExecStatus.WORKING, None)


def test_an_order_that_its_cancel_took_out_of_the_queue_is_canceled() -> None:
    rig = Rig()
    rig.submit()
    rig.cancel()

    failed = SendFailed(
        at=START, epoch=rig.epoch, oms_id="a", uncertain=False, text="cancelled before it was sent", is_order=True
    )
    assert names(rig.hear(failed)) == ["OrderCanceled"]
    assert rig.order().reason == "not sent: cancelled before it was sent"


def test_a_failed_send_of_a_cancel_leaves_an_order_that_was_not_acknowledged_open() -> None:
    rig = Rig()
    rig.submit()
    rig.cancel()

    failed = SendFailed(at=START, epoch=rig.epoch, oms_id="a", uncertain=False, text="queue full")
    assert only(CancelRefused, rig.hear(failed)).text == "not sent: queue full"
    assert rig.order().is_open


def test_a_cancel_before_the_acknowledgement_waits_for_its_answer() -> None:
    rig = Rig()
    rig.submit()
    rig.cancel()

    assert names(rig.status(BrokerStatus.WORKING)) == ["OrderAccepted"]
    assert rig.order().pending is Pending.CANCEL
    assert names(rig.status(BrokerStatus.CANCELED)) == ["OrderCanceled"]


def test_a_cancel_that_hangs_at_the_broker_is_looked_after_without_doubt() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()
    rig.status(BrokerStatus.CANCEL_PENDING)

    assert rig.wait(59) == ()
    assert names(rig.wait(2)) == ["QuerySnapshot"] * 3
    assert not rig.order().in_doubt


def test_a_hanging_cancel_is_doubted_when_the_line_is_bad() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()
    rig.status(BrokerStatus.CANCEL_PENDING)
    rig.session(SessionState.DEGRADED)

    assert names(rig.wait(61)) == ["OrderInDoubt"]


def test_an_unsolicited_cancel_ends_the_order() -> None:
    rig = Rig()
    rig.working()

    assert names(rig.status(BrokerStatus.CANCELED)) == ["OrderCanceled"]


# --- replaces ---


def test_a_replace_leaves_with_snapped_prices() -> None:
    rig = Rig()
    rig.working()

    sent = only(ReplacePlacedOrder, rig.replace(limit_price=Decimal("496.006"), quantity=Decimal(120)))

    assert (sent.order_id, sent.order) == (1, limit(quantity=120, price="496.00"))


def test_a_replace_of_an_unknown_order_is_named() -> None:
    assert only(Discrepancy, Rig().replace("zz", quantity=Decimal(1))).kind == "NO_SUCH_ORDER"


@pytest.mark.parametrize("state", [state for state in SessionState if state is not SessionState.READY])
def test_a_replace_passes_only_in_ready(state: SessionState) -> None:
    rig = Rig()
    rig.working()
    rig.session(state)

    assert "only when it is READY" in refused_replace(rig.replace(quantity=Decimal(120)))


def test_an_unacknowledged_order_is_not_replaced() -> None:
    rig = Rig()
    rig.submit()

    assert refused_replace(rig.replace(quantity=Decimal(120))) == "the order is NEW"


def test_an_ended_order_is_not_replaced() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED)

    assert refused_replace(rig.replace(quantity=Decimal(120))) == "the order is CANCELED"


def test_one_replace_waits_for_the_other() -> None:
    rig = Rig()
    rig.working()
    rig.replace(quantity=Decimal(120))

    assert refused_replace(rig.replace(quantity=Decimal(130))) == "a REPLACE is not answered yet"


def test_a_replace_that_may_have_been_filled_waits_for_the_fills() -> None:
    rig = Rig()
    rig.working()
    rig.replace(quantity=Decimal(40))
    rig.status(BrokerStatus.FILLED, filled=Decimal(40))

    assert refused_replace(rig.replace(quantity=Decimal(130))) == "a REPLACE is not answered yet"


def test_a_doubted_order_is_not_replaced() -> None:
    rig = Rig()
    rig.working()
    rig.notice(999, VERIFY)

    assert refused_replace(rig.replace(quantity=Decimal(120))) == "the order is in doubt"


def test_a_replace_that_changes_nothing_is_refused() -> None:
    rig = Rig()
    rig.working()

    assert refused_replace(rig.replace(limit_price=Decimal("495.004"))) == "nothing would change"


def test_a_quantity_that_is_filled_already_is_refused() -> None:
    rig = Rig()
    rig.working()
    rig.execution(quantity=60)

    assert refused_replace(rig.replace(quantity=Decimal(60))) == (
        "quantity is 60 but 60 are filled: cancel the order instead"
    )


def test_a_replace_that_cannot_be_meant_is_refused() -> None:
    rig = Rig()
    rig.working(market())

    assert "takes none" in refused_replace(rig.replace(limit_price=Decimal(1)))


def test_a_replace_obeys_the_limits() -> None:
    limits = Limits(max_order_quantity=Decimal(500), max_position_quantity=Decimal(150))
    rig = Rig(DeskConfig(limits=limits))
    rig.working()

    assert "max_order_quantity" in refused_replace(rig.replace(quantity=Decimal(501)))
    assert "could reach 151" in refused_replace(rig.replace(quantity=Decimal(151)))
    only(ReplacePlacedOrder, rig.replace(quantity=Decimal(150)))


def test_a_replace_within_the_position_limit_may_shrink() -> None:
    rig = Rig(DeskConfig(limits=Limits(max_position_quantity=Decimal(100))))
    rig.working()

    only(ReplacePlacedOrder, rig.replace(quantity=Decimal(90)))


def test_a_lock_or_a_block_refuses_growth_only() -> None:
    rig = Rig()
    rig.working()
    rig.hear(LockNewExposure(at=START, locked=True, reason="late"))
    assert refused_replace(rig.replace(quantity=Decimal(120))) == "no new exposure: late"
    rig.hear(LockNewExposure(at=START, locked=False, reason=""))
    rig.hear(BlockInstrument(at=START, instrument="SPY", blocked=True, reason="disputed"))
    assert refused_replace(rig.replace(quantity=Decimal(120))) == "no new exposure: disputed"

    only(ReplacePlacedOrder, rig.replace(quantity=Decimal(90)))


def test_a_suspect_position_refuses_growth_only() -> None:
    rig = Rig()
    rig.working()
    rig.hear(
        SuspectPosition(at=START, account=ACCOUNT, contract=SPY, ours=Decimal(5), broker=Decimal("3.50"), suspect=True)
    )
    reason = "no new exposure: the positions are being compared: ours 5, the broker's 3.5"
    assert refused_replace(rig.replace(quantity=Decimal(120))) == reason

    only(ReplacePlacedOrder, rig.replace(quantity=Decimal(90)))


def test_an_order_whose_contract_is_not_qualified_is_not_replaced() -> None:
    rig = Rig()
    rig.working()
    snapshot = rig.desk.snapshot()

    rig.desk = type(rig.desk).restore(attrs.evolve(snapshot, instruments=()), DeskConfig())
    assert refused_replace(rig.replace(quantity=Decimal(120))) == "its contract is not qualified"


def test_the_echo_answers_a_replace_exactly_once() -> None:
    rig = Rig()
    rig.working()
    rig.replace(limit_price=Decimal("496.00"))
    terms = limit(price="496.00")

    replaced = only(OrderReplaced, rig.echo(terms=terms))
    assert (replaced.previous, replaced.order.order) == (limit(), terms)
    assert rig.echo(terms=terms) == ()


@pytest.mark.parametrize(("code", "effects"), [(110, REJECTION), (2102, MODIFY_REFUSAL)])
def test_a_refused_replace_leaves_the_order_working(code: int, effects: Any) -> None:
    rig = Rig()
    rig.working()
    rig.replace(limit_price=Decimal("496.00"))

    outbox = rig.notice(code, effects)

    assert only(ReplaceRefused, outbox).text == f"{code}: as the broker put it"
    assert (rig.order().status, rig.order().order) == (ExecStatus.WORKING, limit())


def test_a_refusal_told_twice_does_not_kill_the_order() -> None:
    rig = Rig()
    rig.working()
    rig.replace(limit_price=Decimal("496.00"))
    rig.notice(110, REJECTION)

    assert names(rig.notice(110, REJECTION)) == ["OrderWarned"]
    assert rig.order().status is ExecStatus.WORKING


def test_a_replace_that_never_left_is_refused() -> None:
    rig = Rig()
    rig.working()
    rig.replace(limit_price=Decimal("496.00"))

    failed = SendFailed(at=START, epoch=rig.epoch, oms_id="a", uncertain=False, text="closed")
    assert only(ReplaceRefused, rig.hear(failed)).text == "not sent: closed"


def test_a_replace_whose_answer_is_missing_is_doubted_and_asked() -> None:
    rig = Rig()
    rig.working()
    rig.replace(limit_price=Decimal("496.00"))

    asked = rig.wait(11)
    assert names(asked) == ["OrderInDoubt", *["QuerySnapshot"] * 3]
    rig.echo(terms=limit(), snapshot=True)
    outbox = rig.end_lists(asked)

    assert names(outbox) == ["ReplaceRefused", "OrderResolved", "Reconciled"]
    assert not rig.order().in_doubt


def test_a_fill_completes_the_order_before_the_replace() -> None:
    rig = Rig()
    rig.working()
    rig.replace(limit_price=Decimal("496.00"))

    assert names(rig.execution()) == ["OrderFilled", "ReplaceRefused"]


def test_a_replace_to_more_keeps_a_filled_order_open_until_it_is_answered() -> None:
    rig = Rig()
    rig.working()
    rig.replace(quantity=Decimal(150))
    rig.execution("e1.01", 100)
    assert rig.order().is_open

    rig.echo(terms=limit(quantity=150))
    assert names(rig.execution("e2.01", 50, request_id=FROM_LIST)) == ["OrderFilled"]
    assert rig.order().status is ExecStatus.FILLED
