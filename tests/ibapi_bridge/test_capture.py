import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ibapi.order_cancel import OrderCancel

from actors.messages.reports import ExecutionReported, OpenOrderReported, OrderStatusReported
from ibapi_bridge.capture import CaptureError, Recorder, plain
from ibapi_bridge.conversation import Conversation
from ibapi_bridge.inbound import translate
from ibapi_bridge.transcript import Direction, read_transcript
from tests.ibapi_bridge.official import AT, EPOCH, contract, execution, order, said, state
from tests.ibapi_bridge.samples import place_order
from tests.ibapi_bridge.scripted_gateway import connection, last_words, protobuf, status

CALLBACKS: list[tuple[str, dict[str, Any]]] = [
    (
        "openOrder",
        {
            "orderId": 294,
            "contract": contract(conId=756733),
            "order": order(totalQuantity=Decimal("10.5"), lmtPrice=13.27, permId=2**40, account="DU1234567"),
            "orderState": state(status="Submitted"),
        },
    ),
    (
        "execDetails",
        {
            "reqId": -1,
            "contract": contract(),
            "execution": execution(execId="a.01", side="BOT", shares=Decimal(1), price=0.1, time="20260413-19:00:00"),
        },
    ),
    ("orderStatus", {"orderId": 1, "status": "Filled", "filled": Decimal("0.1"), "avgFillPrice": float("inf")}),
    ("error", {"reqId": -1, "errorTime": 0, "errorCode": 2104, "errorString": "Größe \u2028 \n"}),
]


@pytest.mark.parametrize(("name", "args"), CALLBACKS, ids=[name for name, _ in CALLBACKS])
def test_a_recorded_callback_says_the_same_when_it_is_read_back(
    tmp_path: Path, name: str, args: dict[str, Any]
) -> None:
    recorder = Recorder(tmp_path / "capture.jsonl")
    recorder.told(name, args, at=AT)
    recorder.close()
    (line,) = read_transcript(tmp_path / "capture.jsonl").lines
    assert (line.direction, line.name, line.at) == (Direction.IN, name, AT)
    again = translate(line.name, line.args, at=AT, epoch=EPOCH, context=Conversation())
    assert again == said(name, None, **args)


def test_only_what_differs_from_a_new_object_is_written() -> None:
    shown = plain(order(lmtPrice=13.27))
    assert shown == {"action": "BUY", "orderType": "LMT", "tif": "DAY", "lmtPrice": 13.27}
    assert plain(Decimal("1.50")) == "1.50"
    assert plain(float("nan")) == "nan"
    assert plain([Decimal(1), {"a": None}]) == ["1", {"a": None}]
    assert plain(OrderCancel()) == {}


@pytest.mark.socket
def test_a_connection_is_recorded_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    recorder = Recorder(path)
    with connection(recorder=recorder) as (gateway, link, heard):
        link.send(place_order())
        gateway.send(
            protobuf(
                5,
                "OpenOrder",
                orderId=1,
                contract={"symbol": "SPY", "secType": "STK"},
                order={"action": "BUY", "totalQuantity": "10", "orderType": "LMT", "account": "DU1234567"},
                orderState={"status": "Submitted"},
            )
            + status(1)
        )
        heard.next(OrderStatusReported)
    recorder.close()
    lines = [json.loads(row) for row in path.read_text().splitlines()]
    named = [(line["dir"], line["name"]) for line in lines]
    assert named[0] == ("conn", "connected")
    assert named[-1] == ("conn", "disconnected")
    assert ("out", "startApi") in named
    assert named.index(("out", "placeOrder")) < named.index(("in", "openOrder")) < named.index(("in", "orderStatus"))
    placed = next(line for line in lines if line["name"] == "placeOrder")
    assert placed["args"]["order"]["account"] == "DU1234567"
    assert lines[0]["args"]["clientId"] == 7
    assert any(isinstance(report, OpenOrderReported) for report in heard.seen)


@pytest.mark.socket
def test_recording_changes_nothing_of_what_is_heard(tmp_path: Path) -> None:
    frames = protobuf(
        11,
        "ExecutionDetails",
        reqId=-1,
        contract={"symbol": "SPY", "secType": "STK", "conId": 1},
        execution={"execId": "a.01", "side": "BOT", "shares": "1", "price": 2.5, "orderId": 4},
    )
    heard_by_kind = []
    recorder = Recorder(tmp_path / "capture.jsonl")
    for recording in (None, recorder):
        with connection(recorder=recording) as (gateway, _, heard):
            gateway.send(frames)
            report = heard.next(ExecutionReported)
            heard_by_kind.append((report.contract, report.quantity, report.price, report.order_id, report.request_id))
    recorder.close()
    assert heard_by_kind[0] == heard_by_kind[1]


def test_text_that_no_encoding_knows_is_recorded_all_the_same(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "capture.jsonl")
    recorder.told("error", {"errorString": "a\ud800b"}, at=AT)
    recorder.close()
    assert read_transcript(tmp_path / "capture.jsonl").lines[0].args["errorString"] == "a?b"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere files have no such mode")
def test_a_new_capture_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    Recorder(tmp_path / "capture.jsonl").close()

    assert (tmp_path / "capture.jsonl").stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="capture is .*missing"):
        Recorder(tmp_path / "missing" / "file")


@pytest.mark.socket
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_ends_the_recording_and_not_the_connection() -> None:
    recorder = Recorder(Path("/dev/full"))
    with connection(recorder=recorder) as (gateway, _, heard):
        gateway.send(status(3))
        assert heard.next(OrderStatusReported).order_id == 3
    assert "the capture ended early: No space left on device" in last_words(heard)
