"""The one table: each row an order, one piece of evidence, and the order after it (rules O1 to O9)."""

# Decimals are compared with plain ints.
# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.evidence import (
    AdoptionWanted,
    AnyEvidence,
    CancelRequested,
    CommissionSeen,
    Concluded,
    Doubted,
    ExecutionSeen,
    PermIdSeen,
    RefusalSeen,
    RejectionSeen,
    ReplaceRequested,
    Sent,
    StatusSeen,
)
from actors.domain.identity import Epoch, ExecId, OmsId, OrderId, PermId, correction_number, execution_family
from actors.domain.order import (
    HELD_CANCELING,
    HELD_INACTIVE,
    HELD_PENDING,
    is_repeated,
    transition,
)
from actors.domain.order_state import ExecStatus, Fill, OrderState, Pending
from actors.domain.terms import Order, OrderType, Side
from actors.messages.reports import BrokerStatus, OrderStatusReported
from tests.actors.domain.deskkit import ACCOUNT, CLIENT, COMBO, SPY, START, limit

EPOCH = Epoch(1)
PERM = PermId(77)


def new(terms: Order | None = None, **fields: Any) -> OrderState:
    wanted = terms if terms is not None else limit()
    return OrderState(oms_id=OmsId("a"), order=wanted, contract=SPY, created_at=START, updated_at=START, **fields)


def sent(terms: Order | None = None, **fields: Any) -> OrderState:
    order = new(terms)
    evidence = Sent(
        at=START,
        order=order.order,
        contract=SPY,
        account=ACCOUNT,
        client_id=CLIENT,
        epoch=EPOCH,
        order_id=OrderId(5),
    )
    return attrs.evolve(transition(order, evidence), **fields)


def seen(status: BrokerStatus, **fields: Any) -> StatusSeen:
    return StatusSeen(at=START, status=status, **({"epoch": EPOCH} | fields))


def execution(exec_id: str = "e1.01", quantity: Any = 100, price: Any = 495, **fields: Any) -> ExecutionSeen:
    fill = Fill(
        exec_id=ExecId(exec_id), side=Side.BUY, quantity=Decimal(quantity), price=Decimal(price), at=START, **fields
    )
    return ExecutionSeen(at=START, epoch=EPOCH, family=execution_family(exec_id), fill=fill)


def commission(exec_id: str = "e1.01", amount: Any = 1) -> CommissionSeen:
    return CommissionSeen(
        at=START,
        family=execution_family(exec_id),
        exec_id=ExecId(exec_id),
        commission=None if amount is None else Decimal(amount),
        currency="USD",
        realized_pnl=None,
    )


def after(order: OrderState, *evidence: AnyEvidence) -> OrderState:
    for one in evidence:
        order = transition(order, one)
    return order


def working(terms: Order | None = None) -> OrderState:
    return after(sent(terms), seen(BrokerStatus.WORKING, perm_id=PERM))


def replacing(wanted: Order, terms: Order | None = None) -> OrderState:
    return after(working(terms), ReplaceRequested(at=START, wanted=wanted))


CANCELING = CancelRequested(at=START)
DOUBT = Doubted(at=START, text="no answer")
REFUSAL = RefusalSeen(at=START, text="no")
NOT_FOUND = RefusalSeen(at=START, text="not found", lives=False)


# --- acknowledgement (O5) ---


def test_sending_makes_it_pending() -> None:
    order = sent()

    assert (order.status, order.pending, order.order_id, order.account) == (
        ExecStatus.NEW,
        Pending.SUBMIT,
        OrderId(5),
        ACCOUNT,
    )


@pytest.mark.parametrize(
    ("status", "fields", "held"),
    [
        (BrokerStatus.WORKING, {}, ""),
        (BrokerStatus.HELD, {}, ""),
        (BrokerStatus.HELD, {"why_held": "trigger"}, "trigger"),
        (BrokerStatus.PENDING, {}, HELD_PENDING),
        (BrokerStatus.PENDING, {"why_held": "child"}, "child"),
        (BrokerStatus.CANCEL_PENDING, {}, HELD_CANCELING),
        (BrokerStatus.INACTIVE, {}, HELD_INACTIVE),
        (BrokerStatus.INACTIVE, {"why_held": "child,locate"}, "child,locate"),
    ],
)
def test_o5_a_living_status_acknowledges(status: BrokerStatus, fields: dict[str, Any], held: str) -> None:
    order = after(sent(), seen(status, perm_id=PERM, **fields))

    assert (order.status, order.pending, order.held, order.perm_ids) == (ExecStatus.WORKING, None, held, (PERM,))


def test_o5_an_unknown_status_proves_only_that_it_exists() -> None:
    order = after(sent(), seen(BrokerStatus.UNKNOWN, perm_id=PERM))

    assert (order.status, order.pending, order.perm_ids) == (ExecStatus.NEW, Pending.SUBMIT, (PERM,))


def test_o5_an_execution_acknowledges() -> None:
    order = after(sent(), execution(quantity=10))

    assert (order.status, order.pending) == (ExecStatus.PARTIALLY_FILLED, None)


def test_a_hold_ends_when_it_works() -> None:
    order = after(sent(), seen(BrokerStatus.INACTIVE), seen(BrokerStatus.WORKING))

    assert order.held == ""


def test_a_repeated_status_changes_nothing() -> None:
    order = after(working(), seen(BrokerStatus.WORKING, perm_id=PERM, filled=Decimal(0)))

    assert transition(order, seen(BrokerStatus.WORKING, perm_id=PERM, filled=Decimal(0))) is order


# --- fills (O1 to O4) ---


def test_o1_a_filled_status_books_nothing() -> None:
    order = after(working(), seen(BrokerStatus.FILLED, filled=Decimal(100)))

    assert (order.status, order.filled, order.reported_done, order.reported_filled) == (
        ExecStatus.WORKING,
        Decimal(0),
        True,
        Decimal(100),
    )


