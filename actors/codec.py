"""Messages to bytes and back, for the journal: JSON by msgspec, which writes frozen attrs classes at C speed.

The kind of a record is the name of its class; every class that can be journalled is listed here.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from actors.messages import commands, events, reports, system

JOURNALLED: tuple[type[Any], ...] = (
    commands.SubmitOrder,
    commands.CancelOrder,
    commands.ReplaceOrder,
    commands.FlattenAll,
    commands.LockNewExposure,
    commands.AdoptOrder,
    commands.Reconcile,
    commands.BlockInstrument,
    commands.SuspectPosition,
    commands.AcceptPosition,
    commands.StateChanged,
    reports.OrderStatusReported,
    reports.OpenOrderReported,
    reports.CompletedOrderReported,
    reports.ExecutionReported,
    reports.CommissionReported,
    reports.NoticeReported,
    reports.OrderBoundReported,
    reports.NextOrderIdReported,
    reports.AccountsReported,
    reports.SnapshotEnded,
    reports.InstrumentReported,
    reports.InstrumentRefused,
    reports.FrameDamaged,
    reports.QuoteReported,
    reports.PositionReported,
    events.PositionMismatched,
    system.SessionChanged,
    system.SendFailed,
    system.Tick,
)


class UnknownKind(ValueError):
    """A record's kind that this version does not know."""


class Codec:
    """Encodes and decodes the given classes."""

    def __init__(self, classes: Iterable[type[Any]] = JOURNALLED) -> None:
        self._encoder = msgspec.json.Encoder(decimal_format="string")
        self._decoders = {kind.__name__: msgspec.json.Decoder(kind) for kind in classes}

    def encode(self, message: object) -> tuple[str, bytes]:
        """The kind and the body of a message.

        Raises:
            UnknownKind: the class is not listed.
        """
        kind = type(message).__name__
        if kind not in self._decoders:
            raise UnknownKind(f"{kind} is no kind of journal record")
        return kind, self._encoder.encode(message)

    def decode(self, kind: str, body: bytes) -> object:
        """The message again, equal to the one encoded.

        Raises:
            UnknownKind: written by another version.
            msgspec.DecodeError: the body is not what the kind says.
        """
        decoder = self._decoders.get(kind)
        if decoder is None:
            raise UnknownKind(f"{kind} is no kind of journal record this version knows")
        return decoder.decode(body)
