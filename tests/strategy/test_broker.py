from datetime import UTC, time
from decimal import Decimal
from typing import Any

import attrs
import pytest

from actors.codec import Codec
from actors.domain.contract import Contract, SecType
from actors.domain.order_state import ExecStatus, OrderState, Pending
from actors.domain.terms import OMS_ID_PATTERN, InvalidOrder, Order, OrderType, Side
from actors.messages.commands import CancelOrder, FlattenAll, ReplaceOrder, SubmitOrder
from actors.messages.events import OrderInvalid
from actors.messages.schedule import ScheduleTimer
from actors.messages.system import Tick
from strategy.base import Strategy
from strategy.runner import StrategyRunner
from strategy.view import CLOSED_ORDERS_KEPT
from tests.strategy.support import OPEN, SPY, accepted, canceled, filled, later, quote, run, snapshot, state

LIMIT = Order(
    side=Side.BUY, quantity=Decimal(100), symbol="SPY", order_type=OrderType.LIMIT, limit_price=Decimal("449.5")
)


@pytest.fixture
def runner() -> StrategyRunner:
    return run(Strategy())


def said(runner: StrategyRunner) -> tuple[Any, ...]:
    return runner.hear(Tick(at=OPEN, elapsed=0.0))


def working(runner: StrategyRunner, order: Order = LIMIT) -> OrderState:
    oms_id = runner.broker.submit_order(order)
    said(runner)
    new = runner.broker.order(oms_id)
    assert new is not None
    runner.hear(accepted(new))
    now = runner.broker.order(oms_id)
    assert now is not None
    return now


def test_names_are_unique_and_fit_the_wire(runner: StrategyRunner) -> None:
    names = [runner.broker.submit_order(LIMIT) for _ in range(100)]
    assert len(set(names)) == 100
    assert all(OMS_ID_PATTERN.fullmatch(name) for name in names)


def test_the_same_order_under_the_same_name_is_sent_once(runner: StrategyRunner) -> None:
    assert runner.broker.submit_order(LIMIT, oms_id="mine.1") == "mine.1"
    assert runner.broker.submit_order(LIMIT, oms_id="mine.1") == "mine.1"
    assert said(runner) == (SubmitOrder(at=OPEN, oms_id="mine.1", order=LIMIT),)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "a b", "x" * 33, "ü"])
def test_a_name_that_cannot_travel_is_refused(runner: StrategyRunner, name: str) -> None:
    with pytest.raises(InvalidOrder, match="oms_id is"):
        runner.broker.submit_order(LIMIT, oms_id=name)


FUTURE: dict[str, Any] = {"symbol": "ES", "sec_type": SecType.FUTURE, "exchange": "CME", "expiry": "202612"}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"symbol": 5}, "symbol is 5: it must be text"),
        ({"tag": 5}, "tag is 5: it must be text"),
        ({"outside_rth": "yes"}, "outside_rth is 'yes': it must be True or False"),
        ({"contract": "ES"}, "contract is 'ES': it must be a Contract"),
        ({"good_till": "2030-01-01"}, "good_till is '2030-01-01': it must be a datetime with a time zone"),
        ({"contract": Contract(**{**FUTURE, "expiry": 202612})}, "contract.expiry is 202612: it must be text"),
        (
            {"contract": Contract(**{**FUTURE, "sec_type": "FUT"})},
            "contract.sec_type is 'FUT': it must be a SecType such",
        ),
        ({"contract": Contract(**{**FUTURE, "con_id": True})}, "contract.con_id is True: it must be a whole number"),
        ({"contract": Contract(**{**FUTURE, "strike": "450"})}, "contract.strike is '450': it must be a number"),
        ({"contract": Contract(**{**FUTURE, "legs": [1]})}, "contract.legs is [1]: it must be a tuple of Leg"),
        ({"contract": Contract(**{**FUTURE, "legs": (1,)})}, "contract.legs is 1: it must be a Leg"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_before_it_is_journalled(
    runner: StrategyRunner, fields: dict[str, Any], sentence: str
) -> None:
    """The journal could not be read back at the next start."""
    wanted: dict[str, Any] = {"side": "BUY", "quantity": 1, "symbol": "" if "contract" in fields else "SPY", **fields}
    with pytest.raises(InvalidOrder) as caught:
        runner.broker.submit_order(Order(**wanted))
    assert str(caught.value).startswith(sentence)
    assert [type(one) for one in said(runner)] == [OrderInvalid]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda broker: broker.submit_order("BUY 1 SPY"), "order is 'BUY 1 SPY': it must be an Order"),
        (lambda broker: broker.submit_order(LIMIT, oms_id=5), "oms_id is 5: it must be text"),
        (lambda broker: broker.cancel(5), "oms_id is 5: it must be text"),
        (lambda broker: broker.replace(None, quantity=1), "oms_id is None: it must be text"),
        (lambda broker: broker.flatten_all(None), "reason is None: it must be text"),
    ],
)
def test_a_name_or_a_reason_that_is_no_text_is_refused(runner: StrategyRunner, call: Any, sentence: str) -> None:
    with pytest.raises(InvalidOrder) as caught:
        call(runner.broker)
    assert str(caught.value) == sentence