def test_o2_filled_means_that_executions_add_up() -> None:
    order = after(working(), execution("e1.01", 40), execution("e2.01", 59, 500))
    assert order.status is ExecStatus.PARTIALLY_FILLED
    assert order.remaining == 1

    order = after(order, execution("e3.01", 1))
    assert order.status is ExecStatus.FILLED
    assert order.remaining == 0
    assert order.average_price == (40 * 495 + 59 * 500 + 495) / Decimal(100)


def test_fractional_quantities_add_up_exactly() -> None:
    parts = [execution(f"e{number}.01", "0.1") for number in range(3)]

    assert after(working(limit(quantity="0.3")), *parts).status is ExecStatus.FILLED


def test_o2_a_cash_quantity_is_filled_when_the_executions_reach_what_the_broker_called_filled() -> None:
    cash = limit(quantity=0, cash_quantity="1000")
    order = after(working(cash), execution(quantity="2.02"))
    assert order.status is ExecStatus.PARTIALLY_FILLED

    order = after(order, seen(BrokerStatus.FILLED, filled=Decimal("2.02")))
    assert order.status is ExecStatus.FILLED


def test_o2_a_cash_quantity_whose_end_was_called_without_a_figure_waits_for_one() -> None:
    cash = limit(quantity=0, cash_quantity="1000")
    order = after(working(cash), seen(BrokerStatus.FILLED, filled=Decimal(0)), execution(quantity="2.02"))

    assert (order.status, order.reported_done) == (ExecStatus.PARTIALLY_FILLED, True)
    assert after(order, execution("e1.02", 0)).status is not ExecStatus.FILLED


def test_o2_an_order_without_a_quantity_is_filled_when_the_executions_reach_what_the_broker_called_filled() -> None:
    order = after(working(limit(quantity=0)), execution(quantity="0.5"))
    assert order.status is ExecStatus.PARTIALLY_FILLED

    order = after(order, seen(BrokerStatus.FILLED, filled=Decimal("0.5")))
    assert order.status is ExecStatus.FILLED


def test_o2_an_echo_of_a_cash_quantity_changes_no_terms() -> None:
    cash = limit(quantity=0, cash_quantity="1000")
    order = working(cash)

    assert transition(order, seen(BrokerStatus.WORKING, terms=limit(quantity="2.02"))).order == cash


def test_a_doubled_commission_is_charged_once() -> None:
    order = after(working(), execution(quantity=10), commission())

    assert transition(order, commission()) is order


def test_a_doubled_execution_is_booked_once() -> None:
    order = after(working(), execution(quantity=10))

    assert transition(order, execution(quantity=10)) is order


def test_o3_a_late_fill_is_booked_to_a_cancelled_order() -> None:
    order = after(working(), seen(BrokerStatus.CANCELED), execution(quantity=10))

    assert (order.status, order.filled, order.remaining) == (ExecStatus.CANCELED, Decimal(10), Decimal(0))


@pytest.mark.parametrize("end", [ExecStatus.CANCELED, ExecStatus.REJECTED])
def test_o3_late_fills_that_complete_it_make_it_filled(end: ExecStatus) -> None:
    order = after(working(), Concluded(at=START, status=end, reason="r"), execution(quantity=100))

    assert order.status is ExecStatus.FILLED


def test_an_overfill_is_booked() -> None:
    assert after(working(), execution("e1.01", 100), execution("e2.01", 5)).filled == 105


def test_o4_a_correction_replaces_and_keeps_the_fee() -> None:
    order = after(working(), execution("e1.01", 40), commission("e1.01"), execution("e1.02", 30, 496))

    fill = order.fills["e1"]
    assert (order.filled, fill.price, fill.commission, fill.superseded) == (30, 496, 1, ("e1.01",))


def test_o4_a_correction_with_its_own_fee_keeps_that() -> None:
    order = after(working(), execution("e1.01", 40), commission("e1.01"))
    corrected = after(
        order, execution("e1.02", 30, commission=Decimal(3), commission_currency="EUR", realized_pnl=Decimal(9))
    ).fills["e1"]

    assert (corrected.commission, corrected.commission_currency, corrected.realized_pnl) == (3, "EUR", 9)


@pytest.mark.parametrize("late", ["e1.01", "e1.02"])
def test_o4_a_lower_or_equal_suffix_arriving_later_changes_nothing(late: str) -> None:
    order = after(working(), execution("e1.02", 30))

    assert transition(order, execution(late, 40)) is order


def test_o4_a_bust_takes_the_fill_back() -> None:
    order = after(working(), execution("e1.01", 40), execution("e1.02", 0))

    assert (order.status, order.filled, order.average_price) == (ExecStatus.WORKING, 0, None)


def test_a_downward_correction_lowers_what_the_broker_is_taken_to_claim() -> None:
    claimed = after(working(), execution("e1.01", 40), seen(BrokerStatus.WORKING, filled=Decimal(40)))

    assert after(claimed, execution("e1.02", 30)).reported_filled == 30
    assert after(claimed, execution("e1.02", 50)).reported_filled == 40


def test_a_downward_correction_never_makes_the_claim_negative() -> None:
    assert after(working(), execution("e1.01", 40), execution("e1.02", 30)).reported_filled == 0


def test_o3_a_bust_of_a_filled_order_leaves_it_filled() -> None:
    order = after(working(), execution("e1.01", 100), execution("e1.02", 0))

    assert (order.status, order.filled) == (ExecStatus.FILLED, 0)


