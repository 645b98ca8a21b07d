"""The one entry point: wires configuration, bridge, actors and strategy, and waits for a reason to stop.

``python run.py`` trades one simulated session; ``python run.py help`` lists everything else.
"""

import signal

if __name__ == "__main__":  # a Ctrl-C during the imports below ends it, without a traceback
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import errno
import gc
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import attrs

from ibapi_bridge.compatibility import IncompatibleClient, check_official_client

try:
    check_official_client()
except IncompatibleClient as problem:  # before the imports below end in a traceback
    print(f"callboard: {problem}", file=sys.stderr)
    raise SystemExit(2) from None

from actors import one_cpu, reconcile_cli
from actors.calendars import UnknownCalendar, calendar_for
from actors.clock import Clock, SimulatedClock, SystemClock, wall_clock
from actors.domain.contract import Session
from actors.domain.desk_config import DeskConfig, Patience
from actors.domain.identity import Account, ClientId
from actors.domain.limits import Limits
from actors.domain.schedule import ScheduleConfig
from actors.domain.session import SessionConfig
from actors.domain.timekeeping import RestartWindow
from actors.journal import Durability, Journal, JournalDamaged, JournalFailed, JournalIdentity
from actors.journal_files import JournalLocked
from actors.journal_keeper import JournalKeeper
from actors.link import LinkFactory
from actors.messages.events import Discrepancy
from actors.messages.system import StopReason
from actors.restore import restore
from actors.system import Engine, EngineParts, EngineSettings
from ibapi_bridge.assembly import link_factory
from ibapi_bridge.capture import CaptureError
from ibapi_bridge.gateway_simulator.config import ConfigError as SimulatorConfigError
from ibapi_bridge.gateway_simulator.exchange.types import ReplayError
from ibapi_bridge.link import LinkSettings
from ibapi_bridge.simulated_session import add_session_arguments, simulated_session
from strategy.config import Config, check_ports, load_config
from strategy.console import AccountGuard, Console
from strategy.errors import ConfigError, UserError
from strategy.leaving import leave
from strategy.loader import load, make
from strategy.log import ExecutionLog
from strategy.masking import clean
from strategy.naming import run_stamp, strategy_id_of
from strategy.runner import StrategyRunner
from strategy.screen import no_more_output, open_output
from strategy.watch import SessionWatch

DEFAULT_STRATEGY = "strategy.examples.mean_reversion:MeanReversion"
COMMANDS: dict[str, tuple[str, str]] = {
    "gateway": ("ibapi_bridge.gateway_simulator.cli", "the gateway simulator alone, for any TWS API client"),
    "replay": ("ibapi_bridge.replay", "a captured conversation through the same core"),
    "simulate": ("strategy.simulate.cli", "thousands of adversarial sessions for a strategy, in virtual time"),
    "backtest": ("strategy.simulate.backtest_cli", "a strategy over recorded days, in virtual time"),
    "journal": ("actors.journal_cli", "verify, show or export a journal"),
}
MISTAKES = (UserError, SimulatorConfigError, CaptureError, ReplayError)
YOUNG_OBJECTS = 50_000
"""So many new objects call for a garbage collection: an order leaves some dozens behind, hardly any of them garbage."""

SIMULATED_TICK_SECONDS = 0.01  # market time runs hundreds of times faster than the clock on the wall


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, like every other mistake of a user; options are named in full."""

    def __init__(self, *, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Argparse's hook."""
        raise UserError(f"{message}; {self.prog} --help explains")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one sentence on stderr and exit code 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    with open_output():
        return _run(words)


