"""Makes the links of the connector: one per connection, all with the same settings, cache and capture."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from actors.domain.identity import Epoch
from actors.link import BrokerLink, LinkFactory
from actors.messages.reports import Report
from ibapi_bridge.capture import Recorder
from ibapi_bridge.compatibility import check_official_client
from ibapi_bridge.contracts import InstrumentCache
from ibapi_bridge.link import IbapiLink, LinkSettings


class Clock(Protocol):
    """What a link needs of the clock."""

    def now(self) -> datetime:
        """Market time, aware UTC."""

    def elapsed(self) -> float:
        """Monotonic seconds."""


def link_factory(
    settings: LinkSettings, *, clock: Clock, capture: Path | None = None, cache: Path | None = None
) -> LinkFactory:
    """A factory of links; ``capture`` names a file that records the conversation, ``cache`` a folder for contracts.

    Raises:
        IncompatibleClient: the installed official client is not one this bridge works with.
        CaptureError: the capture file cannot be written.
    """
    check_official_client()
    instruments = InstrumentCache(cache)
    recorder = Recorder(capture) if capture is not None else None

    def make(epoch: Epoch, hear: Callable[[Report], None]) -> BrokerLink:
        return IbapiLink(
            settings,
            epoch=epoch,
            hear=hear,
            now=clock.now,
            elapsed=clock.elapsed,
            cache=instruments,
            recorder=recorder,
        )

    return make