def test_contracts_with_plain_numbers_are_taken_and_can_be_read_back(runner: StrategyRunner) -> None:
    contract = Contract(symbol="SPY", sec_type=SecType.OPTION, expiry="20270115", strike=450, right="C", multiplier=100)  # type: ignore[arg-type]
    name = runner.broker.submit_order(Order(side=Side.BUY, quantity=Decimal(1), contract=contract))
    (sent,) = said(runner)
    codec = Codec()
    assert codec.decode(*codec.encode(sent)) == sent
    assert sent.oms_id == name


def test_another_order_under_a_used_name_is_refused(runner: StrategyRunner) -> None:
    runner.broker.submit_order(LIMIT, oms_id="mine")
    with pytest.raises(InvalidOrder, match="already names another order"):
        runner.broker.submit_order(attrs.evolve(LIMIT, quantity=5), oms_id="mine")


def test_the_same_order_is_known_by_its_name_after_its_terms_changed(runner: StrategyRunner) -> None:
    """Changed by hand at the broker, or put on the price grid: what the strategy wanted is no other order."""
    order = working(runner)
    changed = attrs.evolve(order, order=attrs.evolve(LIMIT, quantity=5), past_terms=(LIMIT,))
    runner.hear(accepted(changed))

    assert runner.broker.submit_order(LIMIT, oms_id=order.oms_id) == order.oms_id
    with pytest.raises(InvalidOrder, match="already names another order"):
        runner.broker.submit_order(attrs.evolve(LIMIT, quantity=6), oms_id=order.oms_id)


def test_a_cancel_is_sent_once_until_it_was_answered(runner: StrategyRunner) -> None:
    order = working(runner)
    assert runner.broker.cancel(order.oms_id) is True
    assert runner.broker.cancel(order.oms_id) is False
    assert said(runner) == (CancelOrder(at=later(1), oms_id=order.oms_id),)
    runner.hear(canceled(order))
    assert runner.broker.cancel(order.oms_id) is False
    assert said(runner) == ()


def test_a_replace_sends_only_what_changes(runner: StrategyRunner) -> None:
    order = working(runner)
    assert runner.broker.replace(order.oms_id, limit_price="449.6") is True
    assert said(runner) == (ReplaceOrder(at=later(1), oms_id=order.oms_id, limit_price=Decimal("449.6")),)


def test_an_order_without_a_price_carries_the_markets(runner: StrategyRunner) -> None:
    runner.broker.submit_order(Order(side=Side.BUY, quantity=Decimal(1), symbol="SPY"))
    before = runner.hear(quote(2))
    runner.broker.submit_order(Order(side=Side.BUY, quantity=Decimal(1), symbol="SPY"))
    runner.broker.submit_order(LIMIT)

    assert [order.market_price for order in (*before, *said(runner))] == [None, Decimal("450.01"), None]


