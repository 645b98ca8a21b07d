"""What holds for every sequence of orders, changes, cancels and passing time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from ibapi_bridge.gateway_simulator.exchange import (
    Exchange,
    ExchangeConfig,
    Instrument,
    ModelMarket,
    ModelSettings,
    SimulationError,
    VenueOrder,
    default_instruments,
)
from ibapi_bridge.gateway_simulator.exchange.events import Event
from ibapi_bridge.gateway_simulator.exchange.instruments import AAPL, ES, EUR_USD, SPY
from ibapi_bridge.gateway_simulator.exchange.ledger import Holding
from ibapi_bridge.gateway_simulator.exchange.types import ORDER_TYPE_NAMES, TIME_IN_FORCE_NAMES, Condition, Leg
from tests.ibapi_bridge.gateway_simulator.exchange.desk import ACCOUNT

FRIDAY_BEFORE_CLOSE = datetime(2023, 11, 3, 19, 58, tzinfo=UTC)
PAIR = Instrument(
    con_id=28812380,
    symbol="SPY,AAPL",
    sec_type="BAG",
    legs=(Leg(con_id=SPY, ratio=1, side="BUY"), Leg(con_id=AAPL, ratio=2, side="SELL")),
)
LISTED = {i.con_id: i for i in (*default_instruments(), PAIR)}
CONTRACTS = (SPY, AAPL, ES, EUR_USD, 700000001, PAIR.con_id)

CONDITIONS = (
    (Condition(kind="price", con_id=AAPL, number=Decimal(190)),),
    (
        Condition(kind="volume", con_id=SPY, number=Decimal(5000), conjunction=False),
        Condition(kind="execution", symbol="SPY", sec_type="STK"),
    ),
    (Condition(kind="time", at=FRIDAY_BEFORE_CLOSE + timedelta(seconds=60), is_more=False),),
    (Condition(kind="change", con_id=ES, number=Decimal("0.01")), Condition(kind="margin", number=Decimal(99))),
)
Command = tuple[str, Any]


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Terms of an order, sensible more often than not; prices as ticks away from the reference price."""
    con_id = draw(st.sampled_from(CONTRACTS))
    instrument = LISTED[con_id]
    reference = Decimal(70) if instrument.legs else instrument.reference_price

    def price() -> Decimal:
        return reference + instrument.min_tick * draw(st.integers(-60, 60))

    kind = draw(st.sampled_from(ORDER_TYPE_NAMES))
    return {
        "con_id": con_id,
        "side": draw(st.sampled_from(["BUY", "SELL"])),
        "quantity": Decimal(draw(st.sampled_from([1, 5, 100, 2500, 0]))),
        "order_type": kind,
        "limit_price": draw(st.one_of(st.none(), st.builds(price), st.just(Decimal("1.23456")))),
        "stop_price": Decimal("0.50") if "TRAIL" in kind else price(),
        "tif": draw(st.sampled_from([*TIME_IN_FORCE_NAMES, "DAY", "DAY", "GTC"])),
        "good_till": FRIDAY_BEFORE_CLOSE + timedelta(seconds=draw(st.integers(-50, 500))),
        "outside_rth": draw(st.booleans()),
        "display_size": draw(st.sampled_from([None, None, Decimal(1), Decimal(50)])),
        "all_or_none": draw(st.sampled_from([False, False, True])),
        "parent_perm_id": draw(st.sampled_from([None, None, None, 1, 2, 9])),
        "trigger_method": draw(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 7, 8])),
        "min_quantity": draw(st.sampled_from([None, None, None, Decimal(50)])),
        "conditions": draw(st.sampled_from([(), (), (), *CONDITIONS])),
        "conditions_cancel": draw(st.booleans()),
        "oca_group": draw(st.sampled_from(["", "", "g"])),
        "oca_type": draw(st.integers(0, 4)),
    }


def commands_with(pauses: list[float]) -> st.SearchStrategy[list[Command]]:
    """Any commands, with pauses in market time of so many seconds between them."""
    return st.lists(
        st.one_of(
            st.tuples(st.just("submit"), orders()),
            st.tuples(st.just("replace"), st.tuples(st.integers(1, 12), orders())),
            st.tuples(st.just("cancel"), st.integers(1, 12)),
            st.tuples(st.just("advance"), st.sampled_from(pauses)),
            st.tuples(st.just("correct"), st.tuples(st.integers(0, 5), st.sampled_from([0, 1, 3]))),
        ),
        max_size=24,
    )


