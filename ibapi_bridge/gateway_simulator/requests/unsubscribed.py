"""Services this login has not subscribed to, answered as the gateway answers such a login."""

from ibapi.message import IN

from ibapi_bridge.gateway_simulator.core import Gateway
from ibapi_bridge.gateway_simulator.protos import Message
from ibapi_bridge.gateway_simulator.session import Session

NOT_AN_ADVISOR = "Error validating request.-'{}' : cause - FA data operations ignored for non FA customers."


def news_providers(_gateway: Gateway, session: Session, _message: Message) -> None:
    """There are none."""
    session.send(IN.NEWS_PROVIDERS)


def historical_news(gateway: Gateway, session: Session, message: Message) -> None:
    """No provider is allowed (10276)."""
    session.error(message.reqId, 10276, "News feed is not allowed.", gateway.now)


def news_article(gateway: Gateway, session: Session, message: Message) -> None:
    """No provider is allowed (10172)."""
    session.error(message.reqId, 10172, "Failed to request news article:Not allowed", gateway.now)


def wall_street_horizon(gateway: Gateway, session: Session, message: Message) -> None:
    """The calendar of corporate events is a news source, and not allowed (10276)."""
    session.error(message.reqId, 10276, "News feed is not allowed.", gateway.now)


def fundamentals(gateway: Gateway, session: Session, message: Message) -> None:
    """There are none for any security (430)."""
    text = "We are sorry, but fundamentals data for the security specified is not available.failed to fetch"
    session.error(message.reqId, 430, text, gateway.now)


def advisor_data(gateway: Gateway, session: Session, _message: Message) -> None:
    """The login is no financial advisor's (321); the request has no id to answer to."""
    session.error(-1, 321, NOT_AN_ADVISOR.format("b9"), gateway.now)


def replace_advisor_data(gateway: Gateway, session: Session, message: Message) -> None:
    """The login is no financial advisor's (321)."""
    session.error(message.reqId, 321, NOT_AN_ADVISOR.format("b1"), gateway.now)


def verify(gateway: Gateway, session: Session, _message: Message) -> None:
    """Verification needs an agreement with the broker and is refused (321)."""
    text = "Error validating request.-'bM' : cause - Intent to authenticate needs to be expressed first"
    session.error(-1, 321, text, gateway.now)
