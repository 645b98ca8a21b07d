"""What the broker says: whose it is, what it proves, and what is done about what it does not prove."""

# Decimals are compared with plain ints.
# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.domain.contract import Contract, Instrument
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.hearing import effect_of
from actors.domain.identity import Account, ClientId, Epoch, ExecId, OmsId, OrderId, PermId
from actors.domain.order_state import ExecStatus
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import AdoptOrder, RecordNumber, RecordPlacement, StateChanged
from actors.messages.events import Discrepancy, ExecutionUnmatched, OrderFilled, OrderWarned
from actors.messages.reports import (
    AccountValueReported,
    BrokerStatus,
    CommissionReported,
    ExecutionReported,
    FrameDamaged,
    InstrumentReported,
    NoticeEffect,
    NoticeReported,
    OrderBoundReported,
    OrderStatusReported,
    PositionReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.system import SendFailed
from actors.messages.wire import QuerySnapshot
from tests.actors.domain.deskkit import (
    ACCOUNT,
    ALREADY_FILLED,
    CANCEL_REFUSAL,
    CLIENT,
    COMBO,
    FROM_LIST,
    REJECTION,
    SPY,
    START,
    VERIFY,
    WARNING,
    Rig,
    limit,
    market,
    names,
    only,
)

NOTHING_SENT = (NoticeEffect.NOT_SENT,) * 3
IBM = Contract(symbol="IBM", con_id=8314)


# --- identity ---


def test_the_perm_id_is_known_before_the_number() -> None:
    rig = Rig()
    rig.working(oms_id="a")
    rig.submit(oms_id="b")

    rig.status(BrokerStatus.CANCELED, "a", order_id=rig.order("b").order_id)

    assert (rig.order("a").status, rig.order("b").status) == (ExecStatus.CANCELED, ExecStatus.NEW)


def test_a_number_counts_only_on_its_own_connection() -> None:
    rig = Rig()
    rig.submit()
    stale = rig.status(BrokerStatus.CANCELED, perm_id=PermId(0), epoch=Epoch(99))

    assert only(Discrepancy, stale).kind == "UNKNOWN_ORDER"
    assert rig.order().status is ExecStatus.NEW


def test_a_number_of_another_client_is_not_ours() -> None:
    rig = Rig()
    rig.submit()
    outbox = rig.status(BrokerStatus.CANCELED, perm_id=PermId(0), client_id=ClientId(9))

    assert only(Discrepancy, outbox).subject == "client 9 id 1"


def test_an_unknown_order_is_named_once() -> None:
    rig = Rig()
    rig.submit()
    unknown: dict[str, Any] = {"perm_id": PermId(4711), "order_id": OrderId(88)}

    assert only(Discrepancy, rig.status(BrokerStatus.WORKING, **unknown)).subject == "permId 4711"
    assert rig.status(BrokerStatus.WORKING, **unknown) == ()


def test_the_order_reference_finds_an_order_whose_number_was_lost() -> None:
    rig = Rig()
    rig.submit()
    rig.disconnect()
    rig.connect(finish=False)

    rig.echo(snapshot=True, order_id=1)
    rig.status(BrokerStatus.WORKING)

    assert rig.order().status is ExecStatus.WORKING


def test_an_echo_with_a_used_number_and_another_contract_is_a_strangers() -> None:
    rig = Rig()
    rig.submit()

    rig.echo(order_ref="", perm_id=PermId(555), contract=IBM)

    assert rig.order().status is ExecStatus.NEW
    assert rig.order("EXT-555").external


def test_an_echo_with_a_used_number_and_the_other_side_is_a_strangers() -> None:
    rig = Rig()
    rig.submit()

    rig.echo(order_ref="", perm_id=PermId(555), terms=limit(Side.SELL))

    assert rig.order().status is ExecStatus.NEW


def test_an_echo_found_by_its_number_that_fits_is_ours() -> None:
    rig = Rig()
    rig.submit()

    rig.echo(order_ref="", perm_id=PermId(555))

    assert rig.order().perm_ids == (PermId(555),)


def test_two_perm_ids_behind_one_order_are_an_alarm() -> None:
    rig = Rig()
    rig.working()

    outbox = rig.echo(perm_id=PermId(555))

    assert only(Discrepancy, outbox).kind == "TWO_PERM_IDS"
    assert ACCOUNT not in only(Discrepancy, outbox).text
    rig.status(BrokerStatus.CANCELED, perm_id=PermId(555))
    assert rig.order().status is ExecStatus.CANCELED


def test_a_bound_number_names_the_order() -> None:
    rig = Rig()
    rig.submit()
    bound = OrderBoundReported(at=START, epoch=rig.epoch, perm_id=PermId(600), client_id=CLIENT, order_id=OrderId(1))
    rig.hear(bound)
    assert rig.order().perm_ids == (PermId(600),)

    rig.hear(attrs.evolve(bound, order_id=OrderId(90)))
    rig.status(BrokerStatus.WORKING, perm_id=PermId(0), order_id=OrderId(90))
    assert rig.order().status is ExecStatus.WORKING
    assert rig.hear(attrs.evolve(bound, perm_id=PermId(601), order_id=OrderId(91))) == ()


# --- strangers ---


def stranger_echo(rig: Rig, **fields: Any) -> tuple[Any, ...]:
    given: dict[str, Any] = {"order_ref": "", "perm_id": PermId(555), "order_id": OrderId(40)}
    return rig.echo(**(given | fields))


def test_a_strangers_order_is_external_and_counted_not_ours() -> None:
    rig = Rig()
    rig.working()

    outbox = stranger_echo(rig, client_id=ClientId(7))

    assert names(outbox) == ["OrderAccepted"]
    assert rig.order("EXT-555").external
    assert [order.oms_id for order in rig.desk.open_orders()] == ["a"]


def test_a_stranger_without_a_perm_id_is_named_by_its_number() -> None:
    rig = Rig()
    rig.working()
    stranger_echo(rig, perm_id=PermId(0), client_id=ClientId(7))

    assert rig.order(f"EXT-{rig.epoch}.7.40").external


def test_a_strangers_hand_may_change_its_terms_without_alarm() -> None:
    rig = Rig()
    rig.working()
    stranger_echo(rig)

    assert names(stranger_echo(rig, order=limit(price="400.00"))) == ["OrderReplaced"]


def test_an_execution_of_a_stranger_is_booked_as_external() -> None:
    rig = Rig()
    rig.working()
    outbox = rig.execution("s.01", 10, order_ref="", perm_id=PermId(700), order_id=OrderId(41))

    assert names(outbox) == ["ExecutionUnmatched", "OrderAccepted", "OrderFilled"]
    order = only(OrderFilled, outbox).order
    assert (order.oms_id, order.external, order.status) == ("EXT-700", True, ExecStatus.PARTIALLY_FILLED)
    assert rig.desk.holdings() == ()
    assert rig.execution("s.01", 10, order_ref="", perm_id=PermId(700), order_id=OrderId(41)) == ()


def test_more_executions_of_a_stranger_are_no_overfill() -> None:
    rig = Rig()
    rig.working()
    rig.execution("s.01", 10, order_ref="", perm_id=PermId(700), order_id=None)

    outbox = rig.execution("t.01", 10, order_ref="", perm_id=PermId(700), order_id=None)

    assert names(outbox) == ["OrderReplaced", "OrderFilled"]
    assert rig.order("EXT-700").order.quantity == 20


def test_the_cumulative_quantity_shows_how_large_a_strangers_order_is() -> None:
    rig = Rig()
    rig.working()
    rig.execution("s.01", 10, order_ref="", perm_id=PermId(700), order_id=None, cumulative_quantity=Decimal(30))

    assert rig.order("EXT-700").order.quantity == 30


def test_an_execution_without_any_name_is_an_order_of_its_own() -> None:
    rig = Rig()
    rig.working()
    rig.execution("0000e0d5.69dd7411.01.01", 10, order_ref="", perm_id=PermId(0), order_id=None)
    again = rig.execution("0000e0d5.69dd7411.01.02", 9, order_ref="", perm_id=PermId(0), order_id=None)

    assert rig.order("EXT-0000e0d5.69dd7411.01").filled == 9
    assert names(again) == ["FillCorrected"]


def test_an_execution_that_shows_only_the_number_of_a_stranger_is_booked_to_it() -> None:
    rig = Rig()
    rig.working()
    strange: dict[str, Any] = {"order_ref": "", "perm_id": PermId(0), "order_id": OrderId(60), "client_id": ClientId(8)}
    rig.execution("s.01", 10, **strange)
    rig.execution("t.01", 10, **strange)

    assert rig.order(f"EXT-{rig.epoch}.8.60").filled == 20


def test_a_strangers_name_is_used_again_for_its_next_execution() -> None:
    rig = Rig()
    rig.working()
    strange: dict[str, Any] = {"order_ref": "", "perm_id": PermId(0), "order_id": OrderId(60), "client_id": ClientId(8)}
    rig.execution("s.01", 10, **strange)
    rig.execution("t.01", 10, side=Side.SELL, **strange)

    assert rig.order(f"EXT-{rig.epoch}.8.60").filled == 20


def test_an_order_of_our_client_can_be_adopted() -> None:
    rig = Rig()
    rig.working()
    stranger_echo(rig)

    assert rig.hear(AdoptOrder(at=START, oms_id=OmsId("EXT-555"))) == ()
    assert len(rig.desk.open_orders()) == 2
    assert names(rig.cancel("EXT-555")) == ["CancelPlacedOrder"]


@pytest.mark.parametrize("oms_id", ["zz", "a", "EXT-555", "EXT-556"])
def test_nothing_else_can_be_adopted(oms_id: str) -> None:
    rig = Rig()
    rig.working()
    stranger_echo(rig, client_id=ClientId(7))
    stranger_echo(rig, perm_id=PermId(556), order_id=OrderId(41), status=BrokerStatus.CANCELED)

    assert only(Discrepancy, rig.hear(AdoptOrder(at=START, oms_id=OmsId(oms_id)))).kind == "NOT_ADOPTABLE"


def test_fills_of_an_adopted_order_are_ours_from_then_on() -> None:
    rig = Rig()
    rig.working()
    stranger_echo(rig)
    rig.execution("s.01", 10, order_ref="", perm_id=PermId(555), order_id=OrderId(40))
    rig.hear(AdoptOrder(at=START, oms_id=OmsId("EXT-555")))

    assert rig.desk.holdings() == ((ACCOUNT, SPY, Decimal(10)),)


# --- statuses and echoes ---


def test_an_unknown_status_makes_us_ask() -> None:
    rig = Rig()
    rig.working()

    outbox = rig.status(BrokerStatus.UNKNOWN, raw_status="Odd")

    assert only(Discrepancy, outbox).kind == "UNKNOWN_STATUS"
    assert names(rig.wait(1)) == ["QuerySnapshot"] * 3


def test_an_unknown_status_of_a_filled_order_makes_us_ask_too() -> None:
    rig = Rig()
    rig.working()
    rig.execution("e.01", 100)
    rig.status(BrokerStatus.FILLED, filled=100)

    assert only(Discrepancy, rig.status(BrokerStatus.UNKNOWN, raw_status="Odd")).kind == "UNKNOWN_STATUS"


def test_a_preview_is_no_order() -> None:
    rig = Rig()
    rig.submit()

    assert rig.echo(what_if=True) == ()
    assert rig.order().status is ExecStatus.NEW


def test_a_change_by_hand_is_told_and_makes_us_ask() -> None:
    rig = Rig()
    rig.working()

    outbox = rig.echo(terms=limit(price="480.00"))

    assert names(outbox) == ["OrderReplaced", "Discrepancy"]
    assert only(Discrepancy, outbox).kind == "CHANGED_BY_HAND"
    assert names(rig.wait(1)) == ["QuerySnapshot"] * 3


def test_a_held_order_is_told() -> None:
    rig = Rig()
    rig.submit()

    assert names(rig.status(BrokerStatus.INACTIVE, why_held="locate")) == ["OrderAccepted", "OrderHeld"]
    assert rig.wait(60) == ()


def test_an_inactive_order_without_a_reason_is_doubted() -> None:
    rig = Rig()
    rig.submit()
    rig.status(BrokerStatus.INACTIVE)

    assert names(rig.wait(6)) == ["OrderInDoubt", *["QuerySnapshot"] * 3]


@pytest.mark.parametrize("inactive_first", [True, False])
def test_a_rejection_beside_inactive_ends_it_whichever_comes_first(inactive_first: bool) -> None:
    rig = Rig()
    rig.submit()
    steps = [lambda: rig.status(BrokerStatus.INACTIVE), lambda: rig.notice(201, REJECTION)]
    for step in steps if inactive_first else reversed(steps):
        step()

    assert rig.order().status is ExecStatus.REJECTED
    assert rig.wait(60) == ()


# --- executions and commissions ---


def test_an_execution_of_a_list_is_recovered() -> None:
    rig = Rig()
    rig.working()

    assert only(OrderFilled, rig.execution(request_id=FROM_LIST)).recovered
    assert not only(OrderFilled, working_rig().execution()).recovered


def working_rig() -> Rig:
    rig = Rig()
    rig.working()
    return rig


def test_the_time_of_an_execution_is_the_brokers_where_it_says_one() -> None:
    rig = Rig()
    rig.working()
    early = START.replace(hour=9)

    assert only(OrderFilled, rig.execution("e1.01", 1, executed_at=early)).fill.at == early
    assert only(OrderFilled, rig.execution("e2.01", 1)).fill.at == START


def test_an_execution_found_by_its_number_alone_must_fit() -> None:
    rig = Rig()
    rig.working()
    bare: dict[str, Any] = {"order_ref": "", "perm_id": PermId(0)}

    assert names(rig.execution("e1.01", 1, **bare)) == ["OrderFilled"]
    assert "ExecutionUnmatched" in names(rig.execution("e2.01", 1, contract=IBM, **bare))
    assert rig.order().filled == 1


def test_an_execution_that_contradicts_its_order_is_booked_and_named() -> None:
    rig = Rig()
    rig.working()

    outbox = rig.execution("e1.01", 1, side=Side.SELL)

    assert names(outbox) == ["OrderFilled", "Discrepancy"]
    assert only(Discrepancy, outbox).kind == "CONTRADICTION"


def test_an_execution_in_another_instrument_is_a_strangers_whatever_it_bears() -> None:
    rig = Rig()
    rig.working()

    outbox = rig.execution("e1.01", 1, contract=IBM)

    assert "ExecutionUnmatched" in names(outbox)
    assert only(Discrepancy, outbox).kind == "CONTRADICTION"
    assert rig.order().filled == 0


@pytest.mark.parametrize(("symbol", "booked"), [("SPY", 1), ("", 1), ("IBM", 0)])
def test_without_contract_ids_the_symbol_tells_the_instrument(symbol: str, booked: int) -> None:
    rig = Rig()
    rig.working()

    rig.execution("e1.01", 1, contract=Contract(symbol=symbol))

    assert rig.order().filled == booked


def test_legs_of_a_combo_move_positions_and_the_summary_fills_the_order() -> None:
    rig = Rig()
    spread = Order(side=Side.BUY, quantity=2, contract=COMBO, order_type=OrderType.LIMIT, limit_price="-1.20")
    rig.hear(InstrumentReported(at=START, epoch=rig.epoch, wanted=COMBO, instrument=Instrument(contract=COMBO)))
    rig.working(spread)
    near, far = attrs.evolve(IBM, con_id=11), attrs.evolve(IBM, con_id=12)

    rig.execution("l1.01", 2, "2.10", contract=near, side=Side.SELL)
    rig.execution("l2.01", 2, "0.90", contract=far)
    assert rig.order().filled == 0
    assert names(rig.execution("x.01", 2, "-1.20")) == ["OrderFilled"]

    assert rig.order().status is ExecStatus.FILLED
    assert rig.order().average_price == Decimal("-1.20")
    assert {(contract.con_id, held) for _, contract, held in rig.desk.holdings()} == {(11, -2), (12, 2)}
    rig.execution("l1.02", 1, "2.10", contract=near, side=Side.SELL)
    assert {(contract.con_id, held) for _, contract, held in rig.desk.holdings()} == {(11, -1), (12, 2)}


def test_a_commission_may_come_first() -> None:
    rig = Rig()
    rig.working()
    assert rig.commission() == ()

    assert names(rig.execution()) == ["OrderFilled", "CommissionCharged"]
    assert rig.order().commission == 1
    assert rig.desk.snapshot().commissions == ()


def test_a_commission_of_a_correction_waits_for_it() -> None:
    rig = Rig()
    rig.working()
    rig.execution("e1.01", 10)
    rig.commission("e1.01")
    assert rig.commission("e1.02", "2.00") == ()

    assert rig.order().commission == 1
    assert names(rig.execution("e1.02", 9)) == ["FillCorrected", "CommissionCharged"]
    assert rig.order().commission == 2


def test_a_waiting_commission_of_a_correction_is_not_charged_to_the_execution_before() -> None:
    rig = Rig()
    rig.working()
    rig.commission("e1.02", "2.00")

    assert names(rig.execution("e1.01", 10)) == ["OrderFilled"]
    assert names(rig.execution("e1.02", 9)) == ["FillCorrected", "CommissionCharged"]


@pytest.mark.parametrize(("earlier", "later"), [("e1.01", "e1.02"), ("e1.9", "e1.10")])
def test_of_two_waiting_commissions_the_later_correction_counts(earlier: str, later: str) -> None:
    rig = Rig()
    rig.working()
    rig.commission(later, "2.00")
    rig.commission(earlier, "1.00")

    rig.execution(later, 9)
    assert rig.order().commission == 2


@pytest.mark.parametrize("commission", [None])
def test_a_commission_that_was_not_computed_is_no_commission(commission: None) -> None:
    rig = Rig()
    rig.working()
    rig.execution()

    assert rig.commission("e1.01", commission) == ()
    assert rig.commission("zz.01", commission) == ()
    assert rig.desk.snapshot().commissions == ()


def test_waiting_commissions_are_bounded() -> None:
    rig = Rig()
    for number in range(10_005):
        rig.hear(CommissionReported(at=START, epoch=rig.epoch, exec_id=ExecId(f"c{number}.01"), commission=Decimal(1)))

    kept = rig.desk.snapshot().commissions
    assert (len(kept), kept[0][0]) == (10_000, "c5")


# --- evicted orders ---


def evicting(keep: int = 0) -> Rig:
    rig = Rig(DeskConfig(keep_closed=keep))
    rig.submit()
    rig.status(BrokerStatus.WORKING)
    return rig


def end(rig: Rig) -> tuple[OrderId, PermId]:
    order_id, perm_id = rig.order().order_id, rig.perm_id("a")
    assert order_id is not None
    rig.status(BrokerStatus.CANCELED)
    return order_id, perm_id


def late_execution(rig: Rig, perm_id: PermId, exec_id: str = "e1.01", order_ref: str = "a") -> tuple[Any, ...]:
    return rig.hear(
        ExecutionReported(
            at=START,
            epoch=rig.epoch,
            exec_id=ExecId(exec_id),
            contract=SPY,
            side=Side.BUY,
            quantity=Decimal(10),
            price=Decimal(5),
            order_id=OrderId(1),
            perm_id=perm_id,
            client_id=CLIENT,
            account=ACCOUNT,
            order_ref=order_ref,
        )
    )


def test_an_ended_order_is_evicted_and_its_name_stays_used() -> None:
    rig = evicting()
    end(rig)

    assert rig.desk.order(OmsId("a")) is None
    assert only(Discrepancy, rig.submit()).kind == "DUPLICATE_OMS_ID"


def test_a_repeated_execution_of_an_evicted_order_is_not_booked_again() -> None:
    rig = evicting()
    rig.execution("e1.01", 10)
    _, perm_id = end(rig)

    assert late_execution(rig, perm_id) == ()
    assert rig.hear(CommissionReported(at=START, epoch=rig.epoch, exec_id=ExecId("e1.01"), commission=Decimal(1))) == ()
    assert rig.desk.snapshot().commissions == ()
    correction = late_execution(rig, perm_id, "e1.02")
    assert only(Discrepancy, correction).kind == "LATE_CORRECTION"


@pytest.mark.parametrize("order_ref", ["a", ""])
def test_a_late_fill_of_an_evicted_order_is_booked_and_named(order_ref: str) -> None:
    rig = evicting()
    _, perm_id = end(rig)

    outbox = late_execution(rig, perm_id, order_ref=order_ref)

    assert names(outbox) == ["ExecutionUnmatched", "Discrepancy", "OrderAccepted", "OrderFilled"]
    assert (only(Discrepancy, outbox).kind, only(Discrepancy, outbox).subject) == ("LATE_FILL", "a")
    assert rig.desk.holdings() == ((ACCOUNT, SPY, Decimal(10)),)


def test_an_echo_of_an_evicted_order_makes_no_stranger_of_it() -> None:
    rig = evicting()
    order = rig.order()
    end(rig)
    rig.submit(oms_id="b")

    assert rig.echo("b", order_ref="a", perm_id=PermId(1_000_001), order_id=order.order_id) == ()
    assert rig.desk.order(OmsId("EXT-1000001")) is None


def test_a_late_status_of_an_evicted_order_is_nothing_new() -> None:
    rig = evicting()
    order_id, perm_id = end(rig)

    late = OrderStatusReported(
        at=START, epoch=rig.epoch, order_id=order_id, status=BrokerStatus.CANCELED, perm_id=perm_id, client_id=CLIENT
    )
    assert rig.hear(late) == ()


# --- notices ---


def test_a_rejection_ends_a_new_order() -> None:
    rig = Rig()
    rig.submit()

    assert names(rig.notice(201, REJECTION)) == ["OrderRejected"]
    assert rig.order().reason == "201: as the broker put it"


def test_a_rejection_ends_an_acknowledged_order_that_asked_for_nothing_since() -> None:
    rig = Rig()
    rig.working()

    assert names(rig.notice(201, REJECTION)) == ["OrderRejected"]


def test_a_rejection_ends_a_new_order_whose_cancel_is_on_its_way() -> None:
    rig = Rig()
    rig.submit()
    rig.cancel()

    assert names(rig.notice(201, REJECTION)) == ["OrderRejected"]


def test_a_warning_changes_nothing() -> None:
    rig = Rig()
    rig.working()

    warned = only(OrderWarned, rig.notice(399, WARNING))
    assert (warned.code, warned.text) == (399, "as the broker put it")
    assert rig.order().status is ExecStatus.WORKING


def test_an_unknown_code_never_kills_and_makes_us_ask() -> None:
    rig = Rig()
    rig.working()

    assert names(rig.notice(4711, VERIFY)) == ["OrderWarned", "OrderInDoubt"]
    assert names(rig.wait(1)) == ["QuerySnapshot"] * 3


def test_an_unknown_code_for_an_ended_order_is_only_told() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED)

    assert names(rig.notice(10147, VERIFY)) == ["OrderWarned"]


