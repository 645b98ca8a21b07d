"""``run.py replay``: what it reads, what it prints, how it forgives captures written by hand."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.contract import Contract, SecType
from ibapi_bridge.replay import replayed
from ibapi_bridge.replay_contracts import KnownContracts
from ibapi_bridge.replay_report import plain
from ibapi_bridge.transcript import Direction, Line, Transcript, TranscriptError, read_transcript
from run import main

Row = dict[str, Any]
Written = Callable[..., Path]

SPY: Row = {"symbol": "SPY", "secType": "STK", "exchange": "SMART", "currency": "USD", "conId": 756733}
BUY_100: Row = {"action": "BUY", "totalQuantity": 100, "orderType": "LMT", "lmtPrice": 495.25}


def line(direction: str, name: str, /, **args: Any) -> Row:
    return {"dir": direction, "name": name, "args": args}


def place(order_id: int, /, *, contract: Row = SPY, **order: Any) -> Row:
    return line("out", "placeOrder", orderId=order_id, contract=contract, order={**BUY_100, **order})


def status(order_id: int, word: str, filled: object = 0, remaining: object = 100, **more: Any) -> Row:
    return line("in", "orderStatus", orderId=order_id, status=word, filled=filled, remaining=remaining, **more)


def executed(order_id: int | None, exec_id: str, shares: object = 100, price: object = 495, **more: Any) -> Row:
    execution = {"execId": exec_id, "orderId": order_id, "side": "BOT", "shares": shares, "price": price, **more}
    return line("in", "execDetails", reqId=-1, contract=SPY, execution=execution)


def notice(order_id: int, code: int, text: str = "") -> Row:
    return line("in", "error", reqId=order_id, errorCode=code, errorString=text)


def position(quantity: object, cost: object = 495, account: str = "") -> Row:
    return line("in", "position", account=account, contract=SPY, position=quantity, avgCost=cost)


CONNECTED = line("conn", "connected")
DISCONNECTED = line("conn", "disconnected")


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(*rows: Row | str, name: str = "capture.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return path

    return write


def replay(path: Path) -> Row:
    return replayed(read_transcript(path))


def only_order(found: Row) -> Row:
    [order] = found["orders"]
    return dict(order)


# --- the command ---------------------------------------------------------------------------------------------------


def test_json_is_one_object_a_file_and_nothing_else(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    first = written(place(5), status(5, "Submitted"), name="first.jsonl")
    second = written(place(6), executed(6, "a.1.01"), name="second.jsonl")

    assert main(["replay", str(second), str(first), "--json"]) == 0

    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["file"] for row in rows] == [str(second), str(first)]
    assert [only_order(row)["status"] for row in rows] == ["FILLED", "WORKING"]
    assert list(rows[0]) == ["file", "orders", "positions", "discrepancies", "session"]


def test_an_order_has_every_field(written: Written) -> None:
    found = replay(
        written(
            place(5, orderRef="mine"),
            executed(5, "a.1.01", 40, "495.25", permId=77),
            line(
                "in", "commissionAndFeesReport", commissionAndFeesReport={"execId": "a.1.01", "commissionAndFees": 0.35}
            ),
        )
    )

    assert only_order(found) == {
        "oms_id": "mine",
        "order_id": 5,
        "perm_ids": [77],
        "symbol": "SPY",
        "side": "BUY",
        "quantity": "100",
        "status": "PARTIALLY_FILLED",
        "pending": None,
        "in_doubt": False,
        "external": False,
        "filled": "40",
        "avg_price": "495.25",
        "remaining": "60",
        "commission": "0.35",
        "reason": "",
        "fills": [{"exec_id": "a.1.01", "quantity": "40", "price": "495.25", "superseded": False}],
    }
    assert found["positions"] == [
        {"account": "", "symbol": "SPY", "quantity": "40", "avg_cost": "495.25", "realized_pnl": "0"}
    ]
    assert found["session"] == "READY"


def test_without_json_a_table_is_shown(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(place(5, orderRef="mine"), status(5, "Filled", 100, 0), executed(7, "b.1.01", 10, permId=9))

    assert main(["replay", str(path)]) == 0

    shown = capsys.readouterr().out
    for expected in ("capture.jsonl", "mine", "in doubt", "EXT-9", "external", "Positions", "MISSING_EXECUTIONS"):
        assert expected in shown


def test_words_of_the_broker_are_shown_as_they_are(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(written(place(5, orderRef="mine"), notice(5, 201, "no [/bold] [red]margin[/]")))]) == 0

    assert "[/bold] [red]margin[/]" in capsys.readouterr().out


def test_the_same_capture_gives_the_same_answer(written: Written) -> None:
    path = written(place(5), status(5, "Submitted"), executed(5, "a.1.01"), notice(5, 202), executed(8, "b.1.01"))

    assert replay(path) == replay(path)


def test_an_empty_capture_shows_nothing(written: Written) -> None:
    found = replay(written("", "  "))

    assert (found["orders"], found["positions"], found["session"]) == ([], [], "DISCONNECTED")


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        ("{oops", "this is no JSON"),
        ("[1, 2]", "must be an object"),
        ('{"dir": "sideways", "name": "error"}', "dir is 'sideways': accepted are in, out and conn"),
        ('{"dir": "in"}', "name is None"),
        ('{"dir": "conn", "name": "lost"}', "accepted are connected and disconnected"),
        ('{"dir": "in", "name": "error", "args": [1]}', "args is [1]"),
        ('{"dir": "in", "name": "error", "at": "noon"}', "at is 'noon'"),
        ('{"dir": "in", "name": "error", "at": "9999-12-31T23:59:59Z"}', "it must lie between 1970 and 2200"),
        ('{"dir": "in", "name": "error", "at": "0001-01-01T00:00:00+14:00"}', "it must lie between 1970 and 2200"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps(["x" * 1000]), "this is ['" + "x" * 58 + "...: it must be"),
    ],
)
def test_a_damaged_line_is_named_by_file_and_number(
    written: Written, capsys: pytest.CaptureFixture[str], damaged: str, said: str
) -> None:
    path = written(place(5), "", damaged, status(5, "Submitted"))

    assert main(["replay", str(path), "--json"]) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"{path}, line 3: " in printed.err
    assert said in printed.err
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "last", ["{'dir': 'in', 'name': 'error'}", '{"dir": "in", "name": "error",}', '{"dir": "i\tn"}']
)
def test_a_last_line_that_is_whole_and_no_json_is_named(
    written: Written, capsys: pytest.CaptureFixture[str], last: str
) -> None:
    path = written(place(5), last)

    assert main(["replay", str(path), "--json"]) == 2

    assert f"{path}, line 2: this is no JSON" in capsys.readouterr().err


def test_a_last_line_may_break_off_anywhere(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.dumps(
        {"dir": "in", "name": "error", "args": {"id": 5, "f": -1.5e3, "t": True, "s": "a\\u00e9{}", "o": {}}}
    )
    for end in range(1, len(whole)):
        assert main(["replay", str(written(place(5), whole[:end])), "--json"]) == 0, whole[:end]
        assert "the last line is cut off" in capsys.readouterr().err


def test_a_last_line_nested_too_deeply_is_named_too(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(place(5), '{"dir": "in", "args": ' + "[" * 100_000)

    assert main(["replay", str(path), "--json"]) == 2

    assert capsys.readouterr().err == f"callboard: {path}, line 2: this is nested too deeply to be a record\n"


@pytest.mark.parametrize("size", ["1,000", "-100", -100, "hundred", "1.7976931348623157e+308"])
def test_a_quantity_that_is_no_number_is_named_and_does_not_pass_for_zero(
    written: Written, capsys: pytest.CaptureFixture[str], size: object
) -> None:
    line = place(5)
    line["args"]["order"]["totalQuantity"] = size

    assert main(["replay", str(written(line)), "--json"]) == 0

    (found,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert found["orders"] == []
    (discrepancy,) = found["discrepancies"]
    assert discrepancy["kind"] == "UNREADABLE"
    assert f"totalQuantity is {str(size)!r}: it must be a number, not negative" in discrepancy["text"]


def test_a_last_line_that_is_cut_off_is_left_out_with_a_note(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(place(5), status(5, "Submitted"), json.dumps(executed(5, "a.1.01"))[:40])

    assert main(["replay", str(path), "--json"]) == 0

    printed = capsys.readouterr()
    assert only_order(json.loads(printed.out))["status"] == "WORKING"
    assert "line 3" in printed.err
    assert "cut off" in printed.err


def test_a_last_line_that_is_whole_but_wrong_is_damaged(written: Written) -> None:
    with pytest.raises(TranscriptError, match="line 2: dir is None"):
        read_transcript(written(place(5), '{"name": "error"}'))


def test_a_missing_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", str(tmp_path / "nothing.jsonl")]) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "nothing.jsonl cannot be read" in printed.err
    assert printed.err.count("\n") == 1


def test_a_folder_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(TranscriptError, match="cannot be read"):
        read_transcript(tmp_path)
    with pytest.raises(TranscriptError, match="not UTF-8"):
        read_transcript(binary)


def test_a_last_line_may_break_off_within_a_character(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(place(5), status(5, "Submitted"))
    path.write_bytes(path.read_bytes() + '{"dir": "in", "name": "error", "args": {"errorString": "é'.encode()[:-1])

    assert main(["replay", str(path), "--json"]) == 0

    printed = capsys.readouterr()
    assert only_order(json.loads(printed.out))["status"] == "WORKING"
    assert "line 3: the last line is cut off" in printed.err


@pytest.mark.parametrize("after", [(), (status(5, "Submitted"),)])
def test_a_number_too_long_to_be_one_is_named(
    written: Written, capsys: pytest.CaptureFixture[str], after: tuple[Row, ...]
) -> None:
    path = written(place(5), '{"dir": "in", "name": "error", "args": {"id": ' + "9" * 5_000 + "}}", *after)

    assert main(["replay", str(path), "--json"]) == 2

    assert capsys.readouterr().err == f"callboard: {path}, line 2: a number in it has thousands of digits\n"


# --- captures written by hand --------------------------------------------------------------------------------------


def test_lines_without_a_time_happen_at_once_and_times_never_go_back(written: Written) -> None:
    early, late = {"at": "2026-04-13T15:00:00Z"}, {"at": "2026-04-13T15:00:09+02:00"}

    lines = read_transcript(written(place(5), place(6) | early, place(7), place(8) | late)).lines

    assert [row.at.isoformat() for row in lines][1:] == ["2026-04-13T15:00:00+00:00"] * 3


def test_numbers_may_be_texts_and_texts_numbers(written: Written) -> None:
    found = replay(
        written(
            line(
                "out", "placeOrder", orderId="5", contract=SPY, order={**BUY_100, "totalQuantity": "100", "orderRef": 7}
            ),
            executed("5", "a.1.01", "100", "495.25"),  # type: ignore[arg-type]
            status("5", "Filled", 100.0, 0.0, permId="0"),  # type: ignore[arg-type]
        )
    )

    assert only_order(found)["oms_id"] == "7"
    assert only_order(found)["status"] == "FILLED"


def test_names_of_older_clients_are_understood(written: Written) -> None:
    found = replay(
        written(
            line("out", "placeOrder", id=5, contract=SPY, order=BUY_100),
            executed(5, "a.1.01"),
            line("in", "commissionReport", commissionReport={"execId": "a.1.01", "commission": "1.05"}),
            line("in", "error", id=5, errorCode=399, errorMsg="held"),
        )
    )

    assert only_order(found)["commission"] == "1.05"
    assert only_order(found)["status"] == "FILLED"


@pytest.mark.parametrize(
    "args",
    [
        {"id": 5, "errorCode": 201, "errorMsg": "no money"},
        {"orderId": "5", "code": "201", "message": "no money"},
        {"reqId": 5, "errorCode": 201, "errorMessage": "no money"},
    ],
)
def test_notices_are_understood_under_every_name_they_had(written: Written, args: Row) -> None:
    order = only_order(replay(written(place(5), line("in", "error", **args))))

    assert (order["status"], order["reason"]) == ("REJECTED", "201: no money")


def test_reports_about_executions_may_be_the_arguments_themselves(written: Written) -> None:
    order = only_order(
        replay(
            written(
                place(5),
                line("in", "execDetails", orderId=5, execId="a.1.01", side="BOT", shares=100, price=495),
                line("in", "commissionReport", execId="a.1.01", commission=1.5),
            )
        )
    )

    assert (order["status"], order["commission"]) == ("FILLED", "1.5")


def test_an_echo_and_an_execution_without_side_and_quantity_have_those_that_were_sent(written: Written) -> None:
    found = replay(
        written(
            place(5, action="SELL"),
            line("in", "openOrder", orderId=5, orderState={"status": "Submitted"}),
            place(5, action="SELL", totalQuantity=60),
            line("in", "openOrder", orderId=5, order={"permId": 77}, orderState={"status": "Submitted"}),
            line("in", "execDetails", execution={"orderId": 5, "execId": "a.1.01", "shares": 60, "price": 495}),
        )
    )

    order = only_order(found)
    assert (order["status"], order["quantity"], order["perm_ids"]) == ("FILLED", "60", [77])
    assert [row["quantity"] for row in found["positions"]] == ["-60"]
    assert found["discrepancies"] == []


@pytest.mark.parametrize(
    "execution", [{"orderId": 5, "clientId": 9, "execId": "a.1.01"}, {"orderId": 6, "execId": "a.1.01"}]
)
def test_what_we_sent_says_nothing_about_others(written: Written, execution: Row) -> None:
    answer = line("in", "execDetails", contract=SPY, execution={"shares": 1, "price": 1, **execution})
    combo = {"symbol": "SPY", "secType": "BAG"}

    found = replay(written(line("conn", "connected", clientId=1), place(5), place(6, contract=combo), answer))

    assert [row["kind"] for row in found["discrepancies"]] == ["FRAME_DAMAGED"]


def test_the_only_account_a_capture_names_is_everywhere(written: Written) -> None:
    found = replay(
        written(
            place(5, orderRef="mine"),
            executed(5, "a.1.01", 40),
            executed(5, "b.1.01", 60, acctNumber="DU1"),
        )
    )

    assert [(row["account"], row["quantity"]) for row in found["positions"]] == [("DU1", "100")]


def test_an_execution_without_a_contract_belongs_to_what_was_ordered(written: Written) -> None:
    bare = line(
        "in", "execDetails", execution={"execId": "a.1.01", "orderId": 5, "side": "BOT", "shares": 1, "price": 9}
    )

    found = replay(written(place(5), bare))

    assert found["positions"][0]["symbol"] == "SPY"
    assert only_order(found)["filled"] == "1"


def test_a_contract_is_made_whole_by_other_lines(written: Written) -> None:
    found = replay(
        written(
            place(5, contract={"symbol": "SPY"}),
            executed(5, "a.1.01", 40),
            place(6, contract={"conId": 756733}),
            executed(6, "b.1.01", 60),
            position(100),
        )
    )

    assert [order["symbol"] for order in found["orders"]] == ["SPY", "SPY"]
    assert [(row["symbol"], row["quantity"]) for row in found["positions"]] == [("SPY", "100")]
    assert found["discrepancies"] == []


def test_a_symbol_that_means_two_contracts_is_not_guessed(written: Written) -> None:
    future = {"symbol": "SPY", "secType": "FUT", "lastTradeDateOrContractMonth": "202606", "conId": 9}
    known = KnownContracts(read_transcript(written(place(6, contract=future), place(7))).lines)

    assert known.whole(Contract(symbol="SPY", sec_type=SecType.OTHER, currency="")).con_id == 0
    assert known.whole(Contract(symbol="SPY", sec_type=SecType.FUTURE)).con_id == 9


def test_a_client_that_says_it_was_closed_is_disconnected(written: Written) -> None:
    found = replay(written(CONNECTED, place(5), line("in", "connectionClosed")))

    assert (found["session"], only_order(found)["in_doubt"]) == ("DISCONNECTED", True)


def test_a_client_id_that_only_answers_name_is_found(written: Written) -> None:
    found = replay(
        written(place(5), status(5, "Submitted", clientId=7), notice(5, 202), executed(5, "a.1.01", clientId=7))
    )

    assert only_order(found)["status"] == "FILLED"


def test_an_order_keeps_its_number_on_the_next_connection_without_perm_ids(written: Written) -> None:
    again = line("in", "nextValidId", orderId=6)

    found = replay(
        written(CONNECTED, place(5), status(5, "Submitted"), DISCONNECTED, CONNECTED, again, status(5, "Cancelled"))
    )

    assert only_order(found)["status"] == "CANCELED"


def test_a_number_that_is_given_out_again_is_a_new_order(written: Written) -> None:
    again = line("in", "nextValidId", orderId=5)

    found = replay(written(CONNECTED, place(5), DISCONNECTED, CONNECTED, again, place(5), executed(5, "a.1.01")))

    assert [(order["oms_id"], order["status"], order["in_doubt"]) for order in found["orders"]] == [
        ("order-5", "NEW", True),
        ("order-5-2", "FILLED", False),
    ]


def test_a_label_under_many_orders_is_no_name(written: Written) -> None:
    found = replay(
        written(
            place(5, orderRef="my-strategy"),
            place(6, orderRef="my-strategy"),
            executed(6, "a.1.01", orderRef="my-strategy"),
        )
    )

    assert [(order["order_id"], order["filled"]) for order in found["orders"]] == [(5, "0"), (6, "100")]


def test_what_cannot_be_understood_is_named(written: Written) -> None:
    found = replay(written(place(5, action="HOLD"), executed(None, "", 1), place(6), status(6, "Submitted")))

    kinds = {discrepancy["kind"] for discrepancy in found["discrepancies"]}
    assert kinds == {"UNREADABLE", "FRAME_DAMAGED"}
    assert only_order(found)["order_id"] == 6


def test_market_data_and_account_values_change_nothing(written: Written) -> None:
    quote = line("in", "tickPrice", reqId=1, tickType=1, price=495.0)
    value = line("in", "updateAccountValue", key="NetLiquidation", val="1000", currency="USD", accountName="DU1")
    rows = (CONNECTED, place(5), status(5, "Submitted"))

    assert replay(written(*rows, quote, value)) == replay(written(*rows))


def test_a_what_if_order_is_no_order(written: Written) -> None:
    assert replay(written(place(5, whatIf=True)))["orders"] == []


def test_a_global_cancel_asks_for_every_order(written: Written) -> None:
    found = replay(
        written(place(5), status(5, "Submitted"), place(6), line("out", "reqGlobalCancel"), status(5, "Cancelled"))
    )

    assert [(order["status"], order["pending"]) for order in found["orders"]] == [("CANCELED", None), ("NEW", "CANCEL")]


# --- what the capture proves ---------------------------------------------------------------------------------------


def test_an_order_unanswered_at_a_disconnect_is_in_doubt(written: Written) -> None:
    found = replay(written(CONNECTED, place(5), DISCONNECTED))

    assert (only_order(found)["in_doubt"], only_order(found)["pending"]) == (True, "SUBMIT")
    assert found["session"] == "DISCONNECTED"


def test_statuses_alone_fill_nothing_and_are_named(written: Written) -> None:
    found = replay(written(place(5), status(5, "Submitted"), status(5, "Filled", 100, 0)))

    assert (only_order(found)["filled"], only_order(found)["in_doubt"]) == ("0", True)
    assert [discrepancy["kind"] for discrepancy in found["discrepancies"]] == ["MISSING_EXECUTIONS"]


def test_executions_that_came_late_leave_no_discrepancy(written: Written) -> None:
    at = {"at": "2026-04-13T15:00:00Z"}, {"at": "2026-04-13T15:01:00Z"}

    found = replay(written(place(5) | at[0], status(5, "Filled", 100, 0), executed(5, "a.1.01") | at[1]))

    assert found["discrepancies"] == []
    assert only_order(found)["status"] == "FILLED"


def listing(*rows: Row, at: str) -> list[Row]:
    asked = [line("out", "reqAllOpenOrders") | {"at": at}, line("in", "openOrderEnd")]
    executions = [line("out", "reqExecutions", reqId=9), line("in", "execDetailsEnd", reqId=9)]
    completed = [line("out", "reqCompletedOrders", apiOnly=False), *rows, line("in", "completedOrdersEnd")]
    return [*asked, *executions, *completed]


def test_an_order_in_no_list_for_long_enough_never_reached_the_broker(written: Written) -> None:
    minutes = [f"2026-04-13T15:0{minute}:00Z" for minute in (1, 2, 3, 4)]
    lists = [row for minute in minutes for row in listing(at=minute)]

    found = replay(written(CONNECTED, place(5), DISCONNECTED, CONNECTED, *lists))

    assert (only_order(found)["status"], only_order(found)["reason"]) == ("REJECTED", "never reached the broker")


def test_one_look_at_the_lists_is_not_enough_to_call_an_order_dead(written: Written) -> None:
    found = replay(written(CONNECTED, place(5), DISCONNECTED, CONNECTED, *listing(at="2026-04-13T15:01:00Z")))

    assert (only_order(found)["status"], only_order(found)["in_doubt"]) == ("NEW", True)
    assert found["session"] == "READY"


def test_a_strangers_execution_moves_the_position(written: Written) -> None:
    found = replay(written(executed(77, "a.1.01", 25, "410.5", permId=6001, acctNumber="DU1")))

    assert only_order(found)["external"]
    assert found["positions"] == [
        {"account": "DU1", "symbol": "SPY", "quantity": "25", "avg_cost": "410.5", "realized_pnl": "0"}
    ]


def test_a_status_of_another_client_is_explained_by_its_execution_without_a_perm_id_too(written: Written) -> None:
    working = status(5, "Submitted", clientId=2)

    unknown, known = replay(written(working)), replay(written(working, executed(5, "a.1.01", clientId=2)))

    assert [row["kind"] for row in unknown["discrepancies"]] == ["UNKNOWN_ORDER"]
    assert known["discrepancies"] == []


def test_an_overfill_that_a_bust_took_back_is_explained(written: Written) -> None:
    twice = (executed(5, "a.1.01"), executed(5, "a.2.01"))

    over, right = replay(written(place(5), *twice)), replay(written(place(5), *twice, executed(5, "a.2.02", 0)))

    assert [row["kind"] for row in over["discrepancies"]] == ["OVERFILL"]
    assert (only_order(right)["filled"], right["discrepancies"]) == ("100", [])


@pytest.mark.parametrize("code", [110, 201])
def test_a_refused_change_is_no_end_of_an_order_that_an_earlier_connection_left_in_doubt(
    written: Written, code: int
) -> None:
    found = replay(written(place(5), DISCONNECTED, CONNECTED, place(5, lmtPrice="496.001"), notice(5, code)))

    assert (only_order(found)["status"], only_order(found)["in_doubt"]) == ("NEW", True)


ALLOCATED = [executed(5, f"a.{account}.01", size, acctNumber=account) for account, size in (("DU1", 40), ("DU2", 60))]


@pytest.mark.parametrize("permId", [0, 77])
def test_an_advisors_order_counts_once_where_its_parts_are_told(written: Written, permId: int) -> None:  # noqa: N803
    rows = [executed(5, "w.1.01", acctNumber="DF9"), *ALLOCATED]
    for row in rows:
        row["args"]["execution"]["permId"] = permId

    found = replay(written(place(5), *rows))

    assert (only_order(found)["status"], only_order(found)["filled"]) == ("FILLED", "100")
    assert [(row["account"], row["quantity"]) for row in found["positions"]] == [("DU1", "40"), ("DU2", "60")]
    assert found["discrepancies"] == []


def test_an_account_like_an_advisors_counts_where_nothing_tells_it_in_parts(written: Written) -> None:
    found = replay(written(place(5), executed(5, "w.1.01", 40, acctNumber="DF9"), place(6), executed(6, "a.1.01", 60)))

    assert [row["filled"] for row in found["orders"]] == ["40", "60"]


def test_positions_listed_before_the_first_fill_were_there_before(written: Written) -> None:
    listed = (position(50, 490), line("in", "positionEnd"))

    found = replay(written(*listed, place(5), executed(5, "a.1.01", 50, 500)))

    assert [(row["quantity"], row["avg_cost"]) for row in found["positions"]] == [("100", "495")]
    assert found["discrepancies"] == []


def test_fills_found_by_a_comparison_without_positions_stay_when_the_next_one_comes(written: Written) -> None:
    found_late = (line("out", "reqAllOpenOrders"), executed(5, "a.1.01", 60), line("in", "openOrderEnd"))
    listed_last = (position(100), line("in", "positionEnd"))

    found = replay(
        written(place(5), DISCONNECTED, *found_late, executed(5, "a.2.01", 40), DISCONNECTED, CONNECTED, *listed_last)
    )

    assert [row["quantity"] for row in found["positions"]] == ["100"]
    assert found["discrepancies"] == []


def test_a_live_fill_after_the_positions_of_a_comparison_moves_them(written: Written) -> None:
    asked = (line("out", "reqAllOpenOrders"), line("in", "openOrderEnd"), line("out", "reqExecutions"))
    listed = (position(50, 490), line("in", "positionEnd"))

    found = replay(written(place(5), *asked, *listed, executed(5, "a.1.01", 50, 500), line("in", "execDetailsEnd")))

    assert [(row["quantity"], row["avg_cost"]) for row in found["positions"]] == [("100", "495")]


def test_an_old_execution_is_in_the_positions_that_a_comparison_lists_before_it(written: Written) -> None:
    asked = (line("out", "reqAllOpenOrders"), line("in", "openOrderEnd"), line("out", "reqExecutions", reqId=9))
    listed = (position(50, 490), line("in", "positionEnd"))
    old = executed(5, "a.1.01", 50, 500)
    old["args"]["reqId"] = 9

    found = replay(written(place(5), *asked, *listed, old, line("in", "execDetailsEnd", reqId=9)))

    assert [row["quantity"] for row in found["positions"]] == ["50"]


def test_a_fill_found_by_a_comparison_adds_to_what_was_listed_on_an_earlier_connection(written: Written) -> None:
    listed = (position(50, 490), line("in", "positionEnd"))
    found_late = (line("out", "reqAllOpenOrders"), executed(5, "a.1.01", 50, 500), line("in", "openOrderEnd"))

    found = replay(written(*listed, place(5), DISCONNECTED, *found_late))

    assert [(row["quantity"], row["avg_cost"]) for row in found["positions"]] == [("100", "495")]


FUTURE = {"symbol": "ES", "secType": "FUT", "exchange": "CME", "currency": "USD"}
JUNE = {**FUTURE, "conId": 5, "localSymbol": "ESM6", "lastTradeDateOrContractMonth": "20260618", "multiplier": "50"}


def test_a_future_asked_for_by_its_month_is_the_one_that_the_broker_tells_by_its_last_day(written: Written) -> None:
    bought = place(5, contract={**FUTURE, "lastTradeDateOrContractMonth": "202606"}, totalQuantity=1)
    filled = executed(5, "a.1.01", 1, 5000)
    filled["args"]["contract"] = JUNE
    listed = position(1, 250000)
    listed["args"]["contract"] = JUNE

    found = replay(written(bought, filled, listed))

    assert [(row["quantity"], row["avg_cost"]) for row in found["positions"]] == [("1", "5000")]
    assert found["discrepancies"] == []


@pytest.mark.parametrize("number", [{"conId": 5}, {}])
def test_a_multiplier_is_told_by_any_line_of_the_capture(written: Written, number: Row) -> None:
    short = {**FUTURE, **number, "lastTradeDateOrContractMonth": "20260618"}
    bought, sold = executed(5, "a.1.01", 1, 5000), executed(6, "a.2.01", 1, 5010, side="SLD")
    bought["args"]["contract"] = sold["args"]["contract"] = short
    listed = position(0, 0)
    listed["args"]["contract"] = {**short, "multiplier": "50"}

    found = replay(written(place(5, contract=short), bought, place(6, contract=short, action="SELL"), sold, listed))

    assert [(row["quantity"], row["realized_pnl"]) for row in found["positions"]] == [("0", "500")]


def test_a_later_position_that_differs_is_named(written: Written) -> None:
    found = replay(written(place(5), executed(5, "a.1.01", 100), status(5, "Filled", 100, 0), position(60)))

    assert [row["quantity"] for row in found["positions"]] == ["100"]
    assert [row["kind"] for row in found["discrepancies"]] == ["POSITION_MISMATCH"]


def test_positions_of_two_accounts_that_differ_are_both_named(written: Written) -> None:
    filled = [executed(5, f"a.{account}.01", 50, acctNumber=account) for account in ("DU1", "DU2")]
    listed = [position(40, account=account) for account in ("DU1", "DU2")]

    found = replay(written(place(5), *filled, *listed))

    assert [row["text"][:11] for row in found["discrepancies"]] == ["account DU1", "account DU2"]


def test_a_later_position_that_agrees_is_no_news(written: Written) -> None:
    found = replay(written(place(5), executed(5, "a.1.01", 100), status(5, "Filled", 100, 0), position(100)))

    assert found["discrepancies"] == []


def test_lists_the_capture_does_not_hold_are_no_discrepancy(written: Written) -> None:
    asked = (line("out", "reqAllOpenOrders"), line("in", "openOrderEnd"))

    assert replay(written(place(5), notice(5, 512), *asked))["discrepancies"] == []


def test_an_outage_of_the_servers_shows_in_the_session(written: Written) -> None:
    assert replay(written(CONNECTED, notice(-1, 1100)))["session"] == "DEGRADED"
    assert replay(written(CONNECTED, notice(-1, 1100), notice(-1, 1102)))["session"] == "READY"


# --- figures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("100", "100"),
        ("100.00", "100"),
        ("495.250", "495.25"),
        ("1E+3", "1000"),
        ("-0.00", "0"),
        ("0.00000001", "0.00000001"),
        ("-1.20", "-1.2"),
    ],
)
def test_decimals_are_plain_digits(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


def test_endless_fractions_end_after_twelve_places() -> None:
    assert plain(Decimal(2) / 3) == "0.666666666667"
    assert plain(None) is None


# --- any order of lines --------------------------------------------------------------------------------------------

LIBRARY = Path(__file__).parent.parent / "transcripts"
TRANSCRIPTS = [read_transcript(path) for path in sorted(LIBRARY.glob("*.jsonl"))]


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[Line, ...]:
    lines = draw(st.sampled_from(TRANSCRIPTS)).lines
    kept = draw(st.lists(st.sampled_from(range(len(lines))), unique=True))
    return tuple(lines[place] for place in kept)


@given(shuffled())
def test_no_order_of_lines_raises_or_loses_a_fill(lines: tuple[Line, ...]) -> None:
    found = replayed(Transcript(path="shuffled", lines=lines))

    wanted = {
        row.args["execution"].execId  # type: ignore[attr-defined]
        for row in lines
        if row.direction is Direction.IN and row.name == "execDetails"
    }
    booked = [fill["exec_id"] for order in found["orders"] for fill in order["fills"]]
    families = [exec_id.rpartition(".")[0] for exec_id in booked]
    assert {exec_id.rpartition(".")[0] for exec_id in wanted} == set(families)
    counted = [fill["exec_id"] for order in found["orders"] for fill in order["fills"] if not fill["superseded"]]
    assert len({exec_id.rpartition(".")[0] for exec_id in counted}) == len(counted)


def quantities(lines: tuple[Line, ...]) -> dict[str, Decimal]:
    """Positions as the executions alone tell them: of each family the highest correction, the first of equals."""
    final: dict[str, tuple[int, str, Decimal]] = {}
    for row in lines:
        if row.name != "execDetails":
            continue
        execution, contract = row.args["execution"], row.args["contract"]
        family, _, number = execution.execId.rpartition(".")  # type: ignore[attr-defined]
        if int(number) > final.get(family, (0,))[0]:
            sign = 1 if execution.side == "BOT" else -1  # type: ignore[attr-defined]
            shares = sign * Decimal(str(execution.shares))  # type: ignore[attr-defined]
            final[family] = (int(number), contract.symbol, shares)  # type: ignore[attr-defined]
    found: dict[str, Decimal] = {}
    for _, symbol, shares in final.values():
        found[symbol] = found.get(symbol, Decimal(0)) + shares
    return {symbol: total for symbol, total in found.items() if total}


def told_by_executions(lines: tuple[Line, ...]) -> bool:
    """Whether positions follow from executions alone: no openings, no combos, no executions without a contract."""
    told = [row for row in lines if row.name == "execDetails"]
    whole = all(getattr(row.args.get("contract"), "secType", "BAG") != "BAG" for row in told)
    combos = any(getattr(row.args.get("contract"), "secType", "") == "BAG" for row in lines)
    return whole and not combos and not any(row.name == "position" for row in lines)


@given(shuffled().filter(told_by_executions))
def test_positions_are_what_the_executions_say(lines: tuple[Line, ...]) -> None:
    found = replayed(Transcript(path="shuffled", lines=lines))

    booked: dict[str, Decimal] = {}
    for row in found["positions"]:
        booked[row["symbol"]] = booked.get(row["symbol"], Decimal(0)) + Decimal(row["quantity"])
    assert {symbol: total for symbol, total in booked.items() if total} == quantities(lines)
