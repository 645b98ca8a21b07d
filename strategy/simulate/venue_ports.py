"""What the simulated broker is wired to: the way to us, and whoever watches the truth."""

from datetime import datetime
from typing import Protocol

from actors.messages.reports import Report
from strategy.simulate.venue_order import VenueExecution, VenueOrder


class Wire(Protocol):
    """The way from the broker to us."""

    def say(self, report: Report) -> None:
        """Put a report on the way; it may be lost."""

    @property
    def arrival(self) -> datetime:
        """When what is said now arrives."""


class VenueListener(Protocol):
    """Who sees the truth as it happens."""

    def placed(self, order: VenueOrder) -> None:
        """The broker received a new order."""

    def filled(self, execution: VenueExecution) -> None:
        """The broker booked an execution, or its correction."""

    def asked_to_cancel(self, order: VenueOrder) -> None:
        """The broker received a request to cancel."""

    def ended(self, order: VenueOrder) -> None:
        """The remainder of an order is dead."""