def _run(words: list[str]) -> int:
    try:
        code = _command(words)
        sys.stdout.flush()  # here, where somebody listens if that fails
    except BrokenPipeError:
        return no_more_output()
    except KeyboardInterrupt:
        print("callboard: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except (*MISTAKES, JournalDamaged, JournalFailed, JournalLocked) as error:
        print(f"callboard: {clean(str(error))}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"callboard: {error.strerror}", file=sys.stderr)
        return no_more_output()
    return code


def _command(words: list[str]) -> int:
    name = words[0] if words and not words[0].startswith("-") else "session"
    if name == "session":
        return trade_simulated(_session_parser().parse_args([word for word in words if word != "session"]))
    if name in ("paper", "live"):
        return trade(_trade_parser(name).parse_args(words[1:]), mode=name)
    if name == "reconcile":
        return _reconcile(words[1:])
    if name == "help":
        print(_help())
        return 0
    if name not in COMMANDS:
        accepted = ", ".join(["session", "paper", "live", "reconcile", *COMMANDS, "help"])
        raise UserError(f"command is {name!r}: accepted are {accepted}")
    module = import_module(COMMANDS[name][0])
    text = COMMANDS[name][1]
    parser = Parser(prog=f"run.py {name}", description=f"{text[0].upper()}{text[1:]}.")
    module.add_arguments(parser)
    code: int = module.main(parser.parse_args(words[1:]))
    return code


def _reconcile(words: list[str]) -> int:
    parser = Parser(prog="run.py reconcile", description="Show and settle positions that differ from the broker's.")
    reconcile_cli.add_arguments(parser)
    arguments = parser.parse_args(words)
    config = _config(arguments, default_strategy=None)
    strategy_id = config.strategy.id or strategy_id_of(load(config.strategy.path).__name__)
    path = (arguments.state or Path(config.trading.state_directory)) / f"{strategy_id}.journal"
    if not path.is_file():
        raise ConfigError(f"there is no journal {path}: name its directory with --state")
    identity = JournalIdentity(strategy_id=strategy_id, account=config.connection.account)
    with closing(Journal(path, identity=identity)) as journal:
        desk_config, now = _desk_config(config, strategy_id), SystemClock().now
        code = reconcile_cli.strangers(journal, desk_config, adopt=arguments.adopt, now=now)
        return code or reconcile_cli.reconcile(
            journal, desk_config, accept=arguments.accept, instrument=arguments.instrument, now=now
        )


def _help() -> str:
    rows = [
        ("session", "trade one simulated session (the default)"),
        ("paper", "trade against TWS or IB Gateway with a paper account"),
        ("live", "the same with real money"),
        ("reconcile", "show and settle positions that differ from the broker's"),
        *((name, text) for name, (_, text) in COMMANDS.items()),
    ]
    lines = [f"  {name:<10} {text}" for name, text in rows]
    return "usage: run.py [COMMAND] [options]; run.py COMMAND --help explains one\n\n" + "\n".join(lines)


def _session_parser() -> argparse.ArgumentParser:
    parser = Parser(prog="run.py", description="Trade one session against the embedded gateway simulator.")
    _add_common_arguments(parser)
    add_session_arguments(parser)
    return parser


def _trade_parser(mode: str) -> argparse.ArgumentParser:
    parser = Parser(prog=f"run.py {mode}", description=f"Trade in the {mode} account of a gateway.")
    _add_common_arguments(parser)
    return parser


def _add_common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="the configuration, a TOML file")
    parser.add_argument("--strategy", help="module:Class, a file, or file.py:Class; instead of the configured one")
    parser.add_argument("--state", type=Path, help="directory of the journal; instead of the configured one")
    parser.add_argument("--capture", type=Path, metavar="FILE", help="record every callback and request in FILE")


@attrs.frozen(kw_only=True)
class Run:
    """One strategy's run, ready to be started."""

    config: Config
    mode: str
    clock: Clock
    make_link: LinkFactory
    state: Path
    watch: SessionWatch
    tick_seconds: float = 0.05
    correct_clock: Callable[[timedelta], None] | None = None
    """Makes the clock follow the gateway's; None where market time is not real time."""


def trade_simulated(arguments: argparse.Namespace) -> int:
    """One session against the simulator in this process, over a real socket."""
    config = _config(arguments, default_strategy=DEFAULT_STRATEGY)
    with ExitStack() as stack:
        session = simulated_session(arguments)
        config = _without_account(_with_symbol(config, session.symbol))
        simulator = session.simulator
        simulator.start()
        stack.callback(simulator.stop)
        clock = SimulatedClock(simulator.now)
        state = arguments.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callboard-")))
        link = LinkSettings(
            port=simulator.port, client_id=ClientId(config.connection.client_id), symbols=config.symbols
        )
        run = Run(
            config=config,
            mode="simulator",
            clock=clock,
            make_link=link_factory(link, clock=clock, capture=arguments.capture),
            state=state,
            watch=SessionWatch(
                starts=session.opens,
                ends=session.closes,
                ends_with_session=True,
                on_ready=simulator.resume,
                zone=ZoneInfo(config.session.time_zone),
            ),
            tick_seconds=SIMULATED_TICK_SECONDS,
        )
        return run_engine(run)


def trade(arguments: argparse.Namespace, *, mode: str) -> int:
    """Trade against a real gateway until stopped."""
    if arguments.config is None:
        raise ConfigError(f"--config is missing: run.py {mode} needs a configuration file")
    config = _config(arguments, default_strategy=None)
    connection = config.connection
    check_ports(mode, connection.port, connection.account)
    clock = SystemClock()
    link = LinkSettings(
        host=connection.host,
        port=connection.port,
        client_id=ClientId(connection.client_id),
        account=Account(connection.account),
        connect_seconds=connection.connect_timeout_seconds,
        ready_seconds=connection.connect_timeout_seconds,
        market_data_type=connection.market_data_type,
        execution_days=connection.execution_days,
        symbols=config.symbols,
    )
    state = arguments.state or Path(config.trading.state_directory)
    run = Run(
        config=config,
        mode=mode,
        clock=clock,
        make_link=link_factory(link, clock=clock, capture=arguments.capture, cache=state),
        state=state,
        watch=SessionWatch(starts=None, ends=None, ends_with_session=False, zone=ZoneInfo(config.session.time_zone)),
        correct_clock=clock.correct,
    )
    return run_engine(run)


def _config(arguments: argparse.Namespace, *, default_strategy: str | None) -> Config:
    config = load_config(arguments.config) if arguments.config is not None else Config()
    name = config.strategy.name or default_strategy if arguments.strategy is None else arguments.strategy
    if not name:
        raise ConfigError("strategy.path is empty: name a strategy file or class, or give --strategy")
    return attrs.evolve(config, strategy=attrs.evolve(config.strategy, path=name, class_name=""))


def _with_symbol(config: Config, symbol: str | None) -> Config:
    if symbol is None:
        return config
    parameters = {**config.strategy.parameters, "symbols": (symbol,)}
    return attrs.evolve(config, strategy=attrs.evolve(config.strategy, parameters=parameters))


def _without_account(config: Config) -> Config:
    """The simulator has an account of its own."""
    return attrs.evolve(config, connection=attrs.evolve(config.connection, account=""))


def run_engine(run: Run) -> int:
    """Build everything around one strategy, trade until a reason to stop, and take it down again."""
    config = run.config
    strategy = make(config.strategy.path, config.strategy.parameters)
    strategy_id = config.strategy.id or strategy_id_of(type(strategy).__name__)
    zone = ZoneInfo(config.session.time_zone)
    logging.getLogger("pykka").setLevel(logging.CRITICAL)  # the supervisor tells of deaths, with accounts masked
    with ExitStack() as stack:
        if config.process.one_cpu:
            one_cpu.choose()
            stack.callback(one_cpu.leave)
        identity = JournalIdentity(strategy_id=strategy_id, account=config.connection.account)
        durability = Durability(config.trading.durability)
        journal = Journal(run.state / f"{strategy_id}.journal", identity=identity, durability=durability)
        stack.callback(journal.close)
        desk_config = _desk_config(config, strategy_id)
        restored = restore(journal, desk_config)
        runner = StrategyRunner(
            strategy,
            strategy_id,
            run_stamp(wall_clock()),
            at=run.clock.now(),
            account=Account(config.connection.account),
            contracts=config.symbols,
            orders=restored.desk.open_orders(),
            stored=restored.strategy_state,
            zone=zone,
            on_failure=config.strategy.on_failure,
        )
        log = ExecutionLog(config.logging, zone=zone, console=run.watch.show_line)
        log.start()
        stack.callback(log.stop)
        guard = AccountGuard(run.mode, config.connection.port, Account(config.connection.account))
        console = Console(log, at_once=guard.check)
        keeper = JournalKeeper(journal, desk_config, warn=_warn_of_journal(console, run.clock))
        keeper.prepare(restored)
        keeper.start()
        stack.callback(keeper.stop)
        parts = EngineParts(
            clock=run.clock,
            journal=journal,
            restored=restored,
            runner=runner,
            subscriptions=runner.subscriptions,
            make_link=run.make_link,
            calendar=_calendar(config),
            listener=console,
            stop=console.stop,
            correct_clock=run.correct_clock,
        )
        engine = Engine(_settings(run), parts)
        guard.arm(halt=engine.halt, stop=console.stop)
        _keep_collections_short(stack)
        code = _until_stopped(engine, console, run.watch)
        return code or int(runner.has_failed)


def _keep_collections_short(stack: ExitStack) -> None:
    """Take what the start made out of the sight of the garbage collector: it looks at all of it for 50 ms or more."""
    stack.callback(gc.set_threshold, *gc.get_threshold())
    gc.set_threshold(YOUNG_OBJECTS)
    gc.freeze()
    stack.callback(gc.unfreeze)


def _calendar(config: Config) -> Callable[[date], Session | None]:
    try:
        return calendar_for(config.session.calendar, time_zone=config.session.time_zone)
    except UnknownCalendar as error:
        raise ConfigError(f"session.calendar: {error}") from None


def _warn_of_journal(console: Console, clock: Clock) -> Callable[[str], None]:
    return lambda text: console.tell(Discrepancy(at=clock.now(), kind="JOURNAL", subject="upkeep", text=text))


def _until_stopped(engine: Engine, console: Console, watch: SessionWatch) -> int:
    """Run until a reason to stop; then stop everything in reverse, within seconds."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: console.stop(StopReason(text=f"signal {signal.Signals(got).name}")))
    watch.on_end(console.stop)
    try:
        engine.start()
        reason = console.watch(watch.see)
    finally:
        stuck = engine.stop("the process ends")
        console.drain(watch.see)
    watch.finish(reason)
    if stuck:
        print(f"callboard: did not end in time: {', '.join(stuck)}", file=sys.stderr)
        return reason.exit_code or 1
    return reason.exit_code


def _desk_config(config: Config, strategy_id: str) -> DeskConfig:
    return DeskConfig(
        strategy_id=strategy_id,
        account=Account(config.connection.account),
        client_id=ClientId(config.connection.client_id),
        trading_enabled=config.trading.trading_enabled,
        patience=_patience(config.trading.absence_grace_seconds),
        keep_names=config.trading.remember_orders,
        limits=Limits(
            max_order_quantity=config.trading.max_order_quantity,
            max_order_notional=config.trading.max_order_notional,
            max_open_orders=config.trading.max_open_orders,
            max_position_quantity=config.trading.max_position_quantity,
            max_orders_per_side=config.pacing.orders_per_contract,
        ),
    )


def _patience(absence_grace: float) -> Patience:
    """Look again a little after an absence has lasted long enough to be believed."""
    return Patience(absence_grace=absence_grace, verify_again=absence_grace * 7 / 6)


def _settings(run: Run) -> EngineSettings:
    config, connection = run.config, run.config.connection
    return EngineSettings(
        session=SessionConfig(
            client_id=ClientId(connection.client_id),
            initial_attempts=connection.connect_attempts,
            reconnect_attempts=connection.reconnect_attempts,
            reconnect_delay_seconds=connection.reconnect_delay_seconds,
            reconnect_delay_max_seconds=connection.reconnect_delay_max_seconds,
            connect_timeout_seconds=connection.connect_timeout_seconds,
            outage_alert_seconds=connection.outage_alert_seconds,
            follows_gateway_clock=run.correct_clock is not None,
            restart=_restart_window(config),
        ),
        schedule=ScheduleConfig(
            time_zone=config.session.time_zone,
            flatten_at=config.trading.flatten_at,
            lock_at=config.trading.lock_at,
        ),
        messages_per_second=config.pacing.messages_per_second,
        tick_seconds=run.tick_seconds,
    )


def _restart_window(config: Config) -> RestartWindow | None:
    at = config.connection.gateway_restarts_at
    zone = config.connection.gateway_time_zone or config.session.time_zone
    return None if at is None else RestartWindow(at=at, time_zone=zone)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    leave(main())
