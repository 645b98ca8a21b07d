"""Market depth: the quoted price in front and made-up rows behind it, kept up to date row by row.

Orders trade against the front row alone; the rows behind it have the same price and size whenever they are shown again.
"""

import zlib
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.exchange.rules import tick_at
from ibapi_bridge.gateway_simulator.exchange.types import Instrument, Quote
from ibapi_bridge.gateway_simulator.order_messages import plain
from ibapi_bridge.gateway_simulator.session import Session

INSERT, UPDATE, DELETE = 0, 1, 2
ASK_SIDE, BID_SIDE = 0, 1
LOTS = 20
Row: TypeAlias = tuple[Decimal, Decimal]


class DepthBook:
    """One client's view of one instrument's book, `rows` deep on each side."""

    def __init__(self, session: Session, request_id: int, instrument: Instrument, *, rows: int, smart: bool) -> None:
        self._session = session
        self._request_id = request_id
        self._instrument = instrument
        self._rows = rows
        self._smart = smart
        self._shown: dict[int, list[Row]] = {ASK_SIDE: [], BID_SIDE: []}

    def act(self, quote: Quote | None) -> None:
        """Sends what a quote changes."""
        if quote is not None:
            self._show(BID_SIDE, self._ladder(quote.bid, quote.bid_size, -1))
            self._show(ASK_SIDE, self._ladder(quote.ask, quote.ask_size, 1))

    def _ladder(self, price: Decimal | None, size: Decimal, direction: int) -> list[Row]:
        rows: list[Row] = []
        while price is not None and price > 0 and len(rows) < self._rows:
            rows.append((price, size if not rows else self._made_up(price)))
            price += direction * tick_at(self._instrument, price)
        return rows

    def _made_up(self, price: Decimal) -> Decimal:
        lot = 100 if self._instrument.sec_type == "STK" else 1
        return Decimal(lot * (1 + zlib.crc32(f"{self._instrument.con_id}:{price}".encode()) % LOTS))

    def _show(self, side: int, wanted: Sequence[Row]) -> None:
        shown = self._shown[side]
        for position, row in enumerate(wanted):
            if position >= len(shown):
                self._send(position, INSERT, side, row)
            elif shown[position] != row:
                self._send(position, UPDATE, side, row)
        for position in range(len(shown) - 1, len(wanted) - 1, -1):
            self._send(position, DELETE, side, (Decimal(0), Decimal(0)))
        self._shown[side] = list(wanted)

    def _send(self, position: int, operation: int, side: int, row: Row) -> None:
        number = IN.MARKET_DEPTH_L2 if self._smart else IN.MARKET_DEPTH
        message = REPLIES[number].message(reqId=self._request_id)
        data = message.marketDepthData
        data.position, data.operation, data.side = position, operation, side
        data.price, data.size = float(row[0]), plain(row[1])
        if self._smart:
            data.marketMaker = self._instrument.primary_exchange or self._instrument.exchange
            data.isSmartDepth = True
        self._session.post(number, message)
