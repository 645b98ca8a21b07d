"""Makes the links of the connector: one per connection, all with the same settings, cache and capture."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

import attrs

from actors.domain.identity import Epoch
from actors.link import BrokerLink, HearsReports, LinkFactory
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


class Ports:
    """Which port to try next: the last one that was of use, or the one to which the gateway said it moves."""

    def __init__(self, configured: int) -> None:
        self._ports = [configured]
        self._last: IbapiLink | None = None

    def next(self) -> int:
        """After an attempt in vain the other port, if there is one, is tried."""
        last = self._last
        if last is not None and last.moved_to is not None:
            self._ports = [last.moved_to, self._ports[0]]
        elif last is not None and not last.is_ready:
            self._ports.reverse()
        return self._ports[0]

    def tried(self, link: IbapiLink) -> None:
        """An attempt was made; what became of it shows when the next port is asked for."""
        self._last = link


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
    ports = Ports(settings.port)

    def make(epoch: Epoch, hear: HearsReports) -> BrokerLink:
        link = IbapiLink(
            attrs.evolve(settings, port=ports.next()),
            epoch=epoch,
            hear=hear,
            now=clock.now,
            elapsed=clock.elapsed,
            cache=instruments,
            recorder=recorder,
        )
        ports.tried(link)
        return link

    return make