def test_an_order_that_the_library_did_not_send_is_rejected() -> None:
    rig = Rig()
    rig.submit()

    assert names(rig.notice(504, NOTHING_SENT)) == ["OrderRejected"]


def test_a_modification_of_a_filled_order_proves_it_filled() -> None:
    rig = Rig()
    rig.working()

    rig.notice(104, ALREADY_FILLED)
    assert rig.order().reported_done


@pytest.mark.parametrize("subject", [None, 0, -1, 4711])
def test_a_notice_that_names_no_order_is_ignored(subject: int | None) -> None:
    rig = Rig()
    rig.submit()

    assert rig.notice(201, REJECTION, subject=subject) == ()


def test_a_notice_of_an_older_connection_is_ignored() -> None:
    rig = Rig()
    rig.working()
    rig.disconnect()
    rig.connect(finish=False)
    rig.echo()
    rig.epoch = Epoch(rig.epoch - 1)

    assert rig.notice(201, REJECTION) == ()


@pytest.mark.parametrize(
    ("effects", "asked", "expected"),
    [
        (REJECTION, "new", NoticeEffect.REJECTED),
        (NOTHING_SENT, "new", NoticeEffect.NOT_SENT),
        (VERIFY, "new", NoticeEffect.VERIFY),
        (WARNING, "new", NoticeEffect.NONE),
        (REJECTION, "replace", NoticeEffect.REFUSED),
        (REJECTION, "cancel", NoticeEffect.VERIFY),
        (REJECTION, "replace then cancel", NoticeEffect.REFUSED),
        (WARNING, "cancel", NoticeEffect.NONE),
        (NOTHING_SENT, "cancel", NoticeEffect.NOT_SENT),
        (REJECTION, "working", NoticeEffect.REJECTED),
        (NOTHING_SENT, "working", NoticeEffect.VERIFY),
        (ALREADY_FILLED, "working", NoticeEffect.FILLED),
        (REJECTION, "replace answered", NoticeEffect.NONE),
        (NOTHING_SENT, "replace answered", NoticeEffect.NONE),
        (ALREADY_FILLED, "replace answered", NoticeEffect.FILLED),
        ((NoticeEffect.REJECTED,) * 3, "replace answered", NoticeEffect.VERIFY),
        (VERIFY, "cancel answered", NoticeEffect.VERIFY),
        (CANCEL_REFUSAL, "new cancel", NoticeEffect.REQUEST_OFF),
        (CANCEL_REFUSAL, "cancel", NoticeEffect.REQUEST_OFF),
        (CANCEL_REFUSAL, "replace then cancel", NoticeEffect.REQUEST_OFF),
        (CANCEL_REFUSAL, "working", NoticeEffect.VERIFY),
        (CANCEL_REFUSAL, "cancel answered", NoticeEffect.NONE),
    ],
)
def test_what_a_notice_proves_depends_on_what_was_asked(
    effects: tuple[NoticeEffect, ...], asked: str, expected: NoticeEffect
) -> None:
    rig = Rig()
    rig.submit()
    if not asked.startswith("new"):
        rig.status(BrokerStatus.WORKING)
    if asked.startswith("replace"):
        rig.replace(limit_price=Decimal(1))
    if "cancel" in asked:
        rig.cancel()
    if asked.endswith("answered"):
        failed = SendFailed(at=START, epoch=rig.epoch, oms_id="a", uncertain=False, text="")
        rig.hear(failed)
    on_new, on_modify, on_cancel = effects
    notice = NoticeReported(
        at=START, epoch=rig.epoch, code=1, text="", on_new=on_new, on_modify=on_modify, on_cancel=on_cancel
    )

    assert effect_of(rig.order(), notice) is expected


