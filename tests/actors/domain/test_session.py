"""The session machine: every state, every condition, every deadline."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.domain.identity import Account, Epoch, OrderId
from actors.domain.session import (
    AlertOutage,
    AskServerTime,
    CloseLink,
    GiveUp,
    OpenLink,
    Resubscribe,
    SessionAction,
    SessionConfig,
    SessionMachine,
)
from actors.domain.timekeeping import ClockDiffers, RestartWindow
from actors.messages.reports import (
    AccountsReported,
    ConnectionLost,
    LinkCondition,
    LinkConditionReported,
    NextOrderIdReported,
    ServerTimeReported,
)
from actors.messages.system import SessionChanged, SessionState, Tick
from actors.messages.wire import FinishReconciliation, SeekConnection

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
CONFIG = SessionConfig(initial_attempts=0, reconnect_attempts=0)


def tick(elapsed: float) -> Tick:
    return Tick(at=AT, elapsed=elapsed)


def states(actions: tuple[SessionAction, ...]) -> list[SessionState]:
    return [action.state for action in actions if isinstance(action, SessionChanged)]


def kinds(actions: tuple[SessionAction, ...]) -> list[type]:
    return [type(action) for action in actions]


def connected(config: SessionConfig = CONFIG) -> SessionMachine:
    machine = SessionMachine(config)
    machine.decide(tick(0.0))
    machine.decide(NextOrderIdReported(at=AT, epoch=Epoch(1), order_id=OrderId(7)))
    machine.decide(AccountsReported(at=AT, epoch=Epoch(1), accounts=(Account("DU1"),)))
    return machine


def ready(config: SessionConfig = CONFIG) -> SessionMachine:
    machine = connected(config)
    machine.decide(FinishReconciliation(at=AT, epoch=Epoch(1)))
    return machine


def condition(kind: LinkCondition, epoch: int = 1) -> LinkConditionReported:
    return LinkConditionReported(at=AT, epoch=Epoch(epoch), condition=kind, text=kind.value)


def test_the_first_tick_opens_a_link_of_a_new_epoch() -> None:
    actions = SessionMachine(CONFIG, last_epoch=Epoch(41)).decide(tick(0.0))
    assert kinds(actions) == [SessionChanged, OpenLink]
    assert isinstance(actions[1], OpenLink)
    assert actions[1].epoch == 42


def test_both_the_next_order_id_and_the_accounts_are_needed_before_reconciling() -> None:
    machine = SessionMachine(CONFIG)
    machine.decide(tick(0.0))
    assert machine.decide(AccountsReported(at=AT, epoch=Epoch(1), accounts=(Account("DU1"),))) == ()
    actions = machine.decide(NextOrderIdReported(at=AT, epoch=Epoch(1), order_id=OrderId(7)))
    assert states(actions) == [SessionState.RECONCILING]
    assert kinds(actions) == [SessionChanged, Resubscribe]
    change = actions[0]
    assert isinstance(change, SessionChanged)
    assert (change.next_order_id, change.accounts) == (7, ("DU1",))


def test_only_a_finished_reconciliation_lets_orders_pass() -> None:
    machine = connected()
    assert not machine.takes_new_orders
    assert states(machine.decide(FinishReconciliation(at=AT, epoch=Epoch(1)))) == [SessionState.READY]
    assert machine.takes_new_orders


def test_the_end_of_a_reconciliation_of_an_older_connection_changes_nothing() -> None:
    machine = connected()
    assert machine.decide(FinishReconciliation(at=AT, epoch=Epoch(0))) == ()
    assert machine.state is SessionState.RECONCILING


def test_a_lost_backend_degrades_and_its_return_reconciles() -> None:
    machine = ready()
    assert states(machine.decide(condition(LinkCondition.BACKEND_LOST))) == [SessionState.DEGRADED]
    assert not machine.takes_new_orders
    assert machine.is_connected
    assert machine.decide(condition(LinkCondition.BACKEND_LOST)) == ()
    assert kinds(machine.decide(condition(LinkCondition.BACKEND_RESTORED))) == [SessionChanged]
    assert machine.state is SessionState.RECONCILING


def test_lost_market_data_is_subscribed_again() -> None:
    machine = ready()
    machine.decide(condition(LinkCondition.BACKEND_LOST))
    actions = machine.decide(condition(LinkCondition.BACKEND_RESTORED_DATA_LOST))
    assert kinds(actions) == [SessionChanged, Resubscribe]


def test_a_gateway_that_is_offline_itself_takes_no_orders() -> None:
    machine = SessionMachine(CONFIG)
    machine.decide(tick(0.0))
    machine.decide(condition(LinkCondition.BACKEND_LOST))
    machine.decide(NextOrderIdReported(at=AT, epoch=Epoch(1), order_id=OrderId(7)))
    actions = machine.decide(AccountsReported(at=AT, epoch=Epoch(1), accounts=(Account("DU1"),)))
    assert states(actions) == [SessionState.DEGRADED]
    assert machine.decide(FinishReconciliation(at=AT, epoch=Epoch(1))) == ()
    restored = machine.decide(condition(LinkCondition.BACKEND_RESTORED))
    assert kinds(restored) == [SessionChanged, Resubscribe]


def test_a_silent_gateway_is_closed_within_thirty_seconds() -> None:
    machine = ready()
    assert AskServerTime in kinds(machine.decide(tick(10.0)))
    assert machine.decide(tick(19.9)) == ()
    assert kinds(machine.decide(tick(20.0))) == [CloseLink]


def test_an_answered_heartbeat_keeps_the_link() -> None:
    machine = ready()
    machine.decide(tick(10.0))
    machine.decide(ServerTimeReported(at=AT, epoch=Epoch(1), server_time=AT))
    assert kinds(machine.decide(tick(20.0))) == [AskServerTime]
    machine.decide(ServerTimeReported(at=AT, epoch=Epoch(1), server_time=AT))
    assert CloseLink not in kinds(machine.decide(tick(30.0)))


def test_a_connect_that_is_never_answered_is_closed() -> None:
    machine = SessionMachine(CONFIG)
    machine.decide(tick(0.0))
    assert machine.decide(tick(14.9)) == ()
    assert kinds(machine.decide(tick(15.0))) == [CloseLink]
    assert machine.decide(tick(16.0)) == ()


def test_reconnects_wait_twice_as_long_each_time_up_to_the_limit() -> None:
    config = attrs.evolve(CONFIG, reconnect_delay_seconds=2.0, reconnect_delay_max_seconds=5.0)
    machine = SessionMachine(config)
    waits, now = [], 0.0
    machine.decide(tick(now))
    for epoch in (1, 2, 3, 4):
        machine.decide(ConnectionLost(at=AT, epoch=Epoch(epoch), reason="refused"))
        wait = 0.0
        while machine.epoch == epoch:
            wait += 0.5
            machine.decide(tick(now + wait))
        waits.append(wait)
        now += wait
    assert waits == [2.0, 4.0, 5.0, 5.0]


def test_jitter_spreads_the_reconnects() -> None:
    machine = SessionMachine(CONFIG, jitter=lambda: 0.25)
    machine.decide(tick(0.0))
    machine.decide(ConnectionLost(at=AT, epoch=Epoch(1), reason="refused"))
    assert machine.decide(tick(2.4)) == ()
    assert OpenLink in kinds(machine.decide(tick(2.5)))


def test_the_first_connection_gives_up_after_its_attempts_and_says_why() -> None:
    machine = SessionMachine(attrs.evolve(CONFIG, initial_attempts=1))
    machine.decide(tick(0.0))
    actions = machine.decide(ConnectionLost(at=AT, epoch=Epoch(1), reason="connection refused"))
    assert actions[-1] == GiveUp(text="connection refused")
    assert OpenLink not in kinds(machine.decide(tick(1000.0)))


def test_a_session_that_was_ready_reconnects_without_end_by_default() -> None:
    machine = ready(attrs.evolve(CONFIG, initial_attempts=1))
    actions = machine.decide(ConnectionLost(at=AT, epoch=Epoch(1), reason="reset"))
    assert kinds(actions) == [SessionChanged]
    assert machine.decide(ConnectionLost(at=AT, epoch=Epoch(1), reason="reset")) == ()


def test_once_a_gateway_was_reached_its_refusals_are_waited_out() -> None:
    machine = SessionMachine(attrs.evolve(CONFIG, initial_attempts=1))
    machine.decide(tick(0.0))
    in_use = ConnectionLost(at=AT, epoch=Epoch(1), reason="326: the client id is in use", reached=True)
    assert GiveUp not in kinds(machine.decide(in_use))
    assert OpenLink in kinds(machine.decide(tick(2.0)))
    refused = ConnectionLost(at=AT, epoch=Epoch(2), reason="connection refused")
    assert GiveUp not in kinds(machine.decide(refused))


def test_whoever_needs_the_connection_hastens_the_next_attempt_but_not_beyond_the_first_delay() -> None:
    config = attrs.evolve(CONFIG, reconnect_delay_seconds=2.0, reconnect_delay_max_seconds=60.0)
    machine = SessionMachine(config)
    now = 0.0
    machine.decide(tick(now))
    for epoch in (1, 2, 3, 4):
        machine.decide(ConnectionLost(at=AT, epoch=Epoch(epoch), reason="refused", reached=True))
        now += 20.0
        machine.decide(tick(now))
    assert machine.epoch == 5
    machine.decide(ConnectionLost(at=AT, epoch=Epoch(5), reason="refused"))
    machine.decide(tick(now + 1.0))
    seek = SeekConnection(at=AT, epoch=Epoch(5))
    assert machine.decide(seek) == ()
    assert OpenLink not in kinds(machine.decide(tick(now + 1.9)))
    assert OpenLink in kinds(machine.decide(tick(now + 2.0)))
    assert machine.decide(SeekConnection(at=AT, epoch=Epoch(6))) == ()
    assert OpenLink not in kinds(machine.decide(tick(now + 3.0)))


def accounts(*names: str) -> AccountsReported:
    return AccountsReported(at=AT, epoch=Epoch(1), accounts=tuple(Account(name) for name in names))


def test_other_accounts_on_a_living_connection_close_the_gate_and_are_told() -> None:
    machine = ready()
    assert machine.decide(accounts("DU1")) == ()
    (changed,) = machine.decide(accounts("U9"))
    assert isinstance(changed, SessionChanged)
    assert (changed.state, changed.accounts) == (SessionState.RECONCILING, ("U9",))
    assert not machine.takes_new_orders


def test_other_accounts_while_the_backend_is_away_are_told_and_the_gate_stays_closed() -> None:
    machine = ready()
    machine.decide(condition(LinkCondition.BACKEND_LOST))
    (changed,) = machine.decide(accounts("U9"))
    assert isinstance(changed, SessionChanged)
    assert (changed.state, changed.accounts) == (SessionState.DEGRADED, ("U9",))


# -- the gateway's daily restart ---------------------------------------------------------------------------------------

RESTART = attrs.evolve(CONFIG, restart=RestartWindow(at=time(23, 45), time_zone="America/New_York"))


def local_tick(hour: int, minute: int, second: int, elapsed: float) -> Tick:
    return Tick(at=datetime(2026, 3, 2, hour, minute, second, tzinfo=ZoneInfo("America/New_York")), elapsed=elapsed)


def test_around_the_restart_nothing_new_passes_and_afterwards_the_books_are_compared() -> None:
    machine = ready(RESTART)
    assert SessionChanged not in kinds(machine.decide(local_tick(23, 44, 29, 1.0)))
    actions = machine.decide(local_tick(23, 44, 30, 2.0))
    assert states(actions) == [SessionState.DEGRADED]
    assert "restarts at 23:45" in next(action.reason for action in actions if isinstance(action, SessionChanged))
    assert not machine.takes_new_orders
    assert machine.is_connected
    assert states(machine.decide(local_tick(23, 45, 59, 3.0))) == []
    assert states(machine.decide(local_tick(23, 46, 0, 4.0))) == [SessionState.RECONCILING]
    assert states(machine.decide(FinishReconciliation(at=AT, epoch=Epoch(1)))) == [SessionState.READY]


def test_what_happens_during_the_restart_is_made_up_for_after_it() -> None:
    machine = ready(RESTART)
    machine.decide(local_tick(23, 45, 0, 1.0))
    machine.decide(condition(LinkCondition.BACKEND_LOST))
    assert machine.decide(condition(LinkCondition.BACKEND_RESTORED_DATA_LOST)) == ()
    assert kinds(machine.decide(local_tick(23, 46, 0, 2.0))) == [SessionChanged, Resubscribe]


def test_a_backend_still_away_after_the_restart_keeps_the_gate_closed() -> None:
    machine = ready(RESTART)
    machine.decide(local_tick(23, 45, 0, 1.0))
    machine.decide(condition(LinkCondition.BACKEND_LOST))
    assert states(machine.decide(local_tick(23, 46, 0, 2.0))) == []
    assert states(machine.decide(condition(LinkCondition.BACKEND_RESTORED))) == [SessionState.RECONCILING]


def test_a_connection_made_within_the_window_waits_for_its_end() -> None:
    machine = ready(RESTART)
    machine.decide(local_tick(23, 45, 0, 1.0))
    machine.decide(ConnectionLost(at=AT, epoch=Epoch(1), reason="reset", reached=True))
    machine.decide(local_tick(23, 45, 5, 6.0))
    machine.decide(NextOrderIdReported(at=AT, epoch=Epoch(2), order_id=OrderId(7)))
    machine.decide(AccountsReported(at=AT, epoch=Epoch(2), accounts=(Account("DU1"),)))
    assert states(machine.decide(local_tick(23, 45, 6, 7.0))) == [SessionState.DEGRADED]
    assert states(machine.decide(local_tick(23, 46, 0, 61.0))) == [SessionState.RECONCILING]


@pytest.mark.parametrize(
    ("at", "within"),
    [
        (datetime(2026, 3, 2, 23, 59, 45, tzinfo=UTC), True),
        (datetime(2026, 3, 3, 0, 0, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 3, 0, 1, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 3, 12, 0, 0, tzinfo=UTC), False),
    ],
)
def test_a_window_reaches_over_midnight(at: datetime, within: bool) -> None:
    assert RestartWindow(at=time(0, 0), time_zone="UTC").contains(at) is within


# -- the gateway's clock -----------------------------------------------------------------------------------------------


def test_a_clock_is_asked_at_once_and_again_soon_while_it_differs() -> None:
    machine = connected(attrs.evolve(CONFIG, follows_gateway_clock=True))
    assert AskServerTime in kinds(machine.decide(tick(0.1)))
    away = AT + timedelta(seconds=90)
    assert machine.decide(ServerTimeReported(at=AT, epoch=Epoch(1), server_time=away)) == ()
    assert AskServerTime not in kinds(machine.decide(tick(2.0)))
    assert AskServerTime in kinds(machine.decide(tick(2.2)))
    later = ServerTimeReported(at=AT + timedelta(seconds=2), epoch=Epoch(1), server_time=away + timedelta(seconds=2))
    (differs,) = machine.decide(later)
    assert isinstance(differs, ClockDiffers)
    assert differs.correction == timedelta(seconds=90)
    assert AskServerTime not in kinds(machine.decide(tick(10.0)))
    assert AskServerTime in kinds(machine.decide(tick(12.2)))


def test_an_answer_that_is_no_time_is_an_answer() -> None:
    machine = connected(attrs.evolve(CONFIG, follows_gateway_clock=True))
    assert AskServerTime in kinds(machine.decide(tick(0.1)))
    assert machine.decide(ServerTimeReported(at=AT, epoch=Epoch(1), server_time=None)) == ()
    assert AskServerTime in kinds(machine.decide(tick(10.1)))


def test_where_market_time_is_not_real_time_the_gateways_clock_is_only_a_heartbeat() -> None:
    machine = connected()
    for _ in range(5):
        assert machine.decide(ServerTimeReported(at=AT, epoch=Epoch(1), server_time=AT + timedelta(days=1))) == ()


def test_an_outage_that_outlives_its_limit_is_told_once() -> None:
    machine = ready()
    machine.decide(condition(LinkCondition.BACKEND_LOST))
    machine.decide(tick(1.0))
    alerts = [action for step in (301.0, 302.0) for action in machine.decide(tick(step))]
    assert kinds(tuple(alerts)).count(AlertOutage) == 1


@pytest.mark.parametrize("kind", [LinkCondition.FARM_LOST, LinkCondition.PORT_RESET, LinkCondition.CLIENT_ID_IN_USE])
def test_conditions_that_say_nothing_about_orders_change_no_state(kind: LinkCondition) -> None:
    machine = ready()
    assert machine.decide(condition(kind)) == ()
    assert machine.state is SessionState.READY


class Sessions(RuleBasedStateMachine):
    """Any order of broker news and ticks: the gate opens only after a reconciliation of the current connection."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = SessionMachine(CONFIG)
        self.elapsed = 0.0
        self.reconciled_epoch = 0
        self.epochs: list[int] = []

    def _note(self, actions: tuple[SessionAction, ...]) -> None:
        for action in actions:
            if isinstance(action, OpenLink):
                self.epochs.append(action.epoch)

    @rule(step=st.floats(0.0, 40.0))
    def time_passes(self, step: float) -> None:
        self.elapsed += step
        self._note(self.machine.decide(tick(self.elapsed)))

    @rule(back=st.integers(0, 2), order_id=st.integers(1, 9))
    def handshake(self, back: int, order_id: int) -> None:
        epoch = Epoch(self.machine.epoch - back)
        self.machine.decide(NextOrderIdReported(at=AT, epoch=epoch, order_id=OrderId(order_id)))
        self.machine.decide(AccountsReported(at=AT, epoch=epoch, accounts=(Account("DU1"),)))

    @rule(back=st.integers(0, 1))
    def lose(self, back: int) -> None:
        self.machine.decide(ConnectionLost(at=AT, epoch=Epoch(self.machine.epoch - back), reason="x"))

    @rule(kind=st.sampled_from(LinkCondition))
    def news(self, kind: LinkCondition) -> None:
        self.machine.decide(condition(kind, self.machine.epoch))

    @precondition(lambda self: self.machine.state is SessionState.RECONCILING)
    @rule()
    def reconcile(self) -> None:
        self.machine.decide(FinishReconciliation(at=AT, epoch=self.machine.epoch))
        self.reconciled_epoch = self.machine.epoch

    @rule()
    def stale_reconcile(self) -> None:
        self.machine.decide(FinishReconciliation(at=AT, epoch=Epoch(self.machine.epoch - 1)))

    @invariant()
    def orders_pass_only_after_reconciling_this_connection(self) -> None:
        if self.machine.takes_new_orders:
            assert self.reconciled_epoch == self.machine.epoch

    @invariant()
    def epochs_only_rise(self) -> None:
        assert self.epochs == sorted(set(self.epochs))


TestSessions = Sessions.TestCase
