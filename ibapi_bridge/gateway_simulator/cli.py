"""The simulator on the command line: `python run.py gateway`."""

import argparse
import queue
import signal
import sys
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import attrs

from ibapi_bridge.gateway_simulator.book import ApiOrder
from ibapi_bridge.gateway_simulator.config import (
    DEFAULT_START,
    OWN_MAX_SERVER_VERSION,
    ConfigError,
    GatewayConfig,
    own_numbers,
)
from ibapi_bridge.gateway_simulator.exchange.instruments import default_instruments, further_instruments
from ibapi_bridge.gateway_simulator.exchange.timetable import DAYS, TIMETABLES, checked_day
from ibapi_bridge.gateway_simulator.exchange.types import Execution
from ibapi_bridge.gateway_simulator.faults.scenario import load_scenario
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.recordings import load_recording
from ibapi_bridge.gateway_simulator.server import GatewaySimulator

DEFAULT_PORT = 4002


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the simulator's options."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on, 0 for any free one")
    parser.add_argument("--speed", default="1", help="market seconds per real second, or 'max' (default 1)")
    parser.add_argument("--start", help="market time to start at, such as 2026-04-13T13:30:00 (UTC)")
    parser.add_argument("--end", help="market time at which the market stops, in the same form")
    parser.add_argument("--replay", type=Path, metavar="PATH", help="LEAN directory or CSV file to replay")
    parser.add_argument("--date", help="day to replay or to trade, such as 2013-10-07")
    parser.add_argument("--symbol", help="symbol to replay (default: the name of PATH)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the market model (default 1)")
    parser.add_argument(
        "--max-server-version",
        type=int,
        default=OWN_MAX_SERVER_VERSION,
        help=f"newest protocol to speak, 157 to {OWN_MAX_SERVER_VERSION}",
    )
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="TOML or Python file of faults to inject")
    parser.add_argument("--wire-log", type=Path, metavar="FILE", help="write every frame as a JSON line")
    parser.add_argument("--books", type=Path, metavar="FILE", help="SQLite file that keeps orders and positions")
    parser.add_argument("--control-port", type=int, help="loopback port that takes faults as JSON lines")
    parser.add_argument("--pacing", type=float, help="messages a second before error 100 (default: no limit)")
    parser.add_argument("--read-only", action="store_true", help="refuse orders, as Read-Only API does")
    parser.add_argument("--accounts", default="DU1234567", help="comma list of accounts (default DU1234567)")


def main(args: argparse.Namespace) -> int:
    """Serves until interrupted; a mistake in the arguments is one sentence and exit code 2."""
    try:
        simulator = GatewaySimulator(config_from(args))
        simulator.gateway.watchers.append(lines := Lines())
        simulator.on_end = lines.end
        simulator.start()
    except ConfigError as error:
        print(f"callboard: {error}", file=sys.stderr)  # noqa: T201 - the command line talks to its user
        return 2
    lines.say(_banner(simulator))
    return _serve(simulator, lines)


def config_from(args: argparse.Namespace) -> GatewayConfig:
    """The configuration the arguments ask for.

    Raises:
        ConfigError: one sentence naming the argument, its value and what is accepted.
    """
    day = None if args.date is None else _day(args.date)
    config = GatewayConfig(
        host=_host(args.host),
        port=args.port,
        speed=_speed(args.speed),
        start=_start(args.start, day),
        end=None if args.end is None else _time("--end", args.end),
        seed=args.seed,
        max_server_version=args.max_server_version,
        wire_log=args.wire_log,
        books_path=args.books,
        control_port=args.control_port,
        messages_per_second=args.pacing,
        read_only=args.read_only,
        accounts=tuple(account.strip() for account in args.accounts.split(",") if account.strip()),
        scenario=() if args.scenario is None else load_scenario(args.scenario, seed=args.seed),
        exchange=own_numbers(),
        instruments=(*default_instruments(), *further_instruments()),
    )
    if args.replay is None:
        return config
    recording = load_recording(args.replay, symbol=args.symbol, day=day)
    replayed = recording.applied_to(config)
    start = replayed.start if args.start is None else config.start
    return attrs.evolve(replayed, start=start, end=config.end or replayed.end)


