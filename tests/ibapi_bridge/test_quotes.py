import time
from decimal import Decimal

import pytest

from actors.messages.reports import QuoteReported, Report
from ibapi_bridge.conversation import Conversation
from tests.ibapi_bridge.official import contract, said

STREAM = 10_000_000


@pytest.fixture
def context() -> Conversation:
    asked = Conversation()
    asked.note("reqMktData", {"reqId": STREAM, "contract": contract()})
    return asked


def tick(context: Conversation, name: str, tick_type: int, **args: object) -> tuple[Report, ...]:
    return said(name, context, reqId=STREAM, tickType=tick_type, **args)


def quote(reports: tuple[Report, ...]) -> QuoteReported:
    (report,) = reports
    assert isinstance(report, QuoteReported)
    return report


@pytest.mark.parametrize("delay", [0, 65], ids=["live", "delayed"])
def test_ticks_fold_into_one_quote(context: Conversation, delay: int) -> None:
    tick(context, "tickPrice", 1 + delay, price=495.0)
    tick(context, "tickPrice", 2 + delay, price=495.01)
    tick(context, "tickPrice", 4 + delay if not delay else 68, price=495.005)
    sizes = (0, 3, 5, 8) if not delay else (69, 70, 71, 74)
    told = [
        tick(context, "tickSize", tick_type, size=Decimal(size))
        for tick_type, size in zip(sizes, ("100", "200", "0.5", "12345"), strict=True)
    ]
    found = quote(told[-1])
    assert (found.bid, found.ask, found.last) == (Decimal("495.0"), Decimal("495.01"), Decimal("495.005"))
    assert (found.bid_size, found.ask_size, found.last_size) == (Decimal(100), Decimal(200), Decimal("0.5"))
    assert found.volume == 12345
    assert found.contract.symbol == "SPY"


def test_a_protobuf_price_brings_its_size(context: Conversation) -> None:
    found = quote(tick(context, "tickPrice", 1, price=495.0, size="300"))
    assert (found.bid, found.bid_size) == (Decimal("495.0"), Decimal(300))


@pytest.mark.parametrize("nothing", [-1.0, 0.0, float("nan"), 1.7976931348623157e308])
def test_a_price_that_is_not_available_is_unknown(context: Conversation, nothing: float) -> None:
    tick(context, "tickPrice", 1, price=495.0)
    assert quote(tick(context, "tickPrice", 1, price=nothing)).bid is None


def test_a_size_of_zero_is_unknown_and_negative_prices_are_prices(context: Conversation) -> None:
    tick(context, "tickSize", 0, size=Decimal(5))
    assert quote(tick(context, "tickSize", 0, size=Decimal(0))).bid_size is None
    assert quote(tick(context, "tickPrice", 4, price=-37.63)).last == Decimal("-37.63")


def test_only_changes_are_reported(context: Conversation) -> None:
    assert len(tick(context, "tickPrice", 1, price=495.0)) == 1
    assert tick(context, "tickPrice", 1, price=495.0) == ()
    assert tick(context, "tickPrice", 9, price=400.0) == ()
    assert tick(context, "tickString", 45, value="1") == ()


def test_a_halt_and_its_end_are_reported_once(context: Conversation) -> None:
    assert quote(tick(context, "tickGeneric", 49, value=1.0)).halted
    assert tick(context, "tickGeneric", 49, value=2.0) == ()
    assert not quote(tick(context, "tickGeneric", 49, value=0.0)).halted
    assert tick(context, "tickGeneric", 49, value=-1.0) == ()


def test_ticks_of_a_stream_we_left_say_nothing(context: Conversation) -> None:
    context.note("cancelMktData", {"reqId": STREAM})
    assert tick(context, "tickPrice", 1, price=495.0) == ()


def test_ten_thousand_quotes_take_well_under_a_second(context: Conversation) -> None:
    begun = time.thread_time()
    heard = sum(len(tick(context, "tickPrice", 1, price=495.0 + step % 2 / 100, size="1")) for step in range(10_000))
    assert heard == 10_000
    assert time.thread_time() - begun < 0.7
