"""Requests about the connection itself."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session

ALREADY_STARTED = "Error validating request.-'bF' : cause - The API is started already"


def start_api(gateway: Gateway, session: Session, message: Message) -> None:
    """Registers the client id and greets, or refuses an id in use (326) or one client too many."""
    if session.client_id is not None:
        session.error(-1, 321, ALREADY_STARTED, gateway.now)
    elif gateway.sessions.taken(message.clientId):
        text = "Unable to connect as the client id is already in use. Retry with a unique client id."
        session.error(-1, 326, text, gateway.now)
        session.close(f"client id {message.clientId} is in use")
    elif len(gateway.sessions) >= gateway.config.max_clients:
        text = f"The maximum number of API clients ({gateway.config.max_clients}) is connected already."
        session.error(-1, 502, text, gateway.now)
        session.close(f"{gateway.config.max_clients} clients are connected already")
    else:
        gateway.sessions.add(session, message.clientId)
        gateway.greet(session)


def next_ids(gateway: Gateway, session: Session, _message: Message) -> None:
    """Answers with the lowest usable order id, whatever number was asked for."""
    session.send(IN.NEXT_VALID_ID, orderId=gateway.next_id(session))


def current_time(gateway: Gateway, session: Session, _message: Message) -> None:
    """Market time in seconds."""
    session.send(IN.CURRENT_TIME, currentTime=int(gateway.now.timestamp()))


def current_time_in_millis(gateway: Gateway, session: Session, _message: Message) -> None:
    """Market time in milliseconds; asking again says that everything sent before the last answer was read."""
    session.time_told = gateway.now
    session.send(IN.CURRENT_TIME_IN_MILLIS, currentTimeInMillis=int(gateway.now.timestamp() * 1000))


def managed_accounts(gateway: Gateway, session: Session, _message: Message) -> None:
    """The accounts of the login."""
    session.send(IN.MANAGED_ACCTS, accountsList=",".join(gateway.config.accounts))


def server_log_level(gateway: Gateway, session: Session, message: Message) -> None:
    """Accepts levels 1 to 5; others are refused (319)."""
    if not 1 <= message.logLevel <= 5:
        session.error(-1, 319, f"Invalid log level {message.logLevel}", gateway.now)
