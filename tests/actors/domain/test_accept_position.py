"""A human settles a disputed position: the instrument trades again, and the broker's figure becomes what we hold."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from actors.domain.book import BookSnapshot
from actors.domain.contract import Contract
from actors.domain.desk import Desk
from actors.domain.desk_config import DeskConfig, DeskSnapshot
from actors.domain.identity import Account
from actors.messages.commands import AcceptPosition, Books
from actors.messages.events import PositionMismatched

AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
SPY = Contract(symbol="SPY", con_id=756733)
ACCOUNT = Account("DU1")


def disputed(held: str, ours: str, broker: str) -> Desk:
    """A desk that holds so much of its own, with a position in dispute."""
    book = BookSnapshot(holdings=((ACCOUNT, SPY, Decimal(held)),))
    desk = Desk(DeskConfig(), DeskSnapshot(book=book))
    desk.decide(PositionMismatched(at=AT, account=ACCOUNT, contract=SPY, ours=Decimal(ours), broker=Decimal(broker)))
    return desk


def accept(desk: Desk, accepted: Books, ours: str, broker: str) -> list[str]:
    desk.decide(
        AcceptPosition(
            at=AT, account=ACCOUNT, contract=SPY, ours=Decimal(ours), broker=Decimal(broker), accepted=accepted
        )
    )
    return [str(holding[-1]) for holding in desk.holdings() if holding[-1]]


@pytest.mark.parametrize(("accepted", "held"), [(Books.BROKER, ["60"]), (Books.OURS, ["100"])])
def test_accepting_a_side_ends_the_dispute(accepted: Books, held: list[str]) -> None:
    desk = disputed("100", "100", "60")
    assert len(desk.snapshot().blocked) == 1
    assert accept(desk, accepted, "100", "60") == held
    assert desk.snapshot().blocked == ()


@pytest.mark.parametrize(
    ("own", "ours", "broker", "held"),
    [
        ("0", "100", "60", []),  # others held it, and sold some of it by hand
        ("0", "1", "0", []),  # theirs expired
        ("3", "5", "1", []),
        ("3", "5", "4", ["2"]),
        ("3", "5", "-2", ["-2"]),
        ("0", "-100", "-60", []),
        ("0", "0", "7", ["7"]),
    ],
)
def test_what_is_ours_stays_within_what_the_broker_holds(own: str, ours: str, broker: str, held: list[str]) -> None:
    """A flatten closes what is ours: more than the broker holds, or the other way, would be a new position."""
    assert accept(disputed(own, ours, broker), Books.BROKER, ours, broker) == held
