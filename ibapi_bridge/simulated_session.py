"""One day on the embedded gateway simulator: which day, how fast, from the model or from recorded data."""

import argparse
from datetime import date, datetime, timedelta
from pathlib import Path

import attrs

from ibapi_bridge.gateway_simulator.config import ConfigError, GatewayConfig, own_numbers
from ibapi_bridge.gateway_simulator.exchange.timetable import DAYS, TIMETABLES, checked_day
from ibapi_bridge.gateway_simulator.recordings import load_recording
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

DEFAULT_DATE = date(2026, 4, 13)
DEFAULT_SPEED = 450.0
_MARGIN = timedelta(seconds=60)


@attrs.frozen(kw_only=True)
class SimulatedSession:
    """A simulator that will run from shortly before the open to shortly after the close, and what to trade on it."""

    simulator: GatewaySimulator
    opens: datetime
    closes: datetime
    symbol: str | None


def add_session_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of a simulated session."""
    parser.add_argument("--symbol", help="what to trade, instead of the strategy's own symbols")
    parser.add_argument("--date", type=_date, metavar="YYYY-MM-DD", help="the day to trade")
    parser.add_argument("--replay", type=Path, metavar="PATH", help="recorded quotes: a folder of LEAN files, or a CSV")
    parser.add_argument("--seed", type=int, default=1, help="seed of the market model and of the exchange")
    parser.add_argument(
        "--speed", type=_speed, default=DEFAULT_SPEED, help="market seconds per real second, or max (default: 450)"
    )


def simulated_session(arguments: argparse.Namespace) -> SimulatedSession:
    """The session the arguments ask for, not yet started.

    Raises:
        ConfigError: a day without a session, an unknown symbol, data that is not there.
    """
    config = GatewayConfig(seed=arguments.seed, speed=arguments.speed, start_paused=True, exchange=own_numbers())
    if arguments.replay is not None:
        return _recorded(arguments, config)
    day = arguments.date or DEFAULT_DATE
    hours = TIMETABLES["us_equity"].hours(day)
    if hours is None:
        raise ConfigError(f"--date is {day}: the market is closed on that day, name a trading day")
    known = sorted({instrument.symbol for instrument in config.instruments})
    if arguments.symbol is not None and arguments.symbol not in known:
        raise ConfigError(f"--symbol is {arguments.symbol!r}: the simulator knows {', '.join(known)}")
    config = attrs.evolve(config, start=hours.liquid_start - _MARGIN, end=hours.liquid_end + _MARGIN)
    return SimulatedSession(
        simulator=GatewaySimulator(config),
        opens=hours.liquid_start,
        closes=hours.liquid_end,
        symbol=arguments.symbol,
    )


def _recorded(arguments: argparse.Namespace, config: GatewayConfig) -> SimulatedSession:
    recording = load_recording(arguments.replay, symbol=arguments.symbol, day=arguments.date)
    return SimulatedSession(
        simulator=GatewaySimulator(recording.applied_to(config)),
        opens=recording.opens,
        closes=recording.closes,
        symbol=recording.instrument.symbol,
    )


def _date(text: str) -> date:
    try:
        return checked_day(date.fromisoformat(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2013-10-08, {DAYS}") from None


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.1 <= speed <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed from 0.1 to 1000000, nor max")
    return speed