@pytest.mark.parametrize(
    ("exec_id", "number"), [("a.b.01", 1), ("a.b.12", 12), ("abc", 0), ("a.b.x", 0), ("a.²", 0), ("", 0)]
)
def test_the_number_of_a_correction_is_its_last_dotted_part(exec_id: str, number: int) -> None:
    assert correction_number(exec_id) == number


def test_legs_of_a_combo_do_not_count_for_the_order() -> None:
    leg = attrs.evolve(SPY, con_id=9)
    order = attrs.evolve(working(limit(quantity=1, price="-1.20")), contract=COMBO)

    order = after(order, execution("l1.01", 1, 2, contract=leg), execution("l2.01", 1, 1, contract=leg))
    assert (order.status, order.filled) == (ExecStatus.WORKING, 0)

    order = after(order, execution("s.01", 1, "-1.20"))
    assert (order.status, order.average_price) == (ExecStatus.FILLED, Decimal("-1.20"))


def test_a_corrected_leg_leaves_the_broker_claim_alone() -> None:
    leg = attrs.evolve(SPY, con_id=9)
    order = after(working(), execution("l.01", 4, contract=leg), seen(BrokerStatus.WORKING, filled=Decimal(4)))

    assert after(order, execution("l.02", 1, contract=leg)).reported_filled == 4


# --- commissions ---


def test_a_commission_is_charged_to_its_fill() -> None:
    order = after(working(), execution(quantity=10), commission())

    assert (order.commission, order.fills["e1"].commission_currency) == (Decimal(1), "USD")


@pytest.mark.parametrize("unknown", [commission("zz.01"), commission(amount=None)])
def test_a_commission_without_fill_or_figure_changes_nothing(unknown: CommissionSeen) -> None:
    order = after(working(), execution(quantity=10))

    assert transition(order, unknown) is order


def test_a_commission_of_a_superseded_execution_counts_only_while_there_is_no_other() -> None:
    corrected = after(working(), execution("e1.01", 40), execution("e1.02", 30))
    assert after(corrected, commission("e1.01", 1)).commission == 1

    charged = after(corrected, commission("e1.02", 2))
    assert transition(charged, commission("e1.01", 1)) is charged


# --- ends ---


def test_a_cancel_keeps_the_fills() -> None:
    order = after(working(), execution(quantity=10), CANCELING, seen(BrokerStatus.CANCELED, reason="by you"))

    assert (order.status, order.filled, order.pending, order.reason) == (ExecStatus.CANCELED, 10, None, "by you")


@pytest.mark.parametrize("status", [BrokerStatus.INACTIVE, BrokerStatus.CANCELED])
def test_an_end_with_a_reject_reason_is_a_rejection(status: BrokerStatus) -> None:
    order = after(sent(), seen(status, reject_reason="margin"))

    assert (order.status, order.reason) == (ExecStatus.REJECTED, "margin")


def test_an_end_with_a_reject_reason_and_fills_is_a_cancel() -> None:
    booked = after(working(), execution(quantity=1), seen(BrokerStatus.CANCELED, reject_reason="margin"))
    claimed = after(working(), seen(BrokerStatus.CANCELED, reject_reason="margin", filled=Decimal(1)))

    assert {booked.status, claimed.status} == {ExecStatus.CANCELED}


def test_a_rejection_after_acknowledgement_ends_it() -> None:
    order = after(working(), RejectionSeen(at=START, reason="201"))

    assert (order.status, order.reason) == (ExecStatus.REJECTED, "201")


def test_a_rejection_with_fills_is_a_cancel() -> None:
    order = after(working(), execution(quantity=1), RejectionSeen(at=START, reason="201"))

    assert order.status is ExecStatus.CANCELED


@pytest.mark.parametrize(
    "late",
    [
        seen(BrokerStatus.WORKING),
        seen(BrokerStatus.INACTIVE),
        seen(BrokerStatus.CANCEL_PENDING),
        RejectionSeen(at=START, reason="late"),
        REFUSAL,
        CANCELING,
        ReplaceRequested(at=START, wanted=limit(price=1)),
        DOUBT,
        Concluded(at=START, status=ExecStatus.REJECTED, reason="late"),
    ],
)
def test_o3_nothing_reopens_an_order(late: AnyEvidence) -> None:
    order = after(working(), seen(BrokerStatus.CANCELED, reason="first"))

    assert transition(order, late) is order


def test_o3_a_late_reason_is_kept_where_there_was_none() -> None:
    order = after(working(), seen(BrokerStatus.CANCELED), RejectionSeen(at=START, reason="discarded"))
    assert (order.status, order.reason) == (ExecStatus.REJECTED, "discarded")

    order = after(working(), seen(BrokerStatus.CANCELED), seen(BrokerStatus.CANCELED, reject_reason="margin"))
    assert order.reason == "margin"

    order = after(working(), seen(BrokerStatus.CANCELED), seen(BrokerStatus.CANCELED, reason="202"))
    assert order.reason == "202"


def test_late_figures_of_an_ended_order_are_kept() -> None:
    order = after(working(), seen(BrokerStatus.CANCELED), seen(BrokerStatus.FILLED, filled=Decimal(9), perm_id=PERM))

    assert (order.reported_filled, order.reported_done, order.perm_ids) == (9, True, (PERM,))


# --- epochs (O6) ---


def test_o6_an_old_connection_changes_no_newer_conclusion() -> None:
    order = after(working(), seen(BrokerStatus.WORKING, epoch=Epoch(3)))
    order = after(order, seen(BrokerStatus.CANCELED, epoch=Epoch(2), perm_id=PermId(8), filled=Decimal(4)))

    assert (order.status, order.perm_ids, order.reported_filled) == (ExecStatus.WORKING, (PERM, PermId(8)), 4)


def test_o6_an_old_execution_is_booked() -> None:
    order = after(working(), seen(BrokerStatus.WORKING, epoch=Epoch(3)), execution(quantity=5))

    assert (order.filled, order.epoch) == (5, Epoch(3))


