"""A whole link: against a gateway whose every byte is scripted, and against the simulator."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from actors.domain.contract import Contract, Instrument, SecType
from actors.domain.identity import Account, Epoch, OrderId
from actors.domain.terms import OrderType
from actors.link import SendError
from actors.messages.reports import (
    AccountsReported,
    AccountValueReported,
    BrokerStatus,
    CommissionReported,
    ExecutionReported,
    InstrumentRefused,
    InstrumentReported,
    NextOrderIdReported,
    NoticeReported,
    OpenOrderReported,
    OrderStatusReported,
    PositionReported,
    QuoteReported,
    Report,
    ServerTimeReported,
    SnapshotEnded,
    SnapshotKind,
)
from actors.messages.wire import (
    CancelPlacedOrder,
    FinishReconciliation,
    QualifyContract,
    QuerySnapshot,
    ReplacePlacedOrder,
    Subscribe,
)
from actors.urgency import is_anything_urgent
from ibapi_bridge import link as link_module
from ibapi_bridge.contracts import InstrumentCache
from ibapi_bridge.gateway_simulator import GatewayConfig, GatewaySimulator
from ibapi_bridge.link import IbapiLink
from tests.ibapi_bridge.samples import AT, limit_order, place_order
from tests.ibapi_bridge.scripted_gateway import (
    Heard,
    ScriptedGateway,
    connection,
    last_words,
    make_link,
    message_class,
    protobuf,
    squeeze,
    status,
)

pytestmark = pytest.mark.socket

SPY = Contract(symbol="SPY")
OPEN_ORDERS_END = protobuf(53, "OpenOrdersEnd")


def query(kind: SnapshotKind, seconds: float = 10) -> QuerySnapshot:
    return QuerySnapshot(at=AT, epoch=Epoch(1), kind=kind, deadline_seconds=seconds)


def request_id(frame: bytes) -> int:
    return int.from_bytes(frame[:4], "big") - 200


def test_a_second_question_about_open_orders_waits_for_the_first_answer() -> None:
    with connection() as (gateway, link, heard):
        link.send(query(SnapshotKind.OPEN_ORDERS))
        link.send(query(SnapshotKind.OPEN_ORDERS))
        assert request_id(gateway.read_frame()) == 16
        gateway.send(status(1) + OPEN_ORDERS_END)
        assert request_id(gateway.read_frame()) == 16
        gateway.send(status(2) + OPEN_ORDERS_END)
        heard.next(SnapshotEnded)
        statuses = [report.order_id for report in heard.seen if isinstance(report, OrderStatusReported)]
        assert statuses == [1, 2]


def test_open_orders_downloaded_unasked_are_not_taken_for_the_answer() -> None:
    with connection() as (gateway, link, heard):
        link.send(query(SnapshotKind.OPEN_ORDERS))
        gateway.read_frame()
        gateway.send(status(1) + OPEN_ORDERS_END)  # the download on connection was still on its way
        gateway.send(status(1) + status(2) + OPEN_ORDERS_END)
        heard.next(SnapshotEnded)
        statuses = [report.order_id for report in heard.seen if isinstance(report, OrderStatusReported)]
        assert statuses == [1, 1, 2]


def test_an_answer_about_open_orders_that_never_ends_renews_the_connection() -> None:
    with connection() as (gateway, link, heard):
        link.send(query(SnapshotKind.OPEN_ORDERS, seconds=0))
        gateway.read_frame()
        with pytest.raises(SendError, match="never ended"):
            link.send(query(SnapshotKind.OPEN_ORDERS))
        assert "never ended its answer about OPEN_ORDERS" in last_words(heard)


def test_news_of_an_order_overtakes_the_market_data_before_it() -> None:
    with connection() as (gateway, link, heard):
        link.send(Subscribe(wanted=SPY))
        asked = message_class("MarketDataRequest")()
        while not asked.reqId:
            frame = gateway.read_frame()
            if request_id(frame) == 1:
                asked.ParseFromString(frame[4:])
        prices = [1.0 + number / 100 for number in range(500)]
        ticks = [protobuf(1, "TickPrice", reqId=asked.reqId, tickType=1, price=price) for price in prices]
        gateway.send(b"".join(ticks[:250]) + status(1) + b"".join(ticks[250:]))
        heard.next(OrderStatusReported)
        while heard.next(QuoteReported).bid != Decimal("5.99"):
            pass
        assert [quote.bid for quote in heard.seen if isinstance(quote, QuoteReported)] == [
            Decimal(str(price)) for price in prices
        ]
        kinds = [type(report) for report in heard.seen]
        assert kinds.index(OrderStatusReported) < kinds.index(QuoteReported) + 250


def test_nobody_should_want_the_interpreter_while_news_of_an_order_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    urgent: list[bool] = []
    hear = Heard.__call__

    def watched(heard: Heard, *reports: Report) -> None:
        urgent.append(is_anything_urgent())
        hear(heard, *reports)

    monkeypatch.setattr(Heard, "__call__", watched)
    with connection() as (gateway, _, heard):
        gateway.send(status(1))
        heard.next(OrderStatusReported)
        assert urgent[-1]
    assert not is_anything_urgent()


def test_in_a_calm_moment_whoever_hears_the_first_report_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    hear = Heard.__call__

    def watched(heard: Heard, *reports: Report) -> None:
        said.extend(type(report).__name__ for report in reports)
        hear(heard, *reports)

    monkeypatch.setattr(Heard, "__call__", watched)
    with connection() as (gateway, _, heard):
        monkeypatch.setattr(link_module, "let_pass", lambda who, *, seconds: said.append("let pass"))
        gateway.send(status(1) + status(2))
        for _ in range(2):
            heard.next(OrderStatusReported)
        first = said.index("OrderStatusReported")
        assert said[first : first + 3] == ["OrderStatusReported", "let pass", "OrderStatusReported"]


def test_a_failed_request_ends_its_list_as_incomplete() -> None:
    with connection() as (gateway, link, heard):
        link.send(query(SnapshotKind.EXECUTIONS))
        sent = message_class("ExecutionRequest")()
        sent.ParseFromString(gateway.read_frame()[4:])
        assert sent.reqId >= 10_000_000
        assert not sent.executionFilter.lastNDays or sent.executionFilter.lastNDays > 7
        gateway.send(protobuf(4, "ErrorMessage", id=sent.reqId, errorCode=321, errorMsg="Error validating request"))
        ended = heard.next(SnapshotEnded)
        assert (ended.kind, ended.complete) == (SnapshotKind.EXECUTIONS, False)
        assert "321" in ended.reason


@pytest.mark.parametrize(("version", "asked"), [(213, 5), (200, None), (178, None)])
def test_executions_of_earlier_days_are_asked_for_where_the_server_knows_how(version: int, asked: int | None) -> None:
    with connection(version, execution_days=5) as (gateway, link, _):
        link.send(query(SnapshotKind.EXECUTIONS))
        frame = gateway.read_frame()
        if asked is not None:
            sent = message_class("ExecutionRequest")()
            sent.ParseFromString(frame[4:])
            assert sent.executionFilter.lastNDays == asked
        else:
            assert (b"\x005\x00" in frame) == (version == 200)


def test_several_accounts_share_the_summary_and_one_has_its_own_stream() -> None:
    with connection() as (gateway, link, heard):
        link.send(query(SnapshotKind.ACCOUNT))
        assert [request_id(gateway.read_frame()) for _ in range(2)] == [6, 6]
        gateway.send(protobuf(54, "AccountDataEnd", accountName="DU1234567"))
        assert heard.next(SnapshotEnded).kind is SnapshotKind.ACCOUNT
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard)
        link.start()
        gateway.begin()
        gateway.send(protobuf(15, "ManagedAccounts", accountsList="DU1,DU2") + protobuf(9, "NextValidId", orderId=1))
        heard.next(AccountsReported)
        link.send(query(SnapshotKind.ACCOUNT))
        sent = message_class("AccountSummaryRequest")()
        sent.ParseFromString(gateway.read_frame()[4:])
        assert sent.group == "All"
        gateway.send(protobuf(64, "AccountSummaryEnd", reqId=sent.reqId))
        assert heard.next(SnapshotEnded).kind is SnapshotKind.ACCOUNT
        gateway.close()
        link.close()


def test_of_several_accounts_only_the_configured_one_is_asked_what_it_is_worth() -> None:
    """Cash and equity are sums of what is told: those of other accounts must not swell them."""
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard, account=Account("DU2"))
        link.start()
        gateway.begin()
        gateway.send(protobuf(15, "ManagedAccounts", accountsList="DU1,DU2") + protobuf(9, "NextValidId", orderId=1))
        heard.next(AccountsReported)
        link.send(query(SnapshotKind.ACCOUNT))
        sent = message_class("AccountDataRequest")()
        for subscribe in (False, True):
            sent.ParseFromString(gateway.read_frame()[4:])
            assert (sent.subscribe, sent.acctCode) == (subscribe, "DU2")
        gateway.close()
        link.close()


def test_positions_are_asked_anew_each_time() -> None:
    with connection() as (gateway, link, heard):
        for _ in range(2):
            link.send(query(SnapshotKind.POSITIONS))
            assert [request_id(gateway.read_frame()) for _ in range(2)] == [64, 61]
            gateway.send(protobuf(62, "PositionEnd"))
            heard.next(SnapshotEnded)


def test_request_ids_stay_clear_of_high_order_ids() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard)
        link.start()
        gateway.begin()
        gateway.send(protobuf(15, "ManagedAccounts", accountsList="DU1"))
        gateway.send(protobuf(9, "NextValidId", orderId=10_000_000))
        assert heard.next(NextOrderIdReported).order_id == 10_000_000
        heard.next(AccountsReported)
        link.send(query(SnapshotKind.EXECUTIONS))
        sent = message_class("ExecutionRequest")()
        sent.ParseFromString(gateway.read_frame()[4:])
        assert sent.reqId == 2_000_000_000
        gateway.close()
        link.close()


def test_a_subscription_repeated_replaces_its_stream() -> None:
    with connection() as (gateway, link, heard):
        link.send(Subscribe(wanted=SPY))
        assert request_id(gateway.read_frame()) == 1
        link.send(Subscribe(wanted=SPY))
        assert [request_id(gateway.read_frame()) for _ in range(2)] == [2, 1]
        gateway.send(protobuf(1, "TickPrice", reqId=10_000_000, tickType=1, price=1.0))
        gateway.send(protobuf(1, "TickPrice", reqId=10_000_001, tickType=1, price=2.0))
        assert heard.next(QuoteReported).bid == 2


def test_quotes_of_a_cfd_come_from_the_contract_behind_it() -> None:
    cfd = Contract(symbol="IBUS500", sec_type=SecType.CFD)
    with connection() as (gateway, link, heard):
        link.send(Subscribe(wanted=cfd))
        gateway.read_frame()
        gateway.send(protobuf(91, "RerouteMarketDataRequest", reqId=10_000_000, conId=416904, exchange="CBOE"))
        sent = message_class("MarketDataRequest")()
        sent.ParseFromString(gateway.read_frame()[4:])
        assert (sent.contract.conId, sent.contract.exchange) == (416904, "CBOE")
        gateway.send(protobuf(1, "TickPrice", reqId=sent.reqId, tickType=4, price=5000.0))
        assert heard.next(QuoteReported).contract == cfd


def test_a_notice_about_a_stream_names_the_contract() -> None:
    with connection() as (gateway, link, heard):
        link.send(Subscribe(wanted=SPY))
        gateway.read_frame()
        gateway.send(protobuf(4, "ErrorMessage", id=10_000_000, errorCode=354, errorMsg="Not subscribed."))
        notice = heard.next(NoticeReported)
        assert (notice.code, notice.text) == (354, "Not subscribed. (SPY)")


def test_what_waits_unsent_still_leaves_when_the_link_is_closed() -> None:
    with connection() as (gateway, link, heard):
        squeeze(link, gateway)
        for number in range(1, 101):
            link.send(place_order(order_id=number))
        closing = threading.Thread(target=link.close)
        closing.start()
        for _ in range(100):
            assert request_id(gateway.read_frame()) == 3
        gateway.close()
        closing.join(5)
        assert last_words(heard) == "closed by us"


def test_the_kind_of_market_data_is_asked_for_once_per_connection() -> None:
    heard = Heard()
    with ScriptedGateway() as gateway:
        link = make_link(gateway.port, heard, market_data_type=3)
        link.start()
        gateway.begin()
        sent = message_class("MarketDataTypeRequest")()
        sent.ParseFromString(gateway.read_frame()[4:])
        assert sent.marketDataType == 3
        gateway.close()
        link.close()


def test_an_instrument_known_today_is_not_asked_for_again(tmp_path: Path) -> None:
    cache = InstrumentCache(tmp_path)
    future = Contract(symbol="ES", sec_type=SecType.FUTURE, exchange="CME", expiry="202606")
    found = Instrument(contract=Contract(symbol="ES", con_id=7))
    cache.put(future, found, datetime.now(UTC))
    with connection(cache=cache, symbols={"ES": future}) as (gateway, link, heard):
        link.send(QualifyContract(at=AT, epoch=Epoch(1), wanted=Contract(symbol="ES")))
        report = heard.next(InstrumentReported)
        assert (report.wanted, report.instrument) == (Contract(symbol="ES"), found)
        link.request_server_time()
        assert request_id(gateway.read_frame()) == 49


def test_the_end_of_a_reconciliation_needs_nothing_on_the_wire() -> None:
    with connection() as (gateway, link, _):
        link.send(FinishReconciliation(at=AT, epoch=Epoch(1)))
        link.request_server_time()
        assert request_id(gateway.read_frame()) == 49


@pytest.fixture(params=[178, 200, 203, 213, 225])
def trading(request: pytest.FixtureRequest) -> Iterator[tuple[IbapiLink, Heard]]:
    """A link to the simulator at each generation of the protocol."""
    simulator = GatewaySimulator(GatewayConfig(port=0, max_server_version=request.param, speed=20.0))
    simulator.start()
    heard = Heard()
    link = make_link(simulator.port, heard)
    link.start()
    try:
        heard.next(AccountsReported)
        yield link, heard
    finally:
        link.close()
        simulator.stop()


@pytest.mark.parametrize(
    ("wanted", "multiplier"),
    [
        (Contract(symbol="ES", sec_type=SecType.FUTURE, exchange="CME"), 50),
        (Contract(symbol="EUR", sec_type=SecType.CASH, exchange="IDEALPRO"), 1),
        (Contract(symbol="SPY", sec_type=SecType.OPTION, expiry="20270115", strike=Decimal(450), right="C"), 100),
    ],
    ids=["future", "currency pair", "option"],
)
def test_other_kinds_of_contract_are_qualified(
    trading: tuple[IbapiLink, Heard], wanted: Contract, multiplier: int
) -> None:
    link, heard = trading
    link.send(QualifyContract(at=AT, epoch=Epoch(1), wanted=wanted))
    found = heard.next(InstrumentReported).instrument
    assert found.contract.multiplier == multiplier
    assert found.contract.sec_type is wanted.sec_type
    assert found.increment_at(Decimal(1)) > 0
    assert found.trading_sessions


def test_an_option_that_is_not_fully_named_is_refused_with_those_it_could_be(
    trading: tuple[IbapiLink, Heard],
) -> None:
    link, heard = trading
    link.send(QualifyContract(at=AT, epoch=Epoch(1), wanted=Contract(symbol="SPY", sec_type=SecType.OPTION)))
    refused = heard.next(InstrumentRefused)
    assert "ambiguous" in refused.text
    assert "450C" in refused.text
    assert "450P" in refused.text


def test_a_day_at_the_simulator(trading: tuple[IbapiLink, Heard]) -> None:
    link, heard = trading
    (first,) = (report.order_id for report in heard.seen if isinstance(report, NextOrderIdReported))
    _qualify(link, heard)
    _quotes(link, heard)
    _fill(link, heard, first)
    _modify_and_cancel(link, heard, OrderId(first + 1))
    _snapshots(link, heard)


def _qualify(link: IbapiLink, heard: Heard) -> None:
    link.send(QualifyContract(at=AT, epoch=Epoch(1), wanted=SPY))
    found = heard.next(InstrumentReported)
    assert found.wanted == SPY
    assert found.instrument.contract.con_id > 0
    assert found.instrument.liquid_sessions
    link.send(QualifyContract(at=AT, epoch=Epoch(1), wanted=Contract(symbol="NOSUCHTHING")))
    assert heard.next(InstrumentRefused).wanted.symbol == "NOSUCHTHING"


def _quotes(link: IbapiLink, heard: Heard) -> None:
    link.send(Subscribe(wanted=SPY))
    while True:
        quote = heard.next(QuoteReported)
        if None not in (quote.bid, quote.bid_size, quote.ask, quote.ask_size):
            assert quote.bid is not None
            assert quote.ask is not None
            assert quote.bid < quote.ask
            return


def _fill(link: IbapiLink, heard: Heard, order_id: int) -> None:
    market = limit_order(order_type=OrderType.MARKET, limit_price=None)
    link.send(place_order(order_id=order_id, oms_id="day-1", order=market))
    fill = heard.next(ExecutionReported)
    assert (fill.order_id, fill.order_ref, fill.request_id) == (order_id, "day-1", None)
    assert fill.executed_at is not None
    assert heard.next(CommissionReported).exec_id == fill.exec_id


def _modify_and_cancel(link: IbapiLink, heard: Heard, order_id: OrderId) -> None:
    placed = place_order(order_id=order_id, oms_id="day-2", order=limit_order(limit_price="400.00"))
    link.send(placed)
    _await_status(heard, order_id, BrokerStatus.WORKING)
    link.send(
        ReplacePlacedOrder(
            at=AT,
            epoch=Epoch(1),
            oms_id=placed.oms_id,
            order_id=order_id,
            account=placed.account,
            instrument=placed.instrument,
            order=limit_order(limit_price="401.00"),
        )
    )
    while str(heard.next(OpenOrderReported).order.limit_price) not in ("401", "401.0", "401.00"):
        continue
    link.send(CancelPlacedOrder(at=AT, epoch=Epoch(1), oms_id=placed.oms_id, order_id=order_id))
    _await_status(heard, order_id, BrokerStatus.CANCELED)
    assert heard.next(NoticeReported).code == 202


def _await_status(heard: Heard, order_id: int, wanted: BrokerStatus) -> None:
    while True:
        report = heard.next(OrderStatusReported)
        if report.order_id == order_id and report.status is wanted:
            return


def _snapshots(link: IbapiLink, heard: Heard) -> None:
    seen = len(heard.seen)
    for kind in SnapshotKind:
        link.send(query(kind))
    waiting = set(SnapshotKind)
    while waiting:
        ended = heard.next(SnapshotEnded)
        assert ended.complete
        waiting.remove(ended.kind)
    told = {type(report) for report in heard.seen[seen:]}
    assert {ExecutionReported, PositionReported, AccountValueReported} <= told
    link.request_server_time()
    heard.next(ServerTimeReported)