@pytest.mark.parametrize(
    ("known", "worth"),
    [({"last": 451}, 451), ({"bid": None}, None), ({"ask": None}, None), ({"bid": None, "last": 449}, 449)],
)
def test_the_market_is_at_the_last_trade_else_between_bid_and_ask(
    runner: StrategyRunner, known: dict[str, int | None], worth: int | None
) -> None:
    prices: dict[str, Any] = {name: None if price is None else Decimal(price) for name, price in known.items()}
    runner.hear(attrs.evolve(quote(2), **prices))
    runner.broker.submit_order(Order(side=Side.BUY, quantity=Decimal(1), symbol="SPY"))

    assert [order.market_price for order in said(runner)] == [worth]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "replace changes nothing"),
        ({"quantity": 0}, "quantity is 0: it must be greater than 0"),
        ({"quantity": "many"}, "quantity is 'many': it must be a number"),
        ({"stop_price": 1}, "stop_price is 1: an order of type LIMIT takes none"),
    ],
)
def test_a_replace_that_cannot_be_meant_is_refused(
    runner: StrategyRunner, change: dict[str, object], sentence: str
) -> None:
    order = working(runner)
    with pytest.raises(InvalidOrder, match=sentence):
        runner.broker.replace(order.oms_id, **change)
    assert [type(message) for message in said(runner)] == [OrderInvalid]


def test_a_replace_of_a_closed_order_says_so_without_raising(runner: StrategyRunner) -> None:
    order = working(runner)
    runner.hear(canceled(order))
    assert runner.broker.replace(order.oms_id, quantity=5) is False


def test_a_stranger_name_is_refused_and_one_of_ours_that_closed_long_ago_is_not(runner: StrategyRunner) -> None:
    with pytest.raises(InvalidOrder, match="no order of this strategy"):
        runner.broker.cancel("unknown")
    first = working(runner)
    runner.hear(canceled(first))
    for number in range(CLOSED_ORDERS_KEPT):
        runner.hear(canceled(state(f"other-{number}")))
    assert runner.broker.order(first.oms_id) is None
    assert runner.broker.cancel(first.oms_id) is False


def test_reads_before_the_first_message_are_flat_and_empty(runner: StrategyRunner) -> None:
    broker = runner.broker
    assert broker.get_position("SPY").quantity == 0
    assert (broker.positions(), broker.open_orders(), broker.quote("SPY")) == ((), (), None)
    assert (broker.cash, broker.equity, broker.now()) == (None, None, OPEN)


def test_reads_follow_the_latest_snapshot_and_quote(runner: StrategyRunner) -> None:
    runner.hear(snapshot(1, 300, cash=Decimal(5), equity=Decimal(7)))
    runner.hear(quote(2))
    broker = runner.broker
    assert (broker.cash, broker.equity) == (Decimal(5), Decimal(7))
    assert broker.get_position(SPY).quantity == 300
    assert [position.quantity for position in broker.positions()] == [300]
    seen = broker.quote("SPY")
    assert seen is not None
    assert seen.bid == Decimal("450.00")


def test_open_orders_of_one_instrument(runner: StrategyRunner) -> None:
    working(runner)
    runner.broker.submit_order(attrs.evolve(LIMIT, symbol="IBM"))
    assert [order.order.symbol for order in runner.broker.open_orders("IBM")] == ["IBM"]
    assert len(runner.broker.open_orders()) == 2


def test_a_configured_name_becomes_its_contract() -> None:
    euro = Contract(symbol="EUR", sec_type=SecType.CASH, exchange="IDEALPRO")
    runner = run(Strategy(), contracts={"EURUSD": euro})
    oms_id = runner.broker.submit_order(attrs.evolve(LIMIT, symbol="EURUSD"))
    order = runner.broker.order(oms_id)
    assert order is not None
    assert order.contract == euro
    runner.hear(filled(order, 100, "1.08", "e1"))
    assert runner.broker.get_position("EURUSD").quantity == 100
    runner.hear(attrs.evolve(quote(1), contract=attrs.evolve(euro, con_id=12087792, local_symbol="EUR.USD")))
    assert runner.broker.quote("EURUSD") is not None