COMMANDS = commands_with([0.01, 0.05, 1, 40, 150, 7200])
OVER_DAYS = commands_with([0.05, 600, 36_000, 86_400])


def made(seed: int = 3, interval: timedelta = timedelta(seconds=20)) -> Exchange:
    listed = tuple(LISTED.values())
    settings = ModelSettings(interval=interval)
    market = ModelMarket(instruments=listed, start=FRIDAY_BEFORE_CLOSE, seed=seed, settings=settings)
    shortable = [evolve(i, shortable=Decimal(1000)) if i.con_id == AAPL else i for i in listed]
    return Exchange(
        market=market,
        instruments=shortable,
        accounts=(ACCOUNT,),
        seed=seed,
        config=ExchangeConfig(locate_delay=timedelta(seconds=5)),
        start=FRIDAY_BEFORE_CLOSE,
    )


def play(exchange: Exchange, commands: list[Command], log: list[Event], first: int = 1) -> None:
    """Run the commands; permanent ids count the submissions."""
    perm_id = first
    for name, what in commands:
        if name == "submit":
            log += exchange.submit(VenueOrder(perm_id=perm_id, account=ACCOUNT, **what))
            perm_id += 1
        elif name == "replace":
            log += exchange.replace(_changed(exchange, *what))
        elif name == "cancel":
            log += exchange.cancel(what)
        elif name == "correct":
            log += _correct(exchange, *what)
        else:
            log += exchange.advance(exchange.now + timedelta(seconds=what))
    log += exchange.advance(exchange.now + timedelta(seconds=60))


def _changed(exchange: Exchange, perm_id: int, terms: dict[str, Any]) -> VenueOrder:
    view = exchange.order(perm_id)
    if view is None:
        return VenueOrder(perm_id=perm_id, account=ACCOUNT, **terms)
    wanted = {key: terms[key] for key in ("quantity", "limit_price", "stop_price", "tif")}
    return evolve(view.order, **wanted)


def _correct(exchange: Exchange, index: int, quantity: int) -> list[Event]:
    fills = exchange.executions()
    if index >= len(fills) or fills[index].is_combo:
        return []
    return exchange.correct_execution(fills[index].exec_id, quantity=min(Decimal(quantity), fills[index].quantity))


def signed_sum(exchange: Exchange, con_id: int) -> Decimal:
    own = (e for e in exchange.executions() if e.con_id == con_id)
    return sum((e.quantity if e.side == "BUY" else -e.quantity for e in own), start=Decimal(0))


@settings(deadline=None, max_examples=150)
@given(commands=COMMANDS)
def test_books_balance_whatever_is_asked(commands: list[Command]) -> None:
    _check_books(made(), commands)


@settings(deadline=None, max_examples=80)
@given(commands=OVER_DAYS)
def test_books_balance_over_nights_and_weekends(commands: list[Command]) -> None:
    _check_books(made(interval=timedelta(minutes=10)), commands)


def _check_books(exchange: Exchange, commands: list[Command]) -> None:
    log: list[Event] = []
    play(exchange, commands, log)
    assert all(a.at <= b.at for a, b in zip(log, log[1:], strict=False))
    for view in (*exchange.orders(), *exchange.completed()):
        own = [e for e in exchange.executions() if (e.perm_id, e.con_id) == (view.order.perm_id, view.order.con_id)]
        assert view.filled == sum(e.quantity for e in own)
        assert view.filled <= view.order.quantity
    for position in exchange.positions(ACCOUNT):
        assert position.quantity == signed_sum(exchange, position.con_id)
    _check_cash(exchange)


def _check_cash(exchange: Exchange) -> None:
    """Cash is what it was, less what was paid, less commissions, plus the gains of futures."""
    values = exchange.account_values(ACCOUNT)
    expected = Decimal(1_000_000)
    for fill in exchange.executions():
        if fill.is_combo:
            continue
        paid = fill.quantity * fill.price * LISTED[fill.con_id].multiplier
        expected -= fill.commission
        expected -= paid if fill.side == "BUY" else -paid
    for position in exchange.positions(ACCOUNT):
        if position.con_id == ES:
            # A future costs nothing to hold: what was taken for paid comes back, but for what it gained when closed.
            fees = exchange._floor.accounts[ACCOUNT].holdings[ES].fees
            expected += position.market_value - (position.unrealized_pnl + fees)
    assert abs(values.cash["USD"] - expected) < Decimal("0.0001")


