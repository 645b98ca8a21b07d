from datetime import UTC, datetime
from decimal import Decimal

import pytest

from actors.domain.contract import SecType
from actors.domain.identity import OrderId
from actors.domain.terms import OrderType, Side, TimeInForce
from actors.messages.reports import (
    AccountsReported,
    AccountValueReported,
    BrokerStatus,
    CommissionReported,
    CompletedOrderReported,
    ExecutionReported,
    FrameDamaged,
    LinkCondition,
    LinkConditionReported,
    NextOrderIdReported,
    NoticeKind,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    ServerTimeReported,
    SnapshotEnded,
    SnapshotKind,
)
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.inbound import CALLBACKS
from tests.ibapi_bridge.official import AT, EPOCH, commission, contract, execution, order, said, state

UNSET_DOUBLE = 1.7976931348623157e308
UNSET_DECIMAL = Decimal(2**127 - 1)


def status(**args: object) -> OrderStatusReported:
    (report,) = said("orderStatus", orderId=7, **args)
    assert isinstance(report, OrderStatusReported)
    return report


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("ApiPending", BrokerStatus.PENDING),
        ("PendingSubmit", BrokerStatus.PENDING),
        ("PreSubmitted", BrokerStatus.HELD),
        ("Submitted", BrokerStatus.WORKING),
        ("PendingCancel", BrokerStatus.CANCEL_PENDING),
        ("ApiCancelled", BrokerStatus.CANCELED),
        ("Cancelled", BrokerStatus.CANCELED),
        ("Filled", BrokerStatus.FILLED),
        ("Inactive", BrokerStatus.INACTIVE),
        ("Rempli", BrokerStatus.UNKNOWN),
        ("", BrokerStatus.UNKNOWN),
    ],
)
def test_every_status_word_has_one_meaning_and_unknown_ones_none(word: str, meaning: BrokerStatus) -> None:
    report = status(status=word)
    assert report.status is meaning
    assert report.raw_status == word


def test_figures_of_a_status_stay_exact() -> None:
    report = status(
        status="Submitted", filled=Decimal("30.5"), remaining="69.5", avgFillPrice=0.1, permId=2**40, mktCapPrice=0.0
    )
    assert (report.filled, report.remaining) == (Decimal("30.5"), Decimal("69.5"))
    assert report.average_price == Decimal("0.1")
    assert report.perm_id == 2**40
    assert report.price_cap is None


@pytest.mark.parametrize("nothing", [None, "", UNSET_DECIMAL, float("nan"), float("inf"), "Infinity", -1, "abc"])
def test_what_is_unset_absurd_or_negative_is_reported_as_unknown(nothing: object) -> None:
    assert status(status="Submitted", filled=nothing).filled is None


def test_open_order_carries_terms_owner_and_state() -> None:
    (report,) = said(
        "openOrder",
        orderId=294,
        contract=contract(conId=756733, primaryExchange="ARCA"),
        order=order(totalQuantity=Decimal(10), lmtPrice=13.27, permId=99, clientId=1, account="DU123", orderRef="a-1"),
        orderState=state(status="PreSubmitted"),
    )
    assert isinstance(report, OpenOrderReported)
    assert (report.order_id, report.perm_id, report.client_id, report.order_ref) == (294, 99, 1, "a-1")
    assert report.status is BrokerStatus.HELD
    assert report.order.limit_price == Decimal("13.27")
    assert report.order.stop_price is None
    assert report.contract.con_id == 756733
    assert not report.snapshot


def test_synthetic_limit_price_of_a_stop_echo_is_ignored() -> None:
    (report,) = said(
        "openOrder",
        orderId=1,
        contract=contract(),
        order=order(orderType="STP", auxPrice=13.13, lmtPrice=13.16, totalQuantity=Decimal(1)),
        orderState=state(status="PreSubmitted"),
    )
    assert isinstance(report, OpenOrderReported)
    assert report.order.order_type is OrderType.STOP
    assert (report.order.limit_price, report.order.stop_price) == (None, Decimal("13.13"))


