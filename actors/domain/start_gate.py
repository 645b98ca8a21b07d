"""When a strategy may begin: the session is READY and a view made after the reconciliation has arrived."""

from datetime import datetime

from actors.messages.events import Reconciled
from actors.messages.portfolio import PortfolioSnapshot
from actors.messages.schedule import StartStrategy
from actors.messages.system import SessionChanged, SessionState


class StartGate:
    """Opens once; its inputs come by different paths, so in any order."""

    def __init__(self) -> None:
        self._reconciled_at: datetime | None = None
        self._ready = False
        self._viewed = False
        self._opened = False

    def decide(self, message: object) -> tuple[StartStrategy, ...]:
        """``StartStrategy`` exactly once, with the last message that was missing."""
        if self._opened:
            return ()
        match message:
            case Reconciled():
                self._reconciled_at = message.at
            case SessionChanged():
                self._ready = message.state is SessionState.READY
            case PortfolioSnapshot():
                self._viewed = self._reconciled_at is not None
            case _:
                return ()
        if not (self._ready and self._viewed):
            return ()
        self._opened = True
        return (StartStrategy(at=message.at),)
