"""``run.py backtest``: a strategy over recorded days, in virtual time, with the fills of the simulated exchange."""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console

from actors.messages.events import OrderFilled
from actors.messages.portfolio import Amounts
from strategy.config import Config, load_config
from strategy.errors import UserError, check_writable
from strategy.money import in_words, net
from strategy.report import SessionReport, print_report
from strategy.simulate.backtest import Backtest, RecordedDay
from strategy.simulate.subject import Subject

RECORDINGS = "ibapi_bridge.simulation.venue:RecordedDay"
RECORDED_DAYS = "ibapi_bridge.simulation.venue:recorded_days"
"""Who plays recorded days; named, not imported, because this folder knows no broker."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of ``backtest``."""
    parser.add_argument("--strategy", required=True, help="module:Class, a file, or file.py:Class")
    parser.add_argument("--replay", type=Path, required=True, metavar="PATH", help="a folder of LEAN files, or a CSV")
    parser.add_argument("--from", dest="first", type=_date, metavar="YYYY-MM-DD", help="first day (default: all)")
    parser.add_argument("--to", dest="last", type=_date, metavar="YYYY-MM-DD", help="last day (default: all)")
    parser.add_argument("--symbol", help="whose quotes these are (default: the folder's or the file's name)")
    parser.add_argument("--config", type=Path, help="limits, times and parameters: the file used for trading")
    parser.add_argument("--fills", type=Path, metavar="FILE", help="write every fill as a line of a CSV file")
    parser.add_argument("--seed", type=int, default=1, help="seed of the exchange's delays (default: 1)")


def main(arguments: argparse.Namespace) -> int:
    """Trade the days; exit code 1 when the strategy failed or the engine reported a problem."""
    config = load_config(arguments.config) if arguments.config is not None else Config()
    console = Console(soft_wrap=True)
    if arguments.fills is not None:
        check_writable("--fills", arguments.fills)
    days = list(_days(arguments))
    parameters = {"symbols": (days[0].symbol,)}
    setup = Subject(strategy=arguments.strategy, config=config, parameters=parameters).setup()
    fills: list[OrderFilled] = []
    backtest = Backtest(setup=setup, show=lambda message: _keep(message, fills))
    for day in days:
        before = backtest.ledger.report()
        process = backtest.trade(day)
        after = backtest.ledger.report()
        profit = net(_profit(after), _profit(before))
        console.print(
            f"{day.day} {day.symbol}: {after.orders - before.orders} orders, {after.fills - before.fills} fills, "
            f"profit after commissions {in_words(profit, after.currency)}"
            + (", the strategy failed" if process.runner.has_failed else ""),
            highlight=False,
        )
    if arguments.fills is not None:
        _write(arguments.fills, fills)
    report = backtest.ledger.report()
    print_report(report, sys.stdout)
    return 1 if report.problems else 0


def _profit(report: SessionReport) -> Amounts:
    return net(report.realized_pnl, report.commissions)


def _keep(message: object, fills: list[OrderFilled]) -> None:
    if isinstance(message, OrderFilled):
        fills.append(message)


def _write(path: Path, fills: list[OrderFilled]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "order", "side", "quantity", "price", "symbol"))
        for event in fills:
            fill, order = event.fill, event.order
            name = order.contract.name
            rows.writerow((fill.at.isoformat(), order.oms_id, fill.side.value, fill.quantity, fill.price, name))


def _days(arguments: argparse.Namespace) -> Iterator[RecordedDay]:
    first, last = arguments.first, arguments.last
    if first is not None and last is not None and first > last:
        raise UserError(f"--from is {first}: it must not be after --to ({last})")
    known: list[date] = _named(RECORDED_DAYS)(arguments.replay, arguments.symbol)
    wanted = [day for day in known if (first is None or day >= first) and (last is None or day <= last)]
    if not wanted:
        span = f"{known[0]} to {known[-1]}" if known else "nothing"
        raise UserError(f"--from {first} --to {last}: there is no recorded day between; the recording has {span}")
    for day in wanted:
        yield _named(RECORDINGS)(arguments.replay, symbol=arguments.symbol, day=day, seed=arguments.seed)


def _named(name: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), attribute)
    return found


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2013-10-08") from None