def test_an_execution_is_evidence_of_its_connection() -> None:
    late = attrs.evolve(execution(quantity=5), epoch=Epoch(4))

    assert after(working(), late).epoch == Epoch(4)


# --- replaces (O7, O8) ---


def test_o7_a_replace_counts_when_the_echo_shows_it() -> None:
    wanted = limit(price="496.00", quantity=120)
    order = after(replacing(wanted), seen(BrokerStatus.WORKING, terms=wanted))

    assert (order.order, order.pending, order.wanted, order.past_terms) == (wanted, None, None, (limit(),))


def test_o7_an_echo_of_the_old_terms_leaves_the_replace_pending() -> None:
    wanted = limit(price="496.00")
    order = after(replacing(wanted), seen(BrokerStatus.WORKING, terms=limit()))

    assert (order.order, order.pending, order.wanted) == (limit(), Pending.REPLACE, wanted)


def test_a_refused_replace_leaves_the_old_terms() -> None:
    order = after(replacing(limit(price="496.00")), REFUSAL)

    assert (order.order, order.pending, order.wanted, order.in_doubt) == (limit(), None, None, False)


def test_a_replace_under_a_cancel_waits_for_its_own_answer() -> None:
    wanted = limit(price="496.00")
    order = after(replacing(wanted), CANCELING)
    assert (order.pending, order.wanted) == (Pending.CANCEL, wanted)

    assert after(order, seen(BrokerStatus.WORKING, terms=wanted)).pending is Pending.CANCEL
    refused = after(order, REFUSAL)
    assert (refused.pending, refused.wanted) == (Pending.REPLACE, wanted)


def test_a_refused_cancel_of_an_unacknowledged_order_leaves_it_pending() -> None:
    order = after(sent(), CANCELING, REFUSAL)

    assert (order.status, order.pending) == (ExecStatus.NEW, Pending.SUBMIT)


def test_a_request_that_did_nothing_leaves_the_question_whether_the_order_lives() -> None:
    wanted = limit(price="496.00")

    assert [
        (order.pending, order.wanted, order.in_doubt)
        for order in (
            after(working(), CANCELING, NOT_FOUND),
            after(sent(), CANCELING, NOT_FOUND),
            after(replacing(wanted), CANCELING, NOT_FOUND),
            after(replacing(wanted), NOT_FOUND),
        )
    ] == [(None, None, True), (Pending.SUBMIT, None, True), (Pending.REPLACE, wanted, True), (None, None, True)]


@pytest.mark.parametrize("evidence", [seen(BrokerStatus.WORKING), seen(BrokerStatus.HELD)])
def test_o9_a_living_status_after_a_cancel_that_did_nothing_ends_the_doubt(evidence: StatusSeen) -> None:
    order = after(working(), CANCELING, NOT_FOUND, evidence)

    assert (order.status, order.pending, order.in_doubt) == (ExecStatus.WORKING, None, False)


def test_o7_a_fill_that_crossed_a_reduction_completes_the_order_at_what_is_filled() -> None:
    reduced = after(replacing(limit(quantity=70)), execution("e1.01", 70), execution("e2.01", 10))
    claim = seen(BrokerStatus.FILLED, filled=Decimal(80))

    for order in (after(reduced, claim), after(replacing(limit(quantity=70)), claim, execution("e1.01", 80))):
        assert (order.status, order.order.quantity, order.pending) == (ExecStatus.FILLED, 80, None)


def test_o7_a_fill_of_all_that_was_ordered_leaves_a_reduction_unanswered_by_it() -> None:
    order = after(
        replacing(limit(quantity=70)), execution("e1.01", 100), seen(BrokerStatus.FILLED, filled=Decimal(100))
    )

    assert (order.status, order.order) == (ExecStatus.FILLED, limit())


def test_o7_fills_beyond_the_old_quantity_prove_the_replace() -> None:
    wanted = limit(quantity=150)
    order = after(replacing(wanted), execution("e1.01", 100))
    assert (order.status, order.pending) == (ExecStatus.PARTIALLY_FILLED, Pending.REPLACE)

    order = after(order, execution("e2.01", 20))
    assert (order.order, order.pending, order.status) == (wanted, None, ExecStatus.PARTIALLY_FILLED)


def test_o7_fills_beyond_the_old_quantity_leave_a_cancel_pending() -> None:
    order = after(replacing(limit(quantity=150)), CANCELING, execution("e1.01", 120))

    assert (order.order.quantity, order.pending) == (150, Pending.CANCEL)


def test_fills_beyond_what_was_wanted_are_an_overfill_on_the_old_terms() -> None:
    order = after(replacing(limit(quantity=150)), execution("e1.01", 160))

    assert order.order.quantity == 100


def test_a_growing_replace_is_over_when_the_broker_calls_the_old_quantity_filled() -> None:
    grown = replacing(limit(quantity=150))
    order = after(grown, execution("e1.01", 100), seen(BrokerStatus.FILLED, filled=Decimal(100)))

    assert (order.status, order.wanted, order.order.quantity) == (ExecStatus.FILLED, None, 100)


def test_o7_a_figure_beyond_the_old_quantity_proves_the_replace() -> None:
    grown = replacing(limit(quantity=150))
    order = after(grown, execution("e1.01", 100), seen(BrokerStatus.FILLED, filled=Decimal(150)))
    assert (order.status, order.order.quantity) == (ExecStatus.PARTIALLY_FILLED, 150)

    assert after(order, execution("e2.01", 50)).status is ExecStatus.FILLED


