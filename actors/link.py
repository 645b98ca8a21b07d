"""The port through which the connector drives a broker; a bridge implements it, one object per connection."""

from collections.abc import Callable
from typing import Protocol

from actors.domain.identity import Epoch
from actors.messages.reports import Report
from actors.messages.wire import Subscribe, WireMessage


class SendError(Exception):
    """A command did not surely reach the wire; ``uncertain`` when some of its bytes may have."""

    def __init__(self, text: str, *, uncertain: bool) -> None:
        super().__init__(text)
        self.text = text
        self.uncertain = uncertain


class BrokerLink(Protocol):
    """One connection. Reports arrive through the ``hear`` callback given at construction, on the link's own thread.

    After ``start`` the link connects on its own thread and reports ``NextOrderIdReported`` and ``AccountsReported``
    when the broker has said both, or ``ConnectionLost`` (exactly once) when it could not connect or the connection
    ended.
    """

    def start(self) -> None:
        """Begin connecting; returns at once."""

    def send(self, command: WireMessage | Subscribe) -> None:
        """Put a command on the wire.

        Raises:
            SendError: not (surely) sent.
        """

    def request_server_time(self) -> None:
        """Ask for the broker's clock; ``ServerTimeReported`` answers.

        Raises:
            SendError: not sent.
        """

    def close(self, reason: str = "closed by us") -> None:
        """End the connection from any thread; returns within two seconds; ``ConnectionLost`` follows once."""


class HearsReports(Protocol):
    """Takes what the broker said."""

    def __call__(self, *reports: Report) -> None:
        """Reports that arrived together, in order; never waits and never raises."""


LinkFactory = Callable[[Epoch, HearsReports], BrokerLink]
"""Makes the link of a connection: ``factory(epoch, hear)``."""
