"""The account guard: other accounts than meant end the run before any order."""

from datetime import UTC, datetime

import pytest

from actors.domain.identity import Account, Epoch
from actors.messages.system import SessionChanged, SessionState, StopReason
from strategy.console import AccountGuard


class Halted(list[str]):
    def set(self, reason: str) -> bool:
        self.append(reason)
        return True


def stopped(mode: str, configured: str, *reported: str) -> StopReason | None:
    """The reason for which a connection to these accounts ends the run."""
    guard = AccountGuard(mode, 5000, Account(configured))
    halted = Halted()
    reasons: list[StopReason] = []
    guard.arm(halt=halted, stop=reasons.append)
    accounts = tuple(Account(name) for name in reported)
    guard.check(
        SessionChanged(
            at=datetime(2026, 3, 2, tzinfo=UTC), epoch=Epoch(1), state=SessionState.RECONCILING, accounts=accounts
        )
    )
    assert halted == [reason.text for reason in reasons]
    return reasons[0] if reasons else None


@pytest.mark.parametrize(
    ("mode", "configured", "reported"),
    [
        ("paper", "", ["DU1234567"]),
        ("paper", "DU1234567", ["DU1234567"]),
        ("paper", "DU1234567", ["DU7654321", "DU1234567"]),
        ("simulator", "", ["DU1234567"]),
        ("paper", "", []),
    ],
)
def test_the_accounts_that_were_meant_pass(mode: str, configured: str, reported: list[str]) -> None:
    assert stopped(mode, configured, *reported) is None


@pytest.mark.parametrize(
    ("mode", "configured", "reported", "sentence"),
    [
        ("paper", "", ["U1234567"], "it is a live account"),
        ("live", "", ["DU1234567"], "it is a paper account"),
        (
            "paper",
            "DU1234567",
            ["DU7654321"],
            "connection.account is 'DU*****67': the accounts of this login are DU*****21",
        ),
        ("paper", "", ["DU1234567", "DU7654321"], "this login has several, name one of DU*****67, DU*****21"),
    ],
)
def test_other_accounts_halt_and_end_the_run_with_code_2(
    mode: str, configured: str, reported: list[str], sentence: str
) -> None:
    reason = stopped(mode, configured, *reported)
    assert reason is not None
    assert sentence in reason.text
    assert reason.exit_code == 2