def test_a_cancel_that_did_nothing_is_answered_and_a_living_status_ends_the_doubt() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()

    assert names(rig.notice(161, CANCEL_REFUSAL)) == ["OrderInDoubt", "CancelRefused"]
    assert (rig.order().pending, rig.order().in_doubt) == (None, True)
    assert names(rig.wait(1)) == ["QuerySnapshot"] * 3

    assert "OrderResolved" in names(rig.status(BrokerStatus.WORKING))
    assert (rig.order().status, rig.order().pending, rig.order().in_doubt) == (ExecStatus.WORKING, None, False)


# --- the rest ---


def test_a_damaged_frame_makes_us_ask_every_time() -> None:
    rig = Rig()
    damaged = FrameDamaged(at=START, epoch=rig.epoch, name="execDetails", reason="short")

    for _ in range(2):
        assert only(Discrepancy, rig.hear(damaged)).kind == "FRAME_DAMAGED"
    assert names(rig.wait(1)) == ["QuerySnapshot"] * 3


def test_what_only_the_journal_keeps_decides_nothing() -> None:
    rig = Rig()
    before = rig.desk.snapshot()
    account = Account("DU1")

    rig.hear(PositionReported(at=START, epoch=rig.epoch, account=account, contract=SPY, quantity=Decimal(1)))
    rig.hear(AccountValueReported(at=START, epoch=rig.epoch, account=account, key="k", value="1"))
    rig.hear(StateChanged(at=START, strategy_id="s", key="k", value_json=None))

    assert rig.desk.snapshot() == before


