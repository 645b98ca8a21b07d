"""A human settles a disputed position: the instrument trades again, and the broker's figure becomes what we hold."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from actors.domain.contract import Contract
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig
from actors.domain.identity import Account
from actors.messages.commands import AcceptPosition, Books
from actors.messages.events import PositionMismatched

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SPY = Contract(symbol="SPY", con_id=756733)
OURS, BROKER = Decimal(100), Decimal(60)


@pytest.mark.parametrize(("accepted", "held"), [(Books.BROKER, [BROKER - OURS]), (Books.OURS, [])])
def test_accepting_a_side_ends_the_dispute(accepted: Books, held: list[Decimal]) -> None:
    desk = Desk(DeskConfig())
    desk.decide(PositionMismatched(at=AT, account=Account("DU1"), contract=SPY, ours=OURS, broker=BROKER))
    assert len(desk.snapshot().blocked) == 1
    desk.decide(
        AcceptPosition(at=AT, account=Account("DU1"), contract=SPY, ours=OURS, broker=BROKER, accepted=accepted)
    )
    assert desk.snapshot().blocked == ()
    assert [holding[-1] for holding in desk.holdings() if holding[-1]] == held
