from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice

import attrs
import pytest

from actors.domain.identity import Epoch
from actors.domain.order_state import ExecStatus, OrderState
from actors.domain.terms import Order, OrderType, Side
from actors.messages.commands import CancelOrder
from actors.messages.events import CommissionCharged, OrderSubmitted
from actors.messages.reports import QuoteReported
from actors.messages.schedule import StartStrategy
from actors.messages.system import SessionChanged, SessionState
from strategy.base import Strategy
from strategy.examples.mean_reversion import MeanReversion
from strategy.examples.opening_range_breakout import OpeningRangeBreakout
from strategy.runner import StrategyRunner
from tests.strategy.market import Market, minute_quotes
from tests.strategy.support import SPY, snapshot, state

OPENS = datetime(2023, 8, 3, 13, 30, tzinfo=UTC)
DAYS = [date(2013, 10, day) for day in (7, 8, 9, 10, 11)] + [date(2023, 8, 3)]


def started(strategy: Strategy, *, at: datetime = OPENS, rejects: bool = False) -> Market:
    runner = StrategyRunner(strategy, "example", "s1", at=at)
    market = Market(runner, rejects=rejects)
    market.hear(SessionChanged(at=at, epoch=Epoch(1), state=SessionState.READY))
    market.hear(StartStrategy(at=at))
    return market


def path_of(prices: list[str], displayed: int = 300) -> Iterator[QuoteReported]:
    """One quote a minute with a spread of two cents."""
    for minute, price in enumerate(prices):
        bid = Decimal(price)
        yield QuoteReported(
            at=OPENS + timedelta(minutes=minute, seconds=5),
            epoch=Epoch(1),
            contract=SPY,
            bid=bid,
            bid_size=Decimal(displayed),
            ask=bid + Decimal("0.02"),
            ask_size=Decimal(displayed),
        )


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("kind", [MeanReversion, OpeningRangeBreakout])
def test_an_example_trades_a_real_day_in_parts_and_ends_flat(kind: type[Strategy], day: date) -> None:
    opens = datetime.combine(day, time(13, 30), UTC)
    market = started(kind(), at=opens)
    market.day(minute_quotes(day))
    assert not market.runner.has_failed
    assert market.runner.broker.get_position("SPY").quantity == 0
    assert market.runner.broker.open_orders() == ()
    assert 0 < len(market.submitted) <= 120
    assert market.fills > 0
    if kind is MeanReversion:
        assert any(len(order.fills) > 1 for order in market.orders.values())


def test_mean_reversion_buys_a_fall_in_parts_and_sells_the_return() -> None:
    market = started(MeanReversion())
    wave = ["450.00", "450.02"] * 12 + ["449.80"] * 5 + ["449.90", "450.00", "450.05", "450.10", "450.10", "450.10"]
    market.day(path_of(wave))
    entry, leaving = market.submitted[:2]
    assert (entry.order.side, entry.order.limit_price) == (Side.BUY, Decimal("449.82"))
    assert leaving.order.side is Side.SELL
    assert len(market.orders[entry.oms_id].fills) > 1
    assert leaving.order.quantity == market.orders[entry.oms_id].filled


@pytest.mark.parametrize("kind", [MeanReversion, OpeningRangeBreakout])
def test_an_example_whose_orders_are_rejected_does_not_storm(kind: type[Strategy]) -> None:
    market = started(kind(), rejects=True)
    wave = ["450.00", "450.02"] * 12 + ["449.70", "451.00", "449.00", "452.00"] * 15
    market.day(path_of(wave))
    assert 0 < len(market.submitted) <= 8


@pytest.mark.parametrize("kind", [MeanReversion, OpeningRangeBreakout])
def test_an_example_opens_nothing_after_its_last_entry(kind: type[Strategy]) -> None:
    strategy = kind()
    strategy.last_entry = time(9, 31)  # type: ignore[attr-defined]
    market = started(strategy)
    market.day(path_of(["450.00", "450.02"] * 12 + ["449.70", "451.00"] * 20))
    assert market.submitted == []


def breakout_until(prices: list[str]) -> Market:
    market = started(OpeningRangeBreakout())
    market.day(path_of(["450.00", "450.10"] * 8 + prices))
    return market