def test_complaints_are_bounded_and_come_again_when_forgotten() -> None:
    rig = Rig()
    rig.submit()
    for number in range(1_005):
        rig.status(BrokerStatus.WORKING, perm_id=PermId(5_000 + number), order_id=OrderId(90))

    assert len(rig.desk.snapshot().complained) == 1_000
    assert names(rig.status(BrokerStatus.WORKING, perm_id=PermId(5_000), order_id=OrderId(90))) == ["Discrepancy"]


def test_a_restored_desk_decides_like_the_first() -> None:
    rig = Rig()
    rig.working(market())
    rig.execution("e1.01", 10)
    rig.commission("e9.01")
    rig.cancel()
    restored = Desk.restore(rig.desk.snapshot(), rig.desk.config)

    assert restored.snapshot() == rig.desk.snapshot()
    last = rig.status(BrokerStatus.CANCELED)
    rig.desk = restored
    assert rig.status(BrokerStatus.CANCELED) == last


def test_an_unmatched_execution_is_said_with_its_id() -> None:
    rig = Rig()
    rig.working()

    outbox = rig.execution("q.01", 1, order_ref="", perm_id=PermId(31), order_id=None)
    assert only(ExecutionUnmatched, outbox).exec_id == "q.01"


# --- evicted strangers, bounded names, recorded numbers ---


