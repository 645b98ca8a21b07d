"""A disputed position blocks its instrument until a human or the figures settle it, over restarts too."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.domain.desk_config import DeskConfig
from actors.domain.identity import ClientId, OmsId, OrderId, PermId
from actors.journal import Journal, JournalIdentity
from actors.messages.commands import BlockInstrument, CancelOrder, SubmitOrder
from actors.messages.events import OrderRejected, PositionMismatched
from actors.messages.reports import BrokerStatus, OpenOrderReported, PositionReported
from actors.messages.system import Tick
from actors.reconcile_cli import reconcile, strangers
from actors.restore import Fold, restore, take_snapshot
from tests.actors.domain.deskkit import ACCOUNT, SPY, START, limit
from tests.actors.test_journal_keeper import Recorder

CONFIG = DeskConfig()
IDENTITY = JournalIdentity(strategy_id=CONFIG.strategy_id, account="")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """We hold 10, the broker says 25."""
    with closing(Journal(tmp_path / "strategy.journal", identity=IDENTITY)) as journal:
        rig = Recorder(journal)
        rig.submit(limit(quantity=10), "o1")
        rig.status(BrokerStatus.WORKING, "o1")
        rig.execution("e1.01", 10, oms_id="o1")
        ours, broker = Decimal(10), Decimal(25)
        rig.hear(PositionReported(at=START, epoch=rig.epoch, account=ACCOUNT, contract=SPY, quantity=broker))
        rig.hear(PositionMismatched(at=START, account=ACCOUNT, contract=SPY, ours=ours, broker=broker))
        yield journal


def run(journal: Journal, accept: str | None, instrument: str | None = None) -> int:
    return reconcile(journal, CONFIG, accept=accept, instrument=instrument, now=lambda: START)


def is_blocked(fold: Fold) -> bool:
    said = fold.desk.decide(SubmitOrder(at=START, oms_id="new", order=limit(quantity=1)))  # type: ignore[arg-type]
    return any(isinstance(event, OrderRejected) and "position" in event.order.reason for event in said)


def held(fold: Fold) -> Decimal:
    return next(view.quantity for view in fold.portfolio.snapshot_view(START).positions)


def test_a_dispute_is_shown_and_stays_until_it_is_settled(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(journal, None) == 1
    assert capsys.readouterr().out == "SPY in account DU*****67: ours is 10, the broker's 25\n"
    assert is_blocked(restore(journal, CONFIG))
    take_snapshot(journal, restore(journal, CONFIG))
    assert is_blocked(restore(journal, CONFIG))
    assert run(journal, None) == 1


def test_the_brokers_position_becomes_ours(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(journal, "broker") == 0
    assert capsys.readouterr().out.endswith("  accepted: broker\n")
    fold = restore(journal, CONFIG)
    assert held(fold) == 25
    assert not is_blocked(fold)
    assert run(journal, None) == 0
    assert capsys.readouterr().out == "no position differs\n"


def test_our_position_stays_and_the_known_difference_is_not_disputed_again(journal: Journal) -> None:
    assert run(journal, "ours") == 0
    fold = restore(journal, CONFIG)
    assert held(fold) == 10
    assert not is_blocked(fold)
    said = [said for at in (0.0, 10.0) for said in fold.portfolio.decide(Tick(at=START, elapsed=at))]
    assert not [event for event in said if isinstance(event, PositionMismatched)]


def test_only_the_named_instrument_is_settled(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(journal, "broker", instrument="AAPL") == 0
    assert capsys.readouterr().out == "no position differs in AAPL, but in SPY\n"
    assert is_blocked(restore(journal, CONFIG))


def test_a_dispute_that_ended_by_itself_is_over_after_a_restart(journal: Journal) -> None:
    agrees = BlockInstrument(at=START, instrument=f"#{SPY.con_id}", blocked=False, reason="agrees again")
    journal.append([agrees])
    assert restore(journal, CONFIG).portfolio.disputes() == ()
    assert not is_blocked(restore(journal, CONFIG))


def test_a_strangers_order_is_shown_and_adopted_by_its_name(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = Recorder(journal)
    stray = OpenOrderReported(
        at=START, epoch=rig.epoch, order_id=OrderId(77), perm_id=PermId(4711), client_id=CONFIG.client_id, contract=SPY,
        order=limit(quantity=3), account=ACCOUNT, status=BrokerStatus.WORKING,
    )  # fmt: skip
    rig.hear(stray)
    assert strangers(journal, CONFIG, adopt=None, now=lambda: START) == 0
    assert capsys.readouterr().out == f"EXT-4711: BUY 3 SPY LIMIT @ 495.00, of client {CONFIG.client_id}, not ours\n"
    assert "EXT-4711" not in [order.oms_id for order in restore(journal, CONFIG).desk.open_orders()]

    assert strangers(journal, CONFIG, adopt="EXT-4711", now=lambda: START) == 0
    assert "adopted: EXT-4711" in capsys.readouterr().out
    desk = restore(journal, CONFIG).desk
    assert "EXT-4711" in [order.oms_id for order in desk.open_orders()]
    assert desk.open_strangers() == ()
    assert desk.decide(CancelOrder(at=START, oms_id=OmsId("EXT-4711"))) != ()


@pytest.mark.parametrize("name", ["EXT-1", "o1"])
def test_what_cannot_be_adopted_is_refused_and_not_journalled(
    journal: Journal, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = journal.sequence

    assert strangers(journal, CONFIG, adopt=name, now=lambda: START) == 2
    assert capsys.readouterr().err.startswith(f"callboard: --adopt is '{name}': only a living order of our own client")
    assert journal.sequence == before


def test_an_execution_of_no_order_makes_no_living_order(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """An assignment has no order at all, and of an order of another program only its echo says that it lives."""
    rig = Recorder(journal)
    rig.working(oms_id="a")
    stranger: dict[str, Any] = {"order_id": None, "order_ref": "", "client_id": ClientId(0)}
    rig.execution("0a.1.01.01", 2, 0, **stranger, perm_id=PermId(0))
    rig.execution("0a.2.01.01", 1, **stranger, perm_id=PermId(4712))
    assert strangers(journal, CONFIG, adopt=None, now=lambda: START) == 0
    assert capsys.readouterr().out == ""

    lives = OpenOrderReported(
        at=START, epoch=rig.epoch, order_id=OrderId(0), perm_id=PermId(4712), client_id=ClientId(0), contract=SPY,
        order=limit(quantity=3), account=ACCOUNT, status=BrokerStatus.WORKING,
    )  # fmt: skip
    rig.hear(lives)
    assert strangers(journal, CONFIG, adopt=None, now=lambda: START) == 0
    assert capsys.readouterr().out.startswith("EXT-4712: BUY 3 SPY LIMIT")
