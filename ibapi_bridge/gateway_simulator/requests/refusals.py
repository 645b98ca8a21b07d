"""How a data request is refused: an error on its own id, never silence."""

from collections.abc import Callable
from functools import wraps
from typing import TypeAlias

from ibapi_bridge.gateway_simulator.contracts import find
from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.exchange.types import Instrument
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.requests.contracts import NO_DEFINITION
from ibapi_bridge.gateway_simulator.session import Session

INVALID = "Error validating request.-'bI' : cause - "
Handler: TypeAlias = Callable[[Gateway, Session, Message], None]


class Refused(Exception):
    """A data request that cannot be answered: the error's code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def answering(handler: Handler) -> Handler:
    """A handler whose refusals become the error callback of its request."""

    @wraps(handler)
    def answer(gateway: Gateway, session: Session, message: Message) -> None:
        try:
            handler(gateway, session, message)
        except Refused as refusal:
            session.error(message.reqId, refusal.code, refusal.text, gateway.now)

    return answer


def instrument_of(gateway: Gateway, contract: Message) -> Instrument:
    """The one instrument a data request means.

    Raises:
        Refused: none fits, or several.
    """
    found = find(gateway.instruments, contract)
    if not found:
        raise Refused(200, NO_DEFINITION)
    if len(found) > 1:
        raise Refused(200, f"The contract description specified for {contract.symbol} is ambiguous.")
    return found[0]


def not_subscribed(gateway: Gateway, session: Session, request_id: int) -> None:
    """The error for the cancel of a stream that does not run (300)."""
    session.error(request_id, 300, f"Can't find EId with tickerId:{request_id}", gateway.now)