def test_an_evicted_stranger_leaves_only_its_executions() -> None:
    rig = Rig(DeskConfig(keep_closed=0))
    rig.working()
    strange: dict[str, Any] = {"order_ref": "", "perm_id": PermId(700), "order_id": None}
    rig.execution("s.01", 10, **strange)

    assert rig.desk.order(OmsId("EXT-700")) is None
    assert rig.execution("s.01", 10, **strange) == ()
    assert rig.desk.snapshot().book.past_perm_ids == ()


def test_names_of_evicted_orders_are_bounded() -> None:
    rig = Rig(DeskConfig(keep_closed=0, keep_names=2))
    for name in "abc":
        rig.working(oms_id=name)
        rig.status(BrokerStatus.CANCELED, name)

    assert rig.desk.snapshot().book.past_ids == ("b", "c")
    assert "PlaceOrder" in names(rig.submit(oms_id="a"))


def test_a_late_fill_of_an_evicted_order_is_found_by_its_reference_alone() -> None:
    rig = evicting()
    end(rig)

    assert only(Discrepancy, late_execution(rig, PermId(0))).subject == "a"


def test_an_order_number_of_zero_is_no_number() -> None:
    rig = Rig()
    rig.working()
    stranger_echo(rig, order_id=OrderId(0), client_id=ClientId(0))

    outbox = rig.status(BrokerStatus.CANCELED, perm_id=PermId(0), order_id=OrderId(0), client_id=ClientId(0))
    assert only(Discrepancy, outbox).kind == "UNKNOWN_ORDER"


