"""A strategy begins once, when it can trust what it sees."""

from datetime import UTC, datetime
from itertools import permutations

import pytest

from actors.domain.identity import Epoch
from actors.domain.start_gate import StartGate
from actors.messages.events import Reconciled
from actors.messages.portfolio import PortfolioSnapshot
from actors.messages.schedule import StartStrategy
from actors.messages.system import SessionChanged, SessionState, Tick

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
READY = SessionChanged(at=AT, epoch=Epoch(1), state=SessionState.READY)
RECONCILED = Reconciled(at=AT, open_orders=0, executions=0, in_doubt=0)
VIEW = PortfolioSnapshot(at=AT)


@pytest.mark.parametrize("messages", list(permutations((READY, RECONCILED, VIEW))))
def test_it_opens_with_the_last_of_ready_reconciled_and_a_view_made_after(messages: tuple[object, ...]) -> None:
    gate = StartGate()
    outputs = [gate.decide(message) for message in (*messages, VIEW)]
    assert sum(outputs, ()) == (StartStrategy(at=AT),)


def test_a_view_from_before_the_reconciliation_does_not_count() -> None:
    gate = StartGate()
    assert [gate.decide(message) for message in (VIEW, RECONCILED, READY)] == [(), (), ()]
    assert gate.decide(VIEW) == (StartStrategy(at=AT),)


def test_it_opens_only_once_and_ignores_what_it_does_not_know() -> None:
    gate = StartGate()
    for message in (RECONCILED, VIEW, Tick(at=AT, elapsed=1.0)):
        assert gate.decide(message) == ()
    assert gate.decide(READY) == (StartStrategy(at=AT),)
    assert gate.decide(READY) == ()


def test_a_session_that_was_lost_again_is_not_ready() -> None:
    gate = StartGate()
    gate.decide(READY)
    gate.decide(SessionChanged(at=AT, epoch=Epoch(1), state=SessionState.DISCONNECTED))
    assert [gate.decide(message) for message in (RECONCILED, VIEW)] == [(), ()]