def open_stop(market: Market) -> OrderState:
    (stop,) = [order for order in market.runner.broker.open_orders() if order.order.order_type is OrderType.STOP]
    return stop


def test_the_stop_of_a_breakout_always_covers_what_was_filled() -> None:
    market = breakout_until(["450.30", "450.30", "450.28", "450.28", "450.28"])
    position = market.runner.broker.get_position("SPY").quantity
    stop = open_stop(market)
    assert position > 300
    assert (stop.order.side, stop.remaining, stop.order.stop_price) == (Side.SELL, position, Decimal("450.01"))


def test_a_breakout_that_fails_is_stopped_out_once_and_not_entered_again() -> None:
    market = breakout_until(["450.30"] * 8 + ["449.50"] * 12 + ["451.00"] * 5)
    assert market.runner.broker.get_position("SPY").quantity == 0
    assert market.runner.broker.open_orders() == ()
    assert [order.order.order_type for order in market.submitted] == [OrderType.LIMIT, OrderType.STOP]


def test_a_breakout_taken_up_after_a_restart_keeps_its_stop_and_does_not_enter_again() -> None:
    before = breakout_until(["450.30"] * 7)
    stored = {"SPY": '{"day":"2023-08-03","stop":"450.01"}'}
    at = before.runner.view.now
    runner = StrategyRunner(
        OpeningRangeBreakout(), "example", "s2", at=at, orders=before.runner.broker.open_orders(), stored=stored
    )
    market = Market(runner)
    market.orders.update(before.orders)
    market.hear(SessionChanged(at=at, epoch=Epoch(2), state=SessionState.READY))
    market.hear(attrs.evolve(snapshot(0, int(before.runner.broker.get_position("SPY").quantity)), at=at))
    market.hear(StartStrategy(at=at))
    market.day(path_of(["450.00", "450.10"] * 8 + ["450.40"] * 9))
    assert market.submitted == []


def test_a_breakout_whose_stop_is_rejected_again_and_again_is_flattened() -> None:
    market = started(OpeningRangeBreakout())

    class StopRejecting(Market):
        def _submit(self, command: object) -> None:
            self._rejects = command.order.order_type is OrderType.STOP  # type: ignore[attr-defined]
            super()._submit(command)  # type: ignore[arg-type]

    market.__class__ = StopRejecting
    market.day(path_of(["450.00", "450.10"] * 8 + ["450.30"] * 12))
    assert [order.order.order_type for order in market.submitted].count(OrderType.STOP) == 3
    assert market.runner.broker.get_position("SPY").quantity == 0


def test_a_late_commission_of_the_entry_does_not_take_the_stop_away() -> None:
    market = breakout_until(["450.30"] * 7)
    entry = market.orders[market.submitted[0].oms_id]
    market.hear(CommissionCharged(at=market.runner.view.now, order=entry, fill=next(iter(entry.fills.values()))))
    market.take(CancelOrder(at=market.runner.view.now, oms_id=open_stop(market).oms_id))
    market.day(islice(path_of(["450.30"] * 33), 24, None))
    assert [order.order.order_type for order in market.submitted].count(OrderType.STOP) == 2


def test_a_stop_that_a_flatten_took_away_does_not_come_back() -> None:
    market = breakout_until(["450.30"] * 7)
    closing = state("flatten-1", Order(side=Side.SELL, quantity=Decimal(300), symbol="SPY"))
    market.hear(OrderSubmitted(at=market.runner.view.now, order=closing))
    market.take(CancelOrder(at=market.runner.view.now, oms_id=open_stop(market).oms_id))
    market.day(islice(path_of(["450.30"] * 33), 24, None))
    assert [order.order.order_type for order in market.submitted].count(OrderType.STOP) == 1


def test_mean_reversion_takes_up_the_order_of_an_earlier_run() -> None:
    before = attrs.evolve(state("old-1"), status=ExecStatus.WORKING, pending=None)
    runner = StrategyRunner(MeanReversion(), "example", "s2", at=OPENS, orders=[before])
    market = Market(runner)
    market.orders[before.oms_id] = before
    market.hear(SessionChanged(at=OPENS, epoch=Epoch(2), state=SessionState.READY))
    market.hear(StartStrategy(at=OPENS))
    for quote in path_of(["450.00"] * 6):
        market.hear(quote)
    assert not market.orders[before.oms_id].is_open
    assert market.submitted == []