def test_a_recorded_number_finds_the_order_on_a_later_connection() -> None:
    rig = Rig()
    rig.submit()
    for oms_id in ("a", "zz"):
        number = RecordNumber(at=START, oms_id=OmsId(oms_id), order_id=OrderId(44), epoch=Epoch(9), client_id=CLIENT)
        assert rig.hear(number) == ()

    rig.status(BrokerStatus.WORKING, perm_id=PermId(0), order_id=OrderId(44), epoch=Epoch(9))
    assert rig.order().status is ExecStatus.WORKING


def test_a_snapshot_echo_without_a_perm_id_waits_for_the_end_of_the_lists() -> None:
    rig = Rig()
    rig.submit()
    outbox = rig.lists()
    rig.echo(snapshot=True, perm_id=PermId(0))
    assert rig.order().status is ExecStatus.NEW

    rig.end_lists(outbox)
    assert (rig.order().status, rig.order().perm_ids) == (ExecStatus.WORKING, ())


def test_a_cancel_that_is_taken_back_is_named() -> None:
    rig = Rig()
    rig.working()
    rig.status(BrokerStatus.CANCELED)

    assert only(Discrepancy, rig.echo()).kind == "ALIVE_AFTER_END"


def test_an_execution_of_a_combo_found_by_its_number_fits_whatever_its_leg() -> None:
    rig = Rig()
    rig.hear(InstrumentReported(at=START, epoch=rig.epoch, wanted=COMBO, instrument=Instrument(contract=COMBO)))
    rig.working(Order(side=Side.BUY, quantity=2, contract=COMBO))

    rig.execution("l1.01", 2, contract=IBM, side=Side.SELL, order_ref="", perm_id=PermId(0))
    assert [contract for _, contract, _ in rig.desk.holdings()] == [IBM]


