"""Bursts of an exact size: the stock reader of the official client loses one of exactly 4096 bytes before silence."""

from datetime import datetime

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.catalogue import REPLIES
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session
from ibapi_bridge.gateway_simulator.wire import encode_reply

FILLER_CODE = 2106
SMALLEST_FILLER = 200


def pad_to_burst(session: Session, at: datetime) -> None:
    """Pads what waits to the burst's size, lets exactly that much leave, and then pauses the line.

    Does nothing while nothing waits.
    """
    total, waiting = session.line.burst, len(session.outbound)
    if total is None or not waiting:
        return
    session.line.burst = None
    while total - len(session.outbound) > 2 * SMALLEST_FILLER:
        room = min(total - len(session.outbound) - SMALLEST_FILLER, 1000)
        session.outbound += _filler(session, room, at)
    if total - len(session.outbound) > 0:
        session.outbound += _filler(session, total - len(session.outbound), at)
    session.line.limit, session.line.pause_seconds = total, session.line.burst_silence


def _filler(session: Session, size: int, at: datetime) -> bytes:
    length = max(size - 60, 0)
    while len(frame := encode_reply(session.version, int(IN.ERR_MSG), _notice(length, at))) < size:
        length += 1
    return frame


def _notice(length: int, at: datetime) -> Message:
    text = "HMDS data farm connection is OK:".ljust(length, "x")[:length]
    return REPLIES[IN.ERR_MSG].message(
        id=-1, errorTime=int(at.timestamp() * 1000), errorCode=FILLER_CODE, errorMsg=text
    )
