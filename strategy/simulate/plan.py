"""What is to happen in one simulated session: a small frozen value, written as JSON, that a seed or a person made.

A session is a pure function of its plan and the strategy. Everything in a plan has a name a trader knows; leaving an
element out leaves the rest as it is, which is what makes failures shrink.
"""

from datetime import date
from enum import StrEnum

import attrs
import msgspec


class MarketMood(StrEnum):
    """How the market behaves for a while."""

    CALM = "CALM"
    TREND_UP = "TREND_UP"
    TREND_DOWN = "TREND_DOWN"
    CHOPPY = "CHOPPY"  # large moves to and fro
    GAP_UP = "GAP_UP"  # one jump of about 1 %, then calm
    GAP_DOWN = "GAP_DOWN"
    FLASH_CRASH = "FLASH_CRASH"  # down about 5 % within a minute, and most of it back
    HALT = "HALT"  # no trading; orders stay where they are
    WIDE = "WIDE"  # a spread of 20 to 60 ticks
    THIN = "THIN"  # 100 shares on either side: larger orders fill in pieces
    STALE = "STALE"  # no new quotes


class OrderFate(StrEnum):
    """What the broker and the market do with one order."""

    INSTANT = "INSTANT"  # all of it at once, whatever size is displayed
    PIECES = "PIECES"  # in `pieces` odd parts, one every `seconds`
    NEVER = "NEVER"  # it works and does not fill
    LATE = "LATE"  # nothing is heard of it for `seconds`; then as usual
    FILL_AFTER_CANCEL = "FILL_AFTER_CANCEL"  # it rests; asked to cancel, part (pieces 2) or all (1) fills first
    LATE_FILL = "LATE_FILL"  # it rests; a part fills at a cancel, and is reported `seconds` after the cancel
    CORRECTED_PRICE = "CORRECTED_PRICE"  # fills, and `seconds` later the execution's price is corrected
    CORRECTED_QUANTITY = "CORRECTED_QUANTITY"  # the same with a smaller quantity
    REJECTED = "REJECTED"  # error 201
    WARNED = "WARNED"  # a warning that changes nothing: 399
    PRESET = "PRESET"  # "Order TIF was set to DAY based on order preset" (10349): the order lives on
    HELD = "HELD"  # inactive for `seconds` (a locate), then works
    SILENT = "SILENT"  # works and fills, but no status is ever pushed
    LOST = "LOST"  # never arrives at the broker
    CUT_OFF = "CUT_OFF"  # the connection is lost for `seconds` as it arrives; what becomes of it is heard after that
    CUT_AT_FILL = "CUT_AT_FILL"  # the connection is lost for `seconds` as it first fills, before that is said
    CANCEL_CUT_OFF = "CANCEL_CUT_OFF"  # the connection is lost for `seconds` as the first request to cancel arrives
    BROKER_CANCELS = "BROKER_CANCELS"  # the broker cancels what is left `seconds` after it began to work
    DOUBLED = "DOUBLED"  # everything about it is said twice
    CANCEL_IGNORED = "CANCEL_IGNORED"  # the first request to cancel is not answered
    CANCEL_SLOW = "CANCEL_SLOW"  # a cancel takes `seconds`
    FILLED_BEFORE_EXECUTION = "FILLED_BEFORE_EXECUTION"  # the status comes `seconds` before the executions


class Disturbance(StrEnum):
    """What happens to the connection or the process."""

    DISCONNECT = "DISCONNECT"  # the socket is gone for `seconds`
    STALL = "STALL"  # nothing passes for `seconds`, then everything at once
    BROKER_AWAY = "BROKER_AWAY"  # 1100 for `seconds`, then 1102: reports of that time are lost
    BROKER_AWAY_DATA_LOST = "BROKER_AWAY_DATA_LOST"  # the same with 1101: streams must be asked for again
    GATEWAY_RESTART = "GATEWAY_RESTART"  # the gateway is gone for `seconds`
    RESTART = "RESTART"  # our own process is killed and starts again after `seconds`


@attrs.frozen(kw_only=True)
class Regime:
    """The market's mood from a minute of the session on, for some minutes."""

    mood: MarketMood
    minute: int
    minutes: int


@attrs.frozen(kw_only=True)
class Fate:
    """What becomes of the order that the strategy (or the end of the day) sends as number ``order``, from 1."""

    order: int
    kind: OrderFate
    pieces: int = 2
    seconds: int = 2


@attrs.frozen(kw_only=True)
class Event:
    """A disturbance so many seconds after the open."""

    second: int
    kind: Disturbance
    seconds: int = 3


@attrs.frozen(kw_only=True)
class Plan:
    """One session, from the open to the close after ``minutes``.

    ``latency_ms`` is the way between us and the gateway, ``lag_ms`` what the strategy is behind the engine (a busy
    interpreter), ``echoes`` whether the broker is talkative (an echo of the order with each status, the figure of what
    was filled in its list of completed orders), ``snapshot_lag`` whether the strategy sees portfolio snapshots with the
    next quote only.
    """

    day: date
    minutes: int = 120
    market_seed: int = 1
    quote_seconds: int = 30
    latency_ms: int = 2
    lag_ms: int = 0
    echoes: bool = False
    snapshot_lag: bool = False
    regimes: tuple[Regime, ...] = ()
    fates: tuple[Fate, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def size(self) -> int:
        """How many things are out of the ordinary."""
        return len(self.regimes) + len(self.fates) + len(self.events)

    def to_json(self) -> str:
        """The plan as readable JSON text, defaults included."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The plan in a JSON text.

        Raises:
            ValueError: the text is no plan; says what and where.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise ValueError(f"this is no plan of a session: {error}") from None