@settings(deadline=None, max_examples=80)
@given(commands=COMMANDS)
def test_no_fill_is_beyond_the_limit(commands: list[Command]) -> None:
    exchange = made()
    plain = [(n, w) for n, w in commands if n not in ("replace", "correct")]
    play(exchange, plain, [])
    for fill in exchange.executions():
        view = exchange.order(fill.perm_id)
        assert view is not None
        limit = view.order.limit_price
        if view.order.con_id != fill.con_id or view.order.order_type not in ("LMT", "LOC", "STP LMT", "LIT"):
            continue
        assert limit is not None
        assert fill.price <= limit if fill.side == "BUY" else fill.price >= limit


@settings(deadline=None, max_examples=40)
@given(commands=COMMANDS)
def test_same_seed_and_calls_give_the_same_events(commands: list[Command]) -> None:
    first: list[Event] = []
    second: list[Event] = []
    play(made(), commands, first)
    play(made(), commands, second)
    assert repr(first) == repr(second)


@settings(deadline=None, max_examples=60)
@given(before=COMMANDS, after=COMMANDS)
def test_saved_exchange_goes_on_as_if_nothing_had_happened(before: list[Command], after: list[Command]) -> None:
    exchange = made()
    play(exchange, before, [])
    again = made(seed=4)
    again.load(json.loads(json.dumps(exchange.save())))
    first: list[Event] = []
    second: list[Event] = []
    play(exchange, after, first, first=101)
    play(again, after, second, first=101)
    assert repr(first) == repr(second)
    assert exchange.account_values(ACCOUNT) == again.account_values(ACCOUNT)


@given(text=st.text())
def test_unknown_execution_never_does_anything_but_say_so(text: str) -> None:
    exchange = made()
    try:
        exchange.correct_execution(text, price=Decimal(1))
    except SimulationError:
        return
    raise AssertionError(f"{text!r} was corrected")


NUMBERS = st.one_of(
    st.none(), st.decimals(allow_nan=True, allow_infinity=True), st.sampled_from([Decimal("1e30"), Decimal(-1)])
)


@settings(deadline=None)
@given(
    kind=st.sampled_from(ORDER_TYPE_NAMES),
    quantity=NUMBERS,
    prices=st.lists(NUMBERS, min_size=5, max_size=5),
    sizes=st.lists(NUMBERS, min_size=2, max_size=2),
)
def test_numbers_that_make_no_sense_are_refused_without_an_error(
    kind: Any, quantity: Decimal | None, prices: list[Decimal | None], sizes: list[Decimal | None]
) -> None:
    exchange = made()
    limit, stop, percent, trail_stop, offset = prices
    order = VenueOrder(
        perm_id=1,
        account=ACCOUNT,
        con_id=SPY,
        side="BUY",
        quantity=quantity or Decimal(0),
        order_type=kind,
        limit_price=limit,
        stop_price=stop,
        trail_percent=percent,
        trail_stop_price=trail_stop,
        limit_offset=offset,
        display_size=sizes[0],
        cash_quantity=sizes[1],
    )
    events = exchange.submit(order)
    exchange.advance(exchange.now + timedelta(seconds=60))
    assert type(events[0]).__name__ in ("OrderAccepted", "OrderRejected")


@given(
    st.lists(
        st.tuples(st.integers(-7, 7).filter(bool), st.integers(1, 10_000), st.integers(0, 100)),
        min_size=1,
        max_size=20,
    )
)
def test_flat_position_has_realized_exactly_what_cash_says(fills: list[tuple[int, int, int]]) -> None:
    holding, cash, held = Holding(), Decimal(0), 0
    closing = (-sum(quantity for quantity, _, _ in fills), 5_000, 35)
    for quantity, cents, fee in (*fills, *([closing] if closing[0] else [])):
        price, cost = Decimal(cents) / 100, Decimal(fee) / 100
        holding.apply(Decimal(quantity), price, cost)
        cash -= quantity * price + cost
        held += quantity
    assert holding.quantity == held == 0
    assert holding.cost == holding.fees == 0
    assert holding.realized == cash