def test_o7_a_smaller_quantity_that_was_filled_just_so_proves_the_replace() -> None:
    order = after(replacing(limit(quantity=40)), execution("e1.01", 40), seen(BrokerStatus.FILLED, filled=Decimal(40)))

    assert (order.status, order.order.quantity) == (ExecStatus.FILLED, 40)


def test_o7_the_last_execution_may_prove_it_after_the_status() -> None:
    order = after(replacing(limit(quantity=40)), seen(BrokerStatus.FILLED, filled=Decimal(40)))
    assert order.wanted is not None

    order = after(order, execution("e1.01", 40))
    assert (order.status, order.order.quantity) == (ExecStatus.FILLED, 40)


def test_o7_a_cancel_of_a_complete_order_proves_that_it_had_grown() -> None:
    grown = after(replacing(limit(quantity=150)), execution("e1.01", 100), seen(BrokerStatus.CANCELED))

    assert (grown.status, grown.order.quantity) == (ExecStatus.CANCELED, 150)


def test_o7_a_cancel_that_claims_a_complete_order_proves_it_before_the_execution_comes() -> None:
    said = seen(BrokerStatus.CANCELED, filled=Decimal(100))
    grown = after(replacing(limit(quantity=150)), said, execution("e1.01", 100))

    assert (grown.status, grown.filled, grown.order.quantity) == (ExecStatus.CANCELED, 100, 150)


def test_a_replace_reduced_to_less_than_is_filled_ends_at_what_is_filled() -> None:
    wanted = limit(quantity=50)
    order = after(replacing(wanted), execution("e1.01", 60), seen(BrokerStatus.WORKING, terms=wanted))

    assert (order.status, order.order.quantity) == (ExecStatus.FILLED, 60)


def test_o8_other_terms_were_changed_by_hand() -> None:
    order = after(working(), seen(BrokerStatus.WORKING, terms=limit(price="480.00", quantity=70)))

    assert order.order == limit(price="480.00", quantity=70)


def test_o8_an_echo_of_past_terms_is_late() -> None:
    wanted = limit(price="496.00")
    order = after(replacing(wanted), seen(BrokerStatus.WORKING, terms=wanted))

    assert transition(order, seen(BrokerStatus.WORKING, terms=limit())) is order
    assert after(order, seen(BrokerStatus.WORKING, terms=limit(), fresh=True)).order == limit()


def test_o8_an_unasked_reduction_to_what_is_filled_needs_a_fresh_snapshot() -> None:
    filled = after(working(), execution("e1.01", 50))
    smaller = limit(quantity=50)

    assert transition(filled, seen(BrokerStatus.WORKING, terms=smaller)).status is ExecStatus.PARTIALLY_FILLED
    assert transition(filled, seen(BrokerStatus.WORKING, terms=smaller, fresh=True)).status is ExecStatus.FILLED


def test_prices_that_the_type_has_not_are_ignored() -> None:
    stop = Order(side=Side.BUY, quantity=1, symbol="SPY", order_type=OrderType.STOP, stop_price="13.13")
    order = working(stop)

    synthetic = attrs.evolve(stop, limit_price=Decimal("13.16"))
    assert transition(order, seen(BrokerStatus.HELD, terms=synthetic)).order == stop


def test_a_hand_may_change_the_type() -> None:
    stop = Order(side=Side.BUY, quantity=1, symbol="SPY", order_type=OrderType.STOP, stop_price="13.13")
    to_market = attrs.evolve(stop, order_type=OrderType.MARKET)
    to_limit = attrs.evolve(stop, order_type=OrderType.LIMIT, limit_price=Decimal(12))
    to_both = attrs.evolve(stop, order_type=OrderType.STOP_LIMIT, limit_price=Decimal(12), stop_price=None)

    changed = [after(working(stop), seen(BrokerStatus.WORKING, terms=terms)).order for terms in (to_market, to_limit)]
    assert [(terms.order_type, terms.limit_price, terms.stop_price) for terms in changed] == [
        (OrderType.MARKET, None, None),
        (OrderType.LIMIT, Decimal(12), None),
    ]
    both = after(working(stop), seen(BrokerStatus.WORKING, terms=to_both)).order
    assert (both.limit_price, both.stop_price) == (Decimal(12), Decimal("13.13"))


def test_an_unnamed_type_and_missing_prices_are_no_change() -> None:
    echo = attrs.evolve(limit(), order_type=OrderType.OTHER, limit_price=None)

    assert transition(working(), seen(BrokerStatus.WORKING, terms=echo)).order == limit()


def test_a_change_by_hand_keeps_prices_the_echo_leaves_out() -> None:
    echo = attrs.evolve(limit(quantity=70), order_type=OrderType.OTHER, limit_price=None)

    assert after(working(), seen(BrokerStatus.WORKING, terms=echo)).order == limit(quantity=70)


def test_only_the_last_terms_are_remembered() -> None:
    order = working()
    for price in range(100, 120):
        order = after(order, seen(BrokerStatus.WORKING, terms=limit(price=price)))

    assert len(order.past_terms) == 8
    assert order.past_terms[-1] == limit(price=118)


def test_a_fresh_list_shows_that_a_doubted_replace_was_lost() -> None:
    order = after(replacing(limit(price="496.00")), DOUBT, seen(BrokerStatus.WORKING, terms=limit(), fresh=True))

    assert (order.wanted, order.pending, order.in_doubt) == (None, None, False)


def test_a_fresh_list_corrects_the_quantity_of_a_filled_order_to_its_executions() -> None:
    order = after(working(), execution("e1.01", 40))

    order = after(order, seen(BrokerStatus.FILLED, filled=Decimal(40), fresh=True))
    assert (order.status, order.order.quantity) == (ExecStatus.FILLED, 40)