def test_timers_and_flatten_become_messages(runner: StrategyRunner) -> None:
    runner.broker.every(30, "beat")
    runner.broker.daily_at(time(15, 40), "late")
    runner.broker.flatten_all("enough")
    assert said(runner) == (
        ScheduleTimer(name="beat", every_seconds=30.0),
        ScheduleTimer(name="late", at_time=time(15, 40)),
        FlattenAll(at=OPEN, reason="enough"),
    )


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda broker: broker.every(0, "x"), "seconds is 0"),
        (lambda broker: broker.every(float("nan"), "x"), "seconds is nan"),
        (lambda broker: broker.every(1, ""), "a timer needs a name"),
        (lambda broker: broker.daily_at(time(1, 2, tzinfo=UTC), "x"), "without a zone"),
        (lambda broker: broker.every("5", "x"), "seconds is '5': it must be a number from 0.001"),
        (lambda broker: broker.every(1e-9, "x"), "seconds is 1e-09: it must be a number from 0.001 to 604800"),
        (lambda broker: broker.every(True, "x"), "seconds is True: it must be a number"),
        (lambda broker: broker.every(5, 7), "name is 7: a timer needs a name"),
        (lambda broker: broker.daily_at("15:40", "x"), "give an exchange time such as"),
    ],
)
def test_a_timer_that_cannot_be_meant_is_refused(runner: StrategyRunner, make: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make(runner.broker)


def test_a_submitted_order_is_readable_at_once_and_then_as_the_events_say(runner: StrategyRunner) -> None:
    order = working(runner)
    assert (order.status, order.pending) == (ExecStatus.WORKING, None)
    runner.broker.cancel(order.oms_id)
    seen = runner.broker.order(order.oms_id)
    assert seen is not None
    assert seen.pending is Pending.CANCEL


HALF_A_PAIR = "\ud800"


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (attrs.evolve(LIMIT, symbol=HALF_A_PAIR), r"symbol is '\\ud800': it must be text that can be written as UTF-8"),
        (attrs.evolve(LIMIT, tag=f"a{HALF_A_PAIR}"), "tag is"),
        (attrs.evolve(LIMIT, symbol="", contract=Contract(symbol="SPY", currency=HALF_A_PAIR)), "contract.currency is"),
        (attrs.evolve(LIMIT, symbol="", contract=Contract(symbol="SPY", strike=Decimal("sNaN"))), "strike is sNaN"),
        (
            attrs.evolve(LIMIT, symbol="", contract=Contract(symbol="SPY", multiplier=Decimal("NaN"))),
            "multiplier is NaN",
        ),
    ],
)
def test_what_would_end_the_order_manager_is_refused_in_the_call(
    runner: StrategyRunner, order: Order, sentence: str
) -> None:
    with pytest.raises(InvalidOrder, match=sentence):
        runner.broker.submit_order(order)


def test_text_of_any_language_passes(runner: StrategyRunner) -> None:
    assert runner.broker.submit_order(attrs.evolve(LIMIT, tag="早い"))


def test_a_reason_that_cannot_be_written_is_refused(runner: StrategyRunner) -> None:
    with pytest.raises(InvalidOrder, match="reason is"):
        runner.broker.flatten_all(HALF_A_PAIR)


def test_an_order_known_by_its_executions_only_is_not_open(runner: StrategyRunner) -> None:
    """An assignment, or a trade by hand: nothing says that more of it lives."""
    untold = Order(side=Side.BUY, quantity=Decimal(200), symbol="SPY", order_type=OrderType.OTHER)
    order = state("EXT-1", untold, external=True, status=ExecStatus.PARTIALLY_FILLED)
    runner.hear(accepted(order))
    assert runner.broker.order("EXT-1") is not None
    assert runner.broker.open_orders() == ()

    told = attrs.evolve(order, order=attrs.evolve(untold, broker_type="REL"))
    runner.hear(accepted(told))
    assert [known.oms_id for known in runner.broker.open_orders()] == ["EXT-1"]
