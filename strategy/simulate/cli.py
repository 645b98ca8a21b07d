"""``run.py simulate``: thousands of adversarial sessions for a strategy, and the smallest one that breaks it."""

import argparse
import os
import sys
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from actors.clock import SystemClock
from strategy.config import Config, load_config
from strategy.errors import UserError, check_writable
from strategy.simulate.campaign import Campaign, is_deterministic, run, smallest
from strategy.simulate.failures import SaveCapture, keep, kept_in
from strategy.simulate.generate import Profile
from strategy.simulate.page import write_page
from strategy.simulate.profile_file import load_profile
from strategy.simulate.properties import Demands, Violation
from strategy.simulate.session import play, tell
from strategy.simulate.subject import Subject
from strategy.simulate.tally import Tally
from strategy.simulate.world import Setup

CAPTURE_WRITER = "ibapi_bridge.simulation.capture:save_capture"
"""Who writes captures in the broker's own words; named, not imported, because this folder knows no broker."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of ``simulate``."""
    parser.add_argument("strategy", help="module:Class, a file, or file.py:Class")
    parser.add_argument("--sequences", type=_count, default=1_000, metavar="N", help="sessions (default: 1000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same sessions (default: 1)")
    parser.add_argument("--jobs", type=_count, default=os.cpu_count() or 1, help="processes (default: all cores)")
    parser.add_argument("--minutes", type=_minutes, help="length of a session (default: 90); a full day is 390")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="what is thrown at the strategy, and how often")
    parser.add_argument("--config", type=Path, help="limits, times, symbols and parameters: the file used for trading")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the strategy; text that looks like a number in quotes",
    )
    parser.add_argument("--max-position", type=_amount, metavar="SHARES", help="no larger position in any symbol")
    parser.add_argument("--max-loss", type=_amount, metavar="USD", help="no larger loss in a session")
    parser.add_argument("--stop-within", type=_seconds, metavar="SECONDS", help="a stop covers each position so soon")
    parser.add_argument("--not-flat", action="store_true", help="positions may be held over the close")
    parser.add_argument("--keep-going", action="store_true", help="play all sessions even when a property breaks")
    parser.add_argument("--failures", type=Path, default=Path("simulate-failures"), help="directory of known failures")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with distributions and stories")