def test_foreign_order_types_keep_their_name() -> None:
    (report,) = said(
        "openOrder",
        orderId=0,
        contract=contract(secType="WHATEVER"),
        order=order(orderType="TRAIL LIMIT", action="SSHORT", tif="GTX", totalQuantity=UNSET_DECIMAL),
        orderState=state(status="Submitted"),
    )
    assert isinstance(report, OpenOrderReported)
    assert (report.order.order_type, report.order.broker_type) == (OrderType.OTHER, "TRAIL LIMIT")
    assert (report.order.side, report.order.time_in_force) == (Side.SELL, TimeInForce.DAY)
    assert report.order.quantity == 0
    assert report.contract.sec_type is SecType.OTHER


def test_open_orders_are_a_snapshot_exactly_while_the_query_runs() -> None:
    context = Conversation()
    row = {"orderId": 1, "contract": contract(), "order": order(), "orderState": state(status="Submitted")}
    context.note("reqAllOpenOrders", {})
    assert said("openOrder", context, **row)[0].snapshot is True  # type: ignore[attr-defined]
    (ended,) = said("openOrderEnd", context)
    assert isinstance(ended, SnapshotEnded)
    assert (ended.kind, ended.complete) == (SnapshotKind.OPEN_ORDERS, True)
    assert said("openOrder", context, **row)[0].snapshot is False  # type: ignore[attr-defined]


@pytest.mark.parametrize(("asked", "kind"), [(True, NoticeKind.REQUEST_FAILED), (False, NoticeKind.UNKNOWN)])
def test_a_code_nobody_knows_about_a_request_says_that_the_request_failed(asked: bool, kind: NoticeKind) -> None:
    context = Conversation()
    if asked:
        context.note("reqMktData", {"reqId": 10_000_001, "contract": contract()})
    notice = said("error", context, reqId=10_000_001, errorCode=19_999, errorString="?")[0]
    assert isinstance(notice, NoticeReported)
    assert notice.kind is kind


def test_an_end_that_nobody_asked_for_ends_nothing() -> None:
    assert said("openOrderEnd") == ()
    assert said("execDetailsEnd", reqId=10_000_000) == ()


def test_completed_order_has_no_order_id_and_keeps_the_filled_quantity() -> None:
    (report,) = said(
        "completedOrder",
        contract=contract(),
        order=order(totalQuantity=Decimal(0), filledQuantity=Decimal(100), permId=5, orderRef="x"),
        orderState=state(status="Filled", completedStatus="Filled Size: 100\n"),
    )
    assert isinstance(report, CompletedOrderReported)
    assert (report.filled, report.perm_id, report.completed_status) == (Decimal(100), 5, "Filled Size: 100")


def test_execution_is_translated_whole() -> None:
    (report,) = said(
        "execDetails",
        reqId=-1,
        contract=contract(),
        execution=execution(
            execId="0000e0d5.69dd7411.01.01",
            time="20260413 15:27:04 US/Eastern",
            side="SLD",
            shares=Decimal(10),
            price=262.5,
            orderId=294,
            permId=7,
            clientId=1,
            acctNumber="DU1",
            exchange="IEX",
            cumQty=Decimal(10),
            avgPrice=262.5,
            orderRef="a-1",
            lastLiquidity=2,
            liquidation=1,
        ),
    )
    assert isinstance(report, ExecutionReported)
    assert (report.side, report.quantity, report.price) == (Side.SELL, Decimal(10), Decimal("262.5"))
    assert report.executed_at == datetime(2026, 4, 13, 19, 27, 4, tzinfo=UTC)
    assert report.request_id is None
    assert (report.venue, report.liquidity, report.liquidation) == ("IEX", 2, True)


@pytest.mark.parametrize("unknown", [0, 2**31 - 1])
def test_manual_orders_executions_have_no_order_id(unknown: int) -> None:
    (report,) = said(
        "execDetails",
        reqId=10_000_001,
        contract=contract(),
        execution=execution(execId="a.01", side="BOT", shares=Decimal(1), price=1.0, orderId=unknown),
    )
    assert isinstance(report, ExecutionReported)
    assert report.order_id is None
    assert report.request_id == 10_000_001