def test_the_desk_says_when_it_needs_the_next_tick() -> None:
    rig = Rig()
    assert rig.desk.next_due is None
    rig.submit()

    assert rig.desk.next_due == 10.0


def test_a_recorded_change_under_a_cancel_is_no_refusal_of_the_cancel() -> None:
    rig = Rig()
    rig.working()
    rig.cancel()
    record = RecordPlacement(
        at=START,
        oms_id=OmsId("a"),
        order_id=OrderId(1),
        epoch=rig.epoch,
        order=limit(price="496.00"),
        contract=SPY,
        client_id=CLIENT,
    )

    assert rig.hear(record) == ()


def test_a_row_that_stays_damaged_is_asked_for_in_peace() -> None:
    """What comes with the answer comes with each: to ask at once would ask for ever."""
    rig = Rig()
    damaged = FrameDamaged(at=START, epoch=rig.epoch, name="execDetails", reason="corrupt")
    rig.hear(damaged)
    runs = 0
    for _ in range(120):
        outbox = rig.wait(1)
        while queries := [said for said in outbox if isinstance(said, QuerySnapshot)]:
            runs += any(query.kind is SnapshotKind.OPEN_ORDERS for query in queries)
            outbox = ()
            for query in queries:
                torn = query.kind is SnapshotKind.EXECUTIONS
                outbox += rig.hear(damaged) if torn else ()
                outbox += rig.hear(
                    SnapshotEnded(at=rig.now, epoch=rig.epoch, kind=query.kind, complete=not torn, reason="")
                )

    assert runs == 4


def test_a_frame_that_was_damaged_during_a_long_run_is_asked_for_after_it() -> None:
    rig = Rig()
    outbox = rig.lists()
    rig.hear(FrameDamaged(at=START, epoch=rig.epoch, name="orderStatus", reason="corrupt"))
    assert not any(isinstance(said, QuerySnapshot) for said in rig.wait(40))
    rig.end_lists(outbox)

    assert any(isinstance(said, QuerySnapshot) for said in rig.wait(1))


def test_a_flood_of_damaged_frames_is_counted_and_thinned_out() -> None:
    rig = Rig()
    damaged = FrameDamaged(at=START, epoch=rig.epoch, name="message 211", reason="corrupt")
    told = [said.text for _ in range(2_500) for said in rig.hear(damaged) if isinstance(said, Discrepancy)]
    assert len(told) == 22
    assert told[-1] == "corrupt (damaged frame 2,000)"
    assert rig.desk.snapshot().damaged == 2_500