def main(arguments: argparse.Namespace) -> int:
    """Play; exit code 1 when a property broke."""
    subject = _subject(arguments)
    console = Console(soft_wrap=True)
    if arguments.html is not None:
        check_writable("--html", arguments.html)
    if arguments.failures.exists() and not arguments.failures.is_dir():
        raise UserError(f"--failures is {arguments.failures}: it must be a directory")
    setup = subject.setup()
    broken = _play_kept(arguments.failures, subject, console)
    campaign = Campaign(
        subject=subject,
        profile=_profile(arguments.profile, arguments.minutes),
        seed=arguments.seed,
        sequences=arguments.sequences,
        jobs=min(arguments.jobs, max(arguments.sequences // 50, 1)),
        keep_going=arguments.keep_going,
    )
    if not is_deterministic(campaign.plan(0), setup):
        console.print("note: the strategy does not do the same twice; a clock, a random number or state it shares?")
    tally = _run(campaign)
    stories = _tell_failures(arguments.failures, campaign, tally, setup, console)
    _print_figures(tally, console)
    if arguments.html is not None:
        title = f"{subject.name}: {tally.sessions} sessions from seed {arguments.seed}"
        write_page(arguments.html, title=title, tally=tally, stories=stories)
        console.print(f"page: {arguments.html}")
    return 1 if stories or broken else 0


def _subject(arguments: argparse.Namespace) -> Subject:
    config = load_config(arguments.config) if arguments.config is not None else Config()
    demands = Demands(
        flat_at_close=not arguments.not_flat and config.trading.flatten_at is not None,
        max_position=arguments.max_position,
        max_loss=arguments.max_loss,
        stop_within=arguments.stop_within,
    )
    return Subject(
        strategy=arguments.strategy,
        config=config,
        parameters=_parameters(arguments.set),
        demands=demands,
        config_path="" if arguments.config is None else str(arguments.config),
    )


def _profile(path: Path | None, minutes: int | None) -> Profile:
    """The file's, or the default, cut to the length that was asked for."""
    profile = load_profile(path) if path is not None else Profile()
    length = minutes or profile.minutes
    return attrs.evolve(profile, minutes=length, quiet_minutes=min(profile.quiet_minutes, length // 2))


def _parameters(words: list[str]) -> Mapping[str, object]:
    return {name: _value(text) for name, _, text in (word.partition("=") for word in words)}


def _value(text: str) -> object:
    """As in a configuration file where it is quoted or a list; a number where it reads like one, a bool, else text."""
    if text.startswith(('"', "'", "[")):
        return _written_out(text)
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        return _decimal(text)


def _written_out(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _decimal(text: str) -> object:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _play_kept(directory: Path, subject: Subject, console: Console) -> bool:
    """Known failures first, each as it was demanded then."""
    broken = False
    for kept in kept_in(directory, subject):
        violation = play(kept.plan, kept.subject(subject).setup()).violation
        state = "still broken" if violation is not None else "holds now"
        console.print(f"known failure {kept.path.name}: {kept.property} {state}", highlight=False)
        broken = broken or violation is not None
    return broken


def _run(campaign: Campaign) -> Tally:
    """Play with a bar on a terminal, and a plain line for each tenth elsewhere."""
    return _run_with_bar(campaign) if sys.stderr.isatty() else _run_with_lines(campaign)


def _run_with_lines(campaign: Campaign) -> Tally:
    clock, console, told = SystemClock(), Console(stderr=True, soft_wrap=True), 0
    began = clock.elapsed()

    def show(tally: Tally) -> None:
        nonlocal told
        tenth = 10 * tally.sessions // campaign.sequences
        if tenth > told:
            told = tenth
            rate = tally.sessions / max(clock.elapsed() - began, 1e-6)
            left = (campaign.sequences - tally.sessions) / rate
            played = f"{tally.sessions:,} of {campaign.sequences:,} sessions, {pace(rate)}, {left:,.0f} s left"
            console.print(f"{played}, {_words(tally)}", highlight=False)

    return run(campaign, show)


def pace(rate: float) -> str:
    """Sessions a second; slow ones with a decimal."""
    return f"{rate:,.1f}/s" if rate < 9.95 else f"{rate:,.0f}/s"


def _words(tally: Tally) -> str:
    return f"{tally.orders:,} orders, {sum(tally.failed_sessions.values())} broken"


def _run_with_bar(campaign: Campaign) -> Tally:
    columns = (
        TextColumn("sessions"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=campaign.sequences, rate="")

        def show(tally: Tally) -> None:
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed or 0.0
            progress.update(task, completed=tally.sessions, rate=f"{pace(speed)}, {_words(tally)}")

        return run(campaign, show)


def _tell_failures(directory: Path, campaign: Campaign, tally: Tally, setup: Setup, console: Console) -> dict[str, str]:
    stories: dict[str, str] = {}
    for name, failure in sorted(tally.failures.items(), key=lambda item: item[1].index):
        plan = smallest(failure.plan, name, setup)
        outcome, story = tell(plan, setup)
        stories[name] = story
        violation = outcome.violation or failure.violation
        path = keep(
            directory,
            subject=campaign.subject,
            plan=plan,
            violation=violation,
            story=story,
            save_capture=_capture_writer(),
        )
        console.print(f"\n{name} broke in session {failure.index}; {_what_follows(name, outcome.violation)}:\n")
        console.print(story, markup=False, highlight=False)
        console.print(f"kept: {path}, with a test and a capture beside it", highlight=False)
    return stories


def _what_follows(name: str, again: Violation | None) -> str:
    if again is not None and again.name == name:
        return "the smallest session found that breaks it"
    return "not when it was played again, for the strategy does not do the same twice; what happened then"


def _capture_writer() -> SaveCapture:
    module, _, name = CAPTURE_WRITER.partition(":")
    writer: SaveCapture = getattr(import_module(module), name)
    return writer


def _print_figures(tally: Tally, console: Console) -> None:
    console.print(
        f"\n{tally.sessions:,} sessions, {tally.orders:,} orders, {tally.fills:,} fills, "
        f"{len(tally.counts)} kinds of event, transition and disturbance visited",
        highlight=False,
    )
    for name, extreme in tally.extremes.items():
        console.print(f"{name}: {extreme.value:,.2f} in session {extreme.index}", highlight=False)
    for name, count in tally.failed_sessions.items():
        console.print(f"{name}: broke in {count:,} sessions", highlight=False)
    if not tally.failures:
        console.print("every property held")


def _count(text: str) -> int:
    try:
        number = int(text.replace("_", "").replace(",", ""))
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return number


def _seconds(text: str) -> float:
    return float(_amount(text))


def _minutes(text: str) -> int:
    minutes = _count(text)
    if minutes > 390:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than a full day of 390 minutes")
    return minutes


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return amount
