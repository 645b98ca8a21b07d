"""Orders of ours that the books do not know, as after the loss of a journal, are recognised by their names."""

from decimal import Decimal

from actors.domain.contract import Contract
from actors.domain.identity import ClientId, ExecId, OmsId, OrderId, PermId
from actors.domain.terms import Side
from actors.messages.events import Discrepancy, ExecutionUnmatched, OrderAccepted
from actors.messages.reports import BrokerStatus, ExecutionReported, OpenOrderReported
from actors.messages.wire import CancelPlacedOrder, PlaceOrder
from tests.actors.domain.deskkit import ACCOUNT, CLIENT, FROM_LIST, SPY, START, Rig, limit, only

NAME = OmsId("strategy-abc-7")


def listed(rig: Rig, order_ref: str, client_id: ClientId = CLIENT) -> OpenOrderReported:
    return OpenOrderReported(
        at=START,
        epoch=rig.epoch,
        order_id=OrderId(7),
        contract=SPY,
        order=limit(quantity=30),
        status=BrokerStatus.WORKING,
        perm_id=PermId(70),
        client_id=client_id,
        account=ACCOUNT,
        order_ref=order_ref,
        snapshot=True,
    )


def executed(rig: Rig, order_ref: str) -> ExecutionReported:
    return ExecutionReported(
        at=START,
        epoch=rig.epoch,
        exec_id=ExecId("e7.01"),
        contract=Contract(symbol="SPY", con_id=SPY.con_id),
        side=Side.BUY,
        quantity=Decimal(30),
        price=Decimal(495),
        order_id=OrderId(7),
        perm_id=PermId(70),
        client_id=CLIENT,
        account=ACCOUNT,
        order_ref=order_ref,
        request_id=FROM_LIST,
    )


def test_a_working_order_with_our_name_is_taken_over_visibly_and_never_sent_again() -> None:
    rig = Rig()
    asked = rig.connect(finish=False)
    said = rig.hear(listed(rig, NAME))
    assert only(Discrepancy, said).kind == "LOST_ORDER"
    rig.end_lists(asked)
    order = rig.order(NAME)
    assert (order.external, order.is_open, order.order.quantity) == (False, True, Decimal(30))
    assert only(OrderAccepted, tuple(rig.said)).recovered
    again = rig.submit(limit(quantity=30), NAME)
    assert [message for message in again if isinstance(message, PlaceOrder)] == []


def test_it_can_be_cancelled_like_any_other() -> None:
    rig = Rig()
    asked = rig.connect(finish=False)
    rig.hear(listed(rig, NAME))
    rig.end_lists(asked)
    assert only(CancelPlacedOrder, rig.cancel(NAME)).order_id == 7


def test_an_order_with_our_name_and_another_client_id_is_a_strangers() -> None:
    rig = Rig()
    rig.hear(listed(rig, NAME, ClientId(5)))
    assert rig.desk.order(NAME) is None


def test_an_order_with_another_name_is_a_strangers() -> None:
    rig = Rig()
    rig.hear(listed(rig, "strategy2-abc-7"))
    assert rig.desk.order(OmsId("strategy2-abc-7")) is None


def test_an_execution_under_our_name_uses_the_name_up() -> None:
    rig = Rig()
    assert only(ExecutionUnmatched, rig.hear(executed(rig, NAME))).exec_id == "e7.01"
    again = rig.submit(limit(quantity=30), NAME)
    assert [message for message in again if isinstance(message, PlaceOrder)] == []
