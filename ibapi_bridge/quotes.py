"""Single ticks folded into the best bid and ask with sizes and the last trade."""

from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from actors.domain.contract import Contract
from actors.domain.identity import Epoch
from actors.messages.reports import QuoteReported
from ibapi_bridge.figures import figure, quantity

PRICES: Final = MappingProxyType({1: "bid", 2: "ask", 4: "last", 66: "bid", 67: "ask", 68: "last"})
"""Tick types of prices (IBKR tick types: live, then delayed)."""

SIZES: Final = MappingProxyType(
    {
        0: "bid_size",
        3: "ask_size",
        5: "last_size",
        8: "volume",
        69: "bid_size",
        70: "ask_size",
        71: "last_size",
        74: "volume",
    }
)
_SIZE_OF: Final = MappingProxyType({"bid": "bid_size", "ask": "ask_size", "last": "last_size"})
HALTED: Final = frozenset({49, 90})
_NOT_AVAILABLE: Final = -1


class QuoteFold:
    """What is known of one stream; every method answers the new quote, or None when nothing changed."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self._known: dict[str, Decimal | None] = dict.fromkeys((*_SIZE_OF, *_SIZE_OF.values(), "volume"))
        self._halted = False

    def price(
        self, tick_type: int, raw: object, raw_size: object, *, at: datetime, epoch: Epoch
    ) -> QuoteReported | None:
        """A price tick; protobuf ones carry the size too. -1 and 0 mean not available (IBKR)."""
        name = PRICES.get(tick_type)
        if name is None:
            return None
        price = figure(raw)
        changed = self._put(name, None if price in (_NOT_AVAILABLE, 0) else price)
        if raw_size is not None:
            changed |= self._put(_SIZE_OF[name], quantity(raw_size) or None)
        return self._quote(at, epoch) if changed else None

    def size(self, tick_type: int, raw: object, *, at: datetime, epoch: Epoch) -> QuoteReported | None:
        """A size tick, in units; 0 means not available (IBKR)."""
        name = SIZES.get(tick_type)
        if name is None or not self._put(name, quantity(raw) or None):
            return None
        return self._quote(at, epoch)

    def halt(self, tick_type: int, raw: object, *, at: datetime, epoch: Epoch) -> QuoteReported | None:
        """The halted tick: above 0 is halted, 0 trades, -1 unknown (IBKR)."""
        halted = (figure(raw) or Decimal(0)) > 0
        if tick_type not in HALTED or halted == self._halted:
            return None
        self._halted = halted
        return self._quote(at, epoch)

    def _put(self, name: str, value: Decimal | None) -> bool:
        if self._known[name] == value:
            return False
        self._known[name] = value
        return True

    def _quote(self, at: datetime, epoch: Epoch) -> QuoteReported:
        return QuoteReported(at=at, epoch=epoch, contract=self.contract, halted=self._halted, **self._known)
