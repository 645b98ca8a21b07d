"""The modelled market."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ibapi_bridge.gateway_simulator.exchange import ModelMarket, ModelSettings, ModelSpec, Quote, default_instruments
from ibapi_bridge.gateway_simulator.exchange.instruments import AAPL, ES, EUR_USD, MSFT, SPY
from ibapi_bridge.gateway_simulator.exchange.rules import on_grid

OPEN = datetime(2023, 11, 6, 14, 30, tzinfo=UTC)
LISTED = {i.con_id: i for i in default_instruments()}
CALL, PUT = 700000001, 700000002


def model(seed: int = 1, start: datetime = OPEN, settings: ModelSettings | None = None) -> ModelMarket:
    return ModelMarket(instruments=tuple(LISTED.values()), start=start, seed=seed, settings=settings)


def take(market: ModelMarket, count: int) -> list[Quote]:
    return [market.pop() for _ in range(count)]


def test_quotes_come_in_order_of_time_on_the_grid_and_uncrossed() -> None:
    quotes = take(model(), 9000)
    assert all(a.at <= b.at for a, b in zip(quotes, quotes[1:], strict=False))
    for quote in quotes:
        assert quote.bid is not None
        assert quote.ask is not None
        assert quote.bid < quote.ask
        assert on_grid(LISTED[quote.con_id], quote.bid)
        assert quote.bid_size % 1 == quote.ask_size % 1 == 0
        assert quote.bid_size > 0 < quote.ask_size


def test_a_seed_gives_these_very_quotes_on_every_platform() -> None:
    quotes = take(model(seed=42), 2000)
    text = "\n".join(
        f"{q.at.isoformat()} {q.con_id} {q.bid} {q.bid_size} {q.ask} {q.ask_size} {q.last}" for q in quotes
    )
    assert hashlib.sha256(text.encode()).hexdigest() == (
        "56c2968ae5ecd9bf9b83c423ae3caa377374d9e8ba330678c1e9982e3468b64f"
    )


def test_another_seed_gives_other_quotes() -> None:
    assert take(model(seed=1), 100) != take(model(seed=2), 100)


def test_each_open_instrument_has_a_quote_in_each_interval() -> None:
    quotes = take(model(), 9 * 60)
    assert quotes[-1].at < OPEN + timedelta(seconds=60)
    assert {c: sum(q.con_id == c for q in quotes) for c in LISTED} == dict.fromkeys(LISTED, 60)


def test_interval_can_be_set() -> None:
    market = model(settings=ModelSettings(interval=timedelta(seconds=10)))
    assert take(market, 9 * 6)[-1].at >= OPEN + timedelta(seconds=50)


def test_only_what_is_open_is_quoted() -> None:
    night = datetime(2023, 11, 7, 3, 0, tzinfo=UTC)
    assert {q.con_id for q in take(model(start=night), 100)} == {ES, EUR_USD}


def test_weekend_is_skipped() -> None:
    saturday = datetime(2023, 11, 4, 12, 0, tzinfo=UTC)
    first = model(start=saturday).pop()
    assert first.at.astimezone(UTC).isoformat()[:13] == "2023-11-05T22"


def test_shares_move_together() -> None:
    paths: dict[int, list[Decimal]] = {SPY: [], AAPL: [], MSFT: []}
    for quote in take(model(), 9 * 1200):
        if quote.con_id in paths and quote.bid is not None:
            paths[quote.con_id].append(quote.bid)
    moves = {c: [b - a for a, b in zip(p[::20], p[20::20], strict=False)] for c, p in paths.items()}
    same = sum((a > 0) == (b > 0) for a, b in zip(moves[SPY], moves[AAPL], strict=True) if a and b)
    assert same > len(moves[SPY]) * 0.6


def test_market_is_livelier_at_the_open_than_at_noon() -> None:
    def range_of(start: datetime) -> Decimal:
        own = [q.bid for q in take(model(start=start), 9 * 300) if q.con_id == SPY and q.bid is not None]
        return sum((abs(b - a) for a, b in zip(own, own[1:], strict=False)), start=Decimal(0))

    assert range_of(OPEN) > range_of(OPEN + timedelta(hours=3, minutes=15)) * Decimal("1.5")


def test_options_follow_their_underlying() -> None:
    settings = ModelSettings(specs={SPY: ModelSpec(volatility=20_000)})
    quotes = take(model(settings=settings), 9 * 300)
    path = {c: [q for q in quotes if q.con_id == c] for c in (SPY, CALL, PUT)}
    low, high = (pick(range(300), key=lambda n: path[SPY][n].bid or 0) for pick in (min, max))
    call = [path[CALL][n].bid or Decimal(0) for n in (low, high)]
    put = [path[PUT][n].bid or Decimal(0) for n in (low, high)]
    assert call[0] < call[1]
    assert put[0] > put[1]


def test_saved_model_goes_on_with_the_same_quotes() -> None:
    market = model()
    take(market, 1234)
    again = model(seed=2)
    again.load(json.loads(json.dumps(market.save())))
    assert take(market, 500) == take(again, 500)


def test_volume_is_the_sum_of_the_prints() -> None:
    market = model()
    opening = {quote.con_id: quote for quote in market.opening()}
    own = [quote for quote in take(market, 5000) if quote.con_id == SPY]
    assert own[-1].volume == opening[SPY].volume + sum(q.last_size for q in own)
