"""Every named misbehaviour as the official client sees it."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ibapi.execution import ExecutionFilter

from ibapi_bridge.gateway_simulator import ConfigError, GatewayConfig, GatewaySimulator
from ibapi_bridge.gateway_simulator.faults.actions import ACTIONS
from ibapi_bridge.gateway_simulator.faults.scenario import load_scenario
from ibapi_bridge.gateway_simulator.faults.switchboard import SWITCHES
from tests.ibapi_bridge.gateway_simulator.conftest import Connect, StartGateway
from tests.ibapi_bridge.gateway_simulator.official_client import OfficialClient, contract, order

pytestmark = pytest.mark.socket


@pytest.fixture
def gateway(start_gateway: StartGateway) -> GatewaySimulator:
    return start_gateway(speed=100.0)


@pytest.fixture
def client(gateway: GatewaySimulator, connect: Connect) -> OfficialClient:
    return connect(gateway)


def buy(client: OfficialClient, order_id: int = 1, quantity: int = 10, **fields: Any) -> None:
    client.place(order_id, contract(), order("BUY", "MKT", quantity, **fields))


def rest(client: OfficialClient, order_id: int = 1) -> None:
    client.place(order_id, contract(), order("BUY", "LMT", 10, lmtPrice=440.0))
    client.wait_status(order_id, "Submitted")


def test_a_status_can_come_twice_or_not_at_all(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("duplicate_status", status="Filled", copies=2)
    gateway.faults.arm("skip_status", status="PreSubmitted", n=2)
    buy(client)

    client.wait_for("commissionAndFeesReport")
    assert [line for line in client.trace() if "Status" in line] == ["orderStatus Filled 10/0"] * 3


def test_the_terminal_status_can_come_before_the_execution(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("status_before_exec")
    buy(client)

    client.wait_for("execDetails")
    trace = client.trace()
    assert trace.index("orderStatus Filled 10/0") < trace.index("execDetails BOT 10")


def test_the_execution_can_come_before_any_status(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("exec_before_status")
    buy(client)

    client.wait_for("commissionAndFeesReport")
    assert client.trace()[0] == "execDetails BOT 10"
    assert "orderStatus PreSubmitted 0/10" in client.trace()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [("commission_missing", 0), ("commission_unset", 1), ("commission_early", 1)],
)
def test_commissions_can_be_missing_unset_or_early(
    gateway: GatewaySimulator, client: OfficialClient, fault: str, expected: int
) -> None:
    gateway.faults.arm(fault)
    buy(client)
    client.wait_status(1, "Filled")
    buy(client, 2)
    client.wait_for("commissionAndFeesReport", expected + 1)

    first_execution = client.named("execDetails")[0][3].execId
    reports = [c[1] for c in client.named("commissionAndFeesReport") if c[1].execId == first_execution]
    assert len(reports) == expected
    if fault == "commission_unset":
        assert reports[0].commissionAndFees == 1.7976931348623157e308
    if fault == "commission_early":
        assert client.summary().index("commissionAndFeesReport") < client.summary().index("execDetails BOT 10")


def test_an_execution_can_be_corrected(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("correction", price_change="0.05")
    buy(client)

    second = client.wait_for("execDetails", 2)[3]
    first = client.named("execDetails")[0][3]
    assert (first.execId[-3:], second.execId[-3:]) == (".01", ".02")
    assert second.price == pytest.approx(first.price + 0.05)


def test_an_execution_can_come_after_cancelled(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway(speed=2.0)
    client = connect(gateway)
    gateway.faults.arm("late_execution")
    client.place(1, contract(), order("BUY", "MKT", 4000))
    client.wait_until(lambda calls: any(c[0] == "orderStatus" and c[3] > 0 for c in calls))
    client.cancel(1)

    client.wait_for("execDetails", seconds=8)
    trace = client.trace()
    cancelled = next(i for i, line in enumerate(trace) if "Cancelled" in line)
    assert next(i for i, line in enumerate(trace) if line.startswith("execDetails")) > cancelled


def test_orders_can_be_lost_muted_refused_or_left_pending(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("lose_order")
    buy(client, 1)
    buy(client, 2)
    client.wait_status(2, "Filled")
    gateway.faults.arm("mute_order")
    buy(client, 3)
    client.catch_up()
    gateway.faults.arm("reject_order", skip=1, code=110, text="The price does not conform")
    buy(client, 4)
    buy(client, 5)
    client.wait_error(110, 5)
    client.wait_status(4, "Filled")
    client.catch_up()
    gateway.faults.arm("pending_submit")
    buy(client, 6)
    client.wait_status(6, "PendingSubmit")
    client.cancel(6)
    client.wait_status(6, "PendingCancel")

    assert client.trace(1) == []
    assert client.trace(3) == []
    assert client.trace(5) == ["error 110"]
    client.api.reqPositions()
    assert client.wait_for("position")[3] == 30


def test_two_live_orders_can_share_an_api_id(gateway: GatewaySimulator, client: OfficialClient) -> None:
    rest(client)
    gateway.faults.arm("two_perm_ids")
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=441.0))
    client.wait_until(lambda calls: len({c[6] for c in calls if c[0] == "orderStatus"}) == 2)
    client.forget()
    client.api.reqAllOpenOrders()

    client.wait_for("openOrderEnd")
    rows = client.named("openOrder")
    assert {row[1] for row in rows} == {1}
    assert {row[3].lmtPrice for row in rows} == {440.0, 441.0}
    assert len({row[3].permId for row in rows}) == 2


def test_texts_can_be_changed_and_localized(gateway: GatewaySimulator, client: OfficialClient) -> None:
    buy(client)
    client.wait_status(1, "Filled")
    gateway.faults.arm("localized_texts")
    client.cancel(1)
    assert "état : Rempli" in client.wait_error(10148, 1)[4]
    gateway.faults.disarm("localized_texts")
    gateway.faults.arm("error_text", code=10147, text="gone")
    client.cancel(77)
    assert client.wait_error(10147, 77)[4] == "gone"


def test_end_markers_can_be_late_or_missing(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("slow_open_order_end", seconds=60)
    gateway.faults.arm("missing_exec_end")
    asked = gateway.now()
    client.api.reqOpenOrders()
    client.api.reqExecutions(5, ExecutionFilter())
    client.wait_for("openOrderEnd")

    assert (gateway.now() - asked).total_seconds() >= 60
    assert client.named("execDetailsEnd") == []
    client.api.reqExecutions(6, ExecutionFilter())
    assert client.wait_for("execDetailsEnd")[1] == 6


def test_messages_can_be_reordered_and_delayed(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("reorder", kind="openOrder", after="orderStatus")
    gateway.faults.arm("delay", kind="commissionAndFeesReport", seconds=30)
    buy(client)

    client.wait_for("commissionAndFeesReport")
    assert client.trace()[:2] == ["orderStatus PreSubmitted 0/10", "openOrder PreSubmitted"]
    fill = client.named("execDetails")[0]
    assert fill[0] == "execDetails"


ASKED: Mapping[str, Callable[[Any], object]] = {
    "currentTime": lambda api: api.reqCurrentTime(),
    "managedAccounts": lambda api: api.reqManagedAccts(),
    "contractDetails": lambda api: api.reqContractDetails(5, contract()),
    "contractDetailsEnd": lambda api: api.reqContractDetails(5, contract()),
    "marketRule": lambda api: api.reqMarketRule(26),
    "symbolSamples": lambda api: api.reqMatchingSymbols(5, "SPY"),
    "openOrderEnd": lambda api: api.reqAllOpenOrders(),
    "execDetailsEnd": lambda api: api.reqExecutions(5, ExecutionFilter()),
    "completedOrdersEnd": lambda api: api.reqCompletedOrders(apiOnly=False),
    "positionEnd": lambda api: api.reqPositions(),
    "accountSummaryEnd": lambda api: api.reqAccountSummary(5, "All", "NetLiquidation"),
    "headTimestamp": lambda api: api.reqHeadTimeStamp(5, contract(), "TRADES", 1, 1),
    "error": lambda api: api.reqContractDetails(5, contract("NOSUCH")),
}


@pytest.mark.parametrize("kind", ASKED)
def test_any_kind_of_message_can_be_doubled_dropped_or_late(
    gateway: GatewaySimulator, client: OfficialClient, kind: str
) -> None:
    ask = ASKED[kind]
    client.forget()
    gateway.faults.arm("duplicate", kind=kind, copies=2)
    ask(client.api)
    client.catch_up()
    assert len(client.named(kind)) == 3
    client.forget()
    gateway.faults.arm("drop", kind=kind)
    ask(client.api)
    client.catch_up()
    assert client.named(kind) == []
    gateway.pause()
    gateway.faults.arm("delay", kind=kind, seconds=5)
    ask(client.api)
    client.catch_up()
    assert client.named(kind) == []
    gateway.resume()
    client.wait_for(kind)
    assert gateway.faults.armed() == []


def test_a_staged_order_can_seem_cancelled_for_a_moment(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("transient_cancel")
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=440.0))
    client.wait_status(1, "Submitted")

    assert [line for line in client.trace() if "Status" in line] == [
        "orderStatus Cancelled 0/10",
        "orderStatus PreSubmitted 0/10",
        "orderStatus Submitted 0/10",
    ]


def test_an_execution_can_be_corrected_later(gateway: GatewaySimulator, client: OfficialClient) -> None:
    buy(client)
    first = client.wait_for("execDetails")[3].execId
    gateway.faults.do("correct", exec_id=first, price="449.5")
    second = client.wait_for("execDetails", 2)[3]

    assert second.execId == first[:-2] + "02"
    assert second.price == 449.5
    with pytest.raises(ConfigError, match="nonsense"):
        gateway.faults.do("correct", exec_id="nonsense", price="1")


def test_the_gateway_can_say_that_it_has_no_server(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.do("server_broken")

    assert "will be restored automatically" in client.wait_error(2110)[4]


def test_the_broker_can_cancel_with_a_reason(gateway: GatewaySimulator, client: OfficialClient) -> None:
    rest(client)
    gateway.faults.do("unsolicited_cancel", order_id=1, reason="corporate action")

    assert client.wait_error(202, 1)[4] == "Order Canceled - reason:corporate action"


def test_the_link_goes_down_and_comes_back_with_what_waited(gateway: GatewaySimulator, client: OfficialClient) -> None:
    rest(client)
    gateway.faults.lose_link(repeats=2)
    client.wait_until(lambda calls: sum(c[0] == "error" and c[3] == 1100 for c in calls) == 2)
    client.cancel(1)
    buy(client, 2)
    client.api.reqCurrentTime()
    client.wait_for("currentTime")
    assert "orderStatus Cancelled 0/10" not in client.trace()
    gateway.faults.restore_link()

    client.wait_error(1102)
    client.wait_error(202, 1)
    client.wait_status(2, "Filled")


def test_data_lost_ends_every_stream(gateway: GatewaySimulator, client: OfficialClient) -> None:
    client.api.reqMktData(9, contract(), "", snapshot=False, regulatorySnapshot=False, mktDataOptions=[])
    client.wait_for("tickPrice", 2)
    gateway.faults.lose_link()
    gateway.faults.restore_link(data_lost=True)
    client.wait_error(1101)

    client.api.cancelMktData(9)
    client.wait_error(300, 9)


def test_a_client_that_comes_while_the_link_is_down_hears_2110(gateway: GatewaySimulator, connect: Connect) -> None:
    gateway.faults.lose_link()
    client = connect(gateway, 8, wait=False)

    client.wait_error(2110)


def test_farms_break_and_come_back(gateway: GatewaySimulator, client: OfficialClient) -> None:
    client.forget()
    for code in (2103, 2105, 2157):
        gateway.faults.do("farm_broken", code=code)
        client.wait_error(code)
    gateway.faults.do("farm_restored", code=2104)
    client.wait_error(2104)


def test_a_restart_resets_sockets_and_rolls_ids_back(
    gateway: GatewaySimulator, client: OfficialClient, connect: Connect
) -> None:
    client.place(1, contract(), order("BUY", "LMT", 10, lmtPrice=440.0))
    client.place(2, contract(), order("BUY", "LMT", 10, lmtPrice=440.0, transmit=False))
    client.wait_status(1, "Submitted")
    client.catch_up()
    gateway.faults.restart(down_seconds=0.1, roll_back=1)
    client.wait_for("connectionClosed")
    time.sleep(0.3)  # the gateway is down for a tenth of a second by design
    again = connect(gateway)

    assert again.named("nextValidId")[0][1] == 2
    again.api.reqOpenOrders()
    again.wait_for("openOrderEnd")
    assert [call[1] for call in again.named("openOrder")] == [1]


def test_a_gateway_on_an_empty_disk_knows_nothing_but_what_the_broker_knows(
    gateway: GatewaySimulator, client: OfficialClient, connect: Connect
) -> None:
    buy(client, 5)
    client.wait_status(5, "Filled")
    rest(client, 6)
    client.place(7, contract(), order("BUY", "LMT", 10, lmtPrice=440.0, transmit=False))
    client.catch_up()
    gateway.faults.do("wipe_disk", down_seconds=0.1)
    client.wait_for("connectionClosed")
    time.sleep(0.3)  # the gateway is down for a tenth of a second by design
    again = connect(gateway)
    again.api.reqAllOpenOrders()
    again.wait_for("openOrderEnd")
    again.api.reqExecutions(1, ExecutionFilter())
    again.wait_for("execDetailsEnd")
    again.api.reqCompletedOrders(apiOnly=False)
    again.wait_for("completedOrdersEnd")
    again.api.reqPositions()
    again.wait_for("positionEnd")

    assert again.named("nextValidId")[0][1] == 1
    assert [call[1] for call in again.named("openOrder")] == [6]
    assert again.named("execDetails", "completedOrder") == []
    assert [call[3] for call in again.named("position")] == [10]


@pytest.mark.parametrize("other_seed", [False, True])
def test_chance_is_drawn_from_the_seed(start_gateway: StartGateway, connect: Connect, *, other_seed: bool) -> None:
    heard: list[list[int]] = []
    for seed in (1, 2 if other_seed else 1):
        gateway = start_gateway(seed=seed)
        client = connect(gateway)
        gateway.faults.arm("drop", kind="marketRule", n=0, chance=0.5)
        for _ in range(40):
            client.api.reqMarketRule(26)
            client.api.reqMarketRule(239)
        client.catch_up()
        heard.append([call[1] for call in client.named("marketRule")])

    assert all(20 < len(rules) < 60 for rules in heard)
    assert (heard[0] == heard[1]) != other_seed


def test_the_port_can_move(gateway: GatewaySimulator, client: OfficialClient, connect: Connect) -> None:
    old = gateway.port
    gateway.faults.do("change_port")

    assert str(gateway.port) in client.wait_error(1300)[4]
    client.wait_for("connectionClosed")
    assert gateway.port != old
    connect(gateway, 3)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_socket_can_die_around_an_order(
    gateway: GatewaySimulator, client: OfficialClient, connect: Connect, when: str
) -> None:
    gateway.faults.arm("kill_on_request", kind="placeOrder", when=when)
    rest_terms = order("BUY", "LMT", 10, lmtPrice=440.0)
    client.place(1, contract(), rest_terms)
    client.wait_for("connectionClosed")
    again = connect(gateway)
    again.api.reqOpenOrders()
    again.wait_for("openOrderEnd")

    assert len(again.named("openOrder")) == (1 if when == "after" else 0)


def test_the_socket_can_die_around_a_reply_or_a_byte(
    gateway: GatewaySimulator, client: OfficialClient, connect: Connect
) -> None:
    gateway.faults.arm("kill_on_reply", kind="execDetails", when="before")
    buy(client)
    client.wait_for("connectionClosed")
    assert client.named("execDetails") == []
    again = connect(gateway)
    gateway.faults.do("cut_after_bytes", count=10)
    again.api.reqCurrentTime()
    again.wait_for("connectionClosed")
    assert again.named("currentTime") == []


def test_an_id_can_be_claimed(gateway: GatewaySimulator, connect: Connect) -> None:
    gateway.faults.arm("client_id_in_use")
    connect(gateway, 4, wait=False).wait_error(326)
    connect(gateway, 4)


def test_damaged_frames_reach_only_their_client(
    gateway: GatewaySimulator, client: OfficialClient, connect: Connect
) -> None:
    other = connect(gateway, 2)
    gateway.faults.do("oversize_frame", client_id=1)
    client.api.reqCurrentTime()
    other.api.reqCurrentTime()

    other.wait_for("currentTime")
    assert client.named("currentTime") == []


def raw_client(gateway: GatewaySimulator) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", gateway.port))
    stream.sendall(b"API\0" + len(b"v100..225").to_bytes(4, "big") + b"v100..225")
    return stream


def test_the_handshake_can_be_split_or_stall(gateway: GatewaySimulator) -> None:
    gateway.faults.do("split_handshake", at=6, seconds=0.2)
    with raw_client(gateway) as stream:
        stream.settimeout(2)
        assert len(stream.recv(4096)) == 6
        assert stream.recv(4096).startswith(b"5\0")
    gateway.faults.do("stall_handshake")
    with raw_client(gateway) as stream:
        stream.settimeout(0.3)
        with pytest.raises(TimeoutError):
            stream.recv(4096)


def test_a_burst_of_exactly_4096_bytes_is_lost_by_the_stock_reader(
    gateway: GatewaySimulator, client: OfficialClient
) -> None:
    gateway.faults.do("burst", total=4096, silence_seconds=1.5)
    client.api.reqCurrentTime()
    time.sleep(1.3)  # the stock reader gives the bytes up after a second of silence

    assert client.named("currentTime") == []
    time.sleep(0.4)  # the silence ends
    client.api.reqCurrentTime()
    client.wait_for("currentTime")


def test_a_half_open_connection_says_nothing_and_holds_nobody_up(
    gateway: GatewaySimulator, client: OfficialClient, connect: Connect
) -> None:
    other = connect(gateway, 2)
    gateway.faults.do("half_open", client_id=1)
    client.api.reqCurrentTime()
    other.api.reqCurrentTime()

    other.wait_for("currentTime")
    assert client.named("currentTime") == []


def test_faults_come_from_a_scenario_file(start_gateway: StartGateway, connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "day.toml"
    path.write_text(
        '[[step]]\nfault = "lose_link"\nat = 20\n[[step]]\nfault = "restore_link"\nat = "09:31:00"\n'
        '[[step]]\nfault = "notice"\non = "reqIds"\ncount = 2\ncode = 2119\ntext = "connecting"\n'
    )
    client = connect(start_gateway(speed=100.0, scenario=load_scenario(path)))

    client.wait_error(1100)
    client.wait_error(1102)
    client.api.reqIds(1)
    client.api.reqIds(1)
    client.wait_error(2119)


def test_a_scenario_can_be_computed(start_gateway: StartGateway, connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "storm.py"
    path.write_text(
        "from random import Random\n\n\ndef steps(seed):\n    random = Random(seed)\n"
        "    return [{'fault': 'notice', 'at': 60 + random.random(), 'code': c, 'text': 'x'} for c in (2119, 2120)]\n"
    )
    client = connect(start_gateway(scenario=load_scenario(path, seed=7)))

    client.wait_error(2119)
    client.wait_error(2120)
    assert load_scenario(path, seed=7) == load_scenario(path, seed=7) != load_scenario(path, seed=8)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "must define a function steps"), ("def steps(seed): return 1 / 0", "ZeroDivisionError"),
     ("def steps(seed): return [17]", "step 1 is 17")],
)  # fmt: skip
def test_a_bad_computed_scenario_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)

    with pytest.raises(ConfigError, match=words):
        load_scenario(path)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('fault = "drop"\nkind = "orderState"', "kind 'orderState'"),
        ('fault = "disconnect"\ncolour = "red"', "colour"),
        ('fault = "kill_on_reply"\nkind = "execDetails"\nwhen = "during"', "when 'during'"),
        ('fault = "ignore_request"\nkind = "placeOrdr"', "kind 'placeOrdr'"),
        ('fault = "drop"\nkind = "any"\nchance = 2', "chance 2"),
    ],
)
def test_a_step_that_cannot_work_is_refused_before_anything_starts(tmp_path: Path, step: str, words: str) -> None:
    path = tmp_path / "day.toml"
    path.write_text(f"[[step]]\n{step}\nat = 1\n")

    with pytest.raises(ConfigError, match=words):
        GatewaySimulator(GatewayConfig(scenario=load_scenario(path)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[step]]\nat = 1\n", "needs a 'fault'"),
        ('[[step]]\nfault = "disconnect"\non = "placeOrdr"\n', "'placeOrdr'"),
        ('[[step]]\nfault = "disconnect"\non = "placeOrder"\ncount = 0\n', "count = 0"),
        ('[[step]]\nfault = "disconnect"\n', "exactly one"),
        ('[[step]]\nfault = "disconnect"\nat = "noon"\n', "time of day"),
        ('other = 1\n[[step]]\nfault = "disconnect"\nat = 1\n', "only"),
        ("[[", "cannot be read"),
    ],
)
def test_a_bad_scenario_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=words):
        load_scenario(path)


def test_an_unknown_fault_or_parameter_names_what_is_accepted(
    gateway: GatewaySimulator, start_gateway: StartGateway, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="duplicate_status"):
        gateway.faults.arm("dupilcate_status")
    with pytest.raises(ConfigError, match="no parameter colour"):
        gateway.faults.arm("duplicate_status", colour="red")
    with pytest.raises(ConfigError, match="does not accept"):
        gateway.faults.do("disconnect", colour="red")
    with pytest.raises(ConfigError, match="does not accept"):
        gateway.faults.do("manual_order", con_id=756733, quantity="many")
    with pytest.raises(ConfigError, match="con_id 1 is not listed"):
        gateway.faults.do("manual_order", con_id=1)
    assert gateway.faults.armed() == []
    path = tmp_path / "day.toml"
    path.write_text('[[step]]\nfault = "earthquake"\nat = 1\n')
    with pytest.raises(ConfigError, match="earthquake"):
        start_gateway(scenario=load_scenario(path))


def test_the_control_socket_takes_faults_as_json_lines(start_gateway: StartGateway, connect: Connect) -> None:
    gateway = start_gateway(control_port=0)
    client = connect(gateway)
    with socket.create_connection(("127.0.0.1", gateway.control_port)) as stream, stream.makefile("rw") as lines:

        def ask(text: str) -> Any:
            lines.write(text + "\n")
            lines.flush()
            return json.loads(lines.readline())

        assert ask('{"fault": "notice", "code": 2119, "text": "hello"}') == {"ok": True}
        assert ask('{"fault": "duplicate_status", "n": 3}') == {"ok": True}
        assert ask('{"get": "armed"}')["armed"] == ["duplicate_status"]
        assert ask('{"fault": "silence", "colour": 1}') == {"error": "fault 'silence' has no parameter colour"}
        assert ask('{"fault": "disarm", "name": "duplicate_status"}') == {"ok": True}
        assert ask('{"get": "armed"}')["armed"] == []
        assert "unknown" in ask('{"fault": "earthquake"}')["error"]
        assert "JSON" in ask("nonsense")["error"]
        assert "object" in ask("[]")["error"]
        assert "needs a 'fault'" in ask("{}")["error"]
    client.wait_error(2119)


def test_a_gateway_that_stops_reading_takes_nothing_more(
    gateway: GatewaySimulator, client: OfficialClient, connect: Connect
) -> None:
    gateway.faults.do("stop_reading", client_id=1)
    client.api.reqCurrentTime()
    other = connect(gateway, 2)
    other.catch_up()

    assert client.named("currentTime") == []


def test_ids_can_go_back(gateway: GatewaySimulator, client: OfficialClient, connect: Connect) -> None:
    buy(client, 5)
    client.wait_status(5, "Filled")
    gateway.faults.do("roll_back_ids", client_id=1, to=3)
    client.api.reqIds(-1)

    assert client.wait_for("nextValidId", 2)[1] == 3


@pytest.mark.parametrize("fault", ["corrupt_frame", "truncate_frame"])
def test_a_damaged_frame_has_the_length_it_says(gateway: GatewaySimulator, fault: str) -> None:
    with raw_client(gateway) as stream, stream.makefile("rb") as lines:
        greeting = lines.read(int.from_bytes(lines.read(4), "big"))
        assert greeting.startswith(b"225\0")
        start = (271).to_bytes(4, "big") + b"\x08\x07"
        stream.sendall(len(start).to_bytes(4, "big") + start)
        for _ in range(5):
            lines.read(int.from_bytes(lines.read(4), "big"))
        gateway.faults.do(fault)
        ask = (249).to_bytes(4, "big")
        stream.sendall(2 * (len(ask).to_bytes(4, "big") + ask))
        damaged = lines.read(int.from_bytes(lines.read(4), "big"))
        whole = lines.read(int.from_bytes(lines.read(4), "big"))

    assert whole[:4] == (249).to_bytes(4, "big")
    assert damaged != whole
    assert (len(damaged) < len(whole)) == (fault == "truncate_frame")


def test_a_cancel_nobody_asked_for_needs_a_live_order(gateway: GatewaySimulator) -> None:
    with pytest.raises(ConfigError, match="order_id 7"):
        gateway.faults.do("unsolicited_cancel", order_id=7)


def test_every_fault_is_described() -> None:
    described = (Path(__file__).parents[4] / "docs" / "gateway-simulator.md").read_text(encoding="utf-8")

    assert [name for name in sorted({*SWITCHES, *ACTIONS}) if f"`{name}`" not in described] == []


def test_a_skipped_status_takes_its_open_order_along(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("skip_status")
    buy(client)
    client.wait_for("commissionAndFeesReport")

    assert client.trace()[:2] == ["execDetails BOT 10", "openOrder Filled"]
    assert gateway.faults.armed() == []


def test_what_waits_for_one_order_is_not_let_go_by_another(gateway: GatewaySimulator, client: OfficialClient) -> None:
    gateway.faults.arm("late_execution")
    buy(client, 1)
    client.wait_status(1, "Filled")
    buy(client, 2)
    client.wait_status(2, "Filled")
    rest(client, 3)
    client.cancel(3)
    client.wait_error(202, 3)

    assert [call[3].orderId for call in client.named("execDetails")] == [2]


def test_a_cancel_that_hangs_tells_what_it_knows_of_the_order(
    gateway: GatewaySimulator, client: OfficialClient
) -> None:
    gateway.faults.arm("pending_submit")
    buy(client)
    client.wait_status(1, "PendingSubmit")
    client.cancel(1)
    client.wait_status(1, "PendingCancel")

    pending, canceling = client.named("orderStatus")
    assert canceling[3:] == pending[3:]


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("drop", {"kind": "orderStatus", "n": -1}, "n -1 must be a whole number from 0"),
        ("drop", {"kind": "orderStatus", "skip": -1}, "skip -1"),
        ("drop", {"kind": "orderStatus", "client_id": "1"}, "client_id '1'"),
        ("duplicate", {"kind": "orderStatus", "copies": 1.5}, "copies 1.5"),
        ("delay", {"kind": "orderStatus", "seconds": -1}, "seconds -1"),
        ("lose_order", {"client_id": "1"}, "client_id '1'"),
        ("lose_order", {"n": -1}, "n -1"),
        ("disconnect", {"client_id": "1"}, "client_id '1'"),
        ("roll_back_ids", {"client_id": 1, "to": -5}, "to -5 must not be below 0"),
        ("restart", {"down_seconds": -1.0}, "down_seconds -1.0"),
        ("farm_restored", {"code": 1}, "code 1 must be 2104, 2106 or 2158"),
    ],
)
def test_a_value_that_would_do_nothing_is_refused(
    gateway: GatewaySimulator, name: str, parameters: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        gateway.faults.do(name, **parameters)


def test_prices_and_sizes_may_be_numbers(gateway: GatewaySimulator, client: OfficialClient) -> None:
    rest(client)
    gateway.faults.do("manual_change", order_id=1, quantity=20, limit=441.1)
    client.wait_until(lambda calls: any(c[0] == "openOrder" and c[3].lmtPrice == 441.1 for c in calls))
    gateway.faults.do("manual_order", con_id=756733, quantity=5, limit=440.1)
    buy(client, 2)
    exec_id = client.wait_for("execDetails")[3].execId
    gateway.faults.do("correct", exec_id=exec_id, price=440.1)

    assert client.wait_for("execDetails", 2)[3].price == 440.1
    client.api.reqAllOpenOrders()
    client.wait_for("openOrderEnd")
    assert {(c[3].lmtPrice, int(c[3].totalQuantity)) for c in client.named("openOrder")} >= {(441.1, 20), (440.1, 5)}