@pytest.mark.parametrize(
    "broken", [{"side": "XXX"}, {"shares": Decimal("NaN")}, {"price": UNSET_DOUBLE}, {"execId": ""}]
)
def test_execution_without_its_essentials_becomes_a_damaged_frame(broken: dict[str, object]) -> None:
    whole = {"execId": "a.01", "side": "BOT", "shares": Decimal(1), "price": 1.0, **broken}
    (report,) = said("execDetails", reqId=-1, contract=contract(), execution=execution(**whole))
    assert isinstance(report, FrameDamaged)
    assert report.name == "execDetails"


def test_commission_not_computed_is_none() -> None:
    (report,) = said(
        "commissionAndFeesReport",
        commissionAndFeesReport=commission(
            execId="a.01", commissionAndFees=1.05, currency="USD", realizedPNL=UNSET_DOUBLE
        ),
    )
    assert isinstance(report, CommissionReported)
    assert (report.commission, report.currency, report.realized_pnl) == (Decimal("1.05"), "USD", None)


def test_an_order_error_becomes_a_notice_with_its_proof() -> None:
    (report,) = said(
        "error", reqId=40, errorTime=0, errorCode=201, errorString="Order rejected - reason:<br>no margin\x00"
    )
    assert isinstance(report, NoticeReported)
    assert (report.subject, report.code) == (40, 201)
    assert "<br>" not in report.text
    assert report.text.isprintable()


@pytest.mark.parametrize(
    ("code", "condition"), [(1100, LinkCondition.BACKEND_LOST), (1101, LinkCondition.BACKEND_RESTORED_DATA_LOST)]
)
def test_system_notices_become_link_conditions(code: int, condition: LinkCondition) -> None:
    notice, report = said("error", reqId=-1, errorTime=0, errorCode=code, errorString="words")
    assert isinstance(notice, NoticeReported)
    assert notice.subject is None
    assert isinstance(report, LinkConditionReported)
    assert report.condition is condition


def test_the_new_port_is_read_from_a_port_reset() -> None:
    _, report = said("error", reqId=-1, errorCode=1300, errorString="The socket port was reset to 4003.")
    assert isinstance(report, LinkConditionReported)
    assert report.port == 4003


def test_simple_statements() -> None:
    assert said("nextValidId", orderId=295) == (NextOrderIdReported(at=AT, epoch=EPOCH, order_id=OrderId(295)),)
    (accounts,) = said("managedAccounts", accountsList="DU1,DU2, ,")
    assert isinstance(accounts, AccountsReported)
    assert accounts.accounts == ("DU1", "DU2")
    (position,) = said("position", account="DU1", contract=contract(), position=Decimal(-3), avgCost=2100.63)
    assert isinstance(position, PositionReported)
    assert (position.quantity, position.average_cost) == (Decimal(-3), Decimal("2100.63"))
    (value,) = said("updateAccountValue", key="NetLiquidation", val="1.5", currency="USD", accountName="DU1")
    (same,) = said("accountSummary", reqId=1, account="DU1", tag="NetLiquidation", value="1.5", currency="USD")
    assert isinstance(value, AccountValueReported)
    assert value == same
    (time,) = said("currentTimeInMillis", timeInMillis=1_776_000_000_500)
    assert isinstance(time, ServerTimeReported)
    assert time.server_time == datetime.fromtimestamp(1_776_000_000.5, UTC)


@pytest.mark.parametrize("nonsense", [0, -5, 2**62])
def test_a_time_that_is_none_is_an_answer_all_the_same(nonsense: int) -> None:
    (report,) = said("currentTime", time=nonsense)
    assert isinstance(report, ServerTimeReported)
    assert report.server_time is None


def test_an_unknown_callback_says_nothing() -> None:
    assert said("newsBulletin", text="hello") == ()


@pytest.mark.parametrize("name", sorted(CALLBACKS))
def test_no_callback_raises_whatever_its_arguments(name: str) -> None:
    junk: list[object] = [None, "", "x" * 100_000, "\ud800\x00\n", -1, 2**200, float("nan"), object(), [], {"a": 1}]
    for value in junk:
        keys = ["reqId", "orderId", "contract", "order", "orderState", "execution", "time", "position", "errorCode"]
        for report in said(name, **dict.fromkeys(keys, value)):
            assert report is not None