def test_a_fresh_list_settles_a_filled_order_whose_replace_is_still_waiting() -> None:
    order = after(replacing(limit(quantity=300)), execution("e1.01", 40), DOUBT)

    order = after(order, seen(BrokerStatus.FILLED, filled=Decimal(40), fresh=True))
    assert (order.status, order.order.quantity, order.wanted) == (ExecStatus.FILLED, 40, None)


def test_a_stale_claim_to_be_filled_corrects_no_quantity() -> None:
    order = after(working(), execution("e1.01", 40), seen(BrokerStatus.FILLED, filled=Decimal(40)))

    assert (order.status, order.order.quantity) == (ExecStatus.PARTIALLY_FILLED, 100)


def test_o7_a_filled_echo_at_what_is_filled_ends_a_smaller_replace_there() -> None:
    smaller = replacing(limit(quantity=40))
    order = after(smaller, execution("e1.01", 60), seen(BrokerStatus.FILLED, terms=limit(quantity=60)))

    assert (order.status, order.order.quantity, order.wanted) == (ExecStatus.FILLED, 60, None)


@pytest.mark.parametrize("status", [BrokerStatus.FILLED, BrokerStatus.CANCELED])
def test_o7_an_ending_echo_of_the_wanted_terms_proves_the_replace(status: BrokerStatus) -> None:
    wanted = limit(price="496.00")
    order = after(replacing(wanted), seen(status, terms=wanted))

    assert (order.order, order.wanted) == (wanted, None)


def test_terms_asked_for_before_the_last_ones_may_come_true_first() -> None:
    first, second = limit(price="496.00"), limit(price="497.00")
    order = after(replacing(first), ReplaceRequested(at=START, wanted=second))
    order = after(order, seen(BrokerStatus.WORKING, terms=first))
    assert (order.order, order.wanted, order.pending) == (first, second, Pending.REPLACE)

    assert after(order, seen(BrokerStatus.WORKING, terms=second)).order == second


def test_an_echo_of_an_older_incarnation_changes_no_terms() -> None:
    twice = after(working(), PermIdSeen(at=START, perm_id=PermId(78)))

    assert transition(twice, seen(BrokerStatus.WORKING, perm_id=PERM, terms=limit(price=1))).order == limit()
    assert transition(twice, seen(BrokerStatus.WORKING, perm_id=PermId(78), terms=limit(price=1))).order != limit()


def test_a_strangers_order_known_by_its_executions_learns_its_terms_from_the_echo() -> None:
    known = attrs.evolve(
        working(), external=True, order=Order(side=Side.BUY, quantity=1, contract=SPY, order_type=OrderType.OTHER)
    )
    terms = limit(quantity=70)

    assert transition(known, seen(BrokerStatus.WORKING, terms=terms)).order == terms


# --- doubt (O9) ---


def test_o9_a_living_status_ends_the_doubt_about_a_submission() -> None:
    order = after(sent(), DOUBT)
    assert order.in_doubt

    assert not after(order, seen(BrokerStatus.WORKING)).in_doubt


def test_o9_an_execution_ends_the_doubt_about_a_submission_only() -> None:
    assert not after(sent(), DOUBT, execution(quantity=1)).in_doubt
    assert after(working(), CANCELING, DOUBT, execution(quantity=1)).in_doubt


def test_o9_a_doubted_cancel_needs_an_answer_about_the_cancel() -> None:
    order = after(working(), CANCELING, DOUBT)

    assert after(order, seen(BrokerStatus.WORKING)).in_doubt
    assert not after(order, seen(BrokerStatus.CANCEL_PENDING)).in_doubt
    lost = after(order, seen(BrokerStatus.WORKING, fresh=True))
    assert (lost.in_doubt, lost.pending) == (False, None)
    known = after(order, seen(BrokerStatus.CANCEL_PENDING, fresh=True))
    assert (known.in_doubt, known.pending) == (False, Pending.CANCEL)


def test_a_cancel_that_was_known_and_is_not_any_more_was_lost() -> None:
    order = after(working(), CANCELING, seen(BrokerStatus.CANCEL_PENDING))

    assert after(order, seen(BrokerStatus.WORKING, fresh=True)).pending is None


def test_a_cancel_on_its_way_survives_a_list() -> None:
    assert after(working(), CANCELING, seen(BrokerStatus.WORKING, fresh=True)).pending is Pending.CANCEL


def test_o9_a_doubted_replace_needs_the_echo() -> None:
    wanted = limit(price="496.00")
    order = after(replacing(wanted), DOUBT)

    assert after(order, seen(BrokerStatus.WORKING)).in_doubt
    assert not after(order, seen(BrokerStatus.WORKING, terms=wanted)).in_doubt


def test_o9_a_doubt_about_nothing_pending_ends_with_any_sign_of_life() -> None:
    assert not after(working(), DOUBT, seen(BrokerStatus.WORKING)).in_doubt


def test_o9_a_claim_to_be_filled_is_settled_by_the_fills_alone() -> None:
    order = after(working(), seen(BrokerStatus.FILLED, filled=Decimal(100)), DOUBT)

    assert after(order, seen(BrokerStatus.WORKING, fresh=True)).in_doubt
    assert after(order, REFUSAL).in_doubt
    settled = after(order, execution())
    assert (settled.status, settled.in_doubt) == (ExecStatus.FILLED, False)


def test_a_perm_id_is_learned_once() -> None:
    order = after(sent(), PermIdSeen(at=START, perm_id=PERM))

    assert order.perm_ids == (PERM,)
    assert transition(order, PermIdSeen(at=START, perm_id=PERM)) is order
    assert transition(order, PermIdSeen(at=START, perm_id=PermId(0))) is order


def test_adoption_makes_it_ours() -> None:
    assert not after(attrs.evolve(working(), external=True), AdoptionWanted(at=START)).external


# --- properties ---