def _host(text: str) -> str:
    if text == "localhost":
        return "127.0.0.1"
    try:
        ip_address(text)
    except ValueError:
        raise ConfigError(f"--host {text!r} must be an IP address such as 127.0.0.1") from None
    return text


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"--speed {text!r} must be a number above 0 or 'max'") from None


def _day(text: str) -> date:
    try:
        return checked_day(date.fromisoformat(text))
    except ValueError:
        raise ConfigError(f"--date {text!r} must be a date such as 2013-10-07, {DAYS}") from None


def _time(name: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        checked_day(at.date())
    except ValueError:
        raise ConfigError(f"{name} {text!r} must be a time such as 2026-04-13T13:30:00+00:00, {DAYS}") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _start(text: str | None, day: date | None) -> datetime:
    if text is not None:
        return _time("--start", text)
    if day is None:
        return DEFAULT_START
    hours = TIMETABLES["us_equity"].hours(day)
    if hours is None:
        raise ConfigError(f"--date {day} is not a trading day of the US stock market")
    return hours.liquid_start - timedelta(minutes=1)


class Lines:
    """What there is to say, taken from the server's thread to the one that prints."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def say(self, text: str) -> None:
        """Queues a line."""
        self._queue.put(text)

    def end(self) -> None:
        """Ends `print_all`."""
        self._queue.put(None)

    def connection(self, text: str, at: datetime) -> None:
        """A client that came or went."""
        self.say(f"{at:%H:%M:%S} UTC {text}")

    def placed(self, order: ApiOrder, at: datetime) -> None:
        """A new or changed order."""
        terms = order.order
        at_price = terms.lmtPrice or terms.auxPrice
        price = f" at {at_price}" if at_price else ""
        self.say(
            f"{at:%H:%M:%S} UTC client {order.client_id} order {order.order_id}: {terms.action} {terms.totalQuantity} "
            f"{order.contract.symbol} {terms.orderType}{price}"
        )

    def ended(self, order: ApiOrder, at: datetime) -> None:
        """An order that was cancelled or refused."""
        self.say(f"{at:%H:%M:%S} UTC client {order.client_id} order {order.order_id}: {order.status}")

    def filled(self, fill: Execution, symbol: str) -> None:
        """A fill."""
        self.say(
            f"{fill.at:%H:%M:%S} UTC client {fill.client_id} order {fill.order_id}: {fill.side} "
            f"{plain(fill.quantity)} {symbol} filled at {plain(fill.price)}"
        )

    def print_all(self) -> None:
        """Prints lines until the end."""
        while (line := self._queue.get()) is not None:
            print(line, flush=True)  # noqa: T201 - the command line talks to its user


def _banner(simulator: GatewaySimulator) -> str:
    config = simulator.config
    speed = "max" if config.speed is None else f"{config.speed:g}"
    control = "" if simulator.control_port is None else f"\ncontrol socket on 127.0.0.1 port {simulator.control_port}"
    symbols = ", ".join(dict.fromkeys(instrument.symbol for instrument in config.instruments))
    accounts = ", ".join(f"{account[:3]}***{account[-2:]}" for account in config.accounts)
    return (
        f"Gateway simulator on {config.host} port {simulator.port}, server version {config.max_server_version}\n"
        f"accounts {accounts}; symbols {symbols}\n"
        f"market time {simulator.now():%Y-%m-%d %H:%M:%S} UTC at speed {speed}; Ctrl-C stops"
        f"{control}"
    )


def _serve(simulator: GatewaySimulator, lines: Lines) -> int:
    def stop(_number: int, _frame: FrameType | None) -> None:
        lines.end()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    lines.print_all()
    try:
        simulator.stop()
    except ConfigError as error:  # a step of the scenario could not be done
        print(f"callboard: {error}", file=sys.stderr)  # noqa: T201 - the command line talks to its user
        return 2
    return 0
