"""Who follows a session as it happens, in order to tell of it."""

from datetime import datetime
from typing import Any, Protocol

from strategy.simulate.agenda import Agenda
from strategy.simulate.plan import Event
from strategy.simulate.record import SessionView
from strategy.simulate.venue_order import VenueExecution, VenueOrder


class Narrator(Protocol):
    """Hears of both sides."""

    def begin(self, agenda: Agenda, view: SessionView) -> None:
        """A session begins."""

    def wanted(self, cause: Any, commands: tuple[Any, ...]) -> None:  # noqa: ANN401 - the runner's own messages
        """The strategy reacted to a message."""

    def told(self, message: Any) -> None:  # noqa: ANN401 - whatever the engine tells its listeners
        """The engine concluded something."""

    def disturbed(self, at: datetime, event: Event) -> None:
        """The line or the process was disturbed."""

    def placed(self, order: VenueOrder) -> None:
        """The broker received an order."""

    def filled(self, execution: VenueExecution) -> None:
        """The broker booked an execution, or its correction."""

    def ended(self, order: VenueOrder) -> None:
        """The remainder of an order is dead at the broker."""
