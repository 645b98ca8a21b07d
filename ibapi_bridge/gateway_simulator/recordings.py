"""Recorded markets for a simulator: which instrument, which day, from when until when."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zlib import crc32

import attrs

from ibapi_bridge.gateway_simulator.config import ConfigError, GatewayConfig, MarketFactory
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments
from ibapi_bridge.gateway_simulator.exchange.lean import lean_days, lean_quotes
from ibapi_bridge.gateway_simulator.exchange.market import Market
from ibapi_bridge.gateway_simulator.exchange.replay import ReplayMarket, csv_quotes
from ibapi_bridge.gateway_simulator.exchange.timetable import TIMETABLES
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Quote, ReplayError
from ibapi_bridge.gateway_simulator.times import zone

MARGIN = timedelta(minutes=1)


@attrs.frozen(kw_only=True)
class Recording:
    """One recorded day of one instrument: what makes its market, and when its regular hours are."""

    instrument: Instrument
    day: date
    opens: datetime
    closes: datetime
    market: MarketFactory

    def applied_to(self, config: GatewayConfig) -> GatewayConfig:
        """The configuration with this market, from a minute before the open to a minute after the close."""
        return attrs.evolve(
            config,
            market=self.market,
            instruments=(self.instrument,),
            start=self.opens - MARGIN,
            end=self.closes + MARGIN,
        )


def load_recording(path: Path, *, symbol: str | None = None, day: date | None = None) -> Recording:
    """The recording at a LEAN directory such as `.../minute/spy`, or in a CSV file.

    Args:
        path: the directory or the file.
        symbol: whose quotes; by default the directory's or file's name.
        day: which day; by default the first one there.

    Raises:
        ConfigError: nothing usable is there.
    """
    instrument = instrument_named(symbol or path.stem.split("_")[0])
    try:
        chosen = day or _first_day(path, instrument)
        hours = TIMETABLES[instrument.schedule].hours(chosen)
        if hours is None:
            raise ConfigError(f"day {chosen} is not a trading day of {instrument.symbol}")
        _ = ReplayMarket([_quotes(path, instrument, chosen)], start=hours.liquid_start - MARGIN)
    except ReplayError as error:
        raise ConfigError(str(error)) from error

    def market(_instruments: Sequence[Instrument], start: datetime, _seed: int) -> Market:
        return ReplayMarket([_quotes(path, instrument, chosen)], start=start)

    return Recording(
        instrument=instrument, day=chosen, opens=hours.liquid_start, closes=hours.liquid_end, market=market
    )


def instrument_named(symbol: str) -> Instrument:
    """The default instrument of that symbol, or a US stock made up for it."""
    wanted = symbol.upper()
    for instrument in default_instruments():
        if wanted in {instrument.symbol, instrument.local_symbol.replace(".", "")} and not instrument.underlying:
            return instrument
    return Instrument(
        con_id=800_000_000 + crc32(wanted.encode()) % 90_000_000,
        symbol=wanted,
        sec_type="STK",
        primary_exchange="NYSE",
        local_symbol=wanted,
        trading_class=wanted,
        long_name=wanted,
        price_increments=((Decimal(0), Decimal("0.0001")), (Decimal(1), Decimal("0.01"))),
    )


def _first_day(path: Path, instrument: Instrument) -> date:
    if path.is_dir():
        return lean_days(path)[0]
    first = next(iter(csv_quotes(path, instrument=instrument)))
    return first.at.astimezone(zone(TIMETABLES[instrument.schedule].zone)).date()


def _quotes(path: Path, instrument: Instrument, day: date) -> Iterable[Quote]:
    if path.is_dir():
        return lean_quotes(path, day=day, instrument=instrument)
    return csv_quotes(path, instrument=instrument)