_quantities = st.integers(min_value=0, max_value=60)
_statuses = st.builds(
    seen,
    st.sampled_from(BrokerStatus),
    filled=st.none() | _quantities.map(Decimal),
    fresh=st.booleans(),
    terms=st.none() | st.builds(limit, quantity=st.integers(1, 150), price=st.integers(490, 492)),
    perm_id=st.sampled_from((PermId(0), PERM, PermId(78))),
    epoch=st.sampled_from((Epoch(1), Epoch(2))),
    why_held=st.sampled_from(("", "locate")),
)
_evidence = st.one_of(
    _statuses,
    st.builds(
        execution, st.builds("e{}.{:02}".format, st.integers(1, 4), st.integers(1, 3)), _quantities, st.integers(1, 9)
    ),
    st.builds(commission, st.builds("e{}.{:02}".format, st.integers(1, 4), st.integers(1, 3))),
    st.sampled_from((CANCELING, DOUBT, REFUSAL, RejectionSeen(at=START, reason="r"))),
    st.builds(
        lambda quantity: ReplaceRequested(at=START, wanted=limit(quantity=quantity)),
        st.integers(min_value=1, max_value=150),
    ),
    st.builds(
        lambda status: Concluded(at=START, status=status, reason="r"),
        st.sampled_from((ExecStatus.CANCELED, ExecStatus.REJECTED)),
    ),
)


@given(st.lists(_evidence, max_size=25))
def test_no_evidence_breaks_the_ladder(evidence: list[AnyEvidence]) -> None:
    order = sent()
    for one in evidence:
        before, order = order, transition(order, one)
        assert before.fills.keys() <= order.fills.keys()
        if before.status.is_terminal:
            explained = before.status is ExecStatus.CANCELED and order.status is ExecStatus.REJECTED
            assert order.status in (before.status, ExecStatus.FILLED) or (explained and not order.fills)
        if order.status is ExecStatus.FILLED and before.status is not ExecStatus.FILLED:
            assert order.filled >= order.order.quantity
        if order.status.is_terminal:
            assert (order.pending, order.wanted, order.in_doubt, order.held) == (None, None, False, "")
        else:
            assert order.status is not ExecStatus.PARTIALLY_FILLED or order.filled > 0
        assert order.filled == sum((fill.quantity for fill in order.fills.values()), Decimal(0))
        assert order.paid == sum((fill.quantity * fill.price for fill in order.fills.values()), Decimal(0))
        assert len(set(order.perm_ids)) == len(order.perm_ids)


@given(st.lists(_evidence, max_size=15), _evidence)
def test_evidence_told_twice_in_a_row_changes_nothing_the_second_time(
    evidence: list[AnyEvidence], last: AnyEvidence
) -> None:
    order = after(sent(), *evidence, last)
    again = transition(order, last)

    assert (again.fills, again.status, again.perm_ids) == (order.fills, order.status, order.perm_ids)


_reports = st.builds(
    OrderStatusReported,
    at=st.just(START),
    epoch=st.sampled_from((Epoch(1), Epoch(2))),
    order_id=st.just(OrderId(5)),
    status=st.sampled_from(BrokerStatus),
    filled=st.none() | _quantities.map(Decimal),
    perm_id=st.sampled_from((PermId(0), PERM, PermId(78))),
    why_held=st.sampled_from(("", "locate")),
)


def evidence_of(said: OrderStatusReported) -> StatusSeen:
    return seen(said.status, epoch=said.epoch, filled=said.filled, perm_id=said.perm_id, why_held=said.why_held)


def test_an_echo_that_says_filled_without_a_figure_claims_what_the_executions_say() -> None:
    order = after(sent(), execution("e1.01", 100), seen(BrokerStatus.FILLED))
    assert (order.status, order.filled, order.reported_filled) == (ExecStatus.FILLED, Decimal(100), Decimal(100))
    assert transition(order, seen(BrokerStatus.FILLED, filled=Decimal(100))) is order


@given(st.lists(_evidence, max_size=15), st.lists(_reports, min_size=1, max_size=15))
def test_a_status_that_is_passed_over_would_have_changed_nothing(
    evidence: list[AnyEvidence], reports: list[OrderStatusReported]
) -> None:
    order = after(sent(), *evidence)
    for said in reports:
        then = transition(order, evidence_of(said))
        assert then is order or not is_repeated(order, said)
        order = then


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (seen(BrokerStatus.HELD, why_held="locate"), {"status": BrokerStatus.HELD, "why_held": "locate"}),
        (execution("e1.01", 1), {"status": BrokerStatus.WORKING, "filled": Decimal(0)}),
        (seen(BrokerStatus.FILLED, filled=Decimal(100)), {"status": BrokerStatus.FILLED, "filled": Decimal(100)}),
    ],
)
def test_a_status_that_follows_its_echo_is_passed_over(evidence: AnyEvidence, said: dict[str, Any]) -> None:
    order = after(working(), *[execution()] * (said["status"] is BrokerStatus.FILLED), evidence)
    report = OrderStatusReported(at=START, epoch=EPOCH, order_id=OrderId(5), perm_id=PERM, **said)
    assert is_repeated(order, report)
    assert transition(order, evidence_of(report)) is order


_executions = st.lists(
    st.builds(
        execution, st.builds("e{}.{:02}".format, st.integers(1, 5), st.integers(1, 3)), _quantities, st.integers(1, 9)
    ),
    max_size=12,
    unique_by=lambda one: one.fill.exec_id,
)


@given(_executions, st.randoms(use_true_random=False))
def test_fills_do_not_depend_on_the_order_of_executions(executions: list[ExecutionSeen], random: Any) -> None:
    shuffled = list(executions)
    random.shuffle(shuffled)
    straight, mixed = after(sent(), *executions), after(sent(), *shuffled)

    assert {family: (fill.exec_id, fill.quantity) for family, fill in straight.fills.items()} == {
        family: (fill.exec_id, fill.quantity) for family, fill in mixed.fills.items()
    }


