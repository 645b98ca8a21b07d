"""Trading days by the dozen through one engine process and a real socket.

    python -m tests.soak.days [--days 72] [--first 2026-09-01] [--speed 3000]

Every night the gateway restarts (sometimes with order ids that go back), every Saturday it is away for longer, on some
days the link is lost during the session. Each evening the books are compared. The default range holds two holidays, a
half day and the end of daylight saving time. Exit code 1 when anything was wrong.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import attrs

import run
from actors.clock import SimulatedClock
from actors.domain.identity import ClientId
from ibapi_bridge.assembly import link_factory
from ibapi_bridge.link import LinkSettings
from strategy.config import Config, config_of
from tests.soak.director import DayReport, Director, hours_of, trading_days
from tests.soak.gateway import ACCOUNT, SYMBOLS, SoakGateway
from tests.soak.witness import NO_SESSION

FIRST = date(2026, 9, 1)
WEEK = 5
WARM_UP_DAYS = 15
MEMORY_SLACK = 1.10
EXPECTED = frozenset({NO_SESSION, "OrderInDoubt"})
"""What outages bring; an order that is still in doubt in the evening shows in the books."""


def main(arguments: list[str] | None = None) -> int:
    """Run and report."""
    chosen = _parser().parse_args(arguments)
    days = trading_days(chosen.first, chosen.days)
    reports: list[DayReport] = []

    def told(report: DayReport) -> None:
        reports.append(report)
        _show(report, len(reports))

    began = time.monotonic()
    code, error = live_through(days, speed=chosen.speed, told=told)
    problems = [f"{report.day}: {problem}" for report in reports for problem in _unexpected(report)]
    problems += growth(reports)
    if error is not None:
        problems.append(f"{type(error).__name__}: {error}")
    _conclude(reports, problems, time.monotonic() - began)
    return 1 if problems or code or len(reports) < len(days) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Trading days through one engine process.")
    parser.add_argument("--days", type=int, default=72, help="how many trading days")
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST, help="the first day")
    parser.add_argument("--speed", type=float, default=3000.0, help="market seconds per real second")
    return parser


def live_through(
    days: list[date], *, speed: float, told: Callable[[DayReport], None]
) -> tuple[int, BaseException | None]:
    """One engine process through all days; its exit code, and what stopped the director."""
    hours = hours_of(days[0])
    assert hours is not None
    gateway = SoakGateway(start=hours.start, speed=speed)
    director = Director(gateway, days, told)
    try:
        with tempfile.TemporaryDirectory(prefix="callboard-soak-") as folder:
            code = _live(gateway, director, Path(folder))
    finally:
        gateway.stop()
    return code, director.witness.error


def _live(gateway: SoakGateway, director: Director, folder: Path) -> int:
    config = _config(gateway.port, folder)
    clock = SimulatedClock(gateway.now)
    link = LinkSettings(port=gateway.port, client_id=ClientId(config.connection.client_id))
    return run.run_engine(
        run.Run(
            config=config,
            mode="simulator",
            clock=clock,
            make_link=link_factory(link, clock=clock),
            state=folder,
            watch=director.witness,  # type: ignore[arg-type]  # the part of a watch that a run calls
            tick_seconds=run.SIMULATED_TICK_SECONDS,
        )
    )


def _config(port: int, folder: Path) -> Config:
    config = config_of(
        {
            "connection": {"port": port, "account": ACCOUNT, "reconnect_delay_seconds": 0.1},
            "strategy": {"path": "tests.soak.trader:Trader", "parameters": {"symbols": list(SYMBOLS)}},
            "trading": {"lock_at": "off", "absence_grace_seconds": 0.3, "remember_orders": 1_000},
            "logging": {"directory": str(folder / "logs"), "console": False, "max_megabytes": 1, "keep_files": 2},
        }
    )
    return attrs.evolve(config, pacing=attrs.evolve(config.pacing, messages_per_second=1000.0))


def _unexpected(report: DayReport) -> list[str]:
    return [text for text in report.problems if text.split(" ", 1)[0] not in EXPECTED]


def growth(reports: list[DayReport]) -> list[str]:
    """What grew after the warm-up, in which caches fill to their bounds."""
    if len(reports) < WARM_UP_DAYS + WEEK:
        return []
    settled, last = reports[WARM_UP_DAYS].vitals, reports[-1].vitals
    problems = []
    if last.memory_mb > settled.memory_mb * MEMORY_SLACK:
        problems.append(f"memory grew from {settled.memory_mb:.1f} to {last.memory_mb:.1f} MB")
    for name in ("threads", "descriptors"):
        before, after = getattr(settled, name), getattr(last, name)
        if after > before:
            problems.append(f"{name} grew from {before} to {after}")
    return problems


def _show(report: DayReport, number: int) -> None:
    now = report.vitals
    sys.stdout.write(
        f"day {number:3} {report.day} {report.executions:4} executions, {report.connections} connections, "
        f"{now.memory_mb:6.1f} MB, {now.threads} threads, {now.descriptors} descriptors, {now.objects} objects, "
        f"{report.seconds:.1f} s{''.join(f', {n} {kind}' for kind, n in report.troubles.items())}\n"
    )
    for problem in report.problems:
        sys.stdout.write(f"    {problem}\n")
    sys.stdout.flush()


def _conclude(reports: list[DayReport], problems: list[str], seconds: float) -> None:
    executions = sum(report.executions for report in reports)
    connections = sum(report.connections for report in reports)
    sys.stdout.write(f"{'week':<6}{'days to':<12}{'memory MB':>10}{'threads':>9}{'descriptors':>13}{'objects':>10}\n")
    for week, report in enumerate(reports[WEEK - 1 :: WEEK], 1):
        now = report.vitals
        row = f"{now.memory_mb:>10.1f}{now.threads:>9}{now.descriptors:>13}{now.objects:>10}"
        sys.stdout.write(f"{week:<6}{report.day!s:<12}{row}\n")
    sys.stdout.write(
        f"{len(reports)} days, {executions} executions, {connections} connections in {seconds:.0f} s; "
        f"{len(problems)} problems\n"
    )
    for problem in problems:
        sys.stdout.write(f"problem: {problem}\n")


if __name__ == "__main__":
    sys.exit(main())