def test_an_order_that_was_never_sent_has_no_number() -> None:
    assert sent().number == OrderId(5)
    with pytest.raises(LookupError, match="order a was never sent"):
        _ = new().number


# --- corners that a mutant would turn ---


def test_equal_evidence_in_other_objects_changes_nothing() -> None:
    first, second = (seen(BrokerStatus.WORKING, epoch=Epoch(int(text))) for text in ("100000", "100000"))
    order = after(working(), first)

    assert transition(order, second) is order


def test_terms_asked_for_before_are_remembered_within_bounds() -> None:
    order = replacing(limit(price=1))
    assert after(order, CANCELING).asked_terms == ()
    for price in range(2, 15):
        order = after(order, ReplaceRequested(at=START, wanted=limit(price=price)))

    assert [terms.limit_price for terms in order.asked_terms] == list(range(6, 14))


def test_a_refusal_ends_the_doubt_about_what_was_refused() -> None:
    assert not after(replacing(limit(price=1)), DOUBT, REFUSAL).in_doubt
    assert not after(working(), seen(BrokerStatus.FILLED, filled=Decimal(100)), REFUSAL).in_doubt


def test_a_filled_echo_of_the_wanted_quantity_at_another_price_ends_it_there() -> None:
    wanted = limit(quantity=40, price="496.00")
    order = after(replacing(wanted), execution("e1.01", 40), seen(BrokerStatus.FILLED, terms=limit(quantity=40)))

    assert (order.status, order.order.quantity) == (ExecStatus.FILLED, 40)


@pytest.mark.parametrize(("quantity", "status"), [("0", ExecStatus.WORKING), ("1", ExecStatus.FILLED)])
def test_a_fresh_claim_counts_from_the_first_unit_filled(quantity: str, status: ExecStatus) -> None:
    order = working() if quantity == "0" else after(working(), execution("e1.01", quantity))

    order = after(order, seen(BrokerStatus.FILLED, filled=Decimal(quantity), fresh=True))
    assert order.status is status
    assert order.order.quantity == (100 if quantity == "0" else 1)


def test_a_claim_beyond_the_wanted_quantity_leaves_a_smaller_replace_open() -> None:
    claimed = after(
        replacing(limit(quantity=40)), execution("e1.01", 40), seen(BrokerStatus.FILLED, filled=Decimal(100))
    )

    assert (claimed.status, claimed.order.quantity) == (ExecStatus.PARTIALLY_FILLED, 100)


def test_only_the_newest_of_several_incarnations_speaks_of_terms() -> None:
    thrice = after(working(), PermIdSeen(at=START, perm_id=PermId(78)), PermIdSeen(at=START, perm_id=PermId(79)))

    assert transition(thrice, seen(BrokerStatus.WORKING, perm_id=PermId(78), terms=limit(price=1))).order == limit()


@pytest.mark.parametrize(("echoed", "expected"), [("13.13", "13.13"), ("14.13", "14.13"), (None, "13.13")])
def test_a_stop_price_is_compared_where_there_is_one(echoed: str | None, expected: str) -> None:
    stop = Order(side=Side.SELL, quantity=1, symbol="SPY", order_type=OrderType.STOP, stop_price="13.13")
    echo = attrs.evolve(stop, stop_price=echoed)
    order = working(stop)

    now = transition(order, seen(BrokerStatus.HELD, terms=echo))
    assert now.order.stop_price == Decimal(expected)
    assert (now.order is order.order) is (expected == "13.13")
    assert (now.past_terms == ()) is (expected == "13.13")


def test_an_invented_stop_price_of_a_limit_order_is_no_change() -> None:
    echo = attrs.evolve(limit(), stop_price=Decimal(3))
    order = working()

    assert transition(order, seen(BrokerStatus.WORKING, terms=echo)) is order


def test_nothing_is_added_to_a_filled_order() -> None:
    order = after(working(), execution())

    assert transition(order, RejectionSeen(at=START, reason="late")) is order
    assert after(order, Concluded(at=START, status=ExecStatus.CANCELED, reason="late")).reason == ""


def test_a_cancelled_order_learns_its_reason_from_a_late_conclusion() -> None:
    order = after(working(), execution(quantity=1), seen(BrokerStatus.CANCELED))

    assert after(order, Concluded(at=START, status=ExecStatus.REJECTED, reason="late")).reason == "late"


def test_one_unit_filled_does_not_prove_a_replace_to_one_unit() -> None:
    order = after(replacing(limit(quantity=1)), execution("e1.01", 1))

    assert (order.status, order.pending, order.order.quantity) == (ExecStatus.PARTIALLY_FILLED, Pending.REPLACE, 100)


def test_a_replace_that_fills_proved_is_answered() -> None:
    order = after(replacing(limit(quantity=150)), execution("e1.01", 120))

    assert (order.wanted, order.pending, order.order.quantity) == (None, None, 150)


def test_fills_up_to_all_of_the_wanted_quantity_prove_the_replace() -> None:
    order = after(replacing(limit(quantity=150)), execution("e1.01", 150))

    assert (order.status, order.order.quantity) == (ExecStatus.FILLED, 150)


def test_an_order_of_unknown_quantity_is_not_filled_by_nothing() -> None:
    assert working(limit(quantity=0)).status is ExecStatus.WORKING


def test_a_cash_quantity_is_not_filled_by_a_partial_claim() -> None:
    cash = limit(quantity=0, cash_quantity="1000")
    order = after(working(cash), execution(quantity="2.02"), seen(BrokerStatus.WORKING, filled=Decimal("2.02")))

    assert order.status is ExecStatus.PARTIALLY_FILLED
